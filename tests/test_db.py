"""Column types, the two kinds of transaction, and the clock."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, StatementError

from app import clock
from app.accounts.models import Throttle
from app.db import Database, Exact, Moment


def test_decimals_refuse_floats_and_keep_every_digit() -> None:
    kind = Exact()
    assert kind.process_bind_param(Decimal("4.50"), None) == "4.50"
    assert kind.process_bind_param(Decimal("1E+2"), None) == "100"
    for bad in (4.5, "4.5", True, Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(TypeError):
            kind.process_bind_param(bad, None)  # type: ignore[arg-type]


def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises((TypeError, StatementError)), database.write() as session:
        session.add(Throttle(key="a", failures=1, since=datetime(2026, 1, 1)))
        session.flush()


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    east = datetime(2026, 1, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as session:
        session.add(Throttle(key="a", failures=1, since=east))
    with database.read() as session:
        back = session.scalars(select(Throttle)).one().since
    assert back == east and back.utcoffset() == timedelta(0)
    assert Moment().process_result_value(back, None) == back


def test_a_deadline_date_ends_at_midnight_local_time() -> None:
    assert clock.deadline(date(2026, 10, 10)) == datetime(2026, 10, 10, 16, 0, tzinfo=UTC)


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(Throttle(key="a", failures=1, since=clock.now()))
        session.flush()
        raise ZeroDivisionError
    with database.read() as session:
        assert session.scalars(select(Throttle)).all() == []


def test_reading_cannot_write(database: Database) -> None:
    if database.sqlite:
        with database.read() as session:
            session.execute(
                text("INSERT INTO throttle (key, failures, since) VALUES ('x', 1, '2026-01-01')")
            )
        with database.read() as session:
            assert session.scalars(select(Throttle)).all() == []
    else:
        with database.read() as session, pytest.raises(DBAPIError):
            session.execute(
                text("INSERT INTO throttle (key, failures, since) VALUES ('x', 1, now())")
            )


def test_forty_concurrent_writers_lose_no_update(database: Database) -> None:
    with database.write() as session:
        session.add(Throttle(key="n", failures=0, since=clock.now()))

    def work() -> None:
        for _ in range(5):
            with database.write() as session:
                row = session.get(Throttle, "n")
                assert row
                row.failures += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get(Throttle, "n").failures == 40  # type: ignore[union-attr]


def test_sqlite_is_durable(database: Database) -> None:
    if not database.sqlite:
        pytest.skip("SQLite's settings")
    with database.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
