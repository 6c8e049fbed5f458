"""Database: engine, transactions, column types, naming convention.

SQLite runs in WAL with synchronous=FULL (NORMAL loses acknowledged commits at a power cut) and
BEGIN IMMEDIATE for writers, behind a process mutex and a lock file. PostgreSQL writers take one
advisory lock as their first statement in READ COMMITTED (any stricter level takes its snapshot
before it waits, and fails); readers see one snapshot in both.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import JSON, DateTime, MetaData, String, Text, create_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

if os.name == "posix":
    import fcntl

WRITE_LOCK = 0x6D696E67  # "ming": the advisory lock of every PostgreSQL writer
# What every write transaction begins with; the ledger adds to it.
ON_WRITE: list[Callable[[Session], None]] = []


class Moment(TypeDecorator[datetime]):
    """An instant. Naive times are refused; what comes back is aware, in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"an aware datetime is needed, not {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal number kept digit for digit as text, the same on both databases.

    Floats are refused: 0.1 as a float is not 0.1.
    """

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
            raise TypeError(f"a Decimal is needed, not {value!r}")
        number = Decimal(value)
        if not number.is_finite():
            raise TypeError("a finite Decimal is needed")
        return format(number, "f")

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


def new_id() -> str:
    """64 random bits: not enumerable, no sequence to move between databases."""
    return secrets.token_hex(8)


Id = Annotated[str, mapped_column(String(16), primary_key=True, default=new_id)]
Ref = Annotated[str, mapped_column(String(16))]
Code = Annotated[str, mapped_column(String(64))]
Name = Annotated[str, mapped_column(String(200))]
Long = Annotated[str, mapped_column(Text)]
At = Annotated[datetime, mapped_column(Moment)]
Number = Annotated[Decimal, mapped_column(Exact)]


class Base(DeclarativeBase):
    """Root of every mapped class."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, Decimal: Exact, dict[str, Any]: JSON, list[Any]: JSON}


class Database:
    """One engine with its two kinds of transaction."""

    def __init__(self, url: str, **info: Any) -> None:
        """`info` (keys, settings) goes along in every session's `info`."""
        self.url = url
        self.info = info
        self.sqlite = url.startswith("sqlite")
        self._mutex = threading.Lock()
        self._local = threading.local()
        self._lock_path: Path | None = None
        if self.sqlite:
            path = Path(url.removeprefix("sqlite:///"))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_path = path.with_name(path.name + ".lock")
            self.engine = create_engine(
                url,
                connect_args={"isolation_level": None, "timeout": 30, "check_same_thread": False},
                pool_size=16,
                max_overflow=16,
            )
            event.listen(self.engine, "connect", _sqlite_pragmas)
            event.listen(self.engine, "begin", _sqlite_begin)
        else:
            self.engine = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that may write; commits at the end, rolls back on any exception.

        Keep slow work (PDF, password hashing) outside: there is one writer at a time.
        """
        with self._exclusive(), self._connection(write=True) as connection:
            transaction = connection.begin()
            try:
                if not self.sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": WRITE_LOCK})
                with Session(
                    bind=connection, expire_on_commit=False, join_transaction_mode="rollback_only"
                ) as session:
                    session.info.update(self.info, mode="write")
                    for begin in ON_WRITE:
                        begin(session)
                    yield session
                    session.flush()
                    for check in session.info.get("before_commit", ()):
                        check(session)
                transaction.commit()
            except BaseException:
                if transaction.is_active:
                    transaction.rollback()
                raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot; nothing is written."""
        with self._connection(write=False) as connection:
            transaction = connection.begin()
            try:
                with Session(bind=connection, autoflush=False) as session:
                    session.info.update(self.info, mode="read")
                    yield session
            finally:
                transaction.rollback()

    @contextmanager
    def _connection(self, *, write: bool) -> Iterator[Connection]:
        options: dict[str, Any] = {"write": write}
        if not self.sqlite:
            options = (
                {"isolation_level": "READ COMMITTED"}
                if write
                else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """SQLite only: queue writers instead of polling for the database lock."""
        if not self.sqlite:
            yield
            return
        if getattr(self._local, "writing", False):
            raise RuntimeError("a write transaction is already open here; pass its session on")
        with self._mutex:
            self._local.writing = True
            try:
                if self._lock_path is None or os.name != "posix":
                    yield
                    return
                with open(self._lock_path, "a") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX)
                    yield  # closing the handle gives the lock back
            finally:
                self._local.writing = False

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        connection.execute("PRAGMA " + pragma)


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def engine_of(session: Session) -> Engine:
    """The engine behind a session's connection."""
    return session.connection().engine
