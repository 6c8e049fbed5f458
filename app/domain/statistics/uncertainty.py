"""How sure a rank is: P(in the top K) and a 90 % rank interval per subject.

Gaussian posterior around the official score. The error variance of a panel is pooled over the round
(REML components), values are shrunk towards the mean, and the severity of an expert is drawn once
per draw for every subject he marked, so that subjects of one panel move together. Diagnostics only,
with a fixed seed that is printed; one large round has many subjects near the line, and this is what
says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from app.domain.statistics.components import Components, fit_components
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import observed_totals, stage_names
from app.domain.statistics.results import RoundScores, Status, SubjectScore
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.trace import text_json
from app.domain.statistics.trimming import drop_count
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS: Final = 4000
SEED: Final = 20120716
# Asymptotic efficiency .964 of Huber's estimator with 1.5 on normal marks (Huber 1964).
_ALGORITHM_A_FACTOR: Final = 1.0 / 0.964

Standing = Literal["in", "out", "borderline"]


@dataclass(frozen=True, slots=True)
class RankBand:
    """One subject: `interval` holds its rank in 90 % of the draws, `standing` is to the cut."""

    interval: tuple[int, int]
    p_top: float | None
    p_pass: float | None
    standing: Standing | None

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "rank_interval": list(self.interval),
            "p_top": self.p_top,
            "p_pass": self.p_pass,
            "standing": self.standing,
        }


@dataclass(frozen=True, slots=True)
class RankUncertainty:
    """Bands by subject id, with what makes them repeatable. `reason` set: no band is defined."""

    bands: dict[str, RankBand]
    components: dict[str, Components]
    draws: int
    seed: int
    reason: Text | None

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "draws": self.draws,
            "seed": self.seed,
            "reason": text_json(self.reason),
            "components": {name: fit.to_json() for name, fit in self.components.items()},
            "subjects": {name: band.to_json() for name, band in self.bands.items()},
        }


def _generator(seed: int) -> np.random.Generator:  # noqa: TID251
    """The one seeded source of these diagnostics. Never used for a draw or a score."""
    import numpy as np

    return np.random.default_rng(seed)  # noqa: TID251


@lru_cache(maxsize=256)
def variance_factor(estimator: str, present: int, drop: int) -> float:
    """Variance of the panel value, as a multiple of (variance of one mark / marks present).

    1 for the mean; what trimming costs on normal marks otherwise, by 20,000 seeded panels (the
    value is good to about 1 %).
    """
    if estimator == "algorithm_a":
        return _ALGORITHM_A_FACTOR if present > 2 else 1.0
    if estimator == "median":
        drop = (present - 1) // 2
    if estimator == "mean" or drop == 0:
        return 1.0
    import numpy as np

    marks = np.sort(_generator(SEED).standard_normal((20_000, present)), axis=1)
    kept = marks[:, drop : present - drop]
    if estimator == "winsorised":
        ends = drop * (kept[:, 0] + kept[:, -1])
        value = (kept.sum(axis=1) + ends) / present
    else:
        value = kept.mean(axis=1)
    return max(float(value.var()) * present, 1.0)


def rank_uncertainty(
    rule: ScoreRule,
    subjects: Sequence[SubjectMarks],
    scores: RoundScores,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RankUncertainty:
    """Bands for every scored subject; `rule.top` is the cut, within the group when ranked so.

    Confirmed values (surveys) and adjustments are taken as exact. Undefined, with the reason, when
    fewer than two subjects are scored or when some panel stage cannot tell error from quality.
    """
    scored = sorted(
        (s for s in scores.subjects.values() if s.status is Status.SCORED), key=lambda s: s.id
    )
    if len(scored) < 2:
        few = Text("有分数的对象不足 2 个。", "Fewer than 2 subjects have a score.")
        return RankUncertainty({}, {}, draws, seed, few)
    import numpy as np

    generator = _generator(seed)
    ids = {score.id for score in scored}
    given = [subject for subject in subjects if subject.id in ids]
    theta = np.zeros((draws, len(scored)))
    theta += np.array([float(score.adjust) for score in scored])
    components: dict[str, Components] = {}
    panels = stage_names(given)
    for name in scored[0].stages:
        if name not in panels:
            values = [float(s.stages[name].contribution or 0) for s in scored]
            theta += np.array(values)
            continue
        seen = observed_totals(rule, given, name)
        fit = fit_components(seen)
        if isinstance(fit, Text):
            why = Text("阶段 {s}:{r}", "Stage {s}: {r}").format(s=name, r=fit)
            return RankUncertainty({}, {}, draws, seed, why)
        components[name] = fit
        theta += _stage_draws(rule, given, scored, name, fit, generator, draws)
    # Values that nothing distinguishes must not be ranked by their position.
    theta += generator.standard_normal(theta.shape) * 1e-9 * (1.0 + np.abs(theta).max())
    return RankUncertainty(_bands(rule, scored, theta), components, draws, seed, None)


def _stage_draws(
    rule: ScoreRule,
    given: list[SubjectMarks],
    scored: list[SubjectScore],
    name: str,
    fit: Components,
    generator: np.random.Generator,  # noqa: TID251
    draws: int,
) -> NDArray[np.float64]:
    """(draws x subjects) weighted values of one panel stage."""
    import numpy as np

    by_id = {subject.id: subject for subject in given}
    raters = sorted({r for subject in given for r in subject.stages[name].valid})
    at = {rater: index for index, rater in enumerate(raters)}
    share = np.zeros((len(raters), len(scored)))
    error = np.zeros(len(scored))
    value = np.zeros(len(scored))
    for column, score in enumerate(scored):
        panel = list(by_id[score.id].stages[name].valid)
        share[[at[rater] for rater in panel], column] = 1.0 / len(panel)
        stage = score.stages[name]
        sizes = [stage.unit.present] if stage.unit else [i.present for i in stage.items.values()]
        present = min(size for size in sizes if size)
        factor = variance_factor(rule.estimator, present, drop_count(rule.drop, present))
        error[column] = fit.sd_residual**2 * factor / present
        value[column] = float(stage.value or 0)
    severity = fit.sd_rater * generator.standard_normal((draws, len(raters)))
    quality = fit.sd_subject**2
    keep = quality / (quality + error)
    centre = float(value.mean())
    middle = centre + keep * (value - severity @ share - centre)
    noise = generator.standard_normal((draws, len(scored))) * np.sqrt(keep * error)
    weight = float(scored[0].stages[name].weight)
    drawn: NDArray[np.float64] = weight * (middle + noise)
    return drawn


def _bands(
    rule: ScoreRule, scored: list[SubjectScore], theta: NDArray[np.float64]
) -> dict[str, RankBand]:
    import numpy as np

    groups: dict[str | None, list[int]] = {}
    for column, score in enumerate(scored):
        key = score.group if rule.rank_within == "group" else None
        groups.setdefault(key, []).append(column)
    bands: dict[str, RankBand] = {}
    draws = len(theta)
    for columns in groups.values():
        part = theta[:, columns]
        order = np.argsort(part if rule.best == "low" else -part, axis=1)
        ranks = np.empty(order.shape, dtype=np.int32)
        np.put_along_axis(
            ranks, order, np.arange(1, len(columns) + 1, dtype=np.int32)[None], axis=1
        )
        ordered = np.sort(ranks, axis=0)
        low, high = ordered[int(0.05 * draws)], ordered[min(int(0.95 * draws), draws - 1)]
        for position, column in enumerate(columns):
            p_top = p_pass = None
            if rule.top is not None:
                p_top = float((ranks[:, position] <= rule.top).mean())
            if rule.pass_line is not None:
                p_pass = float((part[:, position] >= float(rule.pass_line)).mean())
            bands[scored[column].id] = RankBand(
                (int(low[position]), int(high[position])), p_top, p_pass, _standing(p_top)
            )
    return bands


def _standing(p_top: float | None) -> Standing | None:
    """Certain in from .95, certain out up to .05."""
    if p_top is None:
        return None
    return "in" if p_top >= 0.95 else "out" if p_top <= 0.05 else "borderline"
