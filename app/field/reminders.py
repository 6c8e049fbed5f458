"""Reminders: what a member still has to do, in words to copy, on his own pages and in his package until
he has seen it. Sending and seeing are on record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import NotFound, NotNow, Text
from app.field.board import Row, board
from app.field.heads import moment
from app.field.models_desk import Reminder
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Panel

ABSENT = Text(
    "没有这条提醒，或它不是给您的。", "There is no such reminder, or it is not addressed to you."
)
_NOTHING = Text(
    "这位专家没有需要本人办理的事项。没有发出提醒。",
    "Nothing waits for this expert. No reminder was sent.",
)
_NO_ACCOUNT = Text(
    "这位专家还没有账号，请电话提醒并在签到处办理。没有发出提醒。",
    "This expert has no account yet: call, and help at the check-in desk. Nothing was sent.",
)
_WORDS = Text(
    "创建办公室提醒您（{round}，{panel} 组，{on}）：{list}。",
    "The programme office reminds you ({round}, panel {panel}, {on}): {list}.",
)


def words_for(panel: Panel, on: Any, row: Row) -> Text | None:
    """What to tell this member, or None when nothing waits for him."""
    problems = [problem.words for problem in row.own_problems]
    if not problems:
        return None
    listed = Text("；".join(p.zh for p in problems), "; ".join(p.en for p in problems))
    return _WORDS.format(round=panel.round.title, panel=panel.code, on=on, list=listed)


def remind(session: Session, actor: Viewer, *, panel: Panel, on: Any, seat_id: str) -> Reminder:
    """Send one member what the board says of him. Conflict when nothing waits for him."""
    actor.require("office")
    made = board(session, actor, panel, on)
    row = next((row for row in made.rows if row.seat.id == seat_id), None)
    if row is None:
        raise NotFound(panels.ABSENT)
    words = words_for(panel, made.on, row)
    if words is None:
        raise NotNow(_NOTHING)
    if row.account_id is None:
        raise NotNow(_NO_ACCOUNT)
    sent = Reminder(
        panel_id=panel.id,
        seat_id=seat_id,
        account_id=row.account_id,
        words={"zh": words.zh, "en": words.en},
        sent_by=actor.id,
        sent_at=clock.now(),
    )
    session.add(sent)
    append(session, actor, "reminder.sent", sealed=True, panel=panel.id)
    return sent


def unseen(session: Session, viewer: Viewer) -> list[Reminder]:
    """The viewer's reminders that he has not seen, oldest first."""
    return list(
        session.scalars(
            select(Reminder)
            .where(Reminder.account_id == viewer.id, Reminder.seen_at.is_(None))
            .order_by(Reminder.sent_at, Reminder.id)
        )
    )


def seen(session: Session, actor: Viewer, reminder_id: str) -> Reminder:
    """The member has read it: it is shown no more. Reading twice changes nothing."""
    row = session.get(Reminder, reminder_id)
    if row is None or row.account_id != actor.id:
        raise NotFound(ABSENT)
    if row.seen_at is None:
        row.seen_at = clock.now()
        append(session, actor, "reminder.seen", sealed=True, reminder=row.id)
    return row


def told(session: Session, viewer: Viewer) -> list[dict[str, Any]]:
    """Unseen reminders as the package has them."""
    return [
        {"id": row.id, "at": moment(row.sent_at), "words": row.words}
        for row in unseen(session, viewer)
    ]
