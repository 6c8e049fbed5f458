"""What a ceremony leaves behind beside the draw itself: device keys, cosignatures, the observer's
link, photographs of the dice, aborts, and the values that somebody is typing just now.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Base, Code, Id, Long, Name, Ref
from app.ledger.models import Record


class DeviceKey(Record):
    """The Ed25519 public key of a device that its owner alone holds. The private key never leaves
    the device; who lost the device revokes it and registers another."""

    __tablename__ = "device_key"
    __table_args__ = (
        Index(
            "ix_device_key_one_active",
            "account_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    public: Mapped[Code] = mapped_column(unique=True)  # 32 bytes, hex
    name: Mapped[Code]  # on signature lines: role-<8 hex digits of its SHA-256>
    label: Mapped[Name]  # what its owner calls the device
    registered_at: Mapped[At]
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[Name] = mapped_column(default="")


class Cosignature(Record):
    """A supervisor's signature, from his own device, over the checkpoint that holds a commitment
    (act 1) or the removals of a replacement act."""

    __tablename__ = "cosignature"
    __table_args__ = (UniqueConstraint("draw_id", "act"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    act: Mapped[int]
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    device_key_id: Mapped[Ref] = mapped_column(ForeignKey("device_key.id"))
    note: Mapped[Long]  # C2SP signed note: the ledger's signature line, then the device's
    at: Mapped[At]


class ObserverLink(Record):
    """The page without login on which the observer of one draw registers a chain and reveals its
    codes. Only the hash of its token is kept; a new link ends the old one."""

    __tablename__ = "observer_link"
    __table_args__ = (
        Index(
            "ix_observer_link_one_live",
            "draw_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    token_hash: Mapped[Code] = mapped_column(unique=True)
    made_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[At]
    ended_at: Mapped[datetime | None]


class DicePhoto(Record):
    """A photograph of the dice tray, for whoever doubts a value."""

    __tablename__ = "dice_photo"
    __table_args__ = (UniqueConstraint("draw_id", "source"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    source: Mapped[Code]
    sha256: Mapped[Code]
    mime: Mapped[Code]
    by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]


class Abort(Record):
    """Why and at which point an attempt ended; the words are `Draw.abort_reason`."""

    __tablename__ = "draw_abort"
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), unique=True)
    state: Mapped[Code]  # of the draw when it was ended
    cause: Mapped[Code]  # messages.ABORT
    by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]


class SourceFailure(Record):
    """One of the two says that a public source did not come about. Once both have, its committed
    fallback is read in its place."""

    __tablename__ = "source_failure"
    __table_args__ = (UniqueConstraint("draw_id", "source", "role"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    source: Mapped[Code]
    role: Mapped[Code]  # office | supervisor
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[Long]
    at: Mapped[At]


class Typing(Base):
    """Values on their way: what one of the two has typed of a source so far.

    Not in the ledger, since it decides nothing: `Dice` is written when the last value is in.
    """

    __tablename__ = "typing"
    __table_args__ = (UniqueConstraint("draw_id", "source", "role"),)
    id: Mapped[Id]
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    source: Mapped[Code]
    role: Mapped[Code]
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    values: Mapped[Long]  # "1 6 3": as far as typed
    at: Mapped[At]
