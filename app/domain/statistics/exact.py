"""Exact totals of a whole round at once: the numbers of `scores.py` without its written arithmetic.

For questions that need a round computed again hundreds of times (an expert left out, another rule) and
for seasons of thousands of subjects. Integers on one common denominator, half-up rounding at the same
named stages; nothing is a float. `scores.score_round` remains the official computation and the only
one with steps; the tests hold the two together to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from app.domain.statistics.columns import Columns, columns_of
from app.domain.statistics.estimators import estimate
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.rounding import at_stage, half_up, to_decimal
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.trimming import drop_count

if TYPE_CHECKING:
    from app.domain.statistics.columns import Whole, Yes

_SAFE = 2**62


@dataclass(frozen=True, slots=True)
class Total:
    """Published and unrounded total of a subject."""

    published: Decimal
    unrounded: Fraction


@dataclass(frozen=True, slots=True)
class Prepared:
    """A round ready to be computed again and again under any rule with the same stages."""

    subjects: tuple[SubjectMarks, ...]
    columns: Mapping[str, Columns]


def prepare(subjects: Sequence[SubjectMarks]) -> Prepared:
    """The panel stages of a round as columns."""
    names = {name for s in subjects for name, stage in s.stages.items() if stage.kind == "panel"}
    return Prepared(tuple(subjects), {name: columns_of(subjects, name) for name in sorted(names)})


def totals(
    rule: ScoreRule, round_: Prepared, *, without: frozenset[str] = frozenset()
) -> dict[str, Total]:
    """Total of every subject that has one, as if the experts in `without` had not marked."""
    weights = rule.modules or {name: Decimal(1) for s in round_.subjects for name in s.stages}
    values = {
        name: _stage(rule, round_.columns[name], without)
        for name in weights
        if name in round_.columns
    }
    found = {}
    for index, subject in enumerate(round_.subjects):
        if subject.vetoed:
            continue
        parts: list[Fraction] | None = []
        for name, weight in (weights if rule.modules else dict.fromkeys(subject.stages, Decimal(1))).items():  # fmt: skip
            stage = subject.stages.get(name)
            value: Fraction | None = None
            if stage is not None and stage.kind == "value" and stage.value is not None:
                value = at_stage(Fraction(stage.value), rule.rounding["module"])
            elif stage is not None and stage.kind == "panel":
                value = values[name][index]
            if value is None or parts is None:
                parts = None
                continue
            if rule.modules:
                value = at_stage(value * Fraction(weight), rule.rounding["weighted"])
            parts.append(value)
        if parts is None:
            continue
        asked = subject.adjust + rule.adjust.get(subject.id, Decimal(0))
        adjust = asked if rule.bonus_cap is None else min(asked, rule.bonus_cap)
        exact, places = sum(parts, Fraction(0)), rule.rounding["total"]
        total = at_stage(exact, places) + Fraction(adjust)
        published = to_decimal(total) if places is None else half_up(total, places)
        found[subject.id] = Total(published, exact + Fraction(adjust))
    return found


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Integers over one denominator."""

    top: Whole
    bottom: int

    def rounded(self, places: int | None) -> _Scaled:
        """Half away from zero at `places` decimals; unchanged for None."""
        import numpy as np

        if places is None:
            return self
        ten, top = 10**places, self.top
        if int(np.abs(top).max(initial=0)) * 2 * ten >= _SAFE or 2 * self.bottom >= _SAFE:
            top = top.astype(object)
        size = (2 * abs(top) * ten + self.bottom) // (2 * self.bottom)
        return _Scaled(np.where(top < 0, -size, size), ten)

    def times(self, factor: int) -> _Scaled:
        """Numerators times a whole number; the denominator is the caller's business."""
        import numpy as np

        top = self.top
        if int(np.abs(top).max(initial=0)) * abs(factor) >= _SAFE:
            top = top.astype(object)
        return _Scaled(top * factor, self.bottom)

    def over(self, bottom: int) -> _Scaled:
        """The same numbers over a multiple of the denominator."""
        return self if bottom == self.bottom else _Scaled(self.times(bottom // self.bottom).top, bottom)  # fmt: skip


def _stage(rule: ScoreRule, c: Columns, without: frozenset[str]) -> list[Fraction | None]:
    """Value of the stage by subject; None: no score."""
    import numpy as np

    valid = c.valid
    if without:
        out = np.array([rater in without for rater in c.raters] + [False])
        valid = valid & ~out[c.who]
    named = c.named & valid.any(axis=0)
    if rule.unit == "sheet":
        return _by_sheet(rule, c, valid, named)
    return _by_item(rule, c, valid, named)


def _by_sheet(rule: ScoreRule, c: Columns, valid: Yes, named: Yes) -> list[Fraction | None]:
    import numpy as np

    gap = (named[None] & ~c.given & ~c.inapplicable).any(axis=1)
    counts = valid & (c.has_total | (c.given.any(axis=1) & ~gap))
    made = _weighted(rule, c.items, _Scaled(c.marks, c.bottom), ("product", "section", "sheet"))
    bottom = lcm(made.bottom, c.bottom)
    sums, totals_ = made.over(bottom).top, _Scaled(c.totals, c.bottom).over(bottom).top
    units = np.where(c.has_total, totals_, sums)
    values = _estimated(rule, _Scaled(units, bottom), counts)
    enough = counts.sum(axis=0) >= rule.quorum
    done = values.rounded(rule.rounding["module"])
    return [
        Fraction(int(top), done.bottom) if ok and panel else None
        for top, ok, panel in zip(done.top, enough, c.is_panel, strict=True)
    ]


def _by_item(rule: ScoreRule, c: Columns, valid: Yes, named: Yes) -> list[Fraction | None]:
    import numpy as np

    counts = valid[:, None, :] & c.given
    present = counts.sum(axis=0)
    waived = (~valid[:, None, :] | c.inapplicable).all(axis=0) & (present == 0)
    scored = named & ~waived
    lacking = (scored & (present < rule.quorum)).any(axis=0)
    enough = (valid.sum(axis=0) >= rule.quorum) & named.any(axis=0)
    made = _estimated(rule, _Scaled(c.marks, c.bottom), counts).rounded(rule.rounding["item"])
    items = _Scaled(np.where(scored, made.top, 0), made.bottom)
    done = _weighted(rule, c.items, items, ("product", "section", "module"))
    has = scored.any(axis=0) & enough & ~lacking & c.is_panel
    return [
        Fraction(int(top), done.bottom) if ok else None for top, ok in zip(done.top, has, strict=True)
    ]  # fmt: skip


def _weighted(
    rule: ScoreRule, items: tuple[str, ...], values: _Scaled, stages: tuple[str, str, str]
) -> _Scaled:
    """Products, section sums, their sum, each rounded at its stage; items are the axis before last."""
    import numpy as np

    product, section, end = (rule.rounding[stage] for stage in stages)
    if not rule.items and product is None and section is None:  # no weights: one sum
        return _Scaled(_sum(values.top, -2), values.bottom).rounded(end)
    entries = [rule.items.get(item) for item in items]
    ratios = [(Fraction(1) if e is None else Fraction(e.weight)).as_integer_ratio() for e in entries]  # fmt: skip
    common = lcm(*(bottom for _, bottom in ratios))
    sections: dict[str, _Scaled] = {}
    for index, (item, entry, (top, bottom)) in enumerate(zip(items, entries, ratios, strict=True)):
        part = _Scaled(values.top[..., index, :], values.bottom).times(top * (common // bottom))
        part = _Scaled(part.top, values.bottom * common).rounded(product)
        key = f"i:{item}" if entry is None or entry.section is None else f"s:{entry.section}"
        before = sections.get(key)
        sections[key] = part if before is None else _Scaled(before.top + part.top, part.bottom)
    if not sections:
        empty = np.zeros((*values.top.shape[:-2], values.top.shape[-1]), dtype=values.top.dtype)
        return _Scaled(empty, values.bottom)
    rounded = [_of_section(rule, key, part).rounded(section) for key, part in sections.items()]
    bottom = lcm(*(part.bottom for part in rounded))
    whole = rounded[0].over(bottom).top
    for part in rounded[1:]:
        whole = whole + part.over(bottom).top
    return _Scaled(whole, bottom).rounded(end)


def _of_section(rule: ScoreRule, key: str, part: _Scaled) -> _Scaled:
    """Cap, then weight of a section's sum."""
    import numpy as np

    own = rule.sections.get(key[2:]) if key.startswith("s:") else None
    if own is None:
        return part
    if own.cap is not None:
        top, bottom = own.cap.as_integer_ratio()
        both = lcm(bottom, part.bottom)
        part = part.over(both)
        part = _Scaled(np.minimum(part.top, top * (both // bottom)), both)
    top, bottom = own.weight.as_integer_ratio()
    return _Scaled(part.times(top).top, part.bottom * bottom)


def _sum(top: Whole, axis: int) -> Whole:
    import numpy as np

    if top.dtype != object and int(np.abs(top).max(initial=0)) * max(top.shape[axis], 1) >= _SAFE:
        top = top.astype(object)
    made: Whole = top.sum(axis=axis)
    return made


def _estimated(rule: ScoreRule, values: _Scaled, counts: Yes) -> _Scaled:
    """The panel value over the first axis, of the marks that count; 0 where there is none."""
    import numpy as np

    present = counts.sum(axis=0)
    sizes = [int(k) for k in np.unique(present) if k]
    if rule.estimator == "algorithm_a":
        return _algorithm_a(values, counts, present)
    cuts = {k: _cut(rule, k) for k in sizes}
    divisors = {k: k if rule.estimator == "winsorised" else k - 2 * g for k, g in cuts.items()}
    common = lcm(*divisors.values()) if divisors else 1
    largest = int(np.abs(values.top).max(initial=0))
    top = values.top
    if largest * common * max(sizes, default=1) >= _SAFE:
        top = top.astype(object)
    made = np.zeros(present.shape, dtype=top.dtype)
    full = len(sizes) == 1 and bool((present == sizes[0]).all()) and sizes[0] == len(counts)
    if full and cuts[sizes[0]] <= 1 and rule.estimator in ("trimmed_mean", "mean"):
        # The usual round: nobody missing, one dropped at each end. Three passes over whole rows.
        made = top.sum(axis=0)
        if cuts[sizes[0]]:
            made = made - top.max(axis=0) - top.min(axis=0)
        return _Scaled(made * (common // divisors[sizes[0]]), values.bottom * common)
    above = largest + 1
    ordered = np.sort(np.where(counts, top, above), axis=0)
    for k, g in cuts.items():
        kept = ordered[g : k - g].sum(axis=0)
        if rule.estimator == "winsorised":
            kept = kept + g * (ordered[g] + ordered[k - 1 - g])
        made = np.where(present == k, kept * (common // divisors[k]), made)
    return _Scaled(made, values.bottom * common)


def _cut(rule: ScoreRule, present: int) -> int:
    if rule.estimator == "mean":
        return 0
    if rule.estimator == "median":
        return (present - 1) // 2
    return drop_count(rule.drop, present)


def _algorithm_a(values: _Scaled, counts: Yes, present: Any) -> _Scaled:
    """Iterative, so one unit at a time; its values have ten decimals."""
    import numpy as np

    made = np.zeros(present.shape, dtype=object)
    for cell in zip(*np.nonzero(present), strict=True):
        seats = np.flatnonzero(counts[(slice(None), *cell)])
        marks = {
            f"{seat:06}": to_decimal(Fraction(int(values.top[(seat, *cell)]), values.bottom))
            for seat in seats
        }
        value = estimate("algorithm_a", marks, {}).value
        made[cell] = int(value * 10**10)
    return _Scaled(made, 10**10)
