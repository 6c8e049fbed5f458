"""One installation as the command line sees it: settings, keys, store, database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app import keys as key_files
from app import migrate, models  # noqa: F401
from app.config import Settings
from app.db import Database
from app.files.store import Store
from app.keys import Keys


@dataclass(frozen=True)
class Installation:
    """Parts that belong together; `close` when done."""

    settings: Settings
    keys: Keys
    store: Store
    database: Database

    def close(self) -> None:
        self.database.dispose()


def _assemble(settings: Settings, keys: Keys) -> Installation:
    store = Store(settings.files)
    database = Database(settings.database_url, keys=keys, settings=settings, store=store)
    return Installation(settings, keys, store, database)


def create(home: str | Path | None = None) -> Installation:
    """Make what is missing (keys, database) and bring the schema up to date."""
    settings = Settings.from_environment(home)
    settings.home.mkdir(parents=True, exist_ok=True)
    made = _assemble(settings, key_files.create(settings.keys))
    migrate.upgrade(made.database)
    return made


def open_existing(home: str | Path | None = None) -> Installation:
    """Open an installation; DomainError when keys or schema are missing or of another version."""
    settings = Settings.from_environment(home)
    found = _assemble(settings, key_files.load(settings.keys))
    migrate.require_head(found.database)
    return found
