"""The key of one's own device: registered with the account, revoked, and checked at a cosignature.

Ed25519 (RFC 8032). The device makes the pair and keeps the private half; what it signs is the text
of a C2SP signed note (https://c2sp.org/signed-note), so that any tool for such notes checks it.
"""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw.seed import HEX64
from app.domain.ledger.checkpoint import Checkpoint
from app.domain.types import Conflict, DomainError, NotNow, Text
from app.draw.models import Draw
from app.draw.models_ceremony import Cosignature, DeviceKey
from app.keys import verify_signature
from app.ledger.append import append

_SIGNATURE = re.compile(r"[0-9a-f]{128}")
WHO = ("supervisor",)  # whose cosignature counts
_BAD_KEY = Text(
    "公钥或其签名无效，没有登记。请在本人设备上重新生成。",
    "The public key or its signature is not valid, so nothing was registered. Make it again on your "
    "own device.",
)
_HAS_KEY = Text(
    "您已有一个有效的设备密钥，没有登记新的。换设备请先撤销原密钥。",
    "You have an active device key, so no other was registered. To change devices revoke it first.",
)
_KNOWN = Text(
    "这个公钥已登记过，不能再用。请重新生成。",
    "This public key was registered before and cannot be used again. Make a new one.",
)
_NO_KEY = Text(
    "您还没有登记设备密钥，没有会签。请先在“我的设备密钥”页登记。",
    "You have no registered device key, so nothing was cosigned. Register one on the page 'My device "
    "key' first.",
)
_BAD_SIGNATURE = Text(
    "签名与您登记的设备密钥不符，没有会签。请在登记过的那台设备上操作。",
    "The signature does not fit your registered device key, so nothing was cosigned. Use the device "
    "that was registered.",
)
_NO_REASON = Text("请写明撤销的原因。没有撤销。", "Say why it is revoked. Nothing was revoked.")


def registration(account_id: str, public: str) -> bytes:
    """What a device signs to show that it holds the private half; never the form of a note."""
    return f"mingjian device key\n{account_id}\n{public}\n".encode()


def fingerprint(public: str) -> str:
    """First 128 bits of SHA-256 over the raw key, in groups of four digits, for paper."""
    digits = hashlib.sha256(bytes.fromhex(public)).hexdigest()[:32]
    return " ".join(digits[i : i + 4] for i in range(0, 32, 4))


def active_key(session: Session, account_id: str) -> DeviceKey | None:
    """The one key of an account that is in force."""
    return session.scalar(
        select(DeviceKey).where(DeviceKey.account_id == account_id, DeviceKey.revoked_at.is_(None))
    )


def keys_of(session: Session, viewer: Viewer) -> list[DeviceKey]:
    """The viewer's own keys, latest first, revoked ones too."""
    return list(
        session.scalars(
            select(DeviceKey)
            .where(DeviceKey.account_id == viewer.id)
            .order_by(DeviceKey.registered_at.desc())
        )
    )


def register_device(
    session: Session, actor: Viewer, public: str, proof: str, label: str = ""
) -> DeviceKey:
    """Put a device's public key (64 hex digits) in force for the actor's account.

    `proof` is its signature (128 hex digits) over `registration`. One key at a time; a public key
    is registered once ever.
    """
    actor.require(*WHO)
    public, proof = public.strip().lower(), proof.strip().lower()
    if (
        not HEX64.fullmatch(public)
        or not _SIGNATURE.fullmatch(proof)
        or not verify_signature(
            bytes.fromhex(public), registration(actor.id, public), bytes.fromhex(proof)
        )
    ):
        raise DomainError(_BAD_KEY, field="public")
    if active_key(session, actor.id) is not None:
        raise Conflict(_HAS_KEY)
    if session.scalar(select(DeviceKey.id).where(DeviceKey.public == public)) is not None:
        raise Conflict(_KNOWN)
    digest = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    key = DeviceKey(
        account_id=actor.id,
        public=public,
        name=f"{actor.role}-{digest[:8]}",
        label=label.strip()[:120],
        registered_at=clock.now(),
    )
    session.add(key)
    session.flush()
    append(session, actor, "device.registered", account=actor.id, public=public, name=key.name)
    return key


def revoke_device(session: Session, actor: Viewer, reason: str) -> None:
    """End the actor's key: the device is lost or changed. What it signed before stays signed."""
    actor.require(*WHO)
    key = active_key(session, actor.id)
    if key is None:
        raise NotNow(_NO_KEY)
    if not reason.strip():
        raise DomainError(_NO_REASON, field="reason")
    key.revoked_at, key.revoke_reason = clock.now(), reason.strip()[:200]
    append(session, actor, "device.revoked", account=actor.id, public=key.public)


def signed_by_device(
    session: Session, actor: Viewer, body: bytes, signature: str
) -> tuple[DeviceKey, bytes]:
    """The actor's key and the raw signature, if it is one over `body`; DomainError otherwise."""
    key = active_key(session, actor.id)
    if key is None:
        raise NotNow(_NO_KEY)
    value = signature.strip().lower()
    if not _SIGNATURE.fullmatch(value) or not verify_signature(
        bytes.fromhex(key.public), body, bytes.fromhex(value)
    ):
        raise DomainError(_BAD_SIGNATURE, field="signature")
    return key, bytes.fromhex(value)


def keep_cosignature(
    session: Session, actor: Viewer, draw: Draw, act: int, note: Checkpoint, signature: str
) -> tuple[DeviceKey, bytes]:
    """Add the actor's device signature over `note` to the draw's record of this act; the key and the
    raw signature. DomainError or Conflict as for `signed_by_device`, and nothing is kept then."""
    key, value = signed_by_device(session, actor, note.body, signature)
    session.add(
        Cosignature(
            draw_id=draw.id,
            act=act,
            account_id=actor.id,
            device_key_id=key.id,
            note=str(note.signed(key.name, bytes.fromhex(key.public), value)),
            at=clock.now(),
        )
    )
    return key, value
