"""A tablet without a browser: its log, its outbox, its receipts; for tests and proofs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import clock
from app.accounts.models import Tablet
from app.accounts.viewer import Viewer
from app.domain.field.operations import START, entries_hash, operation_hash
from app.field.push import Push
from app.ledger.append import append

Json = dict[str, Any]


def bound(session: Any, viewer: Viewer, label: str = "测试平板") -> Tablet:
    """A tablet's row, as a binding leaves it."""
    row = Tablet(
        account_id=viewer.id, label=label, agent="test", public_key="-",
        bound_at=clock.now(), last_seen_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(session, None, "test.tablet")
    return row


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class VirtualTablet:
    """What the application on a tablet keeps: every operation, what is not receipted yet, receipts."""

    id: str
    form: str = ""
    number: int = 0
    logs: dict[str, list[Json]] = field(default_factory=dict)
    outbox: list[Json] = field(default_factory=list)
    receipts: dict[str, Json] = field(default_factory=dict)

    def do(
        self, key: str, kind: str, *, at: datetime | None = None, base: int = 0,
        form: str | None = None, **fields: Any,
    ) -> Json:  # fmt: skip
        """Append one operation to the log of `key`; it is saved and waits in the outbox."""
        log = self.logs.setdefault(key, [])
        self.number += 1
        op: Json = {
            "v": 1, "id": hashlib.sha256(f"{self.id}{self.number}".encode()).hexdigest()[:32],
            "tablet": self.id, "sheet": key, "seq": len(log) + 1,
            "prev": log[-1]["hash"] if log else START,
            "form": self.form if form is None else form, "base": base, "kind": kind,
            "at": (at or clock.now()).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z",
            "mono": self.number, **fields,
        }  # fmt: skip
        op["hash"] = operation_hash(op)
        log.append(op)
        self.outbox.append(op)
        return op

    def put(self, key: str, path: str, new: Any, **more: Any) -> Json:
        return self.do(key, "set", path=path, old="", new=new, **more)

    def fill(self, key: str, marks: Json, **more: Any) -> list[Json]:
        return [self.put(key, path, value, **more) for path, value in marks.items()]

    def seal(self, key: str, name: str, entries: Any, media: Any = (), **more: Any) -> Json:
        return self.do(
            key, "seal", signed_name=name, signature=[[[1, 2, 3], [4, 5, 6]]],
            entries=entries if isinstance(entries, str) else entries_hash(entries),
            media=sorted(media), **more,
        )  # fmt: skip

    def batch(self, most: int = 200) -> list[Json]:
        return self.outbox[:most]

    def take(self, answer: Json) -> None:
        """Receipts in: what they name word for word leaves the outbox. After a gap: from there."""
        known = {op["id"]: op["hash"] for op in self.outbox}
        for told in answer["receipts"]:
            if known.get(told["id"]) == told["hash"]:
                self.receipts[told["id"]] = told
        self.outbox = [op for op in self.outbox if op["id"] not in self.receipts]
        stopped = answer.get("stopped")
        if stopped and stopped["code"] == "gap":
            again = self.logs[stopped["sheet"]][stopped["expect"] - 1 :]
            self.outbox = [op for op in self.outbox if op["sheet"] != stopped["sheet"]] + again

    def flush(self, session: Any, viewer: Viewer, ops: Any = None) -> Json:
        """Push inside a transaction of the caller."""
        given = json.loads(json.dumps(self.batch() if ops is None else ops))
        answer = Push(session, viewer, session.get_one(Tablet, self.id)).run(given)
        answer = json.loads(json.dumps(answer))
        self.take(answer)
        return answer

    def push(self, database: Any, viewer: Viewer, ops: Any = None) -> Json:
        """Push in a transaction of its own."""
        with database.write() as session:
            return self.flush(session, viewer, ops)
