"""A score sheet: one expert's marks on one county under one form version."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Ref
from app.draw.models import Seat
from app.ledger.models import Record
from app.panel.models import Sitting
from app.programme.models import FormVersion

STATES = ("draft", "sealed", "superseded", "recused", "absent")


class Sheet(Record):
    """`entries` maps indicator id to an entry (see `app.domain.scoring.sheets`). `version` counts
    saves: a save that names an older one is refused. A sealed sheet never changes but to be
    superseded by its next `revision`."""

    __tablename__ = "sheet"
    # They point at the leaf that covers this very row, so they cannot be inside it; `doctor`
    # holds them against the ledger.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"receipt", "receipt_seq"})
    __table_args__ = (
        UniqueConstraint("sitting_id", "seat_id", "revision"),
        CheckConstraint(f"state IN {STATES}", name="state"),
    )
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
    supersedes_id: Mapped[Ref | None] = mapped_column(ForeignKey("sheet.id"))
    reason: Mapped[Long] = mapped_column(default="")  # of a recusal, an absence, a correction

    def ledger_view(self) -> dict[str, Any]:
        """As every row, but the instrument (20 KB that never change) enters as the SHA-256 of its
        sorted JSON: hashing it canonically at every save would double the cost of a save."""
        view = super().ledger_view()
        text = json.dumps(self.instrument, sort_keys=True, ensure_ascii=False)
        view["instrument"] = hashlib.sha256(text.encode()).hexdigest()
        return view

    sitting: Mapped[Sitting] = relationship(lazy="joined", innerjoin=True)
    seat: Mapped[Seat] = relationship(lazy="joined", innerjoin=True)
    form_version: Mapped[FormVersion] = relationship()
