"""Rows of an earlier schema, recorded by an earlier program, still verify after the upgrade.

A scored round with a run is put back to what a database of each revision holds, the newest among them: the
columns and tables of then, and a ledger whose row digests are over the columns of then. What they were taken over is
written here a second time, from the reflected tables and with the standard library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.engine import Connection

from app import migrate
from app.aggregation import operations as runs
from app.clock import stamp
from app.config import Settings
from app.db import Base, Database
from app.domain.ledger.merkle import leaf_hash, push, root_of_edge
from app.files.store import Store
from app.keys import Keys
from app.ledger import prove
from app.ledger.models import Record
from app.report import operations as reports
from app.supervision.doctor import examine
from tests.aggregation import builders
from tests.places import blank_database
from tests.rows import LEDGER, MAPPED

Rows = dict[str, list[dict[str, Any]]]
Known = dict[str, set[str]]  # table -> columns
# Tables with rows here, to which a later revision added columns: a new revision has its line too.
NAMED: dict[str, set[str]] = {
    "0001": {"report", "round", "subject", "statement"},
    "0002": {"statement"},
    "0003": set(),
    "0004": set(),
}
# The draws and experts of this round are written straight into their tables, without the acts before
# them: that, and nothing else, does the doctor find.
WRITTEN_DOWN = {
    "draw.as_recorded", "draw.candidates_unchanged", "draw.result_recomputed",
    "draw.transcript_verifies", "registry.active_consented", "registry.active_screened",
}  # fmt: skip


@pytest.fixture
def settings(
    tmp_path: Any, tmp_path_factory: Any, pg_server: str | None, schema: str
) -> Iterator[Settings]:
    yield from builders.installation(tmp_path, tmp_path_factory, pg_server, schema)


def plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return stamp(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return value


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of_then(table: str, row: dict[str, Any], first: Known) -> str:
    """Over every column of the table's beginning, whether it held something or not, and over one that
    came later only if it did."""
    begun = first.get(table, row.keys())
    view = {
        key: plain(value)
        for key, value in row.items()
        if key not in MAPPED[table].ledger_skip and (key in begun or value is not None)
    }
    if "instrument" in view and table.endswith("sheet"):  # enters by its digest, then as today
        text = json.dumps(view["instrument"], sort_keys=True, ensure_ascii=False)
        view["instrument"] = hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(canonical(view)).hexdigest()


def columns_at(connection: Connection) -> Known:
    found = inspect(connection)
    return {
        name: {column["name"] for column in found.get_columns(name)}
        for name in found.get_table_names()
        if name in Base.metadata.tables
    }


def of_then(table: Table, known: set[str]) -> Table:
    """Today's table with the columns of then only: so values are read and written as their types."""
    return Table(
        table.name,
        MetaData(),
        *(c._copy() for c in table.columns if c.name in known),
    )


def rewritten(rows: Rows, first: Known) -> None:
    """The ledger in `rows`, as the program of then would have written it: without the rows of later
    tables, and with digests of then where a row was recorded last."""
    now = {
        (name, row["id"]): digest_of_then(name, row, first)
        for name, found in rows.items()
        if name not in LEDGER and issubclass(MAPPED[name], Record)
        for row in found
    }
    secrets = {row["seq"]: row for row in rows["ledger_secret"]}
    edge: list[bytes] = []
    for size, entry in enumerate(sorted(rows["ledger_event"], key=lambda row: row["seq"])):
        opened = secrets.get(entry["seq"])
        body = json.loads(opened["body"] if opened else entry["payload"])
        body["rows"] = [
            [table, key, now[table, key]] for table, key, _ in body["rows"] if (table, key) in now
        ]
        if opened:
            opened["body"] = canonical(body).decode()
            told = hashlib.sha256(opened["body"].encode()).hexdigest()
            body = {"v": body["v"], "kind": "sealed", "digest": told}
        entry["payload"] = canonical(body).decode()
        entry["leaf"] = leaf_hash(entry["payload"].encode())
        push(edge, size, entry["leaf"])
    (head,) = rows["ledger_head"]
    head["edge"], head["root"] = b"".join(edge), root_of_edge(edge)


def test_every_revision_is_tried() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    assert sorted(script.revision for script in scripts.walk_revisions()) == sorted(NAMED)


@pytest.mark.parametrize("revision", NAMED)
def test_rows_of_an_earlier_schema_verify_after_the_upgrade(
    settings: Settings, database: Database, keys: Keys, revision: str, tmp_path: Path,
    pg_server: str | None,
) -> None:  # fmt: skip
    with database.write() as session:
        round_ = builders.reload(session)
        run = runs.run(session, round_.office, round=round_.round)
        reports.draft_report(session, round_.office, round=round_.round, run=run)
    with blank_database(pg_server, tmp_path) as url:
        old = Database(url, keys=keys, settings=settings, store=Store(settings.files))
        migrate.upgrade(old, "0001")
        with old.engine.connect() as connection:
            first = columns_at(connection)
        migrate.upgrade(old, revision)
        with old.engine.connect() as connection:
            known = columns_at(connection)
        assert known.keys() <= Base.metadata.tables.keys()
        assert (revision == migrate.head()) == (known.keys() == Base.metadata.tables.keys())
        tables = [
            of_then(table, known[table.name])
            for table in Base.metadata.sorted_tables
            if table.name in known
        ]
        with database.read() as session:
            rows: Rows = {
                table.name: [dict(row._mapping) for row in session.execute(select(table))]
                for table in tables
            }
        rows["ledger_checkpoint"] = []
        rewritten(rows, first)
        with old.write() as session:
            for table in tables:
                if rows[table.name]:
                    session.execute(table.insert(), rows[table.name])
        filled = {name for name, found in rows.items() if found}
        grown = {
            name for name in known if known[name] < {*Base.metadata.tables[name].columns.keys()}
        }
        assert {"round", "subject", "statement", "sheet", "run"} <= filled
        assert NAMED[revision] <= grown & filled, "rows of tables that grew later"
        migrate.upgrade(old)
        with old.read() as session:
            report = prove.verify(session, keys)
            checks = examine(session, keys, Store(settings.files), report)
            broken = {name for name, faults in checks if faults}
        old.dispose()
        assert report.faults == []
        assert report.events == len(rows["ledger_event"]) > 100
        assert broken == WRITTEN_DOWN
