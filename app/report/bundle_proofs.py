"""Ledger proofs behind a report: its run, its life, the seal of every counting sheet (RFC 6962, 2.1.1).

Each entry is proved under the smallest signed head that holds it: everything up to the closing under the
head that the paper prints, the paper's own digest under the head signed when it was kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger.canonical import canonical
from app.domain.ledger.checkpoint import parse
from app.domain.ledger.merkle import node_hash
from app.ledger.models import Event, SignedHead
from app.ledger.prove import TreeHead
from app.ledger.receipts import receipt_code
from app.report.models import Report

_LIFE = ("report.drafted", "report.saved", "report.submitted", "report.closed", "report.final")


def proofs(session: Session, report: Report) -> bytes:
    """`{report, public_key, heads: [{head, note}], entries: [{what, seq, payload, head, proof}]}` as
    canonical JSON. An entry that no signed head covers yet is left out."""
    events = session.execute(select(Event.seq, Event.leaf).order_by(Event.seq)).all()
    leaves = [leaf for _, leaf in events]
    wanted = _wanted(session, report, {receipt_code(leaf): seq for seq, leaf in events})
    assert report.head is not None
    printed = TreeHead.parse(report.head).size
    notes: dict[int, str] = dict(
        session.execute(
            select(SignedHead.size, SignedHead.note)
            .where(SignedHead.size >= printed)
            .order_by(SignedHead.size, SignedHead.id)
        ).all()
    )
    sizes = sorted(notes)
    entries: list[dict[str, Any]] = []
    used: set[int] = set()
    tree = Tree(leaves)
    texts = dict(
        session.execute(
            select(Event.seq, Event.payload).where(Event.seq.in_([s for _, s in wanted]))
        ).all()
    )
    for what, seq in sorted(wanted, key=lambda pair: pair[1]):
        size = next((size for size in sizes if size > seq), None)
        if size is None:
            continue
        used.add(size)
        entries.append(
            {
                "what": what,
                "seq": seq,
                "payload": texts[seq],
                "head": _head(notes[size]),
                "proof": [step.hex() for step in tree.path(seq, size)],
            }
        )
    return canonical(
        {
            "spec": "mingjian report proofs 1",
            "report": report.id,
            "public_key": session.info["keys"].public.hex(),
            "heads": [{"head": _head(notes[size]), "note": notes[size]} for size in sorted(used)],
            "entries": entries,
        }
    )


def _head(note: str) -> str:
    signed = parse(note)
    return str(TreeHead(signed.size, signed.root))


def _wanted(
    session: Session, report: Report, by_receipt: Mapping[str, int]
) -> list[tuple[str, int]]:
    """(kind, entry) of the run, of the report's own entries, of every seal that the run counts."""
    run = report.run
    found = []
    marks = tuple(f'"kind":"{kind}"' for kind in ("run.made", *_LIFE))
    for seq, payload in session.execute(
        select(Event.seq, Event.payload).where(
            Event.payload.contains(run.id) | Event.payload.contains(report.id)
        )
    ):
        if not any(mark in payload for mark in marks):
            continue
        body = json.loads(payload)
        data = body["data"]
        of_run = body["kind"] == "run.made" and data.get("run") == run.id
        if of_run or (body["kind"] in _LIFE and data.get("report") == report.id):
            found.append((body["kind"], seq))
    receipts = {
        sheet["receipt"]
        for county in run.inputs["subjects"]
        for part in county["stages"].values()
        for sheet in part.get("sheets", {}).values()
        if sheet["receipt"]
    }
    found += [("sheet.sealed", by_receipt[code]) for code in sorted(receipts & set(by_receipt))]
    return found


class Tree:
    """Audit paths of many leaves: each subtree is hashed once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.known: dict[tuple[int, int], bytes] = {}

    def path(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[0:size]) of RFC 6962, 2.1.1."""
        found: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                found.append(self.root(middle, end))
                end = middle
            else:
                found.append(self.root(start, middle))
                start = middle
        return found[::-1]

    def root(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        if end - start == 1:
            return self.leaves[start]
        made = self.known.get((start, end))
        if made is None:
            middle = start + _split(end - start)
            made = node_hash(self.root(start, middle), self.root(middle, end))
            self.known[start, end] = made
        return made


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
