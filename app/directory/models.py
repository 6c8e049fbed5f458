"""Regions (GB/T 2260 with dated changes), organisations as a tree, people and their posts."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Ref
from app.ledger.models import Record

ORGANISATION_KINDS = (
    "authority",  # a natural-resources authority or one of its departments
    "government",
    "ministry_unit",
    "university",
    "institute",
    "company",
)
DATED = ("name", "phone", "id_number", "birth_date")
RELATIONS = ("employed", "director", "supervisor", "adviser", "shareholder")


class Region(Record):
    """A province, prefecture or county with the time in which its code is valid."""

    __tablename__ = "region"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)
    code: Mapped[Code] = mapped_column(index=True)
    name: Mapped[Name]
    kind: Mapped[Code]  # 省级, 地级市, 县, 市辖区 ... as GB/T 2260 has them
    parent_code: Mapped[Code | None] = mapped_column(index=True)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    source: Mapped[Name]


class RegionChange(Record):
    """A dated change of territory: rename, merge, split, abolish, redraw, transfer."""

    __tablename__ = "region_change"
    on: Mapped[date]
    kind: Mapped[Code]
    old_codes: Mapped[list[Any]]
    new_codes: Mapped[list[Any]]
    source: Mapped[Name]
    note: Mapped[Long]


class Organisation(Record):
    """An employer or authority. `parent_id` is the superior body; `central` means that it is
    run by a ministry or a national academy."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint(f"kind IN {ORGANISATION_KINDS}", name="kind"),
        UniqueConstraint("name", "parent_id"),
    )
    name: Mapped[Name] = mapped_column(index=True)
    kind: Mapped[Code]
    parent_id: Mapped[Ref | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    region_code: Mapped[Code | None] = mapped_column(index=True)
    central: Mapped[bool] = mapped_column(default=False)
    source: Mapped[Name] = mapped_column(default="")


class Person(Record):
    """One human being. Identity number, phone and birth date are encrypted; equal ones are
    found through keyed indexes. `merged_into`: the record that stands for this person since two
    records turned out to be one human being; nothing is entered here any more."""

    __tablename__ = "person"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"merged_into"})
    name: Mapped[Name] = mapped_column(index=True)
    id_number: Mapped[Long | None]
    id_index: Mapped[Code | None] = mapped_column(unique=True)
    phone: Mapped[Long | None]
    phone_index: Mapped[Code | None] = mapped_column(index=True)
    birth_date: Mapped[Long | None]
    merged_into: Mapped[Ref | None] = mapped_column(ForeignKey("person.id"))

    employments: Mapped[list[Employment]] = relationship(
        back_populates="person", order_by="Employment.since"
    )


class FormerValue(Record):
    """A name, phone, identity number or birth date as it was up to `until`, its last day. All but the
    name are encrypted; what was signed or printed then keeps its own text."""

    __tablename__ = "former_value"
    __table_args__ = (CheckConstraint(f"field IN {DATED}", name="field"),)
    person_id: Mapped[Ref] = mapped_column(ForeignKey("person.id"), index=True)
    field: Mapped[Code]
    value: Mapped[Long]
    until: Mapped[date]
    changed_by: Mapped[Ref | None]
    changed_at: Mapped[At]


class Employment(Record):
    """A post in an organisation with its dates; `until` None means today still. `basis` is the
    document that it rests on."""

    __tablename__ = "employment"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"basis"})
    __table_args__ = (CheckConstraint(f"relation IN {RELATIONS}", name="relation"),)
    person_id: Mapped[Ref] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[Ref] = mapped_column(ForeignKey("organisation.id"), index=True)
    post: Mapped[Name] = mapped_column(default="")
    relation: Mapped[Code] = mapped_column(default="employed")
    since: Mapped[date | None]
    until: Mapped[date | None]
    basis: Mapped[Name | None]

    person: Mapped[Person] = relationship(back_populates="employments")
    organisation: Mapped[Organisation] = relationship()
