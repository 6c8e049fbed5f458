"""Flags of a run as rows, the experts' explanations, the supervisor's decisions, calibration meetings.

A flag is advice. What people say to it is added beside it and never changed: an explanation once, a
decision as the next of its line, the latest of which stands.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.aggregation.models import Run
from app.db import At, Code, Long, Ref
from app.ledger.models import Record

OUTCOMES = ("keep", "calibrate", "exclude")


class RunFlag(Record):
    """One flag of a run: which rule, about whom and what, with the numbers as the rule gave them.

    `number` is its place in the run's stored results, where its sentence stands in both languages.
    `key` names the same observation in every run of the round."""

    __tablename__ = "run_flag"
    __table_args__ = (UniqueConstraint("run_id", "number"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"), index=True)
    number: Mapped[int]
    key: Mapped[Code] = mapped_column(index=True)
    rule: Mapped[Code]
    level: Mapped[Code]
    stage: Mapped[Code | None]
    subject_id: Mapped[Ref | None] = mapped_column(ForeignKey("subject.id"))
    seat_id: Mapped[Ref | None] = mapped_column(ForeignKey("seat.id"), index=True)
    other_seat_id: Mapped[Ref | None] = mapped_column(
        ForeignKey("seat.id"), index=True
    )  # of a pair
    sheet_id: Mapped[Ref | None] = mapped_column(ForeignKey("sheet.id"))  # where it is about one
    numbers: Mapped[dict[str, Any]]
    false_alarm: Mapped[
        dict[str, Any] | None
    ]  # fired, simulated, k, per, seed; None: states a fact

    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)

    @property
    def seats(self) -> tuple[str, ...]:
        """The seats of the experts whose marks it is about."""
        return tuple(seat for seat in (self.seat_id, self.other_seat_id) if seat is not None)


class FlagAnswer(Record):
    """An expert's written explanation of a flag of his own marks: once, dated."""

    __tablename__ = "flag_answer"
    __table_args__ = (UniqueConstraint("key", "seat_id"),)
    flag_id: Mapped[Ref] = mapped_column(ForeignKey("run_flag.id"), index=True)
    key: Mapped[Code]
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    text: Mapped[Long]
    by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]


class FlagDecision(Record):
    """The supervisor's decision on a flag; the highest number of a key stands, the others stay."""

    __tablename__ = "flag_decision"
    __table_args__ = (
        UniqueConstraint("key", "number"),
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
    )
    flag_id: Mapped[Ref] = mapped_column(ForeignKey("run_flag.id"), index=True)
    key: Mapped[Code]
    number: Mapped[int]
    outcome: Mapped[Code]
    reason: Mapped[Long]
    by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]

    flag: Mapped[RunFlag] = relationship(lazy="joined", innerjoin=True)


class CalibrationMeeting(Record):
    """A calibration meeting that was held because of a run's agreement or a flag."""

    __tablename__ = "calibration_meeting"
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"), index=True)
    held_on: Mapped[date]
    note: Mapped[Long]
    by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]
