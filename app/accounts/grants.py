"""Roles: who may give and take them, and the account that comes with one.

One live role a person; a supervisor is named by a supervisor once there is one (S0 art. 34(1), 38;
separation of duties).
"""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.models import ROLES, Account, Invitation, RoleGrant
from app.accounts.sign_ins import revoke_all
from app.accounts.viewer import ROLE_TEXT, Viewer
from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger.append import append

_TAKEN = Text(
    "登录名“{login}”已被使用。没有创建账号，请换一个。",
    "The login “{login}” is taken. No account was created; choose another.",
)
_HOLDS = Text(
    "{name} 已有角色“{role}”。互斥的角色不能由一人兼任；没有任何改动，请先撤销原角色。",
    "{name} already holds the role “{role}”. One person holds one role; nothing was changed, "
    "revoke the present one first.",
)


def create_account(
    session: Session,
    actor: Viewer | None,
    *,
    person: Person,
    login: str,
    password_hash: str | None,
    role: str,
) -> Account:
    """A new account with its role; the person may be new too."""
    login = login.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,39}", login):
        raise DomainError(
            Text(
                "登录名用小写字母、数字、点和横线，2 至 40 个字符。没有创建账号。",
                "A login has 2 to 40 lower-case letters, digits, dots or hyphens. No account was "
                "created.",
            ),
            field="login",
        )
    if queries.account_by_login(session, login):
        raise Conflict(_TAKEN.format(login=login), field="login")
    session.add(person)
    session.flush()
    account = Account(person=person, person_id=person.id, login=login, password_hash=password_hash)
    session.add(account)
    session.flush()
    _grant(session, actor, person, role)
    append(session, actor, "account.created", account=account.id, role=role)
    return account


def grant_role(session: Session, actor: Viewer | None, *, person: Person, role: str) -> None:
    """Give `person` a role; refused while another is held."""
    _grant(session, actor, person, role)
    append(session, actor, "role.granted", person=person.id, role=role)


def _grant(session: Session, actor: Viewer | None, person: Person, role: str) -> None:
    if role not in ROLES:
        raise DomainError(Text(f"没有角色 {role}。", f"There is no role {role}."))
    may_grant(session, actor, person.id, role)
    held = queries.live_role(session, person.id)
    if held:
        raise Conflict(_HOLDS.format(name=person.name, role=ROLE_TEXT[held]))
    session.add(
        RoleGrant(
            person_id=person.id,
            role=role,
            since=clock.now(),
            granted_by=actor.id if actor else None,
        )
    )


def may_grant(session: Session, actor: Viewer | None, person_id: str | None, role: str) -> None:
    """Administrators grant every role but supervisor, which only a supervisor grants once there
    is one; keepers grant experts. Nobody grants anything to himself."""
    if actor is None:  # the command line, whose user holds the machine; recorded as system
        return
    allowed = {
        "admin": set(ROLES) - {"supervisor"},
        "supervisor": {"supervisor"},
        "keeper": {"expert"},
        "office": {"presenter", "expert"},
    }.get(actor.role, set())
    if actor.role == "admin" and not queries.supervisor_exists(session):
        allowed = set(ROLES)
    if role not in allowed or person_id == actor.person_id:
        raise Forbidden(
            Text(
                "您不能授予角色“{role}”（对本人也不行）。没有任何改动。",
                "You may not grant the role “{role}” (to yourself least of all). Nothing was "
                "changed.",
            ).format(role=ROLE_TEXT[role])
        )


def revoke_role(session: Session, actor: Viewer, *, person_id: str) -> None:
    """End a person's role and every session, at once."""
    grant = session.scalar(
        select(RoleGrant).where(RoleGrant.person_id == person_id, RoleGrant.until.is_(None))
    )
    if grant is None:
        return
    may_grant(session, actor, person_id, grant.role)
    grant.until = clock.now()
    account = session.scalar(select(Account).where(Account.person_id == person_id))
    if account:
        revoke_all(session, account.id)
        for link in session.scalars(  # what the person handed out ends with the right to do so
            select(Invitation).where(
                Invitation.created_by == account.id, Invitation.used_at.is_(None)
            )
        ):
            link.used_at = clock.now()
    append(session, actor, "role.revoked", person=person_id, role=grant.role)
