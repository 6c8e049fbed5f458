"""A draw from request to replacement. The procedure itself is in `app.domain.draw`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Ref
from app.ledger.models import Record
from app.programme.models import Round
from app.registry.models import Expert

STATES = ("draft", "committed", "cosigned", "completed", "aborted")
# Stages whose draw puts things in order instead of seating experts (`app.draw.models_order`).
ORDER_STAGES = ("order-statements", "order-counties", "order-cases", "tie")
# No act drew it: the seat of a trainee, who sits along and never counts (`app.panel.trainees`).
TRAINEE_ACT = 0


class Draw(Record):
    """One attempt at one purpose (round, stage, set of counties)."""

    __tablename__ = "draw"
    __table_args__ = (
        UniqueConstraint("purpose_key", "attempt"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("kind IN ('real', 'drill')", name="kind"),
        # One open and one completed commitment for a purpose: a second result cannot exist.
        Index(
            "ix_draw_one_open",
            "purpose_key",
            unique=True,
            sqlite_where=text("state IN ('committed', 'cosigned')"),
            postgresql_where=text("state IN ('committed', 'cosigned')"),
        ),
        Index(
            "ix_draw_one_completed",
            "purpose_key",
            unique=True,
            sqlite_where=text("state = 'completed'"),
            postgresql_where=text("state = 'completed'"),
        ),
    )
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    stage: Mapped[Code]
    kind: Mapped[Code]
    purpose_key: Mapped[Code]  # digest of scheme, round, stage, subject set and kind
    attempt: Mapped[int] = mapped_column(default=1)
    state: Mapped[Code] = mapped_column(default="draft")
    request: Mapped[dict[str, Any]]
    commitment: Mapped[dict[str, Any] | None]
    commitment_hash: Mapped[Code | None]
    commitment_seq: Mapped[int | None]  # ledger entry that holds it
    cosigned_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    cosigned_at: Mapped[datetime | None]
    checkpoint: Mapped[Long | None]  # the signed head over the commitment
    key: Mapped[Code | None]
    # What was frozen with the commitment beside the candidates: lottery tables, the inclusion proof
    # of the commitment, and the pool, strata, warnings and chances as they were shown.
    snapshot: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    transcript_sha256: Mapped[Code | None]
    created_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[At]
    drawn_at: Mapped[datetime | None]
    abort_reason: Mapped[Long] = mapped_column(default="")

    round: Mapped[Round] = relationship(lazy="joined", innerjoin=True)
    candidates: Mapped[list[Candidate]] = relationship(order_by="Candidate.pseudonym")
    parties: Mapped[list[Party]] = relationship(order_by="Party.position")
    dice: Mapped[list[Dice]] = relationship(order_by="Dice.at")
    # Those that were drawn: a trainee's seat is of no act (`TRAINEE_ACT`).
    seats: Mapped[list[Seat]] = relationship(
        back_populates="draw",
        order_by="(Seat.panel, Seat.number, Seat.act)",
        primaryjoin="and_(Draw.id == Seat.draw_id, Seat.act > 0)",
    )
    acts: Mapped[list[Act]] = relationship(order_by="Act.number")

    @property
    def is_order(self) -> bool:
        """It draws an order of things: no candidates, no seats, no calls."""
        return self.stage in ORDER_STAGES


class Candidate(Record):
    """An expert as the commitment saw him: pseudonym, facts, or why he may not sit."""

    __tablename__ = "candidate"
    __table_args__ = (
        UniqueConstraint("draw_id", "expert_id"),
        UniqueConstraint("draw_id", "pseudonym"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    pseudonym: Mapped[Code]
    leaf_salt: Mapped[Code]
    facts: Mapped[dict[str, Any]]
    # [{panel, rule, zh, en, salt, evidence}]: a panel's id -> one exclusion with printed reason
    exclusions: Mapped[list[Any]] = mapped_column(default=list)

    expert: Mapped[Expert] = relationship(lazy="joined", innerjoin=True)


class Party(Record):
    """Office, supervisor or observer with a chain of one-time codes that only he knows."""

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("draw_id", "name"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    position: Mapped[int]
    name: Mapped[Code]  # office | supervisor | observer
    account_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    commitment: Mapped[Code]
    index: Mapped[int]
    codes: Mapped[list[Any]] = mapped_column(default=list)  # revealed so far, act 1 first


class Dice(Record):
    """The values of one source as one person typed them; two people must agree."""

    __tablename__ = "dice"
    __table_args__ = (
        UniqueConstraint("draw_id", "source", "account_id"),
        UniqueConstraint("draw_id", "source", "role"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    source: Mapped[Code]
    role: Mapped[Code]  # office | supervisor: one value list of each
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    values: Mapped[list[Any]]
    at: Mapped[At]


class Seat(Record):
    """A place on a panel and the expert who was drawn for it. A sheet counts iff its seat is
    active: drawn or confirmed, not removed. A trainee's (`TRAINEE_ACT`) is never active."""

    __tablename__ = "seat"
    __table_args__ = (
        UniqueConstraint("draw_id", "panel", "number", "act"),
        CheckConstraint("state IN ('drawn', 'confirmed', 'removed')", name="state"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    panel: Mapped[Code]
    number: Mapped[int]
    act: Mapped[int] = mapped_column(default=1)
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    ticket: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="drawn")
    reason: Mapped[Code | None]  # coded cause of a removal (rule D-10)
    evidence: Mapped[Long] = mapped_column(default="")
    changed_at: Mapped[At]

    draw: Mapped[Draw] = relationship(back_populates="seats")
    expert: Mapped[Expert] = relationship(lazy="joined", innerjoin=True)
    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.at")

    @property
    def active(self) -> bool:
        return self.state != "removed"

    @property
    def trainee(self) -> bool:
        return self.act == TRAINEE_ACT


class Contact(Record):
    """One call to a drawn expert."""

    __tablename__ = "contact"
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    at: Mapped[At]
    channel: Mapped[Code]  # phone | in_person | other
    outcome: Mapped[Code]  # accepted | declined | unreachable
    reason: Mapped[Code | None]
    note: Mapped[Long] = mapped_column(default="")
    by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))


class Act(Record):
    """A replacement act: the removals that were fixed first, then its codes, key and result."""

    __tablename__ = "act"
    __table_args__ = (UniqueConstraint("draw_id", "number"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    number: Mapped[int]  # 2 is the first replacement act
    removals: Mapped[list[Any]]
    removal_hash: Mapped[Code]
    codes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    key: Mapped[Code | None]
    result: Mapped[dict[str, Any] | None]
    recorded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    cosigned_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[At]
    completed_at: Mapped[datetime | None]
