"""Hostile files at every door: refused with words in the reader's language, or taken as plain data; soon, in
little memory, and nothing kept of what was refused.

A third of the files (a ninth where doors share a reader) is sent each time, the same ones; `MINGJIAN_HOSTILE=all` sends every one.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, text, union_all

from app import installation, migrate
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.backup import backup as write_backup
from app.db import Base
from app.documents.characters import normalise
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.panel.models_statement import Statement
from app.programme import operations as programme
from app.programme.queries import facts_asked
from app.registry.imports import import_experts
from app.scoring.models import Sheet
from tests.attacks.cells import prepare
from tests.attacks.hostile_doors import DOORS, VECTORS, Answer, Door
from tests.attacks.hostile_files import ENDINGS, FILES, GOOD, Hostile
from tests.attacks.hostile_tables import FORMULAS, table_csv
from tests.attacks.world import Template, _execute, copy_of
from tests.domain.draw.test_commands import call
from tests.domain.draw.test_commands import files as draw_files
from tests.field.conftest import Bound, Key, code_for
from tests.field.test_field_import import packed
from tests.field.virtual import VirtualTablet
from tests.programme.conftest import EXEMPTION, add_districts, make_round

ALL = os.environ.get("MINGJIAN_HOSTILE") == "all"
SECONDS = 2.0  # of processor time, so that a busy machine changes nothing
MEMORY = 200 * 1024 * 1024


@dataclass
class Place:
    """An installation with people at work, what addresses need, and how to look at what it holds."""

    clients: dict[str, Any]
    paths: dict[str, str]
    database: Any
    home: Path
    world: Any
    rows: Any = field(default=None)

    def held(self) -> tuple[int, int]:
        """(rows of all tables, files anywhere in the installation but the database's own)."""
        if self.rows is None:
            counts = [
                select(func.count().label("n")).select_from(t) for t in Base.metadata.sorted_tables
            ]
            self.rows = select(func.sum(union_all(*counts).subquery().c.n))
        with self.database.read() as session:
            rows = session.scalar(self.rows)
        places = (self.home / "files", self.home / "uploads", Path(self.paths["tmp"]))
        return int(rows), sum(len(names) for at in places for _, _, names in os.walk(at))


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, world_template: Template, pg_server: str | None
) -> Iterator[Place]:
    """A copy of the world in which everything commits: scoring, a statement under way, a round in
    preparation."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    home.mkdir()
    name = f"hostile_{os.getpid()}"
    settings = copy_of(world_template, home, pg_server, name)
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        stage = prepare(session, copy.deepcopy(world_template.world))
        spoken = stage.id_of("sitting", "presenter", "sibling")
        statement = session.scalars(select(Statement).where(Statement.sitting_id == spoken)).one()
        statement.consent_at = datetime(2012, 10, 20, tzinfo=UTC)
        round_ = make_round(session, stage.viewers["office"], "three")
        add_districts(session, stage.viewers["office"], round_)
        with_case_files(session, stage.viewers["office"], "four")
    clients: dict[str, Any] = {}
    for role, viewer in stage.viewers.items():
        with database.write() as session:
            token = accounts.open_sign_in(
                session, session.get(Account, viewer.id), agent="h", address="h", hours=9
            )
        clients[role] = app.test_client()
        with clients[role].session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
    with database.engine.begin() as connection:  # the schema is this version's: the commands ask
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))")
        )
        connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": migrate.head()})
    tmp = tmp_path_factory.mktemp("commands")
    paths = {
        "county": stage.id_of("subject", "*", "own"), "paper": stage.id_of("paper", "*", "own"), "spoken": spoken,
        "home": str(home), "tmp": str(tmp), "marks": str(VECTORS / "headless" / "marks.csv"),
        "roster": str(VECTORS / "draw" / "roster.csv"), "request": str(VECTORS / "draw" / "request.yaml"),
    }  # fmt: skip
    kept = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = settings.database_url
    yield Place(clients, paths, database, home, stage.world)
    os.environ.pop("DATABASE_URL")
    if kept is not None:
        os.environ["DATABASE_URL"] = kept
    database.dispose()
    if pg_server is not None:
        _execute(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def with_case_files(session: Any, office: Any, slug: str) -> None:
    """An open round of one county whose scheme samples case files."""
    round_ = programme.create_round(
        session, office, slug=slug, scheme_id="mlr-rule-of-law-2008", title_zh="案卷演练",
        title_en="A drill with case files", kind="drill", review_on=date(2012, 11, 12),
        rule_overrides=EXEMPTION,
    )  # fmt: skip
    programme.pin_latest(session, office, round_)
    facts = dict.fromkeys(facts_asked(round_), False)
    programme.add_subject(
        session, office, round_, region_code="110101", region_class="", class_basis="测试认定",
        facts=facts,
    )  # fmt: skip
    programme.open_round(session, office, round_)


def chosen(door: Door, file: Hostile) -> bool:
    return ALL or hashlib.sha256(f"{door.name}/{file.name}".encode()).digest()[0] % door.share == 0


def peak() -> int:
    """Bytes of memory at the highest since `forget_peak`; 0 where the system does not say."""
    status = Path("/proc/self/status")
    found = status.read_text() if status.exists() else ""
    return next((int(line.split()[1]) * 1024 for line in found.splitlines() if "VmHWM" in line), 0)


def forget_peak() -> int:
    """What is in use now, from where the highest is counted again."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 1 << 60
    return peak()


def measured(send: Callable[[], Answer]) -> tuple[Answer, float, int]:
    """(the answer, processor seconds, bytes of memory above what was in use)."""
    before, began = forget_peak(), time.process_time()
    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, 5 * SECONDS)  # one that never ends would hide all others
    try:
        answer = send()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return answer, time.process_time() - began, peak() - before


def too_long(*_: object) -> None:
    raise TimeoutError(f"not done after {5 * SECONDS:g} s of processor time")


def unclear(answer: Answer) -> str:
    """What is amiss with the words of a refusal; "" when they are fit to be read."""
    han = sum("\u4e00" <= c <= "\u9fff" for c in answer.said)
    latin = sum(c.isascii() and c.isalpha() for c in answer.said)
    if "Traceback" in answer.said:
        return "a traceback"
    if answer.language == "either":
        return "" if han >= 4 or latin >= 12 else "no words"
    if answer.language in ("zh", "both") and han < 4:
        return "no Chinese words"
    if answer.language in ("en", "both") and latin < 12:
        return "no English words"
    return ""


def faults_of(place: Place, door: Door, files: list[Hostile]) -> list[str]:
    """What went wrong at this door, a line each."""
    wrong = []
    held = place.held()
    for file in files:
        data = file.make(door.seed)
        name = "f" + hashlib.sha256(file.name.encode()).hexdigest()[:6] + ENDINGS[file.family]
        try:
            answer, seconds, memory = measured(lambda: door.send(place, name, data))  # noqa: B023
        except Exception as error:
            wrong.append(f"{file.name}: {type(error).__name__}: {str(error)[:200]}")
            continue
        now = place.held()
        if not answer.refused and not file.plain and file.name not in door.bears:
            wrong.append(f"{file.name}: taken")
        if answer.refused and now != held and not (door.notes and now[1] == held[1]):
            wrong.append(f"{file.name}: refused, yet kept: {held} {now}")
        if answer.refused and (amiss := unclear(answer)):
            wrong.append(f"{file.name}: {amiss}: {answer.said[:200]!r}")
        if seconds > SECONDS:
            wrong.append(f"{file.name}: {seconds:.1f} s")
        if memory > MEMORY:
            wrong.append(f"{file.name}: {memory >> 20} MiB")
        held = now
    return wrong


def test_there_are_over_two_hundred_and_no_two_are_called_the_same() -> None:
    assert len({file.name for file in FILES}) == len(FILES) > 400


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_refuses_what_is_hostile(place: Place, door: Door) -> None:
    offered = [f for f in FILES if f.family in door.families and chosen(door, f)]
    assert len(offered) >= 3
    found = faults_of(place, door, offered)
    assert not found, "\n" + "\n".join(found)


FORM = Path(__file__).parents[2] / "scoring_forms" / "forms" / "bj12-material.yaml"
CLEAN: dict[str, Callable[[Any], bytes]] = {
    **GOOD,
    "form": lambda seed: FORM.read_bytes().replace(b"id: bj12-material", b"id: test-material", 1),
    "rule": lambda seed: (VECTORS / "headless" / "rule.yaml").read_bytes(),
    "marks": lambda seed: (VECTORS / "headless" / "marks.csv").read_bytes(),
    "roster": lambda seed: (VECTORS / "draw" / "roster.csv").read_bytes(),
    "request": lambda seed: (VECTORS / "draw" / "request.yaml").read_bytes(),
    "things": lambda seed: "name\n甲\n乙\n丙\n".encode(),
}


def transcript(place: Place) -> bytes:
    """A draw from a spreadsheet, committed and drawn by the commands."""
    folder = Path(place.paths["tmp"]) / "transcript"
    folder.mkdir()
    roster, request = draw_files(folder)
    call("draw", "commit", roster, request, "-o", folder / "draw")
    call("draw", "run", folder / "draw", "--dice", "1 6 3 2 2")
    return (folder / "draw" / "transcript.zip").read_bytes()


def export(place: Place) -> bytes:
    """What the tablet of an expert at work gives out, signed by it."""
    app, world, key = place.clients["expert"].application, place.world, Key()
    code = code_for(app, world.people["office"], world.expert(1))
    client = app.test_client()
    answer = client.post(
        "/field/api/bind", json={"code": code, "public_key": key.public, "label": "测试平板"}
    )
    assert answer.status_code == 200, answer.text
    bound = Bound(client, key, answer.json["tablet"], answer.json["csrf"], world.expert(1))
    with place.database.read() as session:
        sitting = world.sitting(session).id
        sheet = session.scalars(select(Sheet).where(Sheet.seat_id == world.site.seats[0])).one()
        form = sheet.instrument
    tablet = VirtualTablet(bound.id, form["digest"])
    tablet.put(sitting, f"{sheet_items(form)[0]['id']}.reason", "测试理由")
    return packed(bound, tablet.logs[sitting])


def backup(place: Place) -> bytes:
    """Of a new installation, which is also the home of the drill."""
    file = Path(place.paths["tmp"]) / "clean.mjb"
    with closing(installation.create(place.paths["second"])) as parts:
        write_backup(parts, file)
    data = file.read_bytes()
    file.unlink()
    return data


MADE: dict[str, Callable[[Place], bytes]] = {
    "transcript": transcript, "export": export, "backup": backup,
}  # fmt: skip
# Whose clean file takes a whole round to make: the test that brings one.
ELSEWHERE = {"mingjian round verify": "tests/report/test_archive.py::test_the_command"}


def test_every_door_has_a_clean_file_as_its_control() -> None:
    assert {d.name for d in DOORS if not d.good} == set(ELSEWHERE)
    for place_of in ELSEWHERE.values():
        file, _, name = place_of.partition("::")
        assert f"def {name}(" in (Path(__file__).parents[2] / file).read_text("utf-8")
    assert {family for d in DOORS for family in d.good} <= CLEAN.keys() | MADE.keys()


@pytest.mark.parametrize("door", [d for d in DOORS if d.good], ids=lambda door: door.name)
def test_a_clean_file_comes_in_at_every_door(
    place: Place, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a door that refuses everything would pass for a guarded one."""
    for family in door.good:
        if family == "backup":  # into an installation of its own, on SQLite
            monkeypatch.delenv("DATABASE_URL")
            own = f"{place.paths['tmp']}/of{door.name[-5:]}"
            monkeypatch.setitem(place.paths, "second", own)
            monkeypatch.setitem(place.paths, "home", own)
        data = MADE[family](place) if family in MADE else CLEAN[family](door.seed)
        if family == "pdf":  # the same document twice is no news
            data += b"% " + door.name.encode() + b"\n"
        if door.name == "score rule":
            data = place.clients["office"].get("/r/three/score-rule.yaml").data
        ending = ENDINGS.get(family, ".yaml")
        answer = door.send(place, f"clean{ending}", data)
        assert not answer.refused, f"{family}: {answer.said[:400]}"


def test_a_formula_is_text_on_its_way_in_and_out(place: Place) -> None:
    """What a spreadsheet would run, entered with the experts, stands in the exported pool letter for letter,
    as a text cell that stays text when it is edited."""
    door = next(d for d in DOORS if d.name == "experts")
    meant = {
        f"虚拟式样{chr(0x4E00 + n)}": t for n, t in enumerate(FORMULAS.values()) if len(t) < 100
    }
    rows = [list(door.seed.heads)]
    for name, formula in meant.items():
        rows.append(door.seed.with_cell(formula))
        rows[-1][0] = name
    with place.database.write() as session:
        report = import_experts(
            session, None, table_csv(rows), "x.csv", dry_run=False, new_employers=True
        )
    assert (report.problems, report.created) == ([], len(meant))
    with place.clients["keeper"].get("/pool/export.xlsx") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
    shown = {row[2].value: row[4] for row in book.worksheets[0].iter_rows(min_row=2)}
    cells = {name: shown[name] for name in meant}
    assert {cell.data_type for cell in cells.values()} == {"s"}
    assert all(cell.quotePrefix for cell in cells.values())
    # What has no full-width sign, blank or invisible character comes out letter for letter.
    kept = {name: t for name, t in meant.items() if t.isprintable() and t == normalise(t)}
    assert {name: cells[name].value for name in kept} == kept
    assert {"=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0"} <= set(kept.values())


def test_what_goes_wrong_at_a_door_is_found(place: Place) -> None:
    """Doors that take everything, say nothing, answer late, keep what they refuse, or fall over."""
    files = [next(f for f in FILES if f.name == "wrong: noise")]

    def found(send: Callable[[Any, str, bytes], Answer]) -> str:
        return " ".join(faults_of(place, Door("planted", None, ("wrong",), send), files))

    def late(at: Any, name: str, data: bytes) -> Answer:
        until = time.process_time() + SECONDS + 0.1
        while time.process_time() < until:
            pass
        return Answer(True, "没有接收 it was not taken")

    def greedy(at: Any, name: str, data: bytes) -> Answer:
        assert len(bytearray(MEMORY + (64 << 20))) > MEMORY
        return Answer(True, "没有接收 it was not taken")

    def keeps(at: Any, name: str, data: bytes) -> Answer:
        (at.home / "files" / "left").write_bytes(data)
        return Answer(True, "没有接收 it was not taken")

    def falls(at: Any, name: str, data: bytes) -> Answer:
        raise ZeroDivisionError

    assert found(lambda *_: Answer(True, "没有接收 it was not taken")) == ""
    assert "taken" in found(lambda *_: Answer(False, ""))
    assert "no Chinese" in found(lambda *_: Answer(True, "it was not taken at all"))
    assert "no English" in found(lambda *_: Answer(True, "没有接收这个文件"))
    assert "traceback" in found(lambda *_: Answer(True, "Traceback (most recent call last)"))
    assert "2.1 s" in found(late) or "2.2 s" in found(late)
    assert "kept" in found(keeps)
    assert "ZeroDivision" in found(falls)
    assert not peak() or "MiB" in found(greedy)
