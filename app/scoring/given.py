"""What others than experts give: office and higher-level items, bonuses, self-checks with vetoes.

The same entries and the same sheet code as an expert's sheet. Two people for each entry: whoever
enters it does not confirm it (as for figures); a bonus names the filed document behind every award.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.expressions import MissingValue
from app.domain.scoring.formulas import COMPUTED_SCORERS
from app.domain.scoring.scales import Points, evaluate_entry
from app.domain.scoring.vetoes import VetoFinding
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append
from app.programme.figures import figures_of
from app.programme.guards import account_id, require
from app.programme.instruments import (
    BONUS,
    QUALIFICATION,
    RECHECK,
    SURVEY,
    compiled,
    pin_for,
    pinned_stages,
)
from app.programme.materials import materials_of
from app.programme.models import Figure, Material, Round, Subject
from app.programme.qualification import findings_of
from app.scoring.entries import entry_of
from app.scoring.models import GivenMark

_NOT_OPEN = Text(
    "届次未开启或已结束，不能登记。没有保存。",
    "The round is not open, so nothing can be entered. Nothing was saved.",
)
NO_ITEM = Text("没有这个条目。", "There is no such item.")
EMPTY = Text("还没有填写。没有保存。", "Nothing was filled in yet, so nothing was saved.")
_EVIDENCE = Text(
    "请选择材料或写明依据。没有保存。",
    "Choose a document or write down the evidence. Nothing was saved.",
)
_NO_DOCUMENT = Text(
    "所选材料不在本区县的有效材料中。没有保存。",
    "A chosen document is not among the county's filed documents. Nothing was saved.",
)
_ONCE = Text(
    "材料“{m}”已用于 {i}；同一文件只计一次，取最高一档。没有保存。",
    "The document “{m}” is used for {i} already; a document counts once, at its highest level. "
    "Nothing was saved.",
)
CHANGED = Text(
    "这一条刚被他人改过。您的内容没有保存；请核对后再填。",
    "Somebody else has just changed this entry. Yours was not saved; check and enter it again.",
)
_SAME_PERSON = Text(
    "录入人不能确认自己录入的内容。没有改动；请由另一人核对依据后确认。",
    "Whoever entered it cannot confirm it. Nothing was changed; another person compares it with the "
    "evidence and confirms.",
)
_CONFIRMED = Text("已由他人确认。没有改动。", "It is confirmed already. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class GivenItem:
    """One item that somebody other than an expert gives, as it stands for one county."""

    subject: Subject
    place: str
    form: Text
    item: dict[str, Any]
    mark: GivenMark | None
    findings: tuple[VetoFinding, ...]

    @property
    def id(self) -> str:
        return str(self.item["id"])

    @property
    def title(self) -> Text:
        return Text.of(self.item["title"])

    @property
    def confirmed(self) -> bool:
        return self.mark is not None and self.mark.confirmed_at is not None

    @property
    def optional(self) -> bool:
        """A bonus that nobody claims is none; everything else is awaited."""
        return self.place == BONUS

    @property
    def later(self) -> bool:
        """Of the re-check of those that hold the award: this round's result does not wait for it."""
        return self.place == RECHECK

    @property
    def awaited(self) -> bool:
        """Whether the result needs it and nothing is entered."""
        return self.mark is None and not self.optional and not self.later

    @property
    def is_veto(self) -> bool:
        return bool(self.item["scale"]["type"] == "veto")

    @property
    def points(self) -> Points | None:
        """What the entry gives; None without one."""
        return None if self.mark is None else evaluate_entry(self.item, self.mark.entry)


def given_items(instrument: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items that apply and are neither an expert's nor computed, in the form's order."""
    others = ("expert", *COMPUTED_SCORERS)
    return [i for i in instrument["items"] if i["applies"] and i["scorer"] not in others]


def given_of(
    session: Session, round_: Round, subjects: Sequence[Subject] | None = None
) -> dict[str, list[GivenItem]]:
    """Subject id -> its given items, place by place; a county whose facts are open has none yet."""
    group = round_.subjects if subjects is None else subjects
    marks = {
        (row.subject_id, row.place, row.item): row
        for row in session.scalars(
            select(GivenMark).where(GivenMark.subject_id.in_([s.id for s in group]))
        )
    }
    figures = figures_of(session, round_, group)
    return {s.id: _of_county(round_, s, marks, figures[s.id]) for s in group}


def _of_county(
    round_: Round,
    subject: Subject,
    marks: Mapping[tuple[str, str, str], GivenMark],
    figures: Mapping[str, Figure],
) -> list[GivenItem]:
    found = []
    for place in pinned_stages(round_):
        pin = pin_for(round_, place, subject.region_class)
        if place in (QUALIFICATION, SURVEY) or pin is None:
            continue
        try:
            instrument = compiled(round_, subject, pin.form_version)
        except MissingValue:
            continue  # a fact is still open; the overview names it
        title = Text.of(instrument["title"])
        for item in given_items(instrument):
            mark = marks.get((subject.id, place, item["id"]))
            findings = findings_of(subject, item, figures)
            found.append(GivenItem(subject, place, title, item, mark, findings))
    return found


def given_item(session: Session, subject: Subject, place: str, item_id: str) -> GivenItem:
    """One of a county's given items; NotFound."""
    rows = given_of(session, subject.round, [subject])[subject.id]
    found = next((row for row in rows if (row.place, row.id) == (place, item_id)), None)
    if found is None:
        raise NotFound(NO_ITEM)
    return found


def enter_given(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    *,
    place: str,
    item: str,
    fields: Mapping[str, Any],
    materials: Sequence[str] = (),
    evidence: str = "",
    seen: str | None = None,
) -> GivenMark:
    """Enter or correct one item (`fields` as on a sheet); a correction has to be confirmed anew.

    `seen` is the moment of entry that the form showed ("" for none); Conflict when it was entered
    again meanwhile. DomainError when the entry cannot stand or has no evidence.
    """
    require(actor, "office")
    while_open(subject)
    row = given_item(session, subject, place, item)
    if seen is not None and seen != seen_of(row.mark):
        raise Conflict(CHANGED)
    filed = filed_of(session, subject)
    return write(session, actor, row, checked(session, row, fields, materials, evidence, filed))


def while_open(subject: Subject) -> None:
    """Conflict unless the county's round is open."""
    if subject.round.phase != "open":
        raise NotNow(_NOT_OPEN)


def filed_of(session: Session, subject: Subject) -> dict[str, Material]:
    """Id -> document of a county that stands."""
    return {m.id: m for m in materials_of(session, subject) if m.withdrawn_at is None}


class Checked(NamedTuple):
    """An entry that may stand, the documents behind it, and its evidence in words."""

    entry: dict[str, Any]
    materials: list[str]
    evidence: str


def checked(
    session: Session,
    row: GivenItem,
    fields: Mapping[str, Any],
    materials: Sequence[str],
    evidence: str,
    filed: Mapping[str, Material],
) -> Checked:
    """What the fields say on one item; DomainError when it cannot stand. Writes nothing."""
    if row.is_veto:  # an opinion carries its evidence in itself, as on a sheet
        fields = {**fields, "evidence": evidence or fields.get("evidence", "")}
    entry = entry_of(row.item, fields)
    if entry is None:
        raise DomainError(EMPTY)
    evaluate_entry(row.item, entry)  # raises with what is wrong
    awards = entry["value"]["awards"] if row.item["scale"]["type"] == "bonus" else []
    chosen = list(dict.fromkeys([*materials, *(award["document"] for award in awards)]))
    if not set(chosen) <= set(filed):
        raise DomainError(_NO_DOCUMENT, field="materials")
    words = evidence.strip() or str(entry.get("evidence", ""))
    nothing = row.item["scale"]["type"] == "bonus" and not awards
    if not chosen and not words and not nothing:
        raise DomainError(_EVIDENCE, field="evidence")
    if row.item["scale"].get("stacking") == "highest_per_document":
        _counts_once(session, row, {award["document"] for award in awards}, filed)
    return Checked(entry, chosen, words[:4000])


def write(session: Session, actor: Viewer | None, row: GivenItem, what: Checked) -> GivenMark:
    """Keep an entry that was checked; it has to be confirmed anew."""
    subject, mark = row.subject, row.mark
    if mark is None:
        mark = GivenMark(subject_id=subject.id, place=row.place, item=row.id)
        session.add(mark)
    pin = pin_for(subject.round, row.place, subject.region_class)
    assert pin is not None  # the item came from it
    mark.entry, mark.materials, mark.evidence = what
    mark.instrument_digest = compiled(subject.round, subject, pin.form_version)["digest"]
    mark.entered_by, mark.entered_at = account_id(actor), clock.now()
    mark.confirmed_by = mark.confirmed_at = None
    session.flush()
    append(session, actor, "given.enter", subject=subject.id, place=row.place, item=row.id)
    return mark


def seen_of(mark: GivenMark | None) -> str:
    """What a form shows as the state that it was filled in on."""
    return "" if mark is None else mark.entered_at.isoformat()


def _counts_once(
    session: Session, row: GivenItem, documents: set[str], known: Mapping[str, Material]
) -> None:
    for other in given_of(session, row.subject.round, [row.subject])[row.subject.id]:
        if other.place != row.place or other.id == row.id or other.mark is None:
            continue
        twice = documents & {a["document"] for a in other.mark.entry["value"]["awards"]}
        if twice:
            name = known[sorted(twice)[0]].name
            raise DomainError(_ONCE.format(m=name, i=other.id), field="materials")


def confirm_given(session: Session, actor: Viewer | None, mark: GivenMark) -> GivenMark:
    """A second person has compared the entry with its evidence. Forbidden for who entered it."""
    require(actor, "office")
    subject = session.get_one(Subject, mark.subject_id)
    while_open(subject)
    if mark.confirmed_at is not None:
        raise Conflict(_CONFIRMED)
    if account_id(actor) is None or mark.entered_by == account_id(actor):
        raise Forbidden(_SAME_PERSON)
    mark.confirmed_by, mark.confirmed_at = account_id(actor), clock.now()
    append(
        session, actor, "given.confirm", subject=subject.id, place=mark.place, item=mark.item
    )  # fmt: skip
    return mark


def documents_of(session: Session, rows: Sequence[GivenItem]) -> dict[str, Material]:
    """Material id -> the document behind these entries, in one query."""
    wanted = {key for row in rows if row.mark for key in row.mark.materials}
    found = session.scalars(select(Material).where(Material.id.in_(wanted)))
    return {material.id: material for material in found}


def rows_beside(session: Session, subject: Subject, place: str) -> dict[str, dict[str, Any]]:
    """Item id -> row, as `computed_points` has them, of the confirmed items at one place."""
    return rows_of(given_of(session, subject.round, [subject])[subject.id], place)


def rows_of(items: Sequence[GivenItem], place: str) -> dict[str, dict[str, Any]]:
    """As `rows_beside`, from a county's given items at hand."""
    made = {}
    for row in items:
        points = row.points if row.place == place and row.confirmed else None
        if points is not None:
            scorer = row.item["scorer"]
            made[row.id] = {
                "points": points.points,
                "maximum": row.item["max"],
                "explanation": points.working,
                "inputs": [],
                "scorer": scorer,
            }
    return made
