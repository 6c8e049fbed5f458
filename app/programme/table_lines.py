"""What every import of a round's table shares: columns by their heads, lines with a county, one refusal.

A table is XLSX, CSV or pasted cells; its heads are Chinese, English or the column's key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.documents.tables import read_table
from app.domain.types import DomainError, Text
from app.programme.models import Round, Subject
from app.registry.mapping import ColumnsUnknown, Heads, choose

Line = tuple[int, dict[str, str]]
NO_COUNTY = Text("没有参评区县“{name}”", "there is no county “{name}” in this round")
TWICE = Text("与第 {row} 行重复", "repeats row {row}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong cell: `row` as the spreadsheet counts, `column` a key of the import's columns."""

    row: int
    column: str
    text: Text


def table_heads(
    kind: str, columns: Mapping[str, Text], needed: Sequence[str], no_column: Text
) -> Heads:
    """What the columns of one kind of table are: by their words in both languages, or their keys.
    `no_column` says what is missing, its {columns} filled in."""
    known = {_head(word): key for key, t in columns.items() for word in (key, t.zh, t.en)}

    def require_all(found: Iterable[str], headers: Iterable[str]) -> None:
        held = set(found)
        missing = [columns[key] for key in needed if key not in held]
        if missing:
            listed = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
            raise ColumnsUnknown(no_column.format(columns=listed), headers)

    def find(headers: Iterable[str]) -> dict[str, str]:
        every = list(headers)
        found: dict[str, str] = {}
        for head in every:
            key = known.get(_head(head))
            if key is not None:
                found.setdefault(key, head)
        require_all(found, every)
        return found

    def like(head: str, taken: Iterable[str]) -> str | None:
        gone, plain = set(taken), _head(head)
        names = sorted(known.items(), key=lambda pair: -len(pair[0]))
        return next((key for name, key in names if name in plain and key not in gone), None)

    return Heads(
        kind, tuple(columns), tuple(needed), columns, ("office",), find, require_all,
        lambda head: known.get(_head(head)), like,
    )  # fmt: skip


def read_lines(
    session: Session, data: bytes, filename: str, heads: Heads, *, max_rows: int, empty: Text
) -> list[Line]:
    """(row as the spreadsheet counts, cells by column key) of every line that is not blank.

    Columns as they are remembered for these headings, else as they are named. DomainError when the
    file is no table or holds no line (`empty`), ColumnsUnknown when it lacks a needed column.
    """
    table = read_table(data, filename, max_rows=max_rows)
    found = choose(session, table.headers, None, heads)
    places = {key: table.headers.index(head) for key, head in found.items()}
    lines = [(r.number, {key: r.cells[i] for key, i in places.items()}) for r in table.rows]
    lines = [(number, line) for number, line in lines if any(line.values())]
    if not lines:
        raise DomainError(empty, field="file")
    return lines


def _head(text: str) -> str:
    return re.sub(r"[\s*:：_]", "", unicodedata.normalize("NFKC", text).lower())


def county_named(round_: Round, typed: str) -> tuple[str, Subject | None]:
    """The name as it is compared, and the county of the round that bears it (or its code)."""
    name = unicodedata.normalize("NFKC", typed)
    found = (s for s in round_.subjects if name in (s.name_zh, s.name_en, s.region_code))
    return name, next(found, None)


def refuse_all(problems: Sequence[Problem], columns: Mapping[str, Text], refused: Text) -> None:
    """DomainError with the first problem in the words of `refused`; nothing when there is none."""
    if problems:
        first = problems[0]
        text = refused.format(
            n=len(problems), row=first.row, column=columns[first.column], text=first.text
        )
        raise DomainError(text, field="file")
