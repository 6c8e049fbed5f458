"""What is attached to many sheets at once: for papers, in a few queries whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.field.logs import Attached, media_after
from app.domain.field.operations import CHANGES
from app.field.models import FieldOp, FieldOutcome
from app.field.places import branches_named, operation_of
from app.scoring.models import Sheet

_KINDS = CHANGES - {"set"}
_PART = 500  # ids to one statement


def attached_to_sheets(
    session: Session, sheet_ids: Collection[str]
) -> dict[str, tuple[Attached, ...]]:
    """Sheet id -> (item, SHA-256) of every photo on it, its earlier revisions included; what
    `places.attached_to` gives for one sheet. Sheets without any are left out."""
    earlier: dict[str, str | None] = {}
    wanted = set(sheet_ids)
    while wanted:
        for part in _parts(sorted(wanted)):
            rows = session.execute(select(Sheet.id, Sheet.supersedes_id).where(Sheet.id.in_(part)))
            earlier |= {row.id: row.supersedes_id for row in rows}
        wanted = {key for key in earlier.values() if key is not None} - set(earlier)
    applied: dict[str, list[tuple[tuple[int, int, int], FieldOp]]] = defaultdict(list)
    for part in _parts(sorted(earlier)):
        for op in session.scalars(
            select(FieldOp).where(
                FieldOp.sheet_id.in_(part), FieldOp.status == "accepted", FieldOp.kind.in_(_KINDS)
            )
        ):
            applied[op.sheet_id or ""].append(((op.leaf, 0, op.position), op))
        for outcome, op in session.execute(
            select(FieldOutcome, FieldOp)
            .join(FieldOp, FieldOp.id == FieldOutcome.op_id)
            .where(
                FieldOutcome.sheet_id.in_(part),
                FieldOutcome.status == "accepted",
                FieldOp.kind.in_(_KINDS),
            )
        ):
            place = (outcome.leaf, 1, outcome.position)
            applied[outcome.sheet_id or ""].append((place, op))
    beside = branches_named(session, [op for rows in applied.values() for _, op in rows])
    found: dict[str, tuple[Attached, ...]] = {}
    for sheet_id in sheet_ids:
        chain: list[str] = []
        step: str | None = sheet_id
        while step is not None:
            chain.append(step)
            step = earlier.get(step)
        media: tuple[Attached, ...] = ()
        for revision in reversed(chain):
            for _, op in sorted(applied.get(revision, ()), key=lambda pair: pair[0]):
                fields = operation_of(op).fields
                media = media_after(media, op.kind, fields, beside.get(str(fields.get("branch"))))
        if media:
            found[sheet_id] = media
    return found


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), _PART):
        yield ids[at : at + _PART]
