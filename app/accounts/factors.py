"""The second factor: time-based codes (RFC 6238) and ten recovery codes."""

from __future__ import annotations

import re
import secrets

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.invitations import account_of, use_invitation
from app.accounts.models import STAFF, Account, Invitation, RecoveryCode
from app.domain.types import Conflict, Text
from app.keys import Keys
from app.ledger.append import append


def start_totp(session: Session, account: Account, keys: Keys) -> tuple[str, list[str]]:
    """A fresh time-based secret and ten recovery codes; the old ones stop working."""
    secret = pyotp.random_base32()
    account.totp_secret = keys.encrypt(secret)
    account.totp_step = None
    _spend_codes(session, account)
    codes = [f"{secrets.randbelow(10**10):010d}" for _ in range(10)]
    for code in codes:
        session.add(RecoveryCode(account_id=account.id, code_hash=_code_hash(account, code)))
    append(session, None, "second_factor.set", account=account.id)
    return secret, codes


def end_second_factor(session: Session, account: Account) -> None:
    """The authenticator and the recovery codes stop working; the next sign-in sets up new ones."""
    account.totp_secret = None
    account.totp_step = None
    _spend_codes(session, account)
    append(session, None, "second_factor.ended", account=account.id)


def enrol_by_link(
    session: Session, invitation: Invitation, keys: Keys
) -> tuple[Account, str, list[str]]:
    """Redeem the link of a first sign-in: the second factor, and nothing else."""
    use_invitation(session, invitation)
    account = account_of(session, invitation)
    if account.totp_secret is not None:
        raise Conflict(
            Text(
                "身份验证器已经绑定。没有任何改动，请登录。",
                "An authenticator is set up already. Nothing was changed; please sign in.",
            )
        )
    secret, codes = start_totp(session, account, keys)
    return account, secret, codes


def _spend_codes(session: Session, account: Account) -> None:
    for old in session.scalars(
        select(RecoveryCode).where(
            RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None)
        )
    ):
        old.used_at = clock.now()


def _code_hash(account: Account, code: str) -> str:
    return queries.token_hash(f"{account.id}|{code}")


def second_factor_fits(session: Session, account: Account, code: str, keys: Keys) -> bool:
    """A time-based code (once per 30 s step) or an unused recovery code (once ever)."""
    code = re.sub(r"\s", "", code)
    if account.totp_secret is None:
        return False
    totp = pyotp.TOTP(keys.decrypt(account.totp_secret))
    step = int(clock.now().timestamp()) // 30
    for candidate in (step, step - 1, step + 1):
        if secrets.compare_digest(totp.at(candidate * 30).encode(), code.encode()):
            if account.totp_step is not None and candidate <= account.totp_step:
                return False
            account.totp_step = candidate
            return True
    spare = session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.account_id == account.id,
            RecoveryCode.code_hash == _code_hash(account, code),
            RecoveryCode.used_at.is_(None),
        )
    )
    if spare is None:
        return False
    spare.used_at = clock.now()
    append(session, None, "recovery_code.used", account=account.id)
    return True


def needs_second_factor(role: str, demo: bool) -> bool:
    """Staff, always; off only in the demonstration, which says so."""
    return role in STAFF and not demo
