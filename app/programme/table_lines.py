"""What every import of a round's table shares: columns by their heads, lines with a county, one refusal.

A table is XLSX, CSV or pasted cells; its heads are Chinese, English or the column's key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.documents.tables import read_table
from app.domain.types import DomainError, Text
from app.programme.models import Round, Subject

Line = tuple[int, dict[str, str]]
NO_COUNTY = Text("没有参评区县“{name}”", "there is no county “{name}” in this round")
TWICE = Text("与第 {row} 行重复", "repeats row {row}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong cell: `row` as the spreadsheet counts, `column` a key of the import's columns."""

    row: int
    column: str
    text: Text


def read_lines(
    data: bytes,
    filename: str,
    columns: Mapping[str, Text],
    needed: Sequence[str],
    *,
    max_rows: int,
    no_column: Text,
    empty: Text,
) -> list[Line]:
    """(row as the spreadsheet counts, cells by column key) of every line that is not blank.

    DomainError when the file is no table, lacks a `needed` column (`no_column`, its {columns}
    filled in) or holds no line (`empty`).
    """
    table = read_table(data, filename, max_rows=max_rows)
    known = {_head(word): key for key, t in columns.items() for word in (key, t.zh, t.en)}
    places: dict[str, int] = {}
    for index, head in enumerate(table.headers):
        key = known.get(_head(head))
        if key is not None:
            places.setdefault(key, index)
    missing = [columns[key] for key in needed if key not in places]
    if missing:
        listed = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
        raise DomainError(no_column.format(columns=listed), field="file")
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
