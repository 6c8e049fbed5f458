"""Marks from a long CSV: `subject,expert,item,mark`, one mark a line.

`item` may be missing: one item. An empty mark is absent; a missing row too, so every sheet is
filled up with the items of the whole file. N/A (or 不适用) is an item that does not apply: neither a
mark nor a gap. Any other text or a second mark for the same subject,
expert and item stops with its line: guessing would change a score.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State
from app.domain.statistics.rule import ScoreRule
from app.domain.types import DomainError, Text

if TYPE_CHECKING:
    import _csv

# The one stage and, without an item column, the one item of a file.
STAGE: Final = "panel"
ITEM: Final = "mark"

# How a mark is said not to apply, in capitals.
NOT_APPLICABLE: Final = ("N/A", "NA", "不适用")

_MARK = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One line of the file; `mark` None is an absent mark, or with `applies` False none at all."""

    line: int
    subject: str
    expert: str
    item: str
    mark: Decimal | None
    applies: bool = True


def _at(line: int, zh: str, en: str) -> DomainError:
    return DomainError(Text(f"第 {line} 行:{zh}", f"line {line}: {en}"), field=f"line {line}")


def decode_marks(data: bytes) -> str:
    """Text of a file in UTF-8 or GB 18030 (what a Chinese Excel writes)."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DomainError(
        Text(
            "文件不是 UTF-8 或 GB 18030 编码的文本,请另存为 CSV UTF-8。",
            "The file is no UTF-8 or GB 18030 text; save it as CSV UTF-8.",
        )
    )


def parse_marks(text: str) -> list[MarkRow]:
    """Rows of the file; full-width digits are read as digits. Raises DomainError with the line."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        return _rows(reader)
    except csv.Error as error:
        raise _at(reader.line_num, f"CSV 格式错误({error})", f"broken CSV ({error})") from error


def _rows(reader: _csv.Reader) -> list[MarkRow]:
    header = [unicodedata.normalize("NFKC", name).strip().lower() for name in next(reader, [])]
    known = ("subject", "expert", "item", "mark")
    for name in header:
        if name not in known:
            raise _at(
                1, f"未知的列 {name!r}", f"unknown column {name!r}; allowed: {', '.join(known)}"
            )
    for name in ("subject", "expert", "mark"):
        if header.count(name) != 1 or header.count("item") > 1:
            raise _at(
                1,
                f"须有且仅有一列 {name}(表头 subject,expert,item,mark)",
                f"needs exactly one column {name} (header subject,expert,item,mark)",
            )
    rows: list[MarkRow] = []
    first: dict[tuple[str, str, str], int] = {}
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise _at(
                line,
                f"有 {len(cells)} 格,应为 {len(header)} 格",
                f"has {len(cells)} cells, not {len(header)}",
            )
        row = _row(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        key = (row.subject, row.expert, row.item)
        if key in first:
            raise _at(
                line,
                f"{row.subject}、{row.expert}、{row.item} 与第 {first[key]} 行重复",
                f"{row.subject}, {row.expert}, {row.item} repeats line {first[key]}",
            )
        first[key] = line
        rows.append(row)
    if not rows:
        raise _at(reader.line_num or 1, "文件中没有评分", "the file holds no marks")
    return rows


def _row(line: int, cells: dict[str, str]) -> MarkRow:
    for name in ("subject", "expert", "item"):
        if name in cells and not cells[name]:
            raise _at(line, f"{name} 为空", f"{name} is empty")
    text = unicodedata.normalize("NFKC", cells["mark"]).strip().replace("−", "-")
    item = cells.get("item", ITEM)
    if text.upper() in NOT_APPLICABLE:
        return MarkRow(line, cells["subject"], cells["expert"], item, None, False)
    if text and not _MARK.fullmatch(text):
        raise _at(
            line,
            f"分数 {cells['mark']!r} 不是十进制数;缺评请留空,不适用写 N/A",
            f"mark {cells['mark']!r} is not a decimal number; leave it empty when absent, write N/A "
            "where it does not apply",
        )
    mark = Decimal(text) if text else None
    return MarkRow(line, cells["subject"], cells["expert"], item, mark)


def subjects_of(rows: Sequence[MarkRow], rule: ScoreRule) -> list[SubjectMarks]:
    """Rows as subjects with one panel stage, in order of first appearance.

    Every sheet names every item of the file and of the rule, so that a missing row is a gap and not
    a shorter form. An expert with no mark at all for a subject is absent there.
    """
    if rule.modules:
        raise DomainError(
            Text(
                "分数文件只有一个阶段,规则不能含 modules。",
                "A marks file has one stage; the rule cannot have modules.",
            ),
            field="modules",
        )
    items = sorted({row.item for row in rows} | set(rule.items))
    table: dict[str, dict[str, dict[str, Decimal | None]]] = {}
    waived: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        sheet = table.setdefault(row.subject, {}).setdefault(row.expert, dict.fromkeys(items))
        sheet[row.item] = row.mark
        if not row.applies:
            waived.setdefault((row.subject, row.expert), set()).add(row.item)
    return [
        SubjectMarks(
            subject,
            {
                STAGE: StageMarks(
                    sheets={
                        expert: Sheet(
                            state=_state(marks),
                            items=marks,
                            not_applicable=frozenset(waived.get((subject, expert), ())),
                        )
                        for expert, marks in sheets.items()
                    }
                )
            },
        )
        for subject, sheets in table.items()
    ]


def _state(marks: dict[str, Decimal | None]) -> State:
    given = any(mark is not None for mark in marks.values())
    return State.SUBMITTED if given else State.ABSENT
