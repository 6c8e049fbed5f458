"""Regions with their changes, organisations, people and their posts: everything dated.

Territory events matter to the honours of S0 art. 32; posts and superior bodies to the recusal
rules; identity numbers and phones are encrypted with a keyed index for uniqueness (PIPL art. 51).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.directory import identity, queries, snapshot
from app.directory.models import (
    ORGANISATION_KINDS,
    RELATIONS,
    Employment,
    Organisation,
    Person,
)
from app.directory.operations.territory import load_regions, may_write, record_region_change
from app.directory.queries import Actor
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.keys import Keys
from app.ledger.append import append

__all__ = [
    "UNCHANGED",
    "add_employment",
    "alter_person",
    "change_person",
    "create_organisation",
    "create_person",
    "employment_of",
    "end_employment",
    "load_employers",
    "load_regions",
    "prepare_employment",
    "prepare_organisation",
    "prepare_person",
    "record_region_change",
]

_ORGANISATION = Text(
    "单位需要名称（不超过 200 个字符）和类别。没有任何改动。",
    "An organisation needs a name (at most 200 characters) and a kind. Nothing was changed.",
)
_SAME_ORGANISATION = Text(
    "“{name}”已在同一上级单位之下。没有新建，请直接使用已有的。",
    "“{name}” exists already under the same superior. Nothing was created; use that one.",
)
_REGION = Text(
    "没有代码为 {code} 的行政区划。没有任何改动。",
    "There is no region with code {code}. Nothing was changed.",
)
_SAME_ID = Text(
    "此身份证号已登记在“{name}”名下。没有新建；请核对，或直接修改已有的人员。",
    "This identity number is already that of “{name}”. Nobody was created; check it, or edit the "
    "existing person.",
)
_DATES = Text(
    "结束日期不能早于开始日期。没有任何改动。",
    "The end cannot lie before the start. Nothing was changed.",
)
_RELATION = Text("没有这种任职关系：{relation}。", "There is no such relation: {relation}.")
_ENDED = Text(
    "这段任职已经结束。没有任何改动。", "This post has ended already. Nothing was changed."
)


# ---------- organisations


def load_employers(session: Session, actor: Actor | None) -> int:
    """Load the employers of the list with their superior bodies; the regions must be there.

    Those run by a ministry or a national academy are `central`. One ledger event; existing
    organisations stay as they are. Returns how many were created, superiors included.
    """
    may_write(actor)
    places = queries.Places(session)
    known = queries.organisations_by_key(session)
    created = 0
    for spec in snapshot.employers():
        key = queries.organisation_key(spec.name)
        if key in known:
            continue
        parent = known[queries.organisation_key(spec.parent)] if spec.parent else None
        code = places.code(spec.place) if spec.place else None
        if spec.place and code is None:
            raise DomainError(_REGION.format(code=spec.place))
        known[key] = Organisation(
            name=spec.name,
            kind=spec.kind,
            parent_id=parent.id if parent else None,
            region_code=code,
            central=spec.central,
            source=spec.source,
        )
        session.add(known[key])
        session.flush()
        created += 1
    append(session, actor, "employers.loaded", organisations=created)
    return created


def prepare_organisation(
    session: Session,
    *,
    name: str,
    kind: str,
    parent: Organisation | None = None,
    region_code: str | None = None,
    central: bool = False,
    source: str = "",
) -> Organisation:
    """A new organisation in the session; the calling operation records it in the ledger."""
    name = identity.narrow(name).replace("(", "（").replace(")", "）")
    if not name or len(name) > 200 or kind not in ORGANISATION_KINDS:
        raise DomainError(_ORGANISATION, field="name")
    if region_code and queries.region(session, region_code) is None:
        raise DomainError(_REGION.format(code=region_code), field="region_code")
    row = Organisation(
        name=name,
        kind=kind,
        parent_id=parent.id if parent else None,
        region_code=region_code or None,
        central=central,
        source=source,
    )
    session.add(row)
    session.flush()
    return row


def create_organisation(
    session: Session,
    actor: Actor | None,
    *,
    name: str,
    kind: str,
    parent: Organisation | None = None,
    region_code: str | None = None,
    central: bool = False,
    source: str = "",
) -> Organisation:
    """A new employer or authority; Conflict when its superior has one of that name."""
    may_write(actor)
    key = queries.organisation_key(name)
    siblings = select(Organisation).where(Organisation.parent_id == (parent.id if parent else None))
    if any(queries.organisation_key(row.name) == key for row in session.scalars(siblings)):
        raise Conflict(_SAME_ORGANISATION.format(name=name), field="name")
    row = prepare_organisation(
        session,
        name=name,
        kind=kind,
        parent=parent,
        region_code=region_code,
        central=central,
        source=source,
    )
    append(session, actor, "organisation.created", organisation=row.id, kind=kind)
    return row


# ---------- people


class _Unchanged:
    """Marks an argument that was not given; None means: delete the value."""


UNCHANGED: Final[Any] = _Unchanged()


def prepare_person(
    session: Session,
    *,
    name: str,
    id_number: str | None = None,
    phone: str | None = None,
    birth_date: date | None = None,
    known_new: bool = False,
) -> Person:
    """A new person in the session, personal data encrypted; the calling operation records it.

    `known_new` skips the look-up of the identity number where a whole file was looked up at once.
    """
    keys: Keys = session.info["keys"]
    person = Person(name=identity.clean_name(name))
    number = identity.clean_id_number(id_number)
    born = identity.check_birth_date(
        identity.birth_date_of(number, birth_date), clock.today(_zone(session))
    )
    _set_id(session, person, number, keys, look_up=not known_new)
    _set_phone(person, identity.clean_phone(phone), keys)
    person.birth_date = keys.encrypt(born.isoformat()) if born else None
    session.add(person)
    return person


def create_person(
    session: Session,
    actor: Actor | None,
    *,
    name: str,
    id_number: str | None = None,
    phone: str | None = None,
    birth_date: date | None = None,
) -> Person:
    """A new person. Identity number, phone and birth date are optional (PIPL art. 6), encrypted,
    and the number is unique: Conflict names whose it is. Rare characters: `identity.name_warning`.
    """
    may_write(actor)
    person = prepare_person(
        session, name=name, id_number=id_number, phone=phone, birth_date=birth_date
    )
    session.flush()
    append(session, actor, "person.created", person=person.id)
    return person


def change_person(
    session: Session,
    actor: Actor | None,
    person: Person,
    *,
    name: str = UNCHANGED,
    id_number: str | None = UNCHANGED,
    phone: str | None = UNCHANGED,
    birth_date: date | None = UNCHANGED,
    on: date | None = None,
) -> list[str]:
    """Change what is given, from `on` (default today). The ledger keeps when, by whom and which
    fields, and the digest of every former state. Returns the names of the fields that changed.
    """
    may_write(actor)
    changed = alter_person(
        session, person, name=name, id_number=id_number, phone=phone, birth_date=birth_date
    )
    if changed:
        day = on or clock.today(_zone(session))
        append(
            session,
            actor,
            "person.changed",
            person=person.id,
            fields=",".join(changed),
            on=day.isoformat(),
        )
    return changed


def alter_person(
    session: Session,
    person: Person,
    *,
    name: str = UNCHANGED,
    id_number: str | None = UNCHANGED,
    phone: str | None = UNCHANGED,
    birth_date: date | None = UNCHANGED,
) -> list[str]:
    """`change_person` for an operation that records the change itself."""
    keys: Keys = session.info["keys"]
    changed = []
    if name is not UNCHANGED and (cleaned := identity.clean_name(name)) != person.name:
        person.name = cleaned
        changed.append("name")
    if id_number is not UNCHANGED:
        number = identity.clean_id_number(id_number)
        if number != (keys.decrypt(person.id_number) if person.id_number else None):
            _set_id(session, person, number, keys)
            changed.append("id_number")
            if number and birth_date is UNCHANGED:
                birth_date = identity.birth_date_of(number, None)
    if phone is not UNCHANGED:
        digits = identity.clean_phone(phone)
        if digits != (keys.decrypt(person.phone) if person.phone else None):
            _set_phone(person, digits, keys)
            changed.append("phone")
    if birth_date is not UNCHANGED and birth_date != queries.birth_date(person, keys):
        number = keys.decrypt(person.id_number) if person.id_number else None
        born = identity.birth_date_of(number, birth_date)
        identity.check_birth_date(born, clock.today(_zone(session)))
        if born != queries.birth_date(person, keys):
            person.birth_date = keys.encrypt(born.isoformat()) if born else None
            changed.append("birth_date")
    session.flush()
    return changed


def _set_id(
    session: Session, person: Person, number: str | None, keys: Keys, *, look_up: bool = True
) -> None:
    if number and look_up:
        holder = queries.person_by_id_number(session, number, keys)
        if holder is not None and holder is not person:
            raise Conflict(_SAME_ID.format(name=holder.name), field="id_number")
    person.id_number = keys.encrypt(number) if number else None
    person.id_index = keys.blind_index("id|" + number) if number else None


def _set_phone(person: Person, digits: str | None, keys: Keys) -> None:
    person.phone = keys.encrypt(digits) if digits else None
    person.phone_index = keys.blind_index("phone|" + digits) if digits else None


def add_employment(
    session: Session,
    actor: Actor | None,
    *,
    person: Person,
    organisation: Organisation,
    post: str = "",
    relation: str = "employed",
    since: date | None = None,
    until: date | None = None,
    basis: str = "",
) -> Employment:
    """A post from `since` until `until` (None: unknown, or today still)."""
    may_write(actor)
    row = prepare_employment(
        session,
        person=person,
        organisation=organisation,
        post=post,
        relation=relation,
        since=since,
        until=until,
        basis=basis,
    )
    session.flush()
    append(session, actor, "employment.added", employment=row.id, person=person.id)
    return row


def prepare_employment(
    session: Session,
    *,
    person: Person,
    organisation: Organisation,
    post: str = "",
    relation: str = "employed",
    since: date | None = None,
    until: date | None = None,
    basis: str = "",
) -> Employment:
    """A new post in the session; the calling operation records it in the ledger."""
    if relation not in RELATIONS:
        raise DomainError(_RELATION.format(relation=relation), field="relation")
    if since and until and until < since:
        raise DomainError(_DATES, field="until")
    row = Employment(
        person=person,
        organisation=organisation,
        post=post.strip()[:200],
        relation=relation,
        since=since,
        until=until,
        basis=basis.strip()[:200] or None,
    )
    session.add(row)
    return row


def end_employment(
    session: Session, actor: Actor | None, *, employment: Employment, until: date
) -> None:
    """The post ended on `until` (its last day); the row stays, recusal looks back on it."""
    may_write(actor)
    if employment.until is not None:
        raise Conflict(_ENDED)
    if employment.since and until < employment.since:
        raise DomainError(_DATES, field="until")
    employment.until = until
    append(session, actor, "employment.ended", employment=employment.id, until=until.isoformat())


def employment_of(session: Session, employment_id: str) -> Employment:
    """One post; NotFound."""
    row = session.get(Employment, employment_id)
    if row is None:
        raise NotFound(queries.NO_SUCH)
    return row


def _zone(session: Session) -> str:
    return str(session.info["settings"].timezone)
