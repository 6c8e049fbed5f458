"""The check-in desk: identity, spare tablets out and back, the sheet to sign."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app.domain.types import Conflict, NotFound
from app.field import desk
from app.field.models_desk import DeskEntry
from app.panel import votes
from app.panel.models import Panel, Sitting
from app.programme.instruments import instrument_for
from app.scoring import paper
from app.scoring.models_paper import PaperSheet
from tests.attacks import world as steps
from tests.field.counting import queries_of
from tests.field.test_field_office import base, pushed
from tests.field.virtual import VirtualTablet


def test_identity_then_a_spare_tablet_out_and_back(app, world, bind, client_as):
    office, other = world.people["office"], world.people["office2"]
    seats = world.site.seats
    with base(app).write() as session:
        panel = session.get_one(Panel, world.site.id)
        on = panel.sittings[0].on
        at = {"panel": panel, "on": on}
        with pytest.raises(Conflict):
            desk.lend(session, office, seat_id=seats[0], number="备用1", **at)
        with pytest.raises(NotFound):
            desk.check_identity(session, office, seat_id=world.desk.seats[0], **at)
    page = f"/r/{world.slug}/panels/{world.site.id}/desk"
    clerk = client_as(office)
    form = {"seat": seats[0], "on": str(on)}
    assert clerk.post(f"{page}/identity", data=form).status_code == 302
    assert clerk.post(f"{page}/identity", data=form).status_code == 409
    assert clerk.post(f"{page}/lend", data={**form, "number": " 备用1 "}).status_code == 302
    with base(app).write() as session:
        at = {"panel": session.get_one(Panel, world.site.id), "on": on}
        desk.check_identity(session, other, seat_id=seats[1], **at)
        with pytest.raises(Conflict):
            desk.lend(session, other, seat_id=seats[1], number="备用1", **at)
    bind(world.expert(1), "备用机一号")
    shown = clerk.get(page).get_data(as_text=True)
    assert "在外：备用1" in shown and "备用机一号" in shown
    assert clerk.post(f"{page}/return", data=form).status_code == 302
    assert clerk.post(f"{page}/return", data=form).status_code == 409
    with base(app).write() as session:
        at = {"panel": session.get_one(Panel, world.site.id), "on": on}
        desk.lend(session, other, seat_id=seats[1], number="备用1", **at)
        rows = session.scalars(select(DeskEntry).order_by(DeskEntry.checked_at)).all()
        assert [(row.checked_by, row.spare) for row in rows] == [
            (office.id, "备用1"), (other.id, "备用1"),
        ]  # fmt: skip
        assert rows[0].returned_at is not None and rows[1].returned_at is None
    listed = clerk.get(f"{page}/list")
    assert listed.mimetype == "application/pdf"
    reader = PdfReader(io.BytesIO(listed.get_data()))
    text = "".join(part.extract_text() for part in reader.pages).replace(" ", "")
    assert "签到签退表" in text and "虚拟专家07" in text and "备用1" in text


def test_the_desk_asks_as_often_for_many_tablets_as_for_none(app, world, bind, client_as):
    clerk = client_as(world.people["office"])
    page = f"/r/{world.slug}/panels/{world.site.id}/desk"
    first = queries_of(app, lambda: clerk.get(page))
    for number in (1, 2, 3):
        bind(world.expert(number))
    assert queries_of(app, lambda: clerk.get(page)) == first


def test_what_comes_after_the_closing_time_waits_for_the_supervisor_whatever_its_date(
    app, world, bind
):
    from datetime import timedelta

    from app import clock

    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        end = clock.now() + timedelta(minutes=5)
        votes.propose(
            session, world.people["office"], sitting=sitting, closes_at=end, reason="当天收齐评分表"
        )
        key = sitting.id
    mine = bind(world.expert(1))
    pack = mine.get(f"/field/api/pack?tablet={mine.id}").json
    told = next(duty for duty in pack["duties"] if duty["key"] == key)
    assert told["deadline"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    item = form["items"][0]["id"]
    tablet = VirtualTablet(mine.id, form["digest"])
    tablet.put(key, f"{item}.reason", "之前", at=end - timedelta(minutes=1))
    tablet.put(key, f"{item}.reason", "之后", at=end + timedelta(seconds=1))
    with clock.fixed(end + timedelta(minutes=1)):
        said = [(r["status"], r.get("why")) for r in pushed(mine, tablet).json["receipts"]]
    assert said == [("held", "late"), ("held", "late")]
    with base(app).read() as session:
        assert session.get_one(Sitting, key).closed_at is None


def test_while_paper_has_the_sheet_a_tablet_lies_beside_it_and_cannot_take_it(app, world, bind):
    office = world.people["office"]
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        row = paper.start(session, office, sitting=sitting, seat=world.seat(session, 1))
        key, paper_id = sitting.id, row.id
    mine = bind(world.expert(1))
    tablet = VirtualTablet(mine.id, form["digest"])
    tablet.put(key, f"{form['items'][0]['id']}.reason", "平板上写的")
    assert pushed(mine, tablet).json["receipts"][0]["status"] == "branch"
    taken = mine.client.post(
        "/field/api/take-over", json={"tablet": mine.id, "sheet": key},
        headers={"X-CSRFToken": mine.csrf},
    )  # fmt: skip
    assert (taken.status_code, taken.json["error"]["code"]) == (409, "conflict")
    with base(app).write() as session:
        row = session.get_one(PaperSheet, paper_id)
        paper.give_up(session, office, paper=row, reason="专家改用平板")
    taken = mine.client.post(
        "/field/api/take-over", json={"tablet": mine.id, "sheet": key},
        headers={"X-CSRFToken": mine.csrf},
    )  # fmt: skip
    assert taken.json["sheets"][key]["active_tablet"] == mine.id
