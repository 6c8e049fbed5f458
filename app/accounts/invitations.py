"""One-time links: sign-up, a new password, an expert's QR, and what redeeming each one does.

A link's token has 256 random bits; that of a tablet's code has 140 and can be typed as letters.
The database keeps its SHA-256 only.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.grants import create_account, may_grant
from app.accounts.models import STAFF, Account, Invitation
from app.accounts.passwords import new_code, plain_code
from app.accounts.sign_ins import open_sign_in, revoke_all
from app.accounts.throttling import clear_failures
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger.append import append

TYPED = ("enter", "bind")  # purposes whose token somebody may have to type
CODE_GROUPS = 7  # of four letters, 20 bits each
CODE_VALID = timedelta(minutes=10)
_VOID = Text(
    "此人的角色在链接发出后变了，链接作废。没有任何改动；请重新索取。",
    "The person's role has changed since this link was made, so it is void. Nothing was changed; "
    "ask for a new one.",
)


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
    else:
        role = queries.live_role(session, person_id or "")
        if actor is not None:
            may_grant(session, actor, person_id, role or "expert")
    token, _ = make_link(
        session, actor, purpose=purpose, role=role, person_id=person_id, valid=valid
    )
    return token


def make_link(
    session: Session,
    actor: Viewer | Account | None,
    *,
    purpose: str,
    role: str | None,
    person_id: str | None,
    valid: timedelta,
) -> tuple[str, Invitation]:
    """The link itself, for callers that have checked who may. It holds for the role that the
    person has now. A new link to somebody's password ends the ones before it."""
    if purpose in ("reset", "renew", "enrol"):
        void_links(session, actor, ("reset", "renew", "enrol"), person_id=person_id)
    typed = purpose in TYPED
    token = plain_code(new_code(CODE_GROUPS)) if typed else secrets.token_urlsafe(32)
    now = clock.now()
    row = Invitation(
        token_hash=queries.token_hash(token),
        purpose=purpose,
        role=role,
        person_id=person_id,
        created_by=actor.id if actor else None,
        created_at=now,
        expires_at=now + valid,
    )
    session.add(row)
    append(
        session,
        actor,
        "invitation.made",
        purpose=purpose,
        role=role or "",
        person=person_id or "",
    )
    return token, row


def void_links(
    session: Session,
    actor: Viewer | Account | None,
    purposes: tuple[str, ...],
    *,
    person_id: str | None = None,
    role: str | None = None,
    created_by: str | None = None,
) -> int:
    """End every open link of these purposes that fits; how many there were."""
    query = select(Invitation).where(
        Invitation.purpose.in_(purposes),
        Invitation.used_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
    if person_id is None:
        query = query.where(Invitation.person_id.is_(None), Invitation.created_by == created_by)
    else:
        query = query.where(Invitation.person_id == person_id)
    if role is not None:
        query = query.where(Invitation.role == role)
    rows = list(session.scalars(query))
    for row in rows:
        row.used_at = clock.now()
    if rows:
        append(session, actor, "invitation.voided", links=len(rows), person=person_id or "")
    return len(rows)


def first_link(session: Session) -> str:
    """At `mingjian init`: the first administrator's sign-up link. One made before ends."""
    void_links(session, None, ("signup",), role="admin")
    return invite(session, None, purpose="signup", role="admin")


def entry_link(
    session: Session,
    actor: Viewer,
    *,
    person: Person,
    login: str,
    valid: timedelta = CODE_VALID,
) -> str:
    """At the check-in desk: the code that binds an expert's tablet or signs a browser in, once,
    within ten minutes. The account is made at the first code; it has no password."""
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
    """Redeem a sign-up link: person, account and role in one step. Once there is a supervisor, a
    supervisor's link holds only while the one who made it is a supervisor himself."""
    use_invitation(session, invitation)
    if (
        invitation.role == "supervisor"
        and queries.supervisor_exists(session)
        and not queries.is_supervisor(session, invitation.created_by)
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
    """A new password ends every session of the account, and its lock-out."""
    account.password_hash = hashed
    revoke_all(session, account.id)
    clear_failures(session, f"login:{account.login}")
    append(session, actor, "password.changed", account=account.id)


def account_of(session: Session, invitation: Invitation) -> Account:
    """The account that a link opens; Conflict when the person's role is another by now."""
    account = session.scalar(select(Account).where(Account.person_id == invitation.person_id))
    if account is None:
        raise DomainError(Text("链接没有对应的账号。", "The link belongs to no account."))
    if queries.live_role(session, account.person_id) != invitation.role:
        raise Conflict(_VOID)
    return account


def reset_by_link(session: Session, invitation: Invitation, hashed: str) -> Account:
    """Redeem a reset link: a new password, the second factor stays."""
    use_invitation(session, invitation)
    account = account_of(session, invitation)
    set_password(session, None, account, hashed)
    return account


def enter_by_link(
    session: Session, invitation: Invitation, *, agent: str, address: str, hours: int
) -> tuple[str, Viewer]:
    """Redeem a QR link of an expert or presenter: a signed-in tablet, once. Staff never enter so:
    their sign-in needs a second factor."""
    use_invitation(session, invitation)
    account = account_of(session, invitation)
    viewer = queries.viewer_of(session, account)
    if viewer is None or viewer.role in STAFF:
        raise Forbidden(Text("这个链接不能用于登录。", "This link cannot be used to sign in."))
    token = open_sign_in(session, account, agent=agent, address=address, hours=hours)
    return token, viewer
