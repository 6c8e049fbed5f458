"""Sheets: completeness, moved points, negative floors, N/A, bounds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.scoring.expressions import MissingValue
from app.domain.scoring.instrument import FormContext, compile_form, digest
from app.domain.scoring.library import Library, load_library
from app.domain.scoring.scales import Points
from app.domain.scoring.schema import parse_form
from app.domain.scoring.sheets import (
    EVERYONE,
    check_sheet,
    repeated_points,
    sheet_items,
    sheet_points,
)
from app.domain.types import DomainError, Text
from tests.domain.scoring.conftest import SHIPPED
from tests.domain.scoring.invented import full_entry, full_sheet


def given_points(instrument: dict[str, Any], share: str) -> dict[str, Points]:
    """The same share of the maximum for every item that others score."""
    own = {item["id"] for item in sheet_items(instrument)}
    given = {}
    for item in instrument["items"]:
        if item["applies"] and item["id"] not in own:
            top = Decimal(item["max"])
            points = top * Decimal(share)
            given[item["id"]] = Points(points, Decimal(0), top, "points", Text("给定", "given"))
    return given


def test_a_full_sheet_reaches_the_total_with_and_without_mines(instrument: Any) -> None:
    for mines in (True, False):
        form = instrument("mlr15-desk-I", has_mines=mines)
        assert check_sheet(form, full_sheet(form)) == []
        points = sheet_points(form, full_sheet(form), given_points(form, "1"))
        assert points.total == 100 == points.maximum
        assert points.awaiting == ()


def test_without_mines_the_15_points_of_minerals_go_to_land(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=False)
    land, minerals = form["sections"][0], form["sections"][1]
    assert (land["max"], land["effective_max"]) == ("45", "60")
    assert land["moved_in"] == [{"from": "B", "max": "15"}]
    assert (minerals["effective_max"], minerals["applies"]) == ("0", False)
    points = sheet_points(form, full_sheet(form), given_points(form, "0.5"))
    sections = {section.id: section for section in points.sections}
    assert sections["A"].raw == Decimal("22.5")
    assert sections["A"].points == Decimal("30.00")
    assert sections["A"].moved_in == ("B",)
    assert sections["B"].points == 0
    assert points.total == 70


def test_with_mines_nothing_moves(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=True)
    points = sheet_points(form, full_sheet(form), given_points(form, "0.5"))
    assert {s.id: s.points for s in points.sections}["A"] == Decimal("22.5")
    assert {s.id: s.maximum for s in points.sections} == {"A": 45, "B": 15, "C": 20, "D": 20}


def test_an_entry_for_an_item_that_does_not_apply_is_a_problem(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=False)
    entries = {**full_sheet(form), "B3": {"type": "mark", "value": {"level": "poor", "mark": "1"}}}
    assert [(p.item_id, p.code) for p in check_sheet(form, entries)] == [("B3", "does_not_apply")]


def test_a_fact_that_is_not_known_is_asked_for_by_name(library: Library) -> None:
    with pytest.raises(MissingValue) as error:
        compile_form(library.forms["mlr15-desk-I"], FormContext())
    assert error.value.name == "has_mines"


def test_a_negative_item_lowers_the_total(instrument: Any) -> None:
    form = instrument("yfxz-main")
    entries = full_sheet(form)
    given = given_points(form, "1")
    before = sheet_points(form, entries, given).total
    assert before == 100
    entries["Y05"] = {"type": "mark", "value": {"cases": 6}, "reason": "六件未审查"}
    after = sheet_points(form, entries, given)
    assert after.items["Y05"].points == -3
    assert after.total == 94
    assert {s.id: s.points for s in after.sections}["B"] == 9


def test_what_is_missing_is_listed_and_the_total_stays_open(instrument: Any) -> None:
    form = instrument("mlr15-site")
    entries = full_sheet(form)
    del entries["P2"]
    entries["F1"] = {"type": "mark", "value": {"level": "excellent", "mark": "9.55"}}
    entries["G1"] = {"type": "not_applicable", "reason": ""}
    entries["Z9"] = {"type": "missing"}
    found = {(problem.item_id, problem.code) for problem in check_sheet(form, entries)}
    assert found == {
        ("P2", "missing"),
        ("F1", "off_grid"),
        ("G1", "needs_reason"),
        ("Z9", "unknown_item"),
    }
    points = sheet_points(form, entries)
    assert points.total is None
    assert points.awaiting == ("P2", "F1", "G1")
    assert points.marked == 74
    assert {s.id: s.points for s in points.sections}["E"] == 20


def test_an_item_not_applicable_hands_its_points_to_its_section(instrument: Any) -> None:
    form = instrument("mlr15-site")
    entries = full_sheet(form)
    entries["F3"] = {"type": "not_applicable", "reason": "既无矿山也无村镇用地"}
    entries["F2"] = {"type": "mark", "value": {"level": "fair", "mark": "6"}}
    assert check_sheet(form, entries) == []
    points = sheet_points(form, entries)
    section = next(s for s in points.sections if s.id == "F")
    # 26 of 29 points that apply, carried to 35: 31.3793... half up to 2 places.
    assert (section.raw, section.applicable, section.points) == (26, 29, Decimal("31.38"))
    assert points.total == Decimal("96.38")


def test_a_section_with_nothing_left_cannot_be_sealed(instrument: Any) -> None:
    form = instrument("mlr15-site")
    entries = full_sheet(form)
    for item_id in ("G1", "G2"):
        entries[item_id] = {"type": "not_applicable", "reason": "无"}
    assert [(p.item_id, p.code) for p in check_sheet(form, entries)] == [("G", "empty_section")]
    points = sheet_points(form, entries)
    assert points.total is None and points.awaiting == ("G",)


def test_points_of_an_own_item_cannot_be_given_from_outside(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=True)
    given = given_points(form, "1")
    for stray in ("C1", "nowhere"):
        with pytest.raises(DomainError):
            sheet_points(form, full_sheet(form), {**given, stray: given["A1"]})


def test_checks_give_a_verdict_and_no_total(instrument: Any) -> None:
    form = instrument("js22-site")
    entries = full_sheet(form)
    assert sheet_points(form, entries).verdict == "pass"
    assert sheet_points(form, entries).total is None
    entries["K2"] = {"type": "mark", "value": {"pass": False}, "reason": "图斑未整改"}
    assert sheet_points(form, entries).verdict == "fail"
    veto = instrument("mlr15-qual", is_prefecture=False)
    opinions = {i["id"]: full_entry(i) for i in veto["items"] if i["applies"]}
    assert "Q07" not in opinions
    assert sheet_points(veto, opinions, scorer=EVERYONE).verdict == "pass"
    struck = {
        "type": "mark",
        "value": {"vetoed": True, "vetoes": ["V1"]},
        "reason": "查实",
        "evidence": "测试案卷",
    }
    assert sheet_points(veto, {"Q03": struck}, scorer=EVERYONE).verdict == "veto"
    del opinions["Q01"]
    assert sheet_points(veto, opinions, scorer=EVERYONE).verdict is None


def test_bonus_points_add_up_beside_the_total(instrument: Any) -> None:
    form = instrument("js22-bonus")
    award = {"level": "national", "document": "甲文〔2022〕1号"}
    other = {"level": "provincial", "document": "乙文〔2022〕2号"}
    entries = {
        "JB1": {"type": "mark", "value": {"awards": [award]}},
        "JB2": {"type": "mark", "value": {"awards": [other]}},
    }
    assert check_sheet(form, entries) == []
    assert sheet_points(form, entries).total == Decimal("1.5")


def test_a_section_floor_is_reported_beside_the_points(library: Library) -> None:
    text = (SHIPPED / "forms/mlr15-site.yaml").read_text(encoding="utf-8")
    form = compile_form(parse_form(text.replace("max: 15}", "max: 15, min_share: 0.75}")))
    entries = full_sheet(form)
    floor = {s.id: s.meets_floor for s in sheet_points(form, entries).sections}
    assert floor == {"P": None, "E": None, "F": None, "G": True}
    for mark, meets in (("4.3", True), ("4.2", False)):
        # 11.25 of 15 is the floor, inclusive: 7 + 4.3 is above, 7 + 4.2 is below.
        level = "poor"
        entries["G1"] = {"type": "mark", "value": {"level": level, "mark": mark}, "reason": "差"}
        assert {s.id: s.meets_floor for s in sheet_points(form, entries).sections}["G"] is meets


def test_repeated_sub_forms_are_averaged_only_when_all_are_complete(instrument: Any) -> None:
    form = instrument("yfxz-casefile")
    whole = full_sheet(form)
    flawed = {**whole, "Z2": {"type": "mark", "value": {"cases": 2}, "reason": "证据不足"}}
    result = repeated_points(form, [whole, flawed, flawed])
    assert result.totals == (100, 90, 90)
    assert result.mean == Decimal("93.33")
    partial = {key: entry for key, entry in whole.items() if key != "Z1"}
    for sheets in ([whole, partial], []):
        with pytest.raises(DomainError):
            repeated_points(form, sheets)


def test_the_instrument_is_stable_json_without_addresses(library: Library, instrument: Any) -> None:
    first = instrument("mlr15-desk-I", has_mines=True)
    other = instrument("mlr15-desk-I", has_mines=False)
    assert first == json.loads(json.dumps(first))
    assert first["digest"] == digest(first) != other["digest"]
    assert first["form_digest"] == other["form_digest"]
    for form in library.forms.values():
        facts = {fact.name: True for fact in form.facts}
        text = json.dumps(
            compile_form(form, FormContext(facts, library.vetoes_of_form(form.id))),
            ensure_ascii=False,
        )
        assert "http" not in text
        assert "联系人" not in text


_LIBRARY = load_library(SHIPPED)
_SITE = compile_form(_LIBRARY.forms["mlr15-site"])
_RULE = compile_form(_LIBRARY.forms["yfxz-casefile"])


def _any_entry(item: dict[str, Any]) -> st.SearchStrategy[Any]:
    scale = item["scale"]
    excused = st.just({"type": "not_applicable", "reason": "无"})
    if scale["type"] == "grade":
        steps = int(Decimal(item["max"]) / Decimal(scale["step"]))

        def graded(n: int) -> dict[str, Any]:
            mark = n * Decimal(scale["step"])
            level = next(
                row
                for row in scale["levels"]
                if mark >= Decimal(row["low"])
                and (mark < Decimal(row["high"]) or row["high_inclusive"])
            )
            value = {"level": level["id"], "mark": str(mark)}
            return {"type": "mark", "value": value, "reason": "依据"}

        return st.one_of(st.integers(0, steps).map(graded), excused)
    if scale["type"] == "deduct":
        cases = st.integers(0, 30)
        return cases.map(lambda n: {"type": "mark", "value": {"cases": n}, "reason": "依据"})
    return st.integers(1, 20).map(
        lambda n: {"type": "mark", "value": {"figures": {"sample_ok": str(n), "sample_n": "20"}}}
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_total_stays_between_the_sums_of_minima_and_maxima(data: st.DataObject) -> None:
    for form in (_SITE, _RULE):
        entries = {item["id"]: data.draw(_any_entry(item)) for item in sheet_items(form)}
        problems = {problem.code for problem in check_sheet(form, entries)}
        assert problems <= {"empty_section"}
        points = sheet_points(form, entries)
        if problems:
            assert points.total is None
            continue
        lowest = sum(Decimal(item["min"]) for item in form["items"])
        assert points.total is not None
        assert lowest <= points.total <= Decimal(form["total"])
        assert points.total == sum(section.points or 0 for section in points.sections)
