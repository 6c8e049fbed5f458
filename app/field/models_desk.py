"""What the office does beside the tablets: reminders, and the check-in desk of a panel's day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Name, Ref
from app.draw.models import Seat
from app.ledger.models import Record
from app.panel.models import Panel


class Reminder(Record):
    """What the office asked a member to do, in both languages; shown to him until he has seen it."""

    __tablename__ = "reminder"
    panel_id: Mapped[Ref] = mapped_column(ForeignKey("panel.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)  # who is reminded
    words: Mapped[dict[str, Any]]  # {zh, en}
    sent_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[At]
    seen_at: Mapped[datetime | None]

    panel: Mapped[Panel] = relationship(lazy="joined", innerjoin=True)


class DeskEntry(Record):
    """One member on one day at the check-in desk: identity checked, a spare tablet lent."""

    __tablename__ = "desk_entry"
    __table_args__ = (UniqueConstraint("panel_id", "seat_id", "on"),)
    panel_id: Mapped[Ref] = mapped_column(ForeignKey("panel.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    on: Mapped[date]
    checked_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    checked_at: Mapped[datetime | None]
    spare: Mapped[Name] = mapped_column(default="")  # number on the device that was lent
    lent_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    lent_at: Mapped[datetime | None]
    returned_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    returned_at: Mapped[datetime | None]

    seat: Mapped[Seat] = relationship()
