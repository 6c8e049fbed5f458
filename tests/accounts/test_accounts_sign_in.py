"""Signing in and out over HTTP: second factor, lock-out, session rotation, revocation, expiry."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import operations, passwords, queries
from app.accounts.models import Account, RecoveryCode, Throttle
from app.factory import create_app
from app.ledger.append import append
from app.ledger.models import Event
from tests.accounts.conftest import Door
from tests.conftest import PASSWORD


def signed_in(client):
    return client.get("/account").status_code == 200


def body(response):
    """The page without what changes with every page (tokens)."""
    page = response.get_data(as_text=True)
    return re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", page)


def test_staff_need_their_code_and_it_works_once_a_step(door, make, clocked):
    _, secret = door.account(make, "office", "anna")
    assert door.enter("anna").status_code == 401
    code = door.code(secret)
    assert door.enter("anna", code=code[:-1] + str((int(code[-1]) + 1) % 10)).status_code == 401
    first = door.enter("anna", code=f" {code[:3]} {code[3:]} ")
    assert first.status_code == 302 and signed_in(first.who)
    assert door.enter("anna", code=code).status_code == 401, "the same code a second time"
    assert door.enter("anna", code=door.code(secret, -1)).status_code == 401, "an older step"
    clocked(seconds=30)
    assert door.enter("anna", code=door.code(secret)).status_code == 302
    assert door.enter("anna", code=door.code(secret, 2)).status_code == 401, "too far ahead"


@pytest.mark.parametrize("code", ["１２３４５６", "一二三四五六", "\x00", "é" * 20, "١٢٣٤٥٦"])
def test_a_strange_code_is_wrong_and_nothing_breaks(door, make, code):
    door.account(make, "office", "anna")
    assert door.enter("anna", code=code).status_code == 401


def test_a_recovery_code_works_once(door, make, clocked):
    viewer, _ = door.account(make, "supervisor", "sue")
    assert len(set(door.codes)) == 10
    first, second = door.codes[:2]
    assert door.enter("sue", code=first).status_code == 302
    assert door.enter("sue", code=first).status_code == 401
    assert door.enter("sue", code=second).status_code == 302
    with door.database.read() as session:
        used = session.scalars(select(RecoveryCode).where(RecoveryCode.used_at.is_not(None))).all()
        assert len(used) == 2
        stored = [row.code_hash for row in session.scalars(select(RecoveryCode))]
    assert not set(stored) & set(door.codes), "kept hashed"
    with door.database.write() as session:
        operations.start_totp(session, session.get(Account, viewer.id), door.keys)
    assert door.enter("sue", code=door.codes[2]).status_code == 401, "a new set ends the old one"


def test_experts_and_presenters_need_no_code(door, make):
    for role in ("expert", "presenter"):
        door.account(make, role, role, totp=False)
        assert door.enter(role).status_code == 302


@pytest.mark.parametrize("role", ["office", "keeper", "supervisor", "admin"])
def test_staff_without_a_second_factor_can_only_set_it_up(door, make, clocked, role):
    """`user add --password`: the right password opens no session, only the way to the second
    factor; after it both are needed, and the way is closed."""
    viewer, _ = door.account(make, role, "anna", totp=False)
    assert door.enter("anna", "a wrong password").status_code == 401
    first = door.enter("anna")
    way = first.headers["Location"]
    assert re.fullmatch(r"/enrol/[\w-]{43}", way), way
    assert door.sessions() == [] and not signed_in(first.who)
    for path in ("/", "/account", "/accounts", "/forms", "/rounds"):
        assert first.who.get(path).headers.get("Location", "").startswith("/sign-in"), path
    assert first.who.get(way).status_code == 200 and first.who.get(way).status_code == 200
    second = door.enter("anna").headers["Location"]
    assert first.who.get(way).status_code == 404, "a newer link ends the one before"
    page = first.who.post(second)
    text = page.get_data(as_text=True)
    secret = re.search(r">([A-Z2-7]{32})</code>", text)[1]
    assert page.status_code == 200 and len(re.findall(r"<code>\d{10}</code>", text)) == 10
    assert ("-" in (re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}", text) or [""])[0]) == (
        role == "supervisor"
    ), "a supervisor gets an envelope code"
    assert door.sessions() == [] and not signed_in(first.who), "still not signed in"
    assert first.who.post(second).status_code == 404, "once"
    assert door.enter("anna").status_code == 401, "the password alone opens nothing now"
    entered = door.enter("anna", code=door.code(secret))
    assert entered.headers["Location"] == "/" and signed_in(entered.who)
    clocked(minutes=10)
    with door.database.read() as session:
        kinds = [json.loads(e.payload)["kind"] for e in session.scalars(select(Event))]
    assert kinds.count("second_factor.set") == 1


def test_the_way_to_a_second_factor_ends_after_ten_minutes_and_with_the_role(door, make, clocked):
    viewer, _ = door.account(make, "office", "anna", totp=False)
    admin, _ = door.account(make, "admin", "root", totp=False)
    late = door.enter("anna").headers["Location"]
    clocked(minutes=10)
    client = door.app.test_client()
    assert client.get(late).status_code == client.post(late).status_code == 404
    way = door.enter("anna").headers["Location"]
    with door.database.write() as session:
        operations.revoke_role(session, admin, person_id=viewer.person_id)
    answer = client.post(way)
    assert answer.status_code == 404 and not re.findall(r"[A-Z2-7]{32}", body(answer))
    with door.database.read() as session:
        assert session.get(Account, viewer.id).totp_secret is None
    assert door.enter("anna").status_code == 401, "no role, no way"


def test_five_failures_lock_for_fifteen_minutes_in_the_database(door, make, clocked, settings):
    door.account(make, "expert", "eve", totp=False)
    for _ in range(5):
        assert door.enter("eve", "wrong password").status_code == 401
    locked = door.enter("eve")
    assert locked.status_code == 429 and "15 minutes" not in body(locked)
    assert "锁定 15 分钟" in body(locked)
    again = create_app(settings)  # another worker, another day: the count is in the database
    again.config["WTF_CSRF_ENABLED"] = False
    assert Door(again).enter("eve").status_code == 429
    again.extensions["mingjian.db"].dispose()
    clocked(minutes=14, seconds=59)
    assert door.enter("eve").status_code == 429
    clocked(seconds=2)
    assert door.enter("eve").status_code == 302
    with door.database.read() as session:
        assert session.get(Throttle, "login:eve") is None, "success clears the count"


def test_four_failures_do_not_lock_and_a_wrong_code_counts_like_a_wrong_password(
    door, make, clocked
):
    _, secret = door.account(make, "office", "anna")
    for _ in range(4):
        assert door.enter("anna", code="000000").status_code == 401
    assert door.enter("anna", code=door.code(secret)).status_code == 302
    for _ in range(5):
        door.enter("anna", code="000000")
    clocked(seconds=60)
    assert door.enter("anna", code=door.code(secret)).status_code == 429


def test_one_address_is_limited_over_all_logins(door, make, clocked, monkeypatch):
    """Fifty names from one place; a forged X-Forwarded-For is not another place."""
    monkeypatch.setattr(operations, "password_fits", lambda stored, password: False)
    client = door.app.test_client()
    statuses = [
        client.post(
            "/sign-in", data={"login": f"user{n}", "password": "x" * 12},
            headers={"X-Forwarded-For": f"10.0.0.{n}"},
        ).status_code
        for n in range(51)
    ]  # fmt: skip
    assert statuses == [401] * 50 + [429]
    elsewhere = door.app.test_client()
    other = elsewhere.post(
        "/sign-in", data={"login": "user1", "password": "x"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )  # fmt: skip
    assert other.status_code == 401


def test_a_lock_on_one_account_leaves_the_others(door, make):
    for login in ("eve", "ann"):
        door.account(make, "expert", login, totp=False)
    for _ in range(6):
        door.enter("eve", "wrong password")
    assert door.enter("ann").status_code == 302


def test_an_unknown_login_looks_and_takes_like_a_wrong_password(door, make, clocked):
    door.account(make, "expert", "eve", totp=False)
    known, unknown = door.enter("eve", "wrong password"), door.enter("nib", "wrong password")
    assert known.status_code == unknown.status_code == 401
    assert body(known).replace("eve", "") == body(unknown).replace("nib", "")
    for _ in range(4):
        known, unknown = door.enter("eve", "wrong password"), door.enter("nib", "wrong password")
    known, unknown = door.enter("eve"), door.enter("nib")
    assert known.status_code == unknown.status_code == 429
    assert body(known).replace("eve", "") == body(unknown).replace("nib", "")


def test_the_password_check_does_its_work_without_an_account(monkeypatch):
    """One Argon2 verification with the same parameters, whether or not there is an account."""
    seen = []

    class Counting:
        def verify(self, stored, password):
            seen.append(stored.split("$")[1:4])
            return HASHER.verify(stored, password)

    HASHER = operations.HASHER
    stored = operations.hash_password(PASSWORD)
    monkeypatch.setattr(passwords, "HASHER", Counting())
    assert operations.password_fits(stored, PASSWORD)
    assert not operations.password_fits(stored, "another password")
    assert not operations.password_fits(None, "another password")
    assert len(seen) == 3 and seen[0] == seen[1] == seen[2]


def test_signing_in_drops_what_was_planted_and_ends_the_session_before(door, make):
    door.account(make, "expert", "eve", totp=False)
    door.account(make, "expert", "mallory", totp=False)
    client = door.enter("mallory").who
    with client.session_transaction() as cookie:
        cookie["planted"] = "value"
        cookie["lang"] = "en"
        before = cookie["_user_id"]
    stolen = client.get_cookie("mingjian").value
    door.enter("eve", client=client)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie and cookie["lang"] == "en"
        assert cookie["_user_id"] != before
    thief = door.app.test_client()
    thief.set_cookie("mingjian", stolen)
    assert not signed_in(thief), "the cookie from before is dead on the server"
    assert signed_in(client)


def test_revoking_kills_a_stolen_cookie_at_once(door, make):
    door.account(make, "expert", "eve", totp=False)
    victim = door.enter("eve").who
    thief = door.app.test_client()
    thief.set_cookie("mingjian", victim.get_cookie("mingjian").value)
    assert signed_in(thief)
    at_home = door.enter("eve").who
    rows = door.sessions()
    assert at_home.post(f"/account/sessions/{rows[0].id}/end").status_code == 302
    assert not signed_in(thief) and not signed_in(victim) and signed_in(at_home)


def test_nobody_ends_a_strangers_session_and_a_foreign_one_looks_absent(door, make):
    door.account(make, "expert", "eve", totp=False)
    door.account(make, "expert", "mallory", totp=False)
    eve, mallory = door.enter("eve").who, door.enter("mallory").who
    target = door.sessions()[0].id
    foreign = mallory.post(f"/account/sessions/{target}/end")
    absent = mallory.post("/account/sessions/0000000000000000/end")
    assert foreign.status_code == absent.status_code == 404
    assert body(foreign).replace(target, "0" * 16) == body(absent)
    assert signed_in(eve)


def test_sign_out_is_forgotten_on_the_server_too(door, make):
    door.account(make, "expert", "eve", totp=False)
    client = door.enter("eve").who
    copy = client.get_cookie("mingjian").value
    answer = client.post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert answer.headers["Location"] == "/sign-in" and not signed_in(client)
    replay = door.app.test_client()
    replay.set_cookie("mingjian", copy)
    assert not signed_in(replay)
    assert door.sessions()[0].revoked_at is not None


def test_sessions_end_when_idle_and_at_the_latest_after_twelve_hours(door, make, clocked):
    door.account(make, "expert", "eve", totp=False)
    client = door.enter("eve").who
    clocked(minutes=29)
    assert signed_in(client)
    clocked(minutes=29)
    assert signed_in(client), "use keeps it alive"
    clocked(minutes=31)
    assert not signed_in(client), "half an hour of nothing ends it"
    client = door.enter("eve").who
    for _ in range(35):
        clocked(minutes=20)
        assert signed_in(client)
    clocked(minutes=20)
    assert not signed_in(client), "twelve hours end it however busy"


def test_a_new_password_ends_every_session(door, make):
    viewer, _ = door.account(make, "expert", "eve", totp=False)
    client = door.enter("eve").who
    with door.database.write() as session:
        token = operations.invite(session, None, purpose="reset", person_id=viewer.person_id)
    page = door.app.test_client()
    new = "a quite different password"
    answer = page.post(f"/join/{token}", data={"password": "short", "again": "short"})
    assert answer.status_code == 422 and signed_in(client), "refused: the link is not spent"
    answer = page.post(f"/join/{token}", data={"password": new, "again": new + "x"})
    assert answer.status_code == 422 and signed_in(client)
    answer = page.post(f"/join/{token}", data={"password": new, "again": new})
    assert answer.status_code == 302 and not signed_in(client)
    assert door.enter("eve").status_code == 401
    assert door.enter("eve", new).status_code == 302
    assert page.get(f"/join/{token}").status_code == 404, "the link was used"


def test_a_reset_refuses_the_login_as_password(door, make):
    viewer, _ = door.account(make, "expert", "a-long-login-name", totp=False)
    with door.database.write() as session:
        token = operations.invite(session, None, purpose="reset", person_id=viewer.person_id)
    same = {"password": "a-long-login-name", "again": "a-long-login-name"}
    assert door.app.test_client().post(f"/join/{token}", data=same).status_code == 422
    assert door.enter("a-long-login-name").status_code == 302


def test_the_first_administrator_signs_up_with_a_link_and_a_second_factor(door, make, clocked):
    with door.database.write() as session:
        token = operations.invite(
            session, None, purpose="signup", role="admin", valid=timedelta(hours=1)
        )
    client = door.app.test_client()
    assert client.get(f"/join/{token}").status_code == 200
    form = {"name": "首位管理员", "login": "Root", "password": PASSWORD, "again": PASSWORD}
    page = client.post(f"/join/{token}", data={**form, "role": "supervisor", "active": "1"})
    text = page.get_data(as_text=True)
    secret = re.search(r">([A-Z2-7]{32})</code>", text)[1]
    codes = re.findall(r"<code>(\d{10})</code>", text)
    assert page.status_code == 200 and len(codes) == 10
    with door.database.read() as session:
        account = queries.account_by_login(session, "root")
        assert queries.live_role(session, account.person_id) == "admin", "never the posted role"
        assert secret not in account.totp_secret
    assert door.enter("root", code=door.code(secret)).status_code == 302
    assert client.get(f"/join/{token}").status_code == 404
    assert client.post(f"/join/{token}", data=form).status_code == 404


def test_an_account_made_on_the_command_line_gets_its_second_factor_at_the_link(door, make):
    """`user add` prints a link to set the password; staff must get their authenticator there."""
    viewer, _ = door.account(make, "office", "anna", totp=False)
    with door.database.write() as session:
        token = operations.invite(session, None, purpose="reset", person_id=viewer.person_id)
    form = {"password": PASSWORD, "again": PASSWORD}
    page = door.app.test_client().post(f"/join/{token}", data=form).get_data(as_text=True)
    secret = re.search(r">([A-Z2-7]{32})</code>", page)[1]
    assert door.enter("anna", code=door.code(secret)).status_code == 302


def test_an_account_that_was_closed_cannot_enter_and_looks_unknown(door, make):
    viewer, _ = door.account(make, "expert", "eve", totp=False)
    client = door.enter("eve").who
    with door.database.write() as session:
        session.get(Account, viewer.id).active = False
        append(session, None, "test.closed")
    assert not signed_in(client)
    assert door.enter("eve").status_code == 401


def test_the_token_in_the_cookie_is_not_in_the_database(door, make):
    door.account(make, "expert", "eve", totp=False)
    client = door.enter("eve").who
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    (row,) = door.sessions()
    assert len(token) >= 43 and token not in str(vars(row))
    assert row.token_hash == queries.token_hash(token)
    assert row.expires_at - row.created_at == timedelta(hours=12)


def test_the_administrators_page_offers_only_the_roles_that_may_be_given(door, make, clocked):
    _, secret = door.account(make, "admin", "root")
    client = door.enter("root", code=door.code(secret)).who
    roles = re.compile(r'<option value="(\w+)"')
    assert "supervisor" in roles.findall(body(client.get("/accounts")))
    door.account(make, "supervisor", "sue")
    assert set(roles.findall(body(client.get("/accounts")))) == {
        "office", "keeper", "presenter", "admin",
    }  # fmt: skip
    assert client.post("/accounts", data={"role": "supervisor"}).status_code == 422
    assert client.post("/accounts", data={"role": "expert"}).status_code == 422
    answer = client.post("/accounts", data={"role": "keeper"})
    assert answer.status_code == 200 and "/join/" in body(answer)
    assert client.post("/accounts/0000000000000000/revoke").status_code == 404
    assert client.post("/accounts/0000000000000000/reset").status_code == 404
    with door.database.read() as session:
        sue_id = queries.viewer_by_login(session, "sue").id
    assert client.post(f"/accounts/{sue_id}/revoke").status_code == 403
    assert client.post(f"/accounts/{sue_id}/reset").status_code == 403
