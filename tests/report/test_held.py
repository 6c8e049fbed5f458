"""What a supervisor holds cannot become a final report; the page says so and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.aggregation import holds
from app.aggregation import operations as aggregation
from app.domain.types import Conflict
from app.report import operations
from app.report.flag_sections import note_blocks
from app.report.models import Report
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports


@pytest.mark.parametrize("whole", [True, False])
def test_a_held_result_does_not_become_final(session: Any, whole: bool) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.signed(session, made, run)
    county = made.subjects["海淀区"]
    row = holds.place(
        session, made.supervisor, run=run, kind="hold", subject_id=None if whole else county.id,
        reason="两份评分表的理由互相矛盾",
    )  # fmt: skip
    named = "整个汇总" if whole else "海淀区"
    for act in (operations.close_signing, operations.finish):
        with pytest.raises(Conflict, match=f"{named}（两份评分表的理由互相矛盾）"):
            act(session, made.office, report=report)
    assert (report.state, report.head, report.pdf_sha256) == ("signing", None, None)
    holds.lift(session, made.supervisor, row=row, reason="已核对，理由各自成立")
    # A hold between the closing and the keeping of the paper stops that as well.
    operations.close_signing(session, made.office, report=report)
    row = holds.place(
        session, made.supervisor, run=run, kind="hold", subject_id=county.id, reason="再核一次原件"
    )
    with pytest.raises(Conflict, match="再核一次原件"):
        operations.finish(session, made.office, report=report, pdf=b"%PDF-1.7 never kept")
    assert (report.state, report.pdf_sha256) == ("signing", None)
    holds.lift(session, made.supervisor, row=row, reason="原件无误，可以定稿")
    # A note stops nothing.
    holds.place(
        session, made.supervisor, run=run, kind="note", subject_id=None, reason="请注意名次并列"
    )
    operations.finish(session, made.office, report=report)
    assert report.state == "final" and report.pdf_sha256


def test_notes_and_lifted_holds_are_in_the_paper_up_to_the_first_signature(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.drafted(session, made, run)
    found = source(session, report, "zh")
    assert note_blocks(found) == []
    holds.place(
        session, made.supervisor, run=run, kind="note", subject_id=None, reason="区县接近，请看误差"
    )
    row = holds.place(
        session, made.supervisor, run=run, kind="hold", subject_id=made.subjects["海淀区"].id,
        reason="两份评分表的理由互相矛盾",
    )  # fmt: skip
    holds.lift(session, made.supervisor, row=row, reason="已核对，理由各自成立")
    (block,) = note_blocks(found)
    noted, held = block["items"]
    assert noted.zh.startswith("监督人员意见（整个汇总，") and noted.zh.endswith(
        "：区县接近，请看误差"
    )
    assert (
        held.en.startswith("Held by the supervisor (Haidian District, ") and "; lifted (" in held.en
    )
    assert "两份评分表的理由互相矛盾；已解除（" in held.zh and held.zh.endswith(
        "：已核对，理由各自成立"
    )
    operations.submit_for_signing(session, made.experts[0][1], report=report)
    signer = made.experts[0][1]
    operations.sign(session, signer, report=report, signed_name=signer.name, state="signed")
    session.refresh(report)
    with clock.fixed(clock.now() + timedelta(hours=1)):
        holds.place(
            session, made.supervisor, run=run, kind="note", subject_id=None, reason="签字以后才写的"
        )
        assert note_blocks(source(session, report, "zh")) == [block]


def test_the_page_says_what_is_held_and_what_to_do(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        run = aggregation.run(session, made.office, round=made.round)
        report = reports.signed(session, made, run)
        base = f"/r/{made.round.slug}/reports/{report.number}"
        report_id = report.id
    office, member = client_as(made.office), client_as(made.experts[1][1])
    free = office.get(base).get_data(as_text=True)
    assert f'action="{base}/finish"' in free and "暂缓" not in free
    with database.write() as session:
        report = session.get_one(Report, report_id)
        row = holds.place(
            session, made.supervisor, run=report.run, kind="hold",
            subject_id=made.subjects["平谷区"].id, reason="现场照片与台账不符",
        )  # fmt: skip
        hold_id = row.id
    page = office.get(base).get_data(as_text=True)
    assert "报告不能定稿" in page and "现场照片与台账不符" in page and "平谷区" in page
    assert f'action="{base}/finish"' not in page
    assert f"/runs/{run.number}/holds" in page and "由监督人员写明理由解除暂缓" in page
    with office.session_transaction() as kept:
        kept["lang"] = "en"
    english = office.get(base).get_data(as_text=True)
    assert "A supervisor holds this result" in english and "lifts the hold with a reason" in english
    with office.session_transaction() as kept:
        kept["lang"] = "zh"
    assert "现场照片与台账不符" not in member.get(base).get_data(as_text=True)
    # Somebody posts the form all the same.
    refused = office.post(f"{base}/finish")
    assert refused.status_code == 409 and "现场照片与台账不符" in refused.get_data(as_text=True)
    with database.write() as session:
        assert session.get_one(Report, report_id).head is None
        holds.lift(
            session, made.supervisor, row=holds.one(session, made.round, hold_id),
            reason="照片已更正说明",
        )  # fmt: skip
    assert f'action="{base}/finish"' in office.get(base).get_data(as_text=True)
    assert office.post(f"{base}/finish").status_code == 302
    with database.read() as session:
        assert session.get_one(Report, report_id).state == "final"
