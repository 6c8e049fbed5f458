"""Accounts of the exercise, created the way an office would: administrator first, roles apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import operations as accounts
from app.accounts import queries
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.exercise.county import DISTRICTS, District
from app.installation import Installation
from app.registry.models import Expert

Row = TypeVar("Row")
Held = TypeVar("Held", covariant=True)
PASSWORD = "yanlian-2012-demo"
STAFF = (
    ("admin", "admin", "何拟管一"),
    ("supervisor", "supervisor", "陈拟监一"),
    ("office", "office", "李拟办一"),
    ("office2", "office", "王拟办二"),
    ("keeper", "keeper", "褚拟库一"),
    ("keeper2", "keeper", "卫拟库二"),
)


@dataclass
class Crew:
    """Who acts: viewers by login, and the viewers of experts by expert id."""

    staff: dict[str, Viewer] = field(default_factory=dict)
    experts: dict[str, Viewer] = field(default_factory=dict)
    hashed: str = ""

    def __getitem__(self, login: str) -> Viewer:
        return self.staff[login]

    def presenter(self, code: str) -> Viewer:
        return self.staff[f"presenter-{code}"]


class Rows(Sized, Iterable[Held], Protocol[Held]):
    """What is worked through one by one: its number is known beforehand."""


class Watch(Protocol):
    """Hands on what it is given one by one, and may tell how far it has come."""

    def __call__(self, what: str, rows: Rows[Row], /) -> Iterable[Row]: ...


def unwatched(what: str, rows: Rows[Row], /) -> Iterable[Row]:
    """The rows as they are; nobody is told."""
    return rows


@dataclass
class Stage:
    """Where the exercise is played: the installation, its people, its counties, and who hears of
    each step. `reserved` is added to the numbers of invented people who are no ordinary experts."""

    parts: Installation
    crew: Crew
    step: Callable[[str], None]
    districts: tuple[District, ...] = DISTRICTS
    reserved: int = 0
    each: Watch = unwatched

    @cached_property
    def by_code(self) -> dict[str, District]:
        """What the exercise invents about a county, by its code."""
        return {district.code: district for district in self.districts}

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One write transaction."""
        with self.parts.database.write() as session:
            yield session


def _open(
    session: Session, crew: Crew, actor: Viewer | None, login: str, role: str, person: Person
) -> Viewer:
    account = accounts.create_account(
        session, actor, person=person, login=login, password_hash=crew.hashed, role=role
    )
    viewer = queries.viewer_of(session, account)
    assert viewer is not None
    return viewer


def hire(stage: Stage) -> None:
    """Staff and presenters. The system names the first administrator, he the first supervisor and
    the rest, the office its presenters."""
    crew = stage.crew
    crew.hashed = accounts.hash_password(PASSWORD)
    with stage.write() as session:
        for login, role, name in STAFF:
            actor = crew.staff.get("admin")
            crew.staff[login] = _open(session, crew, actor, login, role, Person(name=name))
        for district in stage.each("presenters", stage.districts):
            person = Person(name=district.presenter)
            crew.staff[district.login] = _open(
                session, crew, crew["office"], district.login, "presenter", person
            )


def enlist(session: Session, crew: Crew, expert: Expert) -> Viewer:
    """The account of a seated expert, made by the pool keeper when there is none; the login is the
    expert's number."""
    if expert.id not in crew.experts:
        held = session.scalar(select(Account).where(Account.person_id == expert.person_id))
        viewer = queries.viewer_of(session, held) if held else None
        crew.experts[expert.id] = viewer or _open(
            session, crew, crew["keeper"], expert.number.lower(), "expert", expert.person
        )
    return crew.experts[expert.id]


def one_time_link(stage: Stage, viewer: Viewer) -> str:
    """A QR link that signs in an expert or presenter once, valid for a day."""
    with stage.write() as session:
        token = accounts.invite(
            session, None, purpose="enter", person_id=viewer.person_id, valid=timedelta(days=1)
        )
    return f"{stage.parts.settings.public_url}/enter/{token}"


def today(stage: Stage) -> str:
    """The calendar date in the office's zone, as it is printed."""
    return clock.today(stage.parts.settings.timezone).isoformat()
