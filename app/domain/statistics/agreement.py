"""Agreement of a panel on untrimmed marks: every coefficient, its interval, or why it is undefined.

A low ICC is not low agreement: it falls when subjects are close, however well experts agree
(Erosheva et al. 2021: .37 on all proposals, 0 on the best half). So the error in points stands
beside it, and the verdict tells "the subjects are close" from "the experts disagree": when the mean
is off by no more than 2 % of the full mark, the experts do agree and the range is narrow. Triggers use
the lower bound of the interval, not the point (Koo & Li 2016 for .75 and .50).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Final, Literal

from app.domain.statistics.alpha import SCALES, alpha
from app.domain.statistics.chance import (
    Chance,
    ac1,
    ac2_quadratic,
    exact_agreement,
    fleiss_kappa,
    within_one,
)
from app.domain.statistics.concordance import Concordance, MeanTau, kendall_w, mean_tau_b
from app.domain.statistics.icc import Coefficient, IccResult, icc
from app.domain.statistics.resampling import Interval, alpha_interval
from app.domain.statistics.streams import SEED
from app.domain.statistics.trace import text_json
from app.domain.types import DomainError, Text

GOOD: Final = 0.75
POOR: Final = 0.50

# An error of the panel's mean up to this share of the full mark is small (2 points of 100).
SMALL_ERROR: Final = 0.02

Level = Literal["green", "amber", "red", "undefined"]
Action = Literal["rank_bands", "note", "hold", "calibrate", "add_raters"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the agreement means for the round. `raters_needed` for .75, when more would help.

    `basis` is what was compared with .75 and .50: the lower bound, or the point where there is no
    interval. `close`: the error in points is small, so a low coefficient says that the subjects are
    close. `actions` are what the level asks for.
    """

    level: Level
    text: Text
    raters_needed: int | None
    basis: Literal["low", "point", "none"] = "none"
    close: bool = False
    actions: tuple[Action, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "level": self.level,
            "text": text_json(self.text),
            "raters_needed": self.raters_needed,
            "basis": self.basis,
            "close": self.close,
            "actions": list(self.actions),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """All coefficients of one subjects x raters table; a Text in place of a number is why."""

    n: int
    k: int
    missing: int
    scale: str
    icc_result: IccResult
    alpha: dict[str, float | Text]
    kendall_w: Concordance | Text
    fleiss_kappa: Chance | Text
    ac1: Chance | Text
    ac2_quadratic: Chance | Text
    exact_agreement: float | None
    within_one: float | Text
    tau_b: MeanTau | Text
    alpha_interval: dict[str, Interval | Text]
    verdict: Verdict

    @property
    def icc(self) -> dict[str, Coefficient]:
        """The six forms by name."""
        return self.icc_result.forms

    @property
    def sem(self) -> float | None:
        """Absolute standard error of one mark, in points."""
        return self.icc_result.sem

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats; whatever is null has its reason under `reasons` or beside it."""
        reasons: dict[str, Any] = {}
        data: dict[str, Any] = {
            "n": self.n,
            "k": self.k,
            "missing": self.missing,
            "scale": self.scale,
            "icc": {name: form.to_json() for name, form in self.icc.items()},
            "model": text_json(self.icc_result.model),
        }
        alphas: dict[str, Any] = {}
        for name, value in self.alpha.items():
            alphas[name] = None if isinstance(value, Text) else value
            if isinstance(value, Text):
                alphas.setdefault("reasons", {})[name] = text_json(value)
        data["alpha"] = alphas
        data["alpha_interval"] = {
            name: {"low": None, "high": None, "reason": text_json(found)}
            if isinstance(found, Text)
            else found.to_json()
            for name, found in self.alpha_interval.items()
        }
        tau = self.tau_b
        data["tau_b"] = (
            {"value": None, "reason": text_json(tau)} if isinstance(tau, Text) else tau.to_json()
        )
        w = self.kendall_w
        data["kendall_w"] = (
            {"value": None, "chi2": None, "p": None, "reason": text_json(w)}
            if isinstance(w, Text)
            else w.to_json()
        )
        intervals: dict[str, Any] = {}
        for name in ("fleiss_kappa", "ac1", "ac2_quadratic"):
            chance: Chance | Text = getattr(self, name)
            if isinstance(chance, Text):
                data[name] = None
                reasons[name] = text_json(chance)
            else:
                data[name] = chance.value
                intervals[name] = {"se": chance.se, "low": chance.low, "high": chance.high}
        data["intervals"] = intervals
        data["exact_agreement"] = self.exact_agreement
        near = self.within_one
        data["within_one"] = None if isinstance(near, Text) else near
        if isinstance(near, Text):
            reasons["within_one"] = text_json(near)
        if self.exact_agreement is None:
            none = Text("没有被两人以上评分的对象。", "No subject has two marks.")
            reasons["exact_agreement"] = text_json(none)
        for name in ("sem", "sem_mean", "sd_subject", "sd_rater", "sd_residual"):
            data[name] = getattr(self.icc_result, name)
            if data[name] is None and self.icc_result.reason is not None:
                reasons[name] = text_json(self.icc_result.reason)
        data["verdict"] = self.verdict.to_json()
        data["reasons"] = reasons
        return data


def agreement(
    matrix: Sequence[Sequence[Decimal | float | None]],
    *,
    scale: str = "interval",
    confidence: float = 0.95,
    full_mark: float | None = None,
    resamples: int = 0,
    seed: int = SEED,
) -> Agreement:
    """Agreement of a table with one row per subject and one column per expert; None is a gap.

    Give untrimmed marks. `scale` names what the marks are (nominal, ordinal, interval, ratio) and
    is printed with the result; all coefficients are computed in any case. `full_mark` says what a
    small error is (None: the largest mark). `resamples` > 0 adds the bootstrap interval of alpha on
    this scale and, with gaps, simulated intervals of the ICC (a tenth as many rounds), both from
    `seed`. Raises DomainError for an unknown scale or rows of unequal length.
    """
    if scale not in SCALES:
        raise DomainError(
            Text("未知的尺度 {s}。", "Unknown scale {s}.").format(s=scale), field="scale"
        )
    if len({len(row) for row in matrix}) > 1:
        raise DomainError(Text("各行长度不同。", "The rows differ in length."))
    rows = [[None if v is None else float(v) for v in row] for row in matrix]
    rows = [row for row in rows if any(v is not None for v in row)]
    used = [c for c in range(len(rows[0]) if rows else 0) if any(r[c] is not None for r in rows)]
    rows = [[row[c] for c in used] for row in rows]
    result = icc(rows, confidence=confidence, refits=resamples // 10, seed=seed)
    largest = max((abs(v) for row in rows for v in row if v is not None), default=0.0)
    return Agreement(
        n=len(rows),
        k=len(used),
        missing=sum(v is None for row in rows for v in row),
        scale=scale,
        icc_result=result,
        alpha={name: alpha(rows, name) for name in SCALES},
        kendall_w=kendall_w(rows),
        fleiss_kappa=fleiss_kappa(rows),
        ac1=ac1(rows),
        ac2_quadratic=ac2_quadratic(rows),
        exact_agreement=exact_agreement(rows),
        within_one=within_one(rows),
        tau_b=mean_tau_b(rows),
        alpha_interval={scale: alpha_interval(rows, scale, resamples=resamples, seed=seed)}
        if resamples
        else {},
        verdict=judge(result, len(used), largest if full_mark is None else full_mark),
    )


def experts_needed(single: float | None, wanted: float = GOOD) -> int | None:
    """Experts whose mean has the reliability `wanted` (Spearman-Brown); None when none would do."""
    if single is None or not 0 < single < 1:
        return None
    return ceil(wanted * (1 - single) / ((1 - wanted) * single) - 1e-9)


def judge(result: IccResult, raters: int, full_mark: float) -> Verdict:
    """Green, amber or red by the lower bound of ICC(A,k) together with the error in points.

    The point stands in when there is no interval. Below .75 a small error of the mean turns the
    message: the experts agree, the subjects are close, and the rank bands decide; no calibration
    meeting would help.
    """
    panel, single = result.forms["ICC(A,k)"], result.forms["ICC(A,1)"]
    if result.sem_mean is None:
        return Verdict("undefined", result.reason or Text("无定义。", "Not defined."), None)
    basis: Literal["low", "point", "none"] = "low"
    if panel.value is None:
        bound, basis = 0.0, "none"
        what = Text("平均分信度无定义", "reliability of the mean is not defined")
    elif panel.low is None:
        bound, basis = panel.value, "point"
        what = Text(
            "平均分信度 ICC(A,k) = {v:.2f}(无区间)",
            "reliability of the mean ICC(A,k) = {v:.2f} (no interval)",
        ).format(v=panel.value)
    else:
        bound = panel.low
        what = Text(
            "平均分信度 ICC(A,k) = {v:.2f},95 % 下限 {low:.2f}",
            "reliability of the mean ICC(A,k) = {v:.2f}, lower bound {low:.2f}",
        ).format(v=panel.value, low=panel.low)
    points = Text("平均分的测量误差 {s:.2f} 分", "error of the mean {s:.2f} points").format(
        s=result.sem_mean
    )
    if bound >= GOOD:
        text = Text("{w};{p}。可以排序。", "{w}; {p}. The ranking may stand.")
        return Verdict("green", text.format(w=what, p=points), None, basis)
    close = result.sem_mean <= SMALL_ERROR * full_mark
    if close:
        text = Text(
            "{w};{p}。误差小,是各对象水平接近(标准差 {d:.2f} 分),不是专家意见不一致。以名次区间为准,"
            "分差小于误差的不分先后。",
            "{w}; {p}. The error is small: the subjects are close (standard deviation {d:.2f}), the "
            "experts do not disagree. Go by the rank intervals; differences below the error rank "
            "nobody.",
        )
        words = text.format(w=what, p=points, d=result.sd_subject or 0.0)
        return Verdict("amber", words, None, basis, True, ("rank_bands", "note"))
    enough = experts_needed(single.value)
    needed = enough if enough is not None and enough > raters else None
    more = Text("", "")
    if needed is not None:
        more = Text(";达到 0.75 约需 {n} 位专家", "; about {n} experts would reach .75")
        more = more.format(n=needed)
    why = Text("专家意见不够一致", "the experts disagree")
    if bound >= POOR:
        text = Text(
            "{w};{p};{y}{m}。排序须注明名次区间。",
            "{w}; {p}; {y}{m}. Print the rank intervals beside the ranking.",
        )
        words = text.format(w=what, p=points, y=why, m=more)
        return Verdict("amber", words, needed, basis, False, ("rank_bands", "note"))
    text = Text(
        "{w};{p};{y}{m}。建议暂缓排序,先复核或增补专家。",
        "{w}; {p}; {y}{m}. Hold the ranking; review or add experts first.",
    )
    actions: tuple[Action, ...] = ("hold", "calibrate") + (
        () if needed is None else ("add_raters",)
    )
    return Verdict(
        "red", text.format(w=what, p=points, y=why, m=more), needed, basis, False, actions
    )
