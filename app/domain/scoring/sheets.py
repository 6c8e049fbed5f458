"""A score sheet: what is still wrong with it, and what it adds up to.

Entries are kept as typed (see `scales.py` for their shapes). A missing mark is a type, never a
number; an item that does not apply gives its points to the other items of its section, and a
section that does not apply gives them to the section its form names. Rounding is half up at named
stages: computed items and sections that receive points to 2 places; the total is their plain sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from app.domain.scoring.expressions import exact_context
from app.domain.scoring.measures import ZERO, EntryError, half_up
from app.domain.scoring.scales import Entry, Points, evaluate_entry
from app.domain.types import DomainError, Text

Instrument = Mapping[str, Any]
Entries = Mapping[str, Entry]

EVERYONE = "everyone"
_EMPTY_SECTION = Text(
    "“{t}”各项均填“不适用”，分值无处可去",
    "every item of “{t}” is marked not applicable, so its points have nowhere to go",
)
_UNKNOWN_ITEM = Text("评分表上没有这一项：{i}", "the sheet has no such item: {i}")


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """One reason why a sheet cannot be sealed. `code`: those of EntryError, unknown_item,
    empty_section (then `item_id` is the section's id)."""

    item_id: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class SectionPoints:
    """One section: `raw` out of `applicable`, carried to `maximum` after moved points.

    `points` is None while an item is awaited. `meets_floor` is None without a section floor.
    """

    id: str
    title: Text
    raw: Decimal
    applicable: Decimal
    maximum: Decimal
    points: Decimal | None
    moved_in: tuple[str, ...]
    meets_floor: bool | None


@dataclass(frozen=True, slots=True)
class SheetPoints:
    """A whole sheet. `total` is None while anything is awaited; `marked` is the sheet's own sum so
    far, out of `marked_maximum`. `verdict`: pass, fail or veto for forms of judgements."""

    items: Mapping[str, Points]
    sections: tuple[SectionPoints, ...]
    total: Decimal | None
    maximum: Decimal
    marked: Decimal
    marked_maximum: Decimal
    awaiting: tuple[str, ...]
    verdict: str | None


def sheet_scorer(instrument: Instrument) -> str:
    """Whose sheet a form is when nobody says so: `filled_by`, else the expert's, else everyone's."""
    if instrument["filled_by"]:
        return str(instrument["filled_by"])
    experts = any(item["scorer"] == "expert" for item in instrument["items"])
    return "expert" if experts else EVERYONE


def sheet_items(instrument: Instrument, scorer: str | None = None) -> list[dict[str, Any]]:
    """The items that `scorer` fills in (default: `sheet_scorer`), in the form's order."""
    wanted = scorer or sheet_scorer(instrument)
    return [item for item in instrument["items"] if wanted in (EVERYONE, item["scorer"])]


def check_sheet(
    instrument: Instrument, entries: Entries, scorer: str | None = None
) -> list[SheetProblem]:
    """Everything that keeps a sheet from being sealed, in the form's order; empty when complete."""
    problems = []
    items = sheet_items(instrument, scorer)
    silent: dict[str, bool] = {}
    for item in items:
        try:
            points = evaluate_entry(item, entries.get(item["id"]))
        except EntryError as error:
            problems.append(SheetProblem(item["id"], error.code, error.text))
            silent[item["section"]] = False
            continue
        if item["applies"]:
            excused = points.outcome == "not_applicable"
            silent[item["section"]] = silent.get(item["section"], True) and excused
    known = {item["id"] for item in items}
    for stray in entries:
        if stray not in known:
            problems.append(SheetProblem(stray, "unknown_item", _UNKNOWN_ITEM.format(i=stray)))
    for section in instrument["sections"]:
        others = any(
            item["section"] == section["id"] and item["applies"] and item["id"] not in known
            for item in instrument["items"]
        )
        if silent.get(section["id"]) and not others and Decimal(section["effective_max"]) > 0:
            text = _EMPTY_SECTION.format(t=Text.of(section["title"]))
            problems.append(SheetProblem(section["id"], "empty_section", text))
    return problems


def sheet_points(
    instrument: Instrument,
    entries: Entries,
    given: Mapping[str, Points] | None = None,
    scorer: str | None = None,
) -> SheetPoints:
    """Add a sheet up. `given`: points of items that others score (formulas, survey, office), by id.

    Entries that are missing or cannot stand are awaited, so the total stays None: it is never
    built on a guess. Raises DomainError when an item is given twice or not on the form.
    """
    given = given or {}
    own = {item["id"] for item in sheet_items(instrument, scorer)}
    _refuse_strays(instrument, own, given)
    results: dict[str, Points] = {}
    marked = marked_maximum = ZERO
    for item in instrument["items"]:
        if not item["applies"]:
            continue
        if item["id"] in own:
            marked_maximum += Decimal(item["max"] or 0)
            try:
                results[item["id"]] = evaluate_entry(item, entries.get(item["id"]))
            except EntryError:
                continue
            marked += results[item["id"]].points or ZERO
        elif item["id"] in given:
            results[item["id"]] = given[item["id"]]
    awaiting = [i["id"] for i in instrument["items"] if i["applies"] and i["id"] not in results]
    sections = tuple(_section(instrument, row, results) for row in instrument["sections"])
    awaiting += [s.id for s in sections if s.points is None and _is_empty(instrument, s, results)]
    verdict = _verdict(results, bool(awaiting))
    judged = instrument["kind"] in ("check", "veto")
    total = None
    if not awaiting and not judged:
        total = sum((section.points or ZERO for section in sections), ZERO)
    return SheetPoints(
        items=results,
        sections=sections,
        total=total,
        maximum=sum((section.maximum for section in sections), ZERO),
        marked=marked,
        marked_maximum=marked_maximum,
        awaiting=tuple(awaiting),
        verdict=verdict if judged else None,
    )


def _refuse_strays(instrument: Instrument, own: set[str], given: Mapping[str, Points]) -> None:
    on_form = {item["id"] for item in instrument["items"]}
    for item_id in given:
        if item_id in own or item_id not in on_form:
            text = Text(
                "项目 {i} 不能由外部给分",
                "item {i} cannot be given from outside this sheet",
            )
            raise DomainError(text.format(i=item_id), field=item_id)


def _section(
    instrument: Instrument, row: Mapping[str, Any], results: Mapping[str, Points]
) -> SectionPoints:
    raw = applicable = ZERO
    complete = True
    for item in instrument["items"]:
        if item["section"] != row["id"] or not item["applies"]:
            continue
        result = results.get(item["id"])
        if result is None:
            complete = False
        elif result.outcome != "not_applicable":
            raw += result.points or ZERO
            applicable += Decimal(item["max"] or 0)
    maximum = Decimal(row["effective_max"])
    points: Decimal | None = None
    if complete:
        points = _carried(raw, applicable, maximum, instrument)
    floor = row["min_share"]
    meets = None
    if floor is not None and points is not None:
        meets = points >= Decimal(floor) * maximum
    return SectionPoints(
        id=row["id"],
        title=Text.of(row["title"]),
        raw=raw,
        applicable=applicable,
        maximum=maximum,
        points=points,
        moved_in=tuple(moved["from"] for moved in row["moved_in"]),
        meets_floor=meets,
    )


def _carried(
    raw: Decimal, applicable: Decimal, maximum: Decimal, instrument: Instrument
) -> Decimal | None:
    """`raw` of `applicable` points carried to `maximum`; None when no item is left to carry it."""
    if instrument["kind"] == "bonus" or applicable == maximum:
        return raw
    if applicable == 0:
        return None
    with localcontext(exact_context()):
        return half_up(raw * maximum / applicable, instrument["rounding"]["section"])


def _is_empty(
    instrument: Instrument, section: SectionPoints, results: Mapping[str, Points]
) -> bool:
    """Whether a section has no points although nothing in it is awaited."""
    return all(
        item["id"] in results
        for item in instrument["items"]
        if item["section"] == section.id and item["applies"]
    )


def _verdict(results: Mapping[str, Points], awaiting: bool) -> str | None:
    outcomes = {result.outcome for result in results.values()}
    if "veto" in outcomes:
        return "veto"
    if "fail" in outcomes:
        return "fail"
    return None if awaiting else "pass"


@dataclass(frozen=True, slots=True)
class RepeatedPoints:
    """A sub-form filled once per case file: every total, and their mean (half up, 2 places)."""

    totals: tuple[Decimal, ...]
    mean: Decimal


def repeated_points(instrument: Instrument, sheets: Sequence[Entries]) -> RepeatedPoints:
    """The mean over a repeated sub-form. Raises DomainError when a sheet is missing or incomplete."""
    totals = [sheet_points(instrument, entries).total for entries in sheets]
    complete = [total for total in totals if total is not None]
    if not totals or len(complete) != len(totals):
        text = Text(
            "共 {n} 份，{k} 份已完成；全部完成后才能求平均。",
            "{k} of {n} sheets are complete; the mean needs all of them.",
        )
        raise DomainError(text.format(n=len(totals), k=len(complete)))
    with localcontext(exact_context()):
        mean = half_up(sum(complete, ZERO) / len(complete), instrument["rounding"]["item"])
    return RepeatedPoints(tuple(complete), mean)
