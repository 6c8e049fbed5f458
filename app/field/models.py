"""What tablets pushed: operations word for word, the batches that cover them, and what became of those
that had to wait (docs/sync-protocol.md sections 4 to 6).

`field_op` and `field_outcome` are append-only like the ledger. What they say is bound to it by their
batch: `ops_root` over the operations' hashes, `results_root` over what was answered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account, Tablet
from app.db import At, Base, Code, Id, Long, Name, Ref
from app.draw.models import Seat
from app.ledger.models import Record, refuse_changes
from app.panel.models import Sitting

STATUSES = ("accepted", "branch", "held", "refused")


class FieldBatch(Record):
    """Operations that came in together and are covered by one ledger leaf."""

    __tablename__ = "field_batch"
    # The leaf that covers this very row.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"leaf"})
    tablet_id: Mapped[Ref] = mapped_column(ForeignKey("tablet.id"), index=True)
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    first: Mapped[Code]  # ids of the first and the last operation
    last: Mapped[Code]
    count: Mapped[int]
    ops_root: Mapped[Code]  # SHA-256 of the canonical list of the operations' hashes
    results_root: Mapped[Code]  # of the list of [hash, status, why, rev]
    received_at: Mapped[At]
    imported_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    leaf: Mapped[int | None] = mapped_column(index=True)


class FieldOp(Base):
    """One operation as it came, and the receipt that was given for it. Never changed."""

    __tablename__ = "field_op"
    __table_args__ = (
        UniqueConstraint("tablet_id", "sheet_key", "seq"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    batch_id: Mapped[Ref] = mapped_column(ForeignKey("field_batch.id"), index=True)
    position: Mapped[int]  # in the batch, from 0
    leaf: Mapped[int] = mapped_column(index=True)
    tablet_id: Mapped[Ref] = mapped_column(ForeignKey("tablet.id"))
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    sheet_key: Mapped[Code] = mapped_column(index=True)
    sheet_id: Mapped[Ref | None] = mapped_column(index=True)  # what it was applied to, in any table
    branch_id: Mapped[Ref | None] = mapped_column(index=True)
    seq: Mapped[int]
    prev: Mapped[Code]
    hash: Mapped[Code]
    kind: Mapped[Code]
    body: Mapped[Long]  # canonical JSON
    status: Mapped[Code]
    why: Mapped[Code | None]
    rev: Mapped[int]
    receipt: Mapped[Long]  # JSON, given again word for word


class FieldOutcome(Base):
    """What became of an operation that was held or lay in a branch. Never changed; the latest
    counts."""

    __tablename__ = "field_outcome"
    __table_args__ = (CheckConstraint(f"status IN {STATUSES}", name="status"),)
    id: Mapped[Id]
    op_id: Mapped[str] = mapped_column(String(32), ForeignKey("field_op.id"), index=True)
    status: Mapped[Code]
    why: Mapped[Code | None]
    sheet_id: Mapped[Ref | None] = mapped_column(index=True)
    rev: Mapped[int]
    leaf: Mapped[int]
    position: Mapped[int]  # among the outcomes of one leaf
    at: Mapped[At]


class Branch(Record):
    """What a tablet that was not the active one had entered: kept beside the sheet until its owner
    has chosen, item by item."""

    __tablename__ = "field_branch"
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    key: Mapped[Code]
    tablet_id: Mapped[Ref] = mapped_column(ForeignKey("tablet.id"))
    # As the tablet had them when it left the common line, then its own changes; both as a sheet's.
    entries: Mapped[dict[str, Any]]
    media: Mapped[list[Any]]  # [item, sha256] pairs
    touched: Mapped[list[Any]]  # items, in order of first touch
    opened_at: Mapped[At]
    resolved_at: Mapped[datetime | None]
    reason: Mapped[Long] = mapped_column(default="")

    tablet: Mapped[Tablet] = relationship()


class LateSheet(Record):
    """Operations that came after the close of the panel, whatever the tablet's clock says: the
    supervisor accepts or refuses them, with both times before him."""

    __tablename__ = "late_sheet"
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    key: Mapped[Code]
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    tablet_id: Mapped[Ref] = mapped_column(ForeignKey("tablet.id"))
    count: Mapped[int]
    first_at: Mapped[At]  # by the tablet's clock
    last_at: Mapped[At]
    arrived_at: Mapped[At]  # by the server's, the latest
    closed_at: Mapped[At]  # when the panel closed
    decision: Mapped[Code | None]  # accepted | refused
    reason: Mapped[Long] = mapped_column(default="")
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]

    sitting: Mapped[Sitting] = relationship(lazy="joined", innerjoin=True)
    seat: Mapped[Seat] = relationship(lazy="joined", innerjoin=True)
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    tablet: Mapped[Tablet] = relationship(lazy="joined", innerjoin=True)


class HeldDecision(Record):
    """What the supervisor decided about operations that were waiting when their author was recorded
    as absent: the absence is withdrawn and they count, or they are set aside for good."""

    __tablename__ = "field_held_decision"
    __table_args__ = (CheckConstraint("decision IN ('accepted', 'set_aside')", name="decision"),)
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    count: Mapped[int]
    first_at: Mapped[At]  # by the tablet's clock
    last_at: Mapped[At]
    absence_reason: Mapped[Long]
    decision: Mapped[Code]
    reason: Mapped[Long]
    decided_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[At]

    sitting: Mapped[Sitting] = relationship(lazy="joined", innerjoin=True)
    seat: Mapped[Seat] = relationship(lazy="joined", innerjoin=True)


class Unlock(Record):
    """The secret that opens one sitting's sheets without signal, encrypted, and the hash by which a
    tablet knows it."""

    __tablename__ = "field_unlock"
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), unique=True)
    secret: Mapped[Long]
    sha256: Mapped[Code]
    made_at: Mapped[At]


class SheetSignature(Record):
    """The hand-written signature under a sealed sheet: strokes of [x, y, milliseconds]."""

    __tablename__ = "field_signature"
    sheet_id: Mapped[Ref] = mapped_column(unique=True)  # of a county's sheet or a case file's
    # The sealing operation; no foreign key, since its row names the leaf that covers this one.
    op_id: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[Name]
    strokes: Mapped[list[Any]]


APPEND_ONLY = ("field_op", "field_outcome")

refuse_changes(APPEND_ONLY)
