"""Once the last sitting is over, a panel's leader is told what is expected of him, since when, by when."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import operations as aggregation
from app.home.waits import waits
from app.ledger.append import append
from app.panel.models import Sitting
from app.report import operations
from tests.aggregation import builders
from tests.report import reports

Said = list[tuple[str, str, str, dict[str, Any]]]


def told(session: Any, viewer: Viewer) -> Said:
    session.flush()
    return [
        (w.what.zh, w.what.en, w.endpoint, w.at)
        for w in waits(session, viewer)
        if w.endpoint.startswith("report.")
    ]


def test_the_leader_is_told_of_the_report_from_the_last_close_until_it_is_signed(
    session: Any,
) -> None:
    made = builders.reload(session)
    leader, plain, slug = made.experts[0][1], made.experts[1][1], made.round.slug
    last = session.scalars(select(Sitting).order_by(Sitting.closed_at.desc())).first()
    ended = last.closed_at
    last.closed_at, last.phase = None, "scoring"
    append(session, None, "test.still_scoring")
    assert told(session, leader) == []
    last.closed_at, last.phase = ended, "closed"
    append(session, None, "test.closed")
    day = ended.astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()

    [(zh, en, endpoint, at)] = told(session, leader)
    assert (endpoint, at) == ("report.index", {"slug": slug})
    assert f"评分已于 {day} 全部结束" in zh and "须先由创建办公室汇总" in zh
    assert day in en and "office has to aggregate first" in en
    assert told(session, plain) == []

    run = aggregation.run(session, made.office, round=made.round)
    [(zh, en, endpoint, at)] = told(session, leader)
    assert endpoint == "report.index" and "请起草评审报告" in zh and "5 个工作日" in zh
    assert "due 5 working days after you begin" in en
    with clock.fixed(datetime(2026, 9, 28, 3, 0, tzinfo=UTC)):
        report = reports.drafted(session, made, run)
    assert report.due_at == clock.deadline(date(2026, 10, 10))
    [(zh, en, endpoint, at)] = told(session, leader)
    assert (endpoint, at) == ("report.show", {"slug": slug, "number": report.number})
    assert "时限 2026-10-10 24:00" in zh and "due by the end of 2026-10-10" in en
    operations.submit_for_signing(session, leader, report=report)
    assert [(words, where) for words, _, where, _ in told(session, leader)] == [
        ("请签署评审报告", "report.show")
    ]
    assert [words for words, *_ in told(session, plain)] == ["请签署评审报告"]


def test_the_leaders_first_page_shows_it_and_the_link_opens_for_him(
    database: Any, client_as: Any
) -> None:
    with database.read() as session:
        made = builders.reload(session)
        leader, slug = made.experts[0][1], made.round.slug
    mine = client_as(leader)
    page = mine.get("/").get_data(as_text=True)
    assert "您是评审组组长：评分已于" in page and f'href="/r/{slug}/reports"' in page
    assert mine.get(f"/r/{slug}/reports").status_code == 200
