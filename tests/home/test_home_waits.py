"""A sitting waits for the office only when its next step is the office's; reviews fall due for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.home.waits import waits
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
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
