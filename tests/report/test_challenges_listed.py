"""The report lists what counties asked and what the supervisor decided, members by seat alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from app.aggregation import operations as aggregation
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Challenge, Sitting
from app.report.challenge_sections import challenges
from app.report.outline import sections
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports


def test_challenges_stand_with_their_decisions(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.drafted(session, made, run)
    assert challenges(source(session, report, "zh")) == []
    sitting = session.scalars(select(Sitting).where(Sitting.with_statement)).first()
    seat = panels.seats(session, sitting.panel)[2]
    session.add(
        Challenge(
            sitting_id=sitting.id, seat_id=seat.id, reason="曾任该区规划顾问。",
            raised_at=datetime(2012, 11, 12, 1, tzinfo=UTC), answer="从未任职",
            decision="dismissed", decision_reason="经查并无任职。",
            decided_at=datetime(2012, 11, 12, 2, tzinfo=UTC),
        )
    )  # fmt: skip
    append(session, None, "test.challenge")
    session.flush()
    shown, reasons = challenges(source(session, report, "zh"))
    (row,) = shown["rows"]
    assert [str(cell) for cell in row[:2]] == [sitting.subject.name.zh, f"第 {seat.number} 席"]
    assert (row[3].zh, row[3].en) == ("不同意", "dismissed")
    (line,) = reasons["items"]
    assert "曾任该区规划顾问；专家答复：从未任职；决定理由：经查并无任职。" in line.zh
    for words in ("曾任该区规划顾问", "从未任职", "经查并无任职"):
        assert words in line.zh and words in line.en
    assert seat.expert.person.name not in f"{row} {line.zh}"
    assert shown in sections(source(session, report, "zh"))["site"]
