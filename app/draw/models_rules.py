"""Changes of a round's rule set: what was in force before and after, by whom and why.

A commitment names the digest of the set that it was made under; the set itself stays readable here
after the round has gone on to another one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Long, Ref
from app.ledger.models import Record


class RuleChange(Record):
    """One change; `number` counts them in a round from 1."""

    __tablename__ = "rule_change"
    __table_args__ = (UniqueConstraint("round_id", "number"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    number: Mapped[int]
    rule_id: Mapped[Code]  # or central_exempt
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    before_digest: Mapped[Code] = mapped_column(index=True)
    after_digest: Mapped[Code] = mapped_column(index=True)
    reason: Mapped[Long]
    changed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    changed_at: Mapped[At]
