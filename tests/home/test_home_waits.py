"""A sitting waits for the office only when its next step is the office's; reviews fall due for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.home.waits import waits
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.panel.models import Panel, Sitting
from app.registry.models import Expert
from app.registry.queries import due_for_review
from app.scoring import operations as scoring
from tests.attacks.world import World, declare, gather, speak


def listed(session: Session, world: World) -> int:
    session.flush()
    found = waits(session, world.people["office"])
    return sum(wait.endpoint == "panel.sitting" for wait in found)


def test_a_sitting_is_listed_when_the_next_step_is_the_offices(
    session: Session, world: World
) -> None:
    office = world.people["office"]
    assert listed(session, world) == 0
    declare(session, world)
    sitting = gather(session, world)
    assert listed(session, world) == 1  # open: the statement is to be opened
    speak(session, world, sitting, close=False)
    session.expire_all()
    assert (sitting.phase, listed(session, world)) == ("statement", 0)
    panels.close_statement(session, office, sitting=sitting, unconfirmed="refused")
    assert listed(session, world) == 1
    panels.open_scoring(session, office, sitting=sitting)
    assert listed(session, world) == 0
    seats = panel_queries.seats(session, sitting.panel)
    for seat in seats:
        assert listed(session, world) == 0
        scoring.mark_absent(session, office, sitting=sitting, seat=seat, reason="虚构：当日缺席")
    assert listed(session, world) == 1  # nobody is unfinished: close it


def test_a_confirmed_statement_waits_for_the_office(session: Session, world: World) -> None:
    declare(session, world)
    sitting = gather(session, world)
    speak(session, world, sitting, close=False)
    session.expire_all()
    assert sitting.statement is not None
    sitting.statement.confirmed_at = datetime(2012, 11, 6, tzinfo=UTC)
    append(session, None, "test.confirmed")
    assert listed(session, world) == 1


def test_reviews_fall_due_in_the_offices_zone_and_for_the_suspended(
    session: Session, world: World
) -> None:
    rows = session.scalars(select(Expert).order_by(Expert.number)).all()
    for row in rows[3:]:
        row.review_due = date(2013, 6, 1)
    for row, status in zip(rows, ("active", "suspended", "barred"), strict=False):
        row.status, row.review_due = status, date(2013, 1, 2)
    append(session, None, "test.due")

    def due() -> list[int | None]:
        found = waits(session, world.people["keeper"])
        return [w.n for w in found if "核实" in w.what.zh]

    with clock.fixed(datetime(2013, 1, 1, 20, tzinfo=UTC)):  # 2 January in Shanghai
        assert due() == [2]
        settings = session.info["settings"]
        session.info["settings"] = replace(settings, timezone="UTC")
        assert due() == []
        session.info["settings"] = settings
        # One definition: the desk and the registry's page name the same number, and whoever never
        # had a deadline is due.
        never, barred = rows[1], rows[2]
        never.review_due = barred.review_due = None
        append(session, None, "test.never")
        assert due() == [2] == [due_for_review(session, date(2013, 1, 2))]


def lines(session: Session, viewer: Viewer) -> list[tuple[str, str, dict[str, Any], int | None]]:
    """What the home page says of sittings: words, page, where, number."""
    session.flush()
    return [
        (wait.what.en, wait.endpoint, wait.at, wait.n)
        for wait in waits(session, viewer)
        if "next step" in wait.what.en or "Sign in" in wait.what.en
    ]


def test_a_day_of_one_panel_is_one_line(session: Session, world: World) -> None:
    """Three sittings at one table: one sign-in, one next step, for as long as there are several."""
    office, me = world.people["office"], world.desk.experts[0]
    panel = session.get_one(Panel, world.desk.id)
    one, two, three = panel.sittings
    at = {"slug": world.slug}
    first = {w.endpoint: w.at for w in waits(session, office) if "first sitting" in w.what.en}
    assert first == {  # two panels in this round, one in the other
        "panel.index": at,
        "panel.show": {"slug": world.other_slug, "panel_id": world.other.id},
    }
    declare(session, world, world.desk)
    for sitting in (one, two, three):
        panels.open_sitting(session, office, sitting=sitting)
    assert lines(session, me) == [
        ("Sign in: 3 sittings", "panel.sitting", {**at, "sitting_id": one.id}, None)
    ]
    many = "sittings wait for your next step: Desk review P1"
    assert lines(session, office) == [(many, "panel.show", {**at, "panel_id": panel.id}, 3)]
    seat = panel_queries.working_seat(session, me, panel)
    assert seat is not None
    panels.sign_in(session, me, sitting=two, seat=seat)
    one.place = "二会议室"
    append(session, None, "test.moved")
    assert [line[0] for line in lines(session, me)] == [
        "Sign in: Dongcheng District", "Sign in: Fengtai District",
    ]  # fmt: skip
    one.place = ""
    append(session, None, "test.back")
    panels.sign_in_day(session, me, sitting=one, seat=seat)
    assert lines(session, me) == []
    for sitting in (one, two):
        sitting.phase = "scoring"
    append(session, None, "test.scoring")
    third = "A sitting waits for your next step: Fengtai District"
    assert lines(session, office) == [
        (third, "panel.sitting", {**at, "sitting_id": three.id}, None)
    ]
    late = world.desk.experts[1]
    assert [line[0] for line in lines(session, late)] == ["Sign in: 3 sittings"]  # before scoring


def test_the_panels_at_work_are_one_press_away(client_as: Any, world: World) -> None:
    """Today's and those under way, at the cost of one query whatever the number of rounds."""
    client = client_as(world.people["office"])
    database = client.application.extensions["mingjian.db"]
    link = f'href="/r/one/panels/{world.desk.id}"'

    def page() -> str:
        return str(client.get("/").text)

    assert "进行中的专家组" not in page()
    with database.write() as session:
        sitting = session.get_one(Sitting, world.desk.sittings[0])
        panels.open_sitting(session, world.people["office"], sitting=sitting)
    found = page().split("进行中的专家组")[1]
    assert link in found and world.site.id not in found
    with database.write() as session:
        sitting = session.get_one(Sitting, world.desk.sittings[0])
        sitting.phase, day = "closed", sitting.on
        append(session, None, "test.closed")
    assert "进行中的专家组" not in page()
    with clock.fixed(datetime(day.year, day.month, day.day, 2, tzinfo=UTC)):
        assert link in page().split("进行中的专家组")[1]
        with database.write() as session:
            for key in world.desk.sittings:
                session.get_one(Sitting, key).phase = "closed"
            append(session, None, "test.closed")
        assert link not in page()  # all over: nothing is at work
    assert "进行中的专家组" not in client_as(world.people["supervisor"]).get("/").text
