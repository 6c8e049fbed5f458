"""Trainees: experts in training who sit along on a panel, with a seat that never counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Long, Ref
from app.draw.models import Seat
from app.ledger.models import Record
from app.panel.models import Panel


class Trainee(Record):
    """Who sits along on a panel, why, and from when to when. His seat is of no act and not active
    (`app.draw.models.TRAINEE_ACT`), so that whatever counts leaves it out without knowing of him."""

    __tablename__ = "trainee"
    panel_id: Mapped[Ref] = mapped_column(ForeignKey("panel.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), unique=True)
    reason: Mapped[Long]
    appointed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    appointed_at: Mapped[At]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[Long] = mapped_column(default="")
    ended_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))

    panel: Mapped[Panel] = relationship(lazy="joined", innerjoin=True)
    seat: Mapped[Seat] = relationship(lazy="joined", innerjoin=True)
