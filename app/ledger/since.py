"""What was appended after a head that was checked: does it follow, entry by entry, from that head?

RFC 6962: the right edge of a tree of n leaves is all that is needed to go on, so the entries before
n are not read again. That is the point and the limit: an entry or row that was changed behind the
checked head is found by `prove.verify` alone, and nothing here says otherwise.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import Base
from app.domain.ledger.merkle import push, root_of_edge
from app.domain.types import Text
from app.ledger.models import Event, Record, Secret
from app.ledger.prove import TreeHead, _any_bytes, _check_leaf, _digests, head

ENTRIES = (
    500  # new entries that are read at most, and new states of rows that are held against them
)


@dataclass(frozen=True, slots=True)
class Growth:
    """The entries after a checked head. `read` of the `new` ones were read, with the `rows` they name.

    Only with `complete` do the new entries lead from the checked head to the present one.
    """

    now: TreeHead
    new: int
    read: int = 0
    rows: int = 0
    complete: bool = True
    faults: tuple[Text, ...] = ()


def growth(session: Session, checked: TreeHead, edge: list[bytes], limit: int = ENTRIES) -> Growth:
    """Read what came after `checked`, whose right edge is `edge`; at most six queries and one a table.

    A head that shrank, or that does not follow from the checked one, is a fault: the ledger was rolled
    back or rewritten, and re-hashing it does not help. With more than `limit` new entries none is read.
    """
    now = head(session)
    new = now.size - checked.size
    stored = session.scalar(select(func.count()).select_from(Event)) or 0
    if new < 0 or (new == 0 and now.root != checked.root):
        return Growth(
            now, new, complete=False, faults=(_ROLLED_BACK.format(n=checked.size, m=now.size),)
        )
    if stored != now.size:
        return Growth(now, new, complete=False, faults=(_COUNT.format(n=now.size, m=stored),))
    if new > limit:
        return Growth(now, new, complete=False)
    with _any_bytes(session):
        return _read(session, checked, list(edge), now)


def _read(session: Session, checked: TreeHead, edge: list[bytes], now: TreeHead) -> Growth:
    size, new = checked.size, now.size - checked.size
    latest: dict[tuple[str, str], tuple[str, int]] = {}
    opened = dict(
        session.execute(select(Secret.seq, Secret.body).where(Secret.seq >= checked.size)).all()
    )
    for entry in session.scalars(
        select(Event).where(Event.seq >= checked.size).order_by(Event.seq)
    ):
        secret = opened.get(entry.seq)
        fault = _check_leaf(entry, size, secret)
        if fault:
            return Growth(now, new, size - checked.size, complete=False, faults=(fault,))
        for table, key, value in json.loads(secret or entry.payload).get("rows", ()):
            latest[table, key] = (value, entry.seq)
        size = push(edge, size, entry.leaf)
    if root_of_edge(edge) != now.root:
        return Growth(now, new, new, complete=False, faults=(_FORKED.format(n=checked.size),))
    faults = _rows(session, latest)
    return Growth(now, new, new, len(latest), not faults, tuple(faults))


def _rows(session: Session, latest: dict[tuple[str, str], tuple[str, int]]) -> list[Text]:
    """Rows that are not what the newest entry about them says."""
    asked: dict[str, list[str]] = defaultdict(list)
    for table, key in latest:
        asked[table].append(key)
    classes: dict[str, Any] = {
        m.class_.__tablename__: m.class_
        for m in Base.registry.mappers
        if issubclass(m.class_, Record)
    }
    faults = []
    for table, ids in sorted(asked.items()):
        found = dict(_digests(session, classes[table], ids)) if table in classes else {}
        for key in ids:
            value, seq = latest[table, key]
            if found.get(key) != value:
                faults.append(_ROW.format(t=table, id=key, seq=seq))
    return faults


_ROLLED_BACK = Text(
    "账本核验时有 {n} 条，现在 {m} 条且不是其延续：账本被回退或改写",
    "the ledger had {n} entries when it was verified, now has {m} and is no continuation: rolled back "
    "or rewritten",
)
_FORKED = Text(
    "核验过的前 {n} 条加上其后各条，得不出现在的账本头：账本被改写",
    "the {n} verified entries and those after them do not lead to the present head: rewritten",
)
_COUNT = Text("账本头记 {n} 条，实有 {m} 条", "the head counts {n} entries, there are {m}")
_ROW = Text("{t} {id}：与账本第 {seq} 条不符", "{t} {id}: differs from ledger entry {seq}")
