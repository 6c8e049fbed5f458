"""A head from paper held against the ledger: consistent, or a conflict that anybody can check.

RFC 6962 section 2.1 (proofs), docs/ledger-format.md sections 3 and 4. Only the present leaves and the
signed heads are read; nothing stored is believed that can be computed.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.ledger import checkpoint as notes
from app.domain.ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of_edge,
    verify_consistency,
    verify_inclusion,
)
from app.domain.ledger.merkle import push as push_leaf
from app.domain.types import DomainError, NotFound, Text
from app.keys import ORIGIN, Keys, verify_signature
from app.ledger.models import Event, SignedHead
from app.ledger.prove import TreeHead
from app.supervision.models import PaperHead

LARGEST = 2**31 - 1  # what a database column of sizes holds
CONSISTENT, ROLLED_BACK, FORKED = "consistent", "rolled_back", "forked"
TOO_LARGE = Text(
    "条数不合理。请照纸面重新输入。",
    "No ledger has that many entries. Type it again from the paper.",
)
ABSENT = Text("没有这一条账本记录。", "There is no such ledger entry.")
WORDS: dict[str, Text] = {
    CONSISTENT: Text(
        "一致：纸面账本头是现在账本的开头，其后只有追加。",
        "Consistent: the printed head is a beginning of the present ledger; since then it only grew.",
    ),
    ROLLED_BACK: Text(
        "冲突：纸面上已有 {n} 条，账本现在只有 {m} 条。账本被回退（例如恢复了旧备份），或记录被删去。",
        "CONFLICT: the paper knows {n} entries, the ledger now has {m}. It was rolled back (an old "
        "backup, for instance), or entries were cut off.",
    ),
    FORKED: Text(
        "冲突：账本的前 {n} 条与纸面不同。账本在第 {n} 条以前被改写，或纸面来自另一套账本。",
        "CONFLICT: the first {n} entries differ from the paper. The ledger was rewritten before entry "
        "{n}, or the paper belongs to another ledger.",
    ),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One head held against the present ledger."""

    printed: TreeHead
    now: TreeHead
    verdict: str
    expected: bytes | None  # root of the present ledger at the printed size; None beyond its end
    proof: tuple[bytes, ...]  # RFC 6962 consistency proof, of a consistent head of 0 < size
    signed: tuple[SignedHead, ...]  # stored checkpoints of that size

    @property
    def ok(self) -> bool:
        return self.verdict == CONSISTENT

    @property
    def text(self) -> Text:
        return WORDS[self.verdict].format(n=self.printed.size, m=self.now.size)


def parse(head: str, size: str = "", root: str = "") -> TreeHead:
    """From `mj1:SIZE:ROOT`, a checkpoint, or size and root typed apart; full-width digits are read,
    blanks and groups of digits too. DomainError otherwise."""
    text = unicodedata.normalize("NFKC", head).strip()
    if not text and (size.strip() or root.strip()):
        text = f"mj1:{unicodedata.normalize('NFKC', size).strip()}:" + "".join(
            unicodedata.normalize("NFKC", root).split()
        )
    found = TreeHead.parse("".join(text.split()) if text.startswith("mj1") else text)
    if found.size < 0 or found.size > LARGEST:
        raise DomainError(TOO_LARGE)
    return found


def roots_at(leaves: Sequence[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Root of the first n leaves for every n asked for that is not beyond the end; one walk."""
    wanted = {size for size in sizes if 0 <= size <= len(leaves)}
    edge: list[bytes] = []
    found = {0: root_of_edge([])} if 0 in wanted else {}
    size = 0
    for leaf in leaves:
        size = push_leaf(edge, size, leaf)
        if size in wanted:
            found[size] = root_of_edge(edge)
    return found


def leaves_of(session: Session) -> list[bytes]:
    """The hash of every entry, computed from its payload: a stored leaf hash is not believed."""
    rows = session.execute(select(Event.seq, Event.payload).order_by(Event.seq))
    return [leaf_hash(payload.encode("utf-8", "surrogateescape")) for _, payload in rows]


def compare(session: Session, viewer: Viewer, printed: Sequence[TreeHead]) -> list[Comparison]:
    """Every head held against the present ledger, with two queries."""
    viewer.require("supervisor")
    leaves = leaves_of(session)
    roots = roots_at(leaves, [len(leaves), *(head.size for head in printed)])
    now = TreeHead(len(leaves), roots[len(leaves)])
    wanted = {head.size for head in printed}
    signed: dict[int, list[SignedHead]] = {}
    for row in session.scalars(select(SignedHead).where(SignedHead.size.in_(wanted))):
        signed.setdefault(row.size, []).append(row)
    return [_one(leaves, roots, now, head, signed.get(head.size, [])) for head in printed]


def _one(
    leaves: Sequence[bytes],
    roots: dict[int, bytes],
    now: TreeHead,
    printed: TreeHead,
    signed: list[SignedHead],
) -> Comparison:
    expected = roots.get(printed.size)
    proof: tuple[bytes, ...] = ()
    if expected is None:
        verdict = ROLLED_BACK
    elif expected != printed.root:
        verdict = FORKED
    else:
        verdict = CONSISTENT
        proof = tuple(consistency_proof(leaves, printed.size)) if printed.size else ()
    return Comparison(printed, now, verdict, expected, proof, tuple(signed))


def proof_document(comparison: Comparison, keys: Keys) -> dict[str, Any]:
    """What is downloaded: a consistency proof, or a conflict proof with both heads and the server's
    signature over its own present head, so that the server cannot deny what it shows today."""
    c = comparison
    present = notes.Checkpoint(ORIGIN, c.now.size, c.now.root)
    present = present.signed(keys.name, keys.public, keys.sign(present.body))
    return {
        "spec": "mingjian supervision proof 1",
        "verdict": c.verdict,
        "says": {"zh": c.text.zh, "en": c.text.en},
        "printed": {"head": str(c.printed), "size": c.printed.size, "root": c.printed.root.hex()},
        "present": {
            "head": str(c.now), "size": c.now.size, "root": c.now.root.hex(),
            "checkpoint": str(present),
        },
        "expected_root_at_printed_size": c.expected.hex() if c.expected is not None else None,
        "consistency_proof": [step.hex() for step in c.proof],
        "checkpoints_of_that_size": [
            {"note": row.note, "reason": row.reason, "fits": _note_fits(row.note, c.printed)}
            for row in c.signed
        ],
        "public_key": keys.public.hex(),
        "key_name": keys.name,
    }  # fmt: skip


def _note_fits(note: str, head: TreeHead) -> bool:
    """Does a stored checkpoint say what the paper says?"""
    try:
        found = notes.parse(note)
    except (DomainError, ValueError):
        return False
    return (found.size, found.root) == (head.size, head.root)


def check_document(document: dict[str, Any]) -> bool:
    """Does a downloaded proof hold by itself? The inverse of `proof_document`, for whoever doubts."""
    printed, present = document["printed"], document["present"]
    note = notes.parse(present["checkpoint"])
    public = bytes.fromhex(document["public_key"])
    signed = any(verify_signature(public, note.body, s.value) for s in note.signatures)
    if not signed or (note.size, note.root.hex()) != (present["size"], present["root"]):
        return False
    if document["verdict"] == ROLLED_BACK:
        return int(printed["size"]) > int(present["size"])
    if document["verdict"] == FORKED:
        return bool(printed["root"] != document["expected_root_at_printed_size"])
    if printed["size"] == 0:
        return bool(printed["root"] == root_of_edge([]).hex())
    return verify_consistency(
        printed["size"], present["size"], bytes.fromhex(printed["root"]),
        bytes.fromhex(present["root"]), [bytes.fromhex(s) for s in document["consistency_proof"]],
    )  # fmt: skip


def inclusion_document(session: Session, viewer: Viewer, seq: int, keys: Keys) -> dict[str, Any]:
    """Entry `seq` with the path from its leaf to the present head, which is signed. NotFound."""
    viewer.require("supervisor")
    entry = session.get(Event, seq) if 0 <= seq <= LARGEST else None
    if entry is None:
        raise NotFound(ABSENT)
    leaves = leaves_of(session)
    now = TreeHead(len(leaves), roots_at(leaves, [len(leaves)])[len(leaves)])
    path = inclusion_proof(leaves, seq) if seq < len(leaves) else []
    leaf = leaf_hash(entry.payload.encode())
    note = notes.Checkpoint(ORIGIN, now.size, now.root)
    note = note.signed(keys.name, keys.public, keys.sign(note.body))
    return {
        "spec": "mingjian inclusion proof 1",
        "seq": seq,
        "payload": entry.payload,
        "event": json.loads(entry.payload),
        "leaf": leaf.hex(),
        "stored_leaf": entry.leaf.hex(),
        "proof": [step.hex() for step in path],
        "head": str(now),
        "checkpoint": str(note),
        "holds": verify_inclusion(leaf, seq, now.size, path, now.root) and leaf == entry.leaf,
        "public_key": keys.public.hex(),
    }


@dataclass(frozen=True, slots=True)
class Kept:
    """One head of the supervisor's list with today's answer."""

    row: PaperHead
    answer: Comparison


def kept(session: Session, viewer: Viewer) -> list[Kept]:
    """The heads that the viewer entered, latest first, each compared anew: three queries."""
    viewer.require("supervisor")
    rows = list(
        session.scalars(
            select(PaperHead)
            .where(PaperHead.account_id == viewer.id)
            .order_by(PaperHead.at.desc(), PaperHead.id)
        )
    )
    if not rows:
        return []
    answers = compare(
        session, viewer, [TreeHead(row.size, bytes.fromhex(row.root)) for row in rows]
    )
    return [Kept(row, answer) for row, answer in zip(rows, answers, strict=True)]
