"""Rows in every table, generated from the models: for migrations, backups and tampering.

Every row is plainly meaningless, fits its constraints, and is recorded in the ledger, so that
what is made here verifies.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Date, Integer, LargeBinary, Table
from sqlalchemy.orm import Session

import app.models  # noqa: F401
from app.db import Base, Exact, Moment
from app.keys import Keys
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Record

COUNT = 2
LEDGER = ("ledger_event", "ledger_secret", "ledger_head", "ledger_checkpoint")
MAPPED = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}


def rows_everywhere(session: Session, keys: Keys) -> None:
    """Two rows in every table: open entries, sealed ones, and a signed head."""
    made: dict[str, list[str]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name in LEDGER:
            continue
        cls = MAPPED[table.name]
        for number in range(COUNT):
            row = cls(**{c.key: value_for(table, c, number, made) for c in table.columns})
            session.add(row)
            session.flush()
            made.setdefault(table.name, []).append(getattr(row, "id", ""))
        if issubclass(cls, Record):
            append(session, None, f"test.{table.name}", sealed=len(table.name) % 3 == 1, rows=COUNT)
    prove.sign_head(session, keys, "test")


def value_for(table: Table, column: Column[Any], number: int, made: dict[str, list[str]]) -> Any:
    """A value that the column takes; row 1 is the parent of row 2 wherever a table is a tree."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        if key.column.table is table:
            return made[table.name][0] if number else None
        apart = any(  # another one than the column that it has to differ from
            isinstance(rule, CheckConstraint) and f"{column.key} <> " in str(rule.sqltext)
            for rule in table.constraints
        )
        return made[key.column.table.name][1 - number if apart else number]
    if column.primary_key:  # the parent has the greater id: nothing may lean on their order
        return f"{0xF0 - number:02x}{table.name}"[:16]
    allowed = _allowed(table, column)
    if allowed:
        return allowed[0]
    match column.type:
        case Exact():
            return Decimal("12.50") + number
        case Moment():
            return datetime(2026, 11, 1 + number, 8, 30, 15, 123456, tzinfo=UTC)
        case Boolean():
            return bool(number)
        case Integer():
            return 3 + number
        case Date():
            return date(2026, 1, 1 + number)
        case LargeBinary():
            return bytes(range(32))
        case JSON():
            like_list = "list" in str(MAPPED[table.name].__annotations__.get(column.key, ""))
            return [f"值{number}"] if like_list else {"乙": "2.50", "甲": [number, None, True]}
        case _:
            return f"{column.key[:20]} 测试 {number}"


def _allowed(table: Table, column: Column[Any]) -> list[str]:
    """The words of a check constraint `column IN (...)`."""
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            text = str(constraint.sqltext)
            if text.startswith(f"{column.name} IN "):
                return re.findall(r"'([^']+)'", text)
    return []
