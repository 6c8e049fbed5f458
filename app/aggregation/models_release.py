"""Letting the counties see a run: proposed by the office, confirmed by a second person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.aggregation.models import Run
from app.db import At, Ref
from app.ledger.models import Record


class ResultRelease(Record):
    """One run shown to the counties. Nothing is seen before `confirmed_at`; the latest confirmed one
    is what they see until another is confirmed."""

    __tablename__ = "result_release"
    __table_args__ = (UniqueConstraint("run_id"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"))
    proposed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[At]
    confirmed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[datetime | None]

    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)
