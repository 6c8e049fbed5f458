"""Mandel's h and k (ISO 5725-2:2019, 7.3.1): who marks apart, who scatters, level by level.

Experts stand for laboratories, items (or the totals) for levels, and subjects for the repeated
measurements of a level, after the subject's own level is taken out. h is an expert's mean deviation in
standard deviations of the experts' means; k is the expert's scatter over the pooled scatter. Critical
values are those of the standard, from t and F; with gaps the degrees of freedom are those that the fit
leaves to an expert on average. Auditors know these two charts from laboratory comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from app.domain.statistics.additive import Additive, fit_additive
from app.domain.statistics.observed import Observed
from app.domain.statistics.trace import text_json
from app.domain.types import Text

LEVELS: Final = (0.05, 0.01)
_FEWEST_RATERS: Final = 3
_FEWEST_SUBJECTS: Final = 3


def critical_h(raters: int, level: float) -> float:
    """Two-sided critical value of h for `raters` experts (3 or more)."""
    from scipy.special import stdtrit

    t = float(stdtrit(raters - 2, 1.0 - level / 2.0))
    return (raters - 1) * t / sqrt(raters * (t * t + raters - 2))


def critical_k(raters: int, df: float, level: float) -> float:
    """Critical value of k for `raters` experts with `df` degrees of freedom each."""
    from scipy.special import fdtri

    f = float(fdtri(df, (raters - 1) * df, 1.0 - level))
    return sqrt(raters / (1.0 + (raters - 1) / f))


@dataclass(frozen=True, slots=True)
class MandelLevel:
    """h and k of every expert on one item, with critical values at 5 % and 1 %."""

    name: str
    h: dict[str, float]
    k: dict[str, float]
    critical_h: tuple[float, float]
    critical_k: tuple[float, float]
    df: float

    def to_json(self) -> dict[str, Any]:
        """JSON value; critical values at 5 % and 1 %."""
        return {
            "level": self.name,
            "h": self.h,
            "k": self.k,
            "critical_h": list(self.critical_h),
            "critical_k": list(self.critical_k),
            "df": self.df,
        }


@dataclass(frozen=True, slots=True)
class Mandel:
    """All levels; `left_out` names those without a figure and why."""

    levels: tuple[MandelLevel, ...]
    left_out: dict[str, Text]

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "levels": [level.to_json() for level in self.levels],
            "left_out": {name: text_json(why) for name, why in self.left_out.items()},
        }


def mandel(levels: Mapping[str, Observed]) -> Mandel | Text:
    """h and k on every level, or why there is none on any."""
    made, left_out = [], {}
    for name, observed in sorted(levels.items()):
        fit = fit_additive(observed)
        found = fit if isinstance(fit, Text) else _level(name, fit)
        if isinstance(found, Text):
            left_out[name] = found
        else:
            made.append(found)
    if not made:
        return next(iter(left_out.values()))
    return Mandel(tuple(made), left_out)


def _level(name: str, fit: Additive) -> MandelLevel | Text:
    import numpy as np

    p = len(fit.raters)
    if p < _FEWEST_RATERS or len(fit.subjects) < _FEWEST_SUBJECTS:
        return Text(
            "至少需要 {p} 位专家和 {n} 个对象。", "Needs at least {p} experts and {n} subjects."
        ).format(p=_FEWEST_RATERS, n=_FEWEST_SUBJECTS)
    if int(fit.island.max()) > 0:
        return Text(
            "专家与对象分为互不相连的部分,不可比较。",
            "Experts and subjects fall into parts without a link: no comparison.",
        )
    df = np.bincount(fit.column, fit.free, p)
    spread = float(fit.effect.std(ddof=1))
    if spread <= 0 or fit.scale <= 0 or df.min() < 0.5:
        return Text("评分没有差异。", "The marks do not vary.")
    h = (fit.effect - fit.effect.mean()) / spread
    squares = np.bincount(fit.column, fit.residual**2, p) / df
    k = np.sqrt(squares / squares.mean())
    mean_df = float(df.mean())
    return MandelLevel(
        name,
        {rater: float(h[i]) for i, rater in enumerate(fit.raters)},
        {rater: float(k[i]) for i, rater in enumerate(fit.raters)},
        (critical_h(p, LEVELS[0]), critical_h(p, LEVELS[1])),
        (critical_k(p, mean_df, LEVELS[0]), critical_k(p, mean_df, LEVELS[1])),
        mean_df,
    )
