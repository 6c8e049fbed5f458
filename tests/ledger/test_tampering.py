"""Whoever holds the database: every cell of every table, and every kind of damage, is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Column, Table, select, text
from sqlalchemy.orm import Session

from app.db import Base, Database
from app.domain.ledger.canonical import canonical, digest
from app.domain.ledger.merkle import leaf_hash, push, root_of_edge
from app.keys import Keys
from app.ledger import prove
from app.ledger.models import Event, Head, Record, Secret
from tests.rows import LEDGER, MAPPED, rows_everywhere


@pytest.fixture
def everything(database: Database, keys: Keys) -> Database:
    """Rows in every table."""
    with database.write() as session:
        rows_everywhere(session, keys)
    return database


def faults(session: Session, keys: Keys) -> list[str]:
    session.expire_all()
    return [fault.en for fault in prove.verify(session, keys).faults]


def _guarded() -> list[tuple[Table, Column[Any]]]:
    found = []
    for table in Base.metadata.sorted_tables:
        cls = MAPPED[table.name]
        if issubclass(cls, Record):
            found += [(table, c) for c in table.columns if c.key not in cls.ledger_skip]
    return found


def bent(value: Any) -> list[Any]:
    """Other values, readable ones and (SQLite takes anything) unreadable ones."""
    others = ["x", b"\xff\xfe", 77, "2019-05-05", "[]", "12.5001", "0", None]
    return [other for other in others if other != value]


def change_cells(
    database: Database, keys: Keys, *, values: int, every: int = 1, first: int = 0
) -> int:
    """Put other values into one cell of `every`, up to `values` in each; how many were tried.

    AssertionError when one is not found under its table's name.
    """
    tried = 0
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("PRAGMA ignore_check_constraints=ON")
        with connection.begin(), Session(bind=connection) as session:
            for number, (table, column) in enumerate(_guarded()):
                if number % every != first:
                    continue
                key = session.execute(text(f"SELECT min(id) FROM {table.name}")).scalar()
                get = text(f'SELECT "{column.name}" FROM {table.name} WHERE id = :id')
                others = bent(session.execute(get, {"id": key}).scalar())
                for step in range(min(values, len(others))):
                    other = others[(number + step) % len(others)]
                    session.execute(text("SAVEPOINT cell"))
                    put = text(
                        f'UPDATE OR IGNORE {table.name} SET "{column.name}" = :v WHERE id = :id'
                    )
                    possible = column.nullable or other is not None
                    if possible and session.execute(put, {"v": other, "id": key}).rowcount:
                        named = any(f.startswith(f"{table.name} ") for f in faults(session, keys))
                        assert named, (table.name, column.name, other)
                        tried += 1
                    session.execute(text("ROLLBACK TO cell"))
            assert faults(session, keys) == []
    return tried


def test_a_changed_cell_of_any_table_is_named(everything: Database, keys: Keys) -> None:
    """SQLite takes any value anywhere, so this is where an administrator has the freest hand.

    One column in five; `make proof` tries them all, with eight values each.
    """
    if not everything.sqlite:
        pytest.skip("PostgreSQL refuses most of these values by itself")
    assert change_cells(everything, keys, values=1, every=5) > 100


def test_an_opening_beside_a_plain_entry_is_not_believed(everything: Database, keys: Keys) -> None:
    """Inserting is not refused by the triggers: it must not put other digests in place."""
    with everything.write() as session:
        plain = next(
            entry
            for entry in session.scalars(select(Event).order_by(Event.seq))
            if json.loads(entry.payload).get("kind") == "test.person"
        )
        session.execute(text("UPDATE person SET name = '改' WHERE id LIKE 'f0%'"))
        session.expire_all()
        body = json.loads(plain.payload)
        rows = {key: row for row in session.scalars(select(MAPPED["person"])) for key in [row.id]}
        body["rows"] = sorted(
            [t, key, digest(rows[key].ledger_view())] for t, key, _ in body["rows"]
        )
        session.info["mode"] = "raw"
        session.add(Secret(seq=plain.seq, body=canonical(body).decode()))
        session.flush()
        assert f"The sealed content of entry {plain.seq} was changed" in faults(session, keys)


PAYLOADS = ["not json", "[]", '"x"', '{"rows":1}', '{"rows":[["a","b"]]}', '{"a":0.5}', '{"b":1,"a":1}', '{"a":1,"a":1}', "[" * 5000]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: text[:24])
def test_an_entry_of_another_form_is_named_not_a_crash(
    everything: Database, keys: Keys, payload: str
) -> None:
    """Somebody writes nonsense and hashes it well: the form is refused, with the entry's number."""
    with everything.write() as session:
        session.info["mode"] = "raw"
        head = session.get_one(Head, 1)
        leaf = leaf_hash(payload.encode())
        session.add(Event(seq=head.size, payload=payload, leaf=leaf))
        edge = [head.edge[i : i + 32] for i in range(0, len(head.edge), 32)]
        number = head.size
        head.size = push(edge, head.size, leaf)
        head.edge, head.root = b"".join(edge), root_of_edge(edge)
        session.flush()
        assert faults(session, keys) == [f"Entry {number} is not canonical"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE ledger_head SET size = size - 1", "stored head differs"),
        ("UPDATE ledger_head SET root = edge", "stored head differs"),
        ("UPDATE ledger_head SET edge = root", "stored head differs"),
        ("DELETE FROM ledger_head", "stored head differs"),
        ("UPDATE ledger_checkpoint SET note = replace(note, 'mingjian', 'somebody')", "no valid"),
        ("UPDATE ledger_checkpoint SET note = replace(note, '— mingjian', '— other')", "no valid"),
        ("UPDATE ledger_checkpoint SET note = 'x'", "Malformed checkpoint"),
        ("UPDATE ledger_checkpoint SET size = 1", "does not fit"),
        ("UPDATE ledger_event SET payload = payload || ' ' WHERE seq = 3", "Entry 3 does not fit"),
        ("DELETE FROM ledger_secret", "is not in the ledger"),
    ],
)
def test_damage_to_the_ledgers_own_tables(
    everything: Database, keys: Keys, statement: str, expected: str
) -> None:
    with everything.write() as session:
        for table in ("ledger_event", "ledger_secret", "ledger_checkpoint"):
            if everything.sqlite:
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
                session.execute(text(f"DROP TRIGGER {table}_no_delete"))
            else:
                session.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))
        session.execute(text(statement))
        assert any(expected in fault for fault in faults(session, keys)), faults(session, keys)


def test_a_head_from_paper_or_from_the_command_line(everything: Database, keys: Keys) -> None:
    with everything.write() as session:
        note = prove.sign_head(session, keys, "test")
        now = prove.head(session)
    printed = f"{note}{now}\n"
    for form in (str(now), f"  {now}\n", str(note), printed):
        assert prove.TreeHead.parse(form) == now
    from app.domain.types import DomainError

    other = printed.replace(f"mj1:{now.size}:", f"mj1:{now.size - 1}:")
    for bad in ("", "mj1", "mj1:x:y", f"mj2:{now.size}:{'0' * 64}", "mj1:1:00", other, "a\nb\n"):
        with pytest.raises(DomainError):
            prove.TreeHead.parse(bad)
    assert set(LEDGER) < set(Base.metadata.tables)
