"""The workbook of a run says what others gave, every bonus with its document, and the site votes."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from app.aggregation.exports import as_xlsx
from app.aggregation.reading import Reading
from tests.schemes import builders
from tests.schemes.builders import document, give, sit
from tests.schemes.test_site_check import failing


def rows_of(book: Any, sheet: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in book[sheet].iter_rows(values_only=True)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_workbook_with_bonuses_given_marks_and_a_check(
    jiangsu: builders.Small, monkeypatch: Any, language: str
) -> None:
    first, second = jiangsu.subjects
    paper = document(jiangsu, 0, "表扬.pdf")
    give(
        jiangsu, 0, "bonus", "JB1", {"level.national": [paper], "level.provincial": [paper]},
        evidence="测试文号1",
    )  # fmt: skip
    sit(jiangsu, monkeypatch, "site", failing(1, 2, 3), only=(first,))
    reading = Reading(jiangsu.run())
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(reading, language)))
    zh = language == "zh"
    given = rows_of(book, "他方评定 Given by others")
    by_place = {(r[0], r[3]): r for r in given[1:]}
    assert set(by_place) == {(s.region_code, i) for s in (first, second) for i in ("J12", "J13")}
    assert (by_place[first.region_code, "J12"][5], by_place[first.region_code, "J12"][7]) == (7, 5)
    assert by_place[second.region_code, "J13"][7] == 5
    assert given[0][6] == "评定方 Given by"
    head, *awards = rows_of(book, "加分 Bonuses")
    assert head[8] == "文件 Document"
    sha = reading.bonuses()[0].awards[0].sha256
    assert [(r[0], float(r[2]), r[3], float(r[6]), r[8], r[9], r[10]) for r in awards] == [
        (first.region_code, 1.0, "JB1", 1.0, "表扬.pdf", sha, "测试文号1"),
        (first.region_code, 1.0, "JB1", 0.5, "表扬.pdf", sha, "测试文号1"),
    ]
    assert [r[7] for r in awards] == (
        ["计入", "同一文件只计一次"] if zh else ["yes", "a document counts once"]
    )
    votes = rows_of(book, "实地查验 Checks on site")[1:]
    failed, passed = ("未通过", "通过") if zh else ("failed", "passed")
    assert [(r[2], r[3]) for r in votes] == [
        (1, failed), (2, failed), (3, failed), (4, passed), (5, passed),
    ]  # fmt: skip
    assert votes[0][4] == "K2 图斑未整改" and votes[4][4] is None
    results = {r[2]: r for r in rows_of(book, "结果 Results")[1:]}
    assert float(results[first.region_code][6]) == 91.75
    assert ("取消资格" if zh else "disqualified") in results[first.region_code][-1]


def test_a_round_without_them_has_no_such_sheets(jiangsu: builders.Small) -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(Reading(jiangsu.run()), "zh")))
    names = [name.split()[0] for name in book.sheetnames]
    assert "加分" not in names and "实地查验" not in names and "他方评定" in names
