"""Papers that take long to make: made beside a page that shows how far they are, then handed over.

What was made lies in a directory of the file store, under a name that holds the report, the edition, the
account and 128 random bits, so that nobody but the one who asked can fetch it; after an hour it goes with
the next one that is made or fetched. It is no record: the signed paper alone is kept for good.
"""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.files.store import Store
from app.report.models import Report

# From so many counties on a paper takes longer than somebody waits for a link without a word.
MANY = 20
KEPT_SECONDS = 3600
PRINTED = Text("已排版 {n} / {t} 部分", "{n} of {t} parts laid out")
_TOKEN = re.compile(r"[0-9a-f]{32}")


def slow(report: Report) -> bool:
    """Whether the papers of a report are worth a page that shows how far they are."""
    return len(report.run.inputs["subjects"]) >= MANY


def new_token() -> str:
    """The random part of a name."""
    return secrets.token_hex(16)


def keep(
    store: Store, viewer: Viewer, report: Report, edition: str, token: str, data: bytes
) -> None:
    """Put a paper where `taken` finds it."""
    place = _path(store, viewer, report, edition, token)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(place.parent)
    with store.written(data) as written:
        written.rename(place)


def taken(store: Store, viewer: Viewer, report: Report, edition: str, token: str) -> bytes | None:
    """The paper that was made for this viewer; None when there is none (any more)."""
    if not _TOKEN.fullmatch(token):
        return None
    place = _path(store, viewer, report, edition, token)
    with suppress(FileNotFoundError):
        _sweep(place.parent)
        return place.read_bytes()
    return None


def _sweep(folder: Path) -> None:
    """Take away what is older than an hour."""
    for old in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was quicker
            if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                old.unlink()


def _path(store: Store, viewer: Viewer, report: Report, edition: str, token: str) -> Path:
    return store.root / "made" / f"{report.id}-{edition}-{viewer.id}-{token}"
