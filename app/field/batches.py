"""From what was decided to what is kept: one sealed ledger leaf for a batch, one for a seal, and the
receipts that name them (docs/sync-protocol.md section 4).

An operation is covered by the leaf of its batch and by no other. An accepted seal is a batch of its own
whose leaf is the seal's. What is applied later, out of waiting, leaves `FieldOutcome` rows beside
operations that never change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.db import new_id
from app.domain.field.operations import hash_of, root_of
from app.field.models import FieldBatch, FieldOp, FieldOutcome, SheetSignature
from app.field.ops import Taken, second
from app.ledger.append import append, next_seq
from app.ledger.models import Event
from app.scoring.models import Filled
from app.scoring.operations import record_seal


def store_batch(
    session: Session,
    actor: Viewer,
    tablet_id: str,
    taken: Sequence[Taken],
    now: datetime,
    imported_by: str | None = None,
) -> list[dict[str, Any]]:
    """Keep operations as one batch under one leaf; their receipts, in the same order.

    A batch of one operation that seals its sheet is covered by the seal's own leaf.
    """
    batch = FieldBatch(
        id=new_id(),
        tablet_id=tablet_id,
        account_id=actor.id,
        first=taken[0].op.id,
        last=taken[-1].op.id,
        count=len(taken),
        ops_root=root_of([t.op.hash for t in taken]),
        results_root=hash_of([t.result for t in taken]),
        received_at=now,
        imported_by=imported_by,
        leaf=next_seq(session),
    )
    session.add(batch)
    about = {"batch": batch.id, "ops_root": batch.ops_root, "results_root": batch.results_root}
    entry = _leaf(session, actor, "field.batch", taken, about)
    assert batch.leaf == entry.seq
    receipts = [_receipt(t, entry, now) for t in taken]
    session.execute(
        insert(FieldOp),
        [
            _row(t, batch, position, entry.seq, actor.id, receipt)
            for position, (t, receipt) in enumerate(zip(taken, receipts, strict=True))
        ],
    )
    return receipts


def store_outcomes(
    session: Session, actor: Viewer, taken: Sequence[Taken], now: datetime
) -> list[FieldOutcome]:
    """Keep what became of operations that had waited, under one leaf (a seal's own for a seal)."""
    about = {
        "ops_root": root_of([t.op.hash for t in taken]),
        "results_root": hash_of([t.result for t in taken]),
    }
    entry = _leaf(session, actor, "field.applied", taken, about)
    rows = [
        FieldOutcome(
            op_id=t.op.id,
            status=t.status,
            why=t.why,
            sheet_id=t.sheet.id if t.sheet is not None else None,
            rev=t.rev,
            leaf=entry.seq,
            position=position,
            at=now,
        )
        for position, t in enumerate(taken)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def _leaf(
    session: Session, actor: Viewer, kind: str, taken: Sequence[Taken], about: dict[str, str]
) -> Event:
    """The ledger entry that covers them; with it goes every row that they changed."""
    sealing = taken[0].sheet if taken[0].seals else None
    if sealing is None:
        return append(session, actor, kind, sealed=True, **about)
    assert len(taken) == 1
    _sign(session, sealing, taken[0])
    return record_seal(session, actor, sealing, **about)


def _sign(session: Session, sheet: Filled, taken: Taken) -> None:
    fields = taken.op.fields
    session.add(
        SheetSignature(
            sheet_id=sheet.id,
            op_id=taken.op.id,
            name=str(fields["signed_name"])[:200],
            strokes=fields["signature"] or [],
        )
    )


def _receipt(taken: Taken, entry: Event, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": taken.op.id,
        "hash": taken.op.hash,
        "status": taken.status,
        "rev": taken.rev,
        "leaf": entry.seq,
        "at": second(now),
    }
    if taken.why is not None:
        told["why"] = taken.why
    if taken.text is not None:
        told["text"] = {"zh": taken.text.zh, "en": taken.text.en}
    if taken.seals and taken.sheet is not None:
        told["code"] = taken.sheet.receipt
    return told


def _row(
    taken: Taken, batch: FieldBatch, position: int, leaf: int, account: str, receipt: Any
) -> dict[str, Any]:
    op = taken.op
    return {
        "id": op.id,
        "batch_id": batch.id,
        "position": position,
        "leaf": leaf,
        "tablet_id": op.tablet,
        "account_id": account,
        "sheet_key": op.sheet,
        "sheet_id": taken.sheet.id if taken.sheet is not None else None,
        "branch_id": taken.branch.id if taken.branch is not None else None,
        "seq": op.seq,
        "prev": op.prev,
        "hash": op.hash,
        "kind": op.kind,
        "body": op.text,
        "status": taken.status,
        "why": taken.why,
        "rev": taken.rev,
        "receipt": json.dumps(receipt, ensure_ascii=False),
    }
