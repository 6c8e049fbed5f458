"""ROSTER.csv of the headless commands, checked cell by cell, and the codes of its words.

The caller reads the file; this module takes its contents and names file, row and column of the first
thing that is wrong (docs/draw-protocol.md section 12). Words that are no identifiers (Chinese values)
get the code "u" + the first 12 hex digits of their SHA-256.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.types import DomainError

from .objects import IDENTIFIER, Candidate, refuse


@dataclass
class Codebook:
    """Words to codes; the code of a word depends on the word alone."""

    labels: dict[str, str] = field(default_factory=dict)

    def code(self, words: str) -> str:
        """The words themselves if they are an identifier, else their code."""
        if IDENTIFIER.fullmatch(words) and not re.fullmatch(r"u[0-9a-f]{12}", words):
            return words
        made = "u" + hashlib.sha256(words.encode("utf-8")).hexdigest()[:12]
        self.labels[made] = words
        return made

    def words(self, code: str) -> str:
        return self.labels.get(code, code)


@dataclass(frozen=True)
class RosterTable:
    """Rows of ROSTER.csv: id -> {attribute code: value code}; `rows[id]` is the line in the file."""

    name: str
    people: dict[str, dict[str, str]]
    rows: dict[str, int]
    columns: tuple[str, ...]

    def candidates(self, salts: Mapping[str, bytes]) -> list[Candidate]:
        """The roster with fresh salts: 16 random bytes for each id, given by the caller."""
        return [Candidate(i, facts, salts[i]) for i, facts in self.people.items()]


MOST_COLUMNS = 500


def parse_roster(text: str, name: str, codes: Codebook) -> RosterTable:
    """ROSTER.csv: first column `id`, the rest attributes, no empty cell, no id twice."""

    def bad(row: int, column: str, zh: str, en: str, **values: Any) -> DomainError:
        return refuse(
            "{f} 第 {r} 行“{c}”列：" + zh,
            "{f}, row {r}, column '{c}': " + en,
            f=name,
            r=row,
            c=column,
            **values,
        )

    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for line in reader:
            if any(cells := [cell.strip() for cell in line]):
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        raise bad(
            reader.line_num, "-", "无法读取（{e}）", "cannot be read ({e})", e=error
        ) from error
    if not lines:
        raise bad(1, "id", "文件为空", "the file is empty")
    header = lines[0][1]
    if header[0] != "id":
        raise bad(1, header[0], "第一列须为 id", "the first column must be id")
    if len(header) > MOST_COLUMNS:
        raise bad(
            1, "-", "超过 {n} 列", "more than {n} columns", n=MOST_COLUMNS
        )  # fmt: skip
    for column in header:
        if not column or header.count(column) > 1:
            raise bad(1, column, "列名为空或重复", "the column name is empty or occurs twice")
    people: dict[str, dict[str, str]] = {}
    rows: dict[str, int] = {}
    for row, cells in lines[1:]:
        if len(cells) > len(header):
            raise bad(row, "-", "多出 {n} 格", "{n} cells too many", n=len(cells) - len(header))
        cells += [""] * (len(header) - len(cells))
        for column, cell in zip(header, cells, strict=True):
            if not cell:
                raise bad(row, column, "缺少值", "the value is missing")
        if not IDENTIFIER.fullmatch(cells[0]):
            raise bad(
                row, "id",
                "“{v}”只能由字母、数字、点、下划线、连字符组成，长度 1 至 64",
                "'{v}' must be 1 to 64 letters, digits, dots, underscores or hyphens",
                v=cells[0],
            )  # fmt: skip
        if cells[0] in people:
            raise bad(
                row, "id", "编号“{v}”与第 {o} 行重复", "id '{v}' repeats row {o}",
                v=cells[0], o=rows[cells[0]],
            )  # fmt: skip
        rows[cells[0]] = row
        people[cells[0]] = {
            codes.code(c): codes.code(v) for c, v in zip(header[1:], cells[1:], strict=True)
        }
    if not people:
        raise bad(2, "id", "没有专家", "there are no people")
    return RosterTable(name, people, rows, tuple(codes.code(c) for c in header[1:]))
