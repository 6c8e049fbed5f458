"""A ledger and supervisors' devices for transcripts of tests: what a cosigned draw carries besides.

Made with fixed keys, from docs/draw-protocol.md section 10: a checkpoint over the commitment, the same
with a device's line, and for each act a later checkpoint that holds its removals, cosigned too. The
device is changed before act 3, so that two keys are listed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import verify
from app.domain.ledger.merkle import inclusion_proof, leaf_hash, root

LOG, FIRST, SECOND = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (7, 9, 10))
ORIGIN = "example.test/log"


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def device_name(key: Ed25519PrivateKey) -> str:
    return f"supervisor-{hashlib.sha256(public(key)).hexdigest()[:8]}"


def tag(name: str, key: Ed25519PrivateKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public(key)).digest()[:4]


def listed(name: str, key: Ed25519PrivateKey) -> str:
    """The C2SP verifier key."""
    return f"{name}+{tag(name, key).hex()}+{base64.b64encode(bytes([1]) + public(key)).decode()}"


def line(name: str, key: Ed25519PrivateKey, body: str) -> str:
    return f"— {name} {base64.b64encode(tag(name, key) + key.sign(body.encode())).decode()}\n"


def body(events: Sequence[bytes]) -> str:
    top = base64.b64encode(root([leaf_hash(e) for e in events])).decode()
    return f"{ORIGIN}\n{len(events)}\n{top}\n"


def proof(events: Sequence[bytes], index: int) -> dict[str, Any]:
    path = inclusion_proof([leaf_hash(e) for e in events], index)
    return {
        "event": events[index].decode(),
        "index": index,
        "proof": [step.hex() for step in path],
    }


def witness(digest: str, acts: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """File name -> bytes of everything that a ledger and the devices add to a transcript."""
    events = [b"a", verify.jcs({"kind": "draw.committed", "hash": digest}), b"b"]
    text = body(events)
    checkpoint = f"{text}\n{line('log', LOG, text)}"
    anchor: dict[str, Any] = {**proof(events, 1), "keys": [listed("log", LOG)]}
    files = {
        "checkpoint.txt": checkpoint.encode(),
        "cosignature.txt": (checkpoint + line(device_name(FIRST), FIRST, text)).encode(),
    }
    proofs, devices = [], [FIRST]
    for act in acts:
        device = FIRST if act["act"] == 2 else SECOND
        devices.append(device)
        events += [verify.jcs({"removal_hash": act["removal_hash"], "kind": "draw.removals"}), b"c"]
        text = body(events)
        note = f"{text}\n{line('log', LOG, text)}{line(device_name(device), device, text)}"
        files[f"act-{act['act']}-cosignature.txt"] = note.encode()
        proofs.append({"act": act["act"], **proof(events, len(events) - 2)})
    keys = list(dict.fromkeys(listed(device_name(d), d) for d in devices))
    files["anchor.json"] = verify.jcs({**anchor, "acts": proofs, "cosigners": keys})
    return files
