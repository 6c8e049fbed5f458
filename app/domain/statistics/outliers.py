"""Marks and sheets worth a supervisor's look: advice, exclusion is a person's act with a reason.

Why not the usual |z| > 3 inside a panel: it cannot fire for ten experts or fewer (Shiffler 1988,
bound (k-1)/sqrt(k)), and MAD or Tukey fences flag 12 to 31 % of clean panels. Instead residuals of
the additive subject + expert fit are scaled by a MAD pooled over the whole round, with a minimum
practical size. A single stand-alone panel uses Grubbs' test. The customary +-20 % from the mean of
the others is exact. `review.py` runs all rules over a round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Any, Final, Literal

from app.domain.statistics.components import fit_components
from app.domain.statistics.flags import Checked, Flag, Level, not_enough
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import Observed
from app.domain.statistics.rounding import half_up, plain
from app.domain.statistics.rule import FlagLimits, ScoreRule
from app.domain.types import Text

# Three panels are the least over which pooling a scale means anything.
POOLED_FROM: Final = 3


@dataclass(frozen=True, slots=True)
class Grubbs:
    """Grubbs' statistic, its critical value, and the position of the extreme mark."""

    g: float
    critical: float
    index: int

    @property
    def outlier(self) -> bool:
        """Whether the extreme mark is an outlier at the level asked."""
        return self.g > self.critical


def grubbs(
    values: Sequence[float], *, level: float = 0.05, side: Literal["both", "max", "min"] = "both"
) -> Grubbs | Text:
    """Grubbs 1969 (NIST/SEMATECH e-Handbook 1.3.5.17.1); needs 3 values that are not all equal."""
    n = len(values)
    if n < 3:
        return Text("无定义:少于 3 个分数。", "Not defined: fewer than 3 marks.")
    mean = sum(values) / n
    sd = sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    if sd <= 1e-12 * max(1.0, abs(mean)):
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    from scipy.special import stdtrit

    distance = {"both": [abs(v - mean) for v in values], "max": [v - mean for v in values]}
    away = distance.get(side, [mean - v for v in values])
    index = max(range(n), key=lambda i: away[i])
    tail = level / ((2 if side == "both" else 1) * n)
    t = float(stdtrit(n - 2, 1.0 - tail))
    critical = (n - 1) / sqrt(n) * sqrt(t * t / (n - 2 + t * t))
    return Grubbs(away[index] / sd, critical, index)


def practical_size(limits: FlagLimits, values: Sequence[float]) -> float:
    """The smallest deviation in points that is worth a flag."""
    full = float(limits.full_mark) if limits.full_mark else max((abs(v) for v in values), default=0)
    return float(limits.practical) * full


def _by_subject(seen: Observed) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}
    for subject, rater, value in zip(seen.subjects, seen.raters, seen.values, strict=True):
        table.setdefault(subject, {})[rater] = value
    return table


def _others(panel: dict[str, float], rater: str) -> list[float]:
    return sorted(value for name, value in panel.items() if name != rater)


def residuals(seen: Observed) -> tuple[dict[tuple[str, str], float], float, dict[str, float]]:
    """(standardised residual per (subject, expert), pooled scale in points, severity per expert).

    Severity is the BLUP of the variance-components fit (0 when that is not defined); the subject's
    level is the median of what remains, so that a wild mark does not drag it. The scale is the MAD
    x 1.4826 of all residuals, each enlarged for its panel size; 0 when more than half are zero.
    """
    fit = fit_components(seen)
    severity = {} if isinstance(fit, Text) else {s.rater: s.effect for s in fit.severities}
    raw: dict[tuple[str, str], float] = {}
    spread: list[float] = []
    for subject, panel in _by_subject(seen).items():
        if len(panel) < 3:
            continue
        free = {rater: value - severity.get(rater, 0.0) for rater, value in panel.items()}
        level = _median(list(free.values()))
        large = 1.0 / sqrt(1.0 - 1.0 / len(panel))
        away = sorted((value - level) * large for value in free.values())
        raw |= {(subject, rater): (value - level) * large for rater, value in free.items()}
        # In an odd panel one residual is zero by construction; counting it would shrink the scale.
        spread += away[: len(away) // 2] + away[(len(away) + 1) // 2 :]
    scale = 1.4826 * _median([abs(value) for value in spread]) if spread else 0.0
    if scale <= 1e-9 * max((abs(v) for v in seen.values), default=1.0):
        return dict.fromkeys(raw, 0.0), 0.0, severity
    return {key: value / scale for key, value in raw.items()}, scale, severity


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def pooled_residuals(limits: FlagLimits, seen: Observed, stage: str) -> Checked:
    """Marks far from subject + expert in units of the round's own scatter; needs three panels."""
    if len(set(seen.subjects)) < POOLED_FROM:
        few = Text(
            "对象不足 3 个,改用单组检验。", "fewer than 3 subjects; the single-panel test looks."
        )
        return Checked("pooled_residual", stage, [], not_enough(few))
    standard, scale, severity = residuals(seen)
    if not standard:
        few = Text("没有 3 人以上的专家组。", "no panel of 3 or more.")
        return Checked("pooled_residual", stage, [], not_enough(few))
    smallest = practical_size(limits, seen.values)
    table = _by_subject(seen)
    flags = []
    for (subject, rater), residual in standard.items():
        mark, others = table[subject][rater], _others(table[subject], rater)
        away = mark - sum(others) / len(others)
        exact_rest = scale == 0.0 and abs(away) >= smallest
        if abs(away) < smallest or (abs(residual) <= float(limits.amber) and not exact_rest):
            continue
        lean = severity.get(rater, 0.0)
        habit = Text("偏严", "strict") if lean < 0 else Text("偏宽", "lenient")
        text = Text(
            "专家 {r} 对 {s} 给 {m:g} 分,本组其余 {n} 人 {lo:g}–{hi:g},偏差 {a:+.1f} 分"
            "(残差 {z:.1f}),其评分总体{habit} {lean:+.1f} 分。",
            "Expert {r} gave {s} {m:g}; the other {n} gave {lo:g} to {hi:g}; {a:+.1f} points away "
            "(residual {z:.1f}); this expert is {habit} overall by {lean:+.1f}.",
        ).format(
            r=rater,
            s=subject,
            m=mark,
            n=len(others),
            lo=others[0],
            hi=others[-1],
            a=away,
            z=residual,
            habit=habit,
            lean=lean,
        )
        level: Level = "red" if abs(residual) > float(limits.red) else "amber"
        numbers: dict[str, float | None] = {
            "mark": mark,
            "away": away,
            "residual": residual,
            "severity": lean,
        }
        if exact_rest:
            # The rest agree exactly, so there is no scale to divide by; only the points speak.
            text = Text(
                "专家 {r} 对 {s} 给 {m:g} 分,与其余 {n} 人的均分相差 {a:+.1f} 分,而全场过半评分完全一致。",
                "Expert {r} gave {s} {m:g}, {a:+.1f} points from the other {n}, while more than half of "
                "all marks agree exactly.",
            ).format(r=rater, s=subject, m=mark, n=len(others), a=away)
            numbers["residual"] = None
        flags.append(Flag("pooled_residual", level, subject, rater, stage, text, numbers))
    return Checked("pooled_residual", stage, flags)


def single_panels(limits: FlagLimits, seen: Observed, stage: str) -> Checked:
    """Grubbs' test on each stand-alone panel; where three panels share a scale, that rule looks."""
    if len(set(seen.subjects)) >= POOLED_FROM:
        return Checked("grubbs", stage)
    if all(len(panel) < 3 for panel in _by_subject(seen).values()):
        few = Text("没有 3 人以上的专家组。", "no panel of 3 or more.")
        return Checked("grubbs", stage, [], not_enough(few))
    flags = []
    smallest = practical_size(limits, seen.values)
    for subject, panel in _by_subject(seen).items():
        raters = sorted(panel)
        test = grubbs([panel[rater] for rater in raters])
        if isinstance(test, Text) or not test.outlier:
            continue
        rater = raters[test.index]
        others = _others(panel, rater)
        away = panel[rater] - sum(others) / len(others)
        if abs(away) < smallest:
            continue
        text = Text(
            "专家 {r} 对 {s} 给 {m:g} 分,其余 {n} 人 {lo:g}–{hi:g}(格拉布斯 G = {g:.2f},临界值 {c:.2f})。",
            "Expert {r} gave {s} {m:g}; the other {n} gave {lo:g} to {hi:g} (Grubbs G = {g:.2f}, "
            "critical {c:.2f}).",
        ).format(
            r=rater,
            s=subject,
            m=panel[rater],
            n=len(others),
            lo=others[0],
            hi=others[-1],
            g=test.g,
            c=test.critical,
        )
        numbers = {"mark": panel[rater], "away": away, "g": test.g, "critical": test.critical}
        flags.append(Flag("grubbs", "amber", subject, rater, stage, text, numbers))
    return Checked("grubbs", stage, flags)


def deviations(rule: ScoreRule, subjects: Sequence[SubjectMarks], stage: str) -> Checked:
    """Official marks further than the customary share from the mean of the others, exactly."""
    limit = Fraction(rule.flags.deviation)
    flags, looked = [], False
    for subject in subjects:
        if stage not in subject.stages:
            continue
        marks = {
            r: t
            for r, s in subject.stages[stage].valid.items()
            if (t := _total(rule, s.total, s.items)) is not None
        }
        whole, size = sum(marks.values(), Fraction(0)), len(marks) - 1
        for rater, mark in marks.items():
            if size < 2 or whole <= mark:
                continue
            looked = True
            base = (whole - mark) / size
            if abs(mark - base) <= limit * base:
                continue
            share = half_up((mark - base) / base * 100, 1)
            text = Text(
                "专家 {r} 对 {s} 给 {m} 分,偏离其余 {n} 人均分 {b} 分 {p} %,超过 ±{l} %,须书面说明。",
                "Expert {r} gave {s} {m}, {p} % from the mean {b} of the other {n}, beyond ±{l} %: "
                "a written reason is needed.",
            ).format(
                r=rater,
                s=subject.id,
                m=plain(half_up(mark, 2)),
                n=size,
                b=plain(half_up(base, 2)),
                p=f"{share:+}",
                l=plain(half_up(limit * 100, 0)),
            )
            numbers = {"mark": float(mark), "base": float(base), "percent": float(share)}
            flags.append(Flag("deviation", "info", subject.id, rater, stage, text, numbers))
    few = Text("没有 3 人以上的正分专家组。", "no panel of 3 or more with a positive mean.")
    return Checked("deviation", stage, flags, None if looked else not_enough(few))


def _total(rule: ScoreRule, total: Decimal | None, items: Any) -> Fraction | None:
    if total is not None:
        return Fraction(total)
    if not items or any(mark is None for mark in items.values()):
        return None
    weights = {name: rule.items[name].weight if name in rule.items else 1 for name in items}
    return sum((Fraction(m) * Fraction(weights[n]) for n, m in items.items()), Fraction(0))
