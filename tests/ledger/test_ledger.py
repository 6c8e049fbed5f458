"""The ledger over a real database: what it guards, and every way of tampering it names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.db import Base, Database
from app.directory.models import Employment, Organisation, Person
from app.domain.ledger import merkle
from app.keys import Keys
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event, Head, Record, Secret


@pytest.fixture
def filled(database: Database, keys: Keys) -> Database:
    """Two people, an employer, a post; a sealed entry; a signed head."""
    with database.write() as session:
        person = Person(name="测试甲")
        session.add(person)
        session.add(
            Employment(
                person=person,
                organisation=Organisation(name="测试大学", kind="university"),
                since=date(2020, 1, 1),
            )
        )
        append(session, None, "person.created", count=1)
    with database.write() as session:
        session.add(Person(name="测试乙"))
        append(session, None, "person.created", sealed=True)
    with database.write() as session:
        prove.sign_head(session, keys, "test")
    return database


def _faults(database: Database, keys: Keys, printed: str | None = None) -> list[str]:
    with database.read() as session:
        head = prove.TreeHead.parse(printed) if printed else None
        return [fault.en for fault in prove.verify(session, keys, head).faults]


def _sql(database: Database, statement: str) -> None:
    with database.engine.connect().execution_options(write=True) as connection:
        with connection.begin():
            connection.execute(text(statement))


def test_an_untouched_ledger_verifies(filled: Database, keys: Keys) -> None:
    with filled.read() as session:
        report = prove.verify(session, keys)
        assert (report.ok, report.events, report.rows, report.checkpoints) == (True, 2, 4, 1)
        leaves = list(session.scalars(select(Event.leaf).order_by(Event.seq)))
        assert report.head and report.head.root == merkle.root(leaves)


def test_every_table_is_guarded_or_named_as_exempt() -> None:
    exempt = {
        "ledger_event", "ledger_secret", "ledger_head", "ledger_checkpoint",  # the record itself
        "sign_in",  # sessions: kept as events, their last-seen times prove nothing
        "throttle",  # counters of failed attempts
        "typing",  # dice on their way: nobody has entered them yet
        "draw_work",  # how far a computation is
        "tablet_nonce",  # asked, not yet signed
        "field_op", "field_outcome",  # append-only; their batch commits to them
    }  # fmt: skip
    guarded = {
        m.class_.__tablename__ for m in Base.registry.mappers if issubclass(m.class_, Record)
    }
    assert set(Base.metadata.tables) - guarded == exempt


def test_a_change_that_is_not_recorded_is_refused(filled: Database) -> None:
    with pytest.raises(RuntimeError, match="changed but not recorded"), filled.write() as session:
        session.scalars(select(Person)).first().name = "改"  # type: ignore[union-attr]
    with filled.read() as session:
        assert set(session.scalars(select(Person.name))) == {"测试甲", "测试乙"}


def test_deleting_a_guarded_row_is_refused(filled: Database) -> None:
    with pytest.raises(RuntimeError, match="never deleted"), filled.write() as session:
        session.delete(session.scalars(select(Employment)).one())


def test_appending_outside_a_write_transaction_is_refused(filled: Database) -> None:
    with filled.read() as session, pytest.raises(RuntimeError, match="write transaction"):
        append(session, None, "x")


def test_nested_write_transactions_are_refused_not_deadlocked(database: Database) -> None:
    if not database.sqlite:
        pytest.skip("PostgreSQL transactions nest on two connections and wait on the lock")
    with database.write(), pytest.raises(RuntimeError, match="already open"):
        with database.write():
            pass


@pytest.mark.parametrize("statement", ["UPDATE {t} SET seq = seq", "DELETE FROM {t}"])
@pytest.mark.parametrize("table", ["ledger_event", "ledger_secret"])
def test_triggers_refuse_update_and_delete(filled: Database, table: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        _sql(filled, statement.format(t=table))


def _drop_triggers(database: Database) -> None:
    if database.sqlite:
        for table in ("ledger_event", "ledger_secret", "ledger_checkpoint"):
            for verb in ("update", "delete"):
                _sql(database, f"DROP TRIGGER {table}_no_{verb}")
    else:
        for table in ("ledger_event", "ledger_secret", "ledger_checkpoint"):
            _sql(database, f"DROP TRIGGER {table}_append_only ON {table}")


TAMPERING = {
    "change a name": (
        "UPDATE person SET name = '改' WHERE name = '测试甲'",
        "differs from ledger entry 0",
    ),
    "change a sealed row": (
        "UPDATE person SET name = '改' WHERE name = '测试乙'",
        "differs from ledger entry 1",
    ),
    "delete a row": ("DELETE FROM employment", "recorded in ledger entry 0 is gone"),
    "add a row": (
        "INSERT INTO person (id, salt, name) VALUES ('feed', 'x', '外来')",
        "person feed: the row is not in the ledger",
    ),
    "change an entry": (
        "UPDATE ledger_event SET payload = replace(payload, 'created', 'forged') WHERE seq = 0",
        "Entry 0 does not fit its leaf hash",
    ),
    "cut the tail": ("DELETE FROM ledger_event WHERE seq = 1", "stored head differs"),
    "cut the middle": ("DELETE FROM ledger_event WHERE seq = 0", "Entry 0 is missing"),
    "change a sealed opening": (
        "UPDATE ledger_secret SET body = replace(body, 'created', 'forged')",
        "sealed content of entry 1 was changed",
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_by_raw_sql_is_named(filled: Database, keys: Keys, name: str) -> None:
    statement, expected = TAMPERING[name]
    _drop_triggers(filled)
    if name == "cut the tail":
        _sql(filled, "DELETE FROM ledger_secret WHERE seq = 1")
    _sql(filled, statement)
    assert any(expected in fault for fault in _faults(filled, keys)), _faults(filled, keys)


def test_every_column_of_a_row_is_guarded(filled: Database, keys: Keys) -> None:
    """One changed cell anywhere is found: every table with rows, every column but the key."""
    changed = 0
    for table in ("person", "employment", "organisation"):
        for column in Base.metadata.tables[table].columns:
            if column.name == "id" or column.foreign_keys:
                continue
            value = {"BOOLEAN": "NOT central", "DATE": "'2019-05-05'"}.get(
                str(column.type), "'mutated'"
            )
            if column.name in ("kind", "relation"):
                value = {"kind": "'institute'", "relation": "'adviser'"}[column.name]
            _sql_kept = f"SELECT {column.name} FROM {table} LIMIT 1"
            with filled.engine.connect() as connection:
                before = connection.execute(text(_sql_kept)).scalar()
            _sql(filled, f"UPDATE {table} SET {column.name} = {value}")
            assert any(f.startswith(f"{table} ") for f in _faults(filled, keys)), column
            with filled.engine.connect().execution_options(write=True) as connection:
                with connection.begin():
                    connection.execute(
                        text(f"UPDATE {table} SET {column.name} = :v"), {"v": before}
                    )
            changed += 1
            if table == "person":
                break  # two people: restoring one value to both would itself be tampering
    assert changed >= 10


def test_rewriting_the_whole_ledger_is_caught_by_signature_and_paper(
    filled: Database, keys: Keys
) -> None:
    """A database administrator who re-hashes everything still faces the heads outside."""
    with filled.read() as session:
        paper = str(prove.head(session))
    _drop_triggers(filled)
    with filled.write() as session:
        session.info["mode"] = "raw"
        edge: list[bytes] = []
        size = 0
        for entry in session.scalars(select(Event).order_by(Event.seq)):
            body = json.loads(entry.payload)
            if body["kind"] != "sealed":
                body["kind"] = "person.invented"
            entry.payload = json.dumps(body, sort_keys=True, separators=(",", ":"))
            entry.leaf = merkle.leaf_hash(entry.payload.encode())
            size = merkle.push(edge, size, entry.leaf)
        head = session.get(Head, 1)
        assert head
        head.edge, head.root = b"".join(edge), merkle.root_of_edge(edge)
    faults = _faults(filled, keys, paper)
    assert any("rewritten or rolled back" in fault and "printed" in fault for fault in faults)
    assert any("signed checkpoint at 2" in fault for fault in faults)


def test_a_printed_head_from_before_is_contained_and_a_foreign_one_is_not(
    filled: Database, keys: Keys
) -> None:
    with filled.read() as session:
        paper = str(prove.head(session))
    with filled.write() as session:
        session.add(Person(name="测试丙"))
        append(session, None, "person.created")
    assert _faults(filled, keys, paper) == []
    assert _faults(filled, keys, "mj1:2:" + "00" * 32) != []
    assert _faults(filled, keys, "mj1:99:" + "00" * 32) != []


def test_sealed_entries_show_one_digest_of_fixed_length(filled: Database) -> None:
    with filled.read() as session:
        payload = session.get(Event, 1).payload  # type: ignore[union-attr]
        assert set(json.loads(payload)) == {"v", "kind", "digest"}
        assert "测试乙" not in payload
        opening = json.loads(session.get(Secret, 1).body)  # type: ignore[union-attr]
        assert opening["kind"] == "person.created" and len(opening["salt"]) == 32


def test_ledger_time_never_runs_backwards(database: Database) -> None:
    late = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    with clock.fixed(late), database.write() as session:
        append(session, None, "a")
    with clock.fixed(late - timedelta(days=365)), database.write() as session:
        entry = append(session, None, "b")
        assert json.loads(entry.payload)["at"] == "2026-11-22T09:00:00.000000Z"


def test_inclusion_proof_of_a_receipt(filled: Database) -> None:
    with filled.read() as session:
        head, proof = prove.prove_inclusion(session, 0)
        leaf = session.get(Event, 0).leaf  # type: ignore[union-attr]
        assert merkle.verify_inclusion(leaf, 0, head.size, proof, head.root)
        assert not merkle.verify_inclusion(leaf, 1, head.size, proof, head.root)


def test_a_head_that_lost_its_entries_stops_writing(filled: Database) -> None:
    _drop_triggers(filled)
    _sql(filled, "DELETE FROM ledger_secret WHERE seq = 1")
    _sql(filled, "DELETE FROM ledger_event WHERE seq = 1")
    with pytest.raises(Exception, match="writing has stopped"), filled.write() as session:
        session.add(Person(name="测试丁"))
        append(session, None, "person.created")
