"""Conflicts of interest declared from three sides and decided by the supervisor; absences.

What an expert declares would show his activity, so these ledger entries are sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import queries as directory_queries
from app.directory.models import Organisation, Person
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append
from app.registry import messages, words
from app.registry.models import INTERESTS, Absence, CountyTie, Expert, Interest
from app.registry.models_registers import CountyHead


def declare_interest(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    kind: str,
    side: str,
    evidence: str,
    region_code: str | None = None,
    organisation: Organisation | None = None,
    other_expert: Expert | None = None,
    since: date | None = None,
    until: date | None = None,
    detail: str | None = None,
    head: CountyHead | None = None,
    other_name: str = "",
) -> Interest:
    """Declare that `expert` has a link to a county, an organisation or another expert.

    Side `expert`: the expert about himself, or the keeper or office from his letter. Side
    `county`: a presenter (the caller has checked whose county `region_code` is) or the office from
    its letter. Side `office`: office, keeper or supervisor. Until it is decided the expert stays
    out. Conflict when the same declaration is pending. `detail` is the finer kind (`words.LINK`);
    `head` a head of a county, whose county it then is; `other_name` another expert by name alone.
    """
    if side not in words.SIDE or kind not in INTERESTS:
        raise DomainError(
            messages.CODE.format(value=f"{side}/{kind}", field=Text("申报", "declaration"))
        )
    if actor is not None:
        allowed = {
            "expert": ("expert", "keeper", "office"),
            "county": ("presenter", "keeper", "office"),
            "office": ("office", "keeper", "supervisor"),
        }
        actor.require(*allowed[side])
        if actor.role == "expert" and actor.person_id != expert.person_id:
            raise Forbidden(messages.NO_SUCH)
    if detail is not None and f"{kind}:{detail}" not in words.LINK:
        raise DomainError(
            messages.CODE.format(value=detail, field=Text("关系", "link")), field="kind"
        )
    if head is not None:
        if kind != "kin" or (region_code and region_code != head.region_code):
            raise DomainError(messages.HEAD, field="head")
        region_code = head.region_code
    region_code, named = region_code or None, other_name.strip()[:200] or None
    if not (region_code or organisation or other_expert or named):
        raise DomainError(messages.TARGET, field="region_code")
    if region_code and directory_queries.region(session, region_code) is None:
        raise DomainError(messages.REGION.format(code=region_code), field="region_code")
    if other_expert is not None and other_expert.id == expert.id:
        raise DomainError(messages.SELF, field="other_expert")
    if since and until and until < since:
        raise DomainError(messages.DATES, field="until")
    if not evidence.strip():
        raise DomainError(messages.REASON, field="evidence")
    twin = select(Interest.id).where(
        Interest.expert_id == expert.id,
        Interest.kind == kind,
        Interest.side == side,
        Interest.status == "declared",
        Interest.region_code == region_code,
        Interest.organisation_id == (organisation.id if organisation else None),
        Interest.other_expert_id == (other_expert.id if other_expert else None),
        Interest.detail == detail,
        Interest.head_id == (head.id if head else None),
        Interest.other_name == named,
    )
    if session.scalar(twin):
        raise Conflict(messages.REPEATED)
    row = Interest(
        expert_id=expert.id,
        kind=kind,
        side=side,
        region_code=region_code,
        organisation_id=organisation.id if organisation else None,
        other_expert_id=other_expert.id if other_expert else None,
        since=since,
        until=until,
        evidence=evidence.strip(),
        status="declared",
        declared_by=actor.id if actor else None,
        declared_at=clock.now(),
        detail=detail,
        head_id=head.id if head else None,
        other_name=named,
    )
    session.add(row)
    session.flush()
    session.expire(expert, ["interests"])
    append(session, actor, "interest.declared", sealed=True, interest=row.id)
    return row


def decide_interest(
    session: Session, actor: Viewer | None, *, interest: Interest, decision: str, reason: str
) -> None:
    """The supervisor upholds or dismisses a declaration, with the reason that is shown later."""
    if actor is not None:
        actor.require("supervisor")
    if decision not in ("upheld", "dismissed"):
        raise DomainError(
            messages.CODE.format(value=decision, field=Text("决定", "decision")), field="decision"
        )
    _pending(interest)
    if not reason.strip():
        raise DomainError(messages.REASON, field="reason")
    if actor is not None and needs_keeper(interest) and interest.proposed is None:
        raise NotNow(messages.KEEPER_FIRST)
    interest.status = decision
    interest.decided_by = actor.id if actor else None
    interest.decided_at = clock.now()
    interest.decision_reason = reason.strip()
    append(session, actor, "interest.decided", sealed=True, interest=interest.id)


def needs_keeper(interest: Interest) -> bool:
    """Another link (C-05) is judged by the keeper first and confirmed by the supervisor; what a
    county asks for (C-12) and what a rule of its own weighs goes to the supervisor at once."""
    return interest.kind == "other" and interest.side != "county"


def propose_interest(
    session: Session, actor: Viewer, *, interest: Interest, decision: str, reason: str
) -> None:
    """The keeper's decision on another link (C-05); it counts once the supervisor has confirmed it."""
    actor.require("keeper")
    if decision not in ("upheld", "dismissed"):
        raise DomainError(
            messages.CODE.format(value=decision, field=Text("决定", "decision")), field="decision"
        )
    _pending(interest)
    if not needs_keeper(interest):
        raise NotNow(messages.NOT_KEEPERS)
    expert = session.get(Expert, interest.expert_id)
    if expert is not None and expert.person_id == actor.person_id:
        raise Forbidden(messages.OWN_CASE)
    if not reason.strip():
        raise DomainError(messages.REASON, field="reason")
    interest.proposed, interest.proposal_reason = decision, reason.strip()
    interest.proposed_by, interest.proposed_at = actor.id, clock.now()
    append(session, actor, "interest.proposed", sealed=True, interest=interest.id)


def decide_interests(
    session: Session, actor: Viewer, *, interests: Sequence[Interest], decision: str, reason: str
) -> int:
    """One decision of the supervisor on several declarations, each recorded; all or none."""
    if not interests:
        raise DomainError(messages.NONE_CHOSEN, field="rows")
    for interest in interests:
        decide_interest(session, actor, interest=interest, decision=decision, reason=reason)
    return len(interests)


def withdraw_interest(session: Session, actor: Viewer, *, interest: Interest, reason: str) -> None:
    """Whoever declared it takes it back before it is decided."""
    if interest.declared_by != actor.id:
        raise NotFound(messages.NO_INTEREST)
    _pending(interest)
    if not reason.strip():
        raise DomainError(messages.REASON, field="reason")
    interest.status = "withdrawn"
    interest.decided_by = actor.id
    interest.decided_at = clock.now()
    interest.decision_reason = reason.strip()
    append(session, actor, "interest.withdrawn", sealed=True, interest=interest.id)


def _pending(interest: Interest) -> None:
    if interest.status != "declared":
        status = words.INTEREST_STATUS[interest.status]
        raise Conflict(messages.DECIDED.format(status=status))


def add_absence(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    since: date,
    until: date,
    reason: str = "",
) -> Absence:
    """Days, first and last included, on which the expert cannot come."""
    _own_or_keeper(actor, expert)
    if until < since:
        raise DomainError(messages.DATES, field="until")
    row = Absence(expert_id=expert.id, since=since, until=until, reason=reason.strip()[:200])
    session.add(row)
    session.flush()
    session.expire(expert, ["absences"])
    append(session, actor, "absence.added", sealed=True, absence=row.id)
    return row


def cancel_absence(
    session: Session, actor: Viewer | None, *, expert: Expert, absence_id: str
) -> None:
    """The expert can come after all; the row stays and counts no more."""
    _own_or_keeper(actor, expert)
    row = session.get(Absence, absence_id)
    if row is None or row.expert_id != expert.id:
        raise NotFound(messages.NO_SUCH)
    if row.cancelled_at is not None:
        raise Conflict(messages.CANCELLED)
    row.cancelled_at = clock.now()
    session.flush()
    session.expire(expert, ["absences"])
    append(session, actor, "absence.cancelled", sealed=True, absence=row.id)


def _own_or_keeper(actor: Viewer | None, expert: Expert) -> None:
    if actor is None:
        return
    if actor.role == "expert" and actor.person_id != expert.person_id:
        raise NotFound(messages.NO_SUCH)
    actor.require("expert", "keeper", "office")


def declare_from_county(
    session: Session,
    actor: Viewer,
    *,
    region_code: str,
    person_name: str,
    employer: str,
    kind: str,
    evidence: str,
) -> CountyTie:
    """A county declares a tie to a person by name (its side of rules C-01 to C-08).

    The declaration is kept as written. Every expert of that name who is in the pool is kept out of
    that county's panels until the supervisor decides; the answer is the same when there is none.
    The caller has checked whose county `region_code` is.
    """
    actor.require("presenter")
    name = person_name.strip()
    if not name or not evidence.strip():
        raise DomainError(messages.REASON, field="evidence" if name else "person_name")
    if kind not in INTERESTS:
        raise DomainError(
            messages.CODE.format(value=kind, field=Text("申报", "declaration")), field="kind"
        )
    row = CountyTie(
        region_code=region_code,
        person_name=name,
        employer=employer.strip(),
        kind=kind,
        evidence=evidence.strip(),
        declared_by=actor.id,
        declared_at=clock.now(),
    )
    session.add(row)
    append(session, actor, "county_tie.declared", sealed=True)
    namesakes = session.scalars(
        select(Expert).join(Person, Expert.person_id == Person.id).where(Person.name == name)
    )
    for expert in namesakes:
        with suppress(Conflict):  # the same tie is pending already
            declare_interest(
                session,
                actor,
                expert=expert,
                kind=kind,
                side="county",
                region_code=region_code,
                evidence=f"{evidence.strip()}（{employer.strip()}）" if employer else evidence,
            )
    return row
