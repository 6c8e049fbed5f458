"""How each expert marks: severity, consistency, discrimination, drift; for supervisors only.

Severity is the BLUP of the variance-components fit: shrunk, so that few sheets say little. It is
compared only within an island of the expert-subject graph: between panels that share nobody, a strict
panel and a weak set of counties look the same. Consistency is the expert's mean square residual over
that of the middle expert (1 = as the others) with chi-squared limits; who lies outside is decided by an
F test with Holm's correction over the experts. Discrimination is the slope of the expert's
marks on the mean of the others freed of their severity. Drift is the slope of his residuals on the
order in which he marked. Whatever the data do not carry is a reason, not a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.domain.statistics.additive import Additive, fit_additive
from app.domain.statistics.components import ENOUGH_SUBJECTS, fit_components
from app.domain.statistics.mandel import Mandel, mandel
from app.domain.statistics.observed import Observed
from app.domain.statistics.testing import holm
from app.domain.statistics.trace import text_json
from app.domain.types import Text

LEVEL: Final = 0.05
# Efficiency 2 / pi of a median: how many of the others' degrees of freedom the middle one is worth.
_MEDIAN_EFFICIENCY: Final = 0.64

Order = Mapping[str, float] | Mapping[tuple[str, str], float]
Standing = Literal["usual", "erratic", "even"]

_FEW = Text(
    "不足:只评了 {n} 个对象(至少 {m} 个)。",
    "Insufficient: only {n} subjects marked (at least {m}).",
)
_NO_ORDER = Text("没有评分顺序。", "The order of marking is not known.")
_FLAT = Text("其余专家的平均分没有差异。", "The mean of the others does not vary.")
_EXACT = Text("没有残差。", "There is no residual.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error; `p` of the test that belongs to it, corrected by Holm."""

    value: float
    se: float
    p: float | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {"value": self.value, "se": self.se, "p": self.p}


@dataclass(frozen=True, slots=True)
class Consistency:
    """Mean square ratio with its 95 % limits for an expert like the others; `p` by F and Holm."""

    value: float
    low: float
    high: float
    df: float
    p: float
    standing: Standing

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "df": self.df,
            "p": self.p,
            "standing": self.standing,
        }


@dataclass(frozen=True, slots=True)
class RaterReport:
    """One expert; a Text in place of a figure says why there is none."""

    rater: str
    subjects: int
    island: int
    severity: Estimate | Text
    consistency: Consistency | Text
    discrimination: Estimate | Text
    drift: Estimate | Text

    @property
    def text(self) -> Text:
        """The expert in one sentence."""
        if isinstance(self.severity, Text):
            lean = self.severity
        else:
            word = Text("偏严", "strict") if self.severity.value < 0 else Text("偏宽", "lenient")
            lean = Text("{w} {v:+.2f} 分(标准误 {e:.2f})", "{w} by {v:+.2f} points (SE {e:.2f})")
            lean = lean.format(w=word, v=self.severity.value, e=self.severity.se)
        found = Text("{r}:评 {n} 个对象;{s}", "{r}: {n} subjects; {s}").format(
            r=self.rater, n=self.subjects, s=lean
        )
        if isinstance(self.consistency, Consistency):
            words = {
                "usual": Text("一致性正常", "consistent as the others"),
                "erratic": Text("波动大于其他专家", "more erratic than the others"),
                "even": Text("波动小于其他专家", "closer to the mean than the others"),
            }[self.consistency.standing]
            tail = Text(
                ";{w}(均方比 {v:.2f},95 % 界限 {lo:.2f}–{hi:.2f})",
                "; {w} (mean square {v:.2f}, 95 % limits {lo:.2f} to {hi:.2f})",
            ).format(w=words, v=self.consistency.value, lo=self.consistency.low, hi=self.consistency.high)  # fmt: skip
            found = Text(found.zh + tail.zh, found.en + tail.en)
        p = self.drift.p if isinstance(self.drift, Estimate) else None
        if isinstance(self.drift, Estimate) and p is not None and p < LEVEL:
            tail = Text(
                ";评分随顺序漂移,首尾相差 {v:+.1f} 分(校正 p = {p:.3f})",
                "; drifts with the order by {v:+.1f} points from first to last (corrected p = {p:.3f})",
            ).format(v=self.drift.value, p=p)
            found = Text(found.zh + tail.zh, found.en + tail.en)
        return Text(found.zh.rstrip("。") + "。", found.en.rstrip(".") + ".")

    def to_json(self) -> dict[str, Any]:
        """JSON value; a figure that is not there is `{"value": null, "reason": ...}`."""
        data: dict[str, Any] = {
            "rater": self.rater,
            "subjects": self.subjects,
            "island": self.island,
            "text": text_json(self.text),
        }
        for name in ("severity", "consistency", "discrimination", "drift"):
            figure = getattr(self, name)
            data[name] = (
                {"value": None, "reason": text_json(figure)}
                if isinstance(figure, Text)
                else figure.to_json()
            )
        return data


@dataclass(frozen=True, slots=True)
class Raters:
    """Every expert of one panel stage. `graph` says what the islands mean; `reason` set: no figures."""

    raters: tuple[RaterReport, ...]
    islands: int
    graph: Text
    mandel: Mandel | Text
    reason: Text | None = None

    @property
    def connected(self) -> bool:
        """Whether all experts can be compared with one another."""
        return self.islands == 1

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "islands": self.islands,
            "connected": self.connected,
            "graph": text_json(self.graph),
            "raters": [report.to_json() for report in self.raters],
            "mandel": {"reason": text_json(self.mandel)}
            if isinstance(self.mandel, Text)
            else self.mandel.to_json(),
            "reason": text_json(self.reason),
        }


def rate_raters(
    observed: Observed, items: Mapping[str, Observed] | None = None, order: Order | None = None
) -> Raters:
    """Figures of every expert on the totals of one stage.

    `items`: the marks of each item, for Mandel's h and k; without them the totals are one level.
    `order`: place in the order of marking, by subject or by (expert, subject).
    """
    fit = fit_additive(observed)
    if isinstance(fit, Text):
        return Raters((), 0, fit, fit, fit)
    islands = int(fit.island.max()) + 1
    severity = _severities(observed, fit)
    consistency = _consistencies(fit)
    drift = _drifts(fit, order)
    reports = tuple(
        RaterReport(
            rater=name,
            subjects=len(fit.of(index)),
            island=int(fit.island[index]) + 1,
            severity=severity[name],
            consistency=consistency[index],
            discrimination=_discrimination(fit, index),
            drift=drift[index],
        )
        for index, name in enumerate(fit.raters)
    )
    graph = (
        Text("全体专家可以相互比较。", "All experts can be compared with one another.")
        if islands == 1
        else Text(
            "专家与对象分为 {n} 个互不相连的部分;宽严只在各部分之内可比,各部分之间分不清是专家严还是对象弱。",
            "Experts and subjects fall into {n} parts without a link; severity compares within a part "
            "only: between parts strict experts and weak subjects look the same.",
        ).format(n=islands)
    )
    levels = {name: seen for name, seen in (items or {}).items() if len(seen)} or {"": observed}
    return Raters(reports, islands, graph, mandel(levels))


def _severities(observed: Observed, fit: Additive) -> dict[str, Estimate | Text]:
    """BLUPs, each island fitted on its own so that none is compared across."""
    place = {name: int(fit.island[index]) for index, name in enumerate(fit.raters)}
    cells: dict[int, list[tuple[str, str, float]]] = {}
    for subject, rater, value in zip(observed.subjects, observed.raters, observed.values, strict=True):  # fmt: skip
        cells.setdefault(place[rater], []).append((subject, rater, value))
    found: dict[str, Estimate | Text] = {}
    for part in cells.values():
        subjects, raters, values = zip(*part, strict=True)
        made = fit_components(Observed(subjects, raters, values))
        if isinstance(made, Text):
            found |= dict.fromkeys(raters, made)
            continue
        for one in made.severities:
            found[one.rater] = (
                Estimate(one.effect, one.se)
                if one.sufficient
                else _FEW.format(n=one.subjects, m=ENOUGH_SUBJECTS)
            )
    return found


def _consistencies(fit: Additive) -> list[Consistency | Text]:
    import numpy as np
    from scipy.special import chdtri, fdtr

    size = len(fit.raters)
    squares = np.bincount(fit.column, fit.residual**2, size)
    df = np.bincount(fit.column, fit.free, size)
    count = np.bincount(fit.column, minlength=size)
    able = (count >= ENOUGH_SUBJECTS) & (df >= 1)
    found: list[Consistency | Text] = [_FEW.format(n=int(c), m=ENOUGH_SUBJECTS) for c in count]
    if not able.any():
        return found
    # The middle expert is the measure: the mean of all would let one wild expert make the others
    # look too even. The median of chi-squared / df lies below 1 (Wilson & Hilferty).
    typical = (1.0 - 2.0 / (9.0 * df[able])) ** 3
    middle = float(np.median(squares[able] / df[able] / typical))
    if middle <= 1e-12 * float((fit.value**2).mean()):
        return [_EXACT if ok else one for ok, one in zip(able, found, strict=True)]
    usable = [int(index) for index in np.flatnonzero(able)]
    tests: list[float] = []
    for index in usable:
        rest = max(_MEDIAN_EFFICIENCY * float(df[able].sum() - df[index]), 1.0)
        below = float(fdtr(df[index], rest, squares[index] / df[index] / middle))
        tests.append(2.0 * min(below, 1.0 - below))
    for index, p in zip(usable, holm(tests), strict=True):
        value = float(squares[index] / df[index]) / middle
        low, high = (float(chdtri(df[index], tail) / df[index]) for tail in (0.975, 0.025))
        standing: Standing = "usual" if p >= LEVEL else "erratic" if value > 1 else "even"
        found[index] = Consistency(value, low, high, float(df[index]), p, standing)
    return found


def _discrimination(fit: Additive, index: int) -> Estimate | Text:
    import numpy as np

    own = fit.of(index)
    if len(own) < ENOUGH_SUBJECTS:
        return _FEW.format(n=len(own), m=ENOUGH_SUBJECTS)
    free = fit.value - fit.effect[fit.column]
    size = len(fit.subjects)
    total, count = np.bincount(fit.row, free, size), np.bincount(fit.row, minlength=size)
    at = fit.row[own]
    alone = count[at] < 2
    own, at = own[~alone], at[~alone]
    if len(own) < ENOUGH_SUBJECTS:
        return _FEW.format(n=len(own), m=ENOUGH_SUBJECTS)
    others = (total[at] - free[own]) / (count[at] - 1)
    return _slope(others, fit.value[own]) or _FLAT


def _slope(x: Any, y: Any) -> Estimate | None:
    """Least squares slope with its standard error; None when x does not vary."""
    import numpy as np

    x = x - x.mean()
    square = float((x**2).sum())
    if square <= 1e-12 * max(1.0, float(np.abs(y).max()) ** 2):
        return None
    slope = float((x * y).sum()) / square
    rest = y - y.mean() - slope * x
    return Estimate(slope, float(np.sqrt((rest**2).sum() / (len(x) - 2) / square)))


def _drifts(fit: Additive, order: Order | None) -> list[Estimate | Text]:
    """Change in points from the first to the last subject, against the panel on the same subjects."""
    import numpy as np
    from scipy.special import stdtr

    if not order:
        return [_NO_ORDER] * len(fit.raters)
    places: Mapping[Any, float] = order
    found: list[Estimate | Text] = []
    tests: list[tuple[int, float]] = []
    for index, rater in enumerate(fit.raters):
        known = [
            (float(place), float(fit.residual[cell]))
            for cell in fit.of(index)
            if (place := places.get((rater, name := fit.subjects[fit.row[cell]]), places.get(name)))
            is not None
        ]
        if len(known) < ENOUGH_SUBJECTS:
            found.append(_FEW.format(n=len(known), m=ENOUGH_SUBJECTS))
            continue
        x, y = np.array([k[0] for k in known]), np.array([k[1] for k in known])
        made = _slope(x, y)
        if made is None or made.se <= 0:
            found.append(_NO_ORDER if made is None else _EXACT)
            continue
        span = float(x.max() - x.min())
        p = 2.0 * float(stdtr(len(known) - 2, -abs(made.value / made.se)))
        found.append(Estimate(made.value * span, made.se * span, p))
        tests.append((index, p))
    for (index, _), p in zip(tests, holm([p for _, p in tests]), strict=True):
        one = found[index]
        assert isinstance(one, Estimate)
        found[index] = Estimate(one.value, one.se, p)
    return found
