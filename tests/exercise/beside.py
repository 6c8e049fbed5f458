"""An installation for an exercise on PostgreSQL, which the demonstration itself does not use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import installation
from app import keys as key_files
from app.config import Settings
from app.db import Database
from app.files.store import Store


@contextmanager
def on_postgresql(
    home: Path, server: str, schema: str, name: str
) -> Iterator[installation.Installation]:
    """A home marked as a demonstration beside a database `name` of its own, dropped at the end."""
    from tests.conftest import _pg

    home.mkdir()
    (home / "DEMO").write_text("")
    keys = key_files.create(home / "keys")
    _pg(server, f"CREATE DATABASE {name} TEMPLATE {schema}")
    url = server.replace("/postgres?", f"/{name}?")
    settings = Settings(home=home, database_url=url, demo=True)
    store = Store(settings.files)
    database = Database(url, keys=keys, settings=settings, store=store)
    parts = installation.Installation(settings, keys, store, database)
    yield parts
    parts.close()
    _pg(server, f"DROP DATABASE {name} WITH (FORCE)")
