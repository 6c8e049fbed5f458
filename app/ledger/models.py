"""Tables of the ledger, and the base class of every row whose content it guards."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import DDL, CheckConstraint, ForeignKey, LargeBinary, event
from sqlalchemy import inspect as inspect_mapped
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import stamp
from app.db import At, Base, Code, Id, Long
from app.domain.ledger.canonical import digest


class Event(Base):
    """One leaf. `payload` is canonical JSON; the leaf hash is over exactly these bytes."""

    __tablename__ = "ledger_event"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payload: Mapped[Long]
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))


class Secret(Base):
    """The opening of a sealed leaf: what happened, with 16 random bytes of salt.

    Kept apart so that erasing a person's data leaves the tree valid.
    """

    __tablename__ = "ledger_secret"
    seq: Mapped[int] = mapped_column(ForeignKey("ledger_event.seq"), primary_key=True)
    body: Mapped[Long]


class Head(Base):
    """The tree's right edge: a cache of one row that `doctor` derives again."""

    __tablename__ = "ledger_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    size: Mapped[int]
    edge: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[At]


class SignedHead(Base):
    """A checkpoint that was signed: the note as it was printed or sent."""

    __tablename__ = "ledger_checkpoint"
    id: Mapped[Id]
    size: Mapped[int] = mapped_column(index=True)
    note: Mapped[Long]
    made_at: Mapped[At]
    reason: Mapped[Code]


class Record(Base):
    """A business row: its salted digest stands in the ledger whenever it changes.

    The salt makes the digest say nothing about a name or a mark to somebody who guesses.
    """

    __abstract__ = True
    # Columns that are a cache or a counter, named here with the reason beside them.
    ledger_skip: ClassVar[frozenset[str]] = frozenset()
    # Nullable columns that a later version added: left out of the view while they are NULL, so
    # that rows recorded before the column existed keep their digest.
    ledger_later: ClassVar[frozenset[str]] = frozenset()

    id: Mapped[Id]
    salt: Mapped[str] = mapped_column(default=lambda: secrets.token_hex(16))

    def ledger_view(self) -> dict[str, Any]:
        """The row as canonical JSON values: every column but those in `ledger_skip`,
        and those in `ledger_later` only when they hold something."""
        mapper = inspect_mapped(type(self))
        return {
            key: _plain(value)
            for key in (attribute.key for attribute in mapper.column_attrs)
            if key not in self.ledger_skip
            and ((value := getattr(self, key)) is not None or key not in self.ledger_later)
        }

    def ledger_digest(self) -> str:
        """SHA-256 over the canonical view, salt included, hex."""
        return digest(self.ledger_view())


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str() | int() | dict() | list():  # the canonical form checks inside
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            return stamp(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"{type(value).__name__} cannot enter the ledger: {value!r}")


# A speed bump for whoever holds the database: the signed and printed heads are the real control.
_REFUSED = "the ledger is append-only"


def append_only_ddl(table: str, dialect: str) -> list[str]:
    """Statements that make `table` refuse UPDATE and DELETE (TRUNCATE too on PostgreSQL)."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


APPEND_ONLY = ("ledger_event", "ledger_secret", "ledger_checkpoint")


def refuse_changes(tables: Sequence[str]) -> None:
    """Tables made from the models get the statements of `append_only_ddl`; migrations say them."""
    for table in tables:
        for dialect in ("sqlite", "postgresql"):
            for statement in append_only_ddl(table, dialect):
                event.listen(
                    Base.metadata.tables[table],
                    "after_create",
                    DDL(statement.replace("%", "%%")).execute_if(  # type: ignore[no-untyped-call]
                        dialect=dialect
                    ),
                )


refuse_changes(APPEND_ONLY)
