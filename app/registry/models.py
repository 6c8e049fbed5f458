"""Experts of the pool (S0 art. 34) and what the eligibility rules read about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Ref
from app.directory.models import Organisation, Person
from app.ledger.models import Record
from app.registry.models_registers import CountyHead, Residence, TieStatement

STATUSES = ("candidate", "active", "suspended", "retired", "barred")
KINDS = ("technical", "economic", "management")
SOURCES = ("ministry_unit", "university", "institute", "company")
DISCIPLINES = ("land", "planning", "minerals", "agriculture", "economics", "law", "survey")
SANCTIONS = ("criticism", "suspension", "bar")  # S0 art. 40(4): a bar is for ever
# What an expert may ask to be corrected; `matter` is anything else.
CORRECTABLE = (
    "name",
    "phone",
    "id_number",
    "birth_date",
    "employer",
    "title",
    "specialties",
    "career_start",
    "matter",
)
DECISIONS = ("pass", "reject")
INTERESTS = (
    "kin",
    "dispute",
    "drafting",
    "consulting",
    "earlier_stage",
    "shareholding",
    "coauthor",
    "teacher_student",
    "other",
)


class Expert(Record):
    """One expert. `title_rank`: 1 assistant, 2 intermediate (中级), 3 associate senior (副高),
    4 senior (正高). `merged_into`: the record that stands for both since two were one person; this
    one is retired, and what it was drawn for stays under it."""

    __tablename__ = "expert"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"merged_into"})
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint(f"discipline IN {DISCIPLINES}", name="discipline"),
    )
    person_id: Mapped[Ref] = mapped_column(ForeignKey("person.id"), unique=True)
    number: Mapped[Code] = mapped_column(unique=True)  # E0001
    status: Mapped[Code] = mapped_column(default="candidate", index=True)
    kind: Mapped[Code]
    discipline: Mapped[Code] = mapped_column(index=True)
    specialties: Mapped[list[Any]] = mapped_column(default=list)
    source: Mapped[Code]
    title: Mapped[Name]
    title_rank: Mapped[int]
    career_start: Mapped[int | None]  # year
    region_code: Mapped[Code | None] = mapped_column(index=True)
    nominated_by: Mapped[Name] = mapped_column(default="")  # unit and document of nomination
    consent_version: Mapped[Code | None]
    consent_at: Mapped[datetime | None]
    admitted_on: Mapped[date | None]
    verified_on: Mapped[date | None]
    review_due: Mapped[date | None]
    # The paper that stands for two screenings made before the pool was kept here.
    screening_document: Mapped[Name] = mapped_column(default="")
    status_since: Mapped[date | None]
    status_reason: Mapped[Long] = mapped_column(default="")
    note: Mapped[Long] = mapped_column(default="")
    # Raised by every change of this row: a form based on an older one is refused.
    version: Mapped[int] = mapped_column(default=1)
    edited_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    edited_at: Mapped[datetime | None]
    merged_into: Mapped[Ref | None] = mapped_column(ForeignKey("expert.id"), index=True)

    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    screenings: Mapped[list[Screening]] = relationship(order_by="Screening.at")
    sanctions: Mapped[list[Sanction]] = relationship(order_by="Sanction.since")
    interests: Mapped[list[Interest]] = relationship(
        foreign_keys="Interest.expert_id", order_by="Interest.declared_at"
    )
    residences: Mapped[list[Residence]] = relationship(
        order_by="Residence.since",
        primaryjoin="and_(Expert.id == Residence.expert_id, Residence.struck_at.is_(None))",
        viewonly=True,
    )
    tie_statements: Mapped[list[TieStatement]] = relationship(order_by="TieStatement.signed_on")
    absences: Mapped[list[Absence]] = relationship(
        order_by="Absence.since",
        primaryjoin="and_(Expert.id == Absence.expert_id, Absence.cancelled_at.is_(None))",
        viewonly=True,
    )


class Screening(Record):
    """One reviewer's written decision on a candidate (S0 art. 34(1))."""

    __tablename__ = "screening"
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    reviewer_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    decision: Mapped[Code]  # pass | reject
    reason: Mapped[Long]
    at: Mapped[At]


class Sanction(Record):
    """A sanction; `until` None is for ever (S0 art. 40(4): never again in the pool)."""

    __tablename__ = "sanction"
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    kind: Mapped[Code]
    since: Mapped[date]
    until: Mapped[date | None]
    reason: Mapped[Long]
    decided_by: Mapped[Name]


class Absence(Record):
    """Days on which an expert cannot come; one that was `cancelled_at` counts no more."""

    __tablename__ = "absence"
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    since: Mapped[date]
    until: Mapped[date]
    reason: Mapped[Name] = mapped_column(default="")
    cancelled_at: Mapped[datetime | None]


class Interest(Record):
    """A conflict of interest declared by the expert, a county or the office, with its decision.

    It names a county (`region_code`), an organisation or a person: a head of the county, another
    expert, or somebody by name (`other_name`), so that an expert never learns who is in the pool.
    While `status` is declared, the expert is kept out and the reason says that a decision is
    pending. `detail` is the finer kind: the degree of kinship, the post held, whose teacher.
    """

    __tablename__ = "interest"
    ledger_later: ClassVar[frozenset[str]] = frozenset(
        {
            "detail", "head_id", "other_name",
            "proposed", "proposed_by", "proposed_at", "proposal_reason",
        }
    )  # fmt: skip
    __table_args__ = (
        CheckConstraint(f"kind IN {INTERESTS}", name="kind"),
        CheckConstraint("side IN ('expert', 'county', 'office')", name="side"),
        CheckConstraint(
            "status IN ('declared', 'upheld', 'dismissed', 'withdrawn')", name="status"
        ),
    )
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    kind: Mapped[Code]
    side: Mapped[Code]
    region_code: Mapped[Code | None] = mapped_column(index=True)
    organisation_id: Mapped[Ref | None] = mapped_column(ForeignKey("organisation.id"))
    other_expert_id: Mapped[Ref | None] = mapped_column(ForeignKey("expert.id"))
    since: Mapped[date | None]
    until: Mapped[date | None]
    evidence: Mapped[Long]
    status: Mapped[Code] = mapped_column(default="declared")
    declared_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    declared_at: Mapped[At]
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[Long] = mapped_column(default="")
    detail: Mapped[Code | None]
    head_id: Mapped[Ref | None] = mapped_column(ForeignKey("county_head.id"))
    other_name: Mapped[Name | None]
    # The keeper's decision on another link (C-05), which the supervisor confirms or overturns.
    proposed: Mapped[Code | None]
    proposed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime | None]
    proposal_reason: Mapped[Long | None]

    organisation: Mapped[Organisation | None] = relationship()
    head: Mapped[CountyHead | None] = relationship()


class ExpertCorrection(Record):
    """What an expert asks to be corrected about himself, and the keeper's answer. `wanted` is
    encrypted: it may be a number."""

    __tablename__ = "expert_correction"
    __table_args__ = (
        CheckConstraint(f"field IN {CORRECTABLE}", name="field"),
        CheckConstraint("decision IN ('accepted', 'refused')", name="decision"),
    )
    expert_id: Mapped[Ref] = mapped_column(ForeignKey("expert.id"), index=True)
    field: Mapped[Code]
    wanted: Mapped[Long]
    explanation: Mapped[Long]
    asked_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[At]
    decision: Mapped[Code | None]
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[Long] = mapped_column(default="")


class CountyTie(Record):
    """What a county declared about a person by name: kept whether or not he is in the pool, so
    that the county never learns who is."""

    __tablename__ = "county_tie"
    __table_args__ = (CheckConstraint(f"kind IN {INTERESTS}", name="kind"),)
    region_code: Mapped[Code] = mapped_column(index=True)
    person_name: Mapped[Name] = mapped_column(index=True)
    employer: Mapped[Name]
    kind: Mapped[Code]
    evidence: Mapped[Long]
    declared_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    declared_at: Mapped[At]
