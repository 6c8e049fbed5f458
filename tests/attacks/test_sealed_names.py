"""A sealed draw (rule D-14): the names of its members stand on no page and in no file that office,
supervisor, keeper, administrator, a county or another expert can get, except where everybody of the
register stands, drawn or not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask, url_for
from pypdf import PdfReader
from sqlalchemy import select

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.domain.types import Conflict
from app.draw.models import Draw, Seat
from app.draw.models_calls import DrawDisclosure
from app.draw.operations_calls import publish_with_report
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import recusals
from app.registry.models import Expert
from app.scoring import operations as scoring
from tests.attacks import world as steps

NAME = "欧阳未公开"  # plainly invented, and a part of no other text
# Everybody of the register, or every account, stands here, whether drawn or not.
EVERYBODY = {
    "registry.expert", "registry.experts", "registry.export", "registry.index", "registry.show",
    "registry.interests",  # whoever stands in the register declares links, drawn or not
    "supervision.ledger",  # its list of roles that were granted
    "supervision.why",  # its choice of an account
    "accounts.index", "accounts.show",
}  # fmt: skip


def seal(session: Any, world: Any) -> str:
    """The site draw is sealed, and one of its members has a name found nowhere else."""
    session.add(
        DrawDisclosure(
            draw_id=world.site.draw_id, sealed=True, until="published", chosen_at=clock.now()
        )
    )
    seat = world.seat(session, 1)
    seat.expert.person.name = NAME
    world.site.experts[0] = steps.account_queries.viewer_of(
        session, session.get_one(Account, world.expert(1).id)
    )
    session.flush()
    append(session, None, "test.sealed")
    return str(seat.expert.person_id)


def watchers(world: Any) -> dict[str, Any]:
    return {
        **{role: world.people[role] for role in ("office", "supervisor", "admin", "keeper")},
        "other expert": world.desk.experts[0], "presenter": world.presenters[0],
    }  # fmt: skip


def addresses(app: Flask, world: Any, expert_id: str, role: str) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every GET of this world that is about no single person and that the gate lets
    `role` through to (whom it refuses never reaches a view: test_matrix)."""
    values = {
        "slug": world.slug, "sitting_id": world.site.sittings[0], "panel_id": world.site.id,
        "subject_id": world.subjects[0], "material_id": world.materials[0], "number": 1,
        "draw_id": world.site.draw_id, "expert_id": expert_id, "kind": "conflict", "stage": "site",
        "name": "first",
    }  # fmt: skip
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" in rule.methods and rule.endpoint != "static":
                if not {role, "*"} & app.view_functions[rule.endpoint].__access__:
                    continue
                chosen = {a: values.get(a, "0" * 16) for a in rule.arguments}
                yield rule.endpoint, url_for(rule.endpoint, **chosen)


def words(answer: Any) -> str:
    """The text of a page or file: what a PDF shows, what lies in a workbook or archive."""
    data = answer.get_data()
    if answer.mimetype == "application/pdf" and b"startxref" in data:  # not a county's stub
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist())
    return str(data.decode("utf-8", "replace"))


def walk(app: Flask, world: Any, tokens: dict[str, str]) -> tuple[set[Any], int]:
    """{(who, endpoint)} where the name stands, and how many pages were read."""
    with app.extensions["mingjian.db"].read() as session:
        expert_id = session.scalar(
            select(Expert.id)
            .join(Seat, Seat.expert_id == Expert.id)
            .where(Seat.id == world.site.seats[1])
        )
    found, read = set(), 0
    for who, token in tokens.items():
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        for endpoint, where in addresses(app, world, str(expert_id), watchers(world)[who].role):
            answer = client.get(where)
            read += answer.status_code == 200
            if NAME in words(answer):
                found.add((who, endpoint))
    return found, read


@pytest.fixture
def sealed(app: Flask, world: Any) -> dict[str, str]:
    """The site draw sealed; who looks, with a session each."""
    with app.extensions["mingjian.db"].write() as session:
        seal(session, world)
        return {
            name: accounts.open_sign_in(
                session, session.get_one(Account, viewer.id), agent="a", address="b", hours=9
            )
            for name, viewer in watchers(world).items()
        }


def test_a_sealed_name_stands_on_no_page(app: Flask, world: Any, sealed: dict[str, str]) -> None:
    """Before the sitting, with a panel formed and a link declared late."""
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        panels.set_leader(
            session, world.people["office"], panel=world.panel(session), seat=world.seat(session, 1)
        )
        steps.declare(session, world)
        recusals.stand_aside(
            session, world.expert(1), sitting=world.sitting(session), seat=world.seat(session, 1),
            kind="other", evidence="测试",
        )  # fmt: skip
    found, read = walk(app, world, sealed)
    assert read > 120
    assert {place for place in found if place[1] not in EVERYBODY} == set()


def test_nor_while_they_sit_and_mark_but_at_the_table(
    app: Flask, world: Any, sealed: dict[str, str]
) -> None:
    """The members of an open sitting sit before those in the room: its own page names them, the rest
    does not; a refusal does not either."""
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        sitting = steps.to_scoring(session, world)
    found, read = walk(app, world, sealed)
    at_table = {
        (who, page)
        for who in ("office", "supervisor", "presenter")
        for page in ("panel.sitting", "panel.room")
    } | {("office", "panel.stand_aside")}
    assert read > 120
    assert {place for place in found if place[1] not in EVERYBODY} == at_table
    with database.write() as session:
        sitting = world.sitting(session)
        with pytest.raises(Conflict) as refused:
            scoring.close_scoring(session, world.people["office"], sitting=sitting)
        assert NAME not in refused.value.text.zh + refused.value.text.en


def test_the_names_open_with_the_report(app: Flask, world: Any, sealed: dict[str, str]) -> None:
    """What `report.finish` does: a draw that waits for a fixed moment stays closed."""
    database = app.extensions["mingjian.db"]
    page = f"/r/{world.slug}/panels/{world.site.id}"
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = sealed["office"], True
    assert NAME not in client.get(page).get_data(as_text=True)
    with database.write() as session:
        draw, other = (session.get_one(Draw, p.draw_id) for p in (world.site, world.desk))
        session.add(
            DrawDisclosure(
                draw_id=other.id, sealed=True, until="moment", chosen_at=clock.now(),
                opens_at=clock.now().replace(year=date.today().year + 50),
            )
        )  # fmt: skip
        session.flush()
        append(session, None, "test.moment")
        publish_with_report(session, world.people["office"], [draw, other])
    assert NAME in client.get(page).get_data(as_text=True)
    with database.read() as session:
        rows = session.scalars(select(DrawDisclosure)).all()
        assert {row.draw_id for row in rows if row.opened_at} == {world.site.draw_id}
