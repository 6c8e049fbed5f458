"""The statement room: opening, challenge window, consent, questions, attachments, confirmation, receipt."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.models import Event
from app.ledger.receipts import receipt_code
from app.panel import operations
from app.panel.models import Statement
from tests.attacks import world as steps
from tests.field.recordings import photo

SIGNED = [[[10, 20, 0], [30, 25, 40]], [[12, 40, 300]]]


@pytest.fixture
def gathered(session, world):
    steps.declare(session, world)
    return steps.gather(session, world)


def begin(session, world, sitting, **more):
    return operations.open_statement(
        session, world.people["office"], sitting=sitting, presenter_name="虚拟陈述",
        presenter_post="虚构副区长", proxy="委〔2012〕1号", **more,
    )  # fmt: skip


def test_the_window_for_challenges_has_an_end(session, world, gathered):
    row = begin(session, world, gathered, identity="id_card", challenge_minutes=10)
    assert row.identity == "id_card" and row.challenge_until == row.opened_at + timedelta(
        minutes=10
    )
    ask = lambda n: operations.challenge(  # noqa: E731
        session, world.presenters[0], sitting=gathered, seat=world.seat(session, n),
        reason="曾任该区顾问",
    )  # fmt: skip
    with clock.fixed(row.challenge_until - timedelta(seconds=1)):
        case = ask(2)
    with clock.fixed(row.challenge_until), pytest.raises(Conflict, match="时间已过"):
        ask(3)
    operations.record_answer(session, world.people["office"], challenge=case, answer="没有")
    operations.decide_challenge(
        session, world.people["supervisor"], challenge=case, upheld=False, reason="经查并无此事"
    )
    operations.record_statement(
        session, world.people["office"], sitting=gathered, outline="内容", questions="", version=1
    )
    close = lambda: operations.close_statement(  # noqa: E731
        session, world.people["office"], sitting=gathered, unconfirmed="absent"
    )
    with pytest.raises(Conflict, match="时间未到"):
        close()  # an unconfirmed close would cut the window short
    with clock.fixed(row.challenge_until + timedelta(seconds=1)):
        close()
    assert row.closed_at is not None


@pytest.mark.parametrize(
    "more", [{"challenge_minutes": 0}, {"challenge_minutes": 61}, {"identity": "x"}]
)
def test_the_opening_checks_its_choices(session, world, gathered, more):
    with pytest.raises(DomainError):
        begin(session, world, gathered, **more)
    assert gathered.phase == "open"


def test_signed_with_name_and_hand_and_the_receipt_is_the_leafs(session, world, gathered):
    office, presenter = world.people["office"], world.presenters[0]
    row = begin(session, world, gathered)
    operations.add_exchange(
        session,
        office,
        sitting=gathered,
        asked_by="席位3",
        question="存量用地多少？",
        answer="十二公顷",
    )
    operations.add_exchange(
        session, office, sitting=gathered, asked_by="", question="何时完成？", answer=""
    )
    assert row.questions.split("\n") == [
        "问（席位3）：存量用地多少？", "答：十二公顷", "问：何时完成？", "答：—",
    ]  # fmt: skip
    operations.record_statement(
        session, presenter, sitting=gathered, outline="内容", questions=None, version=row.version
    )
    confirm = lambda who, **how: operations.confirm_statement(  # noqa: E731
        session, who, sitting=gathered, version=row.version, **how
    )
    with pytest.raises(Forbidden):
        confirm(office)  # an office without the representative's hand confirms nothing
    with pytest.raises(Forbidden):
        confirm(world.presenters[1], signature=SIGNED)
    with pytest.raises(DomainError) as caught:
        confirm(presenter, signed_name="张三")
    assert caught.value.field == "signed_name"
    for bad in ([[[1, 2]]], [[[1, 2, "x"]]], [[[1.5, 2, 3]]], [5], [[[1, 2, 3]] * 20_001]):
        with pytest.raises(DomainError):
            confirm(office, signature=bad)
    confirm(office, signed_name="虚拟陈述", signature=SIGNED)
    assert (row.confirmed_name, row.signature) == ("虚拟陈述", SIGNED)
    operations.record_statement(
        session, office, sitting=gathered, outline="改过", questions=None, version=row.version
    )
    assert (row.confirmed_at, row.confirmed_name, row.signature) == (None, None, None)
    confirm(presenter, signed_name=presenter.name)
    operations.close_statement(session, office, sitting=gathered)
    entry = session.get(Event, row.receipt_seq)
    payload = json.loads(entry.payload)
    assert payload["kind"] == "statement.closed" and row.receipt == receipt_code(entry.leaf)
    assert ["statement", row.id, row.ledger_digest()] in payload["rows"]


def test_consent_once_by_the_county_or_for_it(session, world, gathered):
    row = begin(session, world, gathered)
    with pytest.raises(Forbidden):
        operations.consent(session, world.presenters[1], sitting=gathered)
    with pytest.raises(Forbidden):
        operations.consent(session, world.expert(1), sitting=gathered)
    operations.consent(session, world.presenters[0], sitting=gathered)
    first = row.consent_at
    operations.consent(session, world.people["office"], sitting=gathered)
    assert row.consent_at == first and row.consent_by == world.presenters[0].id


def test_the_pages_walk_through_a_statement(client_as, world, app):
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        steps.declare(session, world)
        sitting_id = steps.gather(session, world).id
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    office, presenter = client_as("office"), client_as(world.presenters[0])
    expert, supervisor = client_as(world.expert(1)), client_as("supervisor")
    assert "虚拟专家01" not in presenter.get(f"{where}/room").text  # secret until the opening
    sent = {
        "presenter_name": "虚拟陈述", "presenter_post": "虚构副区长", "proxy": "委〔2012〕1号",
        "identity": "work_pass", "challenge_minutes": "15",
    }  # fmt: skip
    assert office.post(f"{where}/statement/open", data=sent).status_code == 302
    page = presenter.get(f"{where}/room").text
    assert "虚拟专家01" in page and 'data-left="' in page and "已核对工作证件" in page
    assert client_as(world.presenters[1]).get(f"{where}/room").status_code == 404
    assert office.post(f"{where}/statement/consent", data={}).status_code == 422
    assert "打开录音页" not in presenter.get(f"{where}/room").text
    assert presenter.post(f"{where}/statement/consent", data={"agreed": "y"}).status_code == 302
    assert "打开录音页" in presenter.get(f"{where}/room").text
    assert 'data-may="yes"' in presenter.get(f"{where}/record").text
    upload = lambda client, kind, data, name: client.post(  # noqa: E731
        f"{where}/statement/files", data={"kind": kind, "file": (io.BytesIO(data), name)}
    )
    assert upload(presenter, "proxy", photo(place=False), "委托书.jpg").status_code == 302
    assert upload(office, "attachment", photo(place=False, kind="PNG"), "图.png").status_code == 302
    assert upload(office, "attachment", b"<html>", "图.html").status_code == 422
    assert upload(office, "attachment", b"", "").status_code == 422
    assert "委托书.jpg" in supervisor.get(f"{where}/room").text
    theirs = expert.get(f"{where}/room").text
    assert "图.png" in theirs and "委托书.jpg" not in theirs
    links = [part.split('"')[0] for part in office.get(f"{where}/room").text.split('href="')]
    files = [link for link in links if "/statement/files/" in link]
    assert len(files) == 2
    assert sorted(expert.get(link).status_code for link in files) == [200, 404]
    asked = {"asked_by": "席位1", "question": "数据来源？", "answer": "变更调查"}
    assert office.post(f"{where}/statement/exchange", data=asked).status_code == 302
    assert office.post(f"{where}/statement/exchange", data={"question": ""}).status_code == 422
    record = {"version": 2, "outline": "陈述全文", "back": "room"}
    saved = presenter.post(f"{where}/statement", data=record)
    assert saved.status_code == 302 and saved.headers["Location"].endswith("/room")
    assert (
        expert.post(f"{where}/bookmarks", data={"item": "P1", "words": "核实"}).status_code == 302
    )
    mine = expert.get(f"{where}/room").text
    assert "核实" in mine and "核实" not in office.get(f"{where}/room").text
    confirm = f"{where}/statement/confirm"
    assert office.post(confirm, data={"version": 3}).status_code == 403
    neither = presenter.post(confirm, data={"version": 3, "signed_name": " ", "signature": ""})
    assert neither.status_code == 422 and "手写签名" in neither.text
    wrong = presenter.post(confirm, data={"version": 3, "signed_name": "别人"})
    assert wrong.status_code == 422 and "别人" in wrong.text
    assert office.post(confirm, data={"version": 3, "signature": "{"}).status_code == 422
    signed = {"version": 3, "signature": json.dumps(SIGNED), "signed_name": "虚拟陈述"}
    assert office.post(confirm, data=signed).status_code == 302
    assert "已手写签名" in presenter.get(f"{where}/room").text
    assert office.post(f"{where}/statement/close", data={}).status_code == 302
    assert "陈述已结束，已向全体成员同时开放评分" in office.get(f"{where}/room").text
    with database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert row.consent_at and row.receipt and row.proxy == "委〔2012〕1号"
    for client in (presenter, office, expert, supervisor):
        assert row.receipt in client.get(f"{where}/room").text
    with database.read() as session:  # with the close, for the whole panel at once
        assert world.sitting(session).phase == "scoring"
    assert office.post(f"{where}/scoring").status_code == 409
    assert presenter.post(f"{where}/statement/consent", data={"agreed": "y"}).status_code == 409
