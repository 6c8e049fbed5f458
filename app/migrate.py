"""Bringing a database to the schema of this version, and back. One head, no ini file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from app.db import Database
from app.domain.types import DomainError, Text

HERE = Path(__file__).parent / "migrations"


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration around one open connection."""
    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The revision that this version needs."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None
    return found


def revision(database: Database) -> str | None:
    """The revision that the database is at; None when it is empty. DomainError: out of reach."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        why = str(error.orig).strip().partition("\n")[0]
        raise DomainError(
            Text(
                f"数据库无法打开（{why}）。数据未改动；请检查 DATABASE_URL 与数据库服务。",
                f"The database cannot be opened ({why}). Nothing was changed; check DATABASE_URL "
                "and the database server.",
            )
        ) from error


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema forward in one transaction. DomainError when a newer program made it."""
    at = revision(database)
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if at is not None and at not in known:
        raise DomainError(
            Text(
                f"数据库版本 {at} 来自更新的程序。数据未改动；请改用较新的版本。",
                f"The database is at revision {at}, made by a newer program. Nothing was changed; "
                "use the newer version.",
            )
        )
    _run(database, command.upgrade, to)


def downgrade(database: Database, to: str) -> None:
    """Take the schema back."""
    _run(database, command.downgrade, to)


def _run(database: Database, verb: Callable[[Config, str], None], to: str) -> None:
    """One transaction. SQLite changes some columns by building the table anew, which its foreign
    keys would refuse row by row: they are held off, and every one is checked before the commit."""
    with database.engine.connect().execution_options(write=True) as connection:
        raw = connection.connection.dbapi_connection
        if database.sqlite and raw is not None:
            raw.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                verb(config(connection), to)
                if database.sqlite:
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if broken:
                        raise RuntimeError(f"the migration breaks foreign keys: {broken[:3]}")
        finally:
            if database.sqlite and raw is not None:
                raw.cursor().execute("PRAGMA foreign_keys=ON")


def require_head(database: Database) -> None:
    """DomainError unless the schema is this version's."""
    at, needed = revision(database), head()
    if at is None:
        raise DomainError(
            Text(
                "这里还没有数据库。请先运行 mingjian init。",
                "There is no database here yet. Run mingjian init first.",
            )
        )
    if at != needed:
        raise DomainError(
            Text(
                f"数据库版本 {at} 与程序（{needed}）不符。数据未改动；请先备份，再运行 mingjian init 升级。",
                f"The database is at revision {at}, the program needs {needed}. Nothing was "
                "changed; back up, then run mingjian init to upgrade.",
            )
        )
