"""Points of formula, band and survey items for all subjects of one region class together.

Min-max within a class makes one county's points depend on who else applied, so the lowest and
highest values used are part of the result and printed. With fewer than 3 usable values, or no
spread, the form's `small_class` rule replaces it. A missing figure stops the computation by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from app.domain.scoring.expressions import exact_context
from app.domain.scoring.measures import (
    ZERO,
    Measured,
    banded,
    check_figure,
    figured_points,
    half_up,
    measure,
    plain,
    stated_points,
    target_points,
)
from app.domain.scoring.scales import Points
from app.domain.types import DomainError, Text

Instruments = Mapping[str, Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, object]]

SMALLEST_CLASS = 3
COMPUTED_SCORERS = ("formula", "survey")
FIGURE_SCALES = ("bands", "formula", "survey")


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that one subject lacks for one item."""

    subject: str
    item_id: str
    figure: str
    title: Text


class MissingFigure(DomainError):
    """Figures are missing; `missing` names them all. Nothing was computed, nothing taken as zero."""

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        self.missing = missing
        listed = [f"{entry.subject}: {entry.title.zh}" for entry in missing]
        listed_en = [f"{entry.subject}: {entry.title.en}" for entry in missing]
        super().__init__(
            Text(
                f"缺少 {len(missing)} 项数据，未计算：{'；'.join(listed)}。补录后重算。",
                f"{len(missing)} figure(s) missing, nothing computed: {'; '.join(listed_en)}. "
                "Enter them and compute again.",
            ),
            field=missing[0].figure,
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """How one item was put on a scale for a class: values used, lowest, highest, method."""

    item_id: str
    method: str
    count: int
    low: Decimal | None
    high: Decimal | None
    note: Text


@dataclass(frozen=True, slots=True)
class ClassPoints:
    """`points[subject][item_id]`, ready as `given` for sheet_points; `values` are unrounded."""

    points: Mapping[str, Mapping[str, Points]]
    values: Mapping[str, Mapping[str, Decimal]]
    frames: Mapping[str, Frame]


def computed_items(instrument: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items the system computes from a subject's figures, that apply to the subject."""
    return [item for item in _by_figures(instrument) if not _of_sub_form(item)]


def repeated_items(instrument: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items computed from an expert's own sub-form sheets (figures with `from_form`)."""
    return [item for item in _by_figures(instrument) if _of_sub_form(item)]


def _by_figures(instrument: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        item
        for item in instrument["items"]
        if item["applies"]
        and item["scorer"] in COMPUTED_SCORERS
        and item["scale"]["type"] in FIGURE_SCALES
    ]


def _of_sub_form(item: Mapping[str, Any]) -> bool:
    return any(figure["from_form"] is not None for figure in item["scale"]["figures"])


def needs_class(instrument: Mapping[str, Any]) -> bool:
    """Whether some computed item depends on the other subjects of the class."""
    return any(
        item["scale"].get("normalise") == "minmax_in_class" for item in computed_items(instrument)
    )


def missing_figures(instruments: Instruments, figures: Figures) -> tuple[Missing, ...]:
    """Every figure still to be entered, by subject and item, in the form's order."""
    missing = []
    for subject, instrument in instruments.items():
        have = figures.get(subject, {})
        for item in computed_items(instrument):
            for figure in item["scale"]["figures"]:
                if have.get(figure["name"]) is None:
                    title = Text.of(figure["title"])
                    missing.append(Missing(subject, item["id"], figure["name"], title))
    return tuple(missing)


def compute_class(instruments: Instruments, figures: Figures) -> ClassPoints:
    """Compute all formula, band and survey items of one form for all subjects of one class.

    `instruments`: subject -> instrument of the same form version; `figures`: subject -> name ->
    Decimal or decimal string. Raises MissingFigure with every gap, EntryError for a figure outside
    its limits or a sample that is too small, DomainError when the form versions differ.
    """
    if len({instrument["form_digest"] for instrument in instruments.values()}) > 1:
        text = Text(
            "同类地区使用了不同版本的评分表",
            "the class uses different versions of the form",
        )
        raise DomainError(text)
    missing = missing_figures(instruments, figures)
    if missing:
        raise MissingFigure(missing)
    points: dict[str, dict[str, Points]] = {subject: {} for subject in instruments}
    values: dict[str, dict[str, Decimal]] = {subject: {} for subject in instruments}
    frames: dict[str, Frame] = {}
    for item_id in _ordered_ids(instruments):
        group = {
            subject: item
            for subject, instrument in instruments.items()
            for item in computed_items(instrument)
            if item["id"] == item_id
        }
        if not group:
            continue
        checked = {
            subject: {
                figure["name"]: check_figure(figure, figures[subject][figure["name"]], item_id)
                for figure in item["scale"]["figures"]
            }
            for subject, item in group.items()
        }
        if next(iter(group.values()))["scale"].get("normalise") == "minmax_in_class":
            frames[item_id] = _in_class(item_id, group, checked, points, values)
        else:
            frames[item_id] = _each_alone(item_id, group, checked, points, values)
    return ClassPoints(points, values, frames)


def _ordered_ids(instruments: Instruments) -> list[str]:
    first = next(iter(instruments.values()), None)
    return [] if first is None else [item["id"] for item in first["items"]]


Group = Mapping[str, Mapping[str, Any]]
Checked = Mapping[str, Mapping[str, Decimal]]
PointsBySubject = dict[str, dict[str, Points]]
ValuesBySubject = dict[str, dict[str, Decimal]]


def _each_alone(
    item_id: str,
    group: Group,
    checked: Checked,
    points: PointsBySubject,
    values: ValuesBySubject,
) -> Frame:
    for subject, item in group.items():
        given, outcome, working = figured_points(item, checked[subject])
        points[subject][item_id] = Points(given, ZERO, Decimal(item["max"]), outcome, working)
        measured = measure(item["scale"], checked[subject])
        if measured.value is not None:
            values[subject][item_id] = measured.value
    scale = next(iter(group.values()))["scale"]
    used = [values[subject][item_id] for subject in group if item_id in values[subject]]
    return Frame(
        item_id,
        scale.get("normalise") or scale["type"],
        len(used),
        min(used, default=None),
        max(used, default=None),
        Text("各对象分别计算", "each subject on its own"),
    )


def _in_class(
    item_id: str,
    group: Group,
    checked: Checked,
    points: PointsBySubject,
    values: ValuesBySubject,
) -> Frame:
    measured = {s: measure(item["scale"], checked[s]) for s, item in group.items()}
    used = {s: m.value for s, m in measured.items() if m.value is not None}
    for subject, value in used.items():
        values[subject][item_id] = value
    low, high = min(used.values(), default=None), max(used.values(), default=None)
    scale = next(iter(group.values()))["scale"]
    method, note = (
        "minmax_in_class",
        Text("同类地区内极差标准化", "min-max within the class"),
    )
    if len(used) < SMALLEST_CLASS or low == high:
        method = scale["small_class"]["method"]
        why = (
            Text("仅 {n} 个可比对象", "only {n} comparable subject(s)").format(n=len(used))
            if len(used) < SMALLEST_CLASS
            else Text("各对象数值相同", "all values are equal")
        )
        note = Text("{why}，改按{m}", "{why}: by {m} instead").format(why=why, m=_METHODS[method])
    for subject, item in group.items():
        points[subject][item_id] = _class_points(item, measured[subject], method, low, high)
    return Frame(item_id, method, len(used), low, high, note)


_METHODS = {
    "target_ratio": Text("目标值比率", "ratio to the target"),
    "bands": Text("分段计分", "value bands"),
}


def _class_points(
    item: Mapping[str, Any],
    measured: Measured,
    method: str,
    low: Decimal | None,
    high: Decimal | None,
) -> Points:
    maximum, scale = Decimal(item["max"]), item["scale"]
    if measured.value is None:
        stated = stated_points(measured.result, maximum)
        outcome = "not_applicable" if stated is None else "points"
        return Points(
            stated,
            ZERO,
            maximum,
            "points" if outcome == "points" else "not_applicable",
            measured.working,
        )
    value = measured.value
    if method == "target_ratio":
        target = Decimal(scale["small_class"]["target"])
        raw = target_points(maximum, value, target, scale["direction"])
        working = f"{measured.working.zh} : {plain(target)}"
    elif method == "bands":
        found = banded(scale["small_class"]["bands"], value)
        if found is None:
            text = Text("数值 {v} 不在任何一档", "no band holds {v}").format(v=plain(value))
            raise DomainError(text, field=item["id"])
        raw, working = found, measured.working.zh
    else:
        assert low is not None and high is not None and high > low
        with localcontext(exact_context()):
            share = (value - low) / (high - low)
            raw = maximum * (share if scale["direction"] == "up" else 1 - share)
        shown = (plain(half_up(bound, 6)) for bound in (low, high))
        working = f"{measured.working.zh} [{', '.join(shown)}]"
    return Points(half_up(raw, item["places"]), ZERO, maximum, "points", Text(working, working))
