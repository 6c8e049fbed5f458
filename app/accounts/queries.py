"""Reading accounts, roles and sessions."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from app import clock
from app.accounts.models import (
    Account,
    Envelope,
    Invitation,
    ResetRequest,
    RoleGrant,
    SignIn,
    Tablet,
)
from app.accounts.viewer import Viewer
from app.directory.models import Person


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
    found = session.execute(
        select(SignIn, Account.person_id, Account.active, Person.name, RoleGrant.role)
        .join(Account, Account.id == SignIn.account_id)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(
            RoleGrant, (RoleGrant.person_id == Account.person_id) & RoleGrant.until.is_(None)
        )
        .where(SignIn.token_hash == token_hash(token))
    ).first()
    if found is None:
        return None
    row, person_id, active, name, role = found
    now = clock.now()
    if row.revoked_at or now >= row.expires_at or now - row.last_seen_at > idle:
        return None
    if role is None or not active:
        return None
    return row, Viewer(row.account_id, person_id, name, role)


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


def own_tablets(session: Session, viewer: Viewer) -> list[Tablet]:
    """Every tablet that the viewer ever bound, those in use first, latest first."""
    rows = session.scalars(
        select(Tablet).where(Tablet.account_id == viewer.id).order_by(Tablet.bound_at.desc())
    )
    return sorted(rows, key=lambda row: row.revoked_at is not None)


def live_tablet(session: Session, viewer: Viewer, tablet_id: str) -> Tablet | None:
    """The viewer's own tablet, unless it is revoked."""
    row = session.get(Tablet, tablet_id)
    ours = row is not None and row.account_id == viewer.id and row.revoked_at is None
    return row if ours else None


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


def is_supervisor(session: Session, account_id: str | None) -> bool:
    """Does the account belong to a supervisor now?"""
    account = session.get(Account, account_id) if account_id else None
    viewer = viewer_of(session, account) if account else None
    return viewer is not None and viewer.role == "supervisor"


def other_supervisor(session: Session, account: Account) -> bool:
    """Is there another supervisor who can sign in and so confirm?"""
    query = (
        select(Account.id)
        .join(RoleGrant, RoleGrant.person_id == Account.person_id)
        .where(
            RoleGrant.role == "supervisor",
            RoleGrant.until.is_(None),
            Account.active,
            Account.id != account.id,
            Account.password_hash.is_not(None),
        )
    )
    if not session.info["settings"].demo:  # the demonstration has no second factor
        query = query.where(Account.totp_secret.is_not(None))
    return session.scalar(query.limit(1)) is not None


def envelope_of(session: Session, account_id: str) -> Envelope | None:
    """The sealed envelope of a supervisor that still opens."""
    return session.scalar(
        select(Envelope).where(
            Envelope.account_id == account_id,
            Envelope.used_at.is_(None),
            Envelope.replaced_at.is_(None),
        )
    )


def open_reset(session: Session, account_id: str) -> ResetRequest | None:
    """The proposal on an account that waits for a supervisor."""
    return session.scalar(
        select(ResetRequest).where(ResetRequest.account_id == account_id, *_waiting())
    )


def waiting_resets(session: Session) -> list[tuple[ResetRequest, Account, Account]]:
    """Proposals that wait for a supervisor, oldest first: with the account and its proposer."""
    proposer = aliased(Account)
    rows = session.execute(
        select(ResetRequest, Account, proposer)
        .join(Account, Account.id == ResetRequest.account_id)
        .join(proposer, proposer.id == ResetRequest.proposed_by)
        .where(*_waiting())
        .order_by(ResetRequest.proposed_at)
    )
    return [(request, account, by) for request, account, by in rows]


def renewed_staff(
    session: Session, *, unseen: bool = False
) -> list[tuple[ResetRequest, Account, Account, datetime | None]]:
    """Renewals of office and keeper accounts by an administrator, latest first: with the account, the
    administrator, and when the link was used (None: not, or not yet)."""
    proposer = aliased(Account)
    query = (
        select(ResetRequest, Account, proposer, Invitation.used_at)
        .join(Account, Account.id == ResetRequest.account_id)
        .join(proposer, proposer.id == ResetRequest.proposed_by)
        .join(Invitation, Invitation.id == ResetRequest.invitation_id)
        .where(ResetRequest.means == "direct", Invitation.role.in_(("office", "keeper")))
        .order_by(ResetRequest.proposed_at.desc(), ResetRequest.id)
    )
    if unseen:
        query = query.where(ResetRequest.seen_at.is_(None))
    return [(row, account, by, used) for row, account, by, used in session.execute(query)]


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return (
        ResetRequest.means == "supervisor",
        ResetRequest.decision.is_(None),
        ResetRequest.expires_at > clock.now(),
    )


def unanswered(session: Session, account_id: str, since: datetime) -> bool:
    """Did a proposal on the account, made after `since`, run out without any supervisor's answer?"""
    return (
        session.scalar(
            select(ResetRequest.id)
            .where(
                ResetRequest.account_id == account_id,
                ResetRequest.means == "supervisor",
                ResetRequest.decision.is_(None),
                ResetRequest.expires_at <= clock.now(),
                ResetRequest.proposed_at > since,
            )
            .limit(1)
        )
        is not None
    )


def proof_of(session: Session, invitation: Invitation) -> tuple[str, str] | None:
    """What a supervisor's renewal link needs beside itself: (means, the Argon2id hash of the code
    that is to be typed); None where the link alone will do, or nothing will."""
    request = session.scalar(
        select(ResetRequest).where(ResetRequest.invitation_id == invitation.id)
    )
    if request is None or request.means == "direct":
        return None
    if request.means == "supervisor":
        return (request.means, request.half_hash) if request.half_hash else None
    envelope = envelope_of(session, request.account_id)
    return (request.means, envelope.code_hash) if envelope else None
