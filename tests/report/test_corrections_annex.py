"""Corrections after totals in the paper, the workbook and the page: who, why, and both values."""

from __future__ import annotations

import copy
import io
from typing import Any

import openpyxl
import pytest

from app.aggregation import corrections
from app.aggregation import operations as aggregation
from app.aggregation.corrected import changed_values, corrected_until
from app.aggregation.exports import as_xlsx
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.report import annex_corrections
from app.report.source import source
from tests.aggregation import builders
from tests.aggregation.test_holds_corrections import change
from tests.report import reports
from tests.report.test_rank_annex import said, tables

REASON = "签到表登记有误😀"


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return aggregation.run(session, made.office, round=made.round)


@pytest.fixture
def second(session: Any, made: builders.Scored, run: Run) -> Run:
    change(session, made, "丰台区")
    row = corrections.ask(
        session, made.office, round=made.round, subject_id=made.subjects["丰台区"].id,
        cause="adding", reason=REASON,
    )  # fmt: skip
    corrections.confirm(session, made.second, row=row)
    return aggregation.run(session, made.office, round=made.round, note="核对后重新汇总")


def county(run: Run) -> dict[str, Any]:
    return next(row for row in run.inputs["subjects"] if row["name"]["zh"] == "丰台区")


def test_the_annex_names_both_people_and_both_values(
    session: Any, made: Any, run: Run, second: Run
) -> None:
    report = reports.drafted(session, made, second)
    for lang in ("zh", "en"):
        blocks = annex_corrections.corrections_after_totals(source(session, report, lang))
        assert [b["kind"] for b in blocks] == ["list", "table", "table", "note"]
    (again,) = blocks[0]["items"]
    assert again.zh.startswith("第 2 次汇总（") and again.zh.endswith("：核对后重新汇总")
    assert "Run 2 (" in again.en
    (who,) = tables(blocks)["更正及确认人"]
    assert who[:3] == ["2", "丰台区", "登记、汇总差错"]
    # A character that no font has is printed by its number: what is on record keeps no paper from being made.
    assert who[3] == "签到表登记有误〔U+1F600〕"
    assert who[4].startswith(f"{made.office.name}\n") and who[5].startswith(f"{made.second.name}\n")
    old, new = county(run), county(second)
    sheets = old["stages"]["desk"]["sheets"]
    (label,) = [
        k for k, v in new["stages"]["desk"]["sheets"].items() if v["total"] != sheets[k]["total"]
    ]
    was, now = (r.results["scores"]["subjects"][old["id"]] for r in (run, second))
    assert was["total"] != now["total"]
    values = tables(blocks)["更正前后的数值"]
    assert values[0] == [
        "2", "丰台区", f"综合评审 专家 {label} 评分表总分",
        sheets[label]["total"], "缺席",
    ]  # fmt: skip
    assert ["2", "丰台区", "综合得分", was["total"], now["total"]] in values
    assert said(blocks[3]["text"]).startswith("依据：财政部令第87号")


def test_items_values_and_adjustments_have_both_values(run: Run) -> None:
    after = Run(number=2, inputs=copy.deepcopy(run.inputs), results=copy.deepcopy(run.results))
    row = next(r for r in after.inputs["subjects"] if r["name"]["zh"] == "丰台区")
    code, desk = row["id"], row["stages"]["desk"]
    assert list(changed_values(run, after, code)) == []
    computed = next(i for i in desk["items"] if i["computed"])
    own = next(i for i in desk["items"] if not i["computed"])
    label, sheet = next((k, v) for k, v in desk["sheets"].items() if v["total"] is not None)
    desk["computed"][computed["id"]]["points"] = "1.23"
    sheet["items"][own["id"]], sheet["total"] = "0.5", "61.5"
    row["adjust"] = "1"
    after.results["scores"]["subjects"][code]["rank"] = 9
    found = [(c.where.en, c.new.en) for c in changed_values(run, after, code)]
    assert [new for _, new in found] == ["1.23", "0.5", "61.5", "1", "9"]
    assert found[0][0].endswith("(for every expert)") and computed["id"] in found[0][0]
    assert own["id"] in found[1][0] and f"expert {label}" in found[1][0]
    assert "sheet total" in found[2][0] and [w for w, _ in found[3:]] == ["adjustment", "rank"]


def test_the_first_run_and_a_run_without_corrections_say_so(
    session: Any, made: Any, run: Run
) -> None:
    report = reports.drafted(session, made, run)
    (only,) = annex_corrections.corrections_after_totals(source(session, report, "zh"))
    assert said(only["text"]) == "本报告依据首次汇总；汇总后没有更正任何分数。"
    assert corrected_until(session, run) == []
    made.subjects["海淀区"].status = "vetoed"
    aggregation.append(session, None, "test.veto")
    later = aggregation.run(session, made.office, round=made.round, note="核对后重新汇总")
    report = reports.drafted(session, made, later)
    blocks = annex_corrections.corrections_after_totals(source(session, report, "zh"))
    assert [b["kind"] for b in blocks] == ["list", "paragraph"]
    assert said(blocks[1]["text"]) == "重新汇总没有更正任何分数或数据。"


def test_the_workbook_has_a_sheet_of_them(session: Any, run: Run, second: Run, made: Any) -> None:
    found = corrected_until(session, second)
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(Reading(second), "zh", found)))
    head, first, *_ = book["汇总后的更正 Corrections"].iter_rows(values_only=True)
    assert head[4] == "理由 Reason" and first[1:4] == ("丰台区", 2, "登记、汇总差错")
    assert first[5:7] == (made.office.name, made.second.name) and first[9] == "缺席"
    names = openpyxl.load_workbook(io.BytesIO(as_xlsx(Reading(run), "zh"))).sheetnames
    assert not any("更正" in name for name in names)
