"""A restore goes on record: the first transaction that writes afterwards begins with its entry.

When a restore ends, the head must be the backup's head, on whatever machine; so the entry cannot be
part of the restore. It waits in a file beside the keys' directory until somebody writes. The file needs
no removal: it speaks of one head, and the entry itself takes the ledger beyond that head.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from app import clock, db
from app.ledger.append import append
from app.ledger.prove import TreeHead, head

RESTORED: Final = "installation.restored"


def path(home: Path) -> Path:
    return home / "restored.json"


def note(home: Path, restored: TreeHead, file_sha256: str, made_at: str) -> None:
    """Leave word that the backup with this head and SHA-256, made at `made_at`, was restored now."""
    said = {
        "head": str(restored),
        "file_sha256": file_sha256,
        "made_at": made_at,
        "restored_at": clock.stamp(clock.now()),
    }
    path(home).write_text(json.dumps(said), "utf-8")


def forget(home: Path) -> None:
    """Take the word back: something else is about to be restored here."""
    path(home).unlink(missing_ok=True)


def record(session: Session) -> None:
    """Append the entry of a restore that is not on record yet; the beginning of a write transaction."""
    settings: Any = session.info.get("settings")
    if settings is None or not path(settings.home).exists():
        return
    said = json.loads(path(settings.home).read_text("utf-8"))
    if said["head"] == str(head(session)):
        append(session, None, RESTORED, **said)


db.ON_WRITE.append(record)
