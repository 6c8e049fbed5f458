"""Flags over a whole round: each fires on what it is for, and says when the data are not enough."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest

from app.domain.statistics.coincidences import copies, same_for_all, straight_lines
from app.domain.statistics.flags import RATES, false_alarm
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.outliers import pooled_residuals
from app.domain.statistics.patterns import alike_pairs, extremes, home_lift
from app.domain.statistics.review import review_round
from app.domain.statistics.rule import ScoreRule
from tests.proof.rounds import Made, World, items, make

RULE = ScoreRule.parse({"flags": {"full_mark": "100"}})


def changed(round_: Made, marks: np.ndarray) -> Made:
    return Made(round_.quality, round_.severity, marks)


def test_an_expert_always_lowest_is_named_with_his_count() -> None:
    round_ = make(World(severity=0.0), 1, "low")
    marks = round_.marks.copy()
    marks[:, 3] -= 9
    (flag,) = extremes(RULE, changed(round_, marks).observed(), "desk").flags
    assert (flag.rater, flag.numbers["end"]) == ("E03", "low")
    low = int((marks[:, 3] < np.delete(marks, 3, axis=1).min(axis=1)).sum())
    assert flag.numbers["count"] == low
    assert flag.numbers["expected"] == pytest.approx(30 / 9)
    assert f"{low} times in 30" in flag.text.en and f"有 {low} 次" in flag.text.zh
    assert extremes(RULE, round_.observed(), "desk").outcome == "clear"


def test_extremes_need_enough_subjects_to_mean_anything() -> None:
    round_ = make(World(subjects=2), 1, "low")
    marks = round_.marks.copy()
    marks[:, 3] -= 50
    found = extremes(RULE, changed(round_, marks).observed(), "desk")
    assert (found.outcome, found.flags) == ("not_enough_data", [])
    assert found.silent is not None and found.silent.en.startswith("Not enough data")


def test_a_tie_at_the_end_is_nobodys_extreme() -> None:
    marks = np.full((30, 5), 80.0)
    round_ = Made(np.zeros(30), np.zeros(5), marks)
    assert extremes(RULE, round_.observed(), "desk").flags == []


def test_a_pair_that_follows_each_other() -> None:
    round_ = make(World(), 2, "pair")
    noise = make(World(), 2, "own").marks - 75
    marks = round_.marks.copy()
    marks[:, 5] = marks[:, 1] + 6 + 0.15 * noise[:, 5]  # severity apart, errors together
    (flag,) = alike_pairs(changed(round_, marks).observed(), "desk").flags
    assert (flag.rater, flag.numbers["other"]) == ("E05", "E01")
    assert flag.numbers["correlation"] > 0.8 and flag.numbers["subjects"] == 30
    assert alike_pairs(round_.observed(), "desk").outcome == "clear"
    few = make(World(subjects=6), 2, "pair")
    assert alike_pairs(few.observed(), "desk").outcome == "not_enough_data"


def test_home_region_lift_for_one_and_for_all() -> None:
    round_ = make(World(), 3, "home")
    homes = {f"E{c:02}": {f"S{(3 * c + i):03}" for i in range(3)} for c in range(9)}
    assert home_lift(round_.observed(), homes, "desk").outcome == "clear"
    marks = round_.marks.copy()
    for c in range(9):
        marks[3 * c : 3 * c + 3, c] += 4.0
    flags = home_lift(changed(round_, marks).observed(), homes, "desk").flags
    whole = next(flag for flag in flags if flag.rater is None)
    assert whole.numbers["marks"] == 27
    assert whole.numbers["lift"] == pytest.approx(4.0, abs=2.0)
    assert "own region higher by" in whole.text.en
    one = round_.marks.copy()
    one[:3, 0] += 15
    raters = [f.rater for f in home_lift(changed(round_, one).observed(), homes, "desk").flags]
    assert "E00" in raters
    # Strict at home is nobody's favour.
    strict = round_.marks.copy()
    strict[:3, 0] -= 15
    assert home_lift(changed(round_, strict).observed(), homes, "desk").flags == []
    assert home_lift(round_.observed(), None, "desk").outcome == "not_enough_data"
    assert home_lift(round_.observed(), {"E00": {"S000"}}, "desk").outcome == "not_enough_data"


def sheets(rows: dict[str, list[dict[str, str]]]) -> list[SubjectMarks]:
    return [
        SubjectMarks(
            name,
            {
                "desk": StageMarks(
                    sheets={
                        f"E{r}": Sheet(items={i: Decimal(m) for i, m in sheet.items()})
                        for r, sheet in enumerate(row)
                    }
                )
            },
        )
        for name, row in rows.items()
    ]


def test_pass_and_fail_items_are_too_coarse_for_coincidences() -> None:
    passed = {f"I{n}": "1" for n in range(6)}
    one_fail = {**passed, "I3": "0"}
    marks = sheets({f"S{n}": [passed, passed, one_fail, one_fail, passed] for n in range(8)})
    for check in (straight_lines(marks, "desk"), copies(marks, "desk")):
        assert check.outcome == "not_enough_data", check.rule
        assert check.silent is not None and "coarse" in check.silent.en


def test_computed_items_are_no_evidence_of_copying() -> None:
    """Points that the office computes are equal on every sheet, and four own items decide."""
    computed = {f"C{n}": str(n) for n in range(20)}
    own = [{f"I{n}": str((3 * n + r) % 7) for n in range(5)} for r in range(5)]
    rows = {f"S{s}": [{**computed, **sheet} for sheet in own] for s in range(6)}
    assert copies(sheets(rows), "desk").flags == []
    rows["S0"][4] = rows["S0"][0]
    (flag,) = copies(sheets(rows), "desk").flags
    assert (flag.subject, flag.rater, flag.numbers["other"]) == ("S0", "E4", "E0")
    assert flag.numbers["expected"] < 0.05


def test_a_copied_sheet_among_independent_ones() -> None:
    marks = items(World(subjects=12), 10, 4, "copy")
    assert copies(marks, "desk").outcome == "clear"
    first = dict(marks[2].stages["desk"].sheets)
    first["E07"] = first["E01"]
    marks[2] = SubjectMarks("S002", {"desk": StageMarks(sheets=first)})
    assert [(f.subject, f.rater) for f in copies(marks, "desk").flags] == [("S002", "E07")]


def test_same_for_all_on_a_coarse_scale_says_so() -> None:
    rows = {f"S{n}": [{"I": "1"}, {"I": "1"}, {"I": str(n % 2)}] for n in range(5)}
    from app.domain.statistics.observed import observed_totals

    found = same_for_all(observed_totals(RULE, sheets(rows), "desk"), "desk")
    assert (found.outcome, found.flags) == ("not_enough_data", [])


def test_pooled_residuals_need_three_subjects() -> None:
    found = pooled_residuals(RULE.flags, make(World(subjects=2), 5, "x").observed(), "desk")
    assert found.outcome == "not_enough_data"


def test_every_rule_reports_and_carries_its_false_alarm_rate() -> None:
    round_ = make(World(), 6, "review")
    marks = round_.marks.copy()
    marks[4, 2] -= 40
    review = review_round(RULE, changed(round_, marks).subjects())
    stored = {row["rule"] for row in json.loads(RATES.read_text(encoding="utf-8"))["rows"]}
    assert {check.rule for check in review.checks} == stored
    flag = next(f for f in review.flags if f.rule == "pooled_residual")
    assert flag.false_alarm is not None
    assert (flag.false_alarm.k, flag.false_alarm.per) == (9, "subject")
    assert f"{flag.false_alarm.fired} of {flag.false_alarm.simulated} clean" in flag.sentence.en
    assert "误报率" in flag.sentence.zh and flag.sentence.zh.startswith(flag.text.zh)
    json.dumps(review.to_json(), allow_nan=False)


def test_rates_are_those_of_the_nearest_panel_size() -> None:
    for k, nearest in ((3, 5), (6, 5), (8, 7), (9, 9), (40, 15)):
        found = false_alarm("pooled_residual", k)
        assert found is not None and found.k == nearest
    assert false_alarm("small_panel", 9) is None
