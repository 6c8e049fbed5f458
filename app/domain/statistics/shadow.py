"""The severity-adjusted ranking: a second column that calls for a look, never the official result.

Additive model mark = mean + subject + expert + error, ridge penalties from the REML variance components,
Huber weights (1.345) on residuals scaled by their MAD, iterated to convergence. In simulation it comes
closer to the truth than any trimming, above all with colluders; but nobody can redo it with a pocket
calculator, so it decides nothing: where it moves a subject across the cut line, that triggers a review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.domain.statistics.additive import positions
from app.domain.statistics.components import Components, fit_components
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import Observed, observed_totals, stage_names
from app.domain.statistics.results import RoundScores, Status
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.trace import text_json
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# 95 % efficient on normal errors (Huber 1964).
HUBER: Final = 1.345
_ROUNDS: Final = 200
_STILL: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Level of each subject and severity of each expert in points, with the weight of each mark."""

    subjects: dict[str, float]
    severity: dict[str, float]
    weights: dict[tuple[str, str], float]
    scale: float


def adjust_severity(
    observed: Observed, fit: Components | None = None, *, robust: bool = True
) -> Adjusted | Text:
    """Robust levels free of severity; a Text when severity cannot be told apart."""
    import numpy as np

    found = fit if fit is not None else fit_components(observed)
    if isinstance(found, Text):
        return found
    if found.islands > 1:
        return Text(
            "专家与对象分为 {n} 个互不相连的部分,宽严无法跨组校正。",
            "Experts and subjects fall into {n} parts without a link: severity cannot be adjusted across.",
        ).format(n=found.islands)
    subjects, raters, row, column, value = positions(observed)
    n, k = len(subjects), len(raters)
    noise = found.sd_residual**2
    # A component of zero variance is held at zero.
    ridge_subject = noise / max(found.sd_subject**2, 1e-12 * noise)
    ridge_rater = noise / max(found.sd_rater**2, 1e-12 * noise)
    weight, level, severity = np.ones(len(value)), np.zeros(n), np.zeros(k)
    mean, scale = float(value.mean()), found.sd_residual
    for _ in range(_ROUNDS):
        before = level + mean
        mean = float(np.average(value - level[row] - severity[column], weights=weight))
        part = weight * (value - mean - severity[column])
        level = np.bincount(row, part, n) / (np.bincount(row, weight, n) + ridge_subject)
        part = weight * (value - mean - level[row])
        severity = np.bincount(column, part, k) / (np.bincount(column, weight, k) + ridge_rater)
        if robust:
            away = np.abs(value - mean - level[row] - severity[column])
            scale = 1.4826 * float(np.median(away))
            if scale <= 0:
                scale = found.sd_residual
            weight = np.minimum(1.0, HUBER * scale / np.maximum(away, 1e-300))
        if float(np.abs(level + mean - before).max()) <= _STILL * max(scale, 1e-300):
            break
    return Adjusted(
        {name: mean + float(level[i]) for i, name in enumerate(subjects)},
        {name: float(severity[j]) for j, name in enumerate(raters)},
        {
            (observed.subjects[i], observed.raters[i]): float(weight[i])
            for i in np.flatnonzero(weight < 1.0)
        },
        scale,
    )


@dataclass(frozen=True, slots=True)
class ShadowPlace:
    """One subject: adjusted total and rank beside the official rank."""

    total: float
    rank: int
    official: int
    crosses: bool

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats, because this is never official."""
        return {
            "total": self.total,
            "rank": self.rank,
            "official": self.official,
            "crosses": self.crosses,
        }


@dataclass(frozen=True, slots=True)
class Shadow:
    """The second column. `reason` set: it could not be made. Never a result."""

    places: Mapping[str, ShadowPlace]
    moved_in: tuple[str, ...]
    moved_out: tuple[str, ...]
    text: Text
    reason: Text | None = None

    @property
    def triggers_review(self) -> bool:
        """Whether some subject would change sides at the cut line."""
        return bool(self.moved_in or self.moved_out)

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "official": False,
            "subjects": {name: place.to_json() for name, place in self.places.items()},
            "moved_in": list(self.moved_in),
            "moved_out": list(self.moved_out),
            "triggers_review": self.triggers_review,
            "text": text_json(self.text),
            "reason": text_json(self.reason),
        }


def shadow_ranking(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scores: RoundScores
) -> Shadow:
    """Severity-adjusted totals and ranks of the subjects that have an official score."""
    scored = {n: s for n, s in scores.subjects.items() if s.status is Status.SCORED}
    given = [subject for subject in subjects if subject.id in scored]
    if len(scored) < 2:
        few = Text("有分数的对象不足 2 个。", "Fewer than 2 subjects have a score.")
        return Shadow({}, (), (), few, few)
    panels = stage_names(given)
    totals = {name: float(score.adjust) for name, score in scored.items()}
    for stage in next(iter(scored.values())).stages:
        weight = float(rule.modules[stage]) if rule.modules else 1.0
        if stage not in panels:
            for name, score in scored.items():
                totals[name] += float(score.stages[stage].contribution or 0)
            continue
        made = adjust_severity(observed_totals(rule, given, stage))
        if isinstance(made, Text):
            why = Text("阶段 {s}:{r}", "Stage {s}: {r}").format(s=stage, r=made)
            return Shadow({}, (), (), why, why)
        for name in scored:
            totals[name] += weight * made.subjects[name]
    groups: dict[str | None, list[str]] = {}
    for name, score in scored.items():
        groups.setdefault(score.group if rule.rank_within == "group" else None, []).append(name)
    places: dict[str, ShadowPlace] = {}
    for members in groups.values():
        # What differs by less than the iteration can tell is level.
        sign = -1 if rule.best == "low" else 1
        level = {name: sign * round(totals[name], 6) for name in members}
        for name in members:
            rank = 1 + sum(other > level[name] for other in level.values())
            official = scored[name].rank or 0
            top = rule.top
            crosses = top is not None and (rank <= top) != (official <= top)
            places[name] = ShadowPlace(totals[name], rank, official, crosses)
    crossing = sorted((n for n, p in places.items() if p.crosses), key=lambda n: (places[n].rank, n))  # fmt: skip
    top = rule.top or 0
    into = tuple(n for n in crossing if places[n].rank <= top)
    out = tuple(n for n in crossing if places[n].rank > top)
    return Shadow(places, into, out, _words(rule.top, into, out))


def _words(top: int | None, into: tuple[str, ...], out: tuple[str, ...]) -> Text:
    if top is None:
        return Text(
            "规则没有入选名额,只列宽严校正后的名次。",
            "The rule has no cut line; adjusted ranks are listed only.",
        )
    if not into and not out:
        return Text(
            "按专家宽严校正,前 {k} 名名单不变。",
            "Adjusted for severity, the list of the first {k} stays the same.",
        ).format(k=top)
    none = Text("无", "none")
    return Text(
        "按专家宽严校正,前 {k} 名名单会变:进入 {a},退出 {b}。正式名次不变,建议复核。",
        "Adjusted for severity, the list of the first {k} would change: in {a}, out {b}. The official "
        "ranks stand; a review is advised.",
    ).format(k=top, a=", ".join(into) or none, b=", ".join(out) or none)
