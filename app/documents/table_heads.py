"""Where the heads of a table stand, and what an office's own workbook does to its look.

A workbook made for people has a title above the heads, heads of two rows with merged cells, hidden
rows and columns, cells merged over several people. It is read as its maker meant it, and each such
reading is said aloud in the table's notices; nothing is passed over in silence.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.types import DomainError, Text

Numbered = list[tuple[int, list[str]]]  # (row as the spreadsheet counts, cells from column A)
Score = Callable[[Sequence[str]], int]  # how many heads of a row are known

_LOOK_FOR_HEADS = 10  # rows in which the heads are looked for
_HEAD_ROWS = 3  # heads take no more rows than this
_MERGES = 20_000
_FILLED = 400_000  # cells that merged ranges may fill
_NAMED = 12  # rows or columns that a notice names one by one


@dataclass(frozen=True, slots=True)
class Row:
    """`number` is the row (XLSX) or line (CSV) in the source, counted from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with unique, non-empty headers; every row has exactly as many cells.

    `notices` say what of the sheet's look had to be interpreted (merged, hidden, titles).
    """

    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    sheet: str = ""
    notices: tuple[Text, ...] = ()

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(source row number, {header: text}) for each row."""
        for row in self.rows:
            yield row.number, dict(zip(self.headers, row.cells, strict=True))


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged range, rows and columns counted from 1, both ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    def __str__(self) -> str:
        start = f"{letter(self.first_column)}{self.first_row}"
        return f"{start}:{letter(self.last_column)}{self.last_row}"


@dataclass(frozen=True, slots=True)
class Look:
    """What a worksheet's XML says beside its cells."""

    merged: tuple[Merged, ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    other_sheets: tuple[str, ...] = ()


@dataclass
class _Arranged:
    """Rows from the heads on, and what was noticed on the way."""

    numbered: Numbered
    notices: list[Text] = field(default_factory=list)


def refuse(zh: str, en: str) -> DomainError:
    """The one sentence for a file that is not read."""
    return DomainError(Text(zh, en), field="file")


def letter(column: int) -> str:
    """The name of a spreadsheet's column, counted from 1: A, ..., Z, AA, ..."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _index(name: bytes) -> int:
    number = 0
    for code in name:
        number = number * 26 + code - ord("A") + 1
    return number


def look_of(sheet: bytes, other_sheets: Sequence[str] = ()) -> Look:
    """Merged ranges and hidden rows and columns of a worksheet; its XML is scanned, not parsed."""
    merged = []
    for found in re.finditer(
        rb'<(?:\w+:)?mergeCell\s[^>]{0,200}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"',
        sheet,
    ):
        merged.append(Merged(int(found[2]), _index(found[1]), int(found[4]), _index(found[3])))
        if len(merged) > _MERGES:
            raise refuse(
                f"表中合并的单元格超过 {_MERGES} 处，未读取。请取消合并后重新上传。",
                f"More than {_MERGES} ranges are merged; nothing was read. Unmerge the cells and upload again.",
            )
    rows = {
        int(number[1])
        for tag in re.finditer(rb"<(?:\w+:)?row\s[^>]{0,500}>", sheet)
        if re.search(rb'\shidden="(?:1|true)"', tag[0])
        and (number := re.search(rb'\sr="(\d{1,7})"', tag[0]))
    }
    columns: set[int] = set()
    for tag in re.finditer(rb"<(?:\w+:)?col\s[^>]{0,500}>", sheet):
        first, last = (re.search(rb'\s%s="(\d{1,5})"' % end, tag[0]) for end in (b"min", b"max"))
        if re.search(rb'\shidden="(?:1|true)"', tag[0]) and first and last:
            columns.update(range(int(first[1]), min(int(last[1]), int(first[1]) + 500) + 1))
    return Look(tuple(merged), frozenset(rows), frozenset(columns), tuple(other_sheets))


def arrange(numbered: Numbered, look: Look, score: Score) -> tuple[Numbered, tuple[Text, ...]]:
    """The rows from the heads on, merged ranges filled, with notices of what was interpreted.

    `score` says how many heads of a row are known: the heads are the first row among the first ten
    that has most of them; without any, the first row of at least three different cells.
    """
    if not numbered:
        return numbered, ()
    arranged = _Arranged([(number, list(cells)) for number, cells in numbered])
    filled = _fill(arranged.numbered, look)
    at = _head_row(arranged.numbered, score)
    found = first = last = arranged.numbered[at][0]
    for span in look.merged:  # heads of several rows: 联系方式 over 手机 and 邮箱
        if span.first_row <= found <= span.last_row < span.first_row + _HEAD_ROWS:
            first, last = min(first, span.first_row), max(last, span.last_row)
    block = [row for row in arranged.numbered if first <= row[0] <= last]
    above = [row for row in arranged.numbered if row[0] < first]
    body = [row for row in arranged.numbered if row[0] > last]
    numbers = [number for number, _ in above]
    if numbers:
        arranged.notices.append(
            Text("第 {rows} 行在表头之上，作为标题，不读入。", "Row {rows} above the heads was taken as a title and not read.")
            .format(rows=_named(numbers))
        )  # fmt: skip
    within = [span for span in filled if span.first_row > last]
    if within:
        arranged.notices.append(
            Text(
                "合并的单元格 {cells} 按每行内容相同读入。",
                "Merged cells {cells} were read as the same content in each row.",
            ).format(cells=_named(within))
        )
    _say_hidden(arranged, look, {number for number, _ in body})
    heads = _heads(block, look, first, last)
    arranged.numbered = [(block[-1][0], heads), *body]
    return arranged.numbered, tuple(arranged.notices)


def _head_row(numbered: Numbered, score: Score) -> int:
    tried = [score(cells) for _, cells in numbered[:_LOOK_FOR_HEADS]]
    if max(tried) > 0:
        return tried.index(max(tried))
    wide = (
        i for i, (_, cells) in enumerate(numbered[:_LOOK_FOR_HEADS]) if len({*cells} - {""}) > 2
    )
    return next(wide, 0)


def _fill(numbered: Numbered, look: Look) -> list[Merged]:
    """Write the content of each merged range into all its cells; the ranges that had any."""
    rows = dict(numbered)
    order = sorted(rows)
    done, left = [], _FILLED
    for span in look.merged:
        top = rows.get(span.first_row, [])
        value = top[span.first_column - 1] if span.first_column <= len(top) else ""
        if not value:
            continue
        done.append(span)
        last = min(span.last_column, 500)
        for number in order[
            bisect_left(order, span.first_row) : bisect_right(order, span.last_row)
        ]:
            cells = rows[number]
            left -= last - span.first_column + 1
            if left < 0:
                raise refuse(
                    "表中合并的单元格过多，未读取。请取消合并后重新上传。",
                    "Too many cells are merged; nothing was read. Unmerge the cells and upload again.",
                )
            cells.extend([""] * (last - len(cells)))
            for x in range(span.first_column - 1, last):
                cells[x] = cells[x] or value
    return done


def _heads(block: Numbered, look: Look, first: int, last: int) -> list[str]:
    """One head a column: the lowest of the block. Equal ones take the head above before them; of a
    head merged over several columns the second is called “… (2)”."""
    width = max(len(cells) for _, cells in block)
    rows = [[*cells, *[""] * (width - len(cells))] for _, cells in block]
    heads = [next((row[x] for row in reversed(rows) if row[x]), "") for x in range(width)]
    across = {
        x
        for span in look.merged
        if span.first_row <= last and span.last_row >= first
        for x in range(span.first_column, min(span.last_column, width))
    }
    lowest = list(heads)
    for x, head in enumerate(lowest):
        if head and lowest.count(head) > 1:
            group = next((row[x] for row in rows if row[x] != head and row[x]), "")
            if group:
                heads[x] = f"{group}·{head}"
    seen: dict[str, int] = {}
    for x, head in enumerate(heads):
        seen[head] = seen.get(head, 0) + 1
        if head and x in across and seen[head] > 1:
            heads[x] = f"{head} ({seen[head]})"
    return heads


def _say_hidden(arranged: _Arranged, look: Look, body: set[int]) -> None:
    rows = sorted(look.hidden_rows & body)
    if rows:
        arranged.notices.append(
            Text(
                "第 {rows} 行在表格中是隐藏的，也读入了；不需要的请删去。",
                "Row {rows} is hidden in the sheet and was read too; delete what is not wanted.",
            ).format(rows=_named(rows))
        )
    width = max((len(cells) for _, cells in arranged.numbered), default=0)
    columns = sorted(c for c in look.hidden_columns if c <= width)
    if columns:
        arranged.notices.append(
            Text(
                "第 {columns} 列在表格中是隐藏的，也读入了；不需要的请删去。",
                "Column {columns} is hidden in the sheet and was read too; delete what is not wanted.",
            ).format(columns=_named([letter(c) for c in columns]))
        )
    if look.other_sheets:
        arranged.notices.append(
            Text(
                "只读了第一个工作表；没有读的：{sheets}。",
                "Only the first worksheet was read; not read: {sheets}.",
            ).format(sheets=_named(look.other_sheets))
        )


def _named(items: Sequence[object]) -> Text:
    zh, en = "、".join(map(str, items[:_NAMED])), ", ".join(map(str, items[:_NAMED]))
    if len(items) > _NAMED:
        zh, en = f"{zh} 等 {len(items)} 处", f"{en} and others, {len(items)} in all"
    return Text(zh, en)


def make_table(numbered: Numbered, name: str, shown: str, notices: tuple[Text, ...] = ()) -> Table:
    """The first row holds the heads; DomainError for a doubled head or a value under none."""
    if not numbered:
        raise refuse(
            f"文件 {shown} 中没有数据，请检查后重新上传。",
            f"The file {shown} holds no data. Check it and upload it again.",
        )
    headers = [" ".join(h.split()) for h in numbered[0][1]]
    while headers and not headers[-1]:
        headers.pop()
    twice = sorted({h for h in headers if h and headers.count(h) > 1})
    if twice:
        raise refuse(
            f"文件 {shown} 的表头重复：{'、'.join(twice)}。请改名后重新上传。",
            f"The file {shown} has duplicate headings: {', '.join(twice)}. Rename them and upload it again.",
        )
    kept = [i for i, h in enumerate(headers) if h]
    named = set(kept)
    rows = []
    for number, cells in numbered[1:]:
        for i, cell in enumerate(cells):
            if cell and i not in named:
                column = letter(i + 1)
                raise refuse(
                    f"文件 {shown} 第 {number} 行第 {column} 列有内容但没有表头，未读取。请补上表头或删去该列。",
                    f"The file {shown} has a value in row {number}, column {column}, which has no heading; "
                    "nothing was read. Name the column or remove it.",
                )
        rows.append(Row(number, tuple(cells[i] if i < len(cells) else "" for i in kept)))
    return Table(tuple(headers[i] for i in kept), tuple(rows), name, notices)
