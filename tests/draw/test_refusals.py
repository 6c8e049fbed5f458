"""Refused attempts: each in the ledger, bounded, shown to the supervisor."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.domain.types import Conflict
from app.draw import messages, operations, refusals
from app.draw.models_refusals import DrawRefusal
from app.ledger import prove
from app.ledger.models import Event, Secret
from app.programme.models import Round, Subject
from app.supervision import anomalies_refusals
from app.supervision.anomalies_refusals import FIRST
from app.ui.request import READING
from tests.draw.builders import Staff, completed, make_pool, make_round, request, to_dice

BASE = "/r/r1/draws"


@pytest.fixture
def people(write: Any, make: Any) -> Staff:
    with write() as session:
        make_pool(session)
        make_round(session, kind="real")
        return Staff(session, make)


@pytest.fixture
def page(people: Staff, write: Any) -> str:
    """A completed real draw."""
    with write() as session:
        draw = completed(session, people, request(session, people, session.scalar(select(Round))))
        return f"{BASE}/{draw.id}"


def kept(write: Any) -> list[DrawRefusal]:
    with write() as session:
        return list(session.scalars(select(DrawRefusal).order_by(DrawRefusal.seq)))


def entries(write: Any) -> list[dict[str, Any]]:
    with write() as session:
        payloads = session.scalars(select(Event.payload).order_by(Event.seq))
        return [body for p in payloads if (body := json.loads(p))["kind"] == refusals.EVENT]


def test_a_refused_step_stands_in_the_ledger_with_who_what_and_why(
    client_as: Any, people: Staff, page: str, write: Any
) -> None:
    office, draw_id = client_as(people.office), page.rpartition("/")[2]
    assert office.post(f"{page}/complete").status_code == 409
    assert office.post(f"{page}/commit").status_code == 409
    wrong = office.post(f"{page}/code", data={"party": "office", "code": "0" * 64})
    assert wrong.status_code == 422
    assert office.post(f"{page}/cosign").status_code == 403
    assert office.post(f"{BASE}/{'0' * 16}/complete").status_code == 404
    rows = kept(write)
    assert [(r.act, r.reason) for r in rows] == [
        ("complete", "state"), ("commit", "state"), ("code", "state"), ("cosign", "role"),
        ("complete", "unknown"),
    ]  # fmt: skip
    assert {r.actor_id for r in rows} == {people.office.id}
    assert [r.draw_id for r in rows] == [draw_id] * 4 + [None]
    found = entries(write)
    assert [body["actor"] for body in found] == [people.office.id] * 5
    first = dict(found[0]["data"])
    assert first.pop("round") and first == {
        "draw": draw_id, "act": "complete", "reason": "state", "turned_away": 0,
    }  # fmt: skip
    with write() as session:
        assert [json.loads(session.get_one(Event, r.seq).payload)["kind"] for r in rows] == [
            refusals.EVENT
        ] * 5
        assert prove.verify(session, session.info["keys"]).faults == []


def test_a_wrong_code_is_told_from_a_wrong_moment(
    client_as: Any, people: Staff, write: Any
) -> None:
    with write() as session:
        draw = to_dice(
            session, people, request(session, people, session.scalars(select(Round)).one())
        )
        where = f"{BASE}/{draw.id}/code"
    office = client_as(people.office)
    assert office.post(where, data={"party": "office", "code": "0" * 64}).status_code == 422
    assert office.post(where, data={"party": "office", "code": ""}).status_code == 422
    assert [r.reason for r in kept(write)] == ["code", "input"]


def test_a_forged_request_and_one_that_succeeds_leave_none(
    client_as: Any, people: Staff, page: str, write: Any, app: Any
) -> None:
    office = client_as(people.office)
    assert office.get(f"{BASE}/{'0' * 16}").status_code == 404
    assert office.post(f"{page}/template", data={"name": "常用"}).status_code == 302
    assert app.test_client().post(f"{page}/complete").status_code == 401
    app.config["WTF_CSRF_ENABLED"] = True
    assert office.post(f"{page}/complete").status_code == 400
    assert kept(write) == [] and entries(write) == []


def test_what_an_expert_tries_is_sealed(
    client_as: Any, people: Staff, page: str, write: Any
) -> None:
    expert = client_as("expert")
    assert expert.post(f"{page}/complete").status_code == 403
    (row,) = kept(write)
    assert (row.actor_id, row.reason) == (expert.viewer.id, "role") and entries(write) == []
    with write() as session:
        opened = json.loads(session.get_one(Secret, row.seq).body)
    assert opened["kind"] == refusals.EVENT and opened["actor"] == expert.viewer.id


def test_the_observers_refusals_are_his_links(
    client_as: Any, people: Staff, write: Any, app: Any
) -> None:
    people.secrets["observer"] = b"o" * 32
    with write() as session:
        round_ = session.scalars(select(Round)).one()
        draw = operations.request_draw(
            session, people.office, round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P1", "seats": 5}],
            parties=["office", "supervisor", "observer"],
        )  # fmt: skip
        where, key = f"{BASE}/{draw.id}", draw.id
    shown = client_as(people.office).post(f"{where}/observer").text
    address = re.search(r"/observe/[\w-]+", shown)
    assert address is not None
    guest = app.test_client()
    assert guest.post(f"{address.group()}/code", data={"code": "0" * 64}).status_code == 422
    assert guest.post("/observe/nothing/code", data={"code": "0" * 64}).status_code == 404
    (row,) = kept(write)
    assert (row.draw_id, row.actor_id, row.act, row.reason) == (
        key, None, "observe_code", "state",
    )  # fmt: skip
    assert row.link_id is not None


def test_a_hundred_close_the_room_and_what_is_turned_away_is_counted(
    client_as: Any, people: Staff, page: str, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "LIMIT", 4)
    moment = datetime.now(UTC) + timedelta(seconds=1)
    office, other = client_as(people.office), client_as("office")
    with clock.fixed(moment):
        answers = [office.post(f"{page}/complete").status_code for _ in range(10)]
    assert answers == [409] * 4 + [429] * 6
    assert [(r.reason, r.turned_away) for r in kept(write)] == [("state", 0)] * 4 + [("limit", 1)]
    with clock.fixed(moment + timedelta(seconds=70)):
        assert office.get(page).status_code == 200, "reading goes on"
        assert other.post(f"{page}/complete").status_code == 409, "others go on"
        assert office.post(f"{page}/complete").status_code == 429
    assert [(r.reason, r.turned_away) for r in kept(write)][-1] == ("limit", 6)
    with clock.fixed(moment + timedelta(seconds=80)):
        assert office.post(f"{page}/complete").status_code == 429
    with clock.fixed(moment + timedelta(minutes=16)):
        assert office.post(f"{page}/complete").status_code == 409
    rows = [r for r in kept(write) if r.actor_id == people.office.id]
    assert (rows[-1].reason, rows[-1].turned_away) == ("state", 1)
    tried = sum(r.turned_away + (r.reason != "limit") for r in rows)
    assert tried == 10 + 1 + 1 + 1, "every request is counted once"


def test_the_follow_page_records_its_refusal_too(
    client_as: Any, people: Staff, page: str, write: Any
) -> None:
    office = client_as(people.office)
    answer = office.post(f"{page}/commit", data={"follow": "1"}, follow_redirects=True)
    assert answer.status_code == 200
    for _ in range(200):
        if kept(write):
            break
        time.sleep(0.05)
    assert [(r.act, r.reason) for r in kept(write)] == [("commit", "state")]


def test_the_supervisor_sees_them_first(
    client_as: Any, people: Staff, page: str, write: Any
) -> None:
    office, supervisor = client_as(people.office), client_as(people.supervisor)
    for _ in range(3):
        office.post(f"{page}/complete")
    with write() as session:
        subjects = list(session.scalars(select(Subject.id)))
    form = {
        "stage": "desk", "subjects": subjects, "split": "one", "seats": "5", "mode": "tickets",
        "load_cap": "0", "replacement": "act", "dice": "50", "accept_high": "",
    }  # fmt: skip
    assert office.post(f"{BASE}/new", data=form).status_code == 422
    assert office.post(f"{page}/plan", data={}).status_code == 422
    shown = supervisor.get(f"/supervision/draws/{page.rpartition('/')[2]}").text
    for words in ("被拒绝的操作", "完成抽取", "当前状态不允许", "该事项已有抽取"):
        assert words in shown, words
    overview = supervisor.get("/supervision").text
    assert "的操作被拒绝 1 次（该事项已有抽取 1）" in overview
    assert "的操作被拒绝 3 次（当前状态不允许 3）" in overview
    with write() as session:
        found = anomalies_refusals.find(session)
        assert {a.weight for a in found} == {FIRST + 1, FIRST + 3}, "the slip in the plan is none"


def test_every_page_that_writes_has_words(app: Any) -> None:
    acts = {
        rule.endpoint.partition(".")[2]
        for rule in app.url_map.iter_rules()
        if rule.methods - READING and rule.endpoint.startswith("draw.")
    } | {"observe_chain", "observe_code", "settle_tie"}
    assert acts == set(refusals.ACTS)
    reasons = {refusals.reason_of(None, status) for status in (400, 403, 404, 409, 422, 500)}
    assert reasons | {"purpose", "limit", "code"} <= set(refusals.REASONS)


def test_reasons_come_from_what_was_raised() -> None:
    told = Counter(
        refusals.reason_of(error, 422)
        for error in (
            None, messages.cannot(messages.STATE["draft"], messages.STATE["draft"]),
            Conflict(messages.OTHER_ROUND, field="purpose"),
        )
    )  # fmt: skip
    assert told == Counter({"input": 1, "state": 1, "purpose": 1})
