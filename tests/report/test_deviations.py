"""Explanations, decisions, exclusions and calibration meetings in the paper, up to the first signature."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app import clock
from app.aggregation import flags, flags_read, meetings
from app.aggregation import operations as runs
from app.draw.models import Seat
from app.report import operations
from app.report.flag_sections import deviations, meeting_blocks
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports

WHY = "现场三处存量地块仍未动工，已逐处拍照。"


def test_the_annex_of_deviations_and_the_meetings(session: Any) -> None:
    made = builders.reload(session)
    run = runs.run(session, made.office, round=made.round)
    flag = next(f for f in flags_read.rows_of(session, run) if f.rule == "pooled_residual")
    expert = made.viewer_of(session.get_one(Seat, flag.seat_id))
    report = reports.drafted(session, made, run)

    def shown() -> tuple[str, str]:
        found = source(session, report, "zh")
        return str(deviations(found)), str(meeting_blocks(found))

    assert shown() == ("[]", "[]")
    flags.explain(session, expert, flag=flag, text=WHY)
    flags.decide(
        session, made.supervisor, flag=flag, outcome="calibrate", reason="请先统一扣分尺度"
    )
    meetings.record(
        session, made.office, run=run, held_on=date(2012, 11, 7), note="逐项统一了扣分尺度"
    )
    annex, met = shown()
    assert WHY in annex and "要求召开校准会。请先统一扣分尺度" in annex and expert.name not in annex
    assert "2012-11-07召开校准会：逐项统一了扣分尺度" in met
    assert "Calibration meeting on 2012-11-07" in met
    operations.submit_for_signing(session, made.experts[0][1], report=report)
    signer = made.experts[0][1]
    operations.sign(session, signer, report=report, signed_name=signer.name, state="signed")
    session.refresh(report)
    with clock.fixed(clock.now() + timedelta(hours=1)):
        flags.decide(
            session, made.supervisor, flag=flag, outcome="exclude", reason="说明不成立，剔除"
        )
        meetings.record(
            session, made.office, run=run, held_on=date(2012, 11, 8), note="签字以后又开了一次"
        )
        # What was signed stays what it is: neither is in the paper.
        assert shown() == (annex, met)
        again = runs.run(session, made.office, round=made.round, note="剔除后重新汇总")
        second = operations.draft_report(session, signer, round=made.round, run=again)
        found = source(session, second, "zh")
        (listed, said) = deviations(found)
        name = found.reading.names[run.results["flags"][flag.number - 1]["subject"]].zh
        assert str(listed["items"][0]) == (f"{name} 实地考核 席位 2：剔除。理由：说明不成立，剔除")
        assert "经监督剔除的评分表保持封存" in str(said["text"])
