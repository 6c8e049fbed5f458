"""A county's request that an expert stand aside, and the decision on it (rule C-12)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Forbidden, Text
from app.draw.models import Seat
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import refuse, running_statement
from app.panel.models import Challenge, Sitting


def challenge(
    session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat, reason: str
) -> Challenge:
    """The county asks that an expert stand aside: from the opening to the end of the statement
    (rule C-12)."""
    actor.require("presenter")
    running_statement(session, sitting)
    if sitting.subject.presenter_id != actor.person_id:
        raise Forbidden(Text("这不是您的会议。", "This is not your sitting."))
    if seat.id not in {row.id for row in queries.seats(session, sitting.panel)}:
        raise DomainError(Text("该席位不在本组。", "That seat is not on this panel."))
    if len(reason.strip()) < 5:
        raise DomainError(
            Text(
                "请写明理由（至少 5 个字）。申请尚未提交。",
                "State the reason (5 characters or more). Nothing was submitted.",
            ),
            field="reason",
        )
    row = Challenge(
        sitting_id=sitting.id,
        seat_id=seat.id,
        reason=reason.strip(),
        raised_by=actor.id,
        raised_at=clock.now(),
    )
    session.add(row)
    append(session, actor, "challenge.raised", sitting=sitting.id)
    return row


def decide_challenge(
    session: Session, actor: Viewer, *, challenge: Challenge, upheld: bool, reason: str
) -> None:
    """The office decides, with a reason. An upheld challenge is a removal, which the draw room
    carries out."""
    actor.require("office")
    if challenge.decision:
        raise refuse("处理", "decide", "已经处理", "it is decided already")
    if len(reason.strip()) < 5:
        raise DomainError(
            Text(
                "请写明理由（至少 5 个字）。尚未处理。",
                "State the reason (5 characters or more). Nothing was decided.",
            ),
            field="reason",
        )
    challenge.decision = "upheld" if upheld else "dismissed"
    challenge.decision_reason = reason.strip()
    challenge.decided_by = actor.id
    challenge.decided_at = clock.now()
    append(
        session,
        actor,
        "challenge.decided",
        sitting=challenge.sitting_id,
        decision=challenge.decision,
    )
