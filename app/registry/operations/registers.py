"""Writing the registers behind the recusal rules: heads, contractors, supervising bodies, former and
side posts, places lived in, and an expert's statement that all ties are declared.

What would show an expert's private life goes into the ledger sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import operations as directory
from app.directory.models import Employment, Organisation
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.ledger.append import append
from app.registry import messages, words
from app.registry.models import Expert
from app.registry.models_registers import (
    TOPICS,
    Contractor,
    CountyHead,
    Entry,
    PastPanel,
    Residence,
    SupervisingBody,
    TieStatement,
)
from app.registry.operations.guards import check_code, check_region, may, reason_given, zone_of

KEEPERS = ("keeper", "office")
Kept = TypeVar("Kept", bound=Entry)


def add_head(
    session: Session,
    actor: Viewer | None,
    *,
    region_code: str,
    name: str,
    post: str,
    basis: str,
    since: date | None = None,
    until: date | None = None,
    expert: Expert | None = None,
    note: bool = True,
) -> CountyHead:
    """Enter a responsible person of a county (rule C-04). `expert`: he is in the pool himself.

    `note` False leaves the ledger entry to the caller, which enters a whole file.
    """
    may(actor, *KEEPERS)
    check_region(session, region_code)
    row = CountyHead(
        region_code=region_code,
        name=_words(name, "name", words.FIELD["name"]),
        post=_words(post, "post", words.FIELD["post"]),
        person_id=expert.person_id if expert else None,
        **_dated(actor, since, until, basis),
    )
    twin = select(CountyHead.id).where(
        CountyHead.region_code == row.region_code,
        CountyHead.name == row.name,
        CountyHead.post == row.post,
        CountyHead.since == row.since,
        CountyHead.struck_at.is_(None),
    )
    return _keep(session, actor, row, twin, "head.added", note)


def add_contractor(
    session: Session,
    actor: Viewer | None,
    *,
    region_code: str,
    organisation: Organisation | None,
    work: str,
    basis: str,
    since: date | None = None,
    until: date | None = None,
    note: bool = True,
) -> Contractor:
    """Enter a body that worked on a county's application (rule C-03); None: there was none."""
    may(actor, *KEEPERS)
    check_region(session, region_code)
    row = Contractor(
        region_code=region_code,
        organisation_id=organisation.id if organisation else None,
        work=_words(work, "work", words.FIELD["work"]),
        **_dated(actor, since, until, basis),
    )
    twin = select(Contractor.id).where(
        Contractor.region_code == row.region_code,
        Contractor.organisation_id == row.organisation_id,
        Contractor.since == row.since,
        Contractor.struck_at.is_(None),
    )
    return _keep(session, actor, row, twin, "contractor.added", note)


def add_supervising_body(
    session: Session,
    actor: Viewer | None,
    *,
    organisation: Organisation,
    basis: str,
    since: date | None = None,
    until: date | None = None,
) -> SupervisingBody:
    """Enter the body that supervises the process (rule C-06)."""
    may(actor, *KEEPERS)
    row = SupervisingBody(organisation_id=organisation.id, **_dated(actor, since, until, basis))
    twin = select(SupervisingBody.id).where(
        SupervisingBody.organisation_id == row.organisation_id,
        SupervisingBody.since == row.since,
        SupervisingBody.struck_at.is_(None),
    )
    return _keep(session, actor, row, twin, "supervising_body.added", True)


def add_past_panel(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    round_name: str,
    since: date | None,
    basis: str,
    until: date | None = None,
    region_code: str | None = None,
    note: bool = True,
) -> PastPanel:
    """Enter a panel on which the expert sat before this system was in use (rule D-15), on the days from
    `since` to `until`; without a county: on the round as a whole. In the ledger it is sealed: it would
    show an expert's activity."""
    may(actor, "keeper")
    if since is None:
        raise DomainError(messages.NEED.format(what=words.FIELD["begin"]), field="since")
    if max(since, until or since) > clock.today(zone_of(session)):
        raise DomainError(messages.FUTURE, field="begin")
    if region_code:
        check_region(session, region_code)
    row = PastPanel(
        expert_id=expert.id,
        round_name=_words(round_name, "round_name", words.FIELD["round_name"]),
        region_code=region_code or None,
        **_dated(actor, since, until, basis),
    )
    twin = select(PastPanel.id).where(
        PastPanel.expert_id == row.expert_id,
        PastPanel.round_name == row.round_name,
        PastPanel.region_code == row.region_code,
        PastPanel.since == row.since,
        PastPanel.struck_at.is_(None),
    )
    if session.scalar(twin):
        raise Conflict(messages.SAME_ENTRY)
    session.add(row)
    session.flush()
    if note:
        append(session, actor, "past_panel.added", sealed=True, entry=row.id)
    return row


def _dated(
    actor: Viewer | None, since: date | None, until: date | None, basis: str
) -> dict[str, Any]:
    if since and until and until < since:
        raise DomainError(messages.DATES, field="until")
    if not basis.strip():
        raise DomainError(messages.BASIS, field="basis")
    return {
        "since": since,
        "until": until,
        "basis": basis.strip()[:200],
        "recorded_by": actor.id if actor else None,
        "recorded_at": clock.now(),
    }


def _words(value: str, field: str, what: Text) -> str:
    if not value.strip():
        raise DomainError(messages.NEED.format(what=what), field=field)
    return value.strip()[:200]


def _keep(
    session: Session,
    actor: Viewer | None,
    row: Kept,
    twin: Select[str],
    event: str,
    note: bool,
) -> Kept:
    if session.scalar(twin):
        raise Conflict(messages.SAME_ENTRY)
    session.add(row)
    session.flush()
    if note:
        append(session, actor, event, entry=row.id)
    return row


def _writers(entry: Entry) -> tuple[str, ...]:
    """The office, which draws, does not change who has sat before."""
    return ("keeper",) if isinstance(entry, PastPanel) else KEEPERS


def end_entry(session: Session, actor: Viewer | None, *, entry: Entry, until: date) -> None:
    """The entry held up to `until`, its last day."""
    may(actor, *_writers(entry))
    if entry.struck_at is not None:
        raise Conflict(messages.STRUCK)
    if entry.until is not None:
        raise Conflict(messages.ENTRY_ENDED)
    if entry.since and until < entry.since:
        raise DomainError(messages.DATES, field="until")
    entry.until = until
    append(session, actor, "register.ended", entry=entry.id, until=until.isoformat())


def strike_entry(session: Session, actor: Viewer | None, *, entry: Entry, reason: str) -> None:
    """Entered wrongly: it stays readable with the reason, and no rule reads it any more."""
    may(actor, *_writers(entry))
    if entry.struck_at is not None:
        raise Conflict(messages.STRUCK)
    entry.struck_reason = reason_given(reason)
    entry.struck_at, entry.struck_by = clock.now(), actor.id if actor else None
    append(session, actor, "register.struck", entry=entry.id)


def add_former_post(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    organisation: Organisation,
    relation: str,
    post: str = "",
    since: date | None = None,
    until: date | None = None,
    basis: str = "",
    note: bool = True,
) -> Employment:
    """A former employment or a side post (director, supervisor, adviser, shareholder), with the
    document that it rests on; rules C-01 to C-03 and C-15 look back on it."""
    may(actor, "keeper")
    if not basis.strip():
        raise DomainError(messages.BASIS, field="basis")
    if (
        relation == "employed"
        and until is None
        and any(
            held.relation == "employed"
            and held.until is None
            and held.organisation_id == organisation.id
            for held in expert.person.employments
        )
    ):
        raise Conflict(messages.SAME_ENTRY)
    row = directory.prepare_employment(
        session, person=expert.person, organisation=organisation, post=post, relation=relation,
        since=since, until=until, basis=basis,
    )  # fmt: skip
    session.flush()
    session.expire(expert.person, ["employments"])
    if note:
        append(session, actor, "employment.added", employment=row.id, person=expert.person_id)
    return row


def _own_or_keeper(actor: Viewer | None, expert: Expert) -> None:
    may(actor, "expert", "keeper")
    if actor is not None and actor.role == "expert" and actor.person_id != expert.person_id:
        raise Forbidden(messages.NO_SUCH)


def add_residence(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    kind: str,
    region_code: str,
    since: date | None = None,
    until: date | None = None,
    basis: str = "",
    note: bool = True,
) -> Residence:
    """Where the expert was born or has lived: by himself, or by the keeper from his paper."""
    _own_or_keeper(actor, expert)
    check_code("place_kind", kind, tuple(words.PLACE))
    check_region(session, region_code)
    by_himself = actor is not None and actor.role == "expert"
    row = Residence(
        expert_id=expert.id, kind=kind, region_code=region_code,
        **_dated(actor, since, until, basis or ("本人申报" if by_himself else "")),
    )  # fmt: skip
    twin = select(Residence.id).where(
        Residence.expert_id == expert.id,
        Residence.kind == kind,
        Residence.region_code == region_code,
        Residence.since == since,
        Residence.struck_at.is_(None),
    )
    if session.scalar(twin):
        raise Conflict(messages.SAME_ENTRY)
    session.add(row)
    session.flush()
    session.expire(expert, ["residences"])
    if note:
        append(session, actor, "residence.declared", sealed=True, entry=row.id)
    return row


def strike_residence(
    session: Session, actor: Viewer | None, *, expert: Expert, entry_id: str, reason: str
) -> None:
    """Take a place back; it stays on record and counts no more."""
    _own_or_keeper(actor, expert)
    row = session.get(Residence, entry_id)
    if row is None or row.expert_id != expert.id:
        raise NotFound(messages.NO_ENTRY)
    if row.struck_at is not None:
        raise Conflict(messages.STRUCK)
    row.struck_reason = reason_given(reason)
    row.struck_at, row.struck_by = clock.now(), actor.id if actor else None
    session.flush()
    session.expire(expert, ["residences"])
    append(session, actor, "residence.struck", sealed=True, entry=row.id)


def state_ties(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    topics: Sequence[str],
    signed_name: str,
    signed_on: date | None = None,
    paper: str = "",
) -> TieStatement:
    """The expert states that all ties of these topics are declared, so that an empty register means
    "none". He signs with his name; the keeper enters a signed paper and names it."""
    _own_or_keeper(actor, expert)
    chosen = sorted(set(topics))
    if not chosen or not set(chosen) <= set(TOPICS):
        raise DomainError(messages.TOPIC, field="topics")
    if signed_name.strip() != expert.person.name:
        raise DomainError(messages.SIGNATURE.format(name=expert.person.name), field="signed_name")
    today = clock.today(zone_of(session))
    if signed_on is not None and signed_on > today:
        raise DomainError(messages.FUTURE, field="signed_on")
    by_himself = actor is not None and actor.role == "expert"
    if actor is not None and not by_himself and not paper.strip():
        raise DomainError(messages.PAPER, field="paper")
    said = [words.TOPIC_WORDS.zh, words.TOPIC_WORDS.en]
    said += [part for topic in chosen for part in (words.TOPIC[topic].zh, words.TOPIC[topic].en)]
    row = TieStatement(
        expert_id=expert.id, topics=chosen, text_digest=digest(said),
        signed_name=signed_name.strip(), signed_on=today if by_himself else signed_on or today,
        paper=paper.strip()[:200], recorded_by=actor.id if actor else None,
        recorded_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.expire(expert, ["tie_statements"])
    append(session, actor, "ties.stated", sealed=True, statement=row.id, words=row.text_digest)
    return row
