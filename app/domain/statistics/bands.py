"""How sure a score is: a 90 % band from the spread of the panel's marks.

The standard error of a trimmed mean is that of Yuen 1974 (Biometrika 61, 165): from the winsorised
variance, because the deviation of the kept marks alone is about a fifth too small for panels of
nine. Stages add up as independent; the degrees of freedom are Welch-Satterthwaite's. Survey values
and adjustments are taken as exact. A diagnostic in floats: it never changes a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import observed_totals
from app.domain.statistics.results import RoundScores, Status
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.trimming import drop_count

LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class Band:
    """Bounds in points around a total, and its standard error."""

    low: float
    high: float
    se: float

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {"low": self.low, "high": self.high, "se": self.se}


def yuen(marks: Sequence[float], drop: int) -> tuple[float, int] | None:
    """(standard error, degrees of freedom) of the mean after dropping `drop` at each end; None when
    fewer than two marks are left."""
    n, left = len(marks), len(marks) - 2 * drop
    if left < 2:
        return None
    ordered = sorted(marks)
    inner = ordered[drop : n - drop]
    pulled = [inner[0]] * drop + inner + [inner[-1]] * drop
    mean = sum(pulled) / n
    variance = sum((mark - mean) ** 2 for mark in pulled) / (n - 1)
    return sqrt(variance * n) / left, left - 1


def score_bands(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scores: RoundScores
) -> dict[str, Band]:
    """Subject id -> band, for scored subjects whose panel stages each have two marks left."""
    from scipy.special import stdtrit

    parts: dict[str, list[tuple[float, int] | None]] = {}
    for score in scores.subjects.values():
        if score.status is not Status.SCORED:
            continue
        given = [subject for subject in subjects if subject.id == score.id]
        for name, stage in given[0].stages.items():
            if stage.kind != "panel":
                continue
            seen = observed_totals(rule, given, name)
            drop = 0
            if rule.estimator in ("trimmed_mean", "winsorised"):
                drop = drop_count(rule.drop, len(seen.values))
            found = yuen(seen.values, drop)
            weight = float(score.stages[name].weight) if rule.modules else 1.0
            parts.setdefault(score.id, []).append(found and (found[0] * weight, found[1]))
    bands: dict[str, Band] = {}
    for name, pieces in parts.items():
        known = [piece for piece in pieces if piece is not None]
        total = scores.subjects[name].total
        if len(known) < len(pieces) or total is None:
            continue
        variance = sum(se**2 for se, _ in known)
        tail = sum(se**4 / df for se, df in known)
        se = sqrt(variance)
        reach = se * float(stdtrit(variance**2 / tail, 0.5 + LEVEL / 2)) if tail > 0 else 0.0
        bands[name] = Band(float(total) - reach, float(total) + reach, se)
    return bands
