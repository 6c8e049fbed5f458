"""What is kept of the last backup and the last restore drill: one small file each in the installation.

Outside database and backups, like the last verification: a restored copy has no backup of its own until
somebody makes one there. The ledger has the same facts; a page may read these in no time.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app import clock
from app.domain.types import Text

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """The last backup: when, the file's name, what head it holds, its size and SHA-256."""

    at: datetime
    file: str
    head: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Drill:
    """The last restore drill: of which file, whether all was well, and what was found or why not."""

    at: datetime
    file: str
    made_at: str  # when the backup was made, "" where it could not be read
    head: str
    ok: bool
    seconds: int
    said: Text


def keep_saved(home: Path, made: Saved) -> None:
    """Put `made` in the place of the last one. OSError where it cannot be written."""
    _put(
        home / "backup.json",
        {"file": made.file, "head": made.head, "size": made.size, "sha256": made.sha256},
        made.at,
    )


def last_saved(home: Path) -> Saved | None:
    """The last backup; None where there is none, or none that can be read."""
    try:
        at, kept = _get(home / "backup.json")
        return Saved(at, str(kept["file"]), str(kept["head"]), int(kept["size"]), kept["sha256"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def keep_drill(home: Path, made: Drill) -> None:
    """Put `made` in the place of the last one. OSError where it cannot be written."""
    _put(
        home / "drill.json",
        {
            "file": made.file,
            "made_at": made.made_at,
            "head": made.head,
            "ok": made.ok,
            "seconds": made.seconds,
            "said": [made.said.zh, made.said.en],
        },
        made.at,
    )


def last_drill(home: Path) -> Drill | None:
    """The last drill; None where there is none, or none that can be read."""
    try:
        at, kept = _get(home / "drill.json")
        zh, en = kept["said"]
        return Drill(
            at, str(kept["file"]), str(kept["made_at"]), str(kept["head"]),
            kept["ok"] is True, int(kept["seconds"]), Text(str(zh), str(en)),
        )  # fmt: skip
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _get(path: Path) -> tuple[datetime, dict[str, Any]]:
    kept = json.loads(path.read_bytes())
    at = datetime.fromisoformat(kept["at"])
    if kept["format"] != FORMAT or at.tzinfo is None:
        raise ValueError(path.name)
    return at, kept


def _put(path: Path, document: dict[str, Any], at: datetime) -> None:
    """Whole or not at all."""
    text = json.dumps({"format": FORMAT, "at": clock.stamp(at), **document}, ensure_ascii=False)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem + "-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8", "backslashreplace"))
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
