"""From SQLite to PostgreSQL and back: a new home with the same keys and files, rows that hash to the same.

The move is a backup and a restore, which check themselves; then every table is read again from both
databases and compared by SHA-256 over its rows in their portable form. The old place stays as it was.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app import backup, installation, migrate
from app import keys as key_files
from app.config import Settings
from app.db import Base, Database
from app.domain.types import Conflict, DomainError, Text
from app.installation import Installation
from app.ledger import prove

# What belongs to the place beside database, keys and stored files: addresses and the office's certificates.
BESIDE = ("public-url", "tls", "DEMO", "transcripts")

_NOT_EMPTY = Text(
    "{p} 已经存在且不是空目录。没有搬迁；请换一个新目录。",
    "{p} exists and is not empty. Nothing was moved; choose a new directory.",
)
_TAKEN = Text(
    "目标数据库里已有数据表。没有搬迁；请建立一个空数据库。",
    "The target database has tables already. Nothing was moved; create an empty database.",
)
_SAME = Text(
    "目标数据库就是现在使用的数据库。没有搬迁。",
    "The target database is the one in use. Nothing was moved.",
)
_DIFFERS = Text(
    "搬迁后有 {n} 张表与原来不同：{t}。请不要使用新目录；原来的数据没有改动，请停止服务后重试。",
    "After the move {n} table(s) differ: {t}. Do not use the new directory; the old data are unchanged. "
    "Stop the server and try again.",
)


@dataclass(frozen=True, slots=True)
class TableDigest:
    """A table's name, its number of rows, and SHA-256 over them."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands in the new place: the ledger's head and every table's digest, the same as in the old."""

    head: prove.TreeHead
    tables: tuple[TableDigest, ...]


def table_digests(database: Database) -> tuple[prove.TreeHead, tuple[TableDigest, ...]]:
    """The ledger's head and every table, from one snapshot."""
    found = []
    with database.read() as session:
        head = prove.head(session)
        for table in Base.metadata.sorted_tables:
            running, count = hashlib.sha256(), 0
            for line in backup.portable_rows(session, table):
                running.update(line)
                count += 1
            found.append(TableDigest(table.name, count, running.hexdigest()))
    return head, tuple(found)


def move(
    source: Installation, home: Path, database_url: str, say: Callable[[str], None] = lambda _: None
) -> Moved:
    """Move `source` to the new directory `home` and the empty database `database_url` (SQLAlchemy's form).

    Raises Conflict, before anything is made, for a directory or database that is in use; DomainError
    when the two differ afterwards. A failed move leaves no half home behind.
    """
    target = replace(source.settings, home=home.absolute(), database_url=database_url)
    _refuse(source.settings, target)
    made = False
    try:
        target.home.mkdir(parents=True, exist_ok=True)
        made = True
        key_files.write(target.keys, source.keys)
        for name in BESIDE:
            _copy(source.settings.home / name, target.home / name)
        with tempfile.TemporaryDirectory(dir=target.home.parent) as folder:
            file = Path(folder) / "move.backup"
            backup.backup(source, file, say)
            there = installation.at(target, source.keys)
            try:
                backup.restore(there, file, say)
                result = _compared(source.database, there.database)
            finally:
                there.close()
        return result
    except BaseException:
        if made:
            shutil.rmtree(target.home, ignore_errors=True)
        raise


def _refuse(now: Settings, then: Settings) -> None:
    if then.database_url == now.database_url:
        raise Conflict(_SAME)
    if then.home.exists() and (not then.home.is_dir() or any(then.home.iterdir())):
        raise Conflict(_NOT_EMPTY.format(p=str(then.home)))
    if installation.has_database(then):
        raise Conflict(_TAKEN)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copy2)
    elif source.exists():
        shutil.copy2(source, target)


def _compared(old: Database, new: Database) -> Moved:
    migrate.require_head(new)
    head, tables = table_digests(old)
    new_head, new_tables = table_digests(new)
    differ = [a.name for a, b in zip(tables, new_tables, strict=True) if a != b]
    if head != new_head:
        differ.append("ledger_head")
    if differ:
        names = ", ".join(dict.fromkeys(differ))
        raise DomainError(_DIFFERS.format(n=len(set(differ)), t=names))
    return Moved(new_head, new_tables)
