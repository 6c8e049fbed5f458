"""Marks as the diagnostics see them: untrimmed, as floats, one row per (subject, expert).

Agreement must be computed before trimming: dropping the highest and lowest turns a true ICC of .50
into .65 to .73. A sheet with gaps has no official total; here each gap takes the mean of the
others' marks on that item for that subject, so that a partial sheet is not lost to the diagnostics.
Such values never reach a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.rule import ScoreRule


@dataclass(frozen=True, slots=True)
class Observed:
    """Long-form marks: parallel tuples of subject, rater and value; `filled` counts gaps filled."""

    subjects: tuple[str, ...]
    raters: tuple[str, ...]
    values: tuple[float, ...]
    filled: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def matrix(self) -> tuple[list[str], list[str], list[list[float | None]]]:
        """(subject ids, rater ids, rows = subjects x columns = raters with None for a gap)."""
        rows, columns = sorted(set(self.subjects)), sorted(set(self.raters))
        at_row = {name: index for index, name in enumerate(rows)}
        at_column = {name: index for index, name in enumerate(columns)}
        table: list[list[float | None]] = [[None] * len(columns) for _ in rows]
        for subject, rater, value in zip(self.subjects, self.raters, self.values, strict=True):
            table[at_row[subject]][at_column[rater]] = value
        return rows, columns, table


def stage_names(subjects: Sequence[SubjectMarks]) -> list[str]:
    """Panel stages of the round, in order of first appearance."""
    names: dict[str, None] = {}
    for subject in subjects:
        for name, stage in subject.stages.items():
            if stage.kind == "panel":
                names.setdefault(name)
    return list(names)


def item_names(subjects: Sequence[SubjectMarks], stage: str) -> list[str]:
    """Every item of a stage, sorted."""
    return sorted({i for s in subjects if stage in s.stages for i in s.stages[stage].items})


def observed_totals(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], stage: str, *, fill: bool = True
) -> Observed:
    """Sheet totals of a stage. `fill=False` leaves incomplete sheets out instead."""
    rows: list[tuple[str, str, float]] = []
    filled = 0
    for subject in subjects:
        marks = subject.stages.get(stage)
        if marks is None or marks.kind != "panel":
            continue
        means = _item_means(marks)
        for rater, sheet in marks.valid.items():
            gaps = [i for i in means if i not in sheet.not_applicable and _gap(sheet, i)]
            if sheet.total is not None:
                rows.append((subject.id, rater, float(sheet.total)))
            elif any(mark is not None for mark in sheet.items.values()) and (fill or not gaps):
                filled += len(gaps)
                rows.append((subject.id, rater, _sheet_value(rule, sheet, means)))
    return _observed(rows, filled)


def observed_item(subjects: Sequence[SubjectMarks], stage: str, item: str) -> Observed:
    """Marks of one item of a stage."""
    rows = [
        (subject.id, rater, float(mark))
        for subject in subjects
        if stage in subject.stages
        for rater, sheet in subject.stages[stage].valid.items()
        if (mark := sheet.items.get(item)) is not None
    ]
    return _observed(rows, 0)


def _observed(rows: list[tuple[str, str, float]], filled: int) -> Observed:
    # Sums of floats depend on their order in the last bit; the order of a file must not.
    rows = sorted(rows)
    return Observed(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        filled,
    )


def _gap(sheet: Sheet, item: str) -> bool:
    return sheet.items.get(item) is None


def _item_means(marks: StageMarks) -> dict[str, float]:
    """Mean mark of each item that has one, over the valid sheets."""
    means = {}
    for item in marks.items:
        given = [float(m) for s in marks.valid.values() if (m := s.items.get(item)) is not None]
        if given:
            means[item] = sum(given) / len(given)
    return means


def _sheet_value(rule: ScoreRule, sheet: Sheet, means: Mapping[str, float]) -> float:
    total = 0.0
    for item, mean in means.items():
        mark = sheet.items.get(item)
        if mark is None and item in sheet.not_applicable:
            continue
        weight = float(rule.items[item].weight) if item in rule.items else 1.0
        total += weight * (mean if mark is None else float(mark))
    return total
