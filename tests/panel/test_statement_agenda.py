"""The agenda of a sitting: the server's clock, the hard limit, two people who tap at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden
from app.panel import agenda
from tests.attacks import world as steps

T0 = datetime(2012, 11, 20, 1, tzinfo=UTC)
MINUTE = 60_000


def at(minutes: float):
    return clock.fixed(T0 + timedelta(minutes=minutes))


@pytest.fixture
def sitting(session, world):
    return steps.gather(session, world)


def test_the_steps_are_those_of_the_form(session, sitting):
    told = agenda.shown(session, sitting)
    assert (told["state"], told["version"], told["position"]) == ("ready", 0, 0)
    assert [step["minutes"] for step in told["steps"]] == [5, 15, 20, 90, 120, 20, 20]
    assert [step["hard"] for step in told["steps"]].index(True) == 1
    assert told["steps"][1]["zh"] == "县（市）政府现场陈述"


def test_a_hard_limit_stops_and_only_another_step_moves_on(session, world, sitting):
    office = world.people["office"]
    act = lambda what, version, position=None: agenda.act(  # noqa: E731
        session, office, sitting=sitting, what=what, version=version, position=position
    )
    with at(0):
        act("start", 0)
    with at(6):  # the first limit is soft: it counts on
        told = agenda.shown(session, sitting)
        assert (told["elapsed_ms"], told["up"], told["running"]) == (6 * MINUTE, False, True)
        act("go", 1, 1)
    with at(10):
        act("pause", 2)
    with at(30):  # a pause is not counted
        assert agenda.shown(session, sitting)["elapsed_ms"] == 4 * MINUTE
        act("resume", 3)
    with at(40.99):
        assert not agenda.shown(session, sitting)["up"]
    with at(41.5):
        told = agenda.shown(session, sitting)
        assert (told["elapsed_ms"], told["up"], told["running"]) == (15 * MINUTE, True, False)
        for what in ("pause", "resume"):
            with pytest.raises(Conflict):
                act(what, 4)
        act("go", 4, 2)
        told = agenda.shown(session, sitting)
        assert (told["position"], told["elapsed_ms"], told["running"]) == (2, 0, True)
    with at(50):
        run = act("end", 5)
    assert run.state == "over"
    assert [(row["step"], row["used_ms"]) for row in run.log] == [
        (0, 6 * MINUTE), (1, 15 * MINUTE), (2, 8 * MINUTE + MINUTE // 2),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        act("go", 6, 0)


def test_an_older_screen_skips_nothing(session, world, sitting):
    office = world.people["office"]
    agenda.act(session, office, sitting=sitting, what="start", version=0)
    agenda.act(session, office, sitting=sitting, what="go", version=1, position=1)
    with pytest.raises(Conflict, match="另一人"):
        agenda.act(session, office, sitting=sitting, what="go", version=1, position=2)
    assert agenda.shown(session, sitting)["position"] == 1
    for bad in (None, -1, 7):
        with pytest.raises(DomainError, match="没有这个环节"):
            agenda.act(session, office, sitting=sitting, what="go", version=2, position=bad)
    with pytest.raises(DomainError):
        agenda.act(session, office, sitting=sitting, what="rewind", version=2)
    for who in (world.people["supervisor"], world.expert(1), world.presenters[0]):
        with pytest.raises(Forbidden):
            agenda.act(session, who, sitting=sitting, what="pause", version=2)


def test_not_before_the_sitting(session, world):
    with pytest.raises(Conflict, match="会议未在进行"):
        agenda.act(
            session, world.people["office"], sitting=world.sitting(session), what="start", version=0
        )


def test_over_http_the_wall_and_the_recorder_see_one_clock(client_as, world, app):
    with app.extensions["mingjian.db"].write() as session:
        sitting_id = steps.gather(session, world).id
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    office, supervisor = client_as("office"), client_as("supervisor")
    started = office.post(f"{where}/agenda", json={"do": "start", "version": 0})
    assert started.status_code == 200 and started.json["running"] is True
    stale = office.post(f"{where}/agenda", json={"do": "pause", "version": 0})
    assert stale.status_code == 409 and "另一人" in stale.json["error"]["text"]
    assert office.post(f"{where}/agenda", json={"do": "go"}).status_code == 409
    assert office.post(f"{where}/agenda", json={"do": "pause", "version": 1}).json["state"] == (
        "paused"
    )
    for client in (supervisor, client_as(world.expert(1)), client_as(world.presenters[0])):
        told = client.get(f"{where}/agenda").json
        assert (told["state"], told["version"], told["running"]) == ("paused", 2, False)
        assert told["now_ms"] > 1_600_000_000_000
    assert (
        supervisor.post(f"{where}/agenda", json={"do": "resume", "version": 2}).status_code == 403
    )
    assert client_as(world.presenters[1]).get(f"{where}/agenda").status_code == 404
    assert "data-agenda" in supervisor.get(f"{where}/wall").text
    assert client_as(world.expert(1)).get(f"{where}/wall").status_code == 403
