"""A small real round carried through its own operations up to the closed sittings.

Six districts in two classes, a desk and a site panel of seven plainly invented experts. Only the draw
is written straight into its tables: it has tests of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from app import keys
from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.accounts.viewer import Viewer
from app.aggregation import corrections, queries
from app.aggregation.inputs import collect
from app.aggregation.models_corrections import MarkCorrection
from app.config import Settings
from app.db import Database
from app.directory.models import Person
from app.domain.scoring.sheets import sheet_items
from app.draw.models import Draw, Seat
from app.files.store import Store
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.panel.declarations import CONFLICTS
from app.panel.models import Panel, Sitting
from app.programme import operations as programme
from app.programme import queries as programme_queries
from app.programme.models import Round, Subject
from app.registry.models import Expert
from app.scoring import operations as scoring
from tests.conftest import Make
from tests.programme.conftest import add_districts, add_regions, fill_figures, make_round

NOW = datetime(2012, 11, 6, 1, 0, tzinfo=UTC)


@dataclass
class Scored:
    """The round and everybody in it."""

    round: Round
    office: Viewer
    second: Viewer
    supervisor: Viewer
    presenter: Viewer
    admin: Viewer
    subjects: dict[str, Subject]
    experts: list[tuple[Expert, Viewer]]
    panels: dict[str, Panel] = field(default_factory=dict)

    def viewer_of(self, seat: Seat) -> Viewer:
        return next(v for e, v in self.experts if e.id == seat.expert_id)


def prepared(session: Session, make: Any) -> Scored:
    """Open round, figures confirmed, everybody qualified, both panels formed and declared."""
    people = {r: make.viewer(session, r) for r in ("office", "supervisor", "presenter", "admin")}
    second = make.viewer(session, "office", "second-office")
    add_regions(session)
    round_ = make_round(session, people["office"])
    districts = add_districts(session, people["office"], round_)
    programme.set_presenter(
        session,
        people["office"],
        districts["海淀区"],
        session.get_one(Person, people["presenter"].person_id),
    )
    programme.open_round(session, people["office"], round_)
    fill_figures(session, people["office"], second, round_)
    for subject in districts.values():
        for entry in programme_queries.subject_state(session, subject).items:
            programme.record_opinion(
                session, people["office"], subject, entry.item["id"], "测试审查处", "pass", (),
                reason="未发现", evidence="测试案卷", signer="测试签署人",
            )  # fmt: skip
        programme.conclude_qualification(session, people["office"], subject)
    made = Scored(
        round_, people["office"], second, people["supervisor"], people["presenter"],
        people["admin"], districts, [expert(session, make, n) for n in range(1, 10)],
    )  # fmt: skip
    for stage, members in (("desk", made.experts[:7]), ("site", made.experts[2:])):
        made.panels[stage] = _panel(session, made, stage, members)
    return made


def expert(session: Session, make: Any, number: int) -> tuple[Expert, Viewer]:
    viewer = make.viewer(session, "expert", f"expert-{number}")
    row = Expert(
        person_id=viewer.person_id, number=f"E{number:04d}", status="active", kind="technical",
        discipline=("land", "planning", "minerals")[number % 3], source="institute",
        title="研究员", title_rank=4,
    )  # fmt: skip
    session.add(row)
    append(session, None, "test.expert")
    return row, viewer


def _panel(
    session: Session, made: Scored, stage: str, members: list[tuple[Expert, Viewer]],
    only: tuple[Subject, ...] = (),
) -> Panel:  # fmt: skip
    subjects = [s.id for s in only or made.round.subjects]
    draw = Draw(
        round_id=made.round.id, stage=stage, kind="drill", purpose_key=f"{stage}" * 4, attempt=1,
        state="completed",
        request={
            "panels": [
                {"id": "P1", "seats": len(members), "subjects": subjects, "dates": ["2012-11-06"]}
            ]
        },
        commitment_hash=hashlib.sha256(stage.encode()).hexdigest(),
        transcript_sha256=hashlib.sha256(b"t" + stage.encode()).hexdigest(),
        created_at=NOW, drawn_at=NOW,
    )  # fmt: skip
    session.add(draw)
    session.flush()
    for number, (row, _) in enumerate(members, 1):
        session.add(
            Seat(
                draw_id=draw.id,
                panel="P1",
                number=number,
                expert_id=row.id,
                ticket=hashlib.sha256(row.id.encode()).hexdigest(),
                state="confirmed",
                changed_at=NOW,
            )  # fmt: skip
        )
    append(session, None, "test.draw")
    (panel,) = panels.form_panels(session, made.office, draw=draw)
    seats = panel_queries.seats(session, panel)
    panels.set_leader(session, made.office, panel=panel, seat=seats[0])
    for seat in seats:
        viewer = made.viewer_of(seat)
        for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
            panels.sign_declaration(
                session, viewer, panel=panel, kind=kind, answers=answers, signed_name=viewer.name
            )
    return panel


def run_sitting(
    session: Session, made: Scored, sitting: Sitting, *, absent: tuple[int, ...] = (),
    recused: tuple[int, ...] = (), close: bool = True, shift: Decimal = Decimal(0),
) -> None:  # fmt: skip
    """One sitting from its opening to its end; every seat seals, is absent or recused."""
    panels.schedule(session, made.office, sitting=sitting, on=date(2012, 11, 6), place="测试会议室")
    panels.open_sitting(session, made.office, sitting=sitting)
    seats = panel_queries.seats(session, sitting.panel)
    for seat in seats:
        panels.sign_in(session, made.office, sitting=sitting, seat=seat)
    if sitting.with_statement:
        panels.open_statement(
            session, made.office, sitting=sitting, presenter_name="测试陈述人",
            presenter_post="副区长",
        )  # fmt: skip
        statement = panels.record_statement(
            session, made.office, sitting=sitting, outline="节约集约用地情况", questions="问答若干",
            version=1,
        )  # fmt: skip
        assert statement.version == 2
        panels.close_statement(session, made.office, sitting=sitting, unconfirmed="absent")
    panels.open_scoring(session, made.office, sitting=sitting)
    for seat in seats:
        viewer = made.viewer_of(seat)
        if seat.number in absent:
            scoring.mark_absent(
                session, made.office, sitting=sitting, seat=seat, reason="当日请病假"
            )
        elif seat.number in recused:
            scoring.recuse(session, viewer, sitting=sitting, reason="曾任该区顾问")
        else:
            fill(session, viewer, sitting, seat.number, shift)
    if close:
        scoring.close_scoring(session, made.office, sitting=sitting)


def fill(
    session: Session, viewer: Viewer, sitting: Sitting, number: int, shift: Decimal = Decimal(0)
) -> None:
    """Fill in and seal a sheet: the county's level, the expert's severity, a little of each."""
    sheet = scoring.start_sheet(session, viewer, sitting=sitting)
    changes: dict[str, Any] = {}
    for item in sheet_items(sheet.instrument):
        if not item["applies"]:
            continue
        seed = hashlib.sha256(
            f"{sitting.subject.region_code}{sitting.panel.stage}{number}{item['id']}".encode()
        ).digest()
        if (sitting.panel.stage, sitting.position, number) == ("site", 5, 2):
            shift = Decimal("-0.35")  # one expert far below the others: to be pointed out
        level = Decimal(52 + 4 * sitting.position + number % 3 * 4 + seed[0] % 19) / 100 + shift
        changes |= _answer(item, max(min(level, Decimal(1)), Decimal(0)))
    sheet = scoring.save_draft(session, viewer, sheet=sheet, changes=changes, version=0)
    scoring.seal(session, viewer, sheet=sheet, version=sheet.version, signed_name=viewer.name)


def _answer(item: dict[str, Any], level: Decimal) -> dict[str, Any]:
    name, scale = item["id"], item["scale"]
    made: dict[str, Any] = {f"{name}.reason": "测试依据"}
    match scale["type"]:
        case "grade" | "points":
            step = Decimal(scale["step"])
            made[f"{name}.mark"] = format(Decimal(item["max"]) * level // step * step, "f")
        case "checklist":
            ticks = [row["id"] for row in scale["items"]]
            made[f"{name}.ticks"] = ticks[: round(len(ticks) * level)]
        case "deduct":
            made[f"{name}.cases"] = str(int((1 - level) * 10))
        case "bands":
            made[f"{name}.figure.sample_n"] = "20"
            made[f"{name}.figure.sample_ok"] = str(18 + int(level * 100) % 3)
        case other:
            raise AssertionError(other)
    return made


def scored(session: Session, make: Any) -> Scored:
    """The whole round: one absence, one recusal, every sitting closed."""
    made = prepared(session, make)
    for stage, panel in made.panels.items():
        session.refresh(panel)
        for sitting in panel.sittings:
            gone = {2: {"recused": (3,)}, 4: {"absent": (5,)}} if stage == "desk" else {}
            run_sitting(session, made, sitting, **gone.get(sitting.position, {}))
    return made


def reload(session: Session) -> Scored:
    """The people and things of a stored `scored` round, read again."""
    accounts = {row.login: row for row in session.scalars(select(Account))}

    def who(start: str) -> Viewer:
        row = next(a for login, a in sorted(accounts.items()) if login.startswith(start))
        viewer = viewer_of(session, row)
        assert viewer is not None
        return viewer

    round_ = session.scalar(select(Round))
    assert round_ is not None
    experts = [
        (
            session.scalars(select(Expert).where(Expert.number == f"E{n:04d}")).one(),
            who(f"expert-{n}"),
        )
        for n in range(1, 10)
    ]
    return Scored(
        round_, who("office"), who("second-office"), who("supervisor"), who("presenter"),
        who("admin"), {s.name_zh: s for s in round_.subjects}, experts,
        {p.stage: p for p in session.scalars(select(Panel))},
    )  # fmt: skip


_templates: dict[str, tuple[Path, str]] = {}


def template(factory: Any, pg_server: str | None, schema: str) -> tuple[Path, str]:
    """(home, database) of the installation with the scored round: built once in a process."""
    if "scored" not in _templates:
        _templates["scored"] = _build(factory.mktemp("scored") / "home", pg_server, schema)
    return _templates["scored"]


def installation(
    tmp_path: Path, factory: Any, pg_server: str | None, schema: str
) -> Iterator[Settings]:
    """A fresh installation with the scored round in it."""
    model, name = template(factory, pg_server, schema)
    home = tmp_path / "home"
    shutil.copytree(model, home)
    if pg_server is None:
        yield Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}")
        return
    own = f"test_{os.getpid()}_{abs(hash(str(tmp_path))) % 10**10}"
    _statement(pg_server, f"CREATE DATABASE {own} TEMPLATE {name}")
    yield Settings(home=home, database_url=pg_server.replace("/postgres?", f"/{own}?"))
    _statement(pg_server, f"DROP DATABASE {own} WITH (FORCE)")


def _build(home: Path, pg_server: str | None, schema: str) -> tuple[Path, str]:
    home.mkdir()
    keys.create(home / "keys")
    name = f"scored_{os.getpid()}"
    if pg_server is None:
        shutil.copy(schema, home / "mingjian.db")
        url = f"sqlite:///{home / 'mingjian.db'}"
    else:
        _statement(pg_server, f"CREATE DATABASE {name} TEMPLATE {schema}")
        url = pg_server.replace("/postgres?", f"/{name}?")
    settings = Settings(home=home, database_url=url)
    ring = keys.load(settings.keys)
    database = Database(url, keys=ring, settings=settings, store=Store(settings.files))
    with database.write() as session:
        scored(session, Make())
    if pg_server is None:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return home, name


def _statement(url: str, words: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(words))
    engine.dispose()


def corrected(session: Session, made: Scored, cause: str = "adding") -> list[MarkCorrection]:
    """Confirmed corrections of every county whose marks differ from those of the last run."""
    last = queries.last_run(session, made.round)
    assert last is not None
    single, scales = corrections.touched(last.inputs, collect(session, made.round))
    codes = single | {min(scale) for scale in scales if not scale & single}
    rows = []
    for subject in made.round.subjects:
        if subject.region_code in codes:
            row = corrections.ask(
                session, made.office, round=made.round, subject_id=subject.id, cause=cause,
                reason="核对原始记录后更正",
            )  # fmt: skip
            corrections.confirm(session, made.supervisor, row=row)
            rows.append(row)
    return rows
