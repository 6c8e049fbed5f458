"""From the marks present to one value: mean, trimmed mean, median, Winsorised mean, Algorithm A.

All but Algorithm A are exact. Algorithm A (Huber's estimator with 1.5, ISO 13528 Annex C and ISO
5725-5) takes square roots; it runs in 40-digit decimals, stops when location and scale move by less
than 1e-12 of the scale, and its value is cut to ten decimals. ISO 5725-5 prints a result that
stopped after four steps; this one converges and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any, Final

from app.domain.statistics.rounding import exact_sum, exact_text, half_up, plain
from app.domain.statistics.trimming import Trimmed, drop_count, trim
from app.domain.types import DomainError, Text

ESTIMATORS: Final = ("trimmed_mean", "mean", "median", "winsorised", "algorithm_a")

# Estimators whose value is the mean of some sheets, so that item means over those sheets add up to it.
SPLITS_INTO_ITEMS: Final = frozenset({"trimmed_mean", "mean", "median"})

_HUBER = Decimal("1.5")
_MAD_TO_SD = Decimal("1.4826")
# Makes the scale unbiased for normal marks after pulling in at 1.5 sd; ISO prints 1.134.
_SCALE = Decimal("1.133392655462487")
_PLACES = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """One value and how it came about.

    `used` are the raters whose marks carry the value, `dropped` those left out, `pulled` those
    whose mark was replaced by a nearer one. `total / count` is the last division a reader redoes;
    both are None for Algorithm A.
    """

    value: Fraction
    present: int
    used: tuple[str, ...]
    dropped: tuple[str, ...]
    pulled: tuple[str, ...]
    low: tuple[tuple[str, Decimal], ...]
    high: tuple[tuple[str, Decimal], ...]
    total: Fraction | None
    count: int

    def to_json(self) -> dict[str, Any]:
        """JSON value; marks are strings, an endless value is "p/q"."""
        return {
            "value": exact_text(self.value),
            "present": self.present,
            "used": len(self.used),
            "dropped": list(self.dropped),
            "pulled": list(self.pulled),
            "low": [[rater, plain(mark)] for rater, mark in self.low],
            "high": [[rater, plain(mark)] for rater, mark in self.high],
        }


def _average(split: Trimmed) -> Estimate:
    total = exact_sum(mark for _, mark in split.kept)
    return Estimate(
        value=total / len(split.kept),
        present=split.present,
        used=tuple(sorted(rater for rater, _ in split.kept)),
        dropped=split.dropped,
        pulled=(),
        low=split.low,
        high=split.high,
        total=total,
        count=len(split.kept),
    )


def _winsorised(split: Trimmed) -> Estimate:
    """Each extreme mark is replaced by the nearest kept one, then the mean of all."""
    lowest, highest = split.kept[0][1], split.kept[-1][1]
    total = exact_sum(mark for _, mark in split.kept)
    total += len(split.low) * Fraction(lowest) + len(split.high) * Fraction(highest)
    return Estimate(
        value=total / split.present,
        present=split.present,
        used=tuple(sorted(rater for rater, _ in split.low + split.kept + split.high)),
        dropped=(),
        pulled=split.dropped,
        low=split.low,
        high=split.high,
        total=total,
        count=split.present,
    )


def _median(values: Sequence[Decimal]) -> Decimal:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def algorithm_a(
    values: Sequence[Decimal], *, iterations: int | None = None
) -> tuple[Decimal, Decimal]:
    """Robust mean and standard deviation x*, s* of ISO 13528 Annex C (Algorithm A).

    Runs to convergence, or exactly `iterations` steps when given. When more than half of the marks
    are equal the scale starts at 0 and the result is the median with scale 0.
    """
    if not values:
        raise DomainError(Text("没有分数。", "There are no marks."))
    with localcontext(Context(prec=40)):
        location = _median(values)
        scale = _MAD_TO_SD * _median([abs(value - location) for value in values])
        done = 0
        while scale > 0 and len(values) > 1 and done < (1000 if iterations is None else iterations):
            limit = _HUBER * scale
            pulled = [min(max(v, location - limit), location + limit) for v in values]
            new_location = sum(pulled, Decimal(0)) / len(pulled)
            squares = sum(((v - new_location) ** 2 for v in pulled), Decimal(0))
            new_scale = _SCALE * (squares / (len(pulled) - 1)).sqrt()
            moved = max(abs(new_location - location), abs(new_scale - scale))
            location, scale = new_location, new_scale
            done += 1
            if iterations is None and moved < Decimal("1e-12") * scale:
                break
        return location, scale


def _algorithm_a(marks: Mapping[str, Decimal]) -> Estimate:
    location, scale = algorithm_a(list(marks.values()))
    limit = _HUBER * scale
    pulled = sorted(rater for rater, mark in marks.items() if abs(mark - location) > limit)
    return Estimate(
        value=Fraction(half_up(location, _PLACES)),
        present=len(marks),
        used=tuple(sorted(marks)),
        dropped=(),
        pulled=tuple(pulled),
        low=(),
        high=(),
        total=None,
        count=len(marks),
    )


def estimate(estimator: str, marks: Mapping[str, Decimal], drop: Mapping[int, int]) -> Estimate:
    """The panel's value of one unit (an item, or the total sheet).

    `marks`: rater id -> mark, present marks only. `drop`: the table of counts, used by the trimmed
    and the Winsorised mean. Raises DomainError without marks or with an unknown estimator.
    """
    if not marks:
        raise DomainError(Text("没有分数。", "There are no marks."))
    count = drop_count(drop, len(marks))
    match estimator:
        case "trimmed_mean":
            return _average(trim(marks, count))
        case "mean":
            return _average(trim(marks, 0))
        case "median":
            return _average(trim(marks, (len(marks) - 1) // 2))
        case "winsorised":
            return _winsorised(trim(marks, count))
        case "algorithm_a":
            return _algorithm_a(marks)
    raise DomainError(
        Text("未知的合成方法 {name}。", "Unknown estimator {name}.").format(name=estimator),
        field="estimator",
    )
