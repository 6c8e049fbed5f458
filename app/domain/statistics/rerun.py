"""The official ranking computed again under another rule or without an expert, exactly.

Totals come from `exact.py`; only subjects that tie on the ranking value are scored in full, because the
tie ladder asks for their items, stages and spread. So an expert left out of a season costs milliseconds
and gives the same ranks as a complete run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from app.domain.statistics.exact import Prepared, Total, totals
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.ranking import Entry, rank
from app.domain.statistics.results import Status
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import entry_of, score_round


def ranks_again(
    rule: ScoreRule,
    round_: Prepared,
    *,
    among: frozenset[str] | None = None,
    without: frozenset[str] = frozenset(),
    drawn: Sequence[Sequence[str]] = (),
) -> dict[str, int]:
    """Rank of every subject (of `among`) that has a total under `rule` without some experts."""
    found = totals(rule, round_, without=without)
    if among is not None:
        found = {name: total for name, total in found.items() if name in among}
    by_id = {subject.id: subject for subject in round_.subjects}
    within = rule.rank_within == "group"
    level: dict[tuple[str | None, Fraction], list[str]] = {}
    for name, total in found.items():
        key = total.unrounded if rule.rank_on == "unrounded" else Fraction(total.published)
        level.setdefault((by_id[name].group if within else None, key), []).append(name)
    tied = [name for names in level.values() if len(names) > 1 for name in names]
    entries = _tied_entries(rule, [by_id[name] for name in tied], without)
    for name, total in found.items():
        entries.setdefault(name, _bare(name, by_id[name].group, total))
    return {name: placing.rank for name, placing in rank(rule, list(entries.values()), drawn).items()}  # fmt: skip


def _bare(name: str, group: str | None, total: Total) -> Entry:
    return Entry(name, group, total.published, total.unrounded, {}, {}, None)


def _tied_entries(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], without: frozenset[str]
) -> dict[str, Entry]:
    # Adjustments name subjects of the whole round; only those of the tied may stay.
    own = {s.id: rule.adjust[s.id] for s in subjects if s.id in rule.adjust}
    part = score_round(replace(rule, adjust=own), [leave_out(s, without) for s in subjects])
    return {
        name: entry_of(score)
        for name, score in part.subjects.items()
        if score.status is Status.SCORED
    }


def leave_out(subject: SubjectMarks, raters: frozenset[str]) -> SubjectMarks:
    """The subject as if these experts had never been drawn."""
    if not raters or not any(raters & stage.sheets.keys() for stage in subject.stages.values()):
        return subject
    stages = {
        name: replace(stage, sheets={r: s for r, s in stage.sheets.items() if r not in raters})
        for name, stage in subject.stages.items()
    }
    return replace(subject, stages=stages)


def changed_list(
    before: Mapping[str, int], after: Mapping[str, int], top: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(who comes into the first `top`, who falls out)."""
    into = [n for n, r in after.items() if r <= top and before.get(n, top + 1) > top]
    out = [n for n, r in before.items() if r <= top and after.get(n, top + 1) > top]
    return tuple(sorted(into)), tuple(sorted(out))
