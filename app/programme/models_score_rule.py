"""Score rules that were put on record for a round: what was in force before and after, by whom and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Long, Ref
from app.ledger.models import Record


class ScoreRuleChange(Record):
    """One rule put on record before the round opened; `number` counts them in a round from 1."""

    __tablename__ = "score_rule_change"
    __table_args__ = (UniqueConstraint("round_id", "number"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    number: Mapped[int]
    source: Mapped[Long]  # the YAML text as it was given
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    before_digest: Mapped[Code]
    after_digest: Mapped[Code]
    reason: Mapped[Long]
    changed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    changed_at: Mapped[At]
