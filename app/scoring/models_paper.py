"""Paper sheets: what two clerks read off a signed sheet, each alone, and the scan that settles it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Ref
from app.draw.models import Seat
from app.ledger.models import Record
from app.panel.models import Sitting


class PaperSheet(Record):
    """One expert's sheet that is entered from paper. While it is neither sealed nor given up it owns
    the sheet: nobody fills it in elsewhere. Both readings, and what was settled, stay on record."""

    __tablename__ = "paper_sheet"
    ledger_later: ClassVar[frozenset[str]] = frozenset(
        {"objection_decision", "objection_reason", "objection_decided_by", "objection_decided_at"}
    )
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    key: Mapped[Code]  # as in the field protocol: SITTING, or SITTING/CASE
    sheet_id: Mapped[Ref] = mapped_column(index=True)  # of a county's sheet or a case file's
    replaced: Mapped[dict[str, Any]]  # what a lost tablet's draft held before
    started_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[At]
    first_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    first_name: Mapped[Name] = mapped_column(default="")
    first_entries: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first_at: Mapped[datetime | None]  # when the reading was finished
    second_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    second_name: Mapped[Name] = mapped_column(default="")
    second_entries: Mapped[dict[str, Any]] = mapped_column(default=dict)
    second_at: Mapped[datetime | None]
    scan_sha256: Mapped[Code | None]
    scan_mime: Mapped[Code | None]
    scan_name: Mapped[Name | None]
    scan_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    scan_at: Mapped[datetime | None]
    picks: Mapped[dict[str, Any]] = mapped_column(default=dict)  # item -> first | second | anew
    settled: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the entries that count
    settled_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    settled_at: Mapped[datetime | None]
    sealed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    sealed_at: Mapped[datetime | None]
    objection: Mapped[Long | None]
    objected_at: Mapped[datetime | None]
    objection_decision: Mapped[Code | None]  # upheld | dismissed, by a supervisor
    objection_reason: Mapped[Long | None]
    objection_decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    objection_decided_at: Mapped[datetime | None]
    given_up_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    given_up_at: Mapped[datetime | None]
    given_up_reason: Mapped[Long | None]

    sitting: Mapped[Sitting] = relationship(lazy="joined", innerjoin=True)
    seat: Mapped[Seat] = relationship(lazy="joined", innerjoin=True)

    @property
    def live(self) -> bool:
        """Being entered: begun, neither sealed nor given up."""
        return self.sealed_at is None and self.given_up_at is None
