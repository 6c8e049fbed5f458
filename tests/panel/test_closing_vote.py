"""The closing time: set once by the office, moved only by the majority of the seats, by the server's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger import prove
from app.panel import votes
from app.panel.models import Sitting
from app.scoring import operations as scoring
from tests.attacks import world as steps


def base(app: Any) -> Any:
    return app.extensions["mingjian.db"]


def test_four_of_seven_seats_carry_it_and_three_do_not(app, world, keys):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        office, now = world.people["office"], clock.now()
        end, later = now + timedelta(hours=1), now + timedelta(hours=2)
        first = votes.propose(
            session, office, sitting=sitting, closes_at=end, reason="当天收齐评分表"
        )
        assert (first.state, votes.closing_time(session, sitting)) == ("set", end)
        with pytest.raises(DomainError):
            votes.propose(session, office, sitting=sitting, closes_at=end, reason="没有更晚的时间")
        asked = votes.propose(
            session, office, sitting=sitting, closes_at=later, reason="车辆延误一小时"
        )
        assert (asked.state, asked.seats) == ("open", steps.SEATS)
        with pytest.raises(Conflict):
            votes.propose(
                session, office, sitting=sitting, closes_at=later + timedelta(hours=1),
                reason="再来一次",
            )  # fmt: skip
        for number in (1, 2, 3):
            votes.vote(
                session, world.expert(number), sitting=sitting, extension_id=asked.id, yes=True
            )
        assert votes.closing_time(session, sitting) == end
        assert [s.id for s in votes.to_vote(session, [world.site.seats[3]])] == [sitting.id]
        assert votes.to_vote(session, [world.site.seats[0]]) == []
        with pytest.raises(Conflict):
            votes.vote(session, world.expert(1), sitting=sitting, extension_id=asked.id, yes=True)
        with pytest.raises(Forbidden):
            votes.vote(
                session, world.desk.experts[0], sitting=sitting, extension_id=asked.id, yes=True
            )
        with pytest.raises(Forbidden):
            votes.vote(session, office, sitting=sitting, extension_id=asked.id, yes=True)
        votes.vote(session, world.expert(4), sitting=sitting, extension_id=asked.id, yes=True)
        assert asked.state == "carried" and votes.closing_time(session, sitting) == later
        with pytest.raises(Conflict):
            votes.vote(session, world.expert(5), sitting=sitting, extension_id=asked.id, yes=False)
        third = votes.propose(
            session, office, sitting=sitting, closes_at=later + timedelta(hours=1),
            reason="还要一小时",
        )  # fmt: skip
        for number in (1, 2, 3, 4):
            votes.vote(
                session, world.expert(number), sitting=sitting, extension_id=third.id, yes=False
            )
        assert third.state == "lost" and votes.closing_time(session, sitting) == later
    with base(app).read() as session:
        assert prove.verify(session, keys).faults == []


def test_after_the_time_nobody_saves_or_seals_until_the_panel_has_voted(app, world):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        sheet = scoring.start_sheet(session, world.expert(1), sitting=sitting)
        end = clock.now() + timedelta(minutes=30)
        votes.propose(
            session, world.people["office"], sitting=sitting, closes_at=end, reason="当天收齐评分表"
        )
        key = sitting.id
    with clock.fixed(end), base(app).write() as session:
        sitting = session.get_one(Sitting, key)
        assert votes.ended_at(session, sitting) == end
        with pytest.raises(Conflict, match="截止时间"):
            scoring.save_draft(session, world.expert(1), sheet=sheet, changes={}, version=0)
        with pytest.raises(Conflict, match="截止时间"):
            scoring.start_sheet(session, world.expert(2), sitting=sitting)
        asked = votes.propose(
            session, world.people["office"], sitting=sitting,
            closes_at=end + timedelta(minutes=20), reason="停电二十分钟",
        )  # fmt: skip
        for number in (1, 2, 3, 4):
            votes.vote(
                session, world.expert(number), sitting=sitting, extension_id=asked.id, yes=True
            )
        assert votes.ended_at(session, sitting) is None
        assert scoring.start_sheet(session, world.expert(2), sitting=sitting).state == "draft"
    with clock.fixed(end + timedelta(minutes=20)), base(app).write() as session:
        assert votes.ended_at(session, session.get_one(Sitting, key)) is not None
        with pytest.raises(NotFound):
            votes.vote(
                session, world.expert(5), sitting=session.get_one(Sitting, key),
                extension_id="0" * 16, yes=True,
            )  # fmt: skip


def test_the_page_for_each_role(app, world, client_as):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        votes.propose(
            session, world.people["office"], sitting=sitting,
            closes_at=clock.now() + timedelta(hours=1), reason="当天收齐评分表",
        )  # fmt: skip
        page = f"/r/{world.slug}/sittings/{sitting.id}"
    office, expert = client_as(world.people["office"]), client_as(world.expert(1))
    later = (clock.now() + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M")
    form = {"closes_at": later, "reason": "车辆延误一小时"}
    assert (
        client_as(world.people["supervisor"]).post(f"{page}/closing", data=form).status_code == 403
    )
    assert office.post(f"{page}/closing", data={**form, "reason": "短"}).status_code == 422
    assert office.post(f"{page}/closing", data=form).status_code == 302
    shown = expert.get(f"{page}/closing").get_data(as_text=True)
    asked = shown.split('name="extension" value="')[1][:16]
    assert "请表决是否延长截止时间" in expert.get("/").get_data(as_text=True)
    assert "延长截止时间待表决" in expert.get(page).get_data(as_text=True)
    vote = {"extension": asked, "answer": "yes"}
    assert expert.post(f"{page}/closing/vote", data={**vote, "answer": "x"}).status_code == 404
    assert expert.post(f"{page}/closing/vote", data=vote).status_code == 302
    assert expert.post(f"{page}/closing/vote", data=vote).status_code == 409
    overseer = client_as(world.people["supervisor"]).get(f"{page}/closing").get_data(as_text=True)
    assert "赞成 1，反对 0，共 7 席" in overseer
    assert "请表决是否延长" not in expert.get("/").get_data(as_text=True)
