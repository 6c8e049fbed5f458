"""A lost second factor: one person for staff, two for a supervisor, and never the administrator."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import operations, queries
from app.accounts.models import (
    Account,
    Envelope,
    Invitation,
    RecoveryCode,
    ResetRequest,
    RoleGrant,
)
from app.directory.models import Person
from app.domain.types import Conflict, Forbidden
from app.ledger.append import append
from app.ledger.models import Event, Secret
from tests.conftest import PASSWORD

NEW = "a quite different password"
CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4})+")
LINK = re.compile(r"/join/([\w-]{43})")


def entered(door, login, secret):
    """A client signed in with password and authenticator."""
    answer = door.enter(login, code=door.code(secret))
    assert answer.status_code == 302 and answer.headers["Location"] == "/"
    return answer.who


def text_of(response):
    return response.get_data(as_text=True)


def propose(client, account_id, reason="本人到场，查验工作证"):
    return client.post(f"/accounts/{account_id}/renew", data={"reason": reason})


def redeem(door, token, code=None):
    data = {"password": NEW, "again": NEW} | ({} if code is None else {"code": code})
    return door.app.test_client().post(f"/join/{token}", data=data)


def kinds(door):
    with door.database.read() as session:
        return [json.loads(e.payload)["kind"] for e in session.scalars(select(Event))]


def test_a_clerk_who_lost_everything_gets_a_link_that_renews_all_of_it(door, make, clocked):
    clerk, old_secret = door.account(make, "office", "anna")
    old_codes = door.codes
    tablet = entered(door, "anna", old_secret)
    _, secret = door.account(make, "admin", "root")
    admin = entered(door, "root", secret)
    assert admin.get(f"/accounts/{clerk.id}/renew").status_code == 200
    assert propose(admin, clerk.id, " ").status_code == 422, "a reason is needed"
    first = LINK.search(text_of(propose(admin, clerk.id)))[1]
    page = text_of(propose(admin, clerk.id))
    token = LINK.search(page)[1]
    assert "<svg" in page and not CODE.search(page.split("<main")[1].split("/join/")[0])
    assert door.app.test_client().get(f"/join/{first}").status_code == 404, "a newer one ends it"
    assert tablet.get("/account").status_code == 200, "until it is used nothing changes"
    clocked(minutes=59)
    assert redeem(door, token).status_code == 200
    assert tablet.get("/account").status_code == 302, "every session ended"
    clocked(minutes=1)
    assert door.enter("anna", code=door.code(old_secret)).status_code == 401, "old password"
    assert door.enter("anna", NEW, door.code(old_secret)).status_code == 401, "old authenticator"
    for code in old_codes[:2]:
        assert door.enter("anna", NEW, code).status_code == 401, "old recovery code"
    assert redeem(door, token).status_code == 404, "once"


def test_the_renewed_account_works_with_what_the_page_showed(door, make, clocked):
    clerk, _ = door.account(make, "office", "anna")
    _, secret = door.account(make, "admin", "root")
    admin = entered(door, "root", secret)
    page = text_of(redeem(door, LINK.search(text_of(propose(admin, clerk.id)))[1]))
    new_secret = re.search(r">([A-Z2-7]{32})</code>", page)[1]
    codes = re.findall(r"<code>(\d{10})</code>", page)
    assert door.enter("anna", NEW, door.code(new_secret)).status_code == 302
    assert door.enter("anna", NEW, codes[0]).status_code == 302
    with door.database.read() as session:
        live = session.scalars(
            select(RecoveryCode).where(
                RecoveryCode.account_id == clerk.id, RecoveryCode.used_at.is_(None)
            )
        ).all()
        assert len(live) == 9
    said = kinds(door)
    for kind in ("renewal.proposed", "renewal.linked", "second_factor.ended", "account.renewed"):
        assert said.count(kind) == 1, kind


def test_an_unused_link_ends_after_an_hour_and_leaves_the_account_alone(door, make, clocked):
    clerk, clerk_secret = door.account(make, "office", "anna")
    _, secret = door.account(make, "admin", "root")
    token = LINK.search(text_of(propose(entered(door, "root", secret), clerk.id)))[1]
    clocked(hours=1)
    assert redeem(door, token).status_code == 404
    assert door.enter("anna", code=door.code(clerk_secret)).status_code == 302


def test_a_reset_lifts_the_lock_that_somebody_elses_guesses_made(door, make, clocked):
    clerk, _ = door.account(make, "office", "anna")
    _, secret = door.account(make, "admin", "root")
    admin = entered(door, "root", secret)
    for _ in range(6):
        door.enter("anna", "wrong password")
    token = LINK.search(text_of(propose(admin, clerk.id)))[1]
    page = text_of(redeem(door, token))
    new_secret = re.search(r">([A-Z2-7]{32})</code>", page)[1]
    assert door.enter("anna", NEW, door.code(new_secret)).status_code == 302


def test_nobody_but_an_administrator_proposes_and_nobody_for_himself(door, make, clocked):
    clerk, _ = door.account(make, "office", "anna")
    admin, secret = door.account(make, "admin", "root")
    client = entered(door, "root", secret)
    assert propose(client, admin.id).status_code == 403
    assert propose(client, "0" * 16).status_code == 404
    for role in ("office", "keeper", "supervisor", "expert", "presenter"):
        _, own = door.account(make, role, f"other-{role}", totp=role not in ("expert", "presenter"))
        code = door.code(own) if own else ""
        other = door.enter(f"other-{role}", code=code).who
        assert propose(other, clerk.id).status_code == 403
    with door.database.read() as session:
        assert session.scalars(select(ResetRequest)).all() == []


@pytest.fixture
def three(door, make, clocked):
    """Supervisor sue, who lost everything; supervisor sam; administrator root: (sue, sam, root)."""
    sue, _ = door.account(make, "supervisor", "sue")
    _, sam = door.account(make, "supervisor", "sam")
    _, root = door.account(make, "admin", "root")
    return sue, entered(door, "sam", sam), entered(door, "root", root)


def asked(door):
    with door.database.read() as session:
        return session.scalars(select(ResetRequest)).one()


def test_a_supervisor_is_renewed_by_two_people_with_two_halves(door, three):
    sue, sam, root = three
    page = text_of(propose(root, sue.id))
    half = CODE.search(page)[0]
    assert not LINK.search(page), "the administrator never sees a link"
    request = asked(door)
    assert (request.means, request.invitation_id, request.decision) == ("supervisor", None, None)
    with door.database.read() as session:
        assert session.scalars(select(Invitation)).all() == [], "no link before the confirmation"
    assert propose(root, sue.id).status_code == 409, "one proposal at a time"
    assert "1" in text_of(sam.get("/")) and sue.name in text_of(sam.get("/accounts"))
    page = text_of(sam.post(f"/accounts/resets/{request.id}/confirm"))
    token = LINK.search(page)[1]
    assert half not in page, "the confirmer never sees the other half"
    assert sam.post(f"/accounts/resets/{request.id}/confirm").status_code == 409, "once"
    assert redeem(door, token).status_code == 422, "the link alone opens nothing"
    wrong = redeem(door, token, "0000-0000")
    assert wrong.status_code == 422
    done = redeem(door, token, half.lower().replace("-", " "))
    assert done.status_code == 200
    secret = re.search(r">([A-Z2-7]{32})</code>", text_of(done))[1]
    assert CODE.search(text_of(done)), "a new envelope"
    assert door.enter("sue", NEW, door.code(secret)).status_code == 302
    assert redeem(door, token, half).status_code == 404


def test_five_wrong_codes_stop_the_link(door, three, clocked):
    sue, sam, root = three
    half = CODE.search(text_of(propose(root, sue.id)))[0]
    token = LINK.search(text_of(sam.post(f"/accounts/resets/{asked(door).id}/confirm")))[1]
    for _ in range(5):
        assert redeem(door, token, "ZZZZ-ZZZZ").status_code == 422
    assert redeem(door, token, half).status_code == 422, "stopped"
    clocked(minutes=16)
    assert redeem(door, token, half).status_code == 200


def test_a_refusal_and_the_end_of_a_day_leave_the_supervisor_as_he_was(door, three, clocked):
    sue, sam, root = three
    propose(root, sue.id)
    request = asked(door)
    assert sam.post(f"/accounts/resets/{request.id}/refuse").status_code == 302
    assert sam.post(f"/accounts/resets/{request.id}/confirm").status_code == 409
    propose(root, sue.id)
    with door.database.read() as session:
        late = queries.open_reset(session, sue.id).id
    with door.database.write() as session, clock.fixed(clock.now() + timedelta(hours=24)):
        viewer = queries.viewer_by_login(session, "sam")
        with pytest.raises(Conflict):
            operations.decide(
                session, viewer, request=session.get(ResetRequest, late), confirm=True
            )
    assert kinds(door).count("renewal.refused") == 1
    with door.database.read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_the_administrator_neither_confirms_nor_lets_his_own_proposal_be_confirmed_by_himself(
    door, three, make
):
    """Also when the proposer has become a supervisor meanwhile, and when it is one's own."""
    sue, sam, root = three
    propose(root, sue.id)
    request = asked(door)
    assert root.post(f"/accounts/resets/{request.id}/confirm").status_code == 403
    assert root.post(f"/accounts/resets/{request.id}/refuse").status_code == 403
    with door.database.write() as session:
        person = session.get(Account, request.proposed_by).person
        live = select(RoleGrant).where(RoleGrant.person_id == person.id)
        session.scalars(live).one().until = clock.now()
        operations.grant_role(session, None, person=person, role="supervisor")
        proposer = queries.viewer_by_login(session, "root")
        row = session.get(ResetRequest, request.id)
        for viewer in (proposer, queries.viewer_by_login(session, "sue")):
            with pytest.raises(Forbidden):
                operations.decide(session, viewer, request=row, confirm=True)
    assert asked(door).decision is None


def alone(door, make, *, envelope):
    """A single supervisor, enrolled with an envelope or not: (viewer, code, administrator)."""
    sue, _ = door.account(make, "supervisor", "sue")
    code = operations.new_code(5)
    if envelope:
        with door.database.write() as session:
            hashed = operations.hash_password(operations.plain_code(code))
            operations.keep_envelope(session, sue, session.get(Account, sue.id), hashed)
    _, root = door.account(make, "admin", "root")
    return sue, code, entered(door, "root", root)


def test_without_a_second_supervisor_the_sealed_envelope_is_needed_and_works_once(
    door, make, clocked
):
    sue, code, root = alone(door, make, envelope=True)
    page = text_of(propose(root, sue.id))
    token = LINK.search(page)[1]
    assert asked(door).means == "envelope"
    assert redeem(door, token).status_code == 422, "the administrator's link alone opens nothing"
    assert redeem(door, token, "AAAA-AAAA-AAAA-AAAA-AAAA").status_code == 422
    done = redeem(door, token, code)
    assert done.status_code == 200
    fresh = CODE.search(text_of(done))[0]
    assert fresh != code
    again = LINK.search(text_of(propose(root, sue.id)))[1]
    assert redeem(door, again, code).status_code == 422, "the old envelope is spent"
    assert redeem(door, again, fresh).status_code == 200
    said = kinds(door)
    assert (said.count("envelope.used"), said.count("envelope.made")) == (2, 3)


def test_without_supervisor_and_envelope_the_screen_says_no(door, make, clocked):
    sue, _, root = alone(door, make, envelope=False)
    assert "信封码" in text_of(root.get(f"/accounts/{sue.id}/renew"))
    assert propose(root, sue.id).status_code == 409
    with door.database.read() as session:
        assert session.scalars(select(ResetRequest)).all() == []


def test_a_second_supervisor_who_cannot_sign_in_does_not_count_and_a_silent_one_not_for_ever(
    door, make, clocked
):
    sue, code, root = alone(door, make, envelope=True)
    door.account(make, "supervisor", "nil", totp=False)  # never enrolled
    with door.database.read() as session:
        assert operations.means_for(session, session.get(Account, sue.id)) == "envelope"
    door.account(make, "supervisor", "sam")
    assert LINK.search(text_of(propose(root, sue.id))) is None
    with door.database.read() as session, clock.fixed(clock.now() + timedelta(hours=23)):
        assert operations.means_for(session, session.get(Account, sue.id)) == "supervisor"
    with door.database.read() as session, clock.fixed(clock.now() + timedelta(hours=24)):
        assert operations.means_for(session, session.get(Account, sue.id)) == "envelope"
    with door.database.read() as session, clock.fixed(clock.now() + timedelta(days=8)):
        assert operations.means_for(session, session.get(Account, sue.id)) == "supervisor"


def test_a_supervisor_makes_his_own_envelope_with_his_second_factor_only(door, make, clocked):
    sue, secret = door.account(make, "supervisor", "sue")
    client = entered(door, "sue", secret)
    assert "还没有" in text_of(client.get("/account"))
    assert client.post("/account/envelope", data={"code": "000000"}).status_code == 422
    clocked(seconds=30)
    page = client.post("/account/envelope", data={"code": door.code(secret)})
    code = CODE.search(text_of(page))[0]
    assert len(code) == 24 and "还没有" not in text_of(client.get("/account"))
    with door.database.read() as session:
        row = session.scalars(select(Envelope)).one()
        assert row.code_hash.startswith("$argon2id$") and code not in row.code_hash
        assert operations.password_fits(row.code_hash, operations.plain_code(code))
    clocked(seconds=30)
    client.post("/account/envelope", data={"code": door.code(secret)})
    with door.database.read() as session:
        assert queries.envelope_of(session, sue.id).id != row.id
        assert session.get(Envelope, row.id).replaced_at is not None
    _, own = door.account(make, "office", "anna")
    assert entered(door, "anna", own).get("/account/envelope").status_code == 403


def test_a_supervisors_enrolment_shows_an_envelope_once(door, make, clocked):
    with door.database.write() as session:
        token = operations.invite(session, None, purpose="signup", role="supervisor")
    form = {"name": "首位监督", "login": "sue", "password": PASSWORD, "again": PASSWORD}
    page = text_of(door.app.test_client().post(f"/join/{token}", data=form))
    code = CODE.search(page)[0]
    with door.database.read() as session:
        row = session.scalars(select(Envelope)).one()
        assert operations.password_fits(row.code_hash, operations.plain_code(code))


# ---------- no way for an administrator to become, or to be, a supervisor


def test_a_link_for_a_clerk_is_void_when_the_clerk_has_become_a_supervisor(door, make, clocked):
    clerk, _ = door.account(make, "office", "anna")
    _, secret = door.account(make, "admin", "root")
    admin = entered(door, "root", secret)
    renewal = LINK.search(text_of(propose(admin, clerk.id)))[1]
    with door.database.write() as session:
        root = queries.viewer_by_login(session, "root")
        operations.revoke_role(session, root, person_id=clerk.person_id)
        person = session.get(Person, clerk.person_id)
        operations.grant_role(session, None, person=person, role="supervisor")
    answer = redeem(door, renewal)
    assert answer.status_code == 422 and "作废" in text_of(answer)
    with door.database.write() as session:  # and a reset, made before the change, likewise
        row = session.scalars(select(Invitation).where(Invitation.purpose == "renew")).one()
        row.purpose = "reset"
        append(session, None, "test.reset")
    assert redeem(door, renewal).status_code == 422
    with door.database.read() as session:
        account = session.get(Account, clerk.id)
        assert account.totp_secret is not None
        assert not operations.password_fits(account.password_hash, NEW)


def test_nothing_secret_of_a_renewal_stands_in_the_ledger_or_in_the_clear(door, three):
    sue, sam, root = three
    half = CODE.search(text_of(propose(root, sue.id, "本人到场核对证件")))[0]
    token = LINK.search(text_of(sam.post(f"/accounts/resets/{asked(door).id}/confirm")))[1]
    page = text_of(redeem(door, token, half))
    secrets = [half, operations.plain_code(half), token, NEW, CODE.search(page)[0]]
    secrets += [re.search(r">([A-Z2-7]{32})</code>", page)[1], "本人到场核对证件", sue.name]
    secrets += re.findall(r"<code>(\d{10})</code>", page)
    with door.database.read() as session:
        ledger = [e.payload for e in session.scalars(select(Event))]
        ledger += [s.body for s in session.scalars(select(Secret))]
        rows = [vars(r) for r in session.scalars(select(ResetRequest))]
        rows += [vars(r) for r in session.scalars(select(Envelope))]
        rows += [vars(r) for r in session.scalars(select(Invitation))]
    assert not [s for s in secrets if s in "".join(ledger)]
    assert not [s for s in secrets[:5] if s in str(rows)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_speak_both_languages(door, three, lang):
    sue, sam, root = three
    for client in (sam, root):
        client.post("/language", data={"lang": lang})
    english = lang == "en"
    page = text_of(root.get(f"/accounts/{sue.id}/renew"))
    assert ("takes two people" in page) is english
    page = text_of(propose(root, sue.id))
    assert ("Hand-over code" in page) is english
    page = text_of(sam.get("/accounts"))
    assert ("Confirm, make the link" in page) is english
    page = text_of(sam.post(f"/accounts/resets/{asked(door).id}/confirm"))
    assert ("not to the administrator" in page) is english
