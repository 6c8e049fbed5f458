"""Reading regions, organisations and people's posts."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.directory.models import FormerValue, Organisation, Person, Region
from app.domain.types import NotFound, Text
from app.keys import Keys

Row = TypeVar("Row")
PAGE_SIZE = 50
READERS = ("keeper", "office", "supervisor", "admin")
NO_SUCH = Text(
    "没有找到这条记录，或者它不对您开放。", "There is no such record, or it is not yours to see."
)


class Actor(Protocol):
    """Who looks or acts, as far as this room must know it: accounts come later in the flow."""

    @property
    def id(self) -> str: ...

    def require(self, *roles: str) -> None: ...


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list: `rows`, how many there are in all, and which page this is (from 1)."""

    rows: Sequence[Row]
    total: int
    number: int = 1
    size: int = PAGE_SIZE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def like(term: str) -> str:
    """A LIKE pattern (escape character backslash) that finds `term` anywhere, taken literally. Only the
    beginning of a term longer than any name counts: SQLite refuses patterns of 50,000 bytes."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", term[:500]) + "%"


def paged(session: Session, query: Select[Any], total: int, page: int, size: int) -> Page[Any]:
    """Page `page` of `query`; a page past the end shows the last one."""
    number = min(max(page, 1), max(1, -(-total // size)))
    rows = session.scalars(query.limit(size).offset((number - 1) * size)).unique().all()
    return Page(rows, total, number, size)


# ---------- regions


def _valid_on(row: Region, day: date) -> bool:
    """A code is valid from `valid_from` and until the day before `valid_to`."""
    return (row.valid_from is None or row.valid_from <= day) and (
        row.valid_to is None or day < row.valid_to
    )


def region(session: Session, code: str, on: date | None = None) -> Region | None:
    """The region with GB/T 2260 `code` on a day; without a day the present or else latest one."""
    rows = session.scalars(select(Region).where(Region.code == code)).all()
    if on is not None:
        return next((row for row in rows if _valid_on(row, on)), None)
    return max(rows, key=lambda row: row.valid_to or date.max, default=None)


def regions_named(session: Session, name: str, on: date) -> list[Region]:
    """The regions in force on a day that a name means, alone or with those above it in front
    (源汇区, 漯河市源汇区), in code order."""
    tails = [name[start:] for start in range(len(name))]
    found = [
        row
        for row in session.scalars(
            select(Region).where(Region.name.in_(tails)).order_by(Region.code)
        )
        if _valid_on(row, on)
    ]
    full = region_names(session, [row.code for row in found])
    return [row for row in found if full[row.code].endswith(name)]


def ancestor_codes(code: str) -> tuple[str, ...]:
    """Province, prefecture, county codes of `code`, without repeats: 610822 -> 610000, 610800,
    610822."""
    levels = (code[:2] + "0000", code[:4] + "00", code)
    return tuple(dict.fromkeys(levels)) if re.fullmatch(r"\d{6}", code) else (code,)


def region_names(session: Session, codes: Iterable[str | None]) -> dict[str, str]:
    """Full names (陕西省榆林市府谷县) for many codes in one statement; an unknown code stays."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    every = {level for code in wanted for level in ancestor_codes(code)}
    latest: dict[str, Region] = {}
    for row in session.scalars(select(Region).where(Region.code.in_(every))):
        held = latest.get(row.code)
        if held is None or (row.valid_to or date.max) > (held.valid_to or date.max):
            latest[row.code] = row
    return {
        code: "".join(latest[level].name for level in ancestor_codes(code) if level in latest)
        if code in latest
        else code
        for code in wanted
    }


def region_name(session: Session, code: str | None) -> str:
    """The full name of one code; "" for none."""
    return region_names(session, [code]).get(code or "", "")


def provinces(session: Session) -> list[Region]:
    """The provinces in code order."""
    return list(
        session.scalars(
            select(Region)
            .where(Region.parent_code.is_(None), Region.valid_to.is_(None))
            .order_by(Region.code)
        )
    )


# What is empty comes last, on every database; "in force" has no last day and so ends the former ones.
REGION_SORTS: dict[str, tuple[Any, ...]] = {
    "code": (Region.code,),
    "name": (Region.name,),
    "kind": (Region.kind,),
    "parent": (Region.parent_code.is_(None), Region.parent_code),
    "valid": (
        Region.valid_to.is_(None),
        Region.valid_to,
        Region.valid_from.is_(None),
        Region.valid_from,
    ),
    "source": (Region.source,),
}


def _ordered(sorts: dict[str, tuple[Any, ...]], sort: str, usual: str) -> list[Any]:
    """The columns of one of `sorts`; "-" in front reverses, an unknown name is the usual one."""
    columns = sorts.get(sort.removeprefix("-"))
    if columns is None:
        return list(sorts[usual])
    return [column.desc() if sort.startswith("-") else column for column in columns]


def regions(
    session: Session,
    viewer: Actor,
    *,
    search: str = "",
    province: str = "",
    kind: str = "",
    state: str = "",
    sort: str = "code",
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[Region]:
    """Regions, former ones included; `search` fits name or the start of a code, `state` "now" or
    "former" by whether a last day is recorded; `sort` one of REGION_SORTS, "-" reverses."""
    viewer.require(*READERS)
    query = select(Region)
    if kind:
        query = query.where(Region.kind == kind)
    if state in ("now", "former"):
        former = Region.valid_to.is_not(None)
        query = query.where(former if state == "former" else ~former)
    if province:
        query = query.where(Region.code.startswith(province[:2], autoescape=True))
    if term := search.strip():
        query = query.where(
            or_(
                Region.name.like(like(term), escape="\\"),
                Region.code.startswith(term, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    columns = _ordered(REGION_SORTS, sort, "code")
    ordered = query.order_by(*columns, Region.code, Region.valid_to.is_(None), Region.valid_to)
    return paged(session, ordered.order_by(Region.id), total, page, size)


def region_kinds(session: Session) -> list[str]:
    """The kinds of region that there are, for a filter."""
    return list(session.scalars(select(Region.kind).distinct().order_by(Region.kind)))


class Places:
    """Finds the code of a place that people write as a name: built once, then pure look-ups.

    Knows 河北省三河市, 三河市 when only one is called so, 陕西省榆林市府谷县 and 131082.
    """

    def __init__(self, session: Session) -> None:
        names: dict[str, set[str]] = defaultdict(set)
        present = {
            row.code: row
            for row in session.scalars(select(Region).where(Region.valid_to.is_(None)))
        }
        for code, row in present.items():
            above = [present[level].name for level in ancestor_codes(code) if level in present][:-1]
            for prefix in {"", "".join(above), *above}:
                names[prefix + row.name].add(code)
        self._codes = dict(names)
        self._known = set(present)

    def code(self, place: str) -> str | None:
        """The GB/T 2260 code, or None when the name is unknown or fits several places."""
        name = re.sub(r"\s", "", unicodedata.normalize("NFKC", place))
        if name in self._known:
            return name
        found = self._codes.get(name, set())
        return next(iter(found)) if len(found) == 1 else None


# ---------- organisations


def organisation_key(name: str) -> str:
    """By this two spellings of one organisation are equal: no spaces, no full-width forms."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).casefold()


def organisations_by_key(session: Session) -> dict[str, Organisation]:
    """Every organisation under its key; of two with one name the one without superior wins."""
    rows = session.scalars(select(Organisation).order_by(Organisation.parent_id.desc()))
    found: dict[str, Organisation] = {}
    for row in rows:
        key = organisation_key(row.name)
        if key not in found or row.parent_id is None:
            found[key] = row
    return found


def organisation_chain(session: Session) -> dict[str, tuple[str, ...]]:
    """For each organisation's id: itself, its superior body, and so on up to the root.

    One statement for the whole tree. A loop in the data ends the chain before it repeats.
    """
    rows = session.execute(select(Organisation.id, Organisation.parent_id))
    above = dict(rows.all())
    chains = {}
    for start in above:
        chain, step = [start], above[start]
        while step is not None and step not in chain:
            chain.append(step)
            step = above.get(step)
        chains[start] = tuple(chain)
    return chains


def organisation(session: Session, organisation_id: str) -> Organisation:
    """One organisation; NotFound."""
    row = session.get(Organisation, organisation_id)
    if row is None:
        raise NotFound(NO_SUCH)
    return row


@dataclass(frozen=True)
class OrganisationLine:
    """A row of the list: the organisation, its superior's name and how many stand under it."""

    organisation: Organisation
    parent_name: str
    children: int


def organisations(
    session: Session,
    viewer: Actor,
    *,
    search: str = "",
    kind: str = "",
    central: str = "",
    parent: str | None = None,
    sort: str = "name",
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[OrganisationLine]:
    """Organisations. `parent` "" gives the roots of the tree, an id what is under it; `central` "yes"
    or "no"; `sort` is name, kind, parent, place, central or children, "-" reverses."""
    viewer.require(*READERS)
    above = aliased(Organisation)
    below = aliased(Organisation)
    children = (
        select(func.count(below.id)).where(below.parent_id == Organisation.id).scalar_subquery()
    )
    sorts: dict[str, tuple[Any, ...]] = {
        "name": (Organisation.name,),
        "kind": (Organisation.kind,),
        "parent": (above.name.is_(None), above.name),
        "place": (Organisation.region_code.is_(None), Organisation.region_code),
        "central": (Organisation.central,),
        "children": (children,),
    }
    conditions: list[ColumnElement[bool]] = []
    if central in ("yes", "no"):
        conditions.append(Organisation.central.is_(central == "yes"))
    if term := search.strip():
        conditions.append(Organisation.name.like(like(term), escape="\\"))
    if kind:
        conditions.append(Organisation.kind == kind)
    if parent == "":
        conditions.append(Organisation.parent_id.is_(None))
    elif parent is not None:
        conditions.append(Organisation.parent_id == parent)
    total = session.scalar(select(func.count(Organisation.id)).where(*conditions)) or 0
    number = min(max(page, 1), max(1, -(-total // size)))
    rows = session.execute(
        select(Organisation, above.name, children)
        .outerjoin(above, above.id == Organisation.parent_id)
        .where(*conditions)
        .order_by(*_ordered(sorts, sort, "name"), Organisation.name, Organisation.id)
        .limit(size)
        .offset((number - 1) * size)
    )
    lines = [OrganisationLine(row, name or "", count) for row, name, count in rows]
    return Page(lines, total, number, size)


def organisation_choices(session: Session) -> list[tuple[str, str]]:
    """(id, name) of every organisation, for a select."""
    return list(
        session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    )


# ---------- people


def masked_phone(person: Person, keys: Keys) -> str:
    """138****1234; "" when none is kept."""
    if not person.phone:
        return ""
    clear = keys.decrypt(person.phone)
    return clear[:3] + "****" + clear[-4:]


def masked_id(person: Person, keys: Keys) -> str:
    """1101**********002X; "" when none is kept."""
    if not person.id_number:
        return ""
    clear = keys.decrypt(person.id_number)
    return clear[:4] + "*" * (len(clear) - 8) + clear[-4:]


def birth_date(person: Person, keys: Keys) -> date | None:
    """The decrypted birth date: for age rules, never for a page."""
    return date.fromisoformat(keys.decrypt(person.birth_date)) if person.birth_date else None


def former_values(session: Session, person: Person) -> list[FormerValue]:
    """What the person's name and numbers were before, the latest first."""
    return list(
        session.scalars(
            select(FormerValue)
            .where(FormerValue.person_id == person.id)
            .order_by(FormerValue.changed_at.desc(), FormerValue.field)
        )
    )


def clear_former(row: FormerValue, keys: Keys) -> str:
    """A former value as it was, for the person himself."""
    return row.value if row.field == "name" else keys.decrypt(row.value)


def masked_former(row: FormerValue, keys: Keys) -> str:
    """A former value as a page of the office shows it: names whole, numbers by their ends."""
    clear = clear_former(row, keys)
    if row.field == "name":
        return clear
    if row.field == "birth_date":
        return "****-**-**"
    front = 4 if row.field == "id_number" else 3
    return clear[:front] + "*" * max(0, len(clear) - front - 4) + clear[-4:]


def person_by_id_number(session: Session, id_number: str, keys: Keys) -> Person | None:
    """The person with this (normalised) identity number, found through the keyed index."""
    index = keys.blind_index("id|" + id_number)
    return session.scalar(select(Person).where(Person.id_index == index))
