"""Proofs about the record: every flipped bit of a ledger is found, and every forged transcript."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sqlalchemy import select, text

from app import keys as key_files
from app.db import Base, Database
from app.directory.models import Person
from app.keys import Keys
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import APPEND_ONLY, Event, Secret
from app.verify import STEPS, verify_transcript
from tests.ledger.test_tampering import change_cells
from tests.rows import rows_everywhere
from tests.test_verify import changes, opened, remade, transcript

SHAPES = ("lottery", "tickets", "batch")
THROUGH = 97  # every so many flips one goes through the database and the whole check


def database_in(place: str) -> tuple[Database, Keys]:
    """An empty database with keys."""
    keys = key_files.create(Path(place) / "keys")
    made = Database(f"sqlite:///{place}/proof.db", keys=keys)
    Base.metadata.create_all(made.engine)
    return made, keys


def _flips(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def ledger_bits(entries: int) -> str:
    """Every bit of every payload, leaf and opening of a ledger, flipped one at a time."""
    with tempfile.TemporaryDirectory() as place:
        database, keys = database_in(place)
        with database.write() as session:
            for number in range(entries):
                session.add(Person(name=f"测试{number}"))
                append(session, None, "person.created", sealed=number % 3 == 0, number=number)
                if number % 50 == 49:
                    prove.sign_head(session, keys, "proof")
        with database.read() as session:
            assert prove.verify(session, keys).ok
            events = list(session.scalars(select(Event).order_by(Event.seq)))
            secrets = dict(session.execute(select(Secret.seq, Secret.body)).all())
        tried = whole = 0
        with database.write() as session:
            session.info["mode"] = "raw"
            for table in APPEND_ONLY:
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
        for event in events:
            secret = secrets.get(event.seq)
            parts = {
                ("ledger_event", "payload"): event.payload.encode(),
                ("ledger_event", "leaf"): event.leaf,
                ("ledger_secret", "body"): (secret or "").encode(),
            }
            for (table, column), data in parts.items():
                for bent in _flips(data):
                    read = bent if column == "leaf" else bent.decode("utf-8", "surrogateescape")
                    entry = Event(seq=event.seq, payload=event.payload, leaf=event.leaf)
                    if table == "ledger_event":
                        setattr(entry, column, read)
                    opening = read if table == "ledger_secret" else secret
                    fault = prove._check_leaf(entry, event.seq, opening)  # type: ignore[arg-type]
                    assert fault is not None and str(event.seq) in fault.en, (event.seq, column)
                    tried += 1
                    if tried % (THROUGH * 8 + 1) == 0:
                        _through(database, keys, table, column, event.seq, bent)
                        whole += 1
        assert tried > entries * 8 * 100 and whole > 20
        database.dispose()
    return f"{tried} flips in payloads, leaves and openings, all found; {whole} of them through the database"


def _through(
    database: Database, keys: Keys, table: str, column: str, seq: int, bent: bytes
) -> None:
    """Write the damaged bytes, check the whole ledger, put the old ones back."""
    value = ":v" if column == "leaf" else "CAST(:v AS TEXT)"
    put = text(f"UPDATE {table} SET {column} = {value} WHERE seq = :seq")
    kept = f"CAST({column} AS BLOB)"
    with database.write() as session:
        session.info["mode"] = "raw"
        before = session.execute(
            text(f"SELECT {kept} FROM {table} WHERE seq = :seq"), {"seq": seq}
        ).scalar()
        session.execute(put, {"v": bent, "seq": seq})
        faults = prove.verify(session, keys).faults
        assert faults and str(seq) in faults[0].en, (table, column, seq)
        session.execute(put, {"v": before, "seq": seq})


def _every_other_cell(first: int, values: int) -> int:
    with tempfile.TemporaryDirectory() as place:
        database, keys = database_in(place)
        with database.write() as session:
            rows_everywhere(session, keys)
        tried = change_cells(database, keys, values=values, every=2, first=first)
        database.dispose()
    return tried


def cells(values: int) -> str:
    """Up to `values` other contents in every cell of a row of every table, by raw SQL; on two cores."""
    with ProcessPoolExecutor(2) as pool:
        tried = sum(pool.map(_every_other_cell, (0, 1), (values, values)))
    return f"{tried} changed cells, each named by table"


def transcripts(count: int) -> str:
    """Transcripts changed in one place, with an honest manifest around the change."""
    tried = 0
    steps: set[str] = set()
    for shape in SHAPES:
        files = opened(transcript(shape))
        forged = [
            (name, document)
            for name in files
            for document in changes(json.loads(files[name]))
            # The transcript as it was one act earlier is honest: only a ledger head tells.
            if not (name == "acts.json" and document == json.loads(files[name])[:-1])
        ]
        wanted = min(len(forged), -(-count // len(SHAPES)))
        for number in range(wanted):
            name, document = forged[number * len(forged) // wanted]
            report = verify_transcript(remade(files, name, document))
            assert not report.ok and report.failed in STEPS, (shape, name, number)
            steps.add(report.failed)
            tried += 1
    assert tried >= count and len(steps) > 5
    return f"{tried} forgeries of {len(SHAPES)} shapes rejected, at {len(steps)} different steps"
