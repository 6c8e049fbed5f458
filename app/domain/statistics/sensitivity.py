"""What the ranking hangs on: the weights, single experts, and the choice of the rule.

Weights: 1,000 draws of a Dirichlet distribution with parameter 100 for every item multiply the weights
(each moves by about 10 %, and they are scaled back to the round's mean), stage weights likewise; the
share of draws in which a subject is among the first K is a second P(top K), which sampling error knows
nothing of. Experts: each is left out in turn and the round computed again, exactly; who changes the
list is pivotal. Rules: the same marks under other estimators, with every subject's shift in rank. Seeds
are printed; nothing here is official.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from app.domain.statistics.columns import Columns
from app.domain.statistics.exact import Prepared, prepare
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.rerun import changed_list, ranks_again
from app.domain.statistics.results import RoundScores, Status, SubjectScore
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.shadow import shadow_ranking
from app.domain.statistics.streams import SEED, uniforms
from app.domain.statistics.trace import text_json
from app.domain.statistics.trimming import drop_count
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS: Final = 1000
# A gamma variate with this shape varies by 10 % about its mean.
CONCENTRATION: Final = 100.0
_BLOCK: Final = 100

_ONE_PART: Final = Text(
    "只有一个指标和一个阶段,没有权重可变。", "One item and one stage: there is no weight to vary."
)
_FEW: Final = Text("有分数的对象不足 2 个。", "Fewer than 2 subjects have a score.")
_NO_TOP: Final = Text("规则没有 top。", "The rule has no top.")


@dataclass(frozen=True, slots=True)
class WeightBand:
    """Share of draws among the first K, and the ranks of 90 % of the draws."""

    p_top: float | None
    interval: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {"p_top": self.p_top, "rank_interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class WeightSensitivity:
    """Bands by subject. `reason` set: not defined. `same_list`: share of draws with the official list."""

    bands: Mapping[str, WeightBand]
    draws: int
    seed: int
    same_list: float | None
    reason: Text | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "draws": self.draws,
            "seed": self.seed,
            "spread": 0.1,
            "same_list": self.same_list,
            "reason": text_json(self.reason),
            "subjects": {name: band.to_json() for name, band in self.bands.items()},
        }


def weight_sensitivity(
    rule: ScoreRule,
    subjects: Sequence[SubjectMarks],
    scores: RoundScores,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> WeightSensitivity:
    """Ranks under weights about 10 % off."""
    import numpy as np

    scored = _scored(scores)
    if len(scored) < 2:
        return WeightSensitivity({}, draws, seed, None, _FEW)
    ids = {score.id for score in scored}
    round_ = prepare([s for s in sorted(subjects, key=lambda s: s.id) if s.id in ids])
    stages = list(scored[0].stages)
    items = sum(len(round_.columns[name].items) for name in stages if name in round_.columns)
    if items < 2 and len(stages) < 2:
        return WeightSensitivity({}, draws, seed, None, _ONE_PART)
    shares = np.array([float(rule.modules[s]) if rule.modules else 1.0 for s in stages])
    moved = shares * _gammas(seed, "stages", draws, len(stages))
    if len(stages) > 1:
        moved = moved / moved.sum(axis=1, keepdims=True) * shares.sum()
    else:
        moved = np.repeat(shares[None, :], draws, axis=0)
    theta = np.repeat(np.array([[float(s.adjust) for s in scored]]), draws, axis=0)
    for index, name in enumerate(stages):
        if name in round_.columns:
            values = _stage_values(rule, round_.columns[name], scored, name, draws, seed)
        else:
            one = [float(s.stages[name].value or 0) for s in scored]
            values = np.repeat(np.array([one]), draws, axis=0)
        theta += moved[:, index : index + 1] * values
    bands, same = _weight_bands(rule, scored, theta)
    return WeightSensitivity(bands, draws, seed, same, None if rule.top is not None else _NO_TOP)


def _scored(scores: RoundScores) -> list[SubjectScore]:
    found = (s for s in scores.subjects.values() if s.status is Status.SCORED)
    return sorted(found, key=lambda s: s.id)


def _gammas(seed: int, label: str, draws: int, count: int) -> Floats:
    """Independent gamma variates with mean 1: divided by their sum they are a Dirichlet draw."""
    import numpy as np
    from scipy.special import gammaincinv

    u = uniforms(seed, f"weights|{label}", draws * count).reshape(draws, count)
    made: Floats = np.asarray(gammaincinv(CONCENTRATION, u)) / CONCENTRATION
    return made


def _stage_values(
    rule: ScoreRule, c: Columns, scored: list[SubjectScore], stage: str, draws: int, seed: int
) -> Floats:
    """(draws, subjects) values of a panel stage, scaled back so that the round's mean stays."""
    import numpy as np

    official = np.array([float(s.stages[stage].value or 0) for s in scored])
    factor = _gammas(seed, f"items|{stage}", draws, len(c.items))
    base = np.array([_weight(rule, c, item) for item in c.items])
    if rule.unit == "item":
        table = np.zeros((len(c.items), len(scored)))
        for column, score in enumerate(scored):
            for row, item in enumerate(c.items):
                unit = score.stages[stage].items.get(item)
                if unit is not None and unit.value is not None:
                    table[row, column] = float(unit.value)
        made = (factor * base) @ table
    else:
        marks = np.where(c.given, c.marks.astype(float) / c.bottom, 0.0)
        sums = np.tensordot(marks, base, axes=(1, 0)) if len(base) else np.zeros(c.valid.shape)
        fixed = np.where(c.has_total, c.totals.astype(float) / c.bottom - sums, 0.0)
        counts = c.valid & _complete(c)
        made = np.empty((draws, len(scored)))
        for start in range(0, draws, _BLOCK):
            part = factor[start : start + _BLOCK] * base
            units = np.einsum("di,rin->rdn", part, marks, optimize=True) + fixed[:, None, :]
            made[start : start + _BLOCK] = _trimmed(rule, units, counts)
    mean = made.mean(axis=1, keepdims=True)
    scaled: Floats = made * np.divide(float(official.mean()), mean, out=np.ones_like(mean), where=mean != 0)  # fmt: skip
    return scaled


def _weight(rule: ScoreRule, c: Columns, item: str) -> float:
    """Sheets with a total of their own list points: every item weighs 1 there."""
    if c.has_total.any() or item not in rule.items:
        return 1.0
    return float(rule.items[item].weight)


def _complete(c: Columns) -> NDArray[np.bool_]:
    gap = (c.named[None] & ~c.given & ~c.inapplicable).any(axis=1)
    made: NDArray[np.bool_] = c.has_total | (c.given.any(axis=1) & ~gap)
    return made


def _trimmed(rule: ScoreRule, units: Floats, counts: NDArray[np.bool_]) -> Floats:
    """Panel value over the first axis of (seat, draw, subject); Algorithm A is read as the median."""
    import numpy as np

    present = counts.sum(axis=0)
    ordered = np.sort(np.where(counts[:, None, :], units, np.inf), axis=0)
    made = np.zeros(units.shape[1:])
    for k in np.unique(present[present > 0]):
        cut = drop_count(rule.drop, int(k))
        g = {"mean": 0, "trimmed_mean": cut, "winsorised": cut}.get(rule.estimator, (int(k) - 1) // 2)  # fmt: skip
        here = present == k
        kept = ordered[g : k - g][:, :, here]
        value = kept.sum(axis=0)
        if rule.estimator == "winsorised":
            made[:, here] = (value + g * (kept[0] + kept[-1])) / k
        else:
            made[:, here] = value / (k - 2 * g)
    return made


def _weight_bands(
    rule: ScoreRule, scored: list[SubjectScore], theta: Floats
) -> tuple[dict[str, WeightBand], float | None]:
    import numpy as np

    draws = len(theta)
    groups: dict[str | None, list[int]] = {}
    for column, score in enumerate(scored):
        key = score.group if rule.rank_within == "group" else None
        groups.setdefault(key, []).append(column)
    ranks = np.zeros(theta.shape, dtype=np.int32)
    for columns in groups.values():
        # Equal values take the official order: a draw of the weights settles no tie.
        order = sorted(columns, key=lambda c: (scored[c].rank or 0, scored[c].id))
        values = np.round(theta[:, order], 9)
        place = np.argsort(values if rule.best == "low" else -values, axis=1, kind="stable")
        made = np.empty(place.shape, dtype=np.int32)
        np.put_along_axis(made, place, np.arange(1, len(order) + 1, dtype=np.int32)[None], axis=1)
        ranks[:, order] = made
    ordered = np.sort(ranks, axis=0)
    low, high = ordered[int(0.05 * draws)], ordered[min(int(0.95 * draws), draws - 1)]
    same = None
    inside = None
    if rule.top is not None:
        inside = ranks <= rule.top
        official = np.array([(score.rank or 0) <= rule.top for score in scored])
        same = float((inside == official).all(axis=1).mean())
    bands = {
        score.id: WeightBand(
            None if inside is None else float(inside[:, column].mean()),
            (int(low[column]), int(high[column])),
        )
        for column, score in enumerate(scored)
    }
    return bands, same


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The round without one expert: who comes in, who falls out, the largest shift in rank."""

    rater: str
    subjects: int
    into: tuple[str, ...]
    out: tuple[str, ...]
    largest_shift: int

    @property
    def pivotal(self) -> bool:
        """Whether the list of the first K hangs on this expert."""
        return bool(self.into or self.out)

    @property
    def text(self) -> Text:
        """The finding in one sentence, for the supervisor."""
        if self.pivotal:
            none = Text("无", "none")
            return Text(
                "去掉专家 {r} 重算,名单改变:进入 {a},退出 {b}(名次最大变动 {m})。",
                "Without expert {r} the list changes: in {a}, out {b} (largest shift {m}).",
            ).format(
                r=self.rater,
                a=", ".join(self.into) or none,
                b=", ".join(self.out) or none,
                m=self.largest_shift,
            )
        return Text(
            "去掉专家 {r} 重算,名单不变(名次最大变动 {m})。",
            "Without expert {r} the list stays (largest shift {m}).",
        ).format(r=self.rater, m=self.largest_shift)

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "rater": self.rater,
            "subjects": self.subjects,
            "into": list(self.into),
            "out": list(self.out),
            "largest_shift": self.largest_shift,
            "pivotal": self.pivotal,
            "text": text_json(self.text),
        }


def leave_one_out(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scores: RoundScores
) -> tuple[LeftOut, ...]:
    """Every expert left out in turn, the subjects with an official score ranked again exactly.

    The quorum falls by one with the expert, or nobody could be left out of the smallest panel. Without
    a cut line only the shifts are given.
    """
    before = {s.id: s.rank for s in _scored(scores) if s.rank is not None}
    among = frozenset(before)
    round_ = prepare(subjects)
    looser = replace(rule, quorum=max(rule.quorum - 1, 1))
    marked: dict[str, set[str]] = {}
    for subject in subjects:
        for stage in subject.stages.values():
            for rater in stage.valid:
                if subject.id in among:
                    marked.setdefault(rater, set()).add(subject.id)
    found = []
    for rater in sorted(marked):
        after = ranks_again(looser, round_, among=among, without=frozenset({rater}))
        into, out = changed_list(before, after, rule.top) if rule.top else ((), ())
        shift = max((abs(after[n] - r) for n, r in before.items() if n in after), default=0)
        found.append(LeftOut(rater, len(marked[rater]), into, out, shift))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OtherRule:
    """Ranks under another rule; `reason` set: it cannot be applied to these marks."""

    name: str
    title: Text
    ranks: Mapping[str, int]
    into: tuple[str, ...]
    out: tuple[str, ...]
    largest_shift: int
    reason: Text | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "rule": self.name,
            "title": text_json(self.title),
            "ranks": dict(self.ranks),
            "into": list(self.into),
            "out": list(self.out),
            "largest_shift": self.largest_shift,
            "reason": text_json(self.reason),
        }


_OTHERS: Final[tuple[tuple[str, Text, str, str], ...]] = (
    ("mean", Text("算术平均(不去分)", "mean of all"), "mean", ""),
    ("median", Text("中位数", "median"), "median", ""),
    ("trim_sheet", Text("按评分表去极值", "trimmed by sheet"), "trimmed_mean", "sheet"),
    ("trim_item", Text("按指标去极值", "trimmed by item"), "trimmed_mean", "item"),
    ("winsorised", Text("缩尾均值", "winsorised mean"), "winsorised", ""),
    ("algorithm_a", Text("稳健均值(算法 A)", "Algorithm A"), "algorithm_a", ""),
)
_SEVERITY: Final = Text("宽严校正(影子名次)", "adjusted for severity (shadow)")


def what_if(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scores: RoundScores
) -> tuple[OtherRule, ...]:
    """Ranks under every other rule, for the subjects with an official score."""
    before = {s.id: s.rank for s in _scored(scores) if s.rank is not None}
    if len(before) < 2:
        return ()
    among = frozenset(before)
    round_ = prepare(subjects)
    found = []
    for name, title, estimator, unit in _OTHERS:
        other = replace(rule, estimator=estimator, unit=unit or rule.unit)
        reason = None
        if other.unit == "item" and rule.unit == "sheet":
            reason = _not_by_item(round_)
            if reason is None and any(c.has_total.any() for c in round_.columns.values()):
                other = replace(other, items={})
        if reason is not None:
            found.append(OtherRule(name, title, {}, (), (), 0, reason))
            continue
        found.append(_compared(name, title, before, ranks_again(other, round_, among=among), rule))
    shadow = shadow_ranking(rule, subjects, scores)
    ranks = {n: p.rank for n, p in shadow.places.items()}
    made = _compared("severity_adjusted", _SEVERITY, before, ranks, rule)
    found.append(replace(made, reason=shadow.reason))
    return tuple(found)


def _not_by_item(round_: Prepared) -> Text | None:
    """Why sheets cannot be trimmed item by item: no item marks, or totals that are not their sum."""
    import numpy as np

    for c in round_.columns.values():
        there = c.given.any(axis=1)
        if not (there | ~c.valid).all() or not c.items:
            return Text("评分表没有逐项得分。", "The sheets have no marks by item.")
        differ = c.has_total & (np.abs(c.totals - c.marks.sum(axis=1)) > 0)
        if differ.any():
            return Text(
                "评分表总分不是各项之和(有折算),不能逐项去极值。",
                "Totals are not the sums of their items (points were moved), so items cannot be trimmed.",
            )
    return None


def _compared(
    name: str, title: Text, before: Mapping[str, int], after: Mapping[str, int], rule: ScoreRule
) -> OtherRule:
    into, out = changed_list(before, after, rule.top) if rule.top and after else ((), ())
    shift = max((abs(after[n] - r) for n, r in before.items() if n in after), default=0)
    return OtherRule(name, title, dict(after), into, out, shift)
