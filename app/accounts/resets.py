"""A lost second factor: renewing an account whose authenticator and recovery codes are gone.

An administrator asks for it after seeing the person. Staff, experts and presenters get a one-time
link at once. A supervisor's needs two people, so that no administrator ever becomes a supervisor:
a second supervisor confirms and hands over the link, the administrator hands over the other half,
a code; where no second supervisor can, the code of the supervisor's sealed envelope is that half.
The old password, authenticator, recovery codes, sessions and tablets end when the link is redeemed,
so a link made by mistake locks nobody out. An administrator who renews an office or keeper account
could take it over: the supervisor is shown each one until he has looked at it, and it stays among
the anomalies.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.factors import end_second_factor
from app.accounts.invitations import account_of, make_link, set_password, use_invitation
from app.accounts.models import Account, Envelope, Invitation, ResetRequest
from app.accounts.tablets import shut_out_all
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append

RENEWED = "账号恢复 / account renewed"  # why its tablets were shut out
LINK_VALID = timedelta(hours=1)
PROPOSAL_VALID = timedelta(hours=24)
UNANSWERED_COUNTS = timedelta(days=7)  # for so long a silence of the other supervisors counts

_OWN = Text(
    "不能重设本人的账号，请由另一位管理员办理。没有任何改动。",
    "You cannot renew your own account; ask another administrator. Nothing was changed.",
)
_NO_ROLE = Text(
    "此账号没有角色，没有什么可恢复。没有任何改动。",
    "The account holds no role, so there is nothing to recover. Nothing was changed.",
)
_REASON = Text(
    "请写明怎样核实了本人身份。没有任何改动。",
    "Say how you checked who the person is. Nothing was changed.",
)
_WAITS = Text(
    "这个账号已有一份提议在等监督人员确认。没有任何改动。",
    "A proposal on this account already waits for a supervisor. Nothing was changed.",
)
_NO_ENVELOPE = Text(
    "没有第二位监督人员能确认，此账号也没有可用的信封码，所以不能从页面恢复。没有任何改动。",
    "No second supervisor can confirm and the account has no sealed envelope, so it cannot be "
    "recovered from the screen. Nothing was changed.",
)
_DECIDED = Text(
    "这份提议已经处理或过期。没有任何改动。",
    "This proposal was decided or has run out. Nothing was changed.",
)
_TWO = Text(
    "提议人和本人都不能确认，须由另一位监督人员确认。没有任何改动。",
    "Neither the proposer nor the person concerned can confirm; another supervisor must. Nothing "
    "was changed.",
)
WRONG_CODE = Text(
    "这个码不对，链接仍然有效。请核对后再输入；连续错误 5 次将停用 15 分钟。",
    "This code is wrong; the link still holds. Check and type it again. Five failures stop the "
    "link for 15 minutes.",
)


def means_for(session: Session, account: Account) -> str | None:
    """How an account would be renewed: direct, supervisor, envelope, or None (not possible)."""
    role = queries.live_role(session, account.person_id)
    if role is None:
        return None
    if role != "supervisor":
        return "direct"
    silent = queries.unanswered(session, account.id, clock.now() - UNANSWERED_COUNTS)
    if queries.other_supervisor(session, account) and not silent:
        return "supervisor"
    return "envelope" if queries.envelope_of(session, account.id) else None


def propose(
    session: Session, actor: Viewer, *, account: Account, reason: str, half_hash: str
) -> tuple[ResetRequest, str | None]:
    """An administrator asks for the renewal: (the request, the link's token or None while a
    supervisor has to confirm). `half_hash`: Argon2id of the code that the administrator hands over,
    kept only when a supervisor confirms."""
    actor.require("admin")
    if account.person_id == actor.person_id:
        raise Forbidden(_OWN)
    role = queries.live_role(session, account.person_id)
    if role is None or not account.active:
        raise NotNow(_NO_ROLE)
    if not reason.strip():
        raise DomainError(_REASON, field="reason")
    if queries.open_reset(session, account.id):
        raise NotNow(_WAITS)
    means = means_for(session, account)
    if means is None:
        raise NotNow(_NO_ENVELOPE)
    now = clock.now()
    request = ResetRequest(
        account_id=account.id,
        means=means,
        reason=reason.strip(),
        proposed_by=actor.id,
        proposed_at=now,
        expires_at=now + (PROPOSAL_VALID if means == "supervisor" else LINK_VALID),
        half_hash=half_hash if means == "supervisor" else None,
    )
    session.add(request)
    session.flush()
    append(session, actor, "renewal.proposed", request=request.id, account=account.id, means=means)
    return request, None if means == "supervisor" else _link(session, actor, request, role)


def _link(session: Session, actor: Viewer, request: ResetRequest, role: str) -> str:
    account = session.get_one(Account, request.account_id)
    token, invitation = make_link(
        session, actor, purpose="renew", role=role, person_id=account.person_id, valid=LINK_VALID
    )
    request.invitation_id = invitation.id
    append(session, actor, "renewal.linked", request=request.id, invitation=invitation.id)
    return token


def request_by_id(session: Session, request_id: str) -> ResetRequest:
    """A supervisor's renewal as proposed; NotFound."""
    found = session.get(ResetRequest, request_id)
    if found is None or found.means != "supervisor":
        raise NotFound(Text("没有这份提议。", "There is no such proposal."))
    return found


def look_at(session: Session, actor: Viewer, request_id: str) -> ResetRequest:
    """A supervisor has looked at an administrator's renewal of an office or keeper account; NotFound
    for any other. Twice changes nothing."""
    actor.require("supervisor")
    found = next((row for row, *_ in queries.renewed_staff(session) if row.id == request_id), None)
    if found is None:
        raise NotFound(Text("没有这次恢复。", "There is no such recovery."))
    if found.seen_at is None:
        found.seen_by, found.seen_at = actor.id, clock.now()
        append(session, actor, "renewal.seen", request=found.id)
    return found


def decide(session: Session, actor: Viewer, *, request: ResetRequest, confirm: bool) -> str | None:
    """A supervisor confirms (the token of the link, which only he sees) or refuses. Anybody but the
    proposer and the person concerned confirms; every supervisor may refuse."""
    actor.require("supervisor")
    account = session.get_one(Account, request.account_id)
    if request.decision is not None or clock.now() >= request.expires_at:
        raise Conflict(_DECIDED)
    if confirm and (request.proposed_by == actor.id or account.person_id == actor.person_id):
        raise Forbidden(_TWO)
    if confirm and not queries.is_supervisor(session, account.id):
        raise Conflict(_DECIDED)
    request.decision = "confirmed" if confirm else "refused"
    request.decided_by, request.decided_at = actor.id, clock.now()
    append(session, actor, f"renewal.{request.decision}", request=request.id, account=account.id)
    return _link(session, actor, request, "supervisor") if confirm else None


def renew_by_link(
    session: Session, invitation: Invitation, hashed: str, proved: str | None
) -> Account:
    """Redeem a renewal link: a new password; sessions, authenticator and recovery codes end.

    `proved` is the stored hash that the typed code was found to fit, before this transaction;
    Conflict when it is not (or no longer) the one that the link needs.
    """
    use_invitation(session, invitation)
    account = account_of(session, invitation)
    if invitation.role == "supervisor":
        proof = queries.proof_of(session, invitation)
        if proof is None or proof[1] != proved:
            raise Conflict(_DECIDED)
        if proof[0] == "envelope":
            envelope = queries.envelope_of(session, account.id)
            if envelope is not None:
                envelope.used_at = clock.now()
                append(session, None, "envelope.used", account=account.id)
    end_second_factor(session, account)
    shut_out_all(session, account, RENEWED)
    set_password(session, None, account, hashed)
    append(session, None, "account.renewed", account=account.id, invitation=invitation.id)
    return account


def keep_envelope(session: Session, actor: Viewer | Account, account: Account, hashed: str) -> None:
    """A new sealed envelope of a supervisor; the one before opens nothing any more."""
    if not queries.is_supervisor(session, account.id) or actor.id != account.id:
        raise Forbidden(
            Text(
                "只有监督人员本人能制作信封码。没有任何改动。",
                "Only a supervisor makes an envelope, his own. Nothing was changed.",
            )
        )
    before = queries.envelope_of(session, account.id)
    if before is not None:
        before.replaced_at = clock.now()
    session.add(Envelope(account_id=account.id, code_hash=hashed, made_at=clock.now()))
    append(session, actor, "envelope.made", account=account.id)
