"""The only clock. Everything that needs the time asks here, so that tests can set it.

Stored in UTC, shown in the office's zone. A deadline date ends at 24:00 local time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_source: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731


def now() -> datetime:
    """The current instant, UTC, with microseconds."""
    return _source()


def today(zone: str = "Asia/Shanghai") -> date:
    """The calendar date in the office's zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def deadline(day: date, zone: str = "Asia/Shanghai") -> datetime:
    """The instant at which `day` is over: 24:00 local, that is 00:00 of the next day."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: the one form that enters the ledger."""
    if moment.tzinfo is None:
        raise ValueError("a naive time has no place in the ledger")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def fixed(moment: datetime, step: timedelta = timedelta(0)) -> Iterator[None]:
    """Tests and the demonstration: time stands at `moment`, moving on by `step` at each look."""
    global _source
    before, current = _source, [moment]

    def tick() -> datetime:
        value = current[0]
        current[0] = value + step
        return value

    _source = tick
    try:
        yield
    finally:
        _source = before
