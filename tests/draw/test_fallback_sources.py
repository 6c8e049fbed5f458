"""A lottery draw that is not held: office and supervisor both say so, and the committed fallback is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import (
    ceremony,
    fallbacks,
    form_data,
    freezing,
    hall,
    operations,
    operations_order,
    orders,
    papers,
    papers_order,
    pool,
)
from app.draw.models import Draw
from app.draw.models_ceremony import SourceFailure
from app.draw.sources import DICE as SIX_SIDED
from app.draw.sources import PRESETS, checked_fallbacks, later_draws
from app.exercise import device
from app.ledger.models import Event
from app.supervision import queries_draws
from app.verify import verify_transcript
from tests.draw.builders import DICE, Staff, make_pool, make_round, request
from tests.draw.test_orders import asked, only, round_of_six

DRAWN = datetime(2012, 11, 18, 13, 15, tzinfo=UTC)  # 21:15 in Beijing
NEXT = DRAWN + timedelta(days=2)
LOTTERY = [{**row, "when": "2012136 2012-11-18T21:15+08:00"} for row in PRESETS["ssq"]]
LATER = later_draws(ssq="2012137 2012-11-20T21:15+08:00")
VALUES = {"ssq-red-later": [3, 9, 12, 20, 27, 31], "ssq-blue-later": [7], "dice": DICE}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole draws, whose estimates and rehearsals are not what is tested."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)


def cosigned(session: Session, staff: Staff, kind: str = "real") -> Draw:
    make_pool(session, 24, 24)
    draw = request(
        session, staff, make_round(session, kind=kind), sources=[SIX_SIDED, *LOTTERY],
        fallbacks=LATER,
    )  # fmt: skip
    with clock.fixed(DRAWN - timedelta(days=1)):
        operations.commit_draw(session, staff.office, draw)
        device.cosign(session, staff.supervisor, draw)
    return draw


def names(draw: Draw) -> list[str]:
    return [row["name"] for row in fallbacks.in_force(draw)]


def test_the_fallback_is_read_once_both_have_said_so(session: Session, staff: Staff) -> None:
    draw = cosigned(session, staff)
    assert [row["of"] for row in draw.commitment["fallbacks"]] == ["ssq-red", "ssq-blue"]
    with clock.fixed(DRAWN - timedelta(seconds=1)), pytest.raises(DomainError, match="before"):
        fallbacks.declare(session, staff.office, draw, "ssq-red", "查无公告")
    with clock.fixed(DRAWN + timedelta(hours=3)):
        with pytest.raises(DomainError, match="No fallback of the source"):
            fallbacks.declare(session, staff.office, draw, "dice", "查无公告")
        with pytest.raises(DomainError, match="Say where"):
            fallbacks.declare(session, staff.office, draw, "ssq-red", " ")
        assert not fallbacks.declare(session, staff.office, draw, "ssq-red", "官网无此期（测试）")
        with pytest.raises(Conflict, match="has said already"):
            fallbacks.declare(session, staff.office, draw, "ssq-blue", "官网无此期（测试）")
        assert names(draw) == ["dice", "ssq-red", "ssq-blue"], "one side alone changes nothing"
        assert fallbacks.declare(session, staff.supervisor, draw, "ssq-blue", "查无公告（测试）")
        assert names(draw) == ["dice", "ssq-red-later", "ssq-blue-later"]
        with pytest.raises(DomainError, match="no such source"):
            operations.enter_dice(session, staff.office, draw, "ssq-blue", [7])
        with pytest.raises(DomainError, match="cannot be typed before"):
            operations.enter_dice(session, staff.office, draw, "ssq-blue-later", [7])
    told = session.scalars(
        select(Event.payload)
        .where(Event.payload.contains("draw.source_failed"))
        .order_by(Event.seq)
    ).all()
    assert ['"fallback":false' in told[0], '"fallback":true' in told[1], len(told)] == [
        True,
        True,
        2,
    ]
    assert "官网" not in "".join(told), "what was typed is not published"
    with clock.fixed(NEXT + timedelta(minutes=30)):
        for name, values in VALUES.items():
            for viewer in (staff.office, staff.supervisor):
                operations.enter_dice(session, viewer, draw, name, values)
        assert ceremony.values_of(draw) == VALUES
        for party in list(draw.parties):
            operations.reveal_code(
                session, staff.viewer(party.name), draw, party.name, staff.code(party.name)
            )
    report = verify_transcript(ceremony.transcript_of(draw))
    assert report.ok and report.anchored, report.en
    assert report.fallbacks == [["ssq-red", "ssq-red-later"], ["ssq-blue", "ssq-blue-later"]]
    assert papers.source_rows(draw)[1]["name"].zh == "福彩双色球·红球（替补）"
    assert [line.values for line in queries_draws.sources(draw)][2] == "7"
    with pytest.raises(Conflict):
        fallbacks.declare(session, staff.office, draw, "ssq-red", "查无公告")


def test_locked_values_have_no_fallback_any_more(session: Session, staff: Staff) -> None:
    draw = cosigned(session, staff, kind="drill")
    for viewer in (staff.office, staff.supervisor):
        operations.enter_dice(session, viewer, draw, "ssq-blue", [7])
    with pytest.raises(Conflict, match="are locked"):
        fallbacks.declare(session, staff.office, draw, "ssq-red", "查无公告")
    assert session.scalars(select(SourceFailure)).all() == []
    assert [row["name"] for row in hall.sources(session, draw)] == ["dice", "ssq-red", "ssq-blue"]


def test_a_fallback_out_of_shape_is_refused() -> None:
    sources = [SIX_SIDED, *LOTTERY]
    red, blue = LATER
    assert checked_fallbacks(LATER, sources) == LATER
    for rows, said in (
        ([{**red, "of": "dlt-front"}], "one public source"),
        ([{**red, "of": "dice"}], "one public source"),
        ([red, {**blue, "of": "ssq-red"}], "one for each"),
        ([{**red, "name": "ssq-blue"}], "a name of its own"),
        ([{**red, "name": "dice2"}], "another draw"),
        ([{**red, "when": LOTTERY[0]["when"]}], "another draw"),
        ([{**red, "when": "2012135 2012-11-17T21:15+08:00"}], "comes about later"),
        ([{**red, "when": " "}], "names its draw number"),
    ):
        with pytest.raises(DomainError, match=said) as refused:
            checked_fallbacks(rows, sources)
        assert refused.value.field == "sources"


def test_the_pages_of_a_fallback(write: Any, make: Any, client_as: Callable[..., Any]) -> None:
    with write() as session:
        staff = Staff(session, make)
        draw = cosigned(session, staff, kind="drill")
        page = f"/r/r1/draws/{draw.id}"
        boxes = form_data.filled_in(draw.request, "desk")
        assert boxes["ssq_later"] == "2012137 2012-11-20T21:15+08:00" and "dlt_later" not in boxes
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    shown = office.get(f"{page}/dice").text
    assert shown.count(f'action="{page}/dice/failed"') == 2 and "2012137" in shown
    assert "替补，仅在所代替的一期没有公布时读取" in office.get(page).text
    sent = {"source": "ssq-red", "reason": "官网无此期（测试）"}
    assert office.post(f"{page}/dice/failed", data={**sent, "reason": ""}).status_code == 422
    assert office.post(f"{page}/dice/failed", data={**sent, "source": "dice"}).status_code == 422
    assert office.post(f"{page}/dice/failed", data=sent).status_code == 302
    assert "已登记，等待另一方" in office.get(f"{page}/dice").text
    assert office.post(f"{page}/dice/failed", data=sent).status_code == 409
    assert supervisor.post(f"{page}/dice/failed", data=sent).status_code == 302
    after = supervisor.get(f"{page}/dice").text
    assert "福彩双色球·红球（替补）" in after and f'action="{page}/dice/failed"' not in after
    assert client_as("presenter").post(f"{page}/dice/failed", data=sent).status_code in (403, 404)
    with write() as session:
        viewer = make.viewer(session, "keeper")
        with pytest.raises(Forbidden):
            fallbacks.declare(session, viewer, session.get_one(Draw, draw.id), "ssq-red", "x")


def test_the_fallback_of_an_order_of_things(session: Session, staff: Staff, settings: Any) -> None:
    """Two counties of six for a spot check: the red and blue balls did not fall, a later draw is read;
    without its mark the same values give another key."""
    round_ = round_of_six(session)
    wanted = only(session, round_, orders.COUNTIES)
    with pytest.raises(DomainError, match="another draw"):
        asked(session, staff, round_, wanted, count=2, sources=LOTTERY,
              fallbacks=[{**LATER[0], "when": LOTTERY[0]["when"]}])  # fmt: skip
    draw = asked(session, staff, round_, wanted, count=2, sources=[SIX_SIDED, *LOTTERY],
                 fallbacks=LATER, parties=["office", "supervisor"])  # fmt: skip
    with clock.fixed(DRAWN - timedelta(days=1)):
        operations.commit_draw(session, staff.office, draw)
        device.cosign(session, staff.supervisor, draw)
    assert [(row["of"], row["when"]) for row in draw.commitment["fallbacks"]] == [
        (name, "2012137 2012-11-20T21:15+08:00") for name in ("ssq-red", "ssq-blue")
    ]
    with clock.fixed(DRAWN + timedelta(hours=3)):
        assert not fallbacks.declare(session, staff.supervisor, draw, "ssq-red", "查无公告")
        assert fallbacks.declare(session, staff.office, draw, "ssq-red", "查无公告")
    with clock.fixed(NEXT + timedelta(minutes=30)):
        for name, values in VALUES.items():
            for viewer in (staff.office, staff.supervisor):
                operations.enter_dice(session, viewer, draw, name, values)
        for party in list(draw.parties):
            operations.reveal_code(
                session, staff.viewer(party.name), draw, party.name, staff.code(party.name)
            )
    assert draw.state == "completed"
    report = verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash)
    assert report.ok and report.fallbacks == [
        ["ssq-red", "ssq-red-later"], ["ssq-blue", "ssq-blue-later"]
    ], report.en  # fmt: skip
    printed = papers_order.data(session, draw, "zh", settings)["sources"]
    assert [str(row["name"]) for row in printed][1:] == [
        "福彩双色球·红球（替补）", "福彩双色球·蓝球（替补）"
    ]  # fmt: skip


def test_the_form_of_an_order_asks_for_fallbacks(
    write: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with write() as session:
        staff = Staff(session, make)
        round_of_six(session, "drill")
    office = client_as(staff.office)
    where = "/r/r1/draws/orders/new?stage=order-counties&of="
    shown = office.get(where).text
    for name in ("ssq_later", "dlt_later", "other_name", "other_later"):
        assert f'name="{name}"' in shown, name
    sent = {
        "dice": "0", "count": "2", "ssq": "2012136", "ssq_later": "2012137",
        "other_name": "fc3d", "other_kind": "sequence", "other_count": "3", "other_low": "0",
        "other_high": "9", "other_when": "2012300", "other_later": "2012301",
    }  # fmt: skip
    for wrong, said in (
        ({"ssq_later": "2012136"}, "须是另外的一期"),
        ({"ssq": "", "other_name": ""}, "至少要有一个随机来源"),
        ({"other_name": ""}, "替补来源“other-later”须对应"),
        ({"other_low": ""}, "个数、最小值和最大值"),
        ({"dlt_later": "12137"}, "须对应一个已写明期号的公开来源"),
    ):
        refused = office.post(where, data={**sent, **wrong})
        assert refused.status_code == 422 and said in refused.text, wrong
    answer = office.post(where, data=sent)
    assert answer.status_code == 302, answer.text
    page = office.get(answer.headers["Location"]).text
    assert page.count("替补，仅在所代替的一期没有公布时读取") == 3 and "2012301" in page
    with write() as session:
        draw = session.scalars(select(Draw)).one()
        assert [(row["of"], row["name"], row["when"]) for row in draw.request["fallbacks"]] == [
            ("ssq-red", "ssq-red-later", "2012137"), ("ssq-blue", "ssq-blue-later", "2012137"),
            ("fc3d", "fc3d-later", "2012301"),
        ]  # fmt: skip
        assert operations_order.commit_order(session, staff.office, draw).state == "committed"
        assert len(draw.commitment["fallbacks"]) == 3
        device.cosign(session, staff.supervisor, draw)
        at = f"/r/r1/draws/{draw.id}/dice"
    supervisor = client_as(staff.supervisor)
    failed = {"source": "fc3d", "reason": "查无公告（测试）"}
    assert office.get(at).text.count(f'action="{at}/failed"') == 3
    for client in (office, supervisor):
        assert client.post(f"{at}/failed", data=failed).status_code == 302
    after = supervisor.get(at).text
    assert "2012301" in after and after.count(f'action="{at}/failed"') == 2


def test_a_fallback_of_another_source_comes_back_to_its_box() -> None:
    """What a draft of panels holds of a source that is no preset."""
    fc3d = {"name": "fc3d", "kind": "sequence", "count": 3, "low": 0, "high": 9, "when": "2012300"}
    stored = {
        "panels": [{"id": "P1", "seats": 5, "mode": "tickets", "pair_limits": {}, "quotas": {}}],
        "load_cap": 0, "replacement": "act", "parties": [], "sources": [fc3d],
        "fallbacks": [{**fc3d, "name": "fc3d-later", "of": "fc3d", "when": "2012301"}],
    }  # fmt: skip
    boxes = form_data.filled_in(stored, None)
    assert (boxes["other_when"], boxes["other_later"]) == ("2012300", "2012301")
