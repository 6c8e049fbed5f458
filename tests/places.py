"""Empty places: a database without schema to migrate or restore into, a new installation to measure on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from app import keys as key_files
from app.config import Settings
from app.db import Base, Database
from app.files.store import Store


@contextmanager
def blank_database(pg_server: str | None, directory: Path) -> Iterator[str]:
    """The URL of a database without any table: PostgreSQL when a server is given, else SQLite."""
    if pg_server is None:
        yield f"sqlite:///{directory / 'blank.db'}"
        return
    name = f"blank_{os.getpid()}_{secrets.token_hex(4)}"
    _run(pg_server, f"CREATE DATABASE {name}")
    try:
        yield pg_server.replace("/postgres?", f"/{name}?")
    finally:
        _run(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def new_installation(home: Path, url: str = "") -> Database:
    """Keys of its own and every table, empty; SQLite under `home` unless another database is named."""
    key_files.create(home / "keys")
    database = opened(home, url)
    Base.metadata.create_all(database.engine)
    return database


def opened(home: Path, url: str = "") -> Database:
    """The installation that `new_installation` made there."""
    settings = Settings(home=home, database_url=url or f"sqlite:///{home / 'mingjian.db'}")
    keys = key_files.load(settings.keys)
    return Database(
        settings.database_url, keys=keys, settings=settings, store=Store(settings.files)
    )


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def bytes_under(directory: Path) -> dict[str, bytes | None]:
    """Every file's bytes, and every directory as None: to show that nothing changed."""
    if not directory.exists():
        return {}
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted([directory, *directory.rglob("*")])
    }
