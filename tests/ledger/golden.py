"""How the golden ledger was made: fixed keys, a fixed clock, fixed salts. Run once a format.

    python -m tests.ledger.golden DIRECTORY

writes `events.json`, `secrets.json`, `checkpoints.json`, `rows.json` and `head.json`. The files of a
version are never written again: a later program has to verify them as they are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

import app.models  # noqa: F401
from app import clock
from app.db import Base, Database
from app.directory.models import Employment, Organisation, Person
from app.keys import Keys
from app.ledger import append as appending
from app.ledger import models, prove
from app.ledger.models import Event, Secret, SignedHead

BEGAN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
KEYS = Keys(bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96)))
ROWS: dict[str, Any] = {
    "employment": Employment,
    "organisation": Organisation,
    "person": Person,
}


def _counted(start: int) -> Iterator[str]:
    while True:
        yield f"{start:032x}"
        start += 1


def build(directory: Path) -> None:
    """Write the ledger's export into `directory`."""
    hexes = _counted(0x5A17 << 64)
    with (
        tempfile.TemporaryDirectory() as place,
        clock.fixed(BEGAN, timedelta(seconds=1)),
        patch.object(models.secrets, "token_hex", lambda _size: next(hexes)),
        patch.object(appending.secrets, "token_hex", lambda _size: next(hexes)),
    ):
        database = Database(f"sqlite:///{place}/golden.db")
        Base.metadata.create_all(database.engine)
        _play(database)
        found = _export(database)
        database.dispose()
    for name, content in found.items():
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _play(database: Database) -> None:
    """Entries of every form: open and sealed, without rows and with several, a row changed twice."""
    with database.write() as session:
        appending.append(session, None, "installation.created", note="测试：黄金账本", number=1)
    with database.write() as session:
        university = Organisation(id="a" * 16, name="测试大学", kind="university")
        person = Person(id="b" * 16, name="测试甲")
        post = Employment(
            id="c" * 16, person=person, organisation=university, since=date(2020, 2, 29)
        )
        session.add_all([university, person, post])
        appending.append(session, None, "person.created", count=1, codes=["110101", "海淀"])
    _sign(database, "first")
    with database.write() as session:
        session.add(Person(id="d" * 16, name="测试乙 \u00e9\u2028\U00020000"))
        appending.append(session, None, "person.created", sealed=True, person="d" * 16)
    for number in range(3):
        with database.write() as session:
            session.get_one(Person, "b" * 16).name = f"测试甲{number}"
            appending.append(session, None, "person.renamed", sealed=number == 1, nothing=None)
    with database.write() as session:
        appending.append(session, None, "round.opened", sealed=True, slug="x")
        appending.append(
            session, None, "round.closed", flags=[True, False], nested={"甲": {"b": 2**53 - 1}}
        )
    _sign(database, "last")


def _sign(database: Database, reason: str) -> None:
    with database.write() as session:
        prove.sign_head(session, KEYS, reason)


def _export(database: Database) -> dict[str, Any]:
    with database.read() as session:
        report = prove.verify(session, KEYS)
        assert report.ok, report.faults
        return {
            "events": [
                {"seq": e.seq, "payload": e.payload, "leaf": e.leaf.hex()}
                for e in session.scalars(select(Event).order_by(Event.seq))
            ],
            "secrets": [
                {"seq": s.seq, "body": s.body}
                for s in session.scalars(select(Secret).order_by(Secret.seq))
            ],
            "checkpoints": [
                {"size": c.size, "note": c.note, "reason": c.reason}
                for c in session.scalars(select(SignedHead).order_by(SignedHead.size))
            ],
            "rows": [
                {"table": name, "view": row.ledger_view()}
                for name, cls in ROWS.items()
                for row in session.scalars(select(cls).order_by(cls.id))
            ],
            "head": {
                "head": str(prove.head(session)),
                "public_key": KEYS.public.hex(),
                "key_name": KEYS.name,
            },
        }


if __name__ == "__main__":
    build(Path(sys.argv[1]))
