"""The rating report of a round, its signatures and its paper."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.aggregation.models import Run
from app.db import At, Code, Long, Name, Ref
from app.ledger.models import Record
from app.programme.models import Round


class Report(Record):
    """One report on one run. Final means signed by all (or refusal recorded): no change after, but
    that a later final report on a later run says that it replaces this one."""

    __tablename__ = "report"
    ledger_later = frozenset({"made_with"})
    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        CheckConstraint("state IN ('drafting', 'signing', 'final', 'replaced')", name="state"),
    )
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[Ref] = mapped_column(ForeignKey("run.id"))
    number: Mapped[int]
    state: Mapped[Code] = mapped_column(default="drafting")
    version: Mapped[int] = mapped_column(default=1)
    sections: Mapped[dict[str, Any]]  # the leader's own words by section
    head: Mapped[Name | None]  # ledger head that the paper prints, mj1:SIZE:ROOT
    pdf_sha256: Mapped[Code | None]
    made_with: Mapped[Code | None]  # version of the program that made the paper; None: 0.1.0
    due_at: Mapped[At]
    created_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[At]
    finished_at: Mapped[datetime | None]  # signing closed: the moment that the paper bears

    round: Mapped[Round] = relationship()
    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)
    signatures: Mapped[list[Signature]] = relationship(order_by="Signature.at")


class Revision(Record):
    """The leader's words of one section as they were saved: what, when, by whom. Never changed."""

    __tablename__ = "report_revision"
    __table_args__ = (UniqueConstraint("report_id", "version"),)
    report_id: Mapped[Ref] = mapped_column(ForeignKey("report.id"), index=True)
    version: Mapped[int]  # the report's version that this save made
    key: Mapped[Code]
    text: Mapped[Long]
    by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]


class RankFigures(Record):
    """How sure the ranks are, as a report prints it (see certainty.py): kept when it goes to signing,
    so that every later print says the same. Never changed."""

    __tablename__ = "report_rank_figures"
    report_id: Mapped[Ref] = mapped_column(ForeignKey("report.id"), unique=True)
    figures: Mapped[dict[str, Any]]


class Signature(Record):
    """A panel member under the report: signed, dissent in writing, or refusal recorded."""

    __tablename__ = "signature"
    __table_args__ = (
        UniqueConstraint("report_id", "expert_id"),
        CheckConstraint("state IN ('signed', 'dissent', 'refused')", name="state"),
    )
    report_id: Mapped[Ref] = mapped_column(ForeignKey("report.id"), index=True)
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"))
    state: Mapped[Code]
    text: Mapped[Long] = mapped_column(default="")
    at: Mapped[At]
