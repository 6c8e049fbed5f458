"""The secrets of one installation: three files of mode 0600, outside database and backups.

`ledger.key` signs heads (Ed25519), `field.key` encrypts personal data at rest (AES-256-GCM, with
an HMAC-SHA-256 blind index for uniqueness), `cookie.key` signs the session cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.types import DomainError, Text

NAMES = ("ledger.key", "field.key", "cookie.key")
ORIGIN = "mingjian"


@dataclass(frozen=True)
class Keys:
    """The three keys, raw: 32 bytes each."""

    ledger: bytes
    field: bytes
    cookie: bytes

    @cached_property
    def _signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.ledger)

    @property
    def public(self) -> bytes:
        """The ledger's Ed25519 public key: 32 bytes, printed on papers."""
        return self._signing.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    @property
    def name(self) -> str:
        """The key's name on signature lines: the product and the start of its public hash.
        Without a plus sign, which C2SP verifier keys use as their separator."""
        return f"{ORIGIN}-{hashlib.sha256(self.public).hexdigest()[:8]}"

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes (RFC 8032)."""
        return self._signing.sign(message)

    def encrypt(self, clear: str) -> str:
        """AES-256-GCM under a fresh nonce: hex of nonce || ciphertext || tag."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self.field).encrypt(nonce, clear.encode(), b"mingjian-field")
        return (nonce + sealed).hex()

    def decrypt(self, stored: str) -> str:
        """The clear text; DomainError when the key is not the one it was written with."""
        try:
            blob = bytes.fromhex(stored)
            return AESGCM(self.field).decrypt(blob[:12], blob[12:], b"mingjian-field").decode()
        except (InvalidTag, ValueError) as error:  # ValueError: not hex, or cut short
            raise DomainError(
                Text(
                    "无法解密：字段密钥与数据不符，或数据已损坏。数据未改动；请放回原来的 field.key。",
                    "Cannot decrypt: the field key does not fit the data, or the data are damaged. "
                    "Nothing was changed; put back the original field.key.",
                )
            ) from error

    def derived(self, purpose: str, about: str) -> bytes:
        """32 bytes for one purpose and one thing, the same every time; nothing leads back from them."""
        return hmac.digest(self.field, f"derived|{purpose}|{about}".encode(), hashlib.sha256)

    def blind_index(self, clear: str) -> str:
        """Keyed hash by which equal values are found without being stored."""
        return hmac.new(self.field, b"index|" + clear.encode(), hashlib.sha256).hexdigest()


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519 check."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def exist(directory: Path) -> bool:
    """Is there any key file?"""
    return any((directory / name).exists() for name in NAMES)


def create(directory: Path) -> Keys:
    """Make the key files when there are none, else load them.

    Of a set that has lost a file nothing is made anew: a fresh key would not fit the data, so
    `load` names the file that is missing.
    """
    if not exist(directory):
        write(directory, Keys(*(secrets.token_bytes(32) for _ in NAMES)))
    return load(directory)


def write(directory: Path, keys: Keys) -> None:
    """Write all three files, mode 0600, through to the disk; FileExistsError for one that exists."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in zip(NAMES, (keys.ledger, keys.field, keys.cookie), strict=True):
        handle = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(value.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())


def load(directory: Path) -> Keys:
    """Read the key files; DomainError says which one is missing or damaged."""
    values = []
    for name in NAMES:
        path = directory / name
        try:
            value = bytes.fromhex(path.read_text().strip())
        except (OSError, ValueError) as error:
            raise DomainError(
                Text(
                    f"密钥文件 {directory / name} 缺失或损坏。数据未改动；请从封存的副本恢复；"
                    "若是新安装，请先运行 mingjian init。",
                    f"Key file {directory / name} is missing or damaged. Nothing was changed; put "
                    "back the sealed copy, or run mingjian init first if this is a new installation.",
                )
            ) from error
        if len(value) != 32:
            raise DomainError(
                Text(
                    f"密钥文件 {directory / name} 长度不对（应为 64 位十六进制）。数据未改动；请从封存的副本恢复。",
                    f"Key file {directory / name} has the wrong length (64 hex digits are needed). "
                    "Nothing was changed; put back the sealed copy.",
                )
            )
        values.append(value)
    return Keys(*values)
