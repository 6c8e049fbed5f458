"""An installation to attack: a real draw over two counties carried through the pages, and a copy of
the database kept at each of its states.

Everybody works through the application's own addresses, with cookies of live sessions; what is read
to judge an attempt is read from the database with SQL of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import keys as key_files
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.config import Settings
from app.db import Base, Database
from app.directory.models import Region
from app.domain.draw import chain
from app.draw.models import Draw
from app.exercise import device
from app.factory import create_app
from app.ledger import prove
from app.ledger.append import append
from app.programme import operations as programme
from tests.conftest import PASSWORD, Make
from tests.draw import builders
from tests.proof.databases import Hand, OnPostgres, OnSqlite

SLUG = "r1"
TYPED = " ".join(map(str, builders.DICE))
GROUNDS = ("draft", "committed", "cosigned", "dice", "locked", "coded", "last", "completed")
REQUEST = {
    "stage": "desk", "split": "one", "seats": "5", "mode": "tickets", "load_cap": "0",
    "replacement": "act", "dice": "50", "accept_high": "", "observer": "y",
}  # fmt: skip
REFUSED = "draw.attempt_refused"
# Requests that the draw room answers: its pages, the rules of a round, an observer's link.
OF_DRAW = re.compile(r"/r/[^/]+/(draws/(?!\w+/panels)|rules)|/observe/")


@dataclass
class Sent:
    """One POST, to be sent again later."""

    who: str
    path: str
    data: dict[str, Any] | None
    json: Any


@dataclass
class Installation:
    """A home with its application; `post` asserts that the ledger holds what was sent. The database is a
    file of the home, or one of a PostgreSQL `server`."""

    home: Path
    server: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    history: list[Sent] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    address: dict[str, str] = field(default_factory=dict)  # draw id -> the observer's page
    made: int = 0  # requests in `history` of the honest ceremony

    def __post_init__(self) -> None:
        self.store = OnSqlite(self.home) if self.server is None else OnPostgres(self.server)
        self._open = ExitStack()
        self._reading: Hand | None = None
        self.keys = key_files.create(self.home / "keys")
        made = Database(self.store.url)
        Base.metadata.create_all(made.engine)
        made.dispose()
        self.settings = Settings(home=self.home, database_url=self.store.url)
        self.app = create_app(self.settings)
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.database: Database = self.app.extensions["mingjian.db"]
        self.store.unhurried(self.database.engine)
        with self.database.write() as session:
            builders.make_pool(session, 24, 10)
            programme.load_forms(session, None)
            self._round(session)
            for role in ("office", "supervisor", "keeper", "admin", "expert"):
                self.viewers[role] = Make().viewer(session, role, role)
                account = session.get_one(Account, self.viewers[role].id)
                self.tokens[role] = accounts.open_sign_in(
                    session, account, agent="bot", address="127.0.0.1", hours=24
                )
            device.register(session, self.viewers["supervisor"])

    def _round(self, session: Any) -> None:
        round_ = builders.make_round(session, kind="real", slug=SLUG)
        for subject in round_.subjects:
            session.add(
                Region(
                    code=subject.region_code, name=subject.name_zh, kind="县", parent_code="610800",
                    valid_from=date(1990, 1, 1), source="测试",
                )
            )  # fmt: skip
        session.flush()
        append(session, None, "test.regions")
        self.subjects = {s.region_code: s.id for s in round_.subjects}

    # -- copies

    def keep(self, name: str) -> None:
        """The database as it is, kept under `name`; with the head that a supervisor prints now."""
        self.close()
        self.store.keep(name)

    def back(self, name: str) -> None:
        """The database as it was kept under `name`."""
        self.close()
        self.store.back(name)

    def close(self) -> None:
        """Every connection."""
        self.database.dispose()
        self._open.close()
        self._reading = None

    def gone(self) -> None:
        """The end of it."""
        self.close()
        self.store.drop()

    # -- requests

    def client(self, who: str) -> Any:
        client = self.app.test_client()
        if who in self.tokens:
            with client.session_transaction() as cookie:
                cookie["_user_id"], cookie["_fresh"] = self.tokens[who], True
        return client

    def post(
        self, who: str, path: str, data: dict[str, Any] | None = None, sent: Any = None
    ) -> Any:
        """One POST. A draw's page that refuses leaves one entry that says so; one that does
        something leaves at least one entry too."""
        before = self.size()
        more = {"json": sent} if sent is not None else {"data": data or {}}
        answer = self.client(who).post(path, **more)
        answer.get_data()
        self.history.append(Sent(who, path, data, sent))
        refused = answer.status_code >= 400
        assert answer.status_code < 500, (who, path, data, answer.text[-2000:])
        if OF_DRAW.match(path):
            kinds = self.kinds(before)
            if refused:
                assert kinds == [REFUSED], (who, path, answer.status_code, kinds)
            else:
                partly = sent is not None and len(sent.get("values", ())) < 50
                assert (kinds or partly) and REFUSED not in kinds, (who, path, kinds)
        self.answers["refused" if refused else "accepted"] += 1
        return answer

    def done(
        self, who: str, path: str, data: dict[str, Any] | None = None, sent: Any = None
    ) -> Any:
        """A POST of the honest ceremony: it has to be accepted."""
        answer = self.post(who, path, data, sent)
        assert answer.status_code in (200, 302), (who, path, answer.status_code, _said(answer))
        return answer

    # -- reading, with SQL of its own

    @contextmanager
    def raw(self) -> Iterator[Hand]:
        """The database in hand: one transaction past the application."""
        with self.store.hand() as hand:
            yield hand

    def reading(self) -> Hand:
        """What the oracle asks through; each question sees the rows as they are."""
        if self._reading is None:
            self._reading = self._open.enter_context(self.store.hand(autocommit=True))
        return self._reading

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.reading().execute(query, values).fetchall()]

    def size(self) -> int:
        return int(self.rows("SELECT count(*) FROM ledger_event")[0][0])

    def kinds(self, start: int) -> list[str]:
        """Kinds of the entries from `start` on, sealed ones opened."""
        found = self.rows(
            "SELECT coalesce(s.body, e.payload) FROM ledger_event e LEFT JOIN ledger_secret s "
            "ON s.seq = e.seq WHERE e.seq >= ? ORDER BY e.seq",
            start,
        )
        return [json.loads(body)["kind"] for (body,) in found]

    def head(self) -> prove.TreeHead:
        with self.database.read() as session:
            return prove.head(session)

    def draws(self) -> list[tuple[str, str, str]]:
        """(id, state, round's short name) of every draw, oldest first."""
        return [
            (str(a), str(b), str(c))
            for a, b, c in self.rows(
                "SELECT d.id, d.state, r.slug FROM draw d JOIN round r ON r.id = d.round_id "
                "ORDER BY d.created_at, d.id"
            )
        ]

    # -- the honest ceremony

    def ask(self, slug: str = SLUG, codes: tuple[str, ...] = (), **more: str) -> Any:
        """The office asks for a draw of counties of a round, by region codes (all: none named)."""
        subjects = [
            key
            for key, code in self.rows(
                "SELECT s.id, s.region_code FROM subject s JOIN round r ON r.id = s.round_id "
                "WHERE r.slug = ? ORDER BY s.position",
                slug,
            )
            if not codes or code in codes
        ]
        return self.post(
            "office", f"/r/{slug}/draws/new", {**REQUEST, "subjects": subjects, **more}
        )

    def code(self, draw_id: str, party: str, act: int = 1) -> str:
        """H^(32-act) of the party's secret for this draw; act 0 is its commitment."""
        secret = hashlib.sha256(f"secret|{draw_id}|{party}".encode()).digest()
        return chain(secret, 32 - act).hex()

    def observer(self, draw_id: str, page: str) -> str:
        """The observer's address; a new link where there is none any more."""
        if draw_id in self.address:
            known = self.client("observer").get(self.address[draw_id])
            if known.status_code == 200:
                return self.address[draw_id]
        shown = self.done("office", f"{page}/observer").text
        found = re.search(r"/observe/[\w-]+", shown)
        assert found is not None
        self.address[draw_id] = found.group()
        return self.address[draw_id]

    def advance(self, draw_id: str, slug: str, until: str = "completed") -> None:
        """The honest people do what is left, up to the ground `until`."""
        page = f"/r/{slug}/draws/{draw_id}"
        reached = GROUNDS.index(until)
        asked = self.rows("SELECT request FROM draw WHERE id = ?", draw_id)[0][0]
        parties = json.loads(asked)["parties"]
        state = {a: b for a, b, _ in self.draws()}[draw_id]
        if state == "draft":
            have = {n for (n,) in self.rows("SELECT name FROM party WHERE draw_id = ?", draw_id)}
            for party in (p for p in parties if p not in have):
                self._chain(draw_id, page, party)
            if reached >= 1:
                self.done("office", f"{page}/commit")
                state = "committed"
        if state == "committed" and reached >= 2:
            with self.database.read() as session:
                draw = session.scalars(select(Draw).where(Draw.id == draw_id)).one()
                signed = device.signature(self.viewers["supervisor"], draw)
            form = {"password": PASSWORD, "signature": signed}
            self.done("supervisor", f"{page}/cosign", form)
        typed = {r for (r,) in self.rows("SELECT role FROM dice WHERE draw_id = ?", draw_id)}
        if state != "completed" and reached >= 3 and "office" not in typed:
            self.done("office", f"{page}/dice", {"source": "dice", "values": TYPED})
            part = {"source": "dice", "values": builders.DICE[:20]}
            self.done("supervisor", f"{page}/dice/save", sent=part)
        if state != "completed" and reached >= 4 and "supervisor" not in typed:
            self.done("supervisor", f"{page}/dice", {"source": "dice", "values": TYPED})
        out = {
            name
            for name, codes in self.rows("SELECT name, codes FROM party WHERE draw_id = ?", draw_id)
            if json.loads(codes)
        }
        order = [party for party in ("observer", "supervisor", "office") if party in parties]
        for party in order[: max(0, reached - 4)]:
            if state != "completed" and party not in out:
                self._code(draw_id, page, party)
        if not parties and reached == 7:
            self.done("office", f"{page}/complete")

    def _chain(self, draw_id: str, page: str, party: str) -> None:
        value = {"party": party, "commitment": self.code(draw_id, party, 0)}
        where = f"{page}/party"
        if party == "observer":
            where = self.observer(draw_id, page) + "/chain"
        self.done(party, where, value)

    def _code(self, draw_id: str, page: str, party: str) -> None:
        value = {"party": party, "code": self.code(draw_id, party)}
        where = f"{page}/code"
        if party == "observer":
            where = self.observer(draw_id, page) + "/code"
        self.done(party, where, value)


def _said(answer: Any) -> str:
    main = answer.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))[:800]


def built(home: Path, server: str | None = None) -> Installation:
    """The installation with its database kept at every ground."""
    made = Installation(home, server)
    made.keep("free")
    assert made.ask().status_code == 302
    ((draw_id, _, _),) = made.draws()
    for ground in GROUNDS:
        made.advance(draw_id, SLUG, ground)
        if ground == "draft":
            made.done("office", f"/r/{SLUG}/draws/{draw_id}/what-if")
        made.keep(ground)
    made.made = len(made.history)
    return made
