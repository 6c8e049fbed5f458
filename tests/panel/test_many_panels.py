"""Challenges and recusals of a round are listed in as many queries for sixty panels as for two."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, insert, select

from app.db import Database
from app.panel import queries, recusals
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from tests.field.counting import queries_of


def test_recusals_take_as_many_queries_for_many_panels(
    app: Any, client_as: Any, world: Any
) -> None:
    database: Database = app.extensions["mingjian.db"]
    with database.write() as session:
        registered = _conflict(session, world)
    office = client_as(world.people["office"])
    address = f"/r/{world.slug}/recusals"
    few = queries_of(app, lambda: office.get(address))
    with database.engine.connect().execution_options(write=True) as connection, connection.begin():
        like = dict(connection.execute(select(Panel.__table__)).mappings().first() or {})
        connection.execute(
            insert(Panel.__table__),
            [{**like, "id": f"p{n:015}", "code": f"X{n}"} for n in range(60)],
        )
    assert queries_of(app, lambda: office.get(address)) == few
    assert registered in office.get(address).text
    with database.read() as session:
        assert session.scalar(select(func.count(Panel.id))) > 60
    assert queries_of(app, lambda: _each(database)) > 60, "what the page must not do is counted"


def _conflict(session: Any, world: Any) -> str:
    """A member says during the sitting that he is linked to the county; the county's name."""
    of_round = select(Sitting).join(Panel, Panel.id == Sitting.panel_id).join(Round)
    sitting = session.scalars(of_round.where(Round.slug == world.slug)).first()
    seat = queries.seats(session, sitting.panel)[0]
    recusals.stand_aside(
        session, world.people["office"], sitting=sitting, seat=seat, kind="coauthor", evidence="x"
    )
    return str(sitting.subject.name_zh)


def _each(database: Database) -> SimpleNamespace:
    with database.read() as session:
        for panel in session.scalars(select(Panel)):
            queries.seats(session, panel)
    return SimpleNamespace(status_code=200)
