"""Runs over made-up inputs: two panels of one stage, a survey value, an endless mean."""

from __future__ import annotations

from typing import Any

from app.aggregation.reading import Reading
from app.aggregation.results import compute, differences, exact
from app.domain.statistics.rule import ScoreRule


def sheet(number: int, total: str) -> dict[str, Any]:
    return {
        "state": "submitted", "total": total, "items": {"A": total}, "not_applicable": [],
        "carried": {}, "reason": None, "sheet": "s", "revision": 1, "seat": number,
        "seat_id": f"seat{number}", "receipt": None, "instrument": "i",
    }  # fmt: skip


def county(code: str, panel: str, totals: list[str], survey: str) -> dict[str, Any]:
    sheets = {f"{panel}-{n}": sheet(n, total) for n, total in enumerate(totals, 1)}
    item = {"id": "A", "title": {"zh": "甲", "en": "A"}, "max": "100", "computed": False}
    return {
        "id": code, "subject": code, "name": {"zh": f"测试{code}", "en": f"Test {code}"},
        "group": None, "status": "qualified", "vetoed": False, "veto_reason": None, "adjust": "0",
        "stages": {
            "desk": {
                "kind": "panel", "panel": panel, "sitting": code, "maximum": "100",
                "items": [item], "computed": {}, "sheets": sheets,
            },
            "survey": {"kind": "value", "value": survey},
        },
    }  # fmt: skip


RULE = ScoreRule.parse({"modules": {"desk": "0.9", "survey": "0.1"}})


class Stored:
    """What `Reading` needs of a run."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        self.inputs = inputs
        self.results = {**compute(RULE, inputs), "changes": []}
        self.rule = RULE.to_json()


def inputs(first: str = "80") -> dict[str, Any]:
    return {
        "stages": [
            {
                "id": "desk", "kind": "panel", "title": {"zh": "评审", "en": "Desk"},
                "weight": "0.9", "panels": [{"id": "x", "code": "P1"}, {"id": "y", "code": "P2"}],
            },
            {
                "id": "survey", "kind": "value", "title": {"zh": "测评", "en": "Survey"},
                "weight": "0.1", "panels": [],
            },
        ],
        "subjects": [
            county("610822", "P1", [first, "81", "82", "83", "90"], "70"),
            county("610823", "P1", ["60", "61", "62.5", "63", "70"], "75.5"),
            county("610824", "P2", ["71", "72", "73", "74", "75"], "80"),
            county("610825", "P2", ["71", "72", "74", "74", "75"], "80"),
        ],
        "withdrawn": [],
        "uncounted": [],
    }  # fmt: skip


def test_each_panel_has_its_own_agreement_and_table() -> None:
    reading = Reading(Stored(inputs()))  # type: ignore[arg-type]
    assert [(a.title.zh, a.n, a.k) for a in reading.agreement()] == [
        ("评审（P1）", 2, 5), ("评审（P2）", 2, 5),
    ]  # fmt: skip
    assert reading.raters("desk", "P2") == ["P2-1", "P2-2", "P2-3", "P2-4", "P2-5"]
    assert [row.id for row in reading.rows("desk", "P1")] == ["610822", "610823"]


def test_an_endless_mean_is_shown_as_such_and_never_rounded_before_the_total() -> None:
    reading = Reading(Stored(inputs()))  # type: ignore[arg-type]
    row = reading.rows("desk", "P2")[1]
    assert (row.present, row.counted, row.value) == (5, 3, "73.333333…")
    place = next(p for p in reading.ranking() if p.id == "610825")
    assert str(place.total) == "74.00"  # 220/3 x 0.9 + 8 exactly
    assert place.stages == ("73.333333…", "80.00")


def test_differences_name_the_sheet_the_total_and_the_rank() -> None:
    old, new = inputs(), inputs("60")
    before, after = compute(RULE, old), compute(RULE, new)
    lines = [text.zh for text in differences(old, before, new, after)]
    assert lines == [
        "测试610822 评审 专家 P1-1：80（第 1 版） → 60（第 1 版）"
    ]  # dropped either way
    new = inputs("82.5")
    lines = [text.zh for text in differences(old, before, new, compute(RULE, new))]
    assert lines[1:] == ["测试610822 总分：80.80 → 81.25"]


def test_no_float_is_kept() -> None:
    assert exact({"a": [1.0, None, 2, "x"]}) == {"a": ["1.000000", None, 2, "x"]}
