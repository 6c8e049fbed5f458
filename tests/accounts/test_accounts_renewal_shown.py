"""An administrator's renewal of a staff account: it ends the tablets, and the supervisor is shown it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app import clock
from app.accounts import operations
from app.accounts.models import Account, Invitation, SignIn, Tablet
from app.ledger.append import append
from app.supervision import anomalies
from tests.accounts.test_accounts_renewal import LINK, entered, kinds, propose, redeem, text_of
from tests.field.virtual import bound

HOME = "个办公室或专家库账号由管理员恢复，请核实"


def opened(door, viewer):
    """A tablet of the account with a session that it opened, and a code that would bind another."""
    with door.database.write() as session:
        tablet = bound(session, viewer)
        operations.open_sign_in(
            session, session.get_one(Account, viewer.id), agent="平板", address="127.0.0.1",
            hours=9, tablet_id=tablet.id,
        )  # fmt: skip
        session.add(
            Invitation(
                token_hash="e" * 64, purpose="bind", role="office", person_id=viewer.person_id,
                created_at=clock.now(), expires_at=clock.now() + timedelta(minutes=90),
            )
        )  # fmt: skip
        append(session, None, "test.code")
        return tablet.id


def test_a_renewal_ends_sessions_tablets_and_open_codes_when_it_is_redeemed(door, make, clocked):
    clerk, _ = door.account(make, "office", "anna")
    other, _ = door.account(make, "office", "berta")
    tablet, others = opened(door, clerk), None
    with door.database.write() as session:
        others = bound(session, other).id
    _, secret = door.account(make, "admin", "root")
    token = LINK.search(text_of(propose(entered(door, "root", secret), clerk.id)))[1]
    with door.database.read() as session:
        assert session.get_one(Tablet, tablet).revoked_at is None, (
            "until it is used nothing changes"
        )
    assert redeem(door, token).status_code == 200
    with door.database.read() as session:
        row = session.get_one(Tablet, tablet)
        assert row.revoked_at == clock.now() and "renewed" in row.revoked_reason
        assert session.get_one(Tablet, others).revoked_at is None
        live = session.scalars(
            select(SignIn).where(SignIn.account_id == clerk.id, SignIn.revoked_at.is_(None))
        ).all()
        assert live == []
        code = session.scalars(select(Invitation).where(Invitation.purpose == "bind")).one()
        assert code.used_at is not None or code.expires_at <= clock.now()
    assert kinds(door).count("tablets.revoked") == 1


def test_the_supervisor_sees_it_at_home_and_among_the_anomalies_until_he_has_looked(
    door, make, clocked
):
    keeper, _ = door.account(make, "keeper", "anna")
    expert, _ = door.account(make, "expert", "egon", totp=False)
    _, secret = door.account(make, "admin", "root")
    watcher, watch = door.account(make, "supervisor", "wanda")
    admin, supervisor = entered(door, "root", secret), entered(door, "wanda", watch)
    assert HOME not in text_of(supervisor.get("/"))
    propose(admin, expert.id)
    assert HOME not in text_of(supervisor.get("/")), "an expert's draws nothing and keeps no pool"
    token = LINK.search(text_of(propose(admin, keeper.id)))[1]
    assert HOME in text_of(supervisor.get("/"))
    page = text_of(supervisor.get("/accounts"))
    assert "本人到场，查验工作证" in page and "未使用" in page and "我已核实" in page
    assert "我已核实" not in text_of(admin.get("/accounts"))

    def told():
        with door.database.read() as session:
            found = anomalies.overview(session, watcher, None, "drill").found
            return [a.sentence.en for a in found if a.code == "renewed"]

    assert len(told()) == 1 and "not used" in told()[0] and "no supervisor" in told()[0]
    assert redeem(door, token).status_code == 200
    assert "the link was used on" in told()[0]
    where = page.split("/accounts/resets/")[1].split("/seen")[0]
    assert admin.post(f"/accounts/resets/{where}/seen").status_code == 403
    assert supervisor.post("/accounts/resets/0000000000000000/seen").status_code == 404
    for _ in range(2):
        assert supervisor.post(f"/accounts/resets/{where}/seen").status_code == 302
    assert HOME not in text_of(supervisor.get("/"))
    assert "已看过" in text_of(supervisor.get("/accounts"))
    assert len(told()) == 1 and "no supervisor" not in told()[0]
    assert kinds(door).count("renewal.seen") == 1
