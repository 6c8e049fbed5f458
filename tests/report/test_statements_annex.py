"""The annex of statements: receipts and recordings of what the counties said, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from app.aggregation import operations as aggregation
from app.ledger.append import append
from app.panel.models import Statement
from app.panel.models_statement import Recording
from app.report.annex_statements import statements
from app.report.annexes import annexes
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports


def test_each_statement_shows_its_receipt_and_its_recordings(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.drafted(session, made, run)
    rows = list(session.scalars(select(Statement)))
    assert rows, "the round has statements"
    shown = statements(source(session, report, "zh"))
    values = [row["value"] for block in shown if block["kind"] == "facts" for row in block["rows"]]
    assert sum("没有录音，只有文字记录" in str(value) for value in values) == len(rows)
    with_receipt = [row for row in rows if row.receipt]
    for row in with_receipt:
        assert any(
            f"{row.receipt}（账本第 {row.receipt_seq} 条）" == str(value) for value in values
        )
    assert with_receipt
    for n, sha in enumerate(("c" * 64, "d" * 64)):
        session.add(
            Recording(
                statement_id=rows[0].id, origin="uploaded", sha256=sha, manifest=sha, pieces=1,
                size=1, mime="audio/webm", account_id=made.office.id,
                arrived_at=datetime(2012, 11, 12, 1, n, tzinfo=UTC),
            )
        )  # fmt: skip
    append(session, None, "test.recording")
    shown = statements(source(session, report, "zh"))
    hashes = [
        (row["label"].en, row["value"]["hash"])
        for block in shown
        if block["kind"] == "facts"
        for row in block["rows"]
        if isinstance(row["value"], dict)
    ]
    assert hashes == [("Recording 1, SHA-256", "c" * 64), ("Recording 2, SHA-256", "d" * 64)]
    assert shown == statements(source(session, report, "zh"))
    assert annexes(source(session, report, "zh"))[9]["blocks"] == shown
