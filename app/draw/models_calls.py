"""What follows a draw: who may see names and when, the call plan, looks at names, vacant seats, and
the opening of what a commitment shows only under codes.

Rules D-08, D-12, D-13 and D-14; docs/draw-protocol.md sections 9 and 10.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Long, Name, Ref
from app.ledger.models import Record


class DrawDisclosure(Record):
    """When the names of a draw become known, chosen before its commitment (rule D-14).

    Sealed: until then one named caller alone sees names, one by one, each look on record.
    """

    __tablename__ = "draw_disclosure"
    __table_args__ = (
        UniqueConstraint("draw_id"),
        CheckConstraint("until IN ('published', 'moment')", name="until"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"))
    sealed: Mapped[bool] = mapped_column(default=False)
    caller_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    until: Mapped[Code] = mapped_column(default="published")
    opens_at: Mapped[datetime | None]  # with `moment`
    opened_at: Mapped[datetime | None]  # the result was published and the names with it
    opened_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    chosen_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    chosen_at: Mapped[At]


class CallPlan(Record):
    """What every drawn expert is told, word for word the same, and how long he may think."""

    __tablename__ = "call_plan"
    __table_args__ = (
        UniqueConstraint("draw_id"),
        CheckConstraint("half_days >= 1 AND attempts >= 1 AND reply_hours >= 1", name="counts"),
    )
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"))
    meets_at: Mapped[datetime]
    place_kind: Mapped[Code]  # venue | office | field | online: never the place itself
    half_days: Mapped[int]
    reply_to: Mapped[Name]  # a telephone number or a desk
    reply_hours: Mapped[int] = mapped_column(default=24)
    attempts: Mapped[int] = mapped_column(default=3)
    made_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[At]


class NameView(Record):
    """The caller of a sealed draw has looked at one name."""

    __tablename__ = "name_view"
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"), index=True)
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    purpose: Mapped[Code]  # call | letter
    at: Mapped[At]


class Vacancy(Record):
    """A seat that no act could fill, and the one purpose under which it is drawn for again.

    A seat is in one set of vacancies for ever: with the single open and single completed draw of a
    purpose (`Draw`), it can be filled from outside the first pool once.
    """

    __tablename__ = "vacancy"
    __table_args__ = (UniqueConstraint("draw_id", "panel", "number"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    root_id: Mapped[Ref] = mapped_column(
        ForeignKey("draw.id"), index=True
    )  # whose panels these are
    panel: Mapped[Code]
    number: Mapped[int]
    purpose_key: Mapped[Code] = mapped_column(index=True)


class DrawOpening(Record):
    """What the codes of a commitment stand for: written with it, bound by it, published later.

    `codes`: {attribute: {code: value}}. `identities`: encrypted JSON {pseudonym: {number, name, salt,
    facts}}, the preimages of the identity hashes in the roster leaves.
    """

    __tablename__ = "draw_opening"
    __table_args__ = (UniqueConstraint("draw_id"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"))
    codes: Mapped[dict[str, Any]]
    identities: Mapped[Long]
