"""Tablets that an account has bound: bound by a one-time code, opened by a signature, revoked.

docs/sync-protocol.md section 1. A session is proved by ECDSA on P-256 with SHA-256 over a nonce of the
server (FIPS 186-5; the 64 bytes r and s side by side, as WebCrypto gives them). The private key never
leaves the tablet's browser, so the server can let a tablet in without a password and shut it out alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.accounts import queries
from app.accounts.invitations import CODE_VALID, account_of, make_link, use_invitation, void_links
from app.accounts.models import STAFF, Account, Invitation, SignIn, Tablet, TabletNonce
from app.accounts.sign_ins import open_sign_in
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append

NONCE_VALID = timedelta(minutes=2)
MAX_TABLETS = 8  # in use, of one account
CONTEXT = "FIELD/1 session"

BAD_KEY = Text(
    "平板交来的公钥不是 P-256 密钥。没有绑定；请更新浏览器后重试。",
    "The tablet's public key is no P-256 key. Nothing was bound; update the browser and try again.",
)
_NO_ENTRY = Text("这个代码不能用于绑定平板。", "This code cannot be used to bind a tablet.")
_TOO_MANY = Text(
    "您已有 {n} 台平板在用。没有绑定；请先在“我的平板”撤销不用的。",
    "You have {n} tablets in use. Nothing was bound; revoke one on the page “My tablets” first.",
)
_NO_TABLET = Text(
    "没有这台平板，或它不归您管。", "There is no such tablet, or it is not yours to revoke."
)
_REVOKED = Text(
    "这台平板已经撤销。没有改动。", "This tablet is revoked already. Nothing was changed."
)
_REASON = Text(
    "请写明撤销的理由（至少 2 个字）。没有撤销。",
    "State the reason (2 characters or more). Nothing was revoked.",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that a tablet has opened: the cookie's token, who it is, and on which tablet."""

    token: str
    viewer: Viewer
    tablet_id: str


def p256_key(spki: str) -> ec.EllipticCurvePublicKey:
    """The key in base64 SPKI; DomainError for anything but a point of P-256."""
    try:
        key = load_der_public_key(base64.b64decode(spki, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise DomainError(BAD_KEY, field="public_key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise DomainError(BAD_KEY, field="public_key")
    return key


def signed_by(spki: str, message: bytes, signature: str) -> bool:
    """Whether a base64 signature of 64 bytes (r, s) over `message` is this key's."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != 64:
        return False
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    try:
        p256_key(spki).verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def own_code(session: Session, actor: Viewer) -> str:
    """A code for one's own device, made while signed in; the one before it ends. A recorder has signed
    in with both factors; an expert goes on from his own session. At the check-in desk experts and
    presenters get theirs without having signed in."""
    actor.require("office", "expert")
    void_links(session, actor, ("bind",), person_id=actor.person_id)
    token, _ = make_link(
        session,
        actor,
        purpose="bind",
        role=actor.role,
        person_id=actor.person_id,
        valid=CODE_VALID,
    )
    return token


def bind_tablet(
    session: Session,
    invitation: Invitation,
    *,
    public_key: str,
    label: str,
    agent: str,
    address: str,
    hours: int,
) -> Opened:
    """Redeem a one-time code on a tablet: its key is kept and a session opened. Staff are let in by
    their own code only, which their second factor stood behind."""
    p256_key(public_key)
    use_invitation(session, invitation)
    account = account_of(session, invitation)
    viewer = queries.viewer_of(session, account)
    fits = viewer is not None and (
        viewer.role in ("office", "expert")
        if invitation.purpose == "bind"
        else viewer.role not in STAFF
    )
    if viewer is None or not fits:
        raise Forbidden(_NO_ENTRY)
    live = [row for row in queries.own_tablets(session, viewer) if row.revoked_at is None]
    if len(live) >= MAX_TABLETS:
        raise NotNow(_TOO_MANY.format(n=len(live)))
    now = clock.now()
    tablet = Tablet(
        account_id=account.id,
        label=" ".join(label.split())[:60] or "—",
        agent=agent[:200],
        public_key=public_key,
        bound_at=now,
        last_seen_at=now,
    )
    session.add(tablet)
    session.flush()
    append(
        session,
        account,
        "tablet.bound",
        sealed=True,
        tablet=tablet.id,
        key=hashlib.sha256(public_key.encode()).hexdigest(),
    )
    token = open_sign_in(
        session, account, agent=agent, address=address, hours=hours, tablet_id=tablet.id
    )
    return Opened(token, viewer, tablet.id)


def challenge(session: Session, tablet_id: str) -> str:
    """A nonce for a tablet to sign. An unknown or revoked tablet gets one too, that opens nothing:
    the answer does not say which tablets exist."""
    nonce = secrets.token_hex(32)
    now = clock.now()
    session.execute(delete(TabletNonce).where(TabletNonce.expires_at <= now))
    tablet = session.get(Tablet, tablet_id)
    if tablet is not None and tablet.revoked_at is None:
        session.add(
            TabletNonce(
                tablet_id=tablet.id,
                nonce_hash=queries.token_hash(nonce),
                expires_at=now + NONCE_VALID,
            )
        )
    return nonce


def answer_challenge(
    session: Session,
    *,
    tablet_id: str,
    nonce: str,
    signature: str,
    agent: str,
    address: str,
    hours: int,
) -> Opened | None:
    """A new session for the holder of a tablet's key; None for every reason not to open one. The
    nonce is spent either way, so the caller commits in both cases."""
    now = clock.now()
    row = session.scalar(
        select(TabletNonce).where(TabletNonce.nonce_hash == queries.token_hash(nonce))
    )
    if row is None:
        return None
    fresh = row.tablet_id == tablet_id and now < row.expires_at
    session.delete(row)
    tablet = session.get(Tablet, tablet_id)
    if not fresh or tablet is None or tablet.revoked_at is not None:
        return None
    message = f"{CONTEXT}\n{tablet_id}\n{nonce}".encode()
    if not signed_by(tablet.public_key, message, signature):
        return None
    account = session.get_one(Account, tablet.account_id)
    viewer = queries.viewer_of(session, account)
    if viewer is None:
        return None
    token = open_sign_in(
        session, account, agent=agent, address=address, hours=hours, tablet_id=tablet.id
    )
    tablet_seen(session, tablet.id)
    return Opened(token, viewer, tablet.id)


def tablet_seen(session: Session, tablet_id: str) -> None:
    """Note a contact. It goes past the ledger's watch: the time is not part of the row's digest."""
    session.execute(update(Tablet).where(Tablet.id == tablet_id).values(last_seen_at=clock.now()))


def shut_out_all(session: Session, account: Account, reason: str) -> int:
    """Shut out every tablet of an account and void the codes that would bind another; how many
    tablets. For a renewal: whoever had the old factor may have bound one."""
    now = clock.now()
    rows = list(
        session.scalars(
            select(Tablet).where(Tablet.account_id == account.id, Tablet.revoked_at.is_(None))
        )
    )
    for tablet in rows:
        tablet.revoked_at, tablet.revoked_reason = now, reason
    ids = [tablet.id for tablet in rows]
    session.execute(delete(TabletNonce).where(TabletNonce.tablet_id.in_(ids)))
    void_links(session, None, ("enter", "bind"), person_id=account.person_id)
    if rows:
        append(session, None, "tablets.revoked", account=account.id, tablets=len(rows))
    return len(rows)


def revoke_tablet(session: Session, actor: Viewer, tablet_id: str, reason: str = "") -> Tablet:
    """Shut a tablet out for good and end its sessions. Its owner needs no reason; office and
    supervisor state one. What it has not sent yet can still come in as an export file."""
    tablet = session.get(Tablet, tablet_id)
    own = tablet is not None and tablet.account_id == actor.id
    if tablet is None or not (own or actor.role in ("office", "supervisor")):
        raise NotFound(_NO_TABLET)
    if tablet.revoked_at is not None:
        raise Conflict(_REVOKED)
    if not own and len(reason.strip()) < 2:
        raise DomainError(_REASON, field="reason")
    now = clock.now()
    tablet.revoked_at, tablet.revoked_by = now, actor.id
    tablet.revoked_reason = reason.strip()
    session.execute(
        update(SignIn)
        .where(SignIn.tablet_id == tablet.id, SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.execute(delete(TabletNonce).where(TabletNonce.tablet_id == tablet.id))
    append(session, actor, "tablet.revoked", tablet=tablet.id)
    return tablet
