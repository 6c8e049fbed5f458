"""A county's request that an expert stand aside, and the decision on it (rule C-12).

Regulation for implementing the Government Procurement Law art. 9, last paragraph: the county asks
with its reason, the office asks the expert, and the supervisor, not the office, decides.
"""

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

_REASON = Text(
    "请写明理由（至少 5 个字）。没有提交。",
    "State the reason (5 characters or more). Nothing was submitted.",
)


def challenge(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    seat: Seat,
    reason: str,
    on_behalf_of: str = "",
) -> Challenge:
    """The county asks that an expert stand aside: from the opening, when the names are told, to the
    end of the statement. By its presenter, or by the office for a representative whom it names."""
    actor.require("presenter", "office")
    statement = running_statement(session, sitting)
    if actor.role == "presenter" and sitting.subject.presenter_id != actor.person_id:
        raise Forbidden(Text("这不是您的会议。", "This is not your sitting."))
    if statement.challenge_until is not None and clock.now() >= statement.challenge_until:
        raise refuse(
            "提出申请",
            "challenge",
            "申请回避的时间已过。新发现的情形请告知监督人员",
            "the time for challenges is over; tell the supervisor of what came to light since",
        )
    if actor.role == "office" and not on_behalf_of.strip():
        raise DomainError(
            Text(
                "请写明由县（市）方的谁提出。没有提交。",
                "Say who of the county asked for it. Nothing was submitted.",
            ),
            field="on_behalf_of",
        )
    if seat.id not in {row.id for row in queries.seats(session, sitting.panel)}:
        raise DomainError(Text("该席位不在本组。", "That seat is not on this panel."))
    if any(
        row.seat_id == seat.id and row.decision is None
        for row in queries.challenges(session, sitting)
    ):
        raise refuse(
            "提出申请", "challenge", "对该专家的申请正在处理", "one against this expert is open"
        )
    row = Challenge(
        sitting_id=sitting.id,
        seat_id=seat.id,
        reason=_given(reason, "reason"),
        raised_by=actor.id,
        raised_at=clock.now(),
        on_behalf_of=on_behalf_of.strip()[:200] or None if actor.role == "office" else None,
    )
    session.add(row)
    append(session, actor, "challenge.raised", sitting=sitting.id)
    return row


def _given(text: str, field: str) -> str:
    if len(text.strip()) < 5:
        raise DomainError(_REASON, field=field)
    return text.strip()


def record_answer(session: Session, actor: Viewer, *, challenge: Challenge, answer: str) -> None:
    """The office has asked the expert and writes down what he says, word for word."""
    actor.require("office")
    if challenge.decision:
        raise refuse("登记答复", "record the answer", "已经处理", "it is decided already")
    if not answer.strip():
        raise DomainError(
            Text(
                "请写明专家的答复；没有答复的写明如何询问。没有登记。",
                "Write down the expert's answer, or how he was asked when there is none. Nothing "
                "was recorded.",
            ),
            field="answer",
        )
    challenge.answer, challenge.answered_at = answer.strip(), clock.now()
    challenge.answer_by = actor.id
    append(session, actor, "challenge.answered", sitting=challenge.sitting_id)


def decide_challenge(
    session: Session, actor: Viewer, *, challenge: Challenge, upheld: bool, reason: str
) -> None:
    """The supervisor decides, with a reason that the county is told. An upheld challenge is a
    removal, which the draw room carries out."""
    actor.require("supervisor")
    if challenge.decision:
        raise refuse("处理", "decide", "已经处理", "it is decided already")
    if challenge.answer is None:
        raise refuse(
            "处理", "decide", "办公室尚未登记专家的答复", "the expert's answer is not on record"
        )
    challenge.decision_reason = _given(reason, "reason")
    challenge.decision = "upheld" if upheld else "dismissed"
    challenge.decided_by = actor.id
    challenge.decided_at = clock.now()
    append(
        session,
        actor,
        "challenge.decided",
        sitting=challenge.sitting_id,
        decision=challenge.decision,
    )
