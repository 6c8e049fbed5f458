"""What a supervisor writes beside a result: a note, or a hold that keeps it from being released."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.aggregation.models import Run
from app.db import At, Code, Long, Ref
from app.ledger.models import Record
from app.programme.models import Subject

KINDS = ("note", "hold")


class ResultHold(Record):
    """A supervisor's note or hold on a result: of one county, or (`subject_id` None) of the whole run.

    `run_id` is the run that was looked at. A hold binds that run and every later one of the round
    until it is lifted: computing again is no way round it."""

    __tablename__ = "result_hold"
    __table_args__ = (CheckConstraint(f"kind IN {KINDS}", name="kind"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"), index=True)
    subject_id: Mapped[Ref | None] = mapped_column(ForeignKey("subject.id"))
    kind: Mapped[Code]
    reason: Mapped[Long]
    placed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    placed_at: Mapped[At]
    lifted_reason: Mapped[Long | None]
    lifted_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    lifted_at: Mapped[datetime | None]

    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)
    subject: Mapped[Subject | None] = relationship(lazy="joined")

    @property
    def open(self) -> bool:
        """A hold that nobody has lifted."""
        return self.kind == "hold" and self.lifted_at is None
