"""Intraclass correlation, six forms, with F-based confidence intervals.

Point estimates: Shrout & Fleiss 1979; names and intervals: McGraw & Wong 1996 (Table 7), the
convention of R `irr`. For ICC(A,k) another convention is in use (R `psych`, pingouin):
Spearman-Brown on the bounds of ICC(A,1). Both are computed; McGraw-Wong is the default. No p-value
is given: the conventions for its degrees of freedom disagree by a factor of 80 on the textbook
data.

With gaps there is no listwise deletion (it would empty a round in which every subject drew its own
panel): the forms come from REML variance components. The F interval does not apply then; an interval
by simulation is made when asked for, else the reason stands beside the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any, Final

from app.domain.statistics.components import Components, fit_components
from app.domain.statistics.observed import Observed
from app.domain.statistics.resampling import Interval, of_components, reliability_intervals
from app.domain.statistics.streams import SEED
from app.domain.statistics.trace import text_json
from app.domain.types import Text

FORMS: Final = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")
MCGRAW_WONG: Final = "McGraw & Wong 1996"
SPEARMAN_BROWN: Final = "Spearman-Brown of ICC(A,1)"

Rows = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its interval; whatever is None is explained by `reason`."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: Text | None = None
    convention: str | None = None
    other: tuple[str, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats, None with a reason beside it."""
        data: dict[str, Any] = {"value": self.value, "low": self.low, "high": self.high}
        if self.convention is not None:
            data["interval"] = self.convention
        if self.other is not None:
            name, low, high = self.other
            data["other_interval"] = {"interval": name, "low": low, "high": high}
        if self.reason is not None:
            data["reason"] = text_json(self.reason)
        return data


@dataclass(frozen=True, slots=True)
class IccResult:
    """Six forms, error in points for one mark and for the panel mean, mean squares when balanced.

    `sem` is the absolute standard error of one mark, sqrt(expert variance + residual variance).
    """

    forms: dict[str, Coefficient]
    sem: float | None
    sem_mean: float | None
    sd_subject: float | None
    sd_rater: float | None
    sd_residual: float | None
    mean_squares: dict[str, float] | None
    model: Text
    reason: Text | None


def _undefined(reason: Text, model: Text) -> IccResult:
    forms = {name: Coefficient(None, reason=reason) for name in FORMS}
    return IccResult(forms, None, None, None, None, None, None, model, reason)


def icc(rows: Rows, *, confidence: float = 0.95, refits: int = 0, seed: int = SEED) -> IccResult:
    """ICC of a subjects x raters table; None is a gap.

    `refits`: with gaps, how many simulated rounds, from `seed`, make the interval (`resampling.py`);
    0: none.

    Returns undefined coefficients with a reason for fewer than 2 subjects or raters, and for equal
    marks throughout.
    """
    kept = [row for row in rows if any(value is not None for value in row)]
    columns = range(len(kept[0])) if kept else range(0)
    used = [c for c in columns if any(row[c] is not None for row in kept)]
    balanced = Text(
        "双向完全交叉(每位专家评每个对象)",
        "two-way, fully crossed (every expert marks every subject)",
    )
    if len(kept) < 2 or len(used) < 2:
        reason = Text(
            "无定义:至少需要 2 个对象和 2 位专家。",
            "Not defined: needs at least 2 subjects and 2 experts.",
        )
        return _undefined(reason, balanced)
    given = [value for row in kept for c in used if (value := row[c]) is not None]
    if max(given) == min(given):
        return _undefined(Text("无定义:分数没有差异。", "Not defined: no variation."), balanced)
    if len(given) == len(kept) * len(used):
        return _balanced(
            [[float(row[c] or 0.0) for c in used] for row in kept], confidence, balanced
        )
    return _with_gaps(kept, used, confidence, refits, seed)


def _balanced(rows: list[list[float]], confidence: float, model: Text) -> IccResult:
    import numpy as np

    table = np.array(rows)
    n, k = table.shape
    grand = table.mean()
    by_row, by_column = table.mean(axis=1), table.mean(axis=0)
    between = float(k * ((by_row - grand) ** 2).sum())
    raters = float(n * ((by_column - grand) ** 2).sum())
    error = float(((table - by_row[:, None] - by_column[None, :] + grand) ** 2).sum())
    # Cancellation noise in sums of squares of exact data must not pass for variation.
    noise = 1e-12 * float((table**2).sum())
    between, raters, error = (0.0 if x <= noise else x for x in (between, raters, error))
    bms, jms, ems = between / (n - 1), raters / (k - 1), error / ((n - 1) * (k - 1))
    wms = (raters + error) / (n * (k - 1))
    values = {
        "ICC(1,1)": _ratio(bms - wms, bms + (k - 1) * wms),
        "ICC(A,1)": _ratio(bms - ems, bms + (k - 1) * ems + k * (jms - ems) / n),
        "ICC(C,1)": _ratio(bms - ems, bms + (k - 1) * ems),
        "ICC(1,k)": _ratio(bms - wms, bms),
        "ICC(A,k)": _ratio(bms - ems, bms + (jms - ems) / n),
        "ICC(C,k)": _ratio(bms - ems, bms),
    }
    bounds = _f_intervals(n, k, (bms, jms, ems, wms), values["ICC(A,1)"], 1.0 - confidence)
    forms = {name: _form(name, values[name], bounds) for name in FORMS}
    var_rater = max((jms - ems) / n, 0.0)
    return IccResult(
        forms=forms,
        sem=sqrt(var_rater + ems),
        sem_mean=sqrt((var_rater + ems) / k),
        sd_subject=sqrt(max((bms - ems) / k, 0.0)),
        sd_rater=sqrt(var_rater),
        sd_residual=sqrt(ems),
        mean_squares={"BMS": bms, "JMS": jms, "EMS": ems, "WMS": wms},
        model=model,
        reason=None,
    )


def _ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom > 0 else None


def _form(name: str, value: float | None, bounds: dict[str, tuple[float, float]]) -> Coefficient:
    if value is None:
        reason = Text("无定义:对象之间没有差异。", "Not defined: no variation between subjects.")
        return Coefficient(None, reason=reason)
    if not _holds(bounds.get(name), value):
        reason = Text(
            "区间无定义:均方为零或公式不适用于本数据。",
            "Interval not defined: a mean square is zero or the formula fails on these data.",
        )
        return Coefficient(value, reason=reason)
    other = None
    if name == "ICC(A,k)" and _holds(bounds.get(SPEARMAN_BROWN), value):
        other = (SPEARMAN_BROWN, *bounds[SPEARMAN_BROWN])
    return Coefficient(value, *bounds[name], convention=MCGRAW_WONG, other=other)


def _holds(bounds: tuple[float, float] | None, value: float) -> bool:
    """Whether bounds enclose the value: near-degenerate tables turn a denominator negative."""
    return (
        bounds is not None
        and all(isfinite(bound) for bound in bounds)
        and bounds[0] - 1e-9 <= value <= bounds[1] + 1e-9
        and bounds[1] <= 1.0 + 1e-9
    )


def _f_intervals(
    n: int,
    k: int,
    mean_squares: tuple[float, float, float, float],
    single: float | None,
    alpha: float,
) -> dict[str, tuple[float, float]]:
    """Bounds by name; forms whose F ratio has a zero denominator are left out."""
    bms, jms, ems, wms = mean_squares
    at = 1.0 - alpha / 2.0
    bounds: dict[str, tuple[float, float]] = {}
    for one, many, mean_square, df in (
        ("ICC(1,1)", "ICC(1,k)", wms, n * (k - 1)),
        ("ICC(C,1)", "ICC(C,k)", ems, (n - 1) * (k - 1)),
    ):
        if mean_square <= 0 or bms <= 0:
            continue
        ratio = bms / mean_square
        low, high = ratio / _f_quantile(n - 1, df, at), ratio * _f_quantile(df, n - 1, at)
        bounds[one] = ((low - 1) / (low + k - 1), (high - 1) / (high + k - 1))
        bounds[many] = (1 - 1 / low, 1 - 1 / high)
    if ems <= 0 or bms <= 0 or single is None or single >= 1:
        return bounds
    # Satterthwaite degrees of freedom; a and b take the form estimated, single or average.
    a, b = k * single / (n * (1 - single)), 1 + k * single * (n - 1) / (n * (1 - single))
    low, high = _absolute(n, k, mean_squares, a, b, at)
    bounds["ICC(A,1)"] = (low, high)
    if 1 + low * (k - 1) > 0 and 1 + high * (k - 1) > 0:
        bounds[SPEARMAN_BROWN] = (low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1)))
    average = _ratio(bms - ems, bms + (jms - ems) / n)
    if average is not None and average < 1:
        # Table 7 as R irr reads it: the average form enters with k as well. Without k the bounds
        # are those of Spearman-Brown, the other convention.
        share = k * average / (n * (1 - average))
        c, d = share, 1 + share * (n - 1)
        own = _satterthwaite(n, k, jms, ems, c, d)
        if own > 0:
            upper, lower = _f_quantile(n - 1, own, at), _f_quantile(own, n - 1, at)
            bounds["ICC(A,k)"] = (
                _quotient(n * (bms - upper * ems), upper * (jms - ems) + n * bms),
                _quotient(n * (lower * bms - ems), jms - ems + n * lower * bms),
            )
    return bounds


def _quotient(top: float, bottom: float) -> float:
    """A bound; nan, which `_holds` refuses, where the denominator is no longer positive."""
    return top / bottom if bottom > 0 else nan


def _f_quantile(df1: float, df2: float, at: float) -> float:
    from scipy.special import fdtri

    return float(fdtri(df1, df2, at))


def _satterthwaite(n: int, k: int, jms: float, ems: float, a: float, b: float) -> float:
    top = (a * jms + b * ems) ** 2
    bottom = (a * jms) ** 2 / (k - 1) + (b * ems) ** 2 / ((n - 1) * (k - 1))
    return top / bottom if bottom > 0 else 0.0


def _absolute(
    n: int, k: int, mean_squares: tuple[float, float, float, float], a: float, b: float, at: float
) -> tuple[float, float]:
    bms, jms, ems, _ = mean_squares
    df = _satterthwaite(n, k, jms, ems, a, b)
    upper, lower = _f_quantile(n - 1, df, at), _f_quantile(df, n - 1, at)
    both = k * jms + (k * n - k - n) * ems
    return (
        _quotient(n * (bms - upper * ems), upper * both + n * bms),
        _quotient(n * (lower * bms - ems), both + n * lower * bms),
    )


def _with_gaps(
    rows: list[Sequence[float | None]], used: list[int], confidence: float, refits: int, seed: int
) -> IccResult:
    model = Text(
        "不平衡:方差分量(REML),专家与对象交叉",
        "unbalanced: variance components (REML), experts crossed with subjects",
    )
    long = [
        (str(r), str(c), float(value))
        for r, row in enumerate(rows)
        for c in used
        if (value := row[c]) is not None
    ]
    names, raters, values = zip(*long, strict=True)
    seen = Observed(names, raters, values)
    fit = fit_components(seen)
    if isinstance(fit, Text):
        return _undefined(Text("无定义:{r}", "Not defined: {r}").format(r=fit), model)
    sizes = [sum(row[c] is not None for c in used) for row in rows]
    # The harmonic mean gives the average error variance of subjects with different panel sizes.
    k = len(sizes) / sum(1.0 / size for size in sizes)
    bounds = (
        reliability_intervals(seen, fit, k, resamples=refits, seed=seed, confidence=confidence)
        if refits
        else {}
    )
    return IccResult(
        forms=_from_components(fit, k, _one_way(rows, used, k), bounds),
        sem=sqrt(fit.sd_rater**2 + fit.sd_residual**2),
        sem_mean=sqrt((fit.sd_rater**2 + fit.sd_residual**2) / k),
        sd_subject=fit.sd_subject,
        sd_rater=fit.sd_rater,
        sd_residual=fit.sd_residual,
        mean_squares=None,
        model=model,
        reason=None,
    )


def _one_way(
    rows: list[Sequence[float | None]], used: list[int], k: float
) -> tuple[float | None, float | None]:
    """ICC(1,1) and ICC(1,k) by one-way analysis of variance with unequal panels."""
    panels = [[float(v) for c in used if (v := row[c]) is not None] for row in rows]
    size = sum(len(panel) for panel in panels)
    if size <= len(panels):
        return None, None
    grand = sum(sum(panel) for panel in panels) / size
    means = [sum(panel) / len(panel) for panel in panels]
    between = sum(len(p) * (m - grand) ** 2 for p, m in zip(panels, means, strict=True))
    within = sum((v - m) ** 2 for p, m in zip(panels, means, strict=True) for v in p)
    bms, wms = between / (len(panels) - 1), within / (size - len(panels))
    each = (size - sum(len(p) ** 2 for p in panels) / size) / (len(panels) - 1)
    variance = (bms - wms) / each
    return _ratio(variance, variance + wms), _ratio(variance, variance + wms / k)


def _from_components(
    fit: Components,
    k: float,
    one_way: tuple[float | None, float | None],
    bounds: Mapping[str, Interval],
) -> dict[str, Coefficient]:
    values: dict[str, float | None] = {"ICC(1,1)": one_way[0], "ICC(1,k)": one_way[1]}
    values |= of_components(fit, k)
    reason = Text("有缺评,F 区间不适用。", "Marks are missing: the F interval does not apply.")
    made = {}
    for name in FORMS:
        found = bounds.get(name)
        made[name] = (
            Coefficient(values[name], reason=reason)
            if found is None
            else Coefficient(values[name], found.low, found.high, convention=found.method)
        )
    return made
