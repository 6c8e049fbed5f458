"""People: identity numbers, phones and birth dates are encrypted with a keyed index for uniqueness (PIPL
art. 51); a change is dated, and what was before stays readable.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from app import clock
from app.directory import identity, queries
from app.directory.models import FormerValue, Person
from app.directory.operations.territory import may_write
from app.directory.queries import Actor
from app.domain.types import Conflict, DomainError, Text
from app.keys import Keys
from app.ledger.append import append

_SAME_ID = Text(
    "此身份证号已登记在“{name}”名下。没有新建；请核对，或直接修改已有的人员。",
    "This identity number is already that of “{name}”. Nobody was created; check it, or edit the "
    "existing person.",
)
_FUTURE = Text(
    "日期不能晚于今天。没有任何改动。", "The date cannot lie after today. Nothing was changed."
)


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
        session, person, actor=actor, on=on, name=name, id_number=id_number, phone=phone,
        birth_date=birth_date,
    )  # fmt: skip
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
    actor: Actor | None = None,
    on: date | None = None,
    name: str = UNCHANGED,
    id_number: str | None = UNCHANGED,
    phone: str | None = UNCHANGED,
    birth_date: date | None = UNCHANGED,
) -> list[str]:
    """`change_person` for an operation that records the change itself. Every former value stays
    readable with its last day, the one before `on`."""
    keys: Keys = session.info["keys"]
    before = {"name": person.name, "phone": person.phone, "id_number": person.id_number,
              "birth_date": person.birth_date}  # fmt: skip
    if on is not None and on > clock.today(_zone(session)):
        raise DomainError(_FUTURE, field="on")
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
    last = (on or clock.today(_zone(session))) - timedelta(days=1)
    session.add_all(
        FormerValue(
            person_id=person.id,
            field=field,
            value=before[field],
            until=last,
            changed_by=actor.id if actor else None,
            changed_at=clock.now(),
        )
        for field in changed
        if before[field]
    )
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


def _zone(session: Session) -> str:
    return str(session.info["settings"].timezone)
