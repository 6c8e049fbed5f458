"""What counties see of a run, and from when; calibration meetings; a run beside the one before."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.aggregation import county, flags_read, meetings, operations, releases
from app.aggregation.comparison import compare
from app.aggregation.models import Run
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw.models import Seat
from app.home.waits import waits
from app.ledger.append import append
from app.ledger.models import Event
from app.scoring.models import Sheet
from tests.aggregation import builders

OWN = "海淀区"


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return operations.run(session, made.office, round=made.round)


def sheets(session: Any, made: builders.Scored, name: str, stage: str) -> dict[int, Sheet]:
    """Seat number -> the sealed sheet of one county in one stage."""
    sitting = next(s for s in made.panels[stage].sittings if s.subject.name_zh == name)
    rows = session.scalars(
        select(Sheet).where(Sheet.sitting_id == sitting.id, Sheet.state == "sealed")
    )
    return {row.seat.number: row for row in rows}


def remark(sheet: Sheet, words: str) -> str:
    """Puts words to the first of the sheet's own items; which one."""
    item = sorted(sheet.entries)[0]
    sheet.entries = {**sheet.entries, item: {**sheet.entries[item], "reason": words}}
    return item


def absent(session: Any, sheet: Sheet) -> None:
    sheet.state, sheet.reason = "absent", "封存后发现未到场"
    append(session, None, "test.change")


def kinds(session: Any) -> list[str]:
    return [json.loads(e.payload)["kind"] for e in session.scalars(select(Event))]


def test_nothing_before_two_people_released_it(
    session: Any, made: builders.Scored, run: Run
) -> None:
    def hidden() -> None:
        with pytest.raises(NotFound):
            county.own_result(session, made.presenter, made.round)

    hidden()
    for viewer in (made.supervisor, made.admin, made.presenter, made.experts[0][1]):
        with pytest.raises(Forbidden):
            releases.propose(session, viewer, run=run)
    with pytest.raises(Conflict, match="没有待确认"):
        releases.confirm(session, made.second, run=run)
    releases.propose(session, made.office, run=run)
    hidden()
    assert [w.endpoint for w in waits(session, made.second)].count("aggregation.release") == 1
    assert "aggregation.release" not in [w.endpoint for w in waits(session, made.office)]
    with pytest.raises(Forbidden, match="另一人"):
        releases.confirm(session, made.office, run=run)
    with pytest.raises(Forbidden):
        releases.confirm(session, made.presenter, run=run)
    hidden()
    releases.confirm(session, made.supervisor, run=run)
    assert kinds(session)[-2:] == ["result.proposed", "result.released"]
    seen = county.own_result(session, made.presenter, made.round)
    assert seen.release.run_id == run.id and seen.before is None
    (own,) = seen.counties
    assert own.place.name.zh == OWN
    key = own.place.id
    assert str(own.place.total) == run.results["scores"]["subjects"][key]["total"]
    assert [len(s.items) for s in own.stages] == [18, 11]
    assert [w.endpoint for w in waits(session, made.presenter)] == ["aggregation.county_result"]
    for viewer in (made.office, made.supervisor, made.admin, made.experts[0][1]):
        with pytest.raises(NotFound):
            county.own_result(session, viewer, made.round)


def test_a_later_run_changes_nothing_until_it_is_released(
    session: Any, made: builders.Scored, run: Run
) -> None:
    releases.propose(session, made.office, run=run)
    releases.confirm(session, made.second, run=run)
    first = county.own_result(session, made.presenter, made.round)
    absent(session, sheets(session, made, OWN, "desk")[1])
    builders.corrected(session, made)
    later = operations.run(session, made.office, round=made.round, note="更正签到记录")
    assert county.own_result(session, made.presenter, made.round) == first
    with pytest.raises(Conflict, match="第 2 次"):
        releases.propose(session, made.office, run=run)
    releases.propose(session, made.office, run=later)
    assert county.own_result(session, made.presenter, made.round) == first
    releases.confirm(session, made.second, run=later)
    after = county.own_result(session, made.presenter, made.round)
    assert after.release.run.number == 2 and after.before is not None
    assert after.before.run.number == 1 and after.counties != first.counties


def test_remarks_are_anonymous_and_say_nothing_of_seats(
    session: Any, made: builders.Scored
) -> None:
    desk = sheets(session, made, OWN, "desk")
    name = made.viewer_of(desk[4].seat).name
    words = {n: f"意见之{n}：台账第 {n} 页缺少批文" for n in (1, 2, 6, 7)}
    item = ""
    for n, text in words.items():
        item = remark(desk[n], text)
    remark(desk[4], f"同意{name}同志的看法")
    append(session, None, "test.remarks")
    key = next(s.region_code for s in made.round.subjects if s.name_zh == OWN)
    one = operations.run(session, made.office, round=made.round)
    (before,) = county.results_of(session, one, [key])
    said = next(i for i in before.stages[0].items if i.id == item).remarks
    assert set(words.values()) < set(said) and "同意〔专家〕同志的看法" in said
    assert name not in str(before)
    assert county.results_of(session, one, [key]) == [before]
    # Two experts change places, another county's marks change: the page stays as it was.
    desk[1].entries, desk[7].entries = desk[7].entries, desk[1].entries
    absent(session, sheets(session, made, "丰台区", "desk")[2])
    builders.corrected(session, made)
    two = operations.run(session, made.office, round=made.round, note="换位后重新汇总")
    (after,) = county.results_of(session, two, [key])
    assert one.inputs_digest != two.inputs_digest
    assert (after.stages, after.place.total) == (before.stages, before.place.total)
    # An expert who had written something else is seen.
    remark(desk[2], "另一种意见，与前不同")
    absent(session, sheets(session, made, "丰台区", "desk")[4])
    builders.corrected(session, made)
    three = operations.run(session, made.office, round=made.round, note="改动了意见")
    assert county.results_of(session, three, [key])[0].stages != before.stages


def page(client: Any, where: str) -> tuple[int, str]:
    """Status and body without form tokens, row ids and the ledger's head (in letters or as QR)."""
    answer = client.get(where)
    text = re.sub(r'<path d="[^"]*"', "", answer.text)
    text = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", text)
    return answer.status_code, re.sub(r"\b[0-9a-f]{12,64}\b", "ID", text)


def test_two_worlds(app: Any, client_as: Any) -> None:
    """The county's page before its release and the expert's flag page do not depend on the marks of
    anybody else."""
    database = app.extensions["mingjian.db"]
    moment = clock.now()
    with database.write() as session:
        made = builders.reload(session)
        slug = made.round.slug
    result, own = f"/r/{slug}/result", f"/r/{slug}/flags/own"
    presenter = client_as(made.presenter)
    with database.write() as session:
        made = builders.reload(session)
        run = operations.run(session, made.office, round=made.round)
        flag = next(f for f in flags_read.rows_of(session, run) if f.rule == "pooled_residual")
        expert = made.viewer_of(session.get_one(Seat, flag.seat_id))
        releases.propose(session, made.office, run=run)
    with clock.fixed(moment):
        nothing, first = page(presenter, result), page(client_as(expert), own)
    assert nothing[0] == 404 and first[0] == 200 and "明显低于" in first[1]
    with database.write() as session:
        made = builders.reload(session)
        where = made.panels["site"].sittings[4].subject.name_zh
        site = sheets(session, made, where, "site")
        away = run.results["flags"][flag.number - 1]["numbers"]["away"]
        site[6].entries = dict(site[3].entries)
        append(session, None, "test.marks")
        builders.corrected(session, made)
        again = operations.run(session, made.office, round=made.round, note="另一个世界")
        moved = next(f for f in flags_read.rows_of(session, again) if f.key == flag.key)
        assert moved.numbers["away"] != away  # the worlds do differ
    with clock.fixed(moment):
        assert page(client_as(expert), own) == first
        assert page(presenter, result) == nothing


def test_release_pages(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        operations.run(session, made.office, round=made.round)
        slug = made.round.slug
    where = f"/r/{slug}/runs/1/release"
    office, presenter = client_as(made.office), client_as(made.presenter)
    assert "提出发布" in office.get(where).text and "测试依据" in office.get(where).text
    for who in (made.supervisor, made.admin, made.presenter, made.experts[0][1]):
        assert client_as(who).post(where).status_code == 403
    assert office.post(where).status_code == 302
    assert office.post(f"{where}/confirm").status_code == 403
    assert presenter.get(f"/r/{slug}/result").status_code == 404
    assert client_as(made.second).post(f"{where}/confirm").status_code == 302
    seen = presenter.get(f"/r/{slug}/result").text
    assert "第 1 次汇总，发布于" in seen and OWN in seen and "测试依据" in seen
    assert "东城区" not in seen and not re.search(r"专家 ?\d|席位 ?\d|seat \d", seen)
    for who in (made.office, made.experts[0][1], made.admin):
        assert client_as(who).get(f"/r/{slug}/result").status_code == 403
    # Calibration meetings: the office and a leader record them, nobody else.
    base, leader = f"/r/{slug}/runs/1/meetings", client_as(made.experts[0][1])
    said = {"held_on": "2012-11-07", "note": "逐项统一了扣分尺度"}
    assert leader.post(base, data=said).status_code == 302
    assert office.post(base, data={**said, "note": "短"}).status_code == 422
    assert client_as(made.supervisor).post(base, data=said).status_code == 403
    plain = client_as(made.experts[1][1])
    assert plain.get(base).status_code == plain.post(base, data=said).status_code == 404
    assert "逐项统一了扣分尺度" in client_as(made.supervisor).get(f"/r/{slug}/runs/1").text


def test_meetings(session: Any, made: builders.Scored, run: Run) -> None:
    with pytest.raises(DomainError) as late:
        meetings.record(
            session, made.office, run=run, held_on=date.today() + timedelta(days=400), note="将来才开的会"
        )  # fmt: skip
    assert late.value.field == "held_on"
    with pytest.raises(Forbidden):
        meetings.record(
            session, made.experts[1][1], run=run, held_on=date(2012, 11, 7), note="登记的人不是组长"
        )
    second = meetings.record(
        session, made.office, run=run, held_on=date(2012, 11, 8), note="第二次校准会议"
    )
    first = meetings.record(
        session, made.experts[0][1], run=run, held_on=date(2012, 11, 7), note="第一次校准会议"
    )
    assert [m.id for m in meetings.of_run(session, run)] == [first.id, second.id]
    assert meetings.of_run(session, run, before=second.at) == []
    assert kinds(session).count("meeting.recorded") == 2


def test_a_run_beside_the_one_before(session: Any, made: builders.Scored, run: Run) -> None:
    absent(session, sheets(session, made, OWN, "desk")[1])
    builders.corrected(session, made)
    after = operations.run(session, made.office, round=made.round, note="更正签到记录")
    seen = compare(run, after)
    assert (seen.rule_keys, seen.sheets, seen.refrozen) == ((), 1, ())
    rows = {row.name.zh: row for row in seen.rows}
    own = rows[OWN]
    key = next(s.region_code for s in made.round.subjects if s.name_zh == OWN)
    assert own.totals == tuple(r.results["scores"]["subjects"][key]["total"] for r in (run, after))
    assert own.moved and len(own.why) == 1
    assert own.why[0].zh.startswith("综合评审 专家 1：") and own.why[0].zh.endswith("→ 缺席")
    quiet = [row for name, row in rows.items() if name != OWN and row.ranks[0] == row.ranks[1]]
    assert quiet and all(not row.why and not row.moved for row in quiet)
