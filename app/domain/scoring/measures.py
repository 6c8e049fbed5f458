"""Numbers behind an item: figures, measures, bands and targets, in exact decimals.

Shared by entries on a sheet (`scales.py`) and by the computation of a whole class (`formulas.py`).
A missing figure is refused by name and never taken as zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any, Literal

from app.domain.scoring.expressions import (
    MissingValue,
    ZeroDenominator,
    evaluate_number,
    evaluate_truth,
    exact_context,
)
from app.domain.types import DomainError, Text

Item = Mapping[str, Any]
Outcome = Literal["points", "not_applicable", "pass", "fail", "veto", "no_veto"]

_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?\Z")
ZERO = Decimal(0)
# The quotient of two figures has up to 24 digits before the point: rounding must not run out of room.
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)


class EntryError(DomainError):
    """An entry that cannot stand. `code` is stable: missing, needs_reason, needs_evidence, off_grid, out_of_range,
    wrong_shape, unknown_choice, not_applicable_refused, does_not_apply, missing_figure,
    sample_too_small, needs_class."""

    def __init__(self, code: str, text: Text, item_id: str) -> None:
        super().__init__(text, field=item_id)
        self.code = code


def half_up(value: Decimal, places: int) -> Decimal:
    """`value` rounded half away from zero to `places` decimals."""
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE)


def decimal_of(value: object) -> Decimal | None:
    """A Decimal from a plain decimal string, an int or a Decimal; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.match(value) else None


def plain(value: Decimal) -> str:
    """The number as people write it: no exponent, no trailing zeros, no negative zero."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def maximum_of(item: Item) -> Decimal | None:
    """The item's maximum; None for an open-ended bonus."""
    return None if item["max"] is None else Decimal(item["max"])


def title_of(row: Mapping[str, Any]) -> Text:
    """The title of an item, level, tick or figure in the instrument JSON."""
    return Text.of(row["title"])


def wrong_shape(item: Item) -> EntryError:
    """The error for an entry whose JSON does not fit the scale."""
    text = Text("填写内容与本项的计分方式不符", "the entry does not fit this item's scale")
    return EntryError("wrong_shape", text, item["id"])


def within(item: Item, points: Decimal, minimum: Decimal, maximum: Decimal | None) -> None:
    """Refuse points outside [minimum, maximum], both inclusive."""
    if points < minimum or (maximum is not None and points > maximum):
        text = Text("{p} 分不在 {lo} 至 {hi} 之间", "{p} points is not between {lo} and {hi}")
        filled = text.format(p=plain(points), lo=plain(minimum), hi=item["max"])
        raise EntryError("out_of_range", filled, item["id"])


@dataclass(frozen=True, slots=True)
class Measured:
    """An expression's value, or the result the form states when it has none."""

    value: Decimal | None
    result: str | None
    working: Text


def measure(scale: Mapping[str, Any], figures: Mapping[str, Decimal]) -> Measured:
    """Evaluate a scale's expression. Raises MissingValue by name; a missing figure is never 0."""
    guard = scale["valid_if"]
    if guard is not None and not evaluate_truth(guard["tree"], figures):
        text = Text("不满足 {c}，按规定", "{c} does not hold; by rule").format(c=guard["source"])
        return Measured(None, scale["otherwise"], text)
    try:
        value = evaluate_number(scale["expression"]["tree"], figures)
    except ZeroDenominator:
        return Measured(
            None, scale["zero_denominator"], Text("分母为零", "the denominator is zero")
        )
    shown = plain(half_up(value, 6))
    return Measured(value, None, Text(shown, shown))


def banded(bands: list[dict[str, str | None]], value: Decimal) -> Decimal | None:
    """Points of the first band that holds `value` (ge/le inclusive); None when there is a gap."""
    for band in bands:
        ge, gt, lt, le = (band[limit] for limit in ("ge", "gt", "lt", "le"))
        if (
            (ge is None or value >= Decimal(ge))
            and (gt is None or value > Decimal(gt))
            and (lt is None or value < Decimal(lt))
            and (le is None or value <= Decimal(le))
        ):
            return Decimal(band["points"] or "0")
    return None


def target_points(maximum: Decimal, value: Decimal, target: Decimal, direction: str) -> Decimal:
    """maximum x value/target (up) or maximum x target/value (down), kept inside [0, maximum]."""
    with localcontext(exact_context()):
        if direction == "up":
            share = value / target
        else:
            share = Decimal(1) if value <= target else target / value
        return maximum * max(ZERO, min(Decimal(1), share))


def stated_points(result: str | None, maximum: Decimal) -> Decimal | None:
    """Points of a stated result: full, zero, or None for not_applicable."""
    return {"full": maximum, "zero": ZERO}.get(result or "")


def entry_figures(item: Item, given: object) -> dict[str, Decimal]:
    """The figures an entry gives, checked against their declared limits."""
    if not isinstance(given, Mapping):
        raise wrong_shape(item)
    declared = {figure["name"]: figure for figure in item["scale"]["figures"]}
    if set(given) - set(declared):
        raise wrong_shape(item)
    figures = {}
    for name, figure in declared.items():
        value = given.get(name)
        if value is None:
            text = Text("缺少数据：{t}", "missing figure: {t}").format(t=title_of(figure))
            raise EntryError("missing_figure", text, item["id"])
        figures[name] = check_figure(figure, value, item["id"])
    return figures


def check_figure(figure: Mapping[str, Any], value: object, item_id: str) -> Decimal:
    """One figure as a Decimal inside its declared limits (inclusive); EntryError otherwise."""
    number = decimal_of(value)
    if number is None:
        text = Text("{t} 应为普通十进制数", "{t} must be a plain decimal number")
        raise EntryError("wrong_shape", text.format(t=title_of(figure)), item_id)
    low, high = figure["minimum"], figure["maximum"]
    if (
        (low is not None and number < Decimal(low))
        or (high is not None and number > Decimal(high))
        or (figure["integer"] and number != number.to_integral_value())
    ):
        text = Text("{t}：{v} 超出允许范围", "{t}: {v} is outside its limits")
        filled = text.format(t=title_of(figure), v=plain(number))
        raise EntryError("out_of_range", filled, item_id)
    return number


def value_points(item: Item, value: Decimal) -> Decimal:
    """Points of a measured value by bands, target or survey scale, rounded at the item stage."""
    scale, maximum = item["scale"], Decimal(item["max"])
    if scale["type"] == "survey":
        points: Decimal | None = value
    elif scale["type"] == "bands" or scale["normalise"] == "bands":
        points = banded(scale["bands"], value)
    elif scale["normalise"] == "target_ratio":
        points = target_points(maximum, value, Decimal(scale["target"]), scale["direction"])
    else:
        text = Text("须与同类地区一并计算", "computed together with its class only")
        raise EntryError("needs_class", text, item["id"])
    if points is None:
        text = Text("数值 {v} 不在任何一档", "no band holds {v}").format(v=plain(value))
        raise EntryError("out_of_range", text, item["id"])
    points = half_up(points, item["places"])
    within(item, points, ZERO, maximum)
    return points


def figured_points(
    item: Item, figures: Mapping[str, Decimal]
) -> tuple[Decimal | None, Outcome, Text]:
    """Points of a bands, target or survey item from checked figures."""
    scale = item["scale"]
    if scale["type"] == "survey" and figures[scale["sample_figure"]] < scale["min_sample"]:
        text = Text("样本量不足 {n}", "the sample is smaller than {n}").format(
            n=scale["min_sample"]
        )
        raise EntryError("sample_too_small", text, item["id"])
    try:
        measured = measure(scale, figures)
    except MissingValue as error:
        raise EntryError("missing_figure", error.text, item["id"]) from error
    if measured.value is None:
        points = stated_points(measured.result, Decimal(item["max"]))
        return (
            points,
            "not_applicable" if points is None else "points",
            measured.working,
        )
    return value_points(item, measured.value), "points", measured.working
