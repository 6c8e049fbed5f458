"""One installation as the command line sees it: settings, keys, store, database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app import keys as key_files
from app import migrate, models  # noqa: F401
from app.config import Settings
from app.db import Database
from app.domain.types import Conflict, Text
from app.files.store import Store
from app.keys import Keys
from app.ledger import restored  # noqa: F401  (every writer begins with a restore's entry)


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
    """Make keys and database where there are none yet; bring the schema up to date.

    A database without its keys is refused: new keys would read nothing of it.
    """
    settings = Settings.from_environment(home)
    if not key_files.exist(settings.keys) and has_database(settings):
        raise Conflict(
            Text(
                f"数据库已存在，但 {settings.keys} 中没有密钥。未作任何改动；请放回封存的密钥文件。",
                f"There is a database, but no keys in {settings.keys}. Nothing was changed; put back "
                "the sealed key files.",
            )
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    return at(settings, key_files.create(settings.keys))


def at(settings: Settings, keys: Keys) -> Installation:
    """The installation of these settings and keys, its schema brought up to date."""
    made = _assemble(settings, keys)
    migrate.upgrade(made.database)
    return made


def has_database(settings: Settings) -> bool:
    """Does the database exist, with a schema in it? Looking creates nothing."""
    _, sqlite, file = settings.database_url.partition("sqlite:///")
    if sqlite and not Path(file).exists():
        return False
    database = Database(settings.database_url)
    try:
        return migrate.revision(database) is not None
    finally:
        database.dispose()


def open_existing(home: str | Path | None = None) -> Installation:
    """Open an installation; DomainError when keys or schema are missing or of another version."""
    settings = Settings.from_environment(home)
    found = _assemble(settings, key_files.load(settings.keys))
    migrate.require_head(found.database)
    return found
