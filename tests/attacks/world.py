"""A small invented world, built once and copied for each test: two rounds, three panels.

Round `one` (six districts of Beijing) has a site panel (seats 1-7, statements) and a desk panel
(other experts); round `two` has a site panel of its own. Draws are written down as results: the
draw itself is tested elsewhere.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from app import keys as key_files
from app.accounts import operations as accounts
from app.accounts import queries as account_queries
from app.accounts.viewer import Viewer
from app.config import Settings
from app.db import Database
from app.directory.models import Person
from app.draw import operations as draws
from app.draw.models import Seat
from app.files.store import Store
from app.ledger.append import append
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.panel.models import Panel, Sitting
from app.programme import operations as programme
from app.programme.models import Round, Subject
from app.registry.models import Expert
from app.scoring import operations as scoring
from tests.conftest import HASH
from tests.programme.conftest import PDF, add_districts, add_regions, make_round

STAFF = ("office", "keeper", "supervisor", "admin")
COUNTIES = ("东城区", "海淀区", "丰台区", "顺义区")  # no panel sits on the fourth
SEATS = 7
BEGAN = datetime(2012, 10, 20, tzinfo=UTC)


@dataclass
class PanelIds:
    """One panel: ids, and the experts in seat order as viewers."""

    id: str
    draw_id: str
    seats: list[str]
    experts: list[Viewer]
    sittings: list[str]


@dataclass
class World:
    """Ids and viewers of everything that was built."""

    slug: str = "one"
    other_slug: str = "two"
    people: dict[str, Viewer] = field(default_factory=dict)
    presenters: list[Viewer] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    site: PanelIds = field(default_factory=lambda: PanelIds("", "", [], [], []))
    desk: PanelIds = field(default_factory=lambda: PanelIds("", "", [], [], []))
    other: PanelIds = field(default_factory=lambda: PanelIds("", "", [], [], []))
    other_subjects: list[str] = field(default_factory=list)

    def sitting(self, session: Session, position: int = 0) -> Sitting:
        return session.get_one(Sitting, self.site.sittings[position])

    def panel(self, session: Session) -> Panel:
        return session.get_one(Panel, self.site.id)

    def seat(self, session: Session, number: int) -> Seat:
        """Seat `number` (from 1) of the site panel."""
        return session.get_one(Seat, self.site.seats[number - 1])

    def expert(self, number: int) -> Viewer:
        return self.site.experts[number - 1]


def account(session: Session, person: Person, login: str, role: str) -> Viewer:
    made = accounts.create_account(
        session, None, person=person, login=login, password_hash=HASH, role=role
    )
    viewer = account_queries.viewer_of(session, made)
    assert viewer is not None
    return viewer


def expert(session: Session, number: int) -> tuple[Expert, Viewer]:
    person = Person(name=f"虚拟专家{number:02d}")
    viewer = account(session, person, f"expert{number:02d}", "expert")
    row = Expert(
        person_id=person.id, number=f"E{number:04d}", status="active", kind="technical",
        discipline="land", source="institute", title="研究员", title_rank=4, career_start=1990,
        region_code="420102", nominated_by="测试单位", consent_at=BEGAN,
        screening_document="测试", verified_on=BEGAN.date(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.expert")
    return row, viewer


def seated(
    session: Session, office: Viewer, round_: Round, stage: str, subjects: list[Subject], first: int
) -> PanelIds:
    """A completed draw of SEATS experts numbered from `first`, its panel and its sittings."""
    draw = draws.request_draw(
        session, office, round=round_, stage=stage, subject_ids=[s.id for s in subjects],
        panels=[{"id": "P1", "seats": SEATS}],
    )  # fmt: skip
    draw.state, draw.drawn_at = "completed", BEGAN
    experts, rows = [], []
    for number in range(1, SEATS + 1):
        row, viewer = expert(session, first + number)
        seat = Seat(
            draw_id=draw.id, panel="P1", number=number, expert_id=row.id, ticket="0" * 64,
            state="confirmed", changed_at=BEGAN,
        )  # fmt: skip
        session.add(seat)
        experts.append(viewer)
        rows.append(seat)
    session.flush()
    append(session, None, "test.draw")
    (panel,) = panels.form_panels(session, None, draw=draw)
    session.flush()
    sittings = session.scalars(
        select(Sitting.id).where(Sitting.panel_id == panel.id).order_by(Sitting.position)
    )
    return PanelIds(panel.id, draw.id, [s.id for s in rows], experts, list(sittings))


def build(session: Session) -> World:
    """Everything, in one transaction."""
    world = World()
    for role in STAFF:
        world.people[role] = account(session, Person(name=f"虚拟{role}"), role, role)
    world.people["office2"] = account(session, Person(name="虚拟办公室乙"), "office2", "office")
    office = world.people["office"]
    add_regions(session)
    for slug in (world.slug, world.other_slug):
        round_ = make_round(session, office, slug)
        subjects = add_districts(session, office, round_)
        programme.open_round(session, office, round_)
        for name in COUNTIES[: 4 if slug == world.slug else 1]:
            person = Person(name=f"虚拟陈述{slug}{name}")
            viewer = account(session, person, f"presenter-{len(world.presenters)}", "presenter")
            programme.set_presenter(session, office, subjects[name], person)
            row = programme.upload_material(
                session, viewer, subjects[name], PDF + slug.encode(), f"{name}.pdf", ("C1",)
            )
            world.presenters.append(viewer)
            world.materials.append(row.id)
        chosen = [subjects[name] for name in COUNTIES[:3]]
        if slug == world.slug:
            world.subjects = [s.id for s in chosen]
            world.site = seated(session, office, round_, "site", chosen, 0)
            world.desk = seated(session, office, round_, "desk", chosen, 20)
        else:
            world.other_subjects = [s.id for s in chosen]
            world.other = seated(session, office, round_, "site", chosen, 40)
    return world


# ---------- steps, each through the operations


def declare(session: Session, world: World, ids: PanelIds | None = None) -> None:
    """Both declarations of every member."""
    ids = ids or world.site
    panel = session.get_one(Panel, ids.id)
    for viewer in ids.experts:
        for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
            panels.sign_declaration(
                session, viewer, panel=panel, kind=kind, answers=answers, signed_name=viewer.name
            )


def gather(
    session: Session, world: World, position: int = 0, ids: PanelIds | None = None
) -> Sitting:
    """The sitting opened, everybody signed in."""
    ids = ids or world.site
    sitting = session.get_one(Sitting, ids.sittings[position])
    panels.open_sitting(session, world.people["office"], sitting=sitting)
    for seat_id, viewer in zip(ids.seats, ids.experts, strict=True):
        panels.sign_in(session, viewer, sitting=sitting, seat=session.get_one(Seat, seat_id))
    return sitting


def speak(session: Session, world: World, sitting: Sitting, *, close: bool = True) -> None:
    """The statement: opened, recorded, and closed with the county's confirmation."""
    office = world.people["office"]
    panels.open_statement(
        session, office, sitting=sitting, presenter_name="虚拟陈述", presenter_post="虚构职务"
    )
    panels.record_statement(
        session, office, sitting=sitting, outline="虚构陈述提纲", questions="问答", version=1
    )
    if close:
        speaks = sitting.subject.presenter_id
        presenter = next(p for p in world.presenters if p.person_id == speaks)
        panels.confirm_statement(session, presenter, sitting=sitting)
        panels.close_statement(session, office, sitting=sitting)


def to_scoring(session: Session, world: World, position: int = 0) -> Sitting:
    """The site panel's sitting with scoring open."""
    if position == 0:
        declare(session, world)
    sitting = gather(session, world, position)
    speak(session, world, sitting)
    panels.open_scoring(session, world.people["office"], sitting=sitting)
    return sitting


def complete_marks(items: list[dict[str, Any]], low: bool = False) -> dict[str, Any]:
    """Something valid for every item that applies: near the top, or (low) near the bottom."""
    typed: dict[str, Any] = {}
    for item in items:
        if not item["applies"]:
            continue
        scale = item["scale"]
        match scale["type"]:
            case "points" | "grade":
                given = {"mark": item["min"] if low else item["max"]}
            case "checklist":
                ids = [row["id"] for row in scale["items"]]
                given = {"none": "on"} if low else {"ticks": ids}
            case "deduct":
                given = {"cases": "1" if low else "0"}
            case "checklist_deduct":
                given = {"ticks": [], "cases": "1" if low else "0"}
            case "passfail" | "passfail_points":
                given = {"pass": "no" if low else "yes"}
            case "grade_table":
                given = {"grade": scale["table"][-1 if low else 0]["id"]}
            case _:
                given = {f"figure.{f['name']}": "18" if low else "20" for f in scale["figures"]}
        given["reason"] = "虚构理由：佐证不足，测试。" if low else ""
        for part, value in given.items():
            typed[f"{item['id']}.{part}"] = value
    return typed


def sealed_sheet(session: Session, sitting: Sitting, viewer: Viewer, *, low: bool = False) -> Any:
    """A sheet begun, filled and sealed."""
    from app.domain.scoring.sheets import sheet_items

    sheet = scoring.start_sheet(session, viewer, sitting=sitting)
    scoring.save_draft(
        session, viewer, sheet=sheet, changes=complete_marks(sheet_items(sheet.instrument), low),
        version=sheet.version,
    )  # fmt: skip
    return scoring.seal(
        session, viewer, sheet=sheet, version=sheet.version, signed_name=viewer.name
    )


# ---------- fixtures: import them in a conftest


@dataclass(frozen=True)
class Template:
    home: Path
    source: str  # SQLite file, or name of a PostgreSQL database
    world: World


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _copied(pg_server: str | None, source: str, home: Path, name: str) -> str:
    """The URL of a copy of a database."""
    if pg_server is None:
        shutil.copy(source, home / "mingjian.db")
        return f"sqlite:///{home / 'mingjian.db'}"
    _execute(pg_server, f"CREATE DATABASE {name} TEMPLATE {source}")
    return pg_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def world_template(
    tmp_path_factory: pytest.TempPathFactory, schema: str, pg_server: str | None
) -> Template:
    """The world, built once for each directory of tests that asks for it."""
    home = tmp_path_factory.mktemp("world")
    name = f"world_{os.getpid()}_{home.name}".replace("-", "_")
    url = _copied(pg_server, schema, home, name)
    ring = key_files.create(home / "keys")
    settings = Settings(home=home, database_url=url)
    made = Database(url, keys=ring, settings=settings, store=Store(settings.files))
    with made.write() as session:
        world = build(session)
    if pg_server is None:
        with made.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.dispose()
    return Template(home, name if pg_server else str(home / "mingjian.db"), world)


def copy_of(template: Template, home: Path, pg_server: str | None, name: str) -> Settings:
    """An installation of its own, with everything that the template has."""
    shutil.copytree(template.home / "keys", home / "keys")
    shutil.copytree(template.home / "files", home / "files")
    return Settings(home=home, database_url=_copied(pg_server, template.source, home, name))


@pytest.fixture
def settings(tmp_path: Path, world_template: Template, pg_server: str | None) -> Iterator[Settings]:
    """Takes the place of the suite's empty installation."""
    home = tmp_path / "home"
    home.mkdir()
    name = f"copy_{os.getpid()}_{abs(hash(str(tmp_path))) % 10**10}"
    yield copy_of(world_template, home, pg_server, name)
    if pg_server is not None:
        _execute(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def world(world_template: Template) -> World:
    return copy.deepcopy(world_template.world)
