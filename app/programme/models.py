"""A round of a scheme with its counties and everything that they filed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Long, Name, Number, Ref
from app.directory.models import Organisation, Person
from app.documents.originals import as_typed
from app.domain.types import Text
from app.ledger.models import Record


class FormVersion(Record):
    """A form as it was loaded: its YAML text and digest. A default in it shows "to confirm" until
    an administrator signs the version."""

    __tablename__ = "form_version"
    form_id: Mapped[Code] = mapped_column(index=True)
    digest: Mapped[Code] = mapped_column(unique=True)
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    source: Mapped[Long]  # the YAML text
    loaded_at: Mapped[At]
    signed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[datetime | None]

    @property
    def title(self) -> Text:
        return Text(self.title_zh, self.title_en)


class Round(Record):
    """One round (届, 批次) under one edition of a scheme, which is copied in and never changes."""

    __tablename__ = "round"
    __table_args__ = (
        CheckConstraint("kind IN ('real', 'drill', 'trial')", name="kind"),
        CheckConstraint("phase IN ('preparing', 'open', 'closed', 'cancelled')", name="phase"),
    )
    ledger_later: ClassVar[frozenset[str]] = frozenset({"note_en", "discarded_at"})
    slug: Mapped[Code] = mapped_column(unique=True)  # in every URL of the round
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    kind: Mapped[Code]
    phase: Mapped[Code] = mapped_column(default="preparing")
    scheme_id: Mapped[Code]
    scheme_digest: Mapped[Code]
    scheme: Mapped[dict[str, Any]]  # the scheme's data as it was when the round was made
    rules: Mapped[dict[str, Any]]  # eligibility rules with this round's overrides
    rules_digest: Mapped[Code]
    score_rule: Mapped[dict[str, Any]]
    score_rule_digest: Mapped[Code]
    review_on: Mapped[date]  # look-back windows end here
    note: Mapped[Long] = mapped_column(default="")
    created_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[At]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # closed or cancelled
    ended_reason: Mapped[Long] = mapped_column(default="")
    note_en: Mapped[Long | None]
    discarded_at: Mapped[datetime | None]  # a draft given up before any draw: kept, hidden

    subjects: Mapped[list[Subject]] = relationship(
        back_populates="round", order_by="Subject.position"
    )
    pins: Mapped[list[FormPin]] = relationship()

    @property
    def title(self) -> Text:
        return Text(self.title_zh, self.title_en)

    @property
    def note_text(self) -> Text:
        """The note in both languages, or in its own with a label for readers of the other."""
        return Text(self.note, self.note_en) if self.note_en else as_typed(self.note)

    @property
    def drill(self) -> bool:
        return self.kind == "drill"

    @property
    def hidden(self) -> bool:
        """Cancelled or discarded: kept, but in no switcher."""
        return self.phase == "cancelled"

    @property
    def url(self) -> str:
        """The round's own page; every page of the round lies below it."""
        return f"/r/{self.slug}/"


class FormPin(Record):
    """The form version that a stage uses for a region class; frozen once the round is open."""

    __tablename__ = "form_pin"
    __table_args__ = (UniqueConstraint("round_id", "stage", "region_class"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    stage: Mapped[Code]  # qualification | desk | site | survey
    region_class: Mapped[Code] = mapped_column(default="")  # "" serves every class
    form_version_id: Mapped[Ref] = mapped_column(ForeignKey("form_version.id"))
    instrument_digest: Mapped[Code | None]  # set when the round opens

    form_version: Mapped[FormVersion] = relationship(lazy="joined", innerjoin=True)


class Subject(Record):
    """A county (or cluster, authority) in a round, with its class and the act that fixed it.

    A zone (`kind`) has a code of its own below that of its parent county; a county has neither.
    """

    __tablename__ = "subject"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"kind", "parent_code"})
    __table_args__ = (
        UniqueConstraint("round_id", "region_code"),
        CheckConstraint(
            "status IN ('declared', 'qualified', 'vetoed', 'withdrawn')", name="status"
        ),
    )
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    position: Mapped[int]
    region_code: Mapped[Code]
    name_zh: Mapped[Name]
    name_en: Mapped[Name]
    region_class: Mapped[Code]
    class_basis: Mapped[Name]  # the recorded act that fixed the class
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # has_mines and the like
    status: Mapped[Code] = mapped_column(default="declared")
    withdrawn_reason: Mapped[Long] = mapped_column(default="")
    presenter_id: Mapped[Ref | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[Code | None]  # industrial_cluster | economic_development_zone
    parent_code: Mapped[Code | None]

    round: Mapped[Round] = relationship(back_populates="subjects")
    presenter: Mapped[Person | None] = relationship()
    figures: Mapped[list[Figure]] = relationship(order_by="Figure.key")
    materials: Mapped[list[Material]] = relationship(order_by="Material.name")
    opinions: Mapped[list[Opinion]] = relationship(order_by="Opinion.item")

    @property
    def name(self) -> Text:
        return Text(self.name_zh, self.name_en)

    @property
    def place_code(self) -> str:
        """The county that it is or lies in: what the conflict rules and the registers go by."""
        return self.parent_code or self.region_code


class Guidance(Record):
    """Which unit guides which county in this round (S1 section 4): a source of conflicts."""

    __tablename__ = "guidance"
    __table_args__ = (UniqueConstraint("subject_id", "organisation_id"),)
    round_id: Mapped[Ref] = mapped_column(ForeignKey("round.id"), index=True)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    organisation_id: Mapped[Ref] = mapped_column(ForeignKey("organisation.id"))
    basis: Mapped[Name]

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)


class Material(Record):
    """A filed document, by content hash, linked to the items that it supports."""

    __tablename__ = "material"
    __table_args__ = (UniqueConstraint("subject_id", "file_sha256"),)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    file_sha256: Mapped[Code]
    name: Mapped[Name]
    mime: Mapped[Name]  # that of a DOCX has 71 characters
    size: Mapped[int]
    items: Mapped[list[Any]] = mapped_column(default=list)
    uploaded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    uploaded_at: Mapped[At]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[Long] = mapped_column(default="")


class Figure(Record):
    """A number behind a formula or band item; a missing one blocks the run and is never 0."""

    __tablename__ = "figure"
    __table_args__ = (UniqueConstraint("subject_id", "key"),)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    key: Mapped[Code]  # the name used in the form's expressions
    value: Mapped[Number]
    unit: Mapped[Code] = mapped_column(default="")
    year: Mapped[int | None]
    source: Mapped[Name]
    entered_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[At]
    confirmed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[datetime | None]


class Opinion(Record):
    """A department's signed opinion on one qualification item (S0 art. 16(1))."""

    __tablename__ = "opinion"
    __table_args__ = (
        UniqueConstraint("subject_id", "item"),
        CheckConstraint("verdict IN ('pass', 'veto')", name="verdict"),
    )
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    item: Mapped[Code]  # indicator of the qualification form
    department: Mapped[Name]
    verdict: Mapped[Code]
    vetoes: Mapped[list[Any]] = mapped_column(default=list)  # veto ids that struck
    reason: Mapped[Long]
    evidence: Mapped[Long]
    signer: Mapped[Name]  # who signed for the department
    signed_at: Mapped[At]
    recorded_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    confirmed_by: Mapped[Ref | None] = mapped_column(
        ForeignKey("account.id")
    )  # a veto's second clerk
    confirmed_at: Mapped[At | None]
    ledger_later: ClassVar[frozenset[str]] = frozenset({"confirmed_by", "confirmed_at"})


class CaseFile(Record):
    """A case file of a county's authority that may be reviewed (S4 二(三)): what a sample is drawn
    from. The title names the matter, not the people."""

    __tablename__ = "case_file"
    __table_args__ = (UniqueConstraint("subject_id", "number"),)
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), index=True)
    kind: Mapped[Code]  # type of the form's sample rule
    number: Mapped[Name]
    title: Mapped[Name]
    on: Mapped[date]
    entered_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[At]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[Long] = mapped_column(default="")
    code: Mapped[Code | None]  # KIND-NNN, given when the list is closed
    sampled: Mapped[bool | None]  # set by the drawing of the sample


class CaseList(Record):
    """A county's list of case files: closed with a digest first, then sampled by a seed that nobody
    knew at the closing, or type by type in the ceremony of a draw. Neither can be done again."""

    __tablename__ = "case_list"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"ceremony"})
    subject_id: Mapped[Ref] = mapped_column(ForeignKey("subject.id"), unique=True)
    digest: Mapped[Code]
    closed_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[At]
    seed: Mapped[Name | None]  # the numbers, joined by full stops
    seed_source: Mapped[Name] = mapped_column(default="")
    drawn_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    drawn_at: Mapped[datetime | None]
    # Type -> {draw, commitment, files in the order drawn}; {} once the ceremony was chosen, and from
    # then on no typed seed is taken.
    ceremony: Mapped[dict[str, Any] | None]
