"""Beside the report: its history, its annexes on sheets, and files that no spreadsheet can run."""

from __future__ import annotations

import copy
import csv
import io
import re
import zipfile
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.aggregation import operations as aggregation
from app.aggregation.exports import as_csv, as_xlsx
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.documents.amounts import points_in_words
from app.domain.types import Conflict
from app.ledger import prove
from app.report import bundle, operations, papers
from app.report.history import difference, history
from app.report.working_copy import blocks_of
from app.scoring.models import Sheet
from tests.aggregation import builders
from tests.report import reports

RISKY = "=+-@＝＋－＠\t\r"
PAYLOADS = ("=HYPERLINK(\"http://example.invalid\")", "+1+1", "-2+3", "@SUM(A1)", "＝1+1", "\t=1+1")  # fmt: skip


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return aggregation.run(session, made.office, round=made.round)


def hostile(value: Any, payload: str) -> Any:
    """`value` with every text that a person may have typed replaced by a formula."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            return {"zh": payload, "en": payload}
        return {
            k: payload if k in ("document", "evidence", "level") and v else hostile(v, payload)
            for k, v in value.items()
        }
    return [hostile(v, payload) for v in value] if isinstance(value, list) else value


def hostile_run(run: Run, payload: str) -> Run:
    inputs = hostile(copy.deepcopy(run.inputs), payload)
    for county in inputs["subjects"]:
        county["bonus"] = {
            "points": "1",
            "awards": [
                {"item": payload, "title": {"zh": payload, "en": payload}, "level": payload,
                 "points": "1", "counted": True, "document": payload, "sha256": "0" * 64,
                 "evidence": payload}
            ],
        }  # fmt: skip
    results = copy.deepcopy(run.results)
    for score in results["scores"]["subjects"].values():
        score["reason"] = {"zh": payload, "en": payload}
        for step in score["steps"]:
            step["text"] = {"zh": payload, "en": payload}
    return Run(
        round=run.round, number=1, rule=run.rule, rule_digest=run.rule_digest, inputs=inputs,
        inputs_digest=run.inputs_digest, results=results, results_digest=run.results_digest,
        note="", made_at=run.made_at,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_text_of_an_export_becomes_a_formula(session: Any, run: Run, language: str) -> None:
    for payload in PAYLOADS:
        with session.no_autoflush:
            bad = hostile_run(run, payload)
            session.expunge(bad) if bad in session else None
            book = zipfile.ZipFile(io.BytesIO(as_xlsx(Reading(bad), language)))
            pages = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
            assert len(pages) >= 5
            for name in pages:
                text = book.read(name).decode()
                assert not re.search(r"<f[ >]", text), (payload, name)
                assert "hyperlink" not in text
            shown = book.read("xl/sharedStrings.xml").decode()
            assert payload.strip().replace('"', "&quot;") in shown or payload.strip() in shown
            files = (
                as_csv(Reading(bad), language),
                bundle.counties_csv(bad),
                bundle.marks_csv(bad),
            )
            for data in files:
                rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
                for cell in (c for row in rows for c in row if c):
                    number = re.fullmatch(r"-?\d+(\.\d+)?", cell)
                    assert number or cell.lstrip()[0] not in RISKY, (payload, cell)
            # Led by an apostrophe, and nothing of the text is lost.
            assert all(f"'{payload}".encode() in d.replace(b'""', b'"') for d in files[:2])


def test_every_save_is_kept_with_what_it_changed(session: Any, made: Any, run: Run) -> None:
    report = reports.drafted(session, made, run)
    (expert, leader), office = made.experts[0], made.office
    assert [s.key for s in history(session, report)] == ["conclusion", "problems", "achievements"]
    operations.save_section(
        session, leader, report=report, key="conclusion", version=report.version,
        text="建议将Ⅰ类前三名推荐参加全国评选。",
    )  # fmt: skip
    last = history(session, report)[0]
    assert (last.version, last.key, last.carried) == (report.version, "conclusion", False)
    assert [p for p in last.parts if p[0] != "same"] == [
        ("gone", "两名、Ⅱ类第一"), ("added", "三"),
    ]  # fmt: skip
    assert "号" in last.by.zh and expert.person.name not in last.by.zh
    assert last.at == max(s.at for s in history(session, report))
    assert prove.verify(session, session.info["keys"]).ok
    operations.submit_for_signing(session, office, report=report)
    before = len(history(session, report)), dict(report.sections)
    for state in ("signing", "closed", "final"):
        with pytest.raises(Conflict):
            operations.save_section(
                session, leader, report=report, key="conclusion", text="改", version=report.version
            )
        if state == "signing":
            for _, viewer in made.experts:
                operations.sign(
                    session, viewer, report=report, state="signed", signed_name=viewer.name
                )
            operations.close_signing(session, office, report=report)
        elif state == "closed":
            operations.finish(session, office, report=report)
    for again in (operations.submit_for_signing,):
        with pytest.raises(Conflict):
            again(session, office, report=report)
    assert (len(history(session, report)), dict(report.sections)) == before


def test_a_difference_goes_by_word_and_by_hanzi() -> None:
    assert difference("", "") == ()
    assert difference("", "甲") == (("added", "甲"),)
    assert difference("two words", "two good words") == (
        ("same", "two "), ("added", "good "), ("same", "words"),
    )  # fmt: skip
    assert difference("甲乙丙", "甲丙") == (("same", "甲"), ("gone", "乙"), ("same", "丙"))


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("0", "零分", "zero"),
        ("54.22", "伍拾肆点贰贰分", "fifty-four point two two"),
        ("100", "壹佰分", "one hundred"),
        ("105.50", "壹佰零伍点伍零分", "one hundred and five point five zero"),
        ("10", "壹拾分", "ten"),
        ("3008.1", "叁仟零捌点壹分", "three thousand and eight point one"),
        ("1040", "壹仟零肆拾分", "one thousand and forty"),
        ("-7.5", "负柒点伍分", "minus seven point five"),
    ],
)
def test_points_in_words(value: str, zh: str, en: str) -> None:
    said = points_in_words(Decimal(value))
    assert (said.zh, said.en) == (zh, en)


def test_points_out_of_range_are_refused() -> None:
    for value in ("10000", "NaN", "Infinity"):
        with pytest.raises(ValueError, match="."):
            points_in_words(Decimal(value))


def test_the_annexes_hold_sheets_declarations_and_coefficients(
    session: Any, made: Any, run: Run
) -> None:
    report = reports.drafted(session, made, run)
    data = papers.report_data(session, report, "zh")
    titles = [annex["title"].zh for annex in data["annexes"]]
    assert titles[6:] == [
        "各专家评分表",
        "承诺书",
        "一致性系数",
        "现场陈述",
        "名次的把握",
        "汇总后的更正",
    ]
    (declared,) = data["annexes"][7]["blocks"]
    sheets = [b for b in data["annexes"][6]["blocks"] if b["kind"] == "table"]
    rows = [row for block in sheets for row in block["rows"]]
    assert (len(sheets), len(rows)) == (12, 84)
    assert sum(row[3].zh == "去掉" for row in rows) == 24
    seat, total, words, counted, sealed, receipt = sheets[0]["rows"][0]
    stored = run.inputs["subjects"][0]["stages"]["desk"]["sheets"][seat]
    assert sheets[0]["caption"].zh == "东城区 综合评审评分表"
    assert (total, receipt) == (stored["total"], stored["receipt"])
    assert words == points_in_words(Decimal(stored["total"])) and counted.zh == "计入"
    at = session.get_one(Sheet, stored["sheet"]).sealed_at.astimezone(ZoneInfo("Asia/Shanghai"))
    assert sealed == f"{at:%Y-%m-%d %H:%M}"
    lines = [b for b in data["annexes"][6]["blocks"] if b["kind"] == "arithmetic"]
    assert len(lines) == 12 and lines[0]["lines"][0]["text"].zh == (
        "席位 1：A3 测试依据。A5 测试依据。C1 测试依据。C3 测试依据。C4 测试依据。C5 测试依据。"
        "D1 测试依据。D2 测试依据。D3 测试依据。D4 测试依据。D5 测试依据"
    )
    assert len(declared["rows"]) == 14
    assert all("年" in str(cell) for row in declared["rows"] for cell in row[2:])
    desk = data["annexes"][8]["blocks"][0]
    found = {row[0].zh: row[1] for row in desk["rows"]}
    stored_icc = run.results["agreement"][0]["icc"]["ICC(A,k)"]["value"]
    assert found["ICC(A,k)"] == format(Decimal(stored_icc).quantize(Decimal("0.0001")), "f")
    assert {"α（定序）", "AC2（二次权重）", "Kendall W"} <= set(found)
    items = data["annexes"][3]["blocks"][1]
    struck = {
        rater
        for item in items["items"]
        for rater, mark in zip(items["raters"], item["marks"], strict=True)
        if mark.get("dropped")
    }
    unit = run.results["scores"]["subjects"]["110101"]["stages"]["desk"]["unit"]
    assert {rater.zh for rater in struck} == {f"专家{n}" for n in unit["dropped"]}


def test_the_working_copy_holds_the_same_blocks_as_the_paper(
    session: Any, made: Any, run: Run
) -> None:
    data = papers.report_data(session, reports.drafted(session, made, run), "zh")
    blocks = blocks_of(data)
    inside = [b for part in data["sections"].values() for b in part]
    inside += [b for annex in data["annexes"] for b in annex["blocks"]]
    kept = [b for b in blocks if any(b is other for other in inside)]
    assert kept == inside and len(inside) > 40
    heads = [b["text"].zh for b in blocks if b["kind"] == "heading" and b["level"] == 1]
    assert heads[0] == "一、基本情况" and heads[9] == "十、不同意见" and heads[-1] == "签字与核验"
    assert heads[10:-1] == [f"附件 {n}　{a['title'].zh}" for n, a in enumerate(data["annexes"], 1)]
