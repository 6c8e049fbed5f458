"""The things of an order draw: what the roster of its commitment is made of instead of experts.

docs/draw-protocol.md, "Order of things". The code of a thing follows from its words (section 10, labels),
so that nobody can say after the draw that a code stood for something else.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Code, Name, Ref
from app.domain.types import Text
from app.ledger.models import Record


class OrderItem(Record):
    """One thing as the commitment saw it, and its place once the draw is complete.

    `position` counts from 1; it stays empty for what a sample did not take.
    """

    __tablename__ = "order_item"
    __table_args__ = (
        UniqueConstraint("draw_id", "pseudonym"),
        UniqueConstraint("draw_id", "thing_kind", "thing_id"),
        UniqueConstraint("draw_id", "position"),
        CheckConstraint("thing_kind IN ('county', 'case_file')", name="thing_kind"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    pseudonym: Mapped[Code]
    leaf_salt: Mapped[Code]
    thing_kind: Mapped[Code]
    thing_id: Mapped[Ref]  # subject.id or case_file.id
    label: Mapped[Name]  # the words that the code stands for, as in the transcript
    label_en: Mapped[Name]  # what an English page says instead
    position: Mapped[int | None]

    @property
    def name(self) -> Text:
        """The thing in words."""
        return Text(self.label, self.label_en)
