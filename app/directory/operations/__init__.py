"""Regions with their changes, organisations, people and their posts: everything dated.

Territory events matter to the honours of S0 art. 32; posts and superior bodies to the recusal
rules. People: `people`.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory import identity, queries, snapshot
from app.directory.models import (
    ORGANISATION_KINDS,
    RELATIONS,
    Employment,
    Organisation,
    Person,
)
from app.directory.operations.people import (
    UNCHANGED,
    alter_person,
    change_person,
    create_person,
    prepare_person,
)
from app.directory.operations.territory import load_regions, may_write, record_region_change
from app.directory.queries import Actor
from app.domain.types import Conflict, DomainError, NotFound, Text
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


# ---------- posts


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
    session: Session,
    actor: Actor | None,
    *,
    employment: Employment,
    until: date,
    note: bool = True,
) -> None:
    """The post ended on `until` (its last day); the row stays, recusal looks back on it. `note` False
    leaves the ledger entry to the caller."""
    may_write(actor)
    if employment.until is not None:
        raise Conflict(_ENDED)
    if employment.since and until < employment.since:
        raise DomainError(_DATES, field="until")
    employment.until = until
    if note:
        day = until.isoformat()
        append(session, actor, "employment.ended", employment=employment.id, until=day)


def employment_of(session: Session, employment_id: str) -> Employment:
    """One post; NotFound."""
    row = session.get(Employment, employment_id)
    if row is None:
        raise NotFound(queries.NO_SUCH)
    return row
