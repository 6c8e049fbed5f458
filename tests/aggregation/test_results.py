"""Runs over made-up inputs: two panels of one stage, a survey value, an endless mean."""

from __future__ import annotations

from typing import Any

from app.aggregation.reading import Reading
from app.aggregation.results import compute, differences, exact
from app.domain.statistics.agreement import agreement
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
                "kind": "panel", "panel": panel, "sitting": code, "form": "one", "maximum": "100",
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


OWN = {  # what five experts judge: hardly alike from one county to the next
    "610822": ["20", "11", "17", "14", "12"],
    "610823": ["12", "19", "13", "16", "15"],
    "610824": ["15", "13", "20", "11", "17"],
    "610825": ["16", "18", "12", "19", "11"],
}
COMPUTED = {"610822": 20, "610823": 45, "610824": 60, "610825": 75}  # the same on every sheet


def with_computed(second_form: str = "one") -> dict[str, Any]:
    made = inputs()
    made["stages"][0]["panels"] = [{"id": "p1", "code": "P1"}]
    made["subjects"] = []
    for code, marks in OWN.items():
        row = county(code, "P1", [str(COMPUTED[code] + int(mark)) for mark in marks], "80")
        part = row["stages"]["desk"]
        part["items"] = [
            {"id": "A", "title": {"zh": "甲", "en": "A"}, "max": "20", "computed": False},
            {"id": "F", "title": {"zh": "乙", "en": "F"}, "max": "80", "computed": True},
        ]
        for each, mark in zip(part["sheets"].values(), marks, strict=True):
            each["items"] = {"A": mark, "F": str(COMPUTED[code])}
        made["subjects"].append(row)
    made["subjects"][-1]["stages"]["desk"]["form"] = second_form
    return made


def test_agreement_is_on_own_marks_where_items_are_computed_alike() -> None:
    rows = [[float(mark) for mark in marks] for marks in OWN.values()]
    totals = [[COMPUTED[code] + float(m) for m in marks] for code, marks in OWN.items()]
    low = agreement(rows).icc["ICC(A,1)"].value
    high = agreement(totals).icc["ICC(A,1)"].value
    assert high is not None and high > 0.9 and low is not None and low < 0.2
    stored = Stored(with_computed())
    (entry,) = stored.results["agreement"]
    assert (entry["basis"], entry["forms"]) == ("own", 1)
    assert entry["icc"]["ICC(A,1)"]["value"] == f"{low:.6f}"
    assert entry["sem"] == f"{agreement(rows).icc_result.sem:.6f}"  # type: ignore[union-attr]
    reading = Reading(stored)  # type: ignore[arg-type]
    assert [[str(m.value) for m in row.marks] for row in reading.own_rows("desk", "P1")] == list(
        OWN.values()
    )
    assert {row.maximum for row in reading.own_rows("desk", "P1")} == {"20"}
    assert [text.en for text in reading.agreement()[0].basis] == [
        "Agreement is computed on the items that experts judge, without the computed ones."
    ]


def test_without_computed_items_the_totals_are_the_own_marks() -> None:
    stored = Stored(inputs())
    assert [e["basis"] for e in stored.results["agreement"]] == ["total", "total"]
    reading = Reading(stored)  # type: ignore[arg-type]
    assert reading.own_rows("desk", "P1") == [] and reading.agreement()[0].basis == ()


def test_two_forms_in_one_panel_are_said_beside_the_coefficient() -> None:
    reading = Reading(Stored(with_computed("two")))  # type: ignore[arg-type]
    assert [text.zh for text in reading.agreement()[0].basis][1:] == [
        "两类地区使用不同评分表，一致性合并计算。"
    ]


def test_the_customary_limit_says_what_it_is_a_share_of() -> None:
    def said(made: dict[str, Any]) -> list[str]:
        flags = compute(RULE, made)["flags"]
        return [flag["text"]["zh"] for flag in flags if flag["rule"] == "deviation"]

    plain = said(inputs("40"))
    assert plain and all(s.endswith("须书面说明。（按评分表总分计。）") for s in plain)
    made = with_computed()
    first = made["subjects"][0]["stages"]["desk"]["sheets"]["P1-1"]
    first["total"], first["items"]["A"] = "60", "40"
    mixed = said(made)
    assert mixed and all(s.endswith("（按评分表总分计，含统一计算的指标。）") for s in mixed)
