"""What is filled in: score sheets, sheets of case files, and what others than experts give."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.db import At, Code, Long, Ref
from app.draw.models import Seat
from app.ledger.models import Record
from app.panel.models import Sitting
from app.programme.models import CaseFile, FormVersion

STATES = ("draft", "sealed", "superseded", "recused", "absent")


class Filled(Record):
    """What every sheet is made of, whatever it is about.

    `entries` maps indicator id to an entry (see `app.domain.scoring.sheets`). `version` counts
    saves: a save that names an older one is refused. A sealed sheet never changes but to be
    superseded by its next `revision`."""

    __abstract__ = True
    # They point at the leaf that covers this very row, so they cannot be inside it; `doctor`
    # holds them against the ledger.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"receipt", "receipt_seq"})
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    form_version_id: Mapped[Ref] = mapped_column(ForeignKey("form_version.id"))
    instrument: Mapped[dict[str, Any]]  # compiled for this county, frozen with the sheet
    instrument_digest: Mapped[Code]
    revision: Mapped[int] = mapped_column(default=1)
    state: Mapped[Code] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=0)
    entries: Mapped[dict[str, Any]] = mapped_column(default=dict)
    marked: Mapped[Decimal | None]  # sum of the expert's own marks when sealed
    saved_at: Mapped[At]
    sealed_at: Mapped[datetime | None]
    receipt: Mapped[Code | None]  # code printed for the expert
    receipt_seq: Mapped[int | None]  # ledger entry of the seal
    reason: Mapped[Long] = mapped_column(default="")  # of a recusal, an absence, a correction

    if TYPE_CHECKING:
        supersedes_id: Mapped[Ref | None]  # each kind of sheet points at its own table

    def ledger_view(self) -> dict[str, Any]:
        """As every row, but the instrument (20 KB that never change) enters as the SHA-256 of its
        sorted JSON: hashing it canonically at every save would double the cost of a save."""
        view = super().ledger_view()
        text = json.dumps(self.instrument, sort_keys=True, ensure_ascii=False)
        view["instrument"] = hashlib.sha256(text.encode()).hexdigest()
        return view

    @declared_attr
    @classmethod
    def sitting(cls) -> Mapped[Sitting]:
        """The sitting that it was filled in at."""
        return relationship(Sitting, lazy="joined", innerjoin=True)

    @declared_attr
    @classmethod
    def seat(cls) -> Mapped[Seat]:
        """The expert's seat."""
        return relationship(Seat, lazy="joined", innerjoin=True)

    @declared_attr
    @classmethod
    def form_version(cls) -> Mapped[FormVersion]:
        """The form version that it is filled in on."""
        return relationship(FormVersion)


class Sheet(Filled):
    """One expert's marks on one county."""

    __tablename__ = "sheet"
    __table_args__ = (
        UniqueConstraint("sitting_id", "seat_id", "revision"),
        CheckConstraint(f"state IN {STATES}", name="state"),
    )
    supersedes_id: Mapped[Ref | None] = mapped_column(ForeignKey("sheet.id"))


class CaseSheet(Filled):
    """One expert's marks on one sampled case file of a county: a sheet of the repeated sub-form."""

    __tablename__ = "case_sheet"
    __table_args__ = (
        UniqueConstraint("case_file_id", "seat_id", "revision"),
        CheckConstraint("state IN ('draft', 'sealed', 'superseded')", name="state"),
    )
    case_file_id: Mapped[Ref] = mapped_column(ForeignKey("case_file.id"), index=True)
    supersedes_id: Mapped[Ref | None] = mapped_column(ForeignKey("case_sheet.id"))

    case_file: Mapped[CaseFile] = relationship(lazy="joined", innerjoin=True)


class SheetHold(Record):
    """Which device a seat's sheet is being filled in on, and how many branches wait for its owner.

    `key` is the field protocol's: SITTING, or SITTING/CASE. `tablet_id` None: the server's pages, or
    with `paper_id` a paper sheet that clerks are entering."""

    __tablename__ = "sheet_hold"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"paper_id"})
    __table_args__ = (UniqueConstraint("seat_id", "key"),)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    key: Mapped[Code]
    tablet_id: Mapped[Ref | None] = mapped_column(ForeignKey("tablet.id"))
    branches: Mapped[int] = mapped_column(default=0)
    since: Mapped[At]
    paper_id: Mapped[Ref | None]  # of the paper sheet that has it


class GivenMark(Record):
    """What somebody other than an expert gives on one item: the programme office, a higher authority,
    a bonus, a self-check. Entered with its evidence by one person, confirmed by another."""

    __tablename__ = "given_mark"
    __table_args__ = (UniqueConstraint("subject_id", "place", "item"),)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    place: Mapped[Code]  # of the form in the round
    item: Mapped[Code]
    entry: Mapped[dict[str, Any]]  # as in a sheet
    materials: Mapped[list[Any]] = mapped_column(default=list)  # ids of filed documents
    evidence: Mapped[Long] = mapped_column(default="")
    instrument_digest: Mapped[Code]
    entered_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[At]
    confirmed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[datetime | None]


class AbsenceUndone(Record):
    """An absence that was recorded by mistake and taken back: both reasons stay on record."""

    __tablename__ = "absence_undone"
    sheet_id: Mapped[Ref] = mapped_column(ForeignKey("sheet.id"), index=True)
    absence_reason: Mapped[Long]
    absent_at: Mapped[At]
    reason: Mapped[Long]
    undone_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[At]

    sheet: Mapped[Sheet] = relationship(lazy="joined", innerjoin=True)
