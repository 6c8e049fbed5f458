"""The annex on how sure the ranks are: the figures of the diagnostics pages, kept, alike in every print."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.aggregation import operations as aggregation
from app.aggregation.diagnostics_queries import diagnosis_of, names_of_raters
from app.aggregation.diagnostics_words import severity_words
from app.aggregation.models import Run
from app.documents.charts_ranks import percent
from app.ledger.append import append
from app.report import annex_ranks, certainty, operations, papers
from app.report.models import RankFigures
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return aggregation.run(session, made.office, round=made.round)


def said(value: Any) -> str:
    if isinstance(value, dict):
        return said(value["text"])
    return getattr(value, "zh", value)


def tables(blocks: list[Any]) -> dict[str, list[list[str]]]:
    found = (b for b in blocks if b["kind"] == "table")
    return {said(b["caption"]): [[said(c) for c in row] for row in b["rows"]] for b in found}


def test_the_annex_has_the_figures_of_the_pages(session: Any, made: Any, run: Run) -> None:
    report = reports.drafted(session, made, run)
    looked = diagnosis_of(session, run)
    found = looked.certainty(looked.cut())
    stored = certainty.figures(session, run)
    # What is kept is JSON, and reads back as the very figures of the page.
    again = certainty.restored(looked.reading, json.loads(json.dumps(stored)))
    assert again.rows == found.rows and again.cut == found.cut  # type: ignore[union-attr]
    assert again.left_out == found.left_out and again.others == found.others  # type: ignore[union-attr]
    blocks = papers.report_data(session, report, "zh")["annexes"][10]["blocks"]
    rows = tables(blocks)["逐个区县的名次把握"]
    assert len(rows) == len(found.rows) == 6
    for cells, row in zip(rows, found.rows, strict=True):
        low, high = row.place.interval or (0, 0)
        assert row.chance is not None and row.weights is not None
        assert cells[0] == row.place.name.zh and cells[2:4] == [
            row.place.rank,
            str(row.place.total),
        ]
        assert cells[4] == (str(low) if low == high else f"{low}–{high}")
        assert cells[5] == percent(row.chance)
        assert cells[6] == {"in": "稳入", "borderline": "临界", "out": "稳出"}[row.standing or ""]
        assert cells[7].startswith(percent(row.weights))
    (groups,) = [b for b in blocks if b["kind"] == "facts"]
    for line, standing in zip(groups["rows"], ("in", "borderline", "out"), strict=True):
        inside = found.standing(standing)  # type: ignore[arg-type]
        assert line["value"].zh.startswith(f"{len(inside)} 个")
        assert all(row.place.name.zh in line["value"].zh for row in inside)
    rules = tables(blocks)["换一种规则（试算，正式规则不变）"]
    assert [r[0] for r in rules] == [
        "算术平均（不去分）", "中位数", "按评分表去极值", "按指标去极值", "缩尾均值", "稳健均值（算法 A）",
    ]  # fmt: skip
    charts = [b["svg"] for b in blocks if b["kind"] == "chart"]
    assert len(charts) == 3
    # One cut line a class under the last county that it lets in, none where the class ends with it.
    red = re.findall(r'<line x1="8" [^>]*stroke="#a11212"', charts[0])
    groups_of = [row.place.group for row in found.rows]
    inside_of = [int((row.place.rank or "0").rstrip("=")) <= found.cut.top for row in found.rows]
    edges = sum(
        inside_of[n] and n + 1 < 6 and (not inside_of[n + 1] or groups_of[n] != groups_of[n + 1])
        for n in range(6)
    )
    assert len(red) == edges > 0


def test_only_the_supervisors_edition_names_who_is_pivotal(
    session: Any, made: Any, run: Run
) -> None:
    report = reports.drafted(session, made, run)
    looked = diagnosis_of(session, run)
    stored = certainty.figures(session, run)
    first = stored["left_out"][0]
    for one in stored["left_out"]:
        one["into"], one["out"] = [], []
    first["into"], first["out"] = ["110108"], ["110101"]  # exactly one pivotal expert
    session.add(RankFigures(report_id=report.id, figures=stored))
    append(session, None, "test.figures")
    names = names_of_raters(session, looked.raters)
    rater = next(r for r in looked.raters if r.key == first["rater"])
    texts = {}
    for overseer in (False, True):
        s = source(session, report, "zh", overseer)
        blocks = annex_ranks.rank_certainty(s)
        texts[overseer] = json.dumps(blocks, ensure_ascii=False, default=str)
        assert ("关键专家" in tables(blocks)) is overseer
        assert ("宽严校正" in texts[overseer]) is overseer
    assert f"{len(stored['left_out'])} 位专家中有 1 位是关键专家" in texts[False]
    assert names[rater.key] in texts[True] and rater.title.zh in texts[True]
    assert names[rater.key] not in texts[False] and rater.title.zh not in texts[False]
    data = papers.report_data(session, report, "zh", overseer=True)
    assert "监督人员用本" in data["edition"].zh
    plain = papers.report_data(session, report, "zh")
    assert "edition" not in plain and len(plain["annexes"]) == 12
    # Severity and Mandel's bars are in that edition alone, by seat.
    marking = data["annexes"][12]
    assert marking["title"].zh == "专家评分特征"
    drawn = [said(b["caption"]) for b in marking["blocks"] if b["kind"] == "chart"]
    for stage in ("综合评审", "实地考核"):
        assert [c.split("：")[1][:4] for c in drawn if c.startswith(stage)] == [
            "各专家宽",
            "曼德尔 ",
            "曼德尔 ",
        ]
    (shown,) = looked.all_raters()[0].raters[:1]
    first_row = tables(marking["blocks"])["综合评审：各专家"][0]
    assert first_row[:2] == [shown[1], str(shown[2].subjects)]
    assert first_row[2] == severity_words(shown[2].severity).zh
    assert not any(
        name in json.dumps(marking, ensure_ascii=False, default=str) for name in names.values()
    )


def test_the_figures_are_kept_when_the_report_goes_to_signing(
    session: Any, made: Any, run: Run, monkeypatch: Any
) -> None:
    report = reports.drafted(session, made, run)
    assert session.query(RankFigures).count() == 0
    operations.submit_for_signing(session, made.office, report=report)
    kept = session.query(RankFigures).one()
    assert kept.report_id == report.id and kept.figures == certainty.figures(session, run)
    before = annex_ranks.rank_certainty(source(session, report, "zh"))
    # Another library, another day: what was kept is what is printed.
    monkeypatch.setattr(certainty, "diagnosis_of", lambda *_: 1 / 0)
    assert annex_ranks.rank_certainty(source(session, report, "zh")) == before


def test_a_run_that_does_not_come_out_again_says_so(
    session: Any, made: Any, run: Run, monkeypatch: Any
) -> None:
    report = reports.drafted(session, made, run)
    code = next(iter(run.results["scores"]["subjects"]))
    monkeypatch.setitem(run.results["scores"]["subjects"][code], "total", "1.00")
    (only,) = annex_ranks.rank_certainty(source(session, report, "zh"))
    assert only["text"].zh.startswith("存储的得分或名次无法由存储的输入重新算出")
