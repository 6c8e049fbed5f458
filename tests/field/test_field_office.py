"""The calls over HTTP, and the pages about what tablets sent."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.scoring.sheets import sheet_items
from app.field import unlocks
from app.field.models import LateSheet, Unlock
from app.panel import operations as panels
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.conftest import Key
from tests.field.test_field_late import filled
from tests.field.virtual import VirtualTablet


def base(app):
    return app.extensions["mingjian.db"]


@pytest.fixture
def open_(app, world):
    """Scoring open: the key and the form."""
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        return sitting.id, form


def pushed(bound, tablet, ops=None):
    body = {"v": 1, "tablet": tablet.id, "ops": tablet.batch() if ops is None else ops}
    answer = bound.client.post("/field/api/push", json=body, headers={"X-CSRFToken": bound.csrf})
    if answer.status_code == 200:
        tablet.take(answer.json)
    return answer


def test_a_push_a_take_over_and_a_branch_over_http(app, world, bind, open_):
    key, form = open_
    mine = bind(world.expert(1))
    tablet = VirtualTablet(mine.id, form["digest"])
    a = sheet_items(form)[0]["id"]
    tablet.put(key, f"{a}.reason", "第一台")
    answer = pushed(mine, tablet)
    assert answer.status_code == 200 and answer.json["receipts"][0]["status"] == "accepted"
    pack = mine.get(f"/field/api/pack?tablet={mine.id}").json
    duty = next(d for d in pack["duties"] if d["key"] == key)
    assert duty["sheet"]["active_tablet"] == mine.id
    assert duty["sheet"]["rev"] == answer.json["sheets"][key]["rev"] == 1
    with base(app).read() as session:
        made = {u.sitting_id: u.sha256 for u in session.scalars(select(Unlock))}
    assert duty["unlock_hash"] == made[key] and set(made) == set(world.site.sittings)
    other = bind(world.expert(1), "第二台")
    second = VirtualTablet(other.id, form["digest"])
    second.put(key, f"{a}.reason", "第二台")
    assert pushed(other, second).json["receipts"][0]["status"] == "branch"
    shown = other.get(f"/field/api/branches?tablet={other.id}&sheet={key}").json["branches"]
    assert shown[0]["items"][0]["branch"]["reason"] == "第二台"
    taken = other.client.post(
        "/field/api/take-over", json={"tablet": other.id, "sheet": key},
        headers={"X-CSRFToken": other.csrf},
    ).json  # fmt: skip
    assert taken["sheets"][key]["active_tablet"] == other.id
    assert taken["sheets"][key]["entries"][a]["reason"] == "第一台"
    stranger = other.client.post(
        "/field/api/take-over", json={"tablet": other.id, "sheet": "0" * 16}
    )
    assert (stranger.status_code, stranger.json["error"]["code"]) == (404, "absent")


def test_the_whole_call_is_refused_for_what_is_no_batch_or_no_tablet(app, world, bind, open_):
    key, form = open_
    mine, theirs = bind(world.expert(1)), bind(world.expert(2))
    tablet = VirtualTablet(mine.id, form["digest"])
    tablet.put(key, "x.y", "z")
    for body, status, code in (
        ({}, 422, "invalid"), ({"v": 2, "tablet": mine.id, "ops": []}, 422, "invalid"),
        ({"v": 1, "tablet": theirs.id, "ops": []}, 403, "tablet"),
        ({"v": 1, "tablet": "0" * 16, "ops": []}, 403, "tablet"),
        ({"v": 1, "tablet": mine.id, "ops": [{}] * 201}, 413, "too_large"),
        ({"v": 1, "tablet": mine.id, "ops": ["x" * 600_000]}, 413, "too_large"),
    ):  # fmt: skip
        answer = mine.client.post("/field/api/push", json=body)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code), body
    deep = "[" * 60_000 + "]" * 60_000
    answer = mine.client.post(
        "/field/api/push", data=f'{{"v":1,"tablet":"{mine.id}","ops":[{deep}]}}',
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code in (200, 422) and "receipts" not in (answer.json.get("error") or {})
    for hostile in ({"id": 5}, {"kind": "set"}, None, 5, {"v": 1.5}, {"a": "\ud800"}):
        answer = mine.client.post(
            "/field/api/push", data=json.dumps({"v": 1, "tablet": mine.id, "ops": [hostile]}),
            content_type="application/json",
        )  # fmt: skip
        assert answer.status_code == 200 and answer.json["stopped"]["code"] == "malformed", hostile
    with base(app).read() as session:
        assert session.scalars(select(Sheet)).all() == []


def test_an_experts_page_shows_what_came_and_changes_nothing(app, world, bind, open_, client_as):
    key, form = open_
    mine, second = bind(world.expert(1)), bind(world.expert(1))
    tablet, other = (VirtualTablet(one.id, form["digest"]) for one in (mine, second))
    a = sheet_items(form)[0]["id"]
    tablet.put(key, f"{a}.reason", "平板")
    pushed(mine, tablet)
    other.put(key, f"{a}.reason", "另一台")
    assert pushed(second, other).json["receipts"][0]["status"] == "branch"
    page = client_as(world.expert(1))
    with base(app).read() as session:
        sheet = session.scalars(select(Sheet)).one().id
    where = f"/r/{world.slug}/sheets/{sheet}"
    shown = page.get(where).get_data(as_text=True)
    assert "测试平板" in shown and "另一台设备上还有这张表的内容" in shown
    assert 'href="/field"' in shown and "/account/tablets/here" in shown
    assert "data-autosave-url" not in shown and "signed_name" not in shown
    for gone in ("save", "review", "correct", "take-over", "branch"):
        assert page.post(f"{where}/{gone}").status_code == 404
    assert client_as(world.expert(2)).get(where).status_code == 404


def test_an_expert_who_is_signed_in_goes_on_in_the_field_application(app, world, client_as):
    page = client_as(world.expert(1))
    sent = page.post("/account/tablets/here")
    address, _, code = sent.headers["Location"].partition("#")
    assert sent.status_code == 302 and address == "/field" and len(code) == 28
    key = Key()
    body = {"code": code, "public_key": key.public, "label": "办公室电脑"}
    answer = page.post("/field/api/bind", json=body)
    assert answer.status_code == 200 and answer.json["role"] == "expert"
    assert page.get(f"/field/api/pack?tablet={answer.json['tablet']}").status_code == 200
    assert page.get(f"/r/{world.slug}/sheets").status_code == 200  # nothing else is lost by it
    assert app.test_client().post("/field/api/bind", json=body).status_code == 403  # used
    older = page.post("/account/tablets/here").headers["Location"].partition("#")[2]
    page.post("/account/tablets/here")
    assert page.post("/field/api/bind", json={**body, "code": older}).status_code == 403
    assert client_as(world.people["office"]).post("/account/tablets/here").status_code == 403


def test_the_supervisors_page_of_a_late_sheet(app, world, bind, open_, client_as):
    key, form = open_
    mine = bind(world.expert(1))
    with base(app).write() as session:
        sitting = session.get_one(Sitting, key)
        from app.scoring import operations

        for number in range(2, steps.SEATS + 1):
            steps.sealed_sheet(session, sitting, world.expert(number))
        operations.mark_absent(
            session, world.people["office"], sitting=sitting, seat=world.seat(session, 1),
            reason="联系不上",
        )  # fmt: skip
        operations.close_scoring(session, world.people["office"], sitting=sitting)
        end = sitting.closed_at
    tablet = VirtualTablet(mine.id, form["digest"])
    filled(tablet, key, form, world.expert(1).name, end - timedelta(minutes=9))
    pushed(mine, tablet)
    with base(app).read() as session:
        late = session.scalars(select(LateSheet)).one().id
    office, supervisor = client_as(world.people["office"]), client_as(world.people["supervisor"])
    where = f"/r/{world.slug}/late/{late}"
    for client in (office, supervisor):
        assert where in client.get(f"/r/{world.slug}/field").get_data(as_text=True)
        assert client.get(where).status_code == 200
    given = {"decision": "accepted", "reason": "现场无信号，记录员作证"}
    assert office.post(where, data=given).status_code == 403
    assert supervisor.post(where, data={"decision": "", "reason": "x"}).status_code == 422
    assert supervisor.post(where, data=given).status_code == 302
    with base(app).read() as session:
        row = session.scalars(select(Sheet).where(Sheet.seat_id == world.site.seats[0])).one()
        assert row.state == "sealed"
    assert supervisor.post(where, data=given).status_code in (409, 422)


def test_the_recorder_alone_is_shown_the_code_after_the_statement(app, world, client_as):
    with base(app).write() as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        office = world.people["office"]
        account = session.get_one(panels.Account, office.id)
        panels.set_recorder(session, office, panel=sitting.panel, account=account)
        unlocks.make_unlocks(session, [sitting.id])
        row = unlocks.unlocks_of(session, [sitting.id])[sitting.id]
        secret = unlocks.secret_in(session, row)
        key = sitting.id
    client, other = client_as(world.people["office"]), client_as(world.people["office2"])
    where = f"/r/{world.slug}/sittings/{key}"
    assert client.get(f"{where}/unlock").status_code == 409
    with base(app).write() as session:
        steps.speak(session, world, session.get_one(Sitting, key))
    page = client.get(f"{where}/unlock").get_data(as_text=True)
    typed = re.search(r'class="typed">([A-Z2-7-]+)<', page)[1]
    assert typed.replace("-", "") == secret
    assert f"{where}/unlock" in client.get(where).get_data(as_text=True)
    assert other.get(f"{where}/unlock").status_code == 404
    assert f"{where}/unlock" not in other.get(where).get_data(as_text=True)
