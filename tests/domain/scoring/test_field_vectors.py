"""The file that server and tablet share says what Python says, byte for byte, and covers what it must.

The other half, the tablet's evaluators in a real browser, is tests/browser/test_browser_field_evaluator.py.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

import pytest

from tests.vectors.field import make

SHA256 = "d33b3961b60c5a247ebfad0a88a2e864cc199acf0581d68e7d125743d7cbc4e5"
SCALES = {
    "points", "grade", "checklist", "deduct", "checklist_deduct", "bands", "formula", "survey",
    "passfail", "passfail_points", "veto", "grade_table", "bonus",
}  # fmt: skip
CODES = {
    "missing", "needs_reason", "needs_evidence", "off_grid", "out_of_range", "wrong_shape", "unknown_choice",
    "not_applicable_refused", "does_not_apply", "missing_figure", "sample_too_small", "needs_class",
}  # fmt: skip


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    return json.loads(make.FILE.read_text("utf-8"))


def test_the_file_is_frozen() -> None:
    assert hashlib.sha256(make.FILE.read_bytes()).hexdigest() == SHA256


def test_python_says_today_what_the_file_says() -> None:
    made, kept = make.text().splitlines(), make.FILE.read_text("utf-8").splitlines()
    changed = [new[:300] for new, old in zip(made, kept, strict=False) if new != old]
    assert changed[:3] == []
    assert len(made) == len(kept)


def test_every_scale_and_every_refusal_is_covered(vectors: dict[str, Any]) -> None:
    cases = vectors["cases"]
    assert len(cases) >= 1500
    scale_of = [
        {i["id"]: i["scale"]["type"] for i in form["items"]} for form in vectors["instruments"]
    ]
    good: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for case in cases:
        if case["kind"] == "sheet":
            codes.update(code for _, code in case["says"]["problems"])
        elif case["kind"] in ("fields", "entry"):
            if "code" in case["says"]:
                codes[case["says"]["code"]] += 1
            elif case["says"]["outcome"] != "not_applicable":
                good[scale_of[case["i"]][case["item"]]] += 1
    assert {scale for scale, count in good.items() if count >= 4} == SCALES
    assert {code for code, count in codes.items() if count >= 4} >= CODES | {
        "unknown_item",
        "empty_section",
    }


def test_sheets_with_moved_points_floors_and_verdicts_are_covered(vectors: dict[str, Any]) -> None:
    sheets = [case["says"] for case in vectors["cases"] if case["kind"] == "sheet"]
    sections = [row for sheet in sheets for row in sheet["sections"]]
    assert any(row[5] and row[4] is not None for row in sections)
    assert {row[6] for row in sections} == {True, False, None}
    assert {sheet["verdict"] for sheet in sheets} == {"pass", "fail", "veto", None}
    assert any(sheet["total"] is not None and not sheet["awaiting"] for sheet in sheets)
    assert any(
        points["points"] and points["points"].startswith("-")
        for s in sheets
        for points in s["items"].values()
    )
    assert any(case["kind"] == "mean" and case["says"] for case in vectors["cases"])
