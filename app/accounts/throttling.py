"""Failed attempts, counted in the database so that every worker counts together."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Throttle

MAX_FAILURES = 5
LOCK = timedelta(minutes=15)


def locked(session: Session, *keys: str) -> bool:
    """Is the account or the address locked out now?"""
    now = clock.now()
    rows = session.scalars(select(Throttle).where(Throttle.key.in_(keys)))
    return any(row.locked_until is not None and row.locked_until > now for row in rows)


def count_failure(session: Session, key: str, limit: int = MAX_FAILURES) -> None:
    """One more failure; at `limit` within the window, locked for fifteen minutes."""
    now = clock.now()
    row = session.get(Throttle, key)
    if row is None:
        row = Throttle(key=key, failures=0, since=now)
        session.add(row)
    if now - row.since > LOCK:
        row.failures, row.since, row.locked_until = 0, now, None
    row.failures += 1
    if row.failures >= limit:
        row.locked_until = now + LOCK


def clear_failures(session: Session, key: str) -> None:
    """Success, or a reset: the count starts afresh."""
    row = session.get(Throttle, key)
    if row:
        session.delete(row)
