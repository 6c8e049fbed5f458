"""The schema's history: one head, equal to the models, and a way back that works with data in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from app import keys as key_files
from app import migrate
from app.db import Base, Database
from app.domain.types import DomainError
from app.keys import Keys
from app.ledger import prove
from app.ledger.models import APPEND_ONLY
from tests.places import blank_database
from tests.rows import COUNT, LEDGER, rows_everywhere

# docs/ledger-format.md names them: sessions, failed attempts, dice and computations on their way, and
# what the row of its batch commits to.
UNGUARDED = (
    "sign_in",
    "throttle",
    "typing",
    "draw_work",
    "tablet_nonce",
    "field_op",
    "field_outcome",
)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return key_files.create(tmp_path / "keys")


@pytest.fixture
def blank(tmp_path: Path, pg_server: str | None) -> Iterator[Database]:
    """A database without any table."""
    with blank_database(pg_server, tmp_path) as url:
        made = Database(url)
        yield made
        made.dispose()


def _tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def test_there_is_one_head_and_every_revision_leads_to_it() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    assert scripts.get_heads() == [migrate.head()]
    assert [s.revision for s in scripts.walk_revisions()][-1] == scripts.get_base()
    assert len(scripts.get_bases()) == 1


def test_models_equal_migrations(blank: Database) -> None:
    migrate.upgrade(blank)
    with blank.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert _tables(blank) == {*Base.metadata.tables, "alembic_version"}


def test_checks_and_triggers_are_those_of_the_models(
    blank: Database, tmp_path: Path, pg_server: str | None
) -> None:
    """What `compare_metadata` does not see: check constraints, partial indexes, triggers."""
    migrate.upgrade(blank)
    directory = tmp_path / "models"
    directory.mkdir()
    with blank_database(pg_server, directory) as url:
        models = Database(url)
        Base.metadata.create_all(models.engine)
        assert _fine_print(blank) == _fine_print(models)
        models.dispose()


def _fine_print(database: Database) -> dict[str, object]:
    found = inspect(database.engine)
    kept: dict[str, object] = {}
    for table in sorted(Base.metadata.tables):
        kept[table] = (
            sorted((c["name"], _plain(c["sqltext"])) for c in found.get_check_constraints(table)),
            sorted((i["name"], bool(i["unique"]), _where(i)) for i in found.get_indexes(table)),
            sorted(
                (u["name"], tuple(u["column_names"])) for u in found.get_unique_constraints(table)
            ),
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)),
            sorted((f["name"], f["referred_table"]) for f in found.get_foreign_keys(table)),
        )
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        if database.sqlite
        else "SELECT tgname, tgrelid::regclass::text || tgtype FROM pg_trigger "
        "WHERE NOT tgisinternal ORDER BY tgname"
    )
    with database.engine.connect() as connection:
        kept["triggers"] = [tuple(row) for row in connection.execute(text(query))]
    return kept


def _plain(clause: str) -> str:
    return "".join(clause.split())


def _where(index: Any) -> list[str]:
    options = index.get("dialect_options", {})
    return [str(options[key]) for key in ("sqlite_where", "postgresql_where") if key in options]


def test_up_and_down_and_up_again_with_data(blank: Database, keys: Keys) -> None:
    for _ in range(2):
        migrate.upgrade(blank)
        assert migrate.revision(blank) == migrate.head()
        with blank.write() as session:
            rows_everywhere(session, keys)
        with blank.read() as session:
            for table in Base.metadata.sorted_tables:
                rows = session.execute(table.select()).all()
                assert rows if table.name in LEDGER else len(rows) == COUNT, table.name
            report = prove.verify(session, keys)
            assert report.faults == []
            assert report.rows == COUNT * (len(Base.metadata.tables) - len(LEDGER) - len(UNGUARDED))
        migrate.downgrade(blank, "base")
        assert _tables(blank) <= {"alembic_version"}
        assert migrate.revision(blank) is None
    if not blank.sqlite:
        with blank.engine.connect() as connection:
            left = text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ledger%refuse'")
            assert connection.execute(left).scalar() == 0


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_ledger_refuses_changes_after_an_upgrade(
    blank: Database, keys: Keys, table: str
) -> None:
    migrate.upgrade(blank)
    with blank.write() as session:
        rows_everywhere(session, keys)
    column = {"ledger_event": "payload", "ledger_secret": "body", "ledger_checkpoint": "note"}
    for statement in (f"UPDATE {table} SET {column[table]} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"), blank.write() as session:
            session.execute(text(statement))
    if not blank.sqlite:
        with pytest.raises(DBAPIError, match="append-only"), blank.write() as session:
            session.execute(text(f"TRUNCATE {table} CASCADE"))
    with blank.read() as session:
        assert prove.verify(session, keys).ok


def test_an_upgrade_that_fails_changes_nothing(blank: Database) -> None:
    """One transaction: a table that stands in the way leaves no half schema behind."""
    with blank.write() as session:
        session.execute(text("CREATE TABLE seat (id integer)"))
    with pytest.raises(DBAPIError):
        migrate.upgrade(blank)
    assert _tables(blank) == {"seat"}


def test_a_database_of_another_version_is_refused_and_named(blank: Database) -> None:
    with pytest.raises(DomainError, match="mingjian init"):
        migrate.require_head(blank)
    migrate.upgrade(blank)
    migrate.require_head(blank)
    with blank.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DomainError) as refused:
        migrate.require_head(blank)
    assert "9999" in refused.value.text.zh and "9999" in refused.value.text.en
    with pytest.raises(DomainError, match="newer program|更新的程序"):
        migrate.upgrade(blank)


def test_a_file_that_is_no_database_is_one_clear_message(tmp_path: Path) -> None:
    file = tmp_path / "mingjian.db"
    file.write_text("this is not a database, it is a text of some length" * 20)
    with pytest.raises(DomainError, match="not a database"):
        migrate.revision(Database(f"sqlite:///{file}"))
    assert file.read_text().startswith("this is not a database")
