"""Sheets without judgement: the same mark everywhere, or another expert's sheet once more.

On a coarse scale such things happen by chance: with pass/fail items most sheets are alike, and a
county without fault gets full marks from everybody. So each rule first asks of the marks that the
others gave the same subject, backed by those of the whole round, how many coincidences independent
experts would make, and fires only where fewer than .05 are expected in the round; otherwise it says
that the scale is too coarse. Items that are the same on every sheet (computed ones) carry no evidence
and drop out by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final

from app.domain.statistics.flags import Checked, Flag, not_enough
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import Observed
from app.domain.statistics.rounding import plain
from app.domain.types import Text

FEWEST_ITEMS: Final = 4
FEWEST_SUBJECTS: Final = 3
# Coincidences expected in a whole round of independent experts, above which a rule stays silent.
EXPECTED: Final = 0.05
# One sheet's marks go together (a halo), so lines are commoner than independent items make them: the
# limit is lower, the flag is information only, and its false-alarm rate is still the highest of all.
EXPECTED_LINES: Final = 0.01

Sheets = Mapping[str, Mapping[str, Decimal]]
_COARSE: Final = Text(
    "按本轮分值的粗细,独立评分也预计出现 {e:.2g} 次巧合。",
    "on a scale as coarse as this, {e:.2g} coincidences are expected of independent experts.",
)


def _sheets(subjects: Sequence[SubjectMarks], stage: str) -> dict[str, Sheets]:
    """Subject -> expert -> marks by item, of valid sheets."""
    return {
        subject.id: {
            rater: {item: mark for item, mark in sorted(sheet.items.items()) if mark is not None}
            for rater, sheet in subject.stages[stage].valid.items()
        }
        for subject in subjects
        if stage in subject.stages
    }


def same_for_all(seen: Observed, stage: str) -> Checked:
    """Experts who give every subject the same total."""
    by_rater: dict[str, list[float]] = {}
    for rater, value in zip(seen.raters, seen.values, strict=True):
        by_rater.setdefault(rater, []).append(value)
    able = {r: v for r, v in sorted(by_rater.items()) if len(v) >= FEWEST_SUBJECTS}
    if not able:
        few = Text("没有专家评 3 个以上对象。", "no expert marked 3 subjects or more.")
        return Checked("same_for_all", stage, [], not_enough(few))
    # Pairs of one expert's marks that are equal: pairs in all, by expert.
    equal = {r: sum(c * (c - 1) // 2 for c in Counter(v).values()) for r, v in by_rater.items()}
    pairs = {r: len(v) * (len(v) - 1) // 2 for r, v in by_rater.items()}
    all_equal, all_pairs = sum(equal.values()), sum(pairs.values())
    flags, worst = [], 0.0
    for rater, values in able.items():
        if min(values) != max(values):
            continue
        chance = (all_equal - equal[rater] + 1) / (all_pairs - pairs[rater] + 2)
        expected = len(able) * chance ** (len(values) - 1)
        if expected > EXPECTED:
            worst = max(worst, expected)
            continue
        text = Text(
            "专家 {r} 对 {n} 个对象都给 {m:g} 分,没有区分。",
            "Expert {r} gave all {n} subjects {m:g}: no distinction.",
        ).format(r=rater, n=len(values), m=values[0])
        numbers = {"subjects": len(values), "mark": values[0], "expected": expected}
        flags.append(Flag("same_for_all", "amber", None, rater, stage, text, numbers))
    silent = not_enough(_COARSE.format(e=worst)) if worst else None
    return Checked("same_for_all", stage, flags, silent)


def straight_lines(subjects: Sequence[SubjectMarks], stage: str) -> Checked:
    """Sheets with the same mark on every item."""
    table = _sheets(subjects, stage)
    able = [
        (subject, rater, marks)
        for subject, sheets in table.items()
        for rater, marks in sheets.items()
        if len(marks) >= FEWEST_ITEMS
    ]
    if not able:
        return Checked("straight_line", stage, [], not_enough(_few_items()))
    counts = _counts([marks for _, _, marks in able])
    near = {subject: _counts(list(sheets.values())) for subject, sheets in table.items()}
    flags, worst = [], 0.0
    for subject, rater, marks in able:
        level = next(iter(marks.values()))
        if any(mark != level for mark in marks.values()):
            continue
        chance = 1.0
        for item in marks:
            overall = counts[item][level] / (counts[item].total() + 1.0)
            own = near[subject][item]
            chance *= (own[level] - 1 + overall) / own.total()
        expected = chance * len(able)
        if expected > EXPECTED_LINES:
            worst = max(worst, expected)
            continue
        text = Text(
            "专家 {r} 对 {s} 的 {n} 项都给 {m} 分。", "Expert {r} gave all {n} items of {s} {m}."
        ).format(r=rater, s=subject, n=len(marks), m=plain(level))
        line = {"items": len(marks), "mark": float(level), "expected": expected}
        flags.append(Flag("straight_line", "info", subject, rater, stage, text, line))
    silent = not_enough(_COARSE.format(e=worst)) if worst else None
    return Checked("straight_line", stage, flags, silent)


def _counts(sheets: Sequence[Mapping[str, Decimal]]) -> dict[str, Counter[Decimal]]:
    """How often each mark was given, by item."""
    made: dict[str, Counter[Decimal]] = {}
    for marks in sheets:
        for item, mark in marks.items():
            made.setdefault(item, Counter())[mark] += 1
    return made


def _pairs(counted: Counter[Decimal]) -> tuple[int, int]:
    """(equal pairs, pairs) of the marks of one item."""
    total = counted.total()
    return sum(c * (c - 1) // 2 for c in counted.values()), total * (total - 1) // 2


def _few_items() -> Text:
    return Text("没有 4 项以上的评分表。", "no sheet has 4 items or more.")


def copies(subjects: Sequence[SubjectMarks], stage: str) -> Checked:
    """Two experts with the same mark on every item of a subject, the sheet not being constant."""
    table = _sheets(subjects, stage)
    # Agreeing pairs of experts and pairs in all, by item, over the round.
    agree: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    near: dict[str, dict[str, tuple[int, int]]] = {}
    compared = 0
    same: list[tuple[str, str, str, Mapping[str, Decimal]]] = []
    for subject, sheets in table.items():
        near[subject] = {item: _pairs(c) for item, c in _counts(list(sheets.values())).items()}
        for item, (equal, total) in near[subject].items():
            agree[item] += equal
            pairs[item] += total
        able = {r: m for r, m in sheets.items() if len(m) >= FEWEST_ITEMS}
        compared += len(able) * (len(able) - 1) // 2
        groups: dict[tuple[tuple[str, Decimal], ...], list[str]] = {}
        for rater, marks in able.items():
            groups.setdefault(tuple(marks.items()), []).append(rater)
        for key, members in groups.items():
            if len({mark for _, mark in key}) > 1:
                same += [(subject, a, b, dict(key)) for a, b in combinations(sorted(members), 2)]
    if not compared:
        few = Text(
            "没有两份 4 项以上的评分表可比。", "no two sheets of 4 items or more to compare."
        )
        return Checked("duplicate", stage, [], not_enough(few))
    flags, worst = [], 0.0
    for subject, first, second, marks in same:
        chance = 1.0
        for item in marks:
            # Of the other pairs of the subject; a small table proves little, so the round is added.
            equal, total = near[subject][item]
            chance *= (equal - 1 + agree[item] / (pairs[item] + 1.0)) / total
        expected = compared * chance
        if expected > EXPECTED:
            worst = max(worst, expected)
            continue
        text = Text(
            "{s}:专家 {a} 与 {b} 的 {n} 项评分完全相同(全轮独立评分预计出现 {e:.2g} 次)。",
            "{s}: experts {a} and {b} gave the same mark on all {n} items ({e:.2g} such pairs are "
            "expected in a round of independent experts).",
        ).format(s=subject, a=first, b=second, n=len(marks), e=expected)
        numbers = {"items": len(marks), "other": first, "expected": expected}
        flags.append(Flag("duplicate", "amber", subject, second, stage, text, numbers))
    silent = not_enough(_COARSE.format(e=worst)) if worst else None
    return Checked("duplicate", stage, flags, silent)
