"""The annex of single sheets: remarks, evidence, photos by hash, sealing and receipt, from what was sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from app.aggregation import operations as aggregation
from app.aggregation.models import Run
from app.documents.pdf import render_pdf
from app.field.models_media import MediaFile
from app.ledger.append import append
from app.report import annex_single, papers
from app.report.source import source
from app.scoring.models import Sheet
from tests.aggregation import builders
from tests.report import reports

SENT, KEPT = "a" * 64, "b" * 64


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return aggregation.run(session, made.office, round=made.round)


def test_remarks_evidence_and_photos_stand_in_the_annex(
    session: Any, made: Any, run: Run, monkeypatch: Any
) -> None:
    report = reports.drafted(session, made, run)
    stored = run.inputs["subjects"][0]["stages"]["desk"]["sheets"]["2"]
    sheet = session.get_one(Sheet, stored["sheet"])
    items = list(sheet.entries)
    sheet.entries = {
        **sheet.entries,
        items[0]: {
            **sheet.entries[items[0]],
            "reason": "基础好😀\n台账全",
            "evidence": "卷三第5页",
        },
        items[1]: {"type": "not_applicable", "reason": "本区没有"},
    }
    sheet.revision, sheet.reason = 2, "把七写成了一"
    session.add(
        MediaFile(
            account_id=made.office.id, sha256=SENT, size=9, mime="image/jpeg", kept_sha256=KEPT,
            kept_size=8, kept_mime="image/jpeg", arrived_at=datetime(2012, 11, 6, tzinfo=UTC),
        )
    )  # fmt: skip
    append(session, None, "test.sheet")
    asked = []

    def photos(_: Any, ids: Any) -> dict[str, Any]:
        asked.append(set(ids))
        return {sheet.id: ((items[0], SENT),)}

    monkeypatch.setattr(annex_single, "attached_to_sheets", photos)
    blocks = annex_single.single_sheets(source(session, report, "zh"))
    assert [len(ids) for ids in asked] == [84] and sheet.id in asked[0]
    lines = [line["text"] for line in blocks[3]["lines"]]
    assert blocks[2]["caption"].zh == "东城区 综合评审评分表"
    said = {line.zh for line in lines}
    (own,) = [line for line in lines if line.zh.startswith(f"席位 2：{items[0]} ")]
    assert f"{items[0]} 基础好〔U+1F600〕 台账全；依据：卷三第5页。" in own.zh
    assert f"{items[0]} 基础好〔U+1F600〕 台账全; evidence: 卷三第5页. " in own.en
    assert f"{items[1]} 不适用；本区没有。" in own.zh
    assert "席位 2：第 2 版，更正理由：把七写成了一" in said
    (facts,) = [b for b in blocks if b["kind"] == "facts"]
    assert [(row["label"].zh, row["value"]["hash"]) for row in facts["rows"]] == [
        (f"席位 2 {items[0]} 照片", SENT), (f"席位 2 {items[0]} 照片，存档件", KEPT),
    ]  # fmt: skip
    # What the fonts lack would keep the paper from being made; the same blocks are printable.
    at = run.made_at
    data = {"title": "附件", "paragraphs": [{"heading": "附件"}, *blocks], "signatures": []}
    assert render_pdf("letter", data, published_at=at) == render_pdf(
        "letter", data, published_at=at
    )


def test_a_sheet_without_words_says_nothing_and_queries_do_not_grow(
    session: Any, made: Any, run: Run, database: Any
) -> None:
    report = reports.drafted(session, made, run)
    for county in run.inputs["subjects"]:
        for part in county["stages"].values():
            for row in part["sheets"].values():
                sheet = session.get_one(Sheet, row["sheet"])
                sheet.entries = {
                    key: {k: v for k, v in entry.items() if k not in ("reason", "evidence")}
                    for key, entry in sheet.entries.items()
                }
    append(session, None, "test.sheets")
    s = source(session, report, "zh")
    blocks = annex_single.single_sheets(s)
    assert {b["kind"] for b in blocks} == {"note", "heading", "table"}
    assert papers.report_data(session, report, "zh")["annexes"][6]["blocks"] == blocks
    found: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    annex_single.single_sheets(s)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(found) <= 5, found  # 84 sheets: revisions, operations, outcomes, words
