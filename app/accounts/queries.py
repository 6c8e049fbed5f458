"""Reading accounts, roles and sessions."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account, Invitation, RoleGrant, SignIn
from app.accounts.viewer import Viewer


def token_hash(token: str) -> str:
    """SHA-256, hex: tokens are 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def live_role(session: Session, person_id: str) -> str | None:
    """The one role that a person holds now."""
    return session.scalar(
        select(RoleGrant.role).where(RoleGrant.person_id == person_id, RoleGrant.until.is_(None))
    )


def viewer_of(session: Session, account: Account) -> Viewer | None:
    """The account as viewer; None when it is closed or holds no role."""
    role = live_role(session, account.person_id)
    if role is None or not account.active:
        return None
    return Viewer(account.id, account.person_id, account.person.name, role)


def account_by_login(session: Session, login: str) -> Account | None:
    return session.scalar(select(Account).where(Account.login == login.strip().lower()))


def login_of(session: Session, person_id: str | None) -> str:
    """The login of a person's account; empty when there is none."""
    return session.scalar(select(Account.login).where(Account.person_id == person_id)) or ""


def viewer_by_login(session: Session, login: str) -> Viewer:
    """For commands and the demonstration: LookupError when there is none."""
    account = account_by_login(session, login)
    viewer = viewer_of(session, account) if account else None
    if viewer is None:
        raise LookupError(login)
    return viewer


def live_sign_in(session: Session, token: str, idle: timedelta) -> tuple[SignIn, Viewer] | None:
    """The session behind a token, if it is neither revoked nor expired nor idle too long."""
    row = session.scalar(select(SignIn).where(SignIn.token_hash == token_hash(token)))
    now = clock.now()
    if row is None or row.revoked_at or now >= row.expires_at or now - row.last_seen_at > idle:
        return None
    account = session.get(Account, row.account_id)
    viewer = viewer_of(session, account) if account else None
    return (row, viewer) if viewer else None


def sign_ins_of(session: Session, account_id: str) -> list[SignIn]:
    """Live sessions of an account, latest first."""
    return list(
        session.scalars(
            select(SignIn)
            .where(
                SignIn.account_id == account_id,
                SignIn.revoked_at.is_(None),
                SignIn.expires_at > clock.now(),
            )
            .order_by(SignIn.last_seen_at.desc())
        )
    )


def open_invitation(session: Session, token: str, now: datetime | None = None) -> Invitation | None:
    """The invitation behind a link, if it can still be used."""
    row = session.scalar(select(Invitation).where(Invitation.token_hash == token_hash(token)))
    if row is None or row.used_at or (now or clock.now()) >= row.expires_at:
        return None
    return row


def accounts_with_roles(session: Session) -> list[tuple[Account, str | None]]:
    """Every account with its live role, by login."""
    rows = session.execute(
        select(Account, RoleGrant.role)
        .outerjoin(
            RoleGrant, (RoleGrant.person_id == Account.person_id) & RoleGrant.until.is_(None)
        )
        .order_by(Account.login)
    )
    return [(account, role) for account, role in rows]


def supervisor_exists(session: Session) -> bool:
    """Has there ever been a supervisor? After the first, only a supervisor names another."""
    return (
        session.scalar(select(RoleGrant.id).where(RoleGrant.role == "supervisor").limit(1))
        is not None
    )


def was_supervisor(session: Session, account_id: str) -> bool:
    """Does, or did, the account's person hold the supervisor's role?"""
    return (
        session.scalar(
            select(RoleGrant.id)
            .join(Account, Account.person_id == RoleGrant.person_id)
            .where(Account.id == account_id, RoleGrant.role == "supervisor")
            .limit(1)
        )
        is not None
    )
