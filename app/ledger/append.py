"""The one way into the ledger, in the transaction of the change that it records.

Only rooms' operations call this. A transaction that changes a guarded row without recording it
is refused at commit: forgetting is an error, not a gap in the record.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app import clock
from app.domain.ledger.canonical import canonical
from app.domain.ledger.merkle import leaf_hash, push, root_of_edge
from app.domain.types import DomainError, Text
from app.ledger.models import Event, Head, Record, Secret

VERSION = 1


def append(
    session: Session,
    actor: Any,
    kind: str,
    /,
    *,
    sealed: bool = False,
    **data: Any,
) -> Event:
    """Record `kind` by `actor` together with every guarded row changed since the last call.

    `actor` has an `id` (an account), or is None for the system. `data` is public: no personal
    data, no marks; texts, integers and hashes only. With `sealed`, the leaf shows nothing but one
    salted digest of fixed length, so that nobody reads activity off the ledger.
    Returns the event; its `seq` and `leaf` are a receipt. Does not commit.
    """
    if session.info.get("mode") != "write":
        raise RuntimeError("the ledger is appended to in a write transaction only")
    rows = [[type(row).__tablename__, row.id, row.ledger_digest()] for row in _changed(session)]
    body: dict[str, Any] = {
        "v": VERSION,
        "kind": kind,
        "at": clock.stamp(_not_before(session)),
        "actor": getattr(actor, "id", None),
        "data": data,
        "rows": sorted(rows),
    }
    secret = None
    if sealed:
        secret = canonical({**body, "salt": secrets.token_hex(16)})
        body = {"v": VERSION, "kind": "sealed", "digest": hashlib.sha256(secret).hexdigest()}
    entry = _push(session, canonical(body))
    if secret is not None:
        session.add(Secret(seq=entry.seq, body=secret.decode()))
    recorded = session.info.setdefault("recorded", {})
    recorded.update({(table, key): value for table, key, value in rows})
    session.flush()
    return entry


def _head(session: Session) -> Head:
    head = session.get(Head, 1)
    if head is None:
        head = Head(id=1, size=0, edge=b"", root=root_of_edge([]), at=clock.now())
        session.add(head)
    return head


def next_seq(session: Session) -> int:
    """The number that the next entry will bear: a row that names the leaf which covers it can be
    written once. Whoever uses it holds it against the entry that `append` returns."""
    return _head(session).size


def _push(session: Session, payload: bytes) -> Event:
    head = _head(session)
    with session.no_autoflush:  # the head's new time goes out with its new size, in one UPDATE
        stored = session.scalar(select(func.max(Event.seq)))
    if head.size != (0 if stored is None else stored + 1):
        raise DomainError(
            Text(
                "账本头与账本条数不符，已停止写入。未改动任何数据；请运行 mingjian doctor。",
                "The ledger's head does not fit its entries, so writing has stopped. Nothing was "
                "changed; run mingjian doctor.",
            )
        )
    edge = [head.edge[i : i + 32] for i in range(0, len(head.edge), 32)]
    leaf = leaf_hash(payload)
    entry = Event(seq=head.size, payload=payload.decode(), leaf=leaf)
    head.size = push(edge, head.size, leaf)
    head.edge = b"".join(edge)
    head.root = root_of_edge(edge)
    session.add(entry)
    return entry


def _not_before(session: Session) -> datetime:
    """The ledger's time never runs backwards, whatever the machine's clock does."""
    head = _head(session)
    head.at = max(head.at, clock.now())
    return head.at


def _changed(session: Session) -> list[Record]:
    """Guarded rows new or changed since the last record in this transaction."""
    touched: dict[tuple[str, str], Record] = session.info.setdefault("touched", {})
    session.flush()  # the listener below fills `touched`
    rows = list(touched.values())
    touched.clear()
    return rows


@event.listens_for(Session, "after_flush")
def _note_changes(session: Session, _context: Any) -> None:
    if session.info.get("mode") != "write":
        return
    touched = session.info.setdefault("touched", {})
    checks = session.info.setdefault("before_commit", set())
    changed = [row for row in session.dirty if session.is_modified(row)]
    for row in (*session.new, *changed):
        if isinstance(row, Record):
            touched[type(row).__tablename__, row.id] = row
    for row in session.deleted:
        if isinstance(row, Record):
            raise RuntimeError(f"{type(row).__tablename__} rows are never deleted: {row.id}")
    checks.add(_all_recorded)


def _all_recorded(session: Session) -> None:
    """Before the commit: every touched row must stand in the ledger as it is now."""
    touched = session.info.get("touched", {})
    recorded = session.info.get("recorded", {})
    for key, row in touched.items():
        if recorded.get(key) != row.ledger_digest():
            raise RuntimeError(f"changed but not recorded in the ledger: {key[0]} {key[1]}")
