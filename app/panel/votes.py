"""The closing time of a sitting. The office sets the first one; from then on it moves only by the panel's
vote: the office proposes with a reason, each member votes on his own device, and more than half of the
seats carry it. The server's clock decides what is in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append
from app.panel import queries
from app.panel.models import Sitting
from app.panel.models_votes import Extension, ExtensionVote

STANDING = ("set", "carried")

_OVER = Text("会议已结束。没有任何改动。", "The sitting is over. Nothing was changed.")
_PAST = Text(
    "时间须在现在之后，延长的须晚于现在的截止时间。没有任何改动。",
    "The time must lie ahead, and after the present closing time. Nothing was changed.",
)
_REASON = Text(
    "请写明理由（至少 5 个字）。没有任何改动。",
    "State the reason (5 characters or more). Nothing was changed.",
)
_PENDING = Text(
    "已有一项延长提议等待表决。没有任何改动。",
    "A proposal is being voted on already. Nothing was changed.",
)
_DECIDED = Text(
    "这项提议已经表决或过时，您的表决没有计入。",
    "This proposal is decided or out of date; your vote was not counted.",
)
_VOTED = Text("您已表决，不能更改。", "You have voted; a vote does not change.")
_NOT_MEMBER = Text("您不是本组成员。", "You do not sit on this panel.")
TIME_OVER = Text(
    "评分截止时间 {t} 已过。已保存的内容都在；需要更多时间的，请与创建办公室联系，由全组表决延长。",
    "The closing time {t} has passed. Everything saved is kept; for more time ask the office, and the "
    "panel votes.",
)


def extensions(session: Session, sitting: Sitting) -> list[Extension]:
    """Closing times of a sitting and the proposals to move it, oldest first."""
    return list(
        session.scalars(
            select(Extension)
            .where(Extension.sitting_id == sitting.id)
            .order_by(Extension.proposed_at, Extension.id)
        )
    )


def closing_times(session: Session, sitting_ids: Sequence[str]) -> dict[str, datetime]:
    """Sitting id -> its present closing time, for those that have one; one query."""
    rows = session.execute(
        select(Extension.sitting_id, Extension.closes_at)
        .where(Extension.sitting_id.in_(list(sitting_ids)), Extension.state.in_(STANDING))
        .order_by(Extension.proposed_at, Extension.id)
    )
    return dict(rows.all())


def closing_time(session: Session, sitting: Sitting) -> datetime | None:
    """When scoring ends; None while no time is set."""
    return closing_times(session, [sitting.id]).get(sitting.id)


def ended_at(session: Session, sitting: Sitting) -> datetime | None:
    """When scoring ended: the panel was closed, or its closing time has passed. None while it goes on."""
    if sitting.closed_at is not None:
        return sitting.closed_at
    closes = closing_time(session, sitting)
    return closes if closes is not None and closes <= clock.now() else None


def to_vote(session: Session, seat_ids: Sequence[str]) -> list[Sitting]:
    """Sittings with a proposal that waits for the vote of one of these seats."""
    mine = set(seat_ids)
    rows = session.scalars(
        select(Extension).where(Extension.state == "open", Extension.closes_at > clock.now())
    ).all()
    found = []
    for row in rows if mine else ():
        members = {seat.id for seat in queries.seats(session, row.sitting.panel)}
        if (
            members & mine - {given.seat_id for given in row.votes}
            and row.sitting.phase != "closed"
        ):
            found.append(row.sitting)
    return found


def propose(
    session: Session, actor: Viewer, *, sitting: Sitting, closes_at: datetime, reason: str
) -> Extension:
    """Set the first closing time, or propose a later one to the panel."""
    actor.require("office")
    if sitting.phase == "closed":
        raise NotNow(_OVER)
    rows = extensions(session, sitting)
    now = clock.now()
    for row in rows:
        if row.state == "open" and row.closes_at <= now:
            row.state, row.decided_at = "lost", now
    if any(row.state == "open" for row in rows):
        raise NotNow(_PENDING)
    before = closing_time(session, sitting)
    if closes_at <= max(now, before or now):
        raise DomainError(_PAST, field="closes_at")
    if len(reason.strip()) < 5:
        raise DomainError(_REASON, field="reason")
    made = Extension(
        sitting_id=sitting.id,
        closes_at=closes_at,
        before=before,
        reason=reason.strip(),
        seats=len(queries.seats(session, sitting.panel)),
        state="set" if before is None else "open",
        proposed_by=actor.id,
        proposed_at=now,
        decided_at=now if before is None else None,
    )
    session.add(made)
    session.flush()
    kind = "sitting.closing_set" if before is None else "sitting.extension_proposed"
    append(session, actor, kind, sitting=sitting.id, extension=made.id)
    return made


def vote(
    session: Session, actor: Viewer, *, sitting: Sitting, extension_id: str, yes: bool
) -> Extension:
    """One member's vote. It is decided as soon as more than half of the seats said yes, or no longer
    can; until the proposed time at the latest."""
    actor.require("expert")
    row = session.get(Extension, extension_id)
    if row is None or row.sitting_id != sitting.id:
        raise NotFound(queries.ABSENT)
    seat = queries.own_seat(session, actor, sitting.panel)
    if seat is None:
        raise Forbidden(_NOT_MEMBER)
    now = clock.now()
    if row.state != "open" or sitting.phase == "closed" or now >= row.closes_at:
        raise Conflict(_DECIDED)
    if any(given.seat_id == seat.id for given in row.votes):
        raise Conflict(_VOTED)
    answer = "yes" if yes else "no"
    row.votes.append(
        ExtensionVote(extension_id=row.id, seat_id=seat.id, answer=answer, voted_at=now)
    )
    ayes, noes = tally(row)
    if 2 * ayes > row.seats:
        row.state, row.decided_at = "carried", now
    elif 2 * noes >= row.seats:
        row.state, row.decided_at = "lost", now
    append(session, actor, "sitting.extension_voted", sealed=True, extension=row.id)
    if row.state != "open":
        append(
            session,
            actor,
            "sitting.extension_decided",
            extension=row.id,
            outcome=row.state,
            ayes=ayes,
            seats=row.seats,
        )
    return row


def tally(row: Extension) -> tuple[int, int]:
    """(votes for, votes against)."""
    ayes = sum(given.answer == "yes" for given in row.votes)
    return ayes, len(row.votes) - ayes
