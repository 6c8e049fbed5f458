"""The small world of the attacks in place of the suite's empty installation, and tablets in it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.accounts import invitations
from app.accounts.viewer import Viewer
from tests.attacks.world import settings, world, world_template

__all__ = ["settings", "world", "world_template"]

AGENT = "Mozilla/5.0 (Linux; Android 14) Chrome/130"


class Key:
    """What WebCrypto does on the tablet: a P-256 key pair, raw signatures."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.private = ec.generate_private_key(curve or ec.SECP256R1())

    @property
    def public(self) -> str:
        spki = self.private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(spki).decode()

    def sign(self, text: str) -> str:
        r, s = decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(SHA256())))
        return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()


@dataclass
class Bound:
    """A tablet of somebody, with a signed-in client."""

    client: Any
    key: Key
    id: str
    csrf: str
    viewer: Viewer

    def get(self, where: str, **kw: Any) -> Any:
        return self.client.get(where, **kw)

    def reopen(self) -> Any:
        """Challenge and session, as after a night."""
        nonce = self.client.post("/field/api/challenge", json={"tablet": self.id}).json["nonce"]
        return self.client.post(
            "/field/api/session",
            json={
                "tablet": self.id, "nonce": nonce,
                "signature": self.key.sign(f"FIELD/1 session\n{self.id}\n{nonce}"),
            },
        )  # fmt: skip


def code_for(app: Any, office: Viewer, viewer: Viewer) -> str:
    """A one-time code of the check-in desk."""
    with app.extensions["mingjian.db"].write() as session:
        return invitations.invite(
            session, office, purpose="enter", person_id=viewer.person_id,
            valid=invitations.CODE_VALID,
        )  # fmt: skip


class _Undo(Exception):
    """Takes a transaction back at its end."""


@pytest.fixture
def undone(database: Any) -> Callable[[], Any]:
    """`with undone() as session:` a write transaction that is taken back."""

    @contextmanager
    def write() -> Iterator[Any]:
        with suppress(_Undo), database.write() as session:
            yield session
            raise _Undo

    return write


@pytest.fixture
def bind(app: Any, world: Any) -> Callable[..., Bound]:
    """`bind(viewer)`: that person's tablet, bound over the interface by a code."""

    def bound(viewer: Viewer, label: str = "测试平板") -> Bound:
        key, client = Key(), app.test_client()
        answer = client.post(
            "/field/api/bind",
            json={
                "code": code_for(app, world.people["office"], viewer), "public_key": key.public,
                "label": label,
            },
            headers={"User-Agent": AGENT},
        )  # fmt: skip
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Bound(client, key, answer.json["tablet"], answer.json["csrf"], viewer)

    return bound
