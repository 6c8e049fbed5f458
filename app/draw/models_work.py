"""A slow computation of a draw on its way: how far it is, for whoever opens the page meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Base, Code, Id, Long, Ref

STATES = ("running", "done", "refused", "broken")


class Work(Base):
    """The latest what-if or commitment that a draw's page asked for; one row a draw.

    Not in the ledger, since it decides nothing: what it leads to is recorded by its own act.
    """

    __tablename__ = "draw_work"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("kind IN ('what_if', 'commit')", name="kind"),
    )
    id: Mapped[Id]
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), unique=True)
    kind: Mapped[Code]
    account_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[Code] = mapped_column(default="running")
    stage_zh: Mapped[Long] = mapped_column(default="")
    stage_en: Mapped[Long] = mapped_column(default="")
    thousandths: Mapped[int | None]  # of this stage; empty where nobody can say
    said_zh: Mapped[Long] = mapped_column(default="")  # why it ended without a result
    said_en: Mapped[Long] = mapped_column(default="")
    began_at: Mapped[At]
    heard_at: Mapped[At]  # the last sign of life
    ended_at: Mapped[datetime | None]
