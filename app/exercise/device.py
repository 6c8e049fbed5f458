"""The supervisor's own device in the exercise, which has no browser: a key in memory, made here.

Everything a real device does is done with it: it is registered, it signs the checkpoint's text, and
the server checks the signature. The key is gone when the exercise ends; nobody can sign with it.
"""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.ledger.checkpoint import Checkpoint, parse
from app.draw import operations, operations_acts
from app.draw.accepted import exceptions
from app.draw.device import active_key, register_device, registration, revoke_device
from app.draw.models import Act, Draw


@cache
def _key(account_id: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def public_of(account_id: str) -> str:
    """The public half, 64 hex digits."""
    raw = serialization.Encoding.Raw
    return _key(account_id).public_key().public_bytes(raw, serialization.PublicFormat.Raw).hex()


def register(session: Session, viewer: Viewer) -> None:
    """Register the key with the account, if none is in force."""
    if active_key(session, viewer.id) is None:
        public = public_of(viewer.id)
        proof = _key(viewer.id).sign(registration(viewer.id, public)).hex()
        register_device(session, viewer, public, proof, "演练设备")


def sign(viewer: Viewer, note: Checkpoint) -> str:
    """Over the text of a note, 128 hex digits."""
    return _key(viewer.id).sign(note.body).hex()


def signature(viewer: Viewer, draw: Draw) -> str:
    """Over the checkpoint that holds the commitment."""
    return sign(viewer, parse(str(draw.checkpoint)))


def cosign(session: Session, viewer: Viewer, draw: Draw) -> None:
    """Register the device if need be, and cosign the commitment and its exceptions with it."""
    register(session, viewer)
    agreed = [row.code for row in exceptions(draw)]
    operations.cosign(session, viewer, draw, signature(viewer, draw), agreed)


def cosign_removals(session: Session, viewer: Viewer, draw: Draw, act: Act) -> None:
    """Cosign the removals of a replacement act."""
    register(session, viewer)
    head = operations_acts.head_now(session)
    operations_acts.cosign_act(session, viewer, draw, act, head.size, sign(viewer, head))


def retire(session: Session, viewer: Viewer) -> None:
    """End the key, so that whoever takes the supervisor's part registers his own device."""
    if active_key(session, viewer.id) is not None:
        revoke_device(session, viewer, "演练中的设备密钥到此为止。")
