"""Binding a tablet, opening sessions by signature, and shutting a tablet out."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from app import clock
from app.accounts import operations, queries, tablets, throttling
from app.accounts.models import SignIn, Tablet, TabletNonce
from app.accounts.passwords import plain_code
from app.domain.types import Conflict, Forbidden, NotFound
from app.ledger import prove
from app.ledger.models import Event, Secret
from tests.field.conftest import Key, code_for
from tests.field.counting import queries_of


def database(app: Any) -> Any:
    return app.extensions["mingjian.db"]


def kinds(app: Any) -> list[str]:
    """Kinds of every ledger entry, sealed ones opened."""
    with database(app).read() as session:
        opened = {row.seq: row.body for row in session.scalars(select(Secret))}
        rows = session.scalars(select(Event).order_by(Event.seq))
        return [json.loads(opened.get(row.seq, row.payload))["kind"] for row in rows]


def test_the_desks_code_is_140_bits_typed_in_groups_and_in_a_fragment(app, client_as, world):
    desk = client_as(world.people["office"])
    where = f"/r/{world.slug}/panels/{world.site.id}/link"
    page = desk.post(where, data={"seat": world.site.seats[0]}).get_data(as_text=True)
    typed = re.search(r"data-code>([0-9A-Z-]+)<", page)[1]
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", typed)
    code = typed.replace("-", "")
    assert f"data-link>http://127.0.0.1:8000/field#{code}<" in page
    assert f"data-enter>http://127.0.0.1:8000/enter/{code}<" in page
    other = desk.post(where, data={"seat": world.site.seats[0]}).get_data(as_text=True)
    assert typed not in other
    # As somebody types it: small letters, blanks, O for 0, I for 1, full-width.
    clumsy = " ".join(code[i : i + 4] for i in range(0, 28, 4)).lower()
    clumsy = clumsy.replace("0", "o").replace("1", "i").replace("a", "ａ")
    key = Key()
    answer = app.test_client().post(
        "/field/api/bind", json={"code": clumsy, "public_key": key.public, "label": "平板"}
    )
    assert answer.status_code == 200
    assert answer.json["account"] == world.expert(1).id
    assert (answer.json["name"], answer.json["role"]) == (world.expert(1).name, "expert")
    assert set(answer.json) == {"tablet", "account", "name", "role", "csrf", "server_time"}
    used = app.test_client().get(f"/enter/{code}")
    assert used.status_code == 404


def test_the_same_code_still_signs_a_browser_in_without_the_application(app, world):
    code = code_for(app, world.people["office"], world.expert(2))
    client = app.test_client()
    assert client.get(f"/enter/{code}").status_code == 200
    assert client.post(f"/enter/{code}").status_code == 302
    assert world.expert(2).name in client.get("/account").get_data(as_text=True)
    again = app.test_client().post(
        "/field/api/bind", json={"code": code, "public_key": Key().public, "label": "x"}
    )
    assert (again.status_code, again.json["error"]["code"]) == (403, "code")


def test_a_code_ends_after_ten_minutes(app, world):
    code = code_for(app, world.people["office"], world.expert(1))
    body = {"code": code, "public_key": Key().public, "label": "x"}
    with clock.fixed(clock.now() + timedelta(minutes=10, seconds=1)):
        late = app.test_client().post("/field/api/bind", json=body)
    assert (late.status_code, late.json["error"]["code"]) == (403, "code")
    assert app.test_client().post("/field/api/bind", json=body).status_code == 200


def test_binding_is_a_sealed_entry_and_the_ledger_verifies(app, bind, world, keys):
    tablet = bind(world.expert(1), label="  二号\n平板  ")
    assert kinds(app)[-2:] == ["tablet.bound", "sign_in.opened"]
    with database(app).read() as session:
        row = session.get(Tablet, tablet.id)
        assert (row.label, row.public_key, row.revoked_at) == ("二号 平板", tablet.key.public, None)
        assert "Android" in row.agent
        newest = list(session.scalars(select(Event).order_by(Event.seq.desc()).limit(2)))
        assert all(json.loads(entry.payload)["kind"] == "sealed" for entry in newest)
        assert prove.verify(session, keys).faults == []


@pytest.mark.parametrize(
    "public_key",
    ["", "bm8=", "*", Key(ec.SECP384R1()).public, Key(ec.SECP256K1()).public, 7],
)
def test_another_key_than_p256_binds_nothing_and_leaves_the_code(app, world, public_key):
    code = code_for(app, world.people["office"], world.expert(1))
    client = app.test_client()
    body = {"code": code, "public_key": public_key, "label": "x"}
    assert client.post("/field/api/bind", json=body).status_code == 422
    body["public_key"] = Key().public
    assert client.post("/field/api/bind", json=body).status_code == 200


def test_a_session_by_signature_and_the_ways_it_fails(app, bind, world):
    tablet = bind(world.expert(1))
    assert tablet.client.post("/field/api/sign-out").status_code == 204
    gone = tablet.get("/field/api/pack?tablet=" + tablet.id)
    assert (gone.status_code, gone.json["error"]["code"]) == (401, "signed_out")
    opened = tablet.reopen()
    assert opened.status_code == 200
    assert opened.json["tablet"] == tablet.id
    assert opened.json["csrf"] != tablet.csrf
    assert tablet.get("/field/api/pack?tablet=" + tablet.id).status_code == 200

    fresh = app.test_client()

    def nonce_of(tablet_id: str) -> str:
        return fresh.post("/field/api/challenge", json={"tablet": tablet_id}).json["nonce"]

    def attempt(tablet_id: str, nonce: str, signature: str) -> tuple[int, bytes]:
        answer = fresh.post(
            "/field/api/session",
            json={"tablet": tablet_id, "nonce": nonce, "signature": signature},
        )
        return answer.status_code, answer.get_data()

    other = bind(world.expert(2))
    words = "FIELD/1 session\n{}\n{}"
    answers = set()
    nonce = nonce_of(tablet.id)
    answers.add(attempt(tablet.id, nonce, other.key.sign(words.format(tablet.id, nonce))))
    right = tablet.key.sign(words.format(tablet.id, nonce))
    answers.add(attempt(tablet.id, nonce, right))  # the nonce is spent by the wrong signature
    nonce = nonce_of(tablet.id)
    answers.add(attempt(tablet.id, nonce, tablet.key.sign(nonce)))  # not what is to be signed
    nonce = nonce_of(tablet.id)
    answers.add(attempt(tablet.id, nonce, "AAAA"))
    nonce = nonce_of(other.id)  # another tablet's nonce
    answers.add(attempt(tablet.id, nonce, tablet.key.sign(words.format(tablet.id, nonce))))
    nonce = nonce_of("0" * 16)  # no such tablet: a nonce all the same
    assert re.fullmatch("[0-9a-f]{64}", nonce)
    answers.add(attempt("0" * 16, nonce, tablet.key.sign(words.format("0" * 16, nonce))))
    nonce = nonce_of(tablet.id)
    with clock.fixed(clock.now() + timedelta(minutes=2, seconds=1)):
        answers.add(attempt(tablet.id, nonce, tablet.key.sign(words.format(tablet.id, nonce))))
    operations_revoke(app, world.people["supervisor"], tablet.id)
    nonce = nonce_of(tablet.id)
    answers.add(attempt(tablet.id, nonce, tablet.key.sign(words.format(tablet.id, nonce))))
    assert len(answers) == 1, "every refusal has the same bytes"
    ((status, body),) = answers
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (403, "tablet")
    assert error["text"] == error["text_zh"] != error["text_en"]


def operations_revoke(app: Any, actor: Any, tablet_id: str, reason: str = "遗失") -> None:
    with database(app).write() as session:
        operations.revoke_tablet(session, actor, tablet_id, reason)


def test_revoking_ends_the_tablets_sessions_at_once_and_no_others(app, bind, client_as, world):
    lost, kept = bind(world.expert(1), "丢失的"), bind(world.expert(1), "留着的")
    browser = client_as(world.expert(1))
    supervisor = client_as(world.people["supervisor"])
    page = f"/r/{world.slug}/tablets"
    listed = supervisor.get(page).get_data(as_text=True)
    assert "丢失的" in listed and "留着的" in listed
    without = supervisor.post(f"{page}/{lost.id}/revoke", data={"reason": "丢"})
    assert without.status_code == 422
    assert 'value="丢"' in without.get_data(as_text=True)
    done = supervisor.post(f"{page}/{lost.id}/revoke", data={"reason": "途中遗失"})
    assert done.status_code == 302
    assert lost.get(f"/field/api/pack?tablet={lost.id}").status_code == 401
    assert lost.reopen().status_code == 403
    assert kept.get(f"/field/api/pack?tablet={kept.id}").status_code == 200
    assert browser.get("/account").status_code == 200
    with database(app).read() as session:
        row = session.get(Tablet, lost.id)
        assert row.revoked_reason == "途中遗失"
        assert row.revoked_by == world.people["supervisor"].id
        live = session.scalar(
            select(func.count()).select_from(SignIn).where(
                SignIn.tablet_id == lost.id, SignIn.revoked_at.is_(None)
            )
        )  # fmt: skip
        assert live == 0
        told = [json.loads(row.payload) for row in session.scalars(select(Event))]
    public = [entry for entry in told if entry["kind"] == "tablet.revoked"]
    assert [entry["data"] for entry in public] == [{"tablet": lost.id}]
    twice = supervisor.post(f"{page}/{lost.id}/revoke", data={"reason": "再来"})
    assert twice.status_code == 409


def test_who_may_revoke_what(app, bind, client_as, make, world):
    tablet = bind(world.expert(1))
    with database(app).write() as session:
        for viewer in (world.expert(2), world.people["keeper"], world.people["admin"]):
            with pytest.raises(NotFound):
                operations.revoke_tablet(session, viewer, tablet.id, "试试")
    neighbour = client_as(world.expert(2))
    assert neighbour.post(f"/account/tablets/{tablet.id}/revoke").status_code == 404
    elsewhere = client_as(world.people["office"])
    other = f"/r/{world.other_slug}/tablets/{tablet.id}/revoke"
    assert elsewhere.post(other, data={"reason": "不在这一届"}).status_code == 404
    owner = client_as(world.expert(1))
    assert owner.post(f"/account/tablets/{tablet.id}/revoke").status_code == 302
    assert "已撤销" in owner.get("/account/tablets").get_data(as_text=True)


def test_a_role_that_is_gone_opens_no_session(app, bind, world):
    tablet = bind(world.expert(1))
    with database(app).write() as session:
        operations.revoke_role(session, world.people["admin"], person_id=world.expert(1).person_id)
    assert tablet.get(f"/field/api/pack?tablet={tablet.id}").status_code == 401
    assert tablet.reopen().status_code == 403


def test_a_recorders_tablet_reaches_the_field_application_only(app, client_as, world):
    office = client_as(world.people["office"])
    page = office.post("/account/tablets/code").get_data(as_text=True)
    code = re.search(r"data-code>([0-9A-Z-]+)<", page)[1]
    client, key = app.test_client(), Key()
    answer = client.post(
        "/field/api/bind", json={"code": code, "public_key": key.public, "label": "记录"}
    )
    assert (answer.status_code, answer.json["role"]) == (200, "office")
    assert client.get(f"/field/api/pack?tablet={answer.json['tablet']}").status_code == 200
    for where in ("/", "/account", "/account/tablets", f"/r/{world.slug}/panels"):
        assert client.get(where).status_code == 403, where
    assert office.get(f"/r/{world.slug}/panels").status_code == 200


def test_staff_get_no_code_from_the_desk_and_others_none_from_their_page(undone, world):
    with undone() as session:
        for role in ("keeper", "supervisor", "admin"):
            with pytest.raises(Forbidden):
                operations.own_code(session, world.people[role])
        first = operations.own_code(session, world.people["office"])
        second = operations.own_code(session, world.people["office"])
        assert queries.open_invitation(session, first) is None, "a new code ends the one before"
        assert queries.open_invitation(session, second) is not None
        stolen, _ = operations.make_link(
            session, world.people["office"], purpose="bind", role="keeper",
            person_id=world.people["keeper"].person_id, valid=timedelta(minutes=1),
        )  # fmt: skip
        with pytest.raises(Forbidden):
            operations.bind_tablet(
                session, queries.open_invitation(session, stolen), public_key=Key().public,
                label="x", agent="t", address="1", hours=1,
            )  # fmt: skip


def test_wrong_codes_are_counted_and_lock_the_address_not_the_tablets(app, bind, world):
    tablet = bind(world.expert(1))
    client = app.test_client()
    for _ in range(50):
        wrong = client.post(
            "/field/api/bind", json={"code": "A" * 28, "public_key": Key().public, "label": "x"}
        )
        assert wrong.status_code == 403
    code = code_for(app, world.people["office"], world.expert(2))
    body = {"code": code, "public_key": Key().public, "label": "x"}
    locked = client.post("/field/api/bind", json=body)
    assert (locked.status_code, locked.json["error"]["code"]) == (429, "locked")
    assert tablet.reopen().status_code == 200, "a bound tablet goes on"
    with clock.fixed(clock.now() + throttling.LOCK + timedelta(seconds=1)):
        with database(app).write() as session:
            operations.clear_failures(session, "tablet-code::127.0.0.1")
        code = code_for(app, world.people["office"], world.expert(2))
        assert client.post("/field/api/bind", json={**body, "code": code}).status_code == 200


def test_a_revoked_tablet_that_keeps_knocking_locks_only_itself_out(app, bind, world):
    gone, good = bind(world.expert(1)), bind(world.expert(2))
    operations_revoke(app, world.people["office"], gone.id)
    for _ in range(50):
        gone.reopen()
    nonce = gone.client.post("/field/api/challenge", json={"tablet": gone.id})
    assert nonce.status_code == 429
    assert good.reopen().status_code == 200


def test_nonces_that_ran_out_are_swept(app, bind, world):
    tablet = bind(world.expert(1))
    for _ in range(3):
        tablet.client.post("/field/api/challenge", json={"tablet": tablet.id})
    with clock.fixed(clock.now() + timedelta(minutes=3)):
        tablet.client.post("/field/api/challenge", json={"tablet": tablet.id})
    with database(app).read() as session:
        assert session.scalar(select(func.count()).select_from(TabletNonce)) == 1


def test_one_account_has_a_handful_of_tablets(undone, world):
    with undone() as session:
        for number in range(tablets.MAX_TABLETS + 1):
            token = operations.invite(
                session, world.people["office"], purpose="enter",
                person_id=world.expert(1).person_id,
            )  # fmt: skip
            assert token == plain_code(token) and len(token) == 28
            link = queries.open_invitation(session, token)
            given = {"public_key": Key().public, "label": "x", "agent": "t", "address": "1"}
            if number < tablets.MAX_TABLETS:
                operations.bind_tablet(session, link, **given, hours=1)
                continue
            with pytest.raises(Conflict):
                operations.bind_tablet(session, link, **given, hours=1)


def test_contacts_move_last_seen_without_an_entry(app, bind, world):
    tablet = bind(world.expert(1))
    tablet.get(f"/field/api/pack?tablet={tablet.id}")  # the first one makes unlock secrets
    before = kinds(app)
    later = clock.now() + timedelta(minutes=5)
    with clock.fixed(later):
        assert tablet.get(f"/field/api/pack?tablet={tablet.id}").status_code == 200
    with database(app).read() as session:
        assert session.get(Tablet, tablet.id).last_seen_at == later
    assert kinds(app) == before


def test_the_page_of_a_round_asks_as_often_for_many_as_for_one(app, bind, client_as, world):
    office = client_as(world.people["office"])
    bind(world.expert(1))
    first = queries_of(app, lambda: office.get(f"/r/{world.slug}/tablets"))
    for number in (2, 3, 4, 5):
        bind(world.expert(number))
        bind(world.expert(number))
    assert queries_of(app, lambda: office.get(f"/r/{world.slug}/tablets")) == first


def test_a_body_that_is_not_json_and_a_foreign_form_do_nothing(app, world):
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = True
    code = code_for(app, world.people["office"], world.expert(1))
    for kw in (
        {"data": {"code": code, "public_key": Key().public, "label": "x"}},
        {"data": json.dumps({"code": code}), "content_type": "text/plain"},
        {"json": ["code"]},
        {"json": {"code": code, "public_key": Key().public}},
        {"json": {"code": code, "public_key": "x" * 401, "label": "x"}},
    ):
        answer = client.post("/field/api/bind", **kw)
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid")
    body = {"code": code, "public_key": Key().public, "label": "x"}
    opened = client.post("/field/api/bind", json=body)
    assert opened.status_code == 200, "it needs no token, and leaves the code unspent until then"
    refused = client.post("/field/api/sign-out")
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "stale")
    head = {"X-CSRFToken": opened.json["csrf"]}
    assert client.post("/field/api/sign-out", headers=head).status_code == 204


def test_shell_and_ping_are_open_and_say_nothing(app):
    client = app.test_client()
    ping = client.head("/field/api/ping")
    assert (ping.status_code, ping.headers["Cache-Control"]) == (204, "no-store")
    shell = client.get("/field")
    assert shell.status_code == 200
    assert "trusted-types" in shell.headers["Content-Security-Policy"]
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style| on[a-z]+=|style=", shell.get_data(as_text=True)
    )
    worker = client.get("/field/sw.js")
    assert worker.headers["Service-Worker-Allowed"] == "/field"
    assert worker.mimetype == "text/javascript"
    manifest = client.get("/field/manifest.webmanifest")
    assert manifest.mimetype == "application/manifest+json"
    assert json.loads(manifest.get_data())["scope"].startswith("/field")
