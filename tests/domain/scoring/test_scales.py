"""Every scale type: values, both ends of every limit, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.scoring.measures import EntryError, half_up
from app.domain.scoring.scales import evaluate_entry
from tests.domain.scoring.invented import item_with, two_figures

TICKS = (
    "items_status: default, items: [{id: a, title: {zh: 一, en: One}, points: 6}, "
    "{id: b, title: {zh: 二, en: Two}, points: 4}]"
)
ITEMS: dict[str, Any] = {
    "points": item_with("{type: points, step: 0.5}"),
    "points_negative": item_with("{type: points, min: -10, step: 0.5}"),
    "grade": item_with("{type: grade}"),
    "checklist": item_with(f"{{type: checklist, {TICKS}}}"),
    "deduct": item_with("{type: deduct, per_case: 3, floor: zero}"),
    "deduct_below": item_with("{type: deduct, per_case: 3, floor: minus_max}", "3"),
    "checklist_deduct": item_with(f"{{type: checklist_deduct, {TICKS}, per_case: 1, floor: zero}}"),
    "bands": item_with(
        "{type: bands, expression: x / y, zero_denominator: zero, bands: "
        "[{ge: 0.90, points: 10}, {ge: 0.80, points: 5}, {lt: 0.80, points: 0}]}",
        figures=two_figures(),
    ),
    "target_up": item_with(
        "{type: formula, expression: x / y, zero_denominator: full, direction: up, "
        "normalise: target_ratio, target: 0.9}",
        figures=two_figures(),
    ),
    "target_down": item_with(
        "{type: formula, expression: x / y, zero_denominator: not_applicable, direction: down, "
        "normalise: target_ratio, target: 2}",
        figures=two_figures(),
    ),
    "guarded": item_with(
        "{type: formula, expression: x / y, zero_denominator: full, valid_if: y > 0 or x == 0, "
        "otherwise: zero, direction: up, normalise: target_ratio, target: 1}",
        figures=two_figures(),
    ),
    "survey": item_with(
        "{type: survey, expression: x * 0.1, min_sample: 400, sample_figure: y}",
        figures=two_figures().replace("en: count}}, y", "en: count}, max: 100}, y"),
    ),
    "passfail": item_with("{type: passfail}", ""),
    "passfail_points": item_with("{type: passfail_points}"),
    "grade_table": item_with(
        "{type: grade_table, factor_for_prior_year: 0.5, table: "
        "[{id: good, title: {zh: 良, en: Good}, points: 10}, "
        "{id: none, title: {zh: 无, en: None}, points: 0}]}"
    ),
    "bonus": item_with(
        "{type: bonus, cap: 10, stacking: highest_per_document, stacking_status: default, ladder: "
        "[{id: national, title: {zh: 国家, en: National}, points: 6}, "
        "{id: provincial, title: {zh: 省, en: Provincial}, points: 0.5}]}"
    ),
}


def _mark(value: Any, reason: str = "查到的情况") -> dict[str, Any]:
    return {"type": "mark", "value": value, "reason": reason}


def _figures(x: str | None, y: str | None) -> dict[str, Any]:
    return {"figures": {"x": x, "y": y}}


def _awards(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"awards": [{"level": level, "document": document} for level, document in pairs]}


@pytest.mark.parametrize(
    ("scale", "value", "expected"),
    [
        ("points", "0", "0"),
        ("points", "7.5", "7.5"),
        ("points", "10", "10"),
        ("points_negative", "-10", "-10"),
        ("grade", {"level": "excellent", "mark": "10"}, "10"),
        ("grade", {"level": "excellent", "mark": "9"}, "9"),
        ("grade", {"level": "good", "mark": "8.9"}, "8.9"),
        ("grade", {"level": "poor", "mark": "0"}, "0"),
        ("checklist", {"ticks": []}, "0"),
        ("checklist", {"ticks": ["a", "b"]}, "10"),
        ("deduct", {"cases": 0}, "10"),
        ("deduct", {"cases": 3}, "1"),
        ("deduct", {"cases": 4}, "0"),
        ("deduct_below", {"cases": 1}, "0"),
        ("deduct_below", {"cases": 2}, "-3"),
        ("deduct_below", {"cases": 9}, "-3"),
        ("checklist_deduct", {"ticks": ["a", "b"], "cases": 2}, "8"),
        ("checklist_deduct", {"ticks": ["b"], "cases": 7}, "0"),
        ("bands", _figures("9", "10"), "10"),
        ("bands", _figures("8.99", "10"), "5"),
        ("bands", _figures("8", "10"), "5"),
        ("bands", _figures("7.99", "10"), "0"),
        ("bands", _figures("1", "0"), "0"),
        ("target_up", _figures("45", "100"), "5"),
        ("target_up", _figures("90", "100"), "10"),
        ("target_up", _figures("99", "100"), "10"),
        ("target_up", _figures("1", "3"), "3.70"),
        ("target_up", _figures("0", "0"), "10"),
        ("target_down", _figures("4", "1"), "5"),
        ("target_down", _figures("2", "1"), "10"),
        ("target_down", _figures("0", "1"), "10"),
        ("guarded", _figures("0", "0"), "10"),
        ("guarded", _figures("5", "0"), "0"),
        ("survey", _figures("83.5", "400"), "8.35"),
        ("passfail_points", {"pass": True}, "10"),
        ("passfail_points", {"pass": False}, "0"),
        ("grade_table", {"grade": "good", "prior_year": False}, "10"),
        ("grade_table", {"grade": "good", "prior_year": True}, "5"),
        ("bonus", _awards(), "0"),
        ("bonus", _awards(("national", "d1"), ("provincial", "d1")), "6"),
        ("bonus", _awards(("national", "d1"), ("provincial", "d2")), "6.5"),
        ("bonus", _awards(("national", "d1"), ("national", "d2")), "10"),
    ],
)
def test_points(scale: str, value: Any, expected: str) -> None:
    assert evaluate_entry(ITEMS[scale], _mark(value)).points == Decimal(expected)


@pytest.mark.parametrize(
    ("scale", "value", "code"),
    [
        ("points", "7.3", "off_grid"),
        ("points", "10.5", "out_of_range"),
        ("points", "-0.5", "out_of_range"),
        ("points", 7.5, "wrong_shape"),
        ("points", True, "wrong_shape"),
        ("points", "7,5", "wrong_shape"),
        ("points", "７", "wrong_shape"),
        ("points", "1e1", "wrong_shape"),
        ("points", "NaN", "wrong_shape"),
        ("points", None, "wrong_shape"),
        ("points_negative", "-10.5", "out_of_range"),
        ("grade", {"level": "good", "mark": "9"}, "out_of_range"),
        ("grade", {"level": "excellent", "mark": "8.9"}, "out_of_range"),
        ("grade", {"level": "good", "mark": "8.85"}, "off_grid"),
        ("grade", {"level": "splendid", "mark": "9"}, "unknown_choice"),
        ("grade", {"mark": "9"}, "wrong_shape"),
        ("checklist", {"ticks": ["a", "a"]}, "wrong_shape"),
        ("checklist", {"ticks": ["z"]}, "unknown_choice"),
        ("deduct", {"cases": -1}, "wrong_shape"),
        ("deduct", {"cases": 1.5}, "wrong_shape"),
        ("deduct", {"cases": True}, "wrong_shape"),
        ("bands", _figures("9", None), "missing_figure"),
        ("bands", _figures("-1", "10"), "out_of_range"),
        ("bands", _figures("nine", "10"), "wrong_shape"),
        ("bands", {"figures": {"x": "1", "y": "1", "z": "1"}}, "wrong_shape"),
        ("survey", _figures("80", "399"), "sample_too_small"),
        ("survey", _figures("100.1", "400"), "out_of_range"),
        ("passfail", {"pass": "yes"}, "wrong_shape"),
        ("passfail_points", {"pass": 1}, "wrong_shape"),
        ("grade_table", {"grade": "best", "prior_year": False}, "unknown_choice"),
        ("bonus", _awards(("national", " ")), "needs_reason"),
        ("bonus", _awards(("world", "d1")), "unknown_choice"),
    ],
)
def test_refused(scale: str, value: Any, code: str) -> None:
    with pytest.raises(EntryError) as error:
        evaluate_entry(ITEMS[scale], _mark(value))
    assert error.value.code == code
    assert error.value.text.zh and error.value.text.en


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        ("deduct", {"cases": 1}),
        ("checklist_deduct", {"ticks": [], "cases": 1}),
        ("passfail", {"pass": False}),
        ("passfail_points", {"pass": False}),
        ("grade", {"level": "poor", "mark": "3"}),
    ],
)
def test_what_costs_points_needs_a_reason(scale: str, value: Any) -> None:
    with pytest.raises(EntryError) as error:
        evaluate_entry(ITEMS[scale], _mark(value, reason="  "))
    assert error.value.code == "needs_reason"
    evaluate_entry(ITEMS[scale], _mark(value, reason="缺少台账"))


def test_absence_is_a_type_and_never_zero() -> None:
    for entry in (None, {"type": "missing"}, {}):
        with pytest.raises(EntryError) as error:
            evaluate_entry(ITEMS["points"], entry)
        assert error.value.code == "missing"
    with pytest.raises(EntryError) as error:
        evaluate_entry(ITEMS["points"], {"type": "not_applicable", "reason": " "})
    assert error.value.code == "needs_reason"
    excused = evaluate_entry(ITEMS["points"], {"type": "not_applicable", "reason": "无此类用地"})
    assert excused.points is None and excused.outcome == "not_applicable"


def test_a_zero_denominator_can_make_an_item_not_applicable() -> None:
    result = evaluate_entry(ITEMS["target_down"], _mark(_figures("4", "0")))
    assert result.points is None and result.outcome == "not_applicable"


def test_verdicts(instrument: Any) -> None:
    assert evaluate_entry(ITEMS["passfail"], _mark({"pass": True})).outcome == "pass"
    assert evaluate_entry(ITEMS["passfail"], _mark({"pass": False})).outcome == "fail"
    veto = next(
        i for i in instrument("mlr15-qual", is_prefecture=False)["items"] if i["id"] == "Q03"
    )
    with pytest.raises(EntryError) as error:
        evaluate_entry(veto, _mark({"vetoed": True, "vetoes": ["V1"]}))
    assert error.value.code == "needs_evidence"
    given = {**_mark({"vetoed": True, "vetoes": ["V1"]}), "evidence": "测试案卷"}
    assert evaluate_entry(veto, given).outcome == "veto"
    clear = evaluate_entry(veto, {"type": "mark", "value": {"vetoed": False, "vetoes": []}})
    assert clear.outcome == "no_veto"
    for value, code in (
        ({"vetoed": True, "vetoes": []}, "wrong_shape"),
        ({"vetoed": True, "vetoes": ["V9"]}, "unknown_choice"),
    ):
        with pytest.raises(EntryError) as error:
            evaluate_entry(veto, _mark(value))
        assert error.value.code == code
    with pytest.raises(EntryError) as error:
        evaluate_entry(veto, {"type": "not_applicable", "reason": "无"})
    assert error.value.code == "not_applicable_refused"


def test_an_item_of_a_class_cannot_be_entered_alone(instrument: Any) -> None:
    item = next(i for i in instrument("mlr15-desk-I", has_mines=True)["items"] if i["id"] == "A1")
    value = {"figures": {"gdp23_wan": "1", "construction_land_ha": "1"}}
    with pytest.raises(EntryError) as error:
        evaluate_entry(item, _mark(value))
    assert error.value.code == "needs_class"


def test_rounding_has_room_for_every_quotient_of_figures() -> None:
    huge = Decimal("999999999999999") / Decimal("0.000000001")
    assert half_up(huge, 6) == huge
    assert [str(half_up(Decimal(v), 2)) for v in ("2.345", "-2.345", "2.3449")] == [
        "2.35",
        "-2.35",
        "2.34",
    ]
