"""Registers behind the recusal rules: a county's heads and contractors, the supervising bodies, where
experts come from, where they sat before, and what they stated about themselves (rules C-03, C-04, C-06,
C-11, D-15); and how an office's own workbooks are read.

Every entry is dated and says what it rests on and who entered it. Nothing is deleted: what was
entered wrongly is struck out with a reason and counts no more.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Ref
from app.directory.models import Organisation
from app.ledger.models import Record

PLACES = ("birthplace", "residence")
TOPICS = ("kin", "dispute", "engagement", "holding", "tie", "residence")


class Entry(Record):
    """A dated entry of a register: both days included, None is open."""

    __abstract__ = True
    since: Mapped[date | None]
    until: Mapped[date | None]
    basis: Mapped[Name]  # the document that it rests on
    recorded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[At]
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    struck_reason: Mapped[Long] = mapped_column(default="")


class CountyHead(Entry):
    """One responsible person of a county (负责人); `person_id` when he is known here as a person."""

    __tablename__ = "county_head"
    region_code: Mapped[Code] = mapped_column(index=True)
    name: Mapped[Name]
    post: Mapped[Name]
    person_id: Mapped[Ref | None] = mapped_column(ForeignKey("person.id"))


class Contractor(Entry):
    """A body that worked on a county's application; without organisation: the county has stated
    that there was none."""

    __tablename__ = "contractor"
    region_code: Mapped[Code] = mapped_column(index=True)
    organisation_id: Mapped[Ref | None] = mapped_column(ForeignKey("organisation.id"))
    work: Mapped[Name]

    organisation: Mapped[Organisation | None] = relationship(lazy="joined")


class SupervisingBody(Entry):
    """The body that supervises the process: its staff do not sit (rule C-06)."""

    __tablename__ = "supervising_body"
    organisation_id: Mapped[Ref] = mapped_column(ForeignKey("organisation.id"))

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)


class Residence(Entry):
    """Where an expert was born or has lived (rule C-11); given by the expert, never demanded."""

    __tablename__ = "residence"
    __table_args__ = (CheckConstraint(f"kind IN {PLACES}", name="kind"),)
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    kind: Mapped[Code]
    region_code: Mapped[Code]


class PastPanel(Entry):
    """An expert sat on a county, or on a whole round, before this system was in use: `since` to
    `until` are the panel's days. Rotation counts it (rule D-15)."""

    __tablename__ = "past_panel"
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    round_name: Mapped[Name]
    region_code: Mapped[Code | None] = mapped_column(index=True)


class ColumnMap(Record):
    """The columns of an office's own workbook as set by hand, found again by its headings."""

    __tablename__ = "column_map"
    __table_args__ = (UniqueConstraint("kind", "headings"),)
    kind: Mapped[Code]
    headings: Mapped[Code]  # digest of the headings in their order
    columns: Mapped[dict[str, Any]]  # field -> heading
    saved_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    saved_at: Mapped[At]


class TieStatement(Record):
    """An expert's signed statement that all ties of these topics are declared.

    Without one, an empty register means that nobody asked; with one, that there is none.
    """

    __tablename__ = "tie_statement"
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    topics: Mapped[list[Any]]
    text_digest: Mapped[Code]  # of the words that were signed
    signed_name: Mapped[Name]
    signed_on: Mapped[date]
    paper: Mapped[Name] = mapped_column(default="")  # the signed paper, when staff entered it
    recorded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[At]
