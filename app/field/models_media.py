"""Photos and recordings that arrived from tablets."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Ref
from app.ledger.models import Record


class MediaFile(Record):
    """One file as its owner's tablet knows it (`sha256`, the bytes that were received) and as it is
    kept (`kept_sha256`): the two differ for a photo that carried metadata, of which only the pixels
    are kept. Two people who send the same bytes have a row each."""

    __tablename__ = "media_file"
    __table_args__ = (UniqueConstraint("account_id", "sha256"),)
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    tablet_id: Mapped[Ref | None] = mapped_column(ForeignKey("tablet.id"))
    sha256: Mapped[Code] = mapped_column(index=True)
    size: Mapped[int]
    mime: Mapped[Code]
    kept_sha256: Mapped[Code]
    kept_size: Mapped[int]
    kept_mime: Mapped[Code]
    arrived_at: Mapped[At]
