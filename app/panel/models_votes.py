"""The closing time of a sitting, and the votes by which a panel moves it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Ref
from app.ledger.models import Record
from app.panel.models import Sitting


class Extension(Record):
    """A closing time. The first of a sitting is set by the office (`state` set); each later one is
    proposed with a reason and stands only when a majority of the seats voted for it in time."""

    __tablename__ = "sitting_extension"
    __table_args__ = (CheckConstraint("state IN ('set', 'open', 'carried', 'lost')", name="state"),)
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    closes_at: Mapped[At]  # what is proposed
    before: Mapped[datetime | None]  # the closing time when it was proposed
    reason: Mapped[Long]
    seats: Mapped[int]  # of the panel at that moment: half of them is no majority
    state: Mapped[Code]
    proposed_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[At]
    decided_at: Mapped[datetime | None]

    sitting: Mapped[Sitting] = relationship(lazy="joined", innerjoin=True)
    votes: Mapped[list[ExtensionVote]] = relationship(order_by="ExtensionVote.voted_at")


class ExtensionVote(Record):
    """One member's vote, given once."""

    __tablename__ = "sitting_extension_vote"
    __table_args__ = (
        UniqueConstraint("extension_id", "seat_id"),
        CheckConstraint("answer IN ('yes', 'no')", name="answer"),
    )
    extension_id: Mapped[Ref] = mapped_column(ForeignKey("sitting_extension.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    answer: Mapped[Code]
    voted_at: Mapped[At]
