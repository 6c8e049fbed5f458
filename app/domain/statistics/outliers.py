"""Marks and sheets worth a supervisor's look: advice, exclusion is a person's act with a reason.

Why not the usual |z| > 3 inside a panel: it cannot fire for ten experts or fewer (Shiffler 1988,
bound (k-1)/sqrt(k)), and MAD or Tukey fences flag 12 to 31 % of clean panels. Instead residuals of
the additive subject + expert fit are scaled by a MAD pooled over the whole round, with a minimum
practical size. A single stand-alone panel uses Grubbs' test. The customary +-20 % from the mean of
the others is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Any, Literal

from app.domain.statistics.components import fit_components
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import Observed, item_names, observed_totals, stage_names
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rounding import half_up, plain
from app.domain.statistics.rule import FlagLimits, ScoreRule
from app.domain.statistics.trace import text_json
from app.domain.types import Text

# Three panels are the least over which pooling a scale means anything.
_POOLED_FROM = 3
_SAME_ITEMS = 4


@dataclass(frozen=True, slots=True)
class Flag:
    """One observation. `rule` is the name of the test; `numbers` are those of the sentence."""

    rule: str
    level: Literal["info", "amber", "red"]
    subject: str | None
    rater: str | None
    stage: str | None
    text: Text
    numbers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "rule": self.rule,
            "level": self.level,
            "subject": self.subject,
            "rater": self.rater,
            "stage": self.stage,
            "text": text_json(self.text),
            "numbers": self.numbers,
        }


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


def flag_round(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scores: RoundScores | None = None
) -> list[Flag]:
    """Every flag of a round, sorted by subject, expert and rule. Never changes a score."""
    flags: list[Flag] = []
    for stage in stage_names(subjects):
        seen = observed_totals(rule, subjects, stage)
        if len(set(seen.subjects)) >= _POOLED_FROM:
            flags += _residual_flags(rule.flags, seen, stage)
        else:
            flags += _grubbs_flags(rule.flags, seen, stage)
        flags += _deviation_flags(rule, subjects, stage)
        flags += _straight_lines(subjects, seen, stage)
        flags += _duplicates(subjects, stage)
    if scores is not None:
        flags += _small_panels(rule, scores)
    return sorted(flags, key=lambda f: (f.subject or "", f.rater or "", f.rule, f.stage or ""))


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
    for subject, panel in _by_subject(seen).items():
        if len(panel) < 3:
            continue
        free = {rater: value - severity.get(rater, 0.0) for rater, value in panel.items()}
        level = _median(list(free.values()))
        for rater, value in free.items():
            raw[subject, rater] = (value - level) / sqrt(1.0 - 1.0 / len(panel))
    scale = 1.4826 * _median([abs(value) for value in raw.values()]) if raw else 0.0
    if scale <= 1e-9 * max((abs(v) for v in seen.values), default=1.0):
        return dict.fromkeys(raw, 0.0), 0.0, severity
    return {key: value / scale for key, value in raw.items()}, scale, severity


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _residual_flags(limits: FlagLimits, seen: Observed, stage: str) -> list[Flag]:
    standard, scale, severity = residuals(seen)
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
        level: Literal["amber", "red"] = "red" if abs(residual) > float(limits.red) else "amber"
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
    return flags


def _grubbs_flags(limits: FlagLimits, seen: Observed, stage: str) -> list[Flag]:
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
    return flags


def _deviation_flags(rule: ScoreRule, subjects: Sequence[SubjectMarks], stage: str) -> list[Flag]:
    """Official marks further than the customary share from the mean of the others, exactly."""
    limit = Fraction(rule.flags.deviation)
    flags = []
    for subject in subjects:
        if stage not in subject.stages:
            continue
        marks = {
            r: t
            for r, s in subject.stages[stage].valid.items()
            if (t := _total(rule, s.total, s.items)) is not None
        }
        for rater, mark in marks.items():
            others = [other for name, other in marks.items() if name != rater]
            base = sum(others, Fraction(0)) / len(others) if others else Fraction(0)
            if len(others) < 2 or base <= 0 or abs(mark - base) <= limit * base:
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
                n=len(others),
                b=plain(half_up(base, 2)),
                p=f"{share:+}",
                l=plain(half_up(limit * 100, 0)),
            )
            numbers = {"mark": float(mark), "base": float(base), "percent": float(share)}
            flags.append(Flag("deviation", "info", subject.id, rater, stage, text, numbers))
    return flags


def _total(rule: ScoreRule, total: Decimal | None, items: Any) -> Fraction | None:
    if total is not None:
        return Fraction(total)
    if not items or any(mark is None for mark in items.values()):
        return None
    weights = {name: rule.items[name].weight if name in rule.items else 1 for name in items}
    return sum((Fraction(m) * Fraction(weights[n]) for n, m in items.items()), Fraction(0))


def _straight_lines(subjects: Sequence[SubjectMarks], seen: Observed, stage: str) -> list[Flag]:
    """An expert who gives every subject the same total, or every item of a sheet the same mark."""
    flags = []
    by_rater: dict[str, list[float]] = {}
    for rater, value in zip(seen.raters, seen.values, strict=True):
        by_rater.setdefault(rater, []).append(value)
    for rater, values in sorted(by_rater.items()):
        if len(values) >= 3 and min(values) == max(values):
            text = Text(
                "专家 {r} 对 {n} 个对象都给 {m:g} 分,没有区分。",
                "Expert {r} gave all {n} subjects {m:g}: no distinction.",
            ).format(r=rater, n=len(values), m=values[0])
            numbers = {"subjects": len(values), "mark": values[0]}
            flags.append(Flag("same_for_all", "amber", None, rater, stage, text, numbers))
    items = item_names(subjects, stage)
    if len(items) < _SAME_ITEMS:
        return flags
    for subject in subjects:
        for rater, sheet in (
            subject.stages[stage].valid if stage in subject.stages else {}
        ).items():
            marks = [mark for mark in sheet.items.values() if mark is not None]
            if len(marks) >= _SAME_ITEMS and min(marks) == max(marks):
                text = Text(
                    "专家 {r} 对 {s} 的 {n} 项都给 {m} 分。",
                    "Expert {r} gave all {n} items of {s} {m}.",
                ).format(r=rater, s=subject.id, n=len(marks), m=plain(marks[0]))
                line = {"items": len(marks), "mark": float(marks[0])}
                flags.append(Flag("straight_line", "info", subject.id, rater, stage, text, line))
    return flags


def _duplicates(subjects: Sequence[SubjectMarks], stage: str) -> list[Flag]:
    """Two experts with the same mark on every item of a subject, the sheet not being constant."""
    flags = []
    for subject in subjects:
        first: dict[tuple[tuple[str, Decimal], ...], str] = {}
        for rater, sheet in (
            subject.stages[stage].valid if stage in subject.stages else {}
        ).items():
            marks = tuple((i, m) for i, m in sorted(sheet.items.items()) if m is not None)
            if len(marks) < _SAME_ITEMS or len({mark for _, mark in marks}) < 2:
                continue
            other = first.setdefault(marks, rater)
            if other != rater:
                text = Text(
                    "{s}:专家 {a} 与 {b} 的 {n} 项评分完全相同。",
                    "{s}: experts {a} and {b} gave the same mark on all {n} items.",
                ).format(s=subject.id, a=other, b=rater, n=len(marks))
                numbers = {"items": len(marks), "other": other}
                flags.append(Flag("duplicate", "amber", subject.id, rater, stage, text, numbers))
    return flags


def _small_panels(rule: ScoreRule, scores: RoundScores) -> list[Flag]:
    """Panels below the first row of the trimming table: nothing was dropped, which must be said."""
    if rule.estimator not in ("trimmed_mean", "winsorised") or not rule.drop:
        return []
    least = min(rule.drop)
    flags = []
    for score in scores.subjects.values():
        for stage in score.stages.values():
            units = [stage.unit] if stage.unit is not None else list(stage.items.values())
            sizes = [u.present for u in units if u.value is not None and u.present < least]
            if sizes:
                text = Text(
                    "{s}:有效分数只有 {n} 个,未去最高最低分。",
                    "{s}: only {n} valid marks; none was dropped.",
                ).format(s=score.id, n=min(sizes))
                numbers = {"present": min(sizes), "table_from": least}
                flags.append(Flag("small_panel", "amber", score.id, None, stage.id, text, numbers))
    return flags
