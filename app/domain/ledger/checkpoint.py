"""Signed heads: C2SP tlog-checkpoint as a signed note (https://c2sp.org/signed-note).

Text is `origin \\n size \\n base64(root) \\n`; a signature line is
`\\u2014 name base64(key id (4 bytes) || signature)`. Signing itself is the caller's: here is only
the form, so that the code stays readable by an auditor.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from app.domain.types import DomainError, Text

ED25519 = b"\x01"
_BAD = Text(
    "检查点格式不对：{why}。请核对原件。", "Malformed checkpoint: {why}. Check the original."
)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under the note: key name, 4-byte key id, signature bytes."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: origin, number of leaves, root hash (32 bytes), signatures."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[Signature, ...] = field(default=())

    @property
    def body(self) -> bytes:
        """The signed bytes."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    def signed(self, name: str, public_key: bytes, signature: bytes) -> Checkpoint:
        """The same head with one more signature line."""
        line = Signature(name, key_id(name, public_key), signature)
        return Checkpoint(self.origin, self.size, self.root, (*self.signatures, line))

    def __str__(self) -> str:
        lines = "".join(
            f"\u2014 {s.name} {base64.b64encode(s.key_id + s.value).decode()}\n"
            for s in self.signatures
        )
        return f"{self.body.decode()}\n{lines}"


def key_id(name: str, public_key: bytes) -> bytes:
    """First four bytes of SHA-256(name || 0x0A || 0x01 || public key), as C2SP has it."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def parse(note: str) -> Checkpoint:
    """Read a checkpoint; DomainError names what is wrong."""
    body, separator, tail = note.partition("\n\n")
    if not separator:
        raise DomainError(_BAD.format(why="no blank line / 缺空行"))
    lines = body.split("\n")
    try:
        origin, size_text, root_text = lines
        size = int(size_text)
        root = base64.b64decode(root_text, validate=True)
    except ValueError as error:
        raise DomainError(_BAD.format(why="origin, size, root")) from error
    if size < 0 or str(size) != size_text or len(root) != 32 or not origin:
        raise DomainError(_BAD.format(why="origin, size, root"))
    signatures = []
    for line in tail.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, blob_text = rest.partition(" ")
        try:
            blob = base64.b64decode(blob_text, validate=True)
        except ValueError as error:
            raise DomainError(_BAD.format(why=line[:40])) from error
        if dash != "\u2014" or not name or len(blob) < 5:
            raise DomainError(_BAD.format(why=line[:40]))
        signatures.append(Signature(name, blob[:4], blob[4:]))
    return Checkpoint(origin, size, root, tuple(signatures))
