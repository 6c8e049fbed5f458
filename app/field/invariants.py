"""What must always hold between operations, batches, sheets and the ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.field.operations import CHANGES, START, Malformed, hash_of, parse, root_of
from app.domain.types import Text
from app.field.media import arrived
from app.field.models import Branch, FieldBatch, FieldOp
from app.field.models_media import MediaFile
from app.field.places import attached_to, entries_at
from app.ledger.models import Secret
from app.scoring.models import CaseSheet, Filled, Sheet, SheetHold

CHUNK = 200


def _batches(session: Session) -> Iterator[tuple[FieldBatch, list[FieldOp]]]:
    """Every batch with its operations in order, a few hundred batches at a time."""
    ids = list(session.scalars(select(FieldBatch.id).order_by(FieldBatch.leaf, FieldBatch.id)))
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found: dict[str, list[FieldOp]] = defaultdict(list)
        for row in session.scalars(
            select(FieldOp).where(FieldOp.batch_id.in_(part)).order_by(FieldOp.position)
        ):
            found[row.batch_id].append(row)
        rows = {r.id: r for r in session.scalars(select(FieldBatch).where(FieldBatch.id.in_(part)))}
        for key in part:
            yield rows[key], found[key]


def batches_are_whole(session: Session) -> list[Text]:
    """A batch's operations hash to its roots, and one ledger leaf commits to them."""
    faults = []
    said = {
        body["data"]["batch"]: (seq, body["data"]["ops_root"])
        for seq, body in (
            (row.seq, json.loads(row.body))
            for row in session.scalars(select(Secret))
            if '"ops_root"' in row.body
        )
        if "batch" in body["data"]
    }
    for batch, ops in _batches(session):
        results = [[op.hash, op.status, op.why, op.rev] for op in ops]
        fits = (
            [op.position for op in ops] == list(range(batch.count))
            and root_of([op.hash for op in ops]) == batch.ops_root
            and hash_of(results) == batch.results_root
            and {op.leaf for op in ops} == {batch.leaf}
            and said.get(batch.id) == (batch.leaf, batch.ops_root)
        )
        if not fits:
            faults.append(
                Text(
                    f"外业批次 {batch.id}：操作、回执或账本条目不符",
                    f"field batch {batch.id}: its operations, receipts or ledger entry do not fit",
                )
            )
    return faults


def operations_are_true(session: Session) -> list[Text]:
    """Each stored operation is what its hash names, and each log is an unbroken chain."""
    faults = []
    ends: dict[tuple[str, str], tuple[int, str]] = {}
    rows = session.execute(
        select(
            FieldOp.id, FieldOp.tablet_id, FieldOp.sheet_key, FieldOp.seq, FieldOp.prev,
            FieldOp.hash, FieldOp.kind, FieldOp.body, FieldOp.receipt, FieldOp.leaf,
        ).order_by(FieldOp.tablet_id, FieldOp.sheet_key, FieldOp.seq)
    )  # fmt: skip
    for row in rows:
        where = (row.tablet_id, row.sheet_key)
        seq, before = ends.get(where, (0, START))
        ends[where] = (row.seq, row.hash)
        try:
            op = parse(json.loads(row.body))
            receipt = json.loads(row.receipt)
        except (Malformed, ValueError):
            faults.append(_bent(row.id))
            continue
        columns = (op.id, *where, op.seq, op.prev, op.hash, op.kind)
        same = columns == (row.id, op.tablet, op.sheet, row.seq, row.prev, row.hash, row.kind)
        told = (receipt.get("id"), receipt.get("hash"), receipt.get("leaf"))
        if not same or (row.seq, row.prev) != (seq + 1, before) or told != (
            row.id, row.hash, row.leaf,
        ):  # fmt: skip
            faults.append(_bent(row.id))
    return faults


def _bent(op_id: str) -> Text:
    return Text(
        f"外业操作 {op_id}：内容、链条或回执不符",
        f"field operation {op_id}: its words, its chain or its receipt do not fit",
    )


def sheets_are_their_operations(session: Session) -> list[Text]:
    """Where only tablets wrote, a sheet's entries are the fold of the operations applied to it."""
    ids = set(
        session.scalars(
            select(FieldOp.sheet_id)
            .where(FieldOp.sheet_id.is_not(None), FieldOp.kind.in_(CHANGES))
            .distinct()
        )
    )
    faults = []
    for sheet in _sheets(session, sorted(key for key in ids if key)):
        folded = entries_at(session, sheet, sheet.version)
        if folded is not None and folded != sheet.entries:
            faults.append(
                Text(
                    f"评分表 {sheet.id}：内容与平板操作重算不符",
                    f"sheet {sheet.id}: its entries are not what its tablet's operations give",
                )
            )
    return faults


def _sheets(session: Session, ids: list[str]) -> list[Filled]:
    kinds: tuple[type[Sheet] | type[CaseSheet], ...] = (Sheet, CaseSheet)
    return [row for kind in kinds for row in session.scalars(select(kind).where(kind.id.in_(ids)))]


def sealed_with_their_media(session: Session) -> list[Text]:
    """No sheet was sealed on a tablet before every photo of it had arrived."""
    seals = session.scalars(select(FieldOp).where(FieldOp.kind == "seal")).all()
    owner = {op.sheet_id: op.account_id for op in seals if op.sheet_id}
    faults = []
    for sheet in _sheets(session, sorted(owner)):
        wanted = [sha for _, sha in attached_to(session, sheet)]
        if sheet.state not in ("sealed", "superseded") or not wanted:
            continue
        missing = set(wanted) - arrived(session, owner[sheet.id], wanted)
        if missing:
            faults.append(
                Text(
                    f"评分表 {sheet.id}：已封存，但有 {len(missing)} 张照片没有到",
                    f"sheet {sheet.id}: sealed, but {len(missing)} photos never arrived",
                )
            )
    return faults


def holds_count_their_branches(session: Session) -> list[Text]:
    """The number of branches that wait is the number that are open, and nothing was sealed over
    one: a sheet with an open branch was sealed before the branch came."""
    waiting: dict[tuple[str, str], int] = defaultdict(int)
    for row in session.scalars(select(Branch).where(Branch.resolved_at.is_(None))):
        waiting[row.seat_id, row.key] += 1
    found = {(row.seat_id, row.key): row.branches for row in session.scalars(select(SheetHold))}
    return [
        Text(
            f"评分表 {key}（席位 {seat}）：待处理的旁支数不符",
            f"sheet {key} of seat {seat}: the count of its open branches is wrong",
        )
        for seat, key in sorted(waiting.keys() | found.keys())
        if waiting.get((seat, key), 0) != found.get((seat, key), 0)
    ]


def media_are_stored(session: Session) -> list[Text]:
    """Every photo and recording that arrived lies in the store as it is kept."""
    store = session.info["store"]
    return [
        Text(
            f"照片或录音 {row.sha256[:12]} 的文件 {row.kept_sha256[:12]} 不在存储中",
            f"photo or recording {row.sha256[:12]}: its file {row.kept_sha256[:12]} is not stored",
        )
        for row in session.scalars(select(MediaFile).order_by(MediaFile.id))
        if not store.has(row.kept_sha256)
    ]


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("field batches fit their operations and the ledger", batches_are_whole),
    ("field operations are what their hashes name, in unbroken chains", operations_are_true),
    ("a sheet filled in on tablets is the fold of its operations", sheets_are_their_operations),
    ("no sheet is sealed without its photos", sealed_with_their_media),
    ("every branch that waits is counted", holds_count_their_branches),
    ("every photo and recording that arrived is stored", media_are_stored),
)
