"""Rounding, trimming, estimators, rule, scores and replay: everything that a published score rests on."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.statistics.estimators import ESTIMATORS, algorithm_a, estimate
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State
from app.domain.statistics.replay import differences
from app.domain.statistics.results import Status
from app.domain.statistics.rounding import at_stage, decimal_places, half_up, shown
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.trimming import drop_count, trim
from app.domain.types import DomainError, Text
from tests.domain.statistics.builders import by_item, panel, subject, vector

DROP = {5: 1, 11: 2}
MARK = st.decimals(min_value=-20, max_value=100, places=2, allow_nan=False, allow_infinity=False)
PANEL = st.lists(MARK, min_size=1, max_size=15)


def named(marks: list[Decimal]) -> dict[str, Decimal]:
    return {f"E{number:02}": mark for number, mark in enumerate(marks, start=1)}


# -- rounding


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        ("2.675", 2, "2.68"),
        ("2.665", 2, "2.67"),
        ("-0.125", 2, "-0.13"),
        ("0.5", 0, "1"),
        ("-0.004", 2, "0.00"),
        ("25/3", 4, "8.3333"),
        ("1E+3", 1, "1000.0"),
    ],
)
def test_half_up(value: str, places: int, expected: str) -> None:
    assert format(half_up(Fraction(value), places), "f") == expected


def test_no_half_is_lost_to_an_endless_quotient() -> None:
    # Three kept marks adding up to 30.25 and a stage weight of 0.3: exactly 3.025.
    assert half_up(Fraction("30.25") / 3 * Fraction("0.3"), 2) == Decimal("3.03")
    in_decimals = Decimal("30.25") / 3 * Decimal("0.3")
    assert in_decimals.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("3.02")


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 6))
def test_rounding_moves_at_most_half_a_unit(value: Fraction, places: int) -> None:
    assert abs(at_stage(value, places) - value) <= Fraction(1, 2 * 10**places)


def test_shown() -> None:
    assert shown(Fraction("6.5625")) == "6.5625"
    assert shown(Fraction(25, 3)) == "8.333333…"
    assert decimal_places(Fraction(1, 3)) is None
    assert decimal_places(Fraction(1, 8)) == 3


def test_rounding_stage_decides_the_total() -> None:
    # Three products 1.205 each: round then add 3.63, add then round 3.62 (3.615 -> 3.62).
    marks = by_item(**{name: ["2.41"] * 5 for name in "XYZ"})
    items = {name: {"weight": "0.5"} for name in "XYZ"}
    base = {"trim": {"unit": "item"}, "items": items}
    each = ScoreRule.parse({**base, "rounding": {"product": 2, "total": 2}})
    once = ScoreRule.parse({**base, "rounding": {"total": 2}})
    assert score_round(each, [subject("A", marks)]).subjects["A"].total == Decimal("3.63")
    assert score_round(once, [subject("A", marks)]).subjects["A"].total == Decimal("3.62")
    assert each.digest() != once.digest()


# -- trimming and estimators


@pytest.mark.parametrize(("present", "count"), [(1, 0), (4, 0), (5, 1), (10, 1), (11, 2), (15, 2)])
def test_drop_table(present: int, count: int) -> None:
    assert drop_count(DROP, present) == count


def test_trimming_traps() -> None:
    case = vector("trim_mean_scipy_traps")
    x9 = named([Decimal(x) for x in case["input"]["x9"]])
    made = estimate("trimmed_mean", x9, DROP)
    assert made.value == case["expected"]["drop_one_each_side_x9"]
    assert made.dropped == ("E01", "E09")
    present = named([Decimal(x) for x in case["input"]["x_nan"] if x is not None])
    expected = case["expected"]["drop_one_each_side_of_present_x_nan"]
    assert estimate("trimmed_mean", present, {3: 1}).value == Fraction(expected)


def test_one_copy_of_a_tied_extreme_falls() -> None:
    split = trim({rater: Decimal(mark) for rater, mark in zip("edcba", "77899", strict=True)}, 1)
    assert split.low == (("d", Decimal(7)),)
    assert split.high == (("b", Decimal(9)),)
    assert split.present == 5
    with pytest.raises(DomainError):
        trim({"a": Decimal(1), "b": Decimal(2)}, 1)


@given(PANEL, st.sampled_from(ESTIMATORS))
def test_value_lies_between_lowest_and_highest(marks: list[Decimal], name: str) -> None:
    value = estimate(name, named(marks), DROP).value
    assert min(marks) <= value <= max(marks)


@settings(max_examples=50)
@given(PANEL, st.sampled_from(ESTIMATORS), st.randoms(use_true_random=False))
def test_order_of_marks_does_not_matter(marks: list[Decimal], name: str, shuffler: Any) -> None:
    shuffled = list(named(marks).items())
    shuffler.shuffle(shuffled)
    assert estimate(name, dict(shuffled), DROP) == estimate(name, named(marks), DROP)


@settings(max_examples=60)
@given(PANEL, MARK, st.sampled_from(ESTIMATORS))
def test_a_constant_shifts_the_value(marks: list[Decimal], shift: Decimal, name: str) -> None:
    before = estimate(name, named(marks), DROP).value
    after = estimate(name, named([mark + shift for mark in marks]), DROP).value
    slack = Fraction(1, 10**9) if name == "algorithm_a" else 0
    assert abs(after - before - Fraction(shift)) <= slack


def test_algorithm_a_creosote() -> None:
    case = vector("iso5725_5_algorithm_A_creosote")
    values = [Decimal(str(x)) for x in case["input"]["x"]]
    location, scale = algorithm_a(values)
    assert float(location) == pytest.approx(case["expected"]["converged"]["x*"], abs=1e-6)
    assert float(scale) == pytest.approx(case["expected"]["converged"]["s*"], abs=1e-6)
    early = algorithm_a(values, iterations=4)
    assert float(early[0]) == pytest.approx(case["expected"]["iteration_4"]["x*"], abs=1e-4)
    assert float(early[1]) == pytest.approx(case["expected"]["iteration_4"]["s*"], abs=1e-4)


def test_algorithm_a_without_spread_is_the_median() -> None:
    assert algorithm_a([Decimal(7)] * 4 + [Decimal(90)]) == (Decimal(7), Decimal(0))


def test_winsorised_and_median() -> None:
    marks = named([Decimal(x) for x in (1, 5, 6, 7, 100)])
    assert estimate("winsorised", marks, DROP).value == Fraction(5 + 5 + 6 + 7 + 7, 5)
    assert estimate("winsorised", marks, DROP).pulled == ("E01", "E05")
    assert estimate("median", marks, DROP).value == 6
    assert estimate("median", named([Decimal(1), Decimal(2)]), DROP).value == Fraction(3, 2)


# -- rule


def test_rule_defaults_and_digest() -> None:
    rule = ScoreRule.parse(None)
    assert (rule.estimator, rule.unit, rule.drop, rule.quorum) == ("trimmed_mean", "sheet", DROP, 5)
    assert rule.rounding["total"] == 2
    assert rule.ties == ("unrounded", "top_item", "spread", "shared")
    assert ScoreRule.parse({}).digest() == rule.digest()
    one = ScoreRule.parse({"modules": {"desk": "0.60", "site": "0.40"}})
    two = ScoreRule.parse({"modules": {"desk": "0.6", "site": "0.4"}})
    assert one.digest() == two.digest() != rule.digest()
    assert one.ties[1] == "module:site"
    assert ScoreRule.parse(one.to_json()) == one


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"estimater": "mean"}, "estimater"),
        ({"estimator": "avg"}, "estimator"),
        ({"trim": {"unit": "row"}}, "trim.unit"),
        ({"trim": {"drop": {"4": "2"}}}, "trim.drop.4"),
        ({"trim": {"drop": {"5": "1.5"}}}, "trim.drop.5"),
        ({"quorum": 0}, "quorum"),
        ({"quorum": True}, "quorum"),
        ({"items": {"X": {"weight": 1.6}}}, "items.X.weight"),
        ({"items": {"X": {"wieght": "1"}}}, "items.X.wieght"),
        ({"rounding": {"final": 2}}, "rounding.final"),
        ({"rounding": {"item": 2}}, "rounding.item"),
        ({"adjust": {"A": "NaN"}}, "adjust.A"),
        ({"adjust": {"A": "0.125"}}, "adjust.A"),
        ({"modules": {"desk": "0.60", "site": "0.30"}}, "modules"),
        ({"modules": {"desk": "1.5", "site": "-0.5"}}, "modules.site"),
        ({"ties": ["shared", "unrounded"]}, "ties"),
        ({"ties": ["row_order"]}, "ties"),
        ({"ties": ["module:site"]}, "ties"),
        ({"ties": "unrounded"}, "ties"),
        ({"top": "ten"}, "top"),
        ({"bonus_cap": "-1"}, "bonus_cap"),
        ({"rank_within": "class"}, "rank_within"),
        ({"flags": {"amber": "0"}}, "flags.amber"),
        ([], "rule"),
    ],
)
def test_rule_refuses(data: Any, field: str) -> None:
    with pytest.raises(DomainError) as caught:
        ScoreRule.parse(data)
    assert caught.value.field == field
    assert field.split(".")[0] in caught.value.text.en or field == "rule"


# -- scores


def test_three_stages_with_bonus_and_cap() -> None:
    rule = ScoreRule.parse(
        {
            "modules": {"desk": "0.60", "site": "0.30", "survey": "0.10"},
            "rounding": {"module": 2, "weighted": 2, "total": 2},
            "bonus_cap": "1.00",
        }
    )
    marks = SubjectMarks(
        "A",
        {
            "desk": panel("80", "82.5", "84", "90.25", "60", "83"),
            "site": panel("70", "71", "72", "73", "74"),
            "survey": StageMarks(kind="value", value=Decimal("91.345")),
        },
        adjust=Decimal("1.50"),
    )
    score = score_round(rule, [marks]).subjects["A"]
    # desk (80+82.5+83+84)/4 = 82.375 -> 82.38 x .6 = 49.428 -> 49.43; site 72 x .3 = 21.60
    # survey 91.345 -> 91.35 x .1 = 9.135 -> 9.14; sum 80.17; bonus 1.50 capped at 1.00
    assert score.stages["desk"].value == Fraction("82.38")
    assert score.total == Decimal("81.17")
    assert score.adjust == 1
    assert [step.op for step in score.steps if step.stage is None] == ["bonus_cap", "sum", "adjust"]
    assert differences(score.to_json()) == []
    assert "81.17" in score.steps[-1].text.zh
    assert "81.17" in score.steps[-1].text.en


def test_absent_is_not_zero() -> None:
    rule = ScoreRule.parse({})
    with_gap = score_round(rule, [subject("A", panel("8", "8", "8", "8", "8", None))])
    with_zero = score_round(rule, [subject("A", panel("8", "8", "8", "8", "8", "0"))])
    assert with_gap.subjects["A"].stages["desk"].unit.present == 5
    assert with_zero.subjects["A"].stages["desk"].unit.present == 6
    one = by_item(X=["8"] * 6, Y=["6", None, "6", "6", "6", "6"])
    rule = ScoreRule.parse({"trim": {"unit": "item"}})
    score = score_round(rule, [subject("A", one)]).subjects["A"]
    assert score.total == Decimal("14.00")
    assert score.items["Y"].present == 5


@settings(max_examples=60)
@given(st.lists(MARK, min_size=5, max_size=14), st.integers(1, 5))
def test_absent_sheets_never_change_a_score(marks: list[Decimal], absent: int) -> None:
    rule = ScoreRule.parse({})
    texts = [str(mark) for mark in marks]
    alone = score_round(rule, [subject("A", panel(*texts))]).subjects["A"]
    more = score_round(rule, [subject("A", panel(*texts, *[None] * absent))]).subjects["A"]
    assert alone.total == more.total
    assert alone.stages["desk"].unit == more.stages["desk"].unit


@pytest.mark.parametrize("state", [State.RECUSED, State.WITHDRAWN, State.REJECTED])
def test_states_need_reasons_and_leave_the_panel(state: State) -> None:
    with pytest.raises(DomainError):
        Sheet(state, total=Decimal(1))
    reason = Text("原单位", "former employer")
    sheets = {f"E{n}": Sheet(total=Decimal(8)) for n in range(5)}
    sheets["E9"] = Sheet(state, total=Decimal(0), reason=reason)
    score = score_round(ScoreRule.parse({}), [subject("A", StageMarks(sheets=sheets))])
    assert score.subjects["A"].total == Decimal("8.00")
    assert "6 drawn" in score.subjects["A"].steps[0].text.en
    assert "有效 5 份" in score.subjects["A"].steps[0].text.zh


def test_no_quorum_no_score_and_no_rank() -> None:
    round_ = score_round(
        ScoreRule.parse({}),
        [subject("A", panel("9", "9", "9", "9", None)), subject("B", panel(*["5"] * 5))],
    )
    a, b = round_.subjects["A"], round_.subjects["B"]
    assert (a.status, a.total, a.rank) == (Status.NO_SCORE, None, None)
    assert a.reason is not None
    assert "4 valid marks" in a.reason.en
    assert "少于规定的 5 个" in a.reason.zh
    assert b.rank == 1


def test_incomplete_sheet_is_absent_when_trimming_sheets() -> None:
    marks = by_item(X=["8"] * 6, Y=["6", None, "6", "6", "6", "6"])
    score = score_round(ScoreRule.parse({}), [subject("A", marks)]).subjects["A"]
    assert score.stages["desk"].unit.present == 5
    assert any("E2 is incomplete (missing Y)" in step.text.en for step in score.steps)
    assert score.items["X"].value + score.items["Y"].value == score.stages["desk"].value


def test_missing_stage_moves_no_weight() -> None:
    rule = ScoreRule.parse({"modules": {"desk": "0.7", "site": "0.3"}})
    score = score_round(rule, [subject("A", panel(*["90"] * 5))]).subjects["A"]
    assert score.total is None
    assert score.reason is not None
    assert "site" in score.reason.en


def test_not_applicable_items() -> None:
    sheets = {
        f"E{n}": Sheet(items={"X": Decimal(8), "Y": None}, not_applicable=frozenset({"Y"}))
        for n in range(5)
    }
    rule = ScoreRule.parse({"trim": {"unit": "item"}})
    score = score_round(rule, [subject("A", StageMarks(sheets=sheets))]).subjects["A"]
    assert score.total == Decimal("8.00")
    assert list(score.items) == ["X"]
    by_sheet = score_round(ScoreRule.parse({}), [subject("A", StageMarks(sheets=sheets))])
    assert by_sheet.subjects["A"].total == Decimal("8.00")


def test_veto_is_a_gate() -> None:
    reason = Text("重大违法用地", "major illegal land use")
    marks = subject("A", panel(*["99"] * 5), vetoed=True, veto_reason=reason)
    round_ = score_round(ScoreRule.parse({}), [marks, subject("B", panel(*["50"] * 5))])
    a = round_.subjects["A"]
    assert (a.status, a.total, a.rank, a.reason) == (Status.VETOED, None, None, reason)
    assert a.stages["desk"].value == 99
    assert round_.subjects["B"].rank == 1


@pytest.mark.parametrize(
    ("rule", "marks"),
    [
        ({"adjust": {"Z": "1"}}, [subject("A", panel(*["5"] * 5))]),
        ({}, [subject("A", panel(*["5"] * 5)), subject("A", panel(*["5"] * 5))]),
        ({}, [subject("A", panel(*["5"] * 5), adjust=Decimal("0.001"))]),
        ({"modules": {"site": "1"}}, [subject("A", panel(*["5"] * 5))]),
        ({}, [SubjectMarks("A", {"a": panel("1"), "b": panel("1")})]),
        ({"items": {"X": {}}}, [subject("A", by_item(Y=["5"] * 5))]),
    ],
)
def test_marks_that_do_not_fit_the_rule(rule: dict[str, Any], marks: list[SubjectMarks]) -> None:
    with pytest.raises(DomainError) as caught:
        score_round(ScoreRule.parse(rule), marks)
    assert caught.value.text.zh
    assert caught.value.text.en


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), 8.5])
def test_marks_must_be_finite_decimals(bad: Any) -> None:
    with pytest.raises(DomainError):
        Sheet(total=bad)


RULES = st.fixed_dictionaries(
    {
        "estimator": st.sampled_from(ESTIMATORS),
        "trim": st.sampled_from([{"unit": "sheet"}, {"unit": "item"}]),
        "quorum": st.just(1),
        "rounding": st.fixed_dictionaries(
            {name: st.sampled_from([None, 1, 2]) for name in ("product", "section", "module")}
            | {"total": st.sampled_from([None, 2])}
        ),
        "items": st.just({"X": {"weight": "1.3", "section": "S"}, "Y": {"section": "S"}, "Z": {}}),
    }
)


@settings(max_examples=80, deadline=None)
@given(RULES, st.lists(st.tuples(MARK, MARK, MARK), min_size=1, max_size=12))
def test_every_trace_replays(rule: dict[str, Any], rows: list[tuple[Decimal, ...]]) -> None:
    marks = by_item(**{n: [str(r[i]) for r in rows] for i, n in enumerate("XYZ")})
    score = score_round(ScoreRule.parse(rule), [subject("A", marks)]).subjects["A"]
    assert differences(json.loads(json.dumps(score.to_json()))) == []


def test_a_changed_trace_is_found() -> None:
    rule = ScoreRule.parse({"modules": {"desk": "1"}, "rounding": {"module": 1}})
    rows = panel("80", "82.5", "84", "90.25", "60", "83")
    honest = score_round(rule, [subject("A", rows, adjust=Decimal("0.5"))]).subjects["A"].to_json()
    assert differences(honest) == []
    changes: list[tuple[Any, ...]] = [("total",), ("stages", "desk", "contribution")]
    for number, step in enumerate(honest["steps"]):
        if step["result"] is not None:
            changes.append(("steps", number, "result"))
    changes.append(("steps", 1, "inputs", "marks", "E2"))
    changes.append(("steps", 1, "inputs", "dropped"))
    for path in changes:
        forged = copy.deepcopy(honest)
        place = forged
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = ["E1", "E2"] if path[-1] == "dropped" else "77.77"
        assert differences(forged), path


def test_order_of_subjects_does_not_matter() -> None:
    marks = [subject(name, panel(*[total] * 5)) for name, total in zip("ABC", "798", strict=True)]
    expected = score_round(ScoreRule.parse({}), marks).to_json()["subjects"]
    for order in permutations(marks):
        assert score_round(ScoreRule.parse({}), list(order)).to_json()["subjects"] == expected


def test_official_half_never_loads_numpy() -> None:
    code = (
        "import sys; import app.domain.statistics.scores, app.domain.statistics.replay; "
        "import app.domain.statistics.agreement, app.domain.statistics.outliers; "
        "import app.domain.statistics.uncertainty, app.cli.statistics; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('numpy', 'scipy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
