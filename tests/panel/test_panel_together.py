"""A small panel's day: one sign-in for all its sittings, one press for a step of several, all or nothing."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app.domain.types import Conflict, Forbidden, NotNow
from app.ledger.models import Event
from app.panel import operations, queries, together
from app.panel.models import Attendance, Panel, Sitting
from app.scoring import operations as scoring
from app.ui.errors import refusal
from tests.attacks import world as steps


def desk(session, world):
    return session.get_one(Panel, world.desk.id)


def seat(session, world, number):
    return queries.at_work_on(session, desk(session, world))[world.desk.seats[number - 1]]


def opened(session, world, n=3):
    panel = desk(session, world)
    for sitting in panel.sittings[:n]:
        operations.open_sitting(session, world.people["office"], sitting=sitting)
    return panel.sittings


def events(session):
    return session.scalar(select(func.count()).select_from(Event))


def signed(session, seat_):
    rows = session.scalars(select(Attendance.sitting_id).where(Attendance.seat_id == seat_.id))
    return set(rows)


def test_one_sign_in_covers_the_table_and_nothing_else(session, world):
    one, two, three = opened(session, world, 2)
    me, mine = world.desk.experts[0], seat(session, world, 1)
    before = events(session)
    assert queries.same_table(three) == []  # not begun
    new = operations.sign_in_day(session, me, sitting=one, seat=mine)
    assert new == [one, two] and signed(session, mine) == {one.id, two.id}
    assert events(session) == before + 2  # one event for each
    operations.open_sitting(session, world.people["office"], sitting=three)
    assert operations.sign_in_day(session, me, sitting=one, seat=mine) == [three]
    assert operations.sign_in_day(session, me, sitting=one, seat=mine) == []
    with pytest.raises(Forbidden):  # nobody signs another in, with or without something left
        operations.sign_in_day(session, world.desk.experts[1], sitting=one, seat=mine)
    operations.sign_in_day(
        session, world.people["office"], sitting=two, seat=seat(session, world, 2)
    )
    assert signed(session, seat(session, world, 2)) == {one.id, two.id, three.id}


def test_another_day_another_place_and_a_visit_are_signed_in_alone(session, world):
    one, two, three = opened(session, world)
    two.on += timedelta(days=1)
    three.place = "二会议室"
    steps.append(session, None, "test.moved")
    assert queries.same_table(one) == [one]
    mine = seat(session, world, 1)
    assert operations.sign_in_day(session, world.desk.experts[0], sitting=one, seat=mine) == [one]
    visits = [world.sitting(session, n) for n in range(3)]
    for visit in visits:
        operations.open_sitting(session, world.people["office"], sitting=visit)
    assert queries.same_table(visits[0]) == [visits[0]]
    own = world.seat(session, 1)
    assert operations.sign_in_day(session, world.expert(1), sitting=visits[0], seat=own) == [
        visits[0]
    ]
    assert signed(session, own) == {visits[0].id}


def test_no_sign_in_before_the_sitting_begins_or_after_it(session, world):
    sitting, mine = desk(session, world).sittings[0], seat(session, world, 1)
    for phase in ("closed", "planned"):
        sitting.phase = phase
        steps.append(session, None, "test.phase")
        with pytest.raises(NotNow) as caught:
            operations.sign_in_day(session, world.desk.experts[0], sitting=sitting, seat=mine)
        assert "not under way" in caught.value.text.en
    assert signed(session, mine) == set()


def test_the_steps_are_those_that_two_sittings_can_take(session, world):
    panel = desk(session, world)
    sittings = panel.sittings

    def offered():
        return [
            (s.endpoint, [row.position for row in s.sittings], s.on) for s in together.steps(panel)
        ]

    everything = ("panel.open_sittings", [1, 2, 3], None)
    assert offered() == [everything]
    sittings[2].on += timedelta(days=1)
    assert offered() == [("panel.open_sittings", [1, 2], sittings[0].on)]  # of one day
    operations.open_sitting(session, world.people["office"], sitting=sittings[0])
    assert offered() == []  # one of each is no several
    operations.open_sitting(session, world.people["office"], sitting=sittings[1])
    assert offered() == [("panel.open_scoring_of", [1, 2], None)]
    visits = world.panel(session)
    assert together.steps(visits) == []  # a visit begins when the panel is there
    steps.declare(session, world)
    for position in range(3):
        steps.speak(session, world, steps.gather(session, world, position), close=position < 2)
    session.expire_all()
    (step,) = together.steps(visits)
    assert [row.position for row in step.sittings] == [1, 2]  # the third statement is not closed
    assert step.asks.en.endswith("Dongcheng District, Haidian District")


def test_one_that_cannot_stops_all_and_is_named(session, world):
    office = world.people["office"]
    sittings = opened(session, world)
    steps.declare(session, world, world.desk)
    for number, viewer in enumerate(world.desk.experts, 1):
        for sitting in sittings[: 3 if number < 5 else 2]:  # the third is below the quorum
            operations.sign_in(session, viewer, sitting=sitting, seat=seat(session, world, number))
    with pytest.raises(NotNow) as caught:
        together.each(sittings, lambda row: operations.open_scoring(session, office, sitting=row))
    assert caught.value.text.en.startswith("Fengtai District: Cannot open scoring now: 4 members")
    assert caught.value.text.zh.startswith("“丰台区”：现在不能开放评分：签到 4 人，不足 5 人")


def button(page, endpoint):
    """(words, form) of the button that posts there; None when the page has none."""
    found = re.search(
        rf'action="([^"]*/sittings/{endpoint})".*?name="sittings" value="([^"]*)".*?<button[^>]*>([^<]*)<',
        page,
        re.DOTALL,
    )
    return found and (found[3], found[1], {"sittings": found[2]})


def phases(database, world):
    with database.read() as session:
        return [session.get_one(Sitting, key).phase for key in world.desk.sittings]


def test_the_panels_page_walks_the_day_in_three_presses(client_as, world):
    office = client_as(world.people["office"])
    database = office.application.extensions["mingjian.db"]
    here = f"/r/one/panels/{world.desk.id}"

    def press(endpoint, words):
        said, where, form = button(office.get(here).text, endpoint)
        assert said == words
        answer = office.post(where, data=form)
        return answer.status_code, answer.text

    assert press("open", "全部开始（3 场）")[0] == 302
    assert phases(database, world) == ["open"] * 3
    expert = client_as(world.desk.experts[0])
    page = expert.get(f"/r/one/sittings/{world.desk.sittings[0]}").text
    assert "sign-in-day" not in page  # the declarations come first
    status, page = press("scoring", "全部开放评分（3 场）")
    assert status == 409 and "<h1>现在不能开放评分</h1>" in page
    assert "东城区”：现在不能开放评分：以下成员未签署承诺书" in page and "请先处理" in page
    assert "内容已有变化" not in page
    assert f'<a class="button primary" href="{here}">回到原来的页面</a>' in page
    with database.write() as session:
        steps.declare(session, world, world.desk)
    page = expert.get(f"/r/one/sittings/{world.desk.sittings[0]}").text
    assert "签到本组当天全部会议（3 场）" in page and ">签到</button>" in page
    where = f"/r/one/sittings/{world.desk.sittings[1]}/sign-in-day"
    for number, viewer in enumerate(world.desk.experts):
        who = expert if number == 0 else office
        assert who.post(where, data={"seat": world.desk.seats[number]}).status_code == 302, viewer
    assert "sign-in-day" not in expert.get(f"/r/one/sittings/{world.desk.sittings[0]}").text
    assert press("scoring", "全部开放评分（3 场）")[0] == 302
    assert phases(database, world) == ["scoring"] * 3
    assert button(office.get(here).text, "close") is None  # nobody has sealed
    with database.write() as session:
        for key in world.desk.sittings:
            for number in range(1, steps.SEATS + 1):
                scoring.mark_absent(
                    session, world.people["office"], sitting=session.get_one(Sitting, key),
                    seat=seat(session, world, number), reason="虚构：当日缺席",
                )  # fmt: skip
    stale = button(office.get(here).text, "close")
    assert press("close", "全部结束（3 场）")[0] == 302
    assert phases(database, world) == ["closed"] * 3
    assert office.post(stale[1], data=stale[2]).status_code == 409
    supervisor = client_as(world.people["supervisor"])
    assert button(supervisor.get(here).text, "open") is None


def test_nothing_is_done_when_one_of_them_cannot(client_as, world):
    office = client_as(world.people["office"])
    database = office.application.extensions["mingjian.db"]
    with database.write() as session:
        first, *_ = opened(session, world, 1)
        name = first.subject.name
    where = f"/r/one/panels/{world.desk.id}/sittings/open"
    last, both = world.desk.sittings[::-1][:1], " ".join(world.desk.sittings)
    answer = office.post(where, data={"sittings": both})
    assert answer.status_code == 409 and f"“{name.zh}”：现在不能开始会议：会议已开始" in answer.text
    assert phases(database, world) == ["open", "planned", "planned"]
    for wrong in ("", world.site.sittings[0], f"{last[0]} {world.site.sittings[0]}"):
        assert office.post(where, data={"sittings": wrong}).status_code == 404
    assert phases(database, world) == ["open", "planned", "planned"]


def test_the_panels_page_asks_no_more_for_more_sittings(client_as, world):
    from sqlalchemy import event

    office = client_as(world.people["office"])
    database = office.application.extensions["mingjian.db"]
    with database.write() as session:
        steps.declare(session, world)
        steps.speak(session, world, steps.gather(session, world, 0))
    asked = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def count():
        asked.clear()
        assert office.get(f"/r/one/panels/{world.site.id}").status_code == 200
        return len(asked)

    one = count()
    with database.write() as session:
        for position in (1, 2):
            steps.speak(session, world, steps.gather(session, world, position))
    assert count() == one


def test_out_of_order_is_not_called_changed(session, world):
    sitting = world.sitting(session)
    with pytest.raises(NotNow) as early:
        operations.open_scoring(session, world.people["office"], sitting=sitting)
    status, words = refusal(early.value)
    assert status == 409 and words.title is not None
    assert words.title.zh == "现在不能开放评分" and words.title.en == "Cannot open scoring now"
    steps.speak(session, world, steps.gather(session, world), close=False)
    presenter = world.presenters[0]
    with pytest.raises(Conflict) as moved:
        operations.confirm_statement(session, presenter, sitting=sitting, version=1)
    assert type(moved.value) is Conflict and refusal(moved.value)[1].title is None


def test_a_date_is_named_only_where_there_are_several_days(client_as, world):
    office = client_as(world.people["office"])
    database = office.application.extensions["mingjian.db"]
    with database.write() as session:
        desk(session, world).sittings[2].on = date(2030, 1, 3)
        on = desk(session, world).sittings[0].on
        steps.append(session, None, "test.moved")
    said, _, _ = button(office.get(f"/r/one/panels/{world.desk.id}").text, "open")
    assert said == f"全部开始 {on}（2 场）"
