"""An expert's standing in the pool: suspended, reinstated, retired, sanctioned (S0 art. 40), and his
facts verified every year (S0 art. 34(1))."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, NotNow
from app.ledger.append import append
from app.registry import messages
from app.registry.models import SANCTIONS, Expert, Sanction
from app.registry.operations.guards import (
    check_code,
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


def suspend(session: Session, actor: Viewer | None, *, expert: Expert, reason: str) -> None:
    """Keep an active expert out of draws until reinstated."""
    _move(session, actor, expert, ("active",), "suspended", reason)


def reinstate(session: Session, actor: Viewer | None, *, expert: Expert, reason: str) -> None:
    """End a suspension."""
    _move(session, actor, expert, ("suspended",), "active", reason)


def retire(session: Session, actor: Viewer | None, *, expert: Expert, reason: str) -> None:
    """Exit from the pool (出库); records stay, coming back needs two new screenings."""
    _move(session, actor, expert, ("candidate", "active", "suspended"), "retired", reason)


def _move(
    session: Session,
    actor: Viewer | None,
    expert: Expert,
    before: tuple[str, ...],
    after: str,
    reason: str,
) -> None:
    may(actor, "keeper")
    not_own(actor, expert)
    not_merged(expert)
    if expert.status == "barred":
        raise NotNow(messages.BARRED.format(name=expert.person.name))
    if expert.status not in before:
        raise NotNow(status_text(expert))
    set_status(session, expert, after, reason_given(reason))
    touch(actor, expert)
    append(session, actor, f"expert.{after}", expert=expert.id)


def sanction(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    kind: str,
    reason: str,
    decided_by: str,
    since: date | None = None,
    until: date | None = None,
    note: bool = True,
) -> Sanction:
    """Enter a sanction. `suspension` suspends an active expert; `bar` has no end and removes for
    ever (S0 art. 40(4)). `decided_by` names the deciding body and its document.
    Conflict when the same one is there. `note` False leaves the ledger entry to the caller, which
    enters a whole file of the past: a suspension in it that is over suspends nobody."""
    may(actor, "keeper", "supervisor")
    not_own(actor, expert)
    not_merged(expert)
    check_code("sanction", kind, SANCTIONS)
    today = clock.today(zone_of(session))
    since = since or today
    if kind == "bar" and until is not None:
        raise DomainError(messages.FOR_EVER, field="until")
    if until is not None and until < since:
        raise DomainError(messages.DATES, field="until")
    if same_sanction(expert, kind, since):
        raise Conflict(messages.SAME_ENTRY)
    if expert.status == "barred":
        raise NotNow(messages.BARRED.format(name=expert.person.name))
    if not decided_by.strip():
        raise DomainError(messages.REASON, field="decided_by")
    row = Sanction(
        expert_id=expert.id,
        kind=kind,
        since=since,
        until=until,
        reason=reason_given(reason),
        decided_by=decided_by.strip()[:200],
    )
    session.add(row)
    if kind == "bar":
        set_status(session, expert, "barred", row.reason)
    elif (
        kind == "suspension"
        and expert.status == "active"
        and (note or until is None or until >= today)
    ):
        set_status(session, expert, "suspended", row.reason)
    touch(actor, expert)
    session.flush()
    session.expire(expert, ["sanctions"])
    if note:
        append(session, actor, "expert.sanctioned", sealed=True, expert=expert.id, sanction=row.id)
    return row


def same_sanction(expert: Expert, kind: str, since: date) -> bool:
    """Whether the expert has a sanction of this kind from this day already."""
    return any(row.kind == kind and row.since == since for row in expert.sanctions)


def verify_facts(
    session: Session, actor: Viewer | None, *, expert: Expert, on: date | None = None
) -> None:
    """The keeper checked the facts on `on`; the next review is due twelve months later."""
    may(actor, "keeper")
    today = clock.today(zone_of(session))
    day = on or today
    if day > today:
        raise DomainError(messages.FUTURE, field="on")
    expert.verified_on = day
    expert.review_due = year_later(day)
    touch(actor, expert)
    append(session, actor, "expert.verified", expert=expert.id, on=day.isoformat())
