"""Leave to draw for a county once more, after the round of its first draw was cancelled.

docs/draw-protocol.md section 14: asked by the office with a reason, given or refused by a supervisor,
used by one purpose. Without it a county of a scheme is drawn for once a year.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Long, Ref
from app.ledger.models import Record

STATES = ("asked", "refused", "released", "used")


class DrawRelease(Record):
    """One asking for a second draw after `draw_id`, and what became of it."""

    __tablename__ = "draw_release"
    __table_args__ = (
        UniqueConstraint("draw_id", "number"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
        Index(
            "ix_draw_release_one_open",
            "draw_id",
            unique=True,
            sqlite_where=text("state IN ('asked', 'released')"),
            postgresql_where=text("state IN ('asked', 'released')"),
        ),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    number: Mapped[int]  # 1 is the first asking for this draw
    state: Mapped[Code] = mapped_column(default="asked")
    reason: Mapped[Long]
    asked_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[At]
    answer: Mapped[Long] = mapped_column(default="")
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    statement: Mapped[Code | None]  # digest of what was released; the second commitment names it
    used_purpose: Mapped[Code | None] = mapped_column(index=True)
