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
_SEVERAL = Text(
    "“{name}”可指 {units}，请写名称；名称也相同的，连同代码写成“{one}”",
    "“{name}” may be {units}: write the name; where names are alike too, name and code as in “{one}”",
)
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


def county_named(round_: Round, typed: str) -> Subject:
    """The unit of the round that bears this name, or this code, or both as `county_label` writes them;
    DomainError when none does, or several.

    A zone stands under its county's code in tables from elsewhere (it has none in GB/T 2260): where
    both take part, that code does not say which of them is meant.
    """
    name = _plain(typed)
    for s in round_.subjects:
        label = county_label(s)
        if name in (_plain(label.zh), _plain(label.en)):
            return s
    named = [s for s in round_.subjects if name in (_plain(s.name_zh), _plain(s.name_en))]
    coded = [s for s in round_.subjects if s.region_code == name]
    zones = [s for s in round_.subjects if coded and s.parent_code == name]
    for found in (named, [*coded, *zones]):
        if len(found) > 1:
            labels = [county_label(s) for s in found]
            listed = Text("、".join(t.zh for t in labels), ", ".join(t.en for t in labels))
            text = _SEVERAL.format(name=typed, units=listed, one=labels[-1])
            raise DomainError(text, field="county")
        if found:
            return found[0]
    raise DomainError(NO_COUNTY.format(name=unicodedata.normalize("NFKC", typed)), field="county")


def county_label(subject: Subject) -> Text:
    """Name and code of a unit, which no other unit of its round shares."""
    return Text("{n}（{c}）", "{n} ({c})").format(n=subject.name, c=subject.region_code)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def refuse_all(problems: Sequence[Problem], columns: Mapping[str, Text], refused: Text) -> None:
    """DomainError with the first problem in the words of `refused`; nothing when there is none."""
    if problems:
        first = problems[0]
        text = refused.format(
            n=len(problems), row=first.row, column=columns[first.column], text=first.text
        )
        raise DomainError(text, field="file")
