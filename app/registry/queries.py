"""Reading the pool. Keeper, office and supervisor see all of it; an expert himself alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.directory.models import Employment, Organisation, Person
from app.directory.queries import PAGE_SIZE, Page, birth_date, like, paged
from app.domain.types import DomainError, NotFound, Text
from app.keys import Keys
from app.registry.messages import (
    NO_INTEREST,
    NO_NUMBER,
    NO_SUCH,
    SAME_BIRTH,
    SAME_NAME,
    SAME_PHONE,
)
from app.registry.models import CountyTie, Expert, Interest, Screening

READERS = ("keeper", "office", "supervisor")
# "E9999" comes before "E10000": numbers sort by length first.
_NUMBER = (func.length(Expert.number), Expert.number)
SORTS: dict[str, tuple[Any, ...]] = {
    "number": _NUMBER,
    "name": (Person.name,),
    "discipline": (Expert.discipline,),
    "source": (Expert.source,),
    "title": (Expert.title_rank,),
    "status": (Expert.status,),
    "region": (Expert.region_code,),
    "review": (Expert.review_due,),
}


def experts(
    session: Session,
    viewer: Viewer,
    *,
    search: str = "",
    status: str = "",
    discipline: str = "",
    source: str = "",
    region: str = "",
    sort: str = "number",
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[Expert]:
    """The pool, filtered; four statements whatever the rows, employers loaded.

    `search` fits a name, a number (E0001) or the present employer; `region` is a code whose
    level decides how much of it counts (610000: the province); `sort` one of SORTS, "-" reverses.
    """
    viewer.require(*READERS)
    query = _filtered(search, status, discipline, source, region)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    columns = SORTS.get(sort.removeprefix("-"), _NUMBER)
    order = [column.desc() if sort.startswith("-") else column for column in columns]
    query = query.order_by(*order, Expert.id).options(
        selectinload(Expert.person)
        .selectinload(Person.employments)
        .joinedload(Employment.organisation)
    )
    return paged(session, query, total, page, size)


def _filtered(search: str, status: str, discipline: str, source: str, region: str) -> Select[Any]:
    query = select(Expert).join(Person, Person.id == Expert.person_id)
    for column, value in (
        (Expert.status, status),
        (Expert.discipline, discipline),
        (Expert.source, source),
    ):
        if value:
            query = query.where(column == value)
    if region:
        stem = (
            region[:2]
            if region.endswith("0000")
            else region[:4]
            if region.endswith("00")
            else region
        )
        query = query.where(Expert.region_code.startswith(stem, autoescape=True))
    if term := search.strip():
        employer = (
            select(Employment.person_id)
            .join(Organisation, Organisation.id == Employment.organisation_id)
            .where(Organisation.name.like(like(term), escape="\\"), Employment.until.is_(None))
        )
        query = query.where(
            or_(
                Person.name.like(like(term), escape="\\"),
                Expert.number == term.upper(),
                Expert.person_id.in_(employer),
            )
        )
    return query


def every_expert(session: Session, viewer: Viewer) -> list[Expert]:
    """The whole pool in number order with posts, for an export."""
    viewer.require(*READERS)
    return list(
        session.scalars(
            select(Expert)
            .order_by(*_NUMBER)
            .options(
                selectinload(Expert.person)
                .selectinload(Person.employments)
                .joinedload(Employment.organisation)
            )
        )
    )


_WHOLE = (
    selectinload(Expert.screenings),
    selectinload(Expert.sanctions),
    selectinload(Expert.interests).joinedload(Interest.organisation),
    selectinload(Expert.interests).joinedload(Interest.head),
    selectinload(Expert.residences),
    selectinload(Expert.tie_statements),
    selectinload(Expert.absences),
    joinedload(Expert.person).selectinload(Person.employments).joinedload(Employment.organisation),
)


def expert(session: Session, viewer: Viewer, expert_id: str) -> Expert:
    """One expert with everything that hangs on him; NotFound for strangers and unknown ids."""
    row = session.scalar(select(Expert).where(Expert.id == expert_id).options(*_WHOLE))
    own = row is not None and viewer.role == "expert" and row.person_id == viewer.person_id
    if row is None or not (own or viewer.role in READERS):
        raise NotFound(NO_SUCH)
    return row


def expert_numbered(session: Session, viewer: Viewer, number: str, field: str) -> Expert:
    """The expert of this number (E0001), for staff who type it; DomainError for `field`."""
    viewer.require(*READERS)
    row = session.scalar(select(Expert).where(Expert.number == number.strip().upper()))
    if row is None:
        raise DomainError(NO_NUMBER.format(value=number.strip()), field=field)
    return row


def own_expert(session: Session, viewer: Viewer) -> Expert:
    """The viewer's own record as an expert; NotFound when he is none."""
    row = session.scalar(
        select(Expert).where(Expert.person_id == viewer.person_id).options(*_WHOLE)
    )
    if row is None or viewer.role != "expert":
        raise NotFound(NO_SUCH)
    return row


def expert_of_person(session: Session, person_id: str) -> Expert | None:
    """The expert behind a person, if any; for operations."""
    return session.scalar(select(Expert).where(Expert.person_id == person_id))


def heirs(session: Session) -> dict[str, str]:
    """Merged record -> the one that stands for it now, both as expert ids."""
    rows = select(Expert.id, Expert.merged_into).where(Expert.merged_into.is_not(None))
    direct = {key: str(into) for key, into in session.execute(rows)}

    def last(key: str) -> str:
        while key in direct:
            key = direct[key]
        return key

    return {key: last(into) for key, into in direct.items()}


_NAMESAKES = 300  # of one name or phone that are compared with each other


@dataclass(frozen=True)
class Twins:
    """Two records that may be one person, and what says so."""

    one: Expert
    two: Expert
    why: tuple[Text, ...]


def likely_duplicates(session: Session, viewer: Viewer) -> list[Twins]:
    """Pairs of records with one phone, or with one name and one birth date or employer; not those with
    two identity numbers. Five statements, whatever the pool. (Two records never share an identity
    number: the second is refused.)"""
    viewer.require("keeper")
    alone = Expert.merged_into.is_(None)
    groups = []
    for column in (Person.phone_index, Person.name):
        often = (
            select(column)
            .join(Expert, Expert.person_id == Person.id)
            .where(alone, column.is_not(None))
            .group_by(column)
            .having(func.count() > 1)
        )
        groups.append(column.in_(often))
    rows = session.scalars(
        select(Expert)
        .join(Person, Person.id == Expert.person_id)
        .where(alone, or_(*groups))
        .order_by(*_NUMBER)
        .options(
            selectinload(Expert.person)
            .selectinload(Person.employments)
            .joinedload(Employment.organisation)
        )
    ).all()
    keys = session.info["keys"]
    together: dict[tuple[str, str], list[Expert]] = {}
    for row in rows:
        for group in (("name", row.person.name), ("phone", row.person.phone_index or "")):
            if group[1]:
                together.setdefault(group, []).append(row)
    found: dict[tuple[str, str], Twins] = {}
    for group_rows in together.values():
        for one, two in itertools.combinations(group_rows[:_NAMESAKES], 2):
            why = _alike(one.person, two.person, keys)
            if why and (one.id, two.id) not in found:
                found[one.id, two.id] = Twins(one, two, why)
    return sorted(found.values(), key=lambda pair: (-len(pair.why), pair.one.number))


def _alike(one: Person, two: Person, keys: Keys) -> tuple[Text, ...]:
    if one.id_index and two.id_index and one.id_index != two.id_index:
        return ()
    why = []
    if one.phone_index and one.phone_index == two.phone_index:
        why.append(SAME_PHONE)
    if one.name == two.name:
        born = birth_date(one, keys)
        if born is not None and born == birth_date(two, keys):
            why.append(SAME_BIRTH)
        if {p.organisation_id for p in one.employments} & {
            p.organisation_id for p in two.employments
        }:
            why.append(SAME_NAME)
    return tuple(why)


def pool_counts(session: Session, status: str = "active") -> dict[tuple[str, str], int]:
    """How many experts of `status` per (discipline, source); absent pairs are 0."""
    rows = session.execute(
        select(Expert.discipline, Expert.source, func.count())
        .where(Expert.status == status)
        .group_by(Expert.discipline, Expert.source)
    )
    return {(discipline, source): count for discipline, source, count in rows}


def status_counts(session: Session) -> dict[str, int]:
    """How many experts there are of each status."""
    return dict(session.execute(select(Expert.status, func.count()).group_by(Expert.status)).all())


def due_for_review(session: Session, day: date) -> int:
    """How many experts are to be verified again on `day` (S0 art. 34(1)): the deadline has come, or
    none was ever set. The suspended count too, for they may be seated again."""
    return (
        session.scalar(
            select(func.count(Expert.id)).where(
                Expert.status.in_(("active", "suspended")),
                or_(Expert.review_due.is_(None), Expert.review_due <= day),
            )
        )
        or 0
    )


def interests(
    session: Session, viewer: Viewer, *, status: str = "declared", page: int = 1
) -> Page[tuple[Interest, Expert]]:
    """Declarations with their experts, latest first; `status` "" gives all."""
    viewer.require(*READERS)
    conditions = [Interest.status == status] if status else []
    total = session.scalar(select(func.count(Interest.id)).where(*conditions)) or 0
    number = min(max(page, 1), max(1, -(-total // PAGE_SIZE)))
    rows = session.execute(
        select(Interest, Expert)
        .join(Expert, Expert.id == Interest.expert_id)
        .where(*conditions)
        .options(joinedload(Interest.organisation), joinedload(Interest.head))
        .order_by(Interest.declared_at.desc(), Interest.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page(list(rows), total, number)


def interest(session: Session, viewer: Viewer, interest_id: str) -> Interest:
    """One declaration; an expert sees those about himself. NotFound otherwise."""
    row = session.get(Interest, interest_id)
    about = session.get(Expert, row.expert_id) if row else None
    own = about is not None and about.person_id == viewer.person_id and viewer.role == "expert"
    if row is None or not (own or viewer.role in READERS):
        raise NotFound(NO_INTEREST)
    return row


def expert_names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Number and name of experts by id, in one statement."""
    rows = session.scalars(select(Expert).where(Expert.id.in_({key for key in ids if key})))
    return {row.id: f"{row.number} {row.person.name}" for row in rows}


def account_names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of the people behind accounts by id, in one statement."""
    rows = session.execute(
        select(Account.id, Person.name)
        .join(Person, Person.id == Account.person_id)
        .where(Account.id.in_({key for key in ids if key}))
    )
    return dict(rows.all())


def verdicts(rows: Iterable[Screening], since: datetime | None = None) -> dict[str, str]:
    """Each reviewer's latest decision; with `since`, only of screenings from then on."""
    ordered = sorted(rows, key=lambda row: row.at)
    return {row.reviewer_id: row.decision for row in ordered if since is None or row.at >= since}


def present_posts(person: Person) -> list[Employment]:
    """Posts that have no end, the latest first."""
    posts = [post for post in person.employments if post.until is None]
    return sorted(posts, key=lambda post: post.since or date.min, reverse=True)


def employer_name(person: Person) -> str:
    """The present main employer's name, or ""."""
    posts = [post for post in present_posts(person) if post.relation == "employed"]
    return posts[0].organisation.name if posts else ""


def employer_on(person: Person, day: date) -> str:
    """The main employer's name on a day, or ""."""
    posts = [
        post
        for post in person.employments
        if post.relation == "employed"
        and (post.since is None or post.since <= day)
        and (post.until is None or post.until >= day)
    ]
    last = max(posts, key=lambda post: post.since or date.min, default=None)
    return last.organisation.name if last else ""


def next_number(session: Session) -> int:
    """One more than the highest expert number given so far."""
    last = session.scalar(
        select(Expert.number).order_by(func.length(Expert.number).desc(), Expert.number.desc())
    )
    return int(last[1:]) + 1 if last else 1


def county_ties(session: Session, region_code: str) -> list[CountyTie]:
    """What a county has declared, latest first."""
    return list(
        session.scalars(
            select(CountyTie)
            .where(CountyTie.region_code == region_code)
            .order_by(CountyTie.declared_at.desc())
        )
    )
