"""Accounts, roles and one-time links: who may make whom, and what the database itself refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import clock
from app.accounts import operations, queries
from app.accounts.models import ROLES, Account, Invitation, RoleGrant
from app.db import new_id
from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.append import append

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("login", "password", "fits"),
    [
        ("anna", "elevenchars", False),
        ("anna", "twelve chars", True),
        ("anna", "十二个汉字组成的密码也行", True),
        ("averylonglogin", "AVeryLongLogin", False),
        ("averylonglogin", " averylonglogin ", False),
        ("anna", "", False),
    ],
)
def test_passwords_are_judged_by_length_and_never_equal_the_login(login, password, fits):
    if fits:
        operations.check_password(login, password)
        return
    with pytest.raises(DomainError) as caught:
        operations.check_password(login, password)
    assert caught.value.field == "password" and "12" in caught.value.text.en


def test_passwords_are_kept_as_argon2id_with_the_stated_cost():
    stored = operations.hash_password("twelve chars")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != operations.hash_password("twelve chars"), "salted"
    assert operations.password_fits(stored, "twelve chars")
    assert not operations.password_fits(stored, "twelve charz")
    assert not operations.password_fits(None, "nobody's password"), "the stand-in opens nothing"
    assert not operations.password_fits("not a hash", "twelve chars")


@pytest.mark.parametrize("login", ["A", "", "a", "-ab", "über", "a b", "x" * 41, "a/b", "ａｂ"])
def test_logins_are_plain(session, make, login):
    with pytest.raises(DomainError) as caught:
        operations.create_account(
            session, None, person=Person(name="甲"), login=login, password_hash=None, role="office"
        )
    assert caught.value.field == "login"
    assert session.scalars(select(Account)).all() == []


def test_a_login_is_taken_whatever_its_capitals(session, make):
    make.viewer(session, "office", "anna")
    with pytest.raises(Conflict) as caught:
        operations.create_account(
            session, None, person=Person(name="乙"), login=" ANNA ", password_hash=None,
            role="keeper",
        )  # fmt: skip
    assert "anna" in caught.value.text.en


def test_a_person_holds_one_role_and_the_refusal_names_it(session, make):
    viewer = make.viewer(session, "office")
    person = session.get(Person, viewer.person_id)
    for role in ROLES:
        with pytest.raises(Conflict) as caught:
            operations.grant_role(session, None, person=person, role=role)
        assert "already holds the role “Programme office”" in caught.value.text.en
    assert queries.live_role(session, person.id) == "office"


@pytest.mark.parametrize("role", ROLES)
def test_the_database_itself_keeps_roles_apart(database, make, role):
    """A raw insert, past every rule of the program, fails on both databases."""
    with database.write() as session:
        viewer = make.viewer(session, "office")
    row = {
        "id": new_id(), "salt": "0" * 32, "person_id": viewer.person_id, "role": role,
        "since": clock.now().replace(tzinfo=None) if database.sqlite else clock.now(),
    }  # fmt: skip
    insert = text(
        "INSERT INTO role_grant (id, salt, person_id, role, since) "
        "VALUES (:id, :salt, :person_id, :role, :since)"
    )
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert, row)
    with database.read() as session:
        assert len(session.scalars(select(RoleGrant)).all()) == 1
    history = text(
        "INSERT INTO role_grant (id, salt, person_id, role, since, until) "
        "VALUES (:id, :salt, :person_id, :role, :since, :since)"
    )
    with database.write() as session:  # an ended grant is history and does not count
        session.execute(history, {**row, "id": new_id()})


def test_the_database_refuses_an_unknown_role(database, make):
    with database.write() as session:
        person = make.person(session)
        append(session, None, "test.person")
        person_id = person.id
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(
            text(
                "INSERT INTO role_grant (id, salt, person_id, role, since) "
                "VALUES ('0000000000000000', 'x', :p, 'god', :t)"
            ),
            {
                "p": person_id,
                "t": clock.now().replace(tzinfo=None) if database.sqlite else clock.now(),
            },
        )


def test_bootstrap_the_first_supervisor_comes_from_an_administrator_the_next_never(session, make):
    admin = make.viewer(session, "admin")
    assert not queries.supervisor_exists(session)
    me = session.get(Person, admin.person_id)
    with pytest.raises(Forbidden):
        operations.may_grant(session, admin, me.id, "supervisor")
    first = Person(name="首位监督")
    operations.create_account(
        session, admin, person=first, login="first", password_hash=None, role="supervisor"
    )
    assert queries.supervisor_exists(session)
    with pytest.raises(Forbidden) as caught:
        operations.create_account(
            session, admin, person=Person(name="第二"), login="second", password_hash=None,
            role="supervisor",
        )  # fmt: skip
    assert "Supervisor" in caught.value.text.en and "监督人员" in caught.value.text.zh
    supervisor = queries.viewer_by_login(session, "first")
    operations.create_account(
        session, supervisor, person=Person(name="第三"), login="third", password_hash=None,
        role="supervisor",
    )  # fmt: skip
    session.flush()


def test_the_bootstrap_does_not_open_again_when_the_last_supervisor_has_left(session, make):
    admin = make.viewer(session, "admin")
    supervisor, second = make.viewer(session, "supervisor"), make.viewer(session, "supervisor")
    operations.revoke_role(session, supervisor, person_id=second.person_id)
    with pytest.raises(Forbidden):
        operations.revoke_role(session, supervisor, person_id=supervisor.person_id)
    with pytest.raises(Forbidden):
        operations.revoke_role(session, admin, person_id=supervisor.person_id)
    assert queries.supervisor_exists(session)
    with pytest.raises(Forbidden):
        operations.invite(session, admin, purpose="signup", role="supervisor")


GRANTS = {
    "admin": {"office", "keeper", "expert", "presenter", "admin"},
    "supervisor": {"supervisor"},
    "keeper": {"expert"},
    "office": {"presenter", "expert"},
    "expert": set(),
    "presenter": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_grant_what(session, make, role):
    make.viewer(session, "supervisor", "somebody")
    actor = make.viewer(session, role)
    for wanted in ROLES:
        for person in (None, actor.person_id):
            fine = wanted in GRANTS[role] and person is None
            if fine:
                operations.may_grant(session, actor, person, wanted)
                continue
            with pytest.raises(Forbidden):
                operations.may_grant(session, actor, person, wanted)


def test_an_old_supervisors_link_of_the_administrator_dies_with_the_first_supervisor(session, make):
    """Two links were out; the second must not make a second supervisor by the administrator."""
    admin = make.viewer(session, "admin")
    links = [
        operations.invite(session, admin, purpose="signup", role="supervisor") for _ in range(2)
    ]
    open_ = [queries.open_invitation(session, link) for link in links]
    operations.sign_up(session, open_[0], name="甲", login="sup1", password_hash="x")
    with pytest.raises(Conflict) as caught:
        operations.sign_up(session, open_[1], name="乙", login="sup2", password_hash="x")
    assert "void" in caught.value.text.en
    supervisor = queries.viewer_by_login(session, "sup1")
    link = operations.invite(session, supervisor, purpose="signup", role="supervisor")
    made = operations.sign_up(
        session, queries.open_invitation(session, link), name="丙", login="sup3", password_hash="x"
    )
    assert queries.live_role(session, made.person_id) == "supervisor"
    open_[1].used_at = None
    append(session, None, "test.end")


def test_an_invitation_is_used_once_and_ends_on_time(session, make):
    with clock.fixed(NOON):
        token = operations.invite(
            session, None, purpose="signup", role="office", valid=timedelta(hours=1)
        )
        other = operations.invite(session, None, purpose="signup", role="office")
        assert token not in str([vars(i) for i in session.scalars(select(Invitation))])
        row = queries.open_invitation(session, token)
        operations.sign_up(session, row, name="甲", login="anna", password_hash="x")
        assert queries.open_invitation(session, token) is None
        with pytest.raises(Conflict):
            operations.sign_up(session, row, name="乙", login="bert", password_hash="x")
    with clock.fixed(NOON + timedelta(minutes=59, seconds=59)):
        assert queries.open_invitation(session, other) is not None
    late = session.scalars(
        select(Invitation).where(Invitation.token_hash == queries.token_hash(other))
    ).one()
    with clock.fixed(NOON + timedelta(hours=1)):
        assert queries.open_invitation(session, other) is None
        with pytest.raises(Conflict):
            operations.sign_up(session, late, name="乙", login="bert", password_hash="x")
    assert queries.account_by_login(session, "bert") is None
    assert queries.open_invitation(session, "x" * 43) is None


def test_revoking_a_role_ends_every_session_and_the_viewer(session, make):
    admin, office = make.viewer(session, "admin"), make.viewer(session, "office")
    account = session.get(Account, office.id)
    token = operations.open_sign_in(session, account, agent="a", address="b", hours=1)
    session.flush()
    idle = timedelta(minutes=30)
    assert queries.live_sign_in(session, token, idle) is not None
    operations.revoke_role(session, admin, person_id=office.person_id)
    session.flush()
    assert queries.viewer_of(session, account) is None
    assert queries.live_sign_in(session, token, idle) is None
    assert queries.sign_ins_of(session, account.id) == []
    grants = session.scalars(select(RoleGrant).where(RoleGrant.person_id == office.person_id)).all()
    assert [g.until is not None for g in grants] == [True], "history stays"
    person = session.get(Person, office.person_id)
    operations.grant_role(session, admin, person=person, role="keeper")
    assert queries.live_role(session, person.id) == "keeper"


def test_no_reset_link_of_an_administrator_or_of_the_command_line_renews_a_supervisor(
    session, make
):
    admin, sue = make.viewer(session, "admin"), make.viewer(session, "supervisor")
    for purpose in ("reset", "renew", "enter"):
        with pytest.raises(Forbidden):
            operations.invite(session, admin, purpose=purpose, person_id=sue.person_id)
    token = operations.invite(session, None, purpose="renew", person_id=sue.person_id)
    with pytest.raises(Conflict):
        operations.renew_by_link(session, queries.open_invitation(session, token), "x", None)
    session.get(Account, sue.id)
    append(session, None, "test.end")


def test_a_supervisors_invitation_ends_with_his_role(session, make):
    make.viewer(session, "supervisor", "first")
    second = make.viewer(session, "supervisor", "second")
    link = operations.invite(session, second, purpose="signup", role="supervisor")
    first = queries.viewer_by_login(session, "first")
    row = queries.open_invitation(session, link)
    operations.revoke_role(session, first, person_id=second.person_id)
    assert queries.open_invitation(session, link) is None
    row.used_at = None  # were it still open, it would not make a supervisor
    append(session, None, "test.open")
    with pytest.raises(Conflict):
        operations.sign_up(session, row, name="丙", login="third", password_hash="x")
    assert queries.account_by_login(session, "third") is None
    append(session, None, "test.end")
