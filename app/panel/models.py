"""Panels and their sittings. Leader and recorder are duties in a panel, not roles."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Ref
from app.draw.models import Draw, Seat
from app.ledger.models import Record
from app.programme.models import Round, Subject

PHASES = ("planned", "open", "statement", "scoring", "closed")


class Panel(Record):
    """The panel that a completed draw seated for one stage of a round."""

    __tablename__ = "panel"
    __table_args__ = (UniqueConstraint("draw_id", "code"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    stage: Mapped[Code]
    code: Mapped[Code]  # panel id of the commitment
    leader_seat_id: Mapped[Ref | None] = mapped_column(ForeignKey("seat.id"))
    recorder_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[At]

    draw: Mapped[Draw] = (
        relationship()
    )  # not joined: its snapshot is large, a sheet save needs none
    round: Mapped[Round] = relationship()
    leader: Mapped[Seat | None] = relationship()
    sittings: Mapped[list[Sitting]] = relationship(
        back_populates="panel", order_by="Sitting.position"
    )


class Sitting(Record):
    """A panel on one county. With a statement, scoring opens for all at once after it is closed
    (S0 art. 16(3)); a desk sitting has none."""

    __tablename__ = "sitting"
    __table_args__ = (
        UniqueConstraint("panel_id", "subject_id"),
        CheckConstraint(f"phase IN {PHASES}", name="phase"),
    )
    panel_id: Mapped[Ref] = mapped_column(ForeignKey("panel.id"), index=True)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    position: Mapped[int]
    on: Mapped[date]
    place: Mapped[Name] = mapped_column(default="")
    with_statement: Mapped[bool]
    phase: Mapped[Code] = mapped_column(default="planned")
    opened_at: Mapped[datetime | None]
    scoring_opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    panel: Mapped[Panel] = relationship(back_populates="sittings", lazy="joined", innerjoin=True)
    subject: Mapped[Subject] = relationship(lazy="joined", innerjoin=True)
    statement: Mapped[Statement | None] = relationship(back_populates="sitting")


class Attendance(Record):
    """Sign-in and sign-out of a seat at a sitting."""

    __tablename__ = "attendance"
    __table_args__ = (UniqueConstraint("sitting_id", "seat_id"),)
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    signed_in_at: Mapped[At]
    signed_out_at: Mapped[datetime | None]


class Declaration(Record):
    """A signed conflict or secrecy declaration, before any material is shown (rule C-13)."""

    __tablename__ = "declaration"
    __table_args__ = (
        UniqueConstraint("panel_id", "seat_id", "kind"),
        CheckConstraint("kind IN ('conflict', 'secrecy')", name="kind"),
    )
    panel_id: Mapped[Ref] = mapped_column(ForeignKey("panel.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    kind: Mapped[Code]
    text_digest: Mapped[Code]  # of the words that were signed
    answers: Mapped[dict[str, Any]]
    signed_name: Mapped[Name]
    signed_at: Mapped[At]


class Statement(Record):
    """The county representative's statement with questions and answers. A closed one was confirmed
    by the representative, or says by a code why it was not."""

    __tablename__ = "statement"
    ledger_later: ClassVar[frozenset[str]] = frozenset(
        {
            "unconfirmed", "unconfirmed_note", "identity", "consent_at", "consent_digest",
            "consent_by", "challenge_until", "confirmed_name", "signature",
        }
    )  # fmt: skip
    # The code is read off the leaf that covers the row, so it cannot stand in the row's digest.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"receipt", "receipt_seq"})
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), unique=True)
    presenter_id: Mapped[Ref | None] = mapped_column(ForeignKey("person.id"))
    presenter_name: Mapped[Name]
    presenter_post: Mapped[Name]
    proxy: Mapped[Name] = mapped_column(default="")  # number of the proxy letter
    outline: Mapped[Long] = mapped_column(default="")
    questions: Mapped[Long] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[At]
    closed_at: Mapped[datetime | None]
    recorded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[datetime | None]  # by the presenter
    unconfirmed: Mapped[
        Code | None
    ]  # why it closed without that: `app.panel.statements.UNCONFIRMED`
    unconfirmed_note: Mapped[Long | None]
    identity: Mapped[Code | None]  # how it was checked: `app.panel.statements.IDENTITY`
    consent_at: Mapped[datetime | None]  # to being recorded
    consent_digest: Mapped[Code | None]  # of the words that were agreed to
    consent_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    challenge_until: Mapped[datetime | None]  # None: to the end of the statement
    confirmed_name: Mapped[Name | None]
    signature: Mapped[list[Any] | None]  # strokes of [x, y, ms]
    receipt: Mapped[Code | None]
    receipt_seq: Mapped[int | None]

    sitting: Mapped[Sitting] = relationship(back_populates="statement")


class Challenge(Record):
    """A county's request that an expert stand aside (rule C-12): the office asks the expert and writes
    down what he answers, the supervisor decides."""

    __tablename__ = "challenge"
    ledger_later: ClassVar[frozenset[str]] = frozenset(
        {"on_behalf_of", "answer", "answered_at", "answer_by"}
    )
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    reason: Mapped[Long]
    raised_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    raised_at: Mapped[At]
    decision: Mapped[Code | None]  # upheld | dismissed
    decision_reason: Mapped[Long] = mapped_column(default="")
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    on_behalf_of: Mapped[Name | None]  # who asked for the county, when the office filed it
    answer: Mapped[Long | None]  # what the expert said
    answered_at: Mapped[datetime | None]
    answer_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))  # who wrote it down
