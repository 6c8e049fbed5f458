"""What must always hold between panels, sittings and statements."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.panel.models import Panel, Sitting, Statement
from app.panel.statements import UNCONFIRMED


def leaders_sit(session: Session) -> list[Text]:
    """A leader holds an active seat of the panel that he leads."""
    return [
        Text(
            f"专家组 {panel.code}：组长席位已失效，请改选组长",
            f"panel {panel.code}: its leader's seat is no longer active; name another",
        )
        for panel in session.scalars(select(Panel).where(Panel.leader_seat_id.is_not(None)))
        if panel.leader is None or not panel.leader.active
    ]


def scoring_after_statement(session: Session) -> list[Text]:
    """No scoring before the statement is closed (S0 art. 16(3))."""
    rows = session.execute(
        select(Sitting, Statement)
        .outerjoin(Statement, Statement.sitting_id == Sitting.id)
        .where(Sitting.with_statement, Sitting.scoring_opened_at.is_not(None))
    )
    return [
        Text(
            f"会议 {sitting.id}：陈述未结束就开放了评分",
            f"sitting {sitting.id}: scoring was opened before the statement was closed",
        )
        for sitting, statement in rows
        if statement is None
        or statement.closed_at is None
        or sitting.scoring_opened_at is None
        or statement.closed_at > sitting.scoring_opened_at
    ]


def confirmed_or_explained(session: Session) -> list[Text]:
    """A statement's reason for the missing confirmation is a known one, and stands alone."""
    rows = session.scalars(select(Statement).where(Statement.unconfirmed.is_not(None)))
    return [
        Text(
            f"会议 {row.sitting_id}：陈述记录的确认情况自相矛盾",
            f"sitting {row.sitting_id}: the confirmation of its statement contradicts itself",
        )
        for row in rows
        if row.unconfirmed not in UNCONFIRMED or row.confirmed_at or row.closed_at is None
    ]


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("panel leaders hold an active seat", leaders_sit),
    ("scoring opens after the statement", scoring_after_statement),
    ("an unconfirmed statement says why", confirmed_or_explained),
)
