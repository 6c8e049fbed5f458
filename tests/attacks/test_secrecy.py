"""Non-interference (threat T9): two worlds that differ only in two experts' marks, one's in draft, the
other's sealed while the panel is open, and in those of a trainee, sealed too, answer everybody else with the same bytes: pages, lists, searches,
files to download, refused forms.

Both worlds are asked the same, and whatever is asked is taken back, so each question meets the same
state. A view that leaks, planted beside the product's own, shows that the comparison sees it: a count of
items, what a search finds, a mark in a refusal.
"""

from __future__ import annotations

import copy
import io
import re
import secrets
import shutil
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from flask import Flask, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import ImmutableMultiDict

import app.ui.request as frame
from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.accounts.viewer import Viewer
from app.config import Settings
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.panel.models_trainees import Trainee
from app.scoring import operations as scoring
from app.scoring.models import Sheet
from app.ui.access import signed_in
from tests import randomness
from tests.attacks import world as steps
from tests.attacks.cells import ABSENT, prepare, table
from tests.conftest import PG

pytestmark = pytest.mark.skipif(PG, reason="copies the database file; the pages are the same")

MATRIX = table()
DRAFT, SEALED = 3, 4  # the seats whose marks differ
MOVING = ("Set-Cookie", "Content-Length", "Date")  # lengths are compared with the bodies
PASSERS_BY = ("office", "colleague")  # of the watchers, those who open what is open to everybody
KEPT = "supervision.check"  # its result stands in a file, whatever becomes of the transaction
PAPER = (".pdf", ".docx")  # nothing can be searched in them
EACH_LINK = 2  # addresses that differ in their query alone, of those that one watcher follows
SHAPE = {"page", "sort", "lang"}  # these come by links


@dataclass(frozen=True)
class Ask:
    """One question: who, how, where, and the fields of a form."""

    who: str
    method: str
    where: str
    form: tuple[tuple[str, str], ...] = ()


Answers = dict[Ask, tuple[int, Any, bytes]]


@dataclass(frozen=True)
class Heard:
    """Every answer."""

    high: Answers  # both sheets whole, near the top
    low: Answers  # both whole, near the bottom
    part: Answers  # the pages alone, while a third of the draft's items is marked, near the top


def moving(text: str) -> str:
    """The page without form tokens, the ledger's head (a salted hash), in letters or as QR, and what is
    made of it: the code of a receipt, and the proof of an entry."""
    text = re.sub(r'<path d="[^"]*"', "", text)
    text = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", text)
    text = re.sub(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}\b", "RECEIPT", text)
    # How long a check took.
    text = re.sub(r'(<small class="num">)[\d.]+ s<|用时 \d+ 秒', r"\1<", text)
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "HASH", text)


def shown(response: Any) -> bytes:
    """What the answer tells: of a page the text, of a packed file each part but the moment of packing."""
    body: bytes = response.get_data()
    if response.mimetype == "text/html":
        return moving(body.decode()).encode()
    if response.mimetype == "application/json":
        return moving(re.sub(r"[A-Za-z0-9+/]{40,}=*", "HASH", body.decode())).encode()
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        parts = {name: packed.read(name).decode("utf-8", "replace") for name in packed.namelist()}
    moment = r"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
    kept = {name: moving(re.sub(moment, r"\1", text)) for name, text in parts.items()}
    return repr(sorted(kept.items())).encode()


def noting(asked: dict[str, set[str]]) -> type[ImmutableMultiDict[str, str]]:
    """Parameters of addresses and forms that remember which names each endpoint looks for."""

    def note(key: str) -> None:
        if request and request.endpoint:
            asked[f"{request.method} {request.endpoint}"].add(key)

    class Noting(ImmutableMultiDict[str, str]):
        def get(self, key: str, *args: Any, **more: Any) -> Any:
            note(key)
            return super().get(key, *args, **more)

        def getlist(self, key: str, *args: Any, **more: Any) -> Any:
            note(key)
            return super().getlist(key, *args, **more)

        def __getitem__(self, key: str) -> Any:
            note(key)
            return super().__getitem__(key)

        def __contains__(self, key: Any) -> bool:
            note(key)
            return super().__contains__(key)

    return Noting


def planted(app: Flask, sheet_id: str) -> None:
    """Three views that tell: how many items are marked; what a search finds in the reasons; and a mark,
    in the refusal of a form."""

    def leak() -> Any:
        sheet = frame.db().get_one(Sheet, sheet_id)
        if request.method == "POST":
            return f"refused beside {sheet.entries}", 422
        wanted = request.args.get("q", "")
        if wanted:
            return f"found {wanted in str(sheet.entries)}"
        return f"{len(sheet.entries)} items"

    app.add_url_rule("/leak", "leak", signed_in(leak), methods=["GET", "POST"])


class _Undo(Exception):
    """Takes a transaction back at its end."""


@contextmanager
def undone(app: Flask) -> Iterator[None]:
    """Whatever is asked in here changes nothing."""
    database = app.extensions["mingjian.db"]
    finish, write = frame.finish, database.write

    @contextmanager
    def rolled() -> Iterator[Any]:
        with suppress(_Undo), write() as session:
            yield session
            raise _Undo

    frame.finish, database.write = (lambda keep: finish(keep=False)), rolled
    try:
        yield
    finally:
        frame.finish, database.write = finish, write


class Town:
    """One of the two worlds, with a client for each watcher."""

    def __init__(self, home: Path, tokens: dict[str, str], sheets: list[str], now: Any) -> None:
        self.app = create_app(Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}"))
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.noted: dict[str, set[str]] = defaultdict(set)
        self.app.request_class = type(
            "Noted", (self.app.request_class,), {"parameter_storage_class": noting(self.noted)}
        )
        planted(self.app, sheets[0])
        self.now, self.sheets = now, sheets
        self.pages: dict[Ask, str] = {}  # of what is HTML, as it came
        self.client = self.app.test_client(use_cookies=False)
        seal = self.app.session_interface.get_signing_serializer(self.app)
        name = self.app.config["SESSION_COOKIE_NAME"]
        # Sent anew with each question: one answer's messages never stand in the next.
        self.cookies = {
            who: f"{name}={seal.dumps({'_user_id': token, '_fresh': True, 'csrf_token': 'x'})}"
            for who, token in tokens.items()
        }

    def answers(self, asks: list[Ask]) -> Answers:
        """What everybody is told, in this world as it stands."""
        got: Answers = {}
        with clock.fixed(self.now), undone(self.app):
            for ask in asks:
                randomness.begin(repr(ask))  # a new link or id is the same in both worlds
                response = self.client.open(
                    ask.where, method=ask.method, data=dict(ask.form) if ask.form else None,
                    headers={"Cookie": self.cookies[ask.who]},
                )  # fmt: skip
                if response.mimetype == "text/html" and ask.method == "GET":
                    self.pages[ask] = response.get_data(as_text=True)
                kept = sorted((k, v) for k, v in response.headers if k not in MOVING)
                got[ask] = (response.status_code, kept, shown(response))
        return got

    def mark(
        self, drafting: Viewer, sealing: tuple[Viewer, ...], marks: dict[str, Any], first: int
    ) -> None:
        """One expert marks, in two saves, the others mark and seal: as many steps in every world, for
        each page shows how long the ledger is. `first`: how many items the one marks, 0 for all."""
        items = sorted({key.partition(".")[0] for key in marks})
        half = set(items[: len(items) // 6])
        some = set(items[: first or len(items)])
        with clock.fixed(self.now), self.app.extensions["mingjian.db"].write() as session:
            rows = [session.get_one(Sheet, sheet_id) for sheet_id in self.sheets]
            for chosen in (half, some - half):
                typed = {k: v for k, v in marks.items() if k.partition(".")[0] in chosen}
                scoring.save_draft(
                    session, drafting, sheet=rows[0], changes=typed, version=rows[0].version
                )
            for row, who in zip(rows[1:], sealing, strict=True):
                scoring.save_draft(session, who, sheet=row, changes=marks, version=0)
                scoring.seal(session, who, sheet=row, version=1, signed_name=who.name)


def questions(app: Flask, stage: Any, watchers: dict[str, Viewer]) -> list[Ask]:
    """Every address and method that the gate lets a watcher through to (whom it refuses never reaches a
    view: test_matrix), with his own objects and with the two other experts'."""
    asks: dict[Ask, None] = {}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in ("static", KEPT):
                continue
            entry = MATRIX.get(rule.endpoint, {})
            allowed = app.view_functions[rule.endpoint].__access__
            for who, viewer in watchers.items():
                if viewer.role not in allowed and ("*" not in allowed or who not in PASSERS_BY):
                    continue
                for cell in ("own", "draft", "sealed"):
                    values = {**entry.get("plain", {}), "slug": stage.world.slug}
                    for name, kind in entry.get("ids", {}).items():
                        known = stage.ids[kind].get(viewer.role) or stage.ids[kind]["*"]
                        values[name] = known.get(cell) or known.get("own") or ABSENT
                    values |= {name: "x" for name in rule.arguments if name not in values}
                    where = url_for(
                        rule.endpoint, **{k: v for k, v in values.items() if k in rule.arguments}
                    )
                    form = {
                        key: str((stage.ids[kind].get(viewer.role) or stage.ids[kind]["*"])["own"])
                        for key, kind in entry.get("form", {}).items()
                    }
                    for method in rule.methods & {"GET", "POST", "PUT"}:
                        given = tuple(form.items()) if method == "POST" else ()
                        asks[Ask(who, method, where, given)] = None
    return list(asks)


def further(town: Town, asks: list[Ask], got: Answers, words: tuple[str, ...]) -> list[Ask]:
    """What the answers lead to: pages by their links with a query (sorted, paged, filtered), searched for
    each word, and forms filled with a word in each field that the view looks for."""
    bind = town.app.url_map.bind("localhost")
    more: dict[Ask, None] = {}
    taken: Counter[tuple[str, str]] = Counter()
    for ask in asks:
        if ask.method == "GET" and got[ask][0] == 200 and not ask.where.endswith(PAPER):
            looked = town.noted[f"GET {bind.match(ask.where)[0]}"]
            for key in sorted(looked - SHAPE):
                for word in words if key == "q" else words[:1]:
                    more[Ask(ask.who, "GET", f"{ask.where}?{key}={quote(word)}")] = None
            links = re.findall(r'href="([^"#:]*\?[^"#]+)"', town.pages.get(ask, ""))
            for link in (urljoin(ask.where, unescape(link)) for link in dict.fromkeys(links)):
                key = ask.who, link.partition("?")[0]
                taken[key] += Ask(ask.who, "GET", link) not in more
                if taken[key] <= EACH_LINK and not link.startswith("/language"):
                    more[Ask(ask.who, "GET", link)] = None
        elif ask.method == "POST" and got[ask][0] in (409, 422):
            looked = town.noted[f"POST {bind.match(ask.where, method='POST')[0]}"]
            names = dict.fromkeys(sorted(looked - {"csrf_token"}), words[0])
            if names:
                more[Ask(ask.who, "POST", ask.where, tuple((names | dict(ask.form)).items()))] = (
                    None
                )
    return [ask for ask in more if ask not in got]


def sitting_along(session: Any, sitting: Any, trainee_id: str) -> Viewer:
    """The trainee, with both declarations signed, at the sitting."""
    row = session.get_one(Trainee, trainee_id)
    person = row.seat.expert.person_id
    account = session.scalars(select(Account).where(Account.person_id == person)).one()
    viewer = viewer_of(session, account)
    assert viewer is not None
    for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
        panels.sign_declaration(
            session, viewer, panel=row.panel, kind=kind, answers=answers, signed_name=viewer.name
        )
    panels.sign_in(session, viewer, sitting=sitting, seat=row.seat)
    return viewer


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, world_template: Any) -> Heard:
    """The worlds, asked."""
    room = tmp_path_factory.mktemp("secrecy")
    (room / "base").mkdir()
    world = copy.deepcopy(world_template.world)
    settings = steps.copy_of(world_template, room / "base", None, "")
    start = create_app(settings)
    database = start.extensions["mingjian.db"]
    drafting, sealing = world.expert(DRAFT), world.expert(SEALED)
    with database.write() as session:
        stage = prepare(session, world)
        sitting = world.sitting(session)
        learner = sitting_along(session, sitting, stage.ids["trainee"]["*"]["own"])
        scorers = (drafting, sealing, learner)
        begun = [scoring.start_sheet(session, who, sitting=sitting) for who in scorers]
        for cell, sheet, seat in zip(("draft", "sealed"), begun, (DRAFT, SEALED), strict=False):
            stage.ids["sheet"]["*"][cell] = sheet.id
            stage.ids["seat"]["*"][cell] = world.site.seats[seat - 1]
        items, sheets = sheet_items(begun[0].instrument), [sheet.id for sheet in begun]
        watchers = {**stage.viewers, "colleague": world.expert(2)}  # `expert` is the leader
        tokens = {
            name: accounts.open_sign_in(
                session, session.get_one(Account, viewer.id), agent="a", address="b", hours=9
            )
            for name, viewer in watchers.items()
        }
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    high, low = steps.complete_marks(items), steps.complete_marks(items, low=True)
    # Whose sheet it is, a word that only the low marks have, and a mark.
    given = next(str(v) for k, v in high.items() if k.endswith(".mark"))
    words = (drafting.name, "佐证不足", given)
    now, towns = clock.now(), []
    check, checked = Ask("supervisor", "POST", "/supervision/check"), []
    with pytest.MonkeyPatch.context() as patch:
        usage = shutil.disk_usage(room)
        patch.setattr(shutil, "disk_usage", lambda _path: usage)  # moves by itself
        patch.setattr(secrets, "choice", lambda of: secrets._sysrand.choice(of))  # type: ignore[attr-defined]
        for number, (marks, first) in enumerate(((high, 0), (low, 0), (high, len(items) // 3))):
            shutil.copytree(settings.home, room / f"world{number}")
            towns.append(Town(room / f"world{number}", tokens, sheets, now))
            towns[-1].mark(drafting, (sealing, learner), marks, first)
            checked.append(towns[-1].answers([check]))
        asks = questions(towns[0].app, stage, watchers)
        got = towns[0].answers(asks)
        more = further(towns[0], asks, got, words)
        got |= towns[0].answers(more)
        pages = [ask for ask in asks if ask.method == "GET" and got[ask][0] == 200]
        pages = [ask for ask in pages if not ask.where.endswith(PAPER)]
        low_, part = towns[1].answers([*asks, *more]), towns[2].answers(pages)
    for town in towns:
        town.app.extensions["mingjian.db"].dispose()
    return Heard(got | checked[0], low_ | checked[1], part | checked[2])


def unlike(one: Answers, other: Answers, *, planted: bool = False) -> list[Ask]:
    """Who got different answers to what, of the product or of what was planted."""
    assert other.keys() <= one.keys()
    return [a for a in other if a.where.startswith("/leak") == planted and one[a] != other[a]]


def test_two_experts_marks_leave_no_trace_in_what_anybody_else_is_told(heard: Heard) -> None:
    """Pages, searches, files and refusals, for a draft and a sealed sheet while scoring goes on."""
    assert heard.high.keys() == heard.low.keys()
    assert unlike(heard.high, heard.low) == []
    told = Counter((ask.method, status) for ask, (status, _, _) in heard.high.items())
    assert told["GET", 200] > 450 and told["GET", 404] > 60, told
    assert told["POST", 422] > 180 and told["POST", 409] > 20 and told["POST", 404] > 50, told
    bodies = {ask: body for ask, (_, _, body) in heard.high.items()}
    assert any(b"xl/workbook.xml" in body for body in bodies.values()), "workbooks taken apart"
    assert any(body.startswith(b"%PDF") for body in bodies.values())


def test_the_searches_were_searches(heard: Heard) -> None:
    """Every page that looks for a word was searched, and a name that is there is found."""
    found = quote("虚拟专家03")
    searches = {a for a in heard.high if a.method == "GET" and f"?q={found}" in a.where}
    assert len({a.where.partition("?")[0] for a in searches}) >= 6
    (pool,) = (a for a in searches if a.who == "keeper" and a.where.startswith("/pool?"))
    assert "虚拟专家03" in heard.high[pool][2].decode()
    assert "虚拟专家04" not in heard.high[pool][2].decode()
    assert len({a.where for a in heard.high if "sort=" in a.where or "page=" in a.where}) >= 4
    filled = [a for a in heard.high if {"虚拟专家03"} & set(dict(a.form).values())]
    assert len({a.where for a in filled}) > 30, "refused forms, filled in and refused again"


def test_item_counts_are_for_the_office_alone(heard: Heard) -> None:
    """A third of the items done, or all of them: only the office's board and progress tell."""
    differing = {(a.who, a.where) for a in unlike(heard.high, heard.part)}
    kinds = {(who, re.sub(r"[0-9a-f]{16}", "ID", where)) for who, where in differing}
    assert kinds == {
        ("office", "/r/one/sittings/ID/progress"), ("office", "/r/one/panels/ID/board"),
    }  # fmt: skip
    assert len(heard.part) > 300


def test_a_view_that_leaks_is_caught(heard: Heard) -> None:
    """Whoever opens it: by an item count, by a search that finds a reason, by a mark in a refusal."""
    everybody = {"office", "keeper", "supervisor", "admin", "expert", "presenter", "colleague"}
    counted = unlike(heard.high, heard.part, planted=True)
    assert {(a.who, a.where) for a in counted} == {(who, "/leak") for who in everybody}
    told = unlike(heard.high, heard.low, planted=True)
    assert {a.who for a in told if a.method == "POST"} == everybody
    assert {a.who for a in told if a.where == f"/leak?q={quote('佐证不足')}"} == everybody
    assert not [a for a in told if a.method == "GET" and "?" not in a.where], "as many items"
