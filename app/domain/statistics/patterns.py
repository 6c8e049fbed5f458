"""Patterns over a whole round: always at the end of the panel, always like one other, kind to home.

Each is a family of tests with Holm's correction, so that a round of clean experts is flagged at most
about once in twenty, whatever its size. A rule that could not become significant whatever had been
marked says that the data are not enough.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

from app.domain.statistics.additive import Additive, fit_additive
from app.domain.statistics.flags import Checked, Flag, not_enough
from app.domain.statistics.observed import Observed
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.testing import at_least, holm
from app.domain.statistics.trimming import drop_count
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL: Final = 0.05
# Correlation of residuals that is worth a supervisor's time, whatever its p-value.
ALIKE: Final = 0.6
FEWEST_COMMON: Final = 8
FEWEST_HOME: Final = 3

Homes = Mapping[str, Collection[str]]


def extremes(rule: ScoreRule, seen: Observed, stage: str) -> Checked:
    """Experts who are the dropped highest, or the dropped lowest, far more often than by lot.

    Among k exchangeable experts each is among the g highest with chance g / k. A mark that ties with
    a kept one is not counted. Where the rule drops nothing, g is 1.
    """
    panels: dict[str, list[tuple[float, str]]] = {}
    for subject, rater, value in zip(seen.subjects, seen.raters, seen.values, strict=True):
        panels.setdefault(subject, []).append((value, rater))
    chances: dict[str, list[float]] = {}
    counts: dict[tuple[str, str], int] = {}
    for marks in panels.values():
        k = len(marks)
        g = max(drop_count(rule.drop, k), 1)
        if k < 3 or 2 * g >= k:
            continue
        ordered = sorted(value for value, _ in marks)
        for value, rater in marks:
            chances.setdefault(rater, []).append(g / k)
            counts["low", rater] = counts.get(("low", rater), 0) + (value < ordered[g])
            counts["high", rater] = counts.get(("high", rater), 0) + (value > ordered[k - 1 - g])
    keys = [(end, rater) for rater in sorted(chances) for end in ("low", "high")]
    tests = [at_least(counts[key], chances[key[1]]) for key in keys]
    best = min((at_least(len(c), c) for c in chances.values()), default=1.0)
    if not keys or best * len(keys) > LEVEL:
        few = Text(
            "每位专家评的对象太少,即使每次都是最高或最低也不显著。",
            "too few subjects for each expert: not even an extreme every time would be significant.",
        )
        return Checked("systematic_extreme", stage, [], not_enough(few))
    flags = []
    for (end, rater), raw, p in zip(keys, tests, holm(tests), strict=True):
        if p >= LEVEL:
            continue
        count, total, expected = counts[end, rater], len(chances[rater]), sum(chances[rater])
        word = Text("最高", "highest") if end == "high" else Text("最低", "lowest")
        text = Text(
            "专家 {r} 在 {n} 个对象中有 {c} 次属于被去掉的{w}分(随机预计 {e:.1f} 次,精确二项检验,"
            "校正 p = {p:.2g})。",
            "Expert {r} was among the dropped {w} marks {c} times in {n} ({e:.1f} expected by lot; exact "
            "binomial, corrected p = {p:.2g}).",
        ).format(r=rater, n=total, c=count, w=word, e=expected, p=p)
        numbers = {"end": end, "count": count, "subjects": total, "expected": expected, "p": p, "p_raw": raw}  # fmt: skip
        flags.append(Flag("systematic_extreme", "info", None, rater, stage, text, numbers))
    return Checked("systematic_extreme", stage, flags)


def alike_pairs(seen: Observed, stage: str) -> Checked:
    """Pairs of experts whose residuals go together more than those of the rest.

    Residuals of independent experts in a panel of k correlate at -1 / (k - 1), because the subject's
    level is taken from the same marks; the test is Fisher's z against that.
    """
    import numpy as np
    from scipy.special import ndtr

    fit = fit_additive(seen)
    few = Text(
        "没有两位专家共同评过 {n} 个以上对象,且专家组须有 4 人以上。",
        "no two experts share {n} subjects in panels of 4 or more.",
    ).format(n=FEWEST_COMMON)
    if isinstance(fit, Text) or fit.scale <= 0:
        why = fit if isinstance(fit, Text) else Text("没有残差。", "there is no residual.")
        return Checked("alike_pair", stage, [], not_enough(why))
    together, number = _correlations(fit)
    size = len(fit.row) / len(fit.subjects)
    first, second = np.nonzero(np.triu(number >= FEWEST_COMMON, 1))
    if size < 4 or not len(first):
        return Checked("alike_pair", stage, [], not_enough(few))
    r, n = together[first, second], number[first, second]
    base = -1.0 / (size - 1.0)
    z = (np.arctanh(np.clip(r, -0.999999, 0.999999)) - np.arctanh(base)) * np.sqrt(n - 3.0)
    flags = []
    adjusted = holm([float(p) for p in ndtr(-z)])
    for a, b, value, common, p in zip(first, second, r, n, adjusted, strict=True):
        if p >= LEVEL or value < ALIKE:
            continue
        one, other = fit.raters[a], fit.raters[b]
        text = Text(
            "专家 {a} 与 {b} 共同评 {n} 个对象,扣除各自宽严和对象水平后仍同向偏离,相关 {v:.2f}"
            "(独立专家约 {base:.2f},校正 p = {p:.2g})。",
            "Experts {a} and {b} marked {n} subjects together and deviate alike beyond severity and "
            "subject: correlation {v:.2f} (independent experts about {base:.2f}, corrected p = {p:.2g}).",
        ).format(a=one, b=other, n=int(common), v=float(value), base=base, p=p)
        numbers = {"other": one, "subjects": int(common), "correlation": float(value), "p": p}
        flags.append(Flag("alike_pair", "amber", None, other, stage, text, numbers))
    return Checked("alike_pair", stage, flags)


def _correlations(fit: Additive) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(correlation of residuals over common subjects, their number), experts x experts."""
    import numpy as np

    table = fit.table(fit.residual)
    there = (~np.isnan(table)).astype(float)
    x = np.nan_to_num(table)
    n = there.T @ there
    sums, squares, products = x.T @ there, (x * x).T @ there, x.T @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = n * squares - sums**2
        value = (n * products - sums * sums.T) / np.sqrt(spread * spread.T)
    return np.nan_to_num(value), n


def home_lift(seen: Observed, homes: Homes | None, stage: str) -> Checked:
    """Experts kind to subjects of their own region, one by one and all together.

    `homes`: expert -> subjects of his region. The lift is the mean distance from where the other
    marks put the subject and the expert; one-sided, Holm over the experts and the whole.
    """
    import numpy as np
    from scipy.special import stdtr

    if homes is None:
        unknown = Text("没有专家所在地信息。", "the experts' regions are not given.")
        return Checked("home_lift", stage, [], not_enough(unknown))
    fit = fit_additive(seen)
    if isinstance(fit, Text) or fit.scale <= 0:
        why = fit if isinstance(fit, Text) else Text("没有残差。", "there is no residual.")
        return Checked("home_lift", stage, [], not_enough(why))
    at_home = np.array(
        [
            fit.subjects[row] in homes.get(fit.raters[column], ()) and free > 0.2
            for row, column, free in zip(fit.row, fit.column, fit.free, strict=True)
        ]
    )
    cases: list[tuple[str | None, NDArray[np.intp]]] = [
        (rater, own)
        for index, rater in enumerate(fit.raters)
        if len(own := np.flatnonzero(at_home & (fit.column == index))) >= FEWEST_HOME
    ]
    if at_home.sum() >= FEWEST_HOME:
        cases.append((None, np.flatnonzero(at_home)))
    if not cases:
        few = Text(
            "本地专家的评分不足 {n} 份。", "fewer than {n} marks of experts on their own region."
        ).format(n=FEWEST_HOME)
        return Checked("home_lift", stage, [], not_enough(few))
    lifts = [float((fit.residual[own] / fit.free[own]).mean()) for _, own in cases]
    errors = [fit.scale * sqrt(float((1.0 / fit.free[own]).sum())) / len(own) for _, own in cases]
    raw = [float(stdtr(fit.df, -lift / error)) for lift, error in zip(lifts, errors, strict=True)]
    flags = []
    for (rater, own), lift, p in zip(cases, lifts, holm(raw), strict=True):
        if p >= LEVEL:
            continue
        who = (
            Text("各专家", "The experts together")
            if rater is None
            else Text("专家 {r}", "Expert {r}").format(r=rater)
        )
        text = Text(
            "{w}对本地区的 {n} 份评分平均高出 {l:.1f} 分(单侧,校正 p = {p:.2g})。",
            "{w} marked their own region higher by {l:.1f} points on average over {n} marks (one-sided, "
            "corrected p = {p:.2g}).",
        ).format(w=who, n=len(own), l=lift, p=p)
        numbers = {"marks": len(own), "lift": lift, "p": p}
        flags.append(Flag("home_lift", "amber", None, rater, stage, text, numbers))
    return Checked("home_lift", stage, flags)


def panel_size(seen: Observed) -> int:
    """Marks per subject, rounded up: the size at which false-alarm rates are looked up."""
    return ceil(len(seen) / max(len(set(seen.subjects)), 1))
