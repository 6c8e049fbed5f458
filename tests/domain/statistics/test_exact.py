"""Columns of integers give the numbers of the official scoring, to the last digit, for any rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.statistics.estimators import ESTIMATORS
from app.domain.statistics.exact import prepare, totals
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State
from app.domain.statistics.replay import differences
from app.domain.statistics.rerun import changed_list, leave_out, ranks_again
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.types import Text

ITEMS = ("A", "B", "C")
MARK = st.decimals(min_value=0, max_value=10, places=1, allow_nan=False, allow_infinity=False)
PLACES = st.none() | st.integers(0, 3)
WEIGHT = st.sampled_from(["1", "1.6", "0.35", "2"])


@st.composite
def rules(draw: Any, *, quick: bool = True) -> ScoreRule:
    """Any rule with one stage: estimator, unit, drop table, quorum, weights, sections, rounding."""
    unit = draw(st.sampled_from(["sheet", "item"]))
    data: dict[str, Any] = {
        "estimator": draw(st.sampled_from([e for e in ESTIMATORS if e != "algorithm_a" or not quick])),
        "trim": {"unit": unit, "drop": draw(st.sampled_from([{3: 1}, {5: 1, 7: 2}, {}]))},
        "quorum": draw(st.integers(1, 4)),
        "rounding": {
            stage: draw(PLACES)
            for stage in ("product", "section", "module", "total", "sheet" if unit == "sheet" else "item")
        },
    }  # fmt: skip
    if draw(st.booleans()):
        data["items"] = {
            name: {"weight": draw(WEIGHT), "section": draw(st.sampled_from([None, "S", "T"]))}
            for name in ITEMS
        }
        used = sorted({e["section"] for e in data["items"].values() if e["section"]})
        if used and draw(st.booleans()):
            data["sections"] = {
                name: {"weight": draw(WEIGHT), "cap": draw(st.sampled_from([None, "9.5"]))}
                for name in used
            }
    return ScoreRule.parse(data)


@st.composite
def sheets(draw: Any) -> Sheet:
    """A sheet with gaps, items that do not apply, a total of its own, or no marks at all."""
    if draw(st.integers(0, 9)) == 0:
        return Sheet(State.RECUSED, reason=Text("回避", "recused"))
    gone = draw(st.sampled_from([frozenset(), frozenset(), frozenset({"B"})]))
    marks = {name: None if name in gone else draw(st.none() | MARK if draw(st.integers(0, 7)) == 0 else MARK) for name in ITEMS}  # fmt: skip
    total = draw(MARK) if draw(st.integers(0, 9)) == 0 else None
    return Sheet(items=marks, total=total, not_applicable=gone)


ROUNDS = st.lists(
    st.lists(sheets(), min_size=1, max_size=7), min_size=1, max_size=4
).map(
    lambda table: [
        SubjectMarks(f"S{n}", {"desk": StageMarks(sheets={f"E{r}": s for r, s in enumerate(row)})})
        for n, row in enumerate(table)
    ]
)  # fmt: skip


def same(rule: ScoreRule, marks: list[SubjectMarks]) -> None:
    official = score_round(rule, marks)
    fast = totals(rule, prepare(marks))
    expected = {n: s for n, s in official.subjects.items() if s.total is not None}
    assert fast.keys() == expected.keys()
    for name, score in expected.items():
        assert fast[name].published == score.total
        assert str(fast[name].published) == str(score.total)
        assert fast[name].unrounded == score.unrounded


@settings(max_examples=40, deadline=None)
@given(rules(), ROUNDS)
def test_same_numbers_as_the_official_scoring(rule: ScoreRule, marks: list[SubjectMarks]) -> None:
    same(rule, marks)


@settings(max_examples=15, deadline=None)
@given(ROUNDS)
def test_same_numbers_with_algorithm_a(marks: list[SubjectMarks]) -> None:
    same(ScoreRule.parse({"estimator": "algorithm_a", "quorum": 2}), marks)


@settings(max_examples=20, deadline=None)
@given(rules(), ROUNDS)
def test_every_step_can_be_redone(rule: ScoreRule, marks: list[SubjectMarks]) -> None:
    for score in score_round(rule, marks).subjects.values():
        assert differences(score.to_json()) == []


@settings(max_examples=20, deadline=None)
@given(rules(), ROUNDS, st.randoms(use_true_random=False))
def test_no_order_matters(rule: ScoreRule, marks: list[SubjectMarks], shuffler: Any) -> None:
    """Subjects, experts and items may come in any order: the JSON of every subject stays the same."""
    before = score_round(rule, marks).to_json()["subjects"]
    mixed = []
    for subject in marks:
        pairs = list(subject.stages["desk"].sheets.items())
        shuffler.shuffle(pairs)
        turned = {}
        for rater, sheet in pairs:
            items = list(sheet.items.items())
            shuffler.shuffle(items)
            turned[rater] = replace(sheet, items=dict(items))
        mixed.append(replace(subject, stages={"desk": StageMarks(sheets=turned)}))
    shuffler.shuffle(mixed)
    after = score_round(rule, mixed).to_json()["subjects"]
    assert {n: after[n] for n in before} == before


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["trimmed_mean", "mean", "median", "winsorised"]),
    st.lists(st.lists(MARK, min_size=5, max_size=5), min_size=2, max_size=5),
    st.integers(-20, 20),
)
def test_a_constant_shifts_the_totals_and_no_rank(
    estimator: str, table: list[list[Decimal]], shift: int
) -> None:
    def made(by: int) -> list[SubjectMarks]:
        return [
            SubjectMarks(f"S{n}", {"desk": StageMarks(sheets={f"E{r}": Sheet(total=m + by) for r, m in enumerate(row)})})
            for n, row in enumerate(table)
        ]  # fmt: skip

    rule = ScoreRule.parse({"estimator": estimator, "rounding": {"total": None}})
    before, after = score_round(rule, made(0)), score_round(rule, made(shift))
    for name, score in before.subjects.items():
        assert score.unrounded is not None
        assert after.subjects[name].unrounded == score.unrounded + shift
        assert after.subjects[name].rank == score.rank


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(MARK, min_size=5, max_size=11), min_size=1, max_size=4))
def test_trimmed_totals_by_plain_fractions(table: list[list[Decimal]]) -> None:
    """Written again here with sorted lists and fractions: drop 1 + 1 (from 11 on 2 + 2), mean, half up."""
    marks = [
        SubjectMarks(f"S{n}", {"desk": StageMarks(sheets={f"E{r:02}": Sheet(total=m) for r, m in enumerate(row)})})
        for n, row in enumerate(table)
    ]  # fmt: skip
    scores = score_round(ScoreRule.parse({}), marks).subjects
    for n, row in enumerate(table):
        g = 2 if len(row) >= 11 else 1
        kept = sorted(Fraction(m) for m in row)[g:-g]
        value = sum(kept, Fraction(0)) / len(kept)
        cents = (value * 100 + Fraction(1, 2)).__floor__()
        assert scores[f"S{n}"].total == Decimal(cents) / 100
        assert scores[f"S{n}"].unrounded == value


def test_large_numbers_leave_int64_and_stay_exact() -> None:
    big = Decimal("123456789012.123456789012")
    rows = [{f"E{r}": Sheet(total=big + r * Decimal("0.000000000007")) for r in range(7)}]
    marks = [SubjectMarks("A", {"desk": StageMarks(sheets=rows[0])})]
    same(ScoreRule.parse({"rounding": {"total": None}}), marks)


def test_stages_surveys_vetoes_and_adjustments() -> None:
    rule = ScoreRule.parse(
        {
            "modules": {"desk": "0.55", "site": "0.35", "survey": "0.10"},
            "rounding": {"module": 3, "weighted": 2, "total": 2},
            "bonus_cap": "2.00",
            "adjust": {"S1": "1.50"},
            "quorum": 3,
        }
    )
    marks = []
    for n in range(4):
        desk = {f"E{r}": Sheet(total=Decimal(f"{70 + n}.{r}7")) for r in range(5)}
        site = {f"F{r}": Sheet(total=Decimal(f"{80 - n}.{r}")) for r in range(5)}
        marks.append(
            SubjectMarks(
                f"S{n}",
                {
                    "desk": StageMarks(sheets=desk),
                    "site": StageMarks(sheets=site),
                    "survey": StageMarks(kind="value", value=Decimal("88.125")),
                },
                vetoed=n == 3,
                adjust=Decimal("1.00"),
            )
        )
    del marks[2].stages["survey"]  # type: ignore[attr-defined]
    same(rule, marks)
    assert set(totals(rule, prepare(marks))) == {"S0", "S1"}


def test_an_expert_left_out_gives_the_ranks_of_a_complete_run() -> None:
    rule = ScoreRule.parse({"quorum": 3, "top": 2, "ties": ["spread"]})
    rows = {
        "A": ("80", "81", "82", "83", "90"),
        "B": ("80", "81", "82", "83", "60"),
        "C": ("79", "82", "82", "82", "85"),
        "D": ("70", "71", "72", "99", "99"),
    }
    marks = [
        SubjectMarks(n, {"desk": StageMarks(sheets={f"E{r}": Sheet(total=Decimal(m)) for r, m in enumerate(row)})})
        for n, row in rows.items()
    ]  # fmt: skip
    round_ = prepare(marks)
    for rater in (frozenset[str](), *({f"E{r}"} for r in range(5))):
        left = frozenset(rater)
        whole = score_round(rule, [leave_out(s, left) for s in marks])
        assert ranks_again(rule, round_, without=left) == {
            n: s.rank for n, s in whole.subjects.items() if s.rank is not None
        }


def test_changed_list() -> None:
    assert changed_list({"A": 1, "B": 2, "C": 3}, {"A": 3, "B": 2, "C": 1}, 1) == (("C",), ("A",))
    assert changed_list({"A": 1, "B": 2}, {"A": 1}, 2) == ((), ("B",))


@pytest.mark.parametrize("unit", ["sheet", "item"])
def test_a_wrong_rounding_stage_would_be_noticed(unit: str) -> None:
    items = {n: {"weight": "0.5"} for n in ITEMS}
    marks = [
        SubjectMarks("S", {"desk": StageMarks(sheets={f"E{r}": Sheet(items={n: Decimal("2.41") for n in ITEMS}) for r in range(5)})})
    ]  # fmt: skip
    each = ScoreRule.parse({"trim": {"unit": unit}, "items": items, "rounding": {"product": 2}})
    once = ScoreRule.parse({"trim": {"unit": unit}, "items": items})
    found = [totals(rule, prepare(marks))["S"].published for rule in (each, once)]
    assert found == [Decimal("3.63"), Decimal("3.62")]
