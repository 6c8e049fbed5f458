"""A restore drill: a backup is restored into a temporary place, checked there, and the place removed.

A backup that nobody has restored is a hope. The drill uses an SQLite database of its own whatever the
server runs on, lies under the installation (the same disk, mode 0700), and touches nothing else.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import backup, clock, installation
from app import keys as key_files
from app.config import Settings
from app.domain.types import DomainError, Text
from app.home.keepsakes import Drill
from app.keys import Keys
from app.supervision import verification

SPARE = 2  # times the unpacked size: the tables' indexes and the write-ahead log
PREFIX = "drill-"
LEFT_OVER = 86400  # seconds; no drill takes a day
RESERVE = 512 * 1024**2  # bytes left to the server while the drill runs


def drill(source: Path, settings: Settings, keys_directory: Path) -> Drill:
    """Restore `source` with the keys in `keys_directory`, and say how it went; nothing raises but a
    disk that is full or cannot be written."""
    began, at = time.monotonic(), clock.now()
    made_at = head = ""
    try:
        content = backup.check(source)
        made_at, head = content.made_at, str(content.head)
        keys = key_files.load(keys_directory)
        if keys.public != content.public:
            raise DomainError(
                Text(
                    "密钥不是此备份的密钥，请找出同一套封存的副本",
                    "the keys are not those of this backup; find the sealed copies that belong to it",
                )
            )
        _room(source, settings.home)
        with _place(settings, keys) as parts:
            said = _restored(parts, source)
        ok = True
    except DomainError as error:
        ok, said = False, error.text
    return Drill(at, source.name, made_at, head, ok, round(time.monotonic() - began), said)


def _restored(parts: installation.Installation, source: Path) -> Text:
    """Restore and check; what is in order, or DomainError with what is not. One of the invariants opens
    everything that is encrypted, so a wrong field key is found too."""
    head = backup.restore(parts, source)
    with parts.database.read() as session:
        made = verification.everything(session, parts.keys, parts.store)
    broken = [check.name for check in made.checks if check.count]
    if broken or made.head != head:
        names = ", ".join(broken) or "head"
        raise DomainError(
            Text(
                f"恢复后的检查不成立（{names}）", f"the checks of the restored copy fail ({names})"
            )
        )
    return Text(
        f"账本头相同，{made.rows} 行、{len(made.checks)} 项检查成立",
        f"same head; {made.rows} rows and {len(made.checks)} checks hold",
    )


def _room(source: Path, home: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    need = unpacked * SPARE + RESERVE
    free = shutil.disk_usage(home).free
    if free < need:
        mib, left = need // 1024**2, free // 1024**2
        raise DomainError(
            Text(
                f"磁盘空间不够演练：需要 {mib} MB，只剩 {left} MB",
                f"too little disk space for a drill: {mib} MB are needed and {left} MB are free",
            )
        )


def _sweep(home: Path) -> None:
    """What a drill left that was cut off, by a power cut say: it holds a copy of everything."""
    for old in home.glob(PREFIX + "*"):
        if old.is_dir() and time.time() - old.stat().st_mtime > LEFT_OVER:
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _place(settings: Settings, keys: Keys) -> Iterator[installation.Installation]:
    """An empty installation with these keys; gone afterwards, whatever happened."""
    _sweep(settings.home)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=settings.home))
    try:
        own = Settings(
            home=root, database_url=f"sqlite:///{root / 'mingjian.db'}", timezone=settings.timezone
        )
        key_files.write(own.keys, keys)
        parts = installation.at(own, keys)
        try:
            yield parts
        finally:
            parts.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)
