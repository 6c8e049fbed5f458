"""Corrections after totals: one county, one listed cause, the office's reason, a second person's yes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.aggregation.models import Run
from app.db import At, Code, Long, Ref
from app.ledger.models import Record
from app.programme.models import Subject

CAUSES = ("adding", "out_of_range", "objective_unequal", "abnormal")


class MarkCorrection(Record):
    """Why the marks or values of a county may differ from run `run_id`, which counted others.

    It waits for a second person; `used_run_id` is the run that took it, once."""

    __tablename__ = "mark_correction"
    __table_args__ = (CheckConstraint(f"cause IN {CAUSES}", name="cause"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"))
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"))
    cause: Mapped[Code]
    reason: Mapped[Long]
    asked_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[At]
    confirmed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[datetime | None]
    used_run_id: Mapped[Ref | None] = mapped_column(ForeignKey("run.id"), index=True)

    run: Mapped[Run] = relationship(foreign_keys=[run_id], lazy="joined", innerjoin=True)
    subject: Mapped[Subject] = relationship(lazy="joined", innerjoin=True)
