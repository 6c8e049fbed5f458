"""Requests that the person did not mean: forged, stale, with fields that nobody offered."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app.accounts.models import Account, RoleGrant
from app.factory import UNSIGNED
from app.ledger.models import Event
from app.panel.models import Attendance, Panel, Sitting
from tests.attacks import world as steps
from tests.attacks.cells import table


@pytest.fixture
def guarded(client_as):
    """`guarded(viewer)`: a client with the forgery check switched on, as it really runs."""

    def signed_in(viewer):
        client = client_as(viewer)
        client.application.config["WTF_CSRF_ENABLED"] = True
        return client

    return signed_in


def events(client):
    with client.application.extensions["mingjian.db"].read() as session:
        return session.scalar(select(func.count()).select_from(Event))


def token_of(page):
    return re.search(r'name="csrf" content="([^"]+)"', page.get_data(as_text=True))[1]


def test_every_unsafe_route_without_a_token_does_nothing_and_says_so(guarded, world):
    client = guarded(world.people["office"])
    application = client.application
    before = events(client)
    unsafe = [
        rule
        for rule in application.url_map.iter_rules()
        if rule.methods & {"POST", "PUT", "DELETE"}
    ]
    assert len(unsafe) > 60
    known = table()
    for rule in unsafe:
        assert rule.endpoint in known
        if rule.endpoint in UNSIGNED:
            continue  # tests/field/test_field_tablets.py
        plain = {"slug": world.slug, "number": 1}
        with application.test_request_context():
            from flask import url_for

            where = url_for(rule.endpoint, **{a: plain.get(a, "0" * 16) for a in rule.arguments})
        method = min(rule.methods & {"POST", "PUT", "DELETE"})
        for extra in ({}, {"csrf_token": "forged"}):
            page = client.open(
                where,
                method=method,
                data={"reason": "x", **extra},
                headers={"Origin": "http://evil"},
            )
            assert page.status_code == 400, rule.endpoint
            if rule.rule.startswith("/field/api/"):
                assert page.json["error"]["code"] == "stale"
                continue
            text = page.get_data(as_text=True)
            assert "内容没有提交" in text and "保留在本机" in text, rule.endpoint
        as_json = client.open(where, method=method, json={"fields": {}})
        assert as_json.status_code == 400
        assert "nothing was submitted" in as_json.json["error"]["text_en"]
    assert events(client) == before


def test_with_its_token_the_same_request_works_and_anothers_token_does_not(guarded, world):
    client, other = guarded(world.people["office"]), guarded(world.people["office2"])
    where = f"/r/{world.slug}/sittings/{world.site.sittings[0]}/open"
    foreign = token_of(other.get("/"))
    client.get("/")
    assert client.post(where, data={"csrf_token": foreign}).status_code == 400
    mine = token_of(client.get("/"))
    assert client.post(where, data={"csrf_token": mine}).status_code == 302


def test_signing_in_is_guarded_too(app, make):
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    page = client.post("/sign-in", data={"login": "eve", "password": "x" * 12})
    assert page.status_code == 400 and "没有提交" in page.get_data(as_text=True)


def test_a_session_that_ended_while_one_was_typing_submits_nothing(client_as, world):
    """The page says what to do; the form carries `data-keep`, so the device kept what was typed."""
    client = client_as(world.people["office"])
    database = client.application.extensions["mingjian.db"]
    with database.write() as session:
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        sitting_id = sitting.id
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    form = client.get(where).get_data(as_text=True)
    assert f'data-keep="statement-{sitting_id}"' in form
    client.post("/sign-out")
    before = events(client)
    answer = client.post(where + "/statement", data={"outline": "写了很久的记录", "version": "2"})
    assert answer.status_code == 401
    assert "内容没有提交" in answer.get_data(as_text=True)
    assert "重新登录" in answer.get_data(as_text=True)
    assert events(client) == before
    script = client.post(where + "/statement", json={})
    assert script.status_code == 401 and "expired" in script.json["error"]["text_en"]


def columns(model):
    return {c.key: "1" for c in model.__table__.columns}


def test_fields_that_nobody_offered_change_nothing(client_as, world):
    """Every column of the models, posted along, is ignored."""
    client = client_as(world.people["office"])
    database = client.application.extensions["mingjian.db"]
    stray = {
        **columns(Sitting), **columns(Panel), **columns(Attendance), "role": "supervisor",
        "actor": "x", "phase": "closed", "with_statement": "",
    }  # fmt: skip
    sitting_id = world.site.sittings[0]
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    form = {**stray, "on": "2012-11-13", "place": "二会议室"}
    assert client.post(where + "/schedule", data=form).status_code == 302
    with database.read() as session:
        row = session.get(Sitting, sitting_id)
        assert (str(row.on), row.place, row.phase) == ("2012-11-13", "二会议室", "planned")
        assert row.panel_id == world.site.id and row.position == 1 and row.with_statement
    assert client.post(where + "/open", data=stray).status_code == 302
    with database.read() as session:
        row = session.get(Sitting, sitting_id)
        assert row.phase == "open" and row.closed_at is None
        grants = session.scalars(
            select(RoleGrant.role)
            .join(Account, Account.person_id == RoleGrant.person_id)
            .where(Account.id == world.people["office"].id)
        ).all()
        assert grants == ["office"]


@pytest.mark.parametrize("version", ["²", "٣", "", "-1", "9" * 5000, "1e3", "0x1", "\x00"])
def test_a_version_that_is_no_number_is_a_clear_refusal(client_as, world, version):
    client = client_as(world.people["office"])
    with client.application.extensions["mingjian.db"].write() as session:
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        sitting_id = sitting.id
    where = f"/r/{world.slug}/sittings/{sitting_id}/statement"
    answer = client.post(where, data={"outline": "留住这段文字", "version": version})
    assert answer.status_code in (409, 422)
    assert "留住这段文字" in answer.get_data(as_text=True), "what was typed is on the page"


def test_two_people_on_one_statement_see_both_texts(client_as, world):
    office, presenter = client_as(world.people["office"]), client_as(world.presenters[0])
    with office.application.extensions["mingjian.db"].write() as session:
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        sitting_id = sitting.id
    where = f"/r/{world.slug}/sittings/{sitting_id}/statement"
    first = presenter.post(where, data={"outline": "陈述人写的", "version": "2"})
    assert first.status_code == 302
    late = office.post(where, data={"outline": "记录员写的", "questions": "问", "version": "2"})
    text = late.get_data(as_text=True)
    assert late.status_code == 409 and "陈述人写的" in text and "记录员写的" in text
    assert re.search(r'name="version"[^>]*value="3"', text) or 'value="3"' in text
    again = office.post(where, data={"outline": "合并后的", "questions": "问", "version": "3"})
    assert again.status_code == 302
