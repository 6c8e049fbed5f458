"""The life of an expert in the pool (S0 art. 34, 40): nominated, screened by two, admitted on
consent, verified every year, suspended, retired, or barred for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import identity
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation, Person
from app.domain.types import Conflict, DomainError, Forbidden, NotNow, Text
from app.keys import Keys
from app.ledger.append import append
from app.registry import messages, queries, words
from app.registry.models import DECISIONS, Expert, Screening
from app.registry.operations.corrections import answer_correction, ask_correction
from app.registry.operations.declarations import (
    add_absence,
    cancel_absence,
    decide_interest,
    decide_interests,
    declare_from_county,
    declare_interest,
    propose_interest,
    withdraw_interest,
)
from app.registry.operations.editing import (
    change_post,
    edit_expert,
    reveal,
    update_from_file,
)
from app.registry.operations.guards import (
    CONSENT_VERSION,
    at_noon,
    check_code,
    check_facts,
    check_region,
    may,
    not_merged,
    not_own,
    reason_given,
    set_status,
    status_text,
    touch,
    year_later,
    zone_of,
)
from app.registry.operations.merging import holdings, merge_experts, obstacle
from app.registry.operations.registers import (
    add_contractor,
    add_former_post,
    add_head,
    add_past_panel,
    add_residence,
    add_supervising_body,
    end_entry,
    state_ties,
    strike_entry,
    strike_residence,
)
from app.registry.operations.standing import (
    reinstate,
    retire,
    same_sanction,
    sanction,
    suspend,
    verify_facts,
)

__all__ = [
    "CONSENT_VERSION",
    "Candidate",
    "add_absence",
    "add_contractor",
    "add_former_post",
    "add_head",
    "add_past_panel",
    "add_residence",
    "add_supervising_body",
    "admit",
    "answer_correction",
    "ask_correction",
    "cancel_absence",
    "change_post",
    "decide_interest",
    "decide_interests",
    "declare_from_county",
    "declare_interest",
    "edit_expert",
    "end_entry",
    "enrol",
    "holdings",
    "merge_experts",
    "nominate",
    "obstacle",
    "propose_interest",
    "record_consent",
    "reinstate",
    "retire",
    "reveal",
    "same_sanction",
    "sanction",
    "screen",
    "state_ties",
    "strike_entry",
    "strike_residence",
    "suspend",
    "update_from_file",
    "verify_facts",
    "withdraw_interest",
]

REVIEWERS_NEEDED = 2


@dataclass(frozen=True)
class Candidate:
    """Everything that a nomination states about one person."""

    name: str
    organisation: Organisation
    title: str
    title_rank: int
    kind: str
    discipline: str
    source: str
    post: str = ""
    since: date | None = None
    id_number: str | None = None
    phone: str | None = None
    birth_date: date | None = None
    specialties: Sequence[str] = field(default_factory=tuple)
    career_start: int | None = None
    region_code: str | None = None
    nominated_by: str = ""
    note: str = ""
    consent_on: date | None = None
    verified_on: date | None = None


def nominate(
    session: Session,
    actor: Viewer | None,
    candidate: Candidate,
    *,
    person: Person | None = None,
    distinct: bool = False,
) -> Expert:
    """Put a candidate into the pool; screening and consent follow.

    `person` names somebody already known. Conflict when the identity number is known, or when
    name and employer, or the phone, fit somebody in the pool and `distinct` does not say that it
    is another. Nobody who was barred comes back (S0 art. 40(4)).
    """
    may(actor, "keeper", "office")
    if person is not None and (held := queries.expert_of_person(session, person.id)):
        raise Conflict(_already(held, messages.ALREADY))
    if person is None:
        _refuse_twins(session, candidate, distinct)
    row = _enter(session, candidate, queries.next_number(session), person, known_new=False)
    append(session, actor, "expert.nominated", expert=row.id, number=row.number)
    return row


def enrol(
    session: Session,
    actor: Viewer | None,
    candidates: Sequence[Candidate],
    *,
    file_hash: str,
    screening_document: str = "",
) -> list[Expert]:
    """Enter a whole checked file in one ledger event.

    With a `screening_document` (the paper of the screenings made before), everybody who has
    consented becomes active at once; without, all arrive as candidates.
    """
    may(actor, "keeper")
    number = queries.next_number(session)
    rows = []
    for offset, candidate in enumerate(candidates):
        row = _enter(session, candidate, number + offset, None, known_new=True)
        if screening_document.strip():
            row.screening_document = screening_document.strip()[:200]
            if row.consent_at is not None:
                _become_active(session, row, candidate.verified_on)
        rows.append(row)
        if offset % 200 == 199:
            session.flush()  # in portions: tracking of pending rows slows with their number
    session.flush()
    append(
        session,
        actor,
        "experts.imported",
        file=file_hash,
        experts=len(rows),
        active=sum(row.status == "active" for row in rows),
    )
    return rows


def _refuse_twins(session: Session, candidate: Candidate, distinct: bool) -> None:
    keys: Keys = session.info["keys"]
    number = identity.clean_id_number(candidate.id_number)
    if number and (known := directory_queries.person_by_id_number(session, number, keys)):
        held = queries.expert_of_person(session, known.id)
        if held is not None:
            raise Conflict(_already(held, messages.ALREADY), field="id_number")
    phone = identity.clean_phone(candidate.phone)
    namesakes = (
        select(Expert)
        .join(Employment, Employment.person_id == Expert.person_id)
        .join(Person, Person.id == Expert.person_id)
        .where(
            Person.name == identity.clean_name(candidate.name),
            Employment.organisation_id == candidate.organisation.id,
        )
    )
    twin, why = session.scalar(namesakes), messages.SAME_NAME
    if twin is None and phone:
        same = Person.phone_index == keys.blind_index("phone|" + phone)
        twin = session.scalar(select(Expert).join(Person).where(same))
        why = messages.SAME_PHONE
    if twin is None or (distinct and twin.status != "barred"):
        return
    if twin.status == "barred":
        raise Conflict(_already(twin, messages.ALREADY), field="name")
    raise Conflict(
        messages.MAYBE.format(name=twin.person.name, number=twin.number, why=why),
        field="distinct",
    )


def _already(held: Expert, text: Text) -> Text:
    return text.format(name=held.person.name, number=held.number, status=words.STATUS[held.status])


def _enter(
    session: Session, given: Candidate, number: int, person: Person | None, *, known_new: bool
) -> Expert:
    today = clock.today(zone_of(session))
    check_facts(
        today,
        title=given.title,
        title_rank=given.title_rank,
        kind=given.kind,
        discipline=given.discipline,
        source=given.source,
        career_start=given.career_start,
    )
    for day, name in ((given.consent_on, "consent_at"), (given.verified_on, "verified_on")):
        if day is not None and day > today:
            raise DomainError(messages.FUTURE, field=name)
    region = given.region_code or given.organisation.region_code
    if given.region_code and not known_new:
        check_region(session, given.region_code)
    if person is None:
        person = directory.prepare_person(
            session,
            name=given.name,
            id_number=given.id_number,
            phone=given.phone,
            birth_date=given.birth_date,
            known_new=known_new,
        )
    directory.prepare_employment(
        session,
        person=person,
        organisation=given.organisation,
        post=given.post,
        since=given.since,
    )
    row = Expert(
        person=person,
        number=f"E{number:04d}",
        status="candidate",
        status_since=today,
        kind=given.kind,
        discipline=given.discipline,
        specialties=list(given.specialties),
        source=given.source,
        title=given.title.strip()[:200],
        title_rank=given.title_rank,
        career_start=given.career_start,
        region_code=region,
        nominated_by=given.nominated_by.strip()[:200],
        note=given.note.strip(),
        consent_version=CONSENT_VERSION if given.consent_on else None,
        consent_at=at_noon(session, given.consent_on) if given.consent_on else None,
        verified_on=given.verified_on,
        review_due=year_later(given.verified_on) if given.verified_on else None,
        version=1,
    )
    session.add(row)
    if not known_new:
        session.flush()
    return row


def record_consent(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    on: date | None = None,
    version: str = CONSENT_VERSION,
) -> None:
    """The nominee consents to being in the pool and to the use of his data (S0 art. 34(2), PIPL
    art. 29): recorded by the keeper from a signed paper of day `on`, or by the expert himself now.
    """
    if actor is None or actor.role != "expert":
        may(actor, "keeper", "office")
    elif actor.person_id != expert.person_id:
        raise Forbidden(messages.NO_SUCH)
    if on is not None and on > clock.today(zone_of(session)):
        raise DomainError(messages.FUTURE, field="on")
    expert.consent_version = version
    expert.consent_at = at_noon(session, on) if on else clock.now()
    touch(actor, expert)
    append(session, actor, "expert.consented", expert=expert.id, version=version)


def screen(
    session: Session, actor: Viewer, *, expert: Expert, decision: str, reason: str
) -> Screening:
    """One reviewer's written decision, `pass` or `reject` (S0 art. 34(1)). A reviewer's later
    decision replaces his earlier one. Keeper and office staff review, never their own case."""
    may(actor, "keeper", "office")
    not_own(actor, expert)
    not_merged(expert)
    check_code("decision", decision, DECISIONS)
    if expert.status not in ("candidate", "retired"):
        raise NotNow(status_text(expert))
    row = Screening(
        expert_id=expert.id,
        reviewer_id=actor.id,
        decision=decision,
        reason=reason_given(reason),
        at=clock.now(),
    )
    session.add(row)
    session.flush()
    session.expire(expert, ["screenings"])
    append(session, actor, "expert.screened", expert=expert.id, screening=row.id)
    return row


def admit(session: Session, actor: Viewer | None, *, expert: Expert) -> None:
    """Admit a candidate (or somebody who had left) after consent and two passing screenings by
    different people with nobody against, or on the screening document of an import."""
    may(actor, "keeper")
    not_own(actor, expert)
    not_merged(expert)
    if expert.status == "barred":
        raise NotNow(messages.BARRED.format(name=expert.person.name))
    if expert.status not in ("candidate", "retired"):
        raise NotNow(status_text(expert))
    if expert.consent_at is None:
        raise DomainError(messages.NO_CONSENT.format(name=expert.person.name))
    again = None
    if expert.status == "retired" and expert.status_since is not None:
        again = datetime.combine(expert.status_since, time(), ZoneInfo(zone_of(session)))
    decisions = list(queries.verdicts(expert.screenings, again).values())
    passed, rejected = decisions.count("pass"), decisions.count("reject")
    on_paper = bool(expert.screening_document) and expert.status == "candidate"
    if rejected or not (on_paper or passed >= REVIEWERS_NEEDED):
        raise DomainError(messages.NOT_SCREENED.format(n=passed, m=rejected))
    _become_active(session, expert, expert.verified_on)
    touch(actor, expert)
    append(session, actor, "expert.admitted", expert=expert.id)


def _become_active(session: Session, expert: Expert, verified_on: date | None) -> None:
    today = clock.today(zone_of(session))
    set_status(session, expert, "active", "")
    expert.admitted_on = today
    expert.verified_on = verified_on or today
    expert.review_due = year_later(expert.verified_on)
