"""A run is immutable: official figures are read from it, never computed again for display."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Ref
from app.ledger.models import Record
from app.programme.models import Round


class Run(Record):
    """One aggregation of a round: the rule, the inputs, the results, each with its digest."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("round_id", "number"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    number: Mapped[int]
    rule: Mapped[dict[str, Any]]
    rule_digest: Mapped[Code]
    inputs: Mapped[dict[str, Any]]
    inputs_digest: Mapped[Code]
    results: Mapped[dict[str, Any]]
    results_digest: Mapped[Code]
    note: Mapped[Long]  # what changed against the run before, and why
    made_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[At]

    round: Mapped[Round] = relationship()
