"""All flags of a round: advice for a supervisor, exclusion is a person's act with a reason.

Every rule reports for every stage: what it found, that it found nothing, or that the data are not
enough for it. Nothing here changes a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.statistics.coincidences import copies, same_for_all, straight_lines
from app.domain.statistics.flags import Checked, Flag, false_alarm
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import observed_totals, stage_names
from app.domain.statistics.outliers import deviations, pooled_residuals, single_panels
from app.domain.statistics.patterns import Homes, alike_pairs, extremes, home_lift, panel_size
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class Review:
    """Flags sorted by subject, expert and rule, and what each rule could see."""

    flags: tuple[Flag, ...]
    checks: tuple[Checked, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "flags": [flag.to_json() for flag in self.flags],
            "checks": [check.to_json() for check in self.checks],
        }


def review_round(
    rule: ScoreRule,
    subjects: Sequence[SubjectMarks],
    scores: RoundScores | None = None,
    *,
    homes: Homes | None = None,
    homes_by_stage: Mapping[str, Homes] | None = None,
) -> Review:
    """Run every rule over every panel stage. `homes`: expert -> subjects of his own region; where
    experts have other names in every stage, `homes_by_stage` instead."""
    checks: list[Checked] = []
    for stage in stage_names(subjects):
        seen = observed_totals(rule, subjects, stage)
        found = [
            pooled_residuals(rule.flags, seen, stage),
            single_panels(rule.flags, seen, stage),
            deviations(rule, subjects, stage),
            same_for_all(seen, stage),
            straight_lines(subjects, stage),
            copies(subjects, stage),
            alike_pairs(seen, stage),
            extremes(rule, seen, stage),
            home_lift(
                seen, homes if homes_by_stage is None else homes_by_stage.get(stage, {}), stage
            ),
        ]
        size = panel_size(seen)
        checks += [
            replace(
                check,
                flags=[replace(f, false_alarm=false_alarm(f.rule, size)) for f in check.flags],
            )
            for check in found
        ]
    flags = [flag for check in checks for flag in check.flags]
    if scores is not None:
        flags += _small_panels(rule, scores)
    flags.sort(key=lambda f: (f.subject or "", f.rater or "", f.rule, f.stage or "", f.text.en))
    return Review(tuple(flags), tuple(checks))


def flag_round(
    rule: ScoreRule,
    subjects: Sequence[SubjectMarks],
    scores: RoundScores | None = None,
    *,
    homes: Homes | None = None,
) -> list[Flag]:
    """Every flag of a round, sorted by subject, expert and rule."""
    return list(review_round(rule, subjects, scores, homes=homes).flags)


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
