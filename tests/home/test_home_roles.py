"""Each role lands on what waits for it now, derived from the rooms' states."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

from app.accounts.models import RoleGrant
from app.domain.types import Text
from app.home import views
from app.home.queries import STAGES, stage_counts
from app.home.wait import Wait
from app.home.waits import waits
from app.panel import operations as panels
from app.programme.models import Round
from app.scoring import operations as scoring
from tests.attacks import world as steps


def said(session, viewer):
    session.flush()
    session.expire_all()
    return [(w.what.en, w.endpoint, w.n) for w in waits(session, viewer)]


def test_an_expert_is_led_from_the_declarations_to_the_sheet(session, world):
    me = world.expert(1)
    first = said(session, me)
    assert len(first) == 1 and "declaration" in first[0][0].lower()
    assert first[0][1] == "panel.show"
    steps.declare(session, world)
    assert said(session, me) == []
    sitting = world.sitting(session)
    panels.open_sitting(session, world.people["office"], sitting=sitting)
    assert [(text, where) for text, where, _ in said(session, me)] == [
        ("Sign in: Dongcheng District", "panel.sitting")
    ]
    for number in range(1, steps.SEATS + 1):
        panels.sign_in(
            session, world.expert(number), sitting=sitting, seat=world.seat(session, number)
        )
    steps.speak(session, world, sitting)
    panels.open_scoring(session, world.people["office"], sitting=sitting)
    (waiting,) = said(session, me)
    assert waiting[1].startswith("scoring.")
    sealed = steps.sealed_sheet(session, sitting, me)
    assert said(session, me) == []
    scoring.correct(session, me, sheet=sealed, reason="看错一页台账")
    assert len(said(session, me)) == 1, "a correction that was begun waits again"


def test_a_presenter_sees_only_the_own_county_and_only_during_the_statement(session, world):
    assert said(session, world.presenters[0]) == []
    sitting = steps.gather(session, world)
    assert said(session, world.presenters[0]) == []
    steps.speak(session, world, sitting, close=False)
    (waiting,) = said(session, world.presenters[0])
    assert waiting[:2] == ("Your statement: fill in and confirm", "panel.sitting")
    assert said(session, world.presenters[1]) == []
    panels.confirm_statement(session, world.presenters[0], sitting=sitting, version=2)
    assert said(session, world.presenters[0])[0][0] == "Your statement is under way"
    panels.close_statement(session, world.people["office"], sitting=sitting)
    assert said(session, world.presenters[0]) == []


def test_the_office_is_told_of_undecided_challenges(session, world):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    row = panels.challenge(
        session, world.presenters[0], sitting=sitting, seat=world.seat(session, 1),
        reason="曾任该区规划顾问",
    )  # fmt: skip
    waiting = said(session, world.people["office"])
    assert ("challenges: ask the expert", "panel.recusal_list", 1) in waiting
    panels.record_answer(session, world.people["office"], challenge=row, answer="本人否认")
    assert ("challenges: ask the expert", "panel.recusal_list", 1) not in said(
        session, world.people["office"]
    )
    asked = ("challenges await your decision", "panel.recusal_list", 1)
    assert asked in said(session, world.people["supervisor"])


def test_the_administrator_is_told_to_invite_the_first_supervisor(session, world):
    admin = world.people["admin"]
    invite = ("There is no supervisor yet: invite one", "accounts.index", None)
    assert invite not in said(session, admin)
    for grant in session.scalars(select(RoleGrant).where(RoleGrant.role == "supervisor")):
        grant.role = "keeper"  # as if there had never been one
    steps.append(session, None, "test.none")
    assert invite in said(session, admin)


def test_the_stage_counts_are_the_rooms_own(session, world):
    round_ = session.scalars(select(Round).where(Round.slug == world.slug)).one()
    sitting = steps.to_scoring(session, world)
    steps.sealed_sheet(session, sitting, world.expert(1))
    counts = stage_counts(session, round_)
    assert set(counts) == {key for key, _ in STAGES}
    assert counts["draw"] == (2, 2) and counts["statement"] == (1, 3)
    assert counts["site"] == (1, 3 * steps.SEATS) and counts["desk"] == (0, 3 * steps.SEATS)
    assert counts["aggregate"] == (0, 1) and counts["report"] == (0, 1)
    world.seat(session, 1).state = "removed"
    steps.append(session, None, "test.removed")
    session.flush()
    assert stage_counts(session, round_)["site"] == (0, 3 * (steps.SEATS - 1))


@pytest.mark.parametrize(
    ("who", "target"),
    [("office", "/r/one/"), ("supervisor", "/r/one/"), ("admin", "/r/one/"), ("expert", "sheets")],
)
def test_the_round_switcher_leads_each_role_to_its_page(client_as, world, who, target):
    viewer = world.expert(1) if who == "expert" else world.people[who]
    answer = client_as(viewer).get("/r/one/home")
    assert answer.status_code == 302 and answer.headers["Location"].endswith(target)


@pytest.mark.parametrize("role", ["office", "supervisor", "admin", "keeper"])
def test_more_to_do_asks_the_database_no_more(client_as, world, role):
    """Three sittings under way instead of none: a fixed number of queries a round, not a sitting."""
    client = client_as(world.people[role])
    database = client.application.extensions["mingjian.db"]
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def count():
        asked.clear()
        assert client.get("/").status_code == 200
        return len(asked)

    with database.write() as session:
        steps.declare(session, world)
        steps.speak(session, world, steps.gather(session, world, 0), close=False)
    one = count()
    with database.write() as session:
        for position in (1, 2):
            steps.speak(session, world, steps.gather(session, world, position), close=False)
    assert count() <= one + 2 * 3


def test_a_number_stands_where_it_reads_right(client_as, world, monkeypatch):
    """One of a thing: before the words in Chinese, behind them in English, which has no "1 candidates"."""
    one = Wait(Text("名候选专家待筛选", "candidates await screening"), "registry.index", n=1)
    monkeypatch.setattr(views, "waits", lambda session, viewer: [one])
    client = client_as(world.people["keeper"])
    assert '<b class="num">1</b> 名候选专家待筛选' in client.get("/").text
    with client.session_transaction() as cookie:
        cookie["lang"] = "en"
    assert 'Candidates await screening: <b class="num">1</b>' in client.get("/").text
