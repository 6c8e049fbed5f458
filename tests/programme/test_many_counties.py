"""Pages that list a round's counties ask the database as often for three thousand as for one."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, insert, select

from app.db import Database
from app.directory.models import Person
from app.programme import operations, queries
from app.programme.models import Opinion, Round, Subject
from app.programme.qualification import qualification_state
from tests.field.counting import queries_of

from .conftest import add_regions, make_round

PAGES = ("counties", "qualification", "guidance")
# Wide ones: past 500 keys, the most that one statement lists, a longer list shows nothing more.
WIDE = ("", "figures", "given", "draws/new")


def add_counties(database: Database, first: int, last: int) -> None:
    """Counties `first` to `last` - 1 of the round, each with an opinion and a presenter: straight into the tables, since
    this is about reading."""
    with database.engine.connect().execution_options(write=True) as connection, connection.begin():
        like = dict(connection.execute(select(Subject.__table__)).mappings().first() or {})
        said = dict(connection.execute(select(Opinion.__table__)).mappings().first() or {})
        numbers = range(first, last)
        connection.execute(
            insert(Person.__table__),
            [{"id": f"e{n:015}", "salt": b"0" * 16, "name": f"试{n}"} for n in numbers],
        )
        connection.execute(
            insert(Subject.__table__),
            [
                {**like, "id": f"c{n:015}", "position": n, "region_code": f"{700000 + n}",
                 "name_zh": f"试{n}县", "presenter_id": f"e{n:015}"}
                for n in numbers
            ],
        )  # fmt: skip
        connection.execute(
            insert(Opinion.__table__),
            [{**said, "id": f"d{n:015}", "subject_id": f"c{n:015}"} for n in numbers],
        )


def test_as_many_queries_at_one_county_as_at_three_and_at_three_thousand(
    app: Any, client_as: Any
) -> None:
    database: Database = app.extensions["mingjian.db"]
    office = client_as("office")
    with database.write() as session:
        add_regions(session)
        round_ = make_round(session, office.viewer)
        facts = dict.fromkeys(queries.facts_asked(round_), False)
        subject = operations.add_subject(
            session, office.viewer, round_, region_code="110108", region_class="I",
            class_basis="x", facts=facts,
        )  # fmt: skip
        operations.open_round(session, office.viewer, round_)
        operations.record_opinion(
            session, office.viewer, subject, "Q01", "测试部门", "pass", (), reason="", evidence="",
            signer="测试签署人",
        )  # fmt: skip

    def asked(pages: tuple[str, ...]) -> dict[str, int]:
        return {page: queries_of(app, lambda: office.get(f"/r/bj-2/{page}")) for page in pages}  # noqa: B023

    one = asked(PAGES + WIDE)
    add_counties(database, 1, 3)
    assert asked(PAGES + WIDE) == one
    add_counties(database, 3, 510)
    assert asked(WIDE) == {page: one[page] for page in WIDE}
    heads = {
        path: re.findall(
            r"<th[^>]*>(试\d+县|海淀区)</th>", office.get(f"/r/bj-2/figures{path}").text
        )
        for path in (
            "",
            "?page=2",
            "?q=试509",
            "?show=missing&page=99",
            "?show=waiting",
            "?page=-3",
        )
    }
    assert heads[""] == heads["?page=-3"] == ["海淀区", *(f"试{n}县" for n in range(1, 12))]
    assert heads["?page=2"] == [f"试{n}县" for n in range(12, 24)]
    assert heads["?q=试509"] == ["试509县"] and heads["?show=waiting"] == []
    assert heads["?show=missing&page=99"][-1] == "试509县"
    add_counties(database, 510, 3000)
    assert asked(PAGES) == {page: one[page] for page in PAGES}
    assert all(3 < number < 30 for number in one.values()), one
    assert queries_of(app, lambda: _one_by_one(database)) == 21, (
        "what the pages must not do is counted"
    )
    with database.read() as session:
        round_ = session.scalars(select(Round)).one()
        states = qualification_state(session, round_)
        assert len(states) == session.scalar(select(func.count(Subject.id))) == 3000
        assert {len(state.subject.opinions) for state in states} == {1}
    assert "试2999县" in office.get("/r/bj-2/counties").text


def _one_by_one(database: Database) -> SimpleNamespace:
    with database.read() as session:
        for subject in session.scalars(select(Subject).limit(20)):
            assert len(subject.opinions) == 1
    return SimpleNamespace(status_code=200)
