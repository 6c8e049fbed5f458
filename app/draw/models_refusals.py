"""Refused attempts at a draw: every one is kept, as the ledger keeps what was done.

docs/draw-protocol.md section 14: who tries for a second result shall be seen to have tried.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Ref
from app.ledger.models import Record


class DrawRefusal(Record):
    """One refused request of somebody signed in (or of an observer's link), and how many were
    turned away unseen since his last one. Codes alone: nothing of what was typed."""

    __tablename__ = "draw_refusal"
    round_id: Mapped[Ref | None] = mapped_column(ForeignKey("round.id"), index=True)
    draw_id: Mapped[Ref | None] = mapped_column(ForeignKey("draw.id"), index=True)
    actor_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    link_id: Mapped[Ref | None] = mapped_column(ForeignKey("observer_link.id"))
    act: Mapped[Code]  # `refusals.ACTS`
    reason: Mapped[Code]  # `refusals.REASONS`
    turned_away: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int]  # the ledger entry that it stands in
    at: Mapped[At]
