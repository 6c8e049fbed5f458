"""Backups and restore drills go on record: in the ledger, and in a file that the first page reads."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.home.keepsakes import Drill, Saved
from app.ledger.append import append

BACKED_UP: Final = "installation.backed_up"
DRILLED: Final = "installation.drilled"


def record_backup(session: Session, made: Saved) -> None:
    """The entry of a backup: which head, which file by its SHA-256; no name of a place."""
    append(session, None, BACKED_UP, head=made.head, file_sha256=made.sha256, bytes=made.size)


def record_drill(session: Session, made: Drill) -> None:
    """The entry of a restore drill: which head, whether it was well."""
    append(session, None, DRILLED, head=made.head, made_at=made.made_at, ok=made.ok)
