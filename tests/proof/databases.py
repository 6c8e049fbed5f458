"""The database of an installation that is attacked: copies of it under names, and a hand in it.

The same statements run on SQLite and on PostgreSQL (`?` marks a value in both); rows come back as text
and numbers, JSON and times unread, so that an oracle has one form to judge. What only one of the two
can say (a trigger dropped, a table truncated) asks the hand's `postgres`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

# What a database says that refuses a row, or a change of the ledger.
REFUSALS: tuple[type[Exception], ...] = (
    sqlite3.IntegrityError,
    psycopg.errors.IntegrityError,
    psycopg.errors.RaiseException,
)
_AS_TEXT = ("json", "jsonb", "date", "timestamptz", "timestamp")


class Hand:
    """One connection past every check of the application; nothing is kept before `commit`."""

    def __init__(self, connection: Any, *, postgres: bool) -> None:
        self._connection = connection
        self.postgres = postgres
        self.changed = 0  # rows, by statements that are no question

    def execute(self, query: str, values: Any = ()) -> Any:
        if self.postgres and values:
            query = query.replace("%", "%%").replace("?", "%s")
        found = self._connection.execute(query, values or None) if self.postgres else (
            self._connection.execute(query, values)
        )  # fmt: skip
        if not query.lstrip().startswith(("SELECT", "PRAGMA")):
            self.changed += max(found.rowcount, 0)
        return found

    def commit(self) -> None:
        self._connection.commit()

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in its order."""
        if self.postgres:
            asked = (
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = ? ORDER BY ordinal_position"
            )
            return [str(name) for (name,) in self.execute(asked, (table,))]
        return [str(row[1]) for row in self.execute(f'PRAGMA table_info("{table}")')]

    def tables(self) -> list[str]:
        """Every table."""
        asked = (
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            if self.postgres
            else "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        return [str(name) for (name,) in self.execute(asked)]


class OnSqlite:
    """A file, copied."""

    def __init__(self, home: Path) -> None:
        self._home, self._file = home, home / "mingjian.db"
        self.url = f"sqlite:///{self._file}"

    @contextmanager
    def hand(self, *, autocommit: bool = False) -> Iterator[Hand]:
        kind: Any = {"isolation_level": None} if autocommit else {}
        with closing(sqlite3.connect(self._file, timeout=30, **kind)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            yield Hand(connection, postgres=False)

    def keep(self, name: str) -> None:
        """Copy it under `name`."""
        with self.hand() as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self._file, self._home / f"{name}.kept")

    def back(self, name: str) -> None:
        """Bring that copy back; nobody is connected."""
        for tail in ("-wal", "-shm"):
            Path(f"{self._file}{tail}").unlink(missing_ok=True)
        shutil.copy(self._home / f"{name}.kept", self._file)

    def unhurried(self, engine: Engine) -> None:
        """Nothing of it outlives the run: no write waits for the disk."""
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))

    def drop(self) -> None:
        """Its folder goes with the run."""


class OnPostgres:
    """A database of its own on a server, copied as a template; the server waits for no disk."""

    def __init__(self, server: str) -> None:
        self._server = make_url(server)
        self._name = f"bot_{os.getpid()}_{secrets.token_hex(4)}"
        self._kept: list[str] = []
        self._admin = self._connected(str(self._server.database), autocommit=True)
        self._admin.execute(f"CREATE DATABASE {self._name}")
        self.url = self._server.set(database=self._name).render_as_string(hide_password=False)

    def _connected(self, name: str, *, autocommit: bool) -> Any:
        url = self._server.set(drivername="postgresql", database=name)
        made = psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=autocommit
        )  # fmt: skip
        for kind in _AS_TEXT:
            made.adapters.register_loader(kind, TextLoader)
        return made

    @contextmanager
    def hand(self, *, autocommit: bool = False) -> Iterator[Hand]:
        with closing(self._connected(self._name, autocommit=autocommit)) as connection:
            yield Hand(connection, postgres=True)

    def keep(self, name: str) -> None:
        """Copy it under `name`; nobody is connected."""
        kept = f"{self._name}_{name}"
        if kept in self._kept:
            self._admin.execute(f"DROP DATABASE {kept} WITH (FORCE)")
        else:
            self._kept.append(kept)
        self._admin.execute(f"CREATE DATABASE {kept} TEMPLATE {self._name}")

    def back(self, name: str) -> None:
        """Bring that copy back."""
        self._admin.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._admin.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._name}_{name}")

    def unhurried(self, engine: Engine) -> None:
        """The server is told, not the connection."""

    def drop(self) -> None:
        """Everything that was made on the server."""
        for name in (*self._kept, self._name):
            self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._admin.close()
