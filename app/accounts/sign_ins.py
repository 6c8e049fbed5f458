"""Server-side sessions: opened, ended one by one or all at once."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.models import Account, SignIn
from app.accounts.viewer import Viewer
from app.domain.types import NotFound, Text
from app.ledger.append import append


def open_sign_in(
    session: Session,
    account: Account,
    *,
    agent: str,
    address: str,
    hours: int,
    tablet_id: str | None = None,
) -> str:
    """A new server-side session; its token, of which only the hash is kept. One that a tablet opens
    ends with it."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        SignIn(
            token_hash=queries.token_hash(token),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=hours),
            agent=agent[:200],
            address=address[:64],
            tablet_id=tablet_id,
        )
    )
    append(session, account, "sign_in.opened", sealed=True)
    return token


def revoke_sign_in(session: Session, actor: Viewer, sign_in_id: str) -> None:
    """End one's own session (or anybody's, for an administrator or supervisor)."""
    row = session.get(SignIn, sign_in_id)
    if row is None or (row.account_id != actor.id and actor.role not in ("admin", "supervisor")):
        raise NotFound(Text("没有这个登录会话。", "There is no such session."))
    row.revoked_at = row.revoked_at or clock.now()
    append(session, actor, "sign_in.revoked", sealed=True)


def revoke_token(session: Session, token: str) -> None:
    """Sign-out: the server forgets the token, whatever the cookie says."""
    row = session.scalar(select(SignIn).where(SignIn.token_hash == queries.token_hash(token)))
    if row and row.revoked_at is None:
        row.revoked_at = clock.now()


def revoke_all(session: Session, account_id: str) -> None:
    """End every session of an account."""
    for row in queries.sign_ins_of(session, account_id):
        row.revoked_at = clock.now()
