"""Accounts: creating, granting, inviting, signing in and out. Each verb leaves a ledger entry."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.models import (
    ROLES,
    STAFF,
    Account,
    Invitation,
    RecoveryCode,
    RoleGrant,
    SignIn,
    Throttle,
)
from app.accounts.viewer import ROLE_TEXT, Viewer
from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.keys import Keys
from app.ledger.append import append

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified against when there is no such account, so that the answer takes as long.
DUMMY_HASH = HASHER.hash("nobody's password")
MAX_FAILURES = 5
LOCK = timedelta(minutes=15)
MIN_PASSWORD = 12

_WEAK = Text(
    "密码至少 {n} 个字符，并且不能与登录名相同。原密码未改动，请换一个。",
    "A password needs at least {n} characters and must differ from the login. Nothing was "
    "changed; choose another.",
)
_TAKEN = Text(
    "登录名“{login}”已被使用。没有创建账号，请换一个。",
    "The login “{login}” is taken. No account was created; choose another.",
)
_HOLDS = Text(
    "{name} 已有角色“{role}”。互斥的角色不能由一人兼任；没有任何改动，请先撤销原角色。",
    "{name} already holds the role “{role}”. One person holds one role; nothing was changed, "
    "revoke the present one first.",
)


def check_password(login: str, password: str) -> None:
    """Length over composition rules; DomainError says what to change."""
    if len(password) < MIN_PASSWORD or password.strip().lower() == login.lower():
        raise DomainError(_WEAK.format(n=MIN_PASSWORD), field="password")


def hash_password(password: str) -> str:
    """Argon2id, 19 MiB, t=2 (OWASP). Slow on purpose: call it outside a write transaction."""
    return HASHER.hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Constant work whether or not there is a stored hash."""
    try:
        return HASHER.verify(stored or DUMMY_HASH, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


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
    append(session, actor, "role.revoked", person=person_id, role=grant.role)


def invite(
    session: Session,
    actor: Viewer | None,
    *,
    purpose: str,
    role: str | None = None,
    person_id: str | None = None,
    valid: timedelta = timedelta(hours=1),
) -> str:
    """A one-time token for a link; only its hash is kept. For `reset` and `enter`, `person_id`
    has an account. A supervisor's reset is a supervisor's act."""
    if purpose == "signup":
        may_grant(session, actor, person_id, role or "")
    elif actor is not None:
        held = queries.live_role(session, person_id or "")
        may_grant(session, actor, person_id, held or "expert")
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        Invitation(
            token_hash=queries.token_hash(token),
            purpose=purpose,
            role=role,
            person_id=person_id,
            created_by=actor.id if actor else None,
            created_at=now,
            expires_at=now + valid,
        )
    )
    append(session, actor, "invitation.made", purpose=purpose, role=role or "")
    return token


def entry_link(
    session: Session,
    actor: Viewer,
    *,
    person: Person,
    login: str,
    valid: timedelta = timedelta(minutes=10),
) -> str:
    """At the check-in desk: the token of a QR link that signs an expert's tablet in, once, within
    ten minutes. The account is made at the first link; it has no password."""
    actor.require("office")
    if session.scalar(select(Account.id).where(Account.person_id == person.id)) is None:
        create_account(
            session, actor, person=person, login=login, password_hash=None, role="expert"
        )
    return invite(session, actor, purpose="enter", person_id=person.id, valid=valid)


def use_invitation(session: Session, invitation: Invitation) -> None:
    """Spend a one-time link; Conflict when it was spent meanwhile."""
    if invitation.used_at or clock.now() >= invitation.expires_at:
        raise Conflict(
            Text(
                "链接已失效或已使用。没有任何改动；请向管理员索取新的链接。",
                "This link has expired or was used. Nothing was changed; ask for a new one.",
            )
        )
    invitation.used_at = clock.now()


def sign_up(
    session: Session, invitation: Invitation, *, name: str, login: str, password_hash: str
) -> Account:
    """Redeem a sign-up link: person, account and role in one step. A supervisor's link is void
    when somebody else became the first supervisor meanwhile (a supervisor's own links hold)."""
    use_invitation(session, invitation)
    if (
        invitation.role == "supervisor"
        and queries.supervisor_exists(session)
        and invitation.created_by
        and not queries.was_supervisor(session, invitation.created_by)
    ):
        raise Conflict(
            Text(
                "已有监督人员，此链接作废。没有创建账号；请由监督人员重新邀请。",
                "There is a supervisor by now, so this link is void. No account was created; "
                "ask a supervisor for a new link.",
            )
        )
    person = (
        session.get(Person, invitation.person_id) if invitation.person_id else Person(name=name)
    )
    if person is None or invitation.role is None:
        raise DomainError(Text("链接内容不完整。", "The link is incomplete."))
    return create_account(
        session,
        None,
        person=person,
        login=login,
        password_hash=password_hash,
        role=invitation.role,
    )


def set_password(session: Session, actor: Viewer | None, account: Account, hashed: str) -> None:
    """A new password ends every session of the account."""
    account.password_hash = hashed
    revoke_all(session, account.id)
    append(session, actor, "password.changed", account=account.id)


def reset_by_link(session: Session, invitation: Invitation, hashed: str) -> Account:
    """Redeem a reset link."""
    use_invitation(session, invitation)
    account = session.scalar(select(Account).where(Account.person_id == invitation.person_id))
    if account is None:
        raise DomainError(Text("链接没有对应的账号。", "The link belongs to no account."))
    set_password(session, None, account, hashed)
    return account


def start_totp(session: Session, account: Account, keys: Keys) -> tuple[str, list[str]]:
    """A fresh time-based secret and ten recovery codes; the old ones stop working."""
    secret = pyotp.random_base32()
    account.totp_secret = keys.encrypt(secret)
    account.totp_step = None
    for old in session.scalars(
        select(RecoveryCode).where(
            RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None)
        )
    ):
        old.used_at = clock.now()
    codes = [f"{secrets.randbelow(10**10):010d}" for _ in range(10)]
    for code in codes:
        session.add(RecoveryCode(account_id=account.id, code_hash=_code_hash(account, code)))
    append(session, None, "second_factor.set", account=account.id)
    return secret, codes


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


def open_sign_in(
    session: Session, account: Account, *, agent: str, address: str, hours: int
) -> str:
    """A new server-side session; its token, of which only the hash is kept."""
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


def locked(session: Session, *keys: str) -> bool:
    """Is the account or the address locked out now?"""
    now = clock.now()
    rows = session.scalars(select(Throttle).where(Throttle.key.in_(keys)))
    return any(row.locked_until is not None and row.locked_until > now for row in rows)


def count_failure(session: Session, key: str, limit: int = MAX_FAILURES) -> None:
    """One more failure; at `limit` within the window, locked for fifteen minutes."""
    now = clock.now()
    row = session.get(Throttle, key)
    if row is None:
        row = Throttle(key=key, failures=0, since=now)
        session.add(row)
    if now - row.since > LOCK:
        row.failures, row.since, row.locked_until = 0, now, None
    row.failures += 1
    if row.failures >= limit:
        row.locked_until = now + LOCK


def clear_failures(session: Session, key: str) -> None:
    row = session.get(Throttle, key)
    if row:
        session.delete(row)


def enter_by_link(
    session: Session, invitation: Invitation, *, agent: str, address: str, hours: int
) -> tuple[str, Viewer]:
    """Redeem a QR link of an expert or presenter: a signed-in tablet, once. Staff never enter so:
    their sign-in needs a second factor."""
    use_invitation(session, invitation)
    account = session.scalar(select(Account).where(Account.person_id == invitation.person_id))
    viewer = queries.viewer_of(session, account) if account else None
    if account is None or viewer is None or viewer.role in STAFF:
        raise Forbidden(Text("这个链接不能用于登录。", "This link cannot be used to sign in."))
    token = open_sign_in(session, account, agent=agent, address=address, hours=hours)
    return token, viewer
