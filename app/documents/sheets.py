"""The one writer of XLSX and CSV: no cell that a person filled can ever become a formula.

XLSX: every text is written as a string cell in the Text format with the quote prefix, so it stays
text even when somebody edits it. CSV has no types, so a text that a spreadsheet would run is led by
an apostrophe (OWASP, "CSV injection", plus the full-width signs that Chinese Excel accepts).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from app.documents.characters import clean_text
from app.domain.types import DomainError, Text

Cell = str | int | Decimal | bool | date | datetime | Text | None

_RISKY = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r＝＋－＠]")
_XLSX_TEXT_LIMIT = 32_767
_XLSX_ROW_LIMIT = 1_048_576
_EXACT_DIGITS = 15  # what a spreadsheet keeps of a number (IEEE 754 double)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet: `headers`, then `rows` of the same width. `widths` in characters, optional."""

    name: str
    headers: Sequence[str | Text]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = ()


def _text(value: Cell, language: str) -> str:
    if isinstance(value, Text):
        return clean_text(value.get(language))
    if isinstance(value, (date, datetime)):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return clean_text(str(value))


def _number(value: Cell) -> int | Decimal | None:
    """`value` if a spreadsheet can hold it as a number without losing a digit."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    number = Decimal(value)
    digits = len(number.as_tuple().digits)
    return value if digits <= _EXACT_DIGITS and abs(number.adjusted()) < _EXACT_DIGITS else None


def _sheet_name(name: str, taken: set[str]) -> str:
    """A legal, unused worksheet name: 31 characters, none of []:*?/\\, no quote at the ends."""
    base = re.sub(r"[\[\]:*?/\\]", " ", clean_text(name)).replace("\n", " ").replace("\t", " ")
    base = base.strip(" '")[:31] or "Sheet"
    if base.lower() == "history":
        base += "_"
    found, n = base, 2
    while found.lower() in taken:
        found = f"{base[: 31 - len(str(n)) - 1]}_{n}"
        n += 1
    taken.add(found.lower())
    return found


def write_xlsx(
    target: str | Path | BinaryIO,
    sheets: Sequence[Sheet],
    *,
    language: str = "zh",
    created: datetime = datetime(2000, 1, 1, tzinfo=UTC),
) -> None:
    """Write `sheets` to a path or an open binary buffer.

    int and Decimal become number cells (a Decimal keeps its printed places; more than 15 digits
    stay text), everything else text. The same input gives the same bytes (`created` is the only
    time in the file). Raises DomainError for a text over 32,767 characters or too many rows,
    TypeError for a float, ValueError for a row of the wrong width.
    """
    import xlsxwriter  # here, because starting up has no table to write

    book = xlsxwriter.Workbook(
        str(target) if isinstance(target, Path) else target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
    plain = book.add_format({"num_format": "@", "quote_prefix": True, "valign": "top"})
    heading = book.add_format(
        {"num_format": "@", "quote_prefix": True, "bold": True, "bottom": 1, "bg_color": "#EFEFEF"}
    )
    numeric: dict[int, Any] = {}
    taken: set[str] = set()
    for sheet in sheets:
        page = book.add_worksheet(_sheet_name(sheet.name, taken))
        for x, header in enumerate(sheet.headers):
            page.write_string(0, x, _limited(_text(header, language), 0, x), heading)
            page.set_column(x, x, sheet.widths[x] if x < len(sheet.widths) else 16)
        y = 0
        for y, row in enumerate(sheet.rows, 1):
            if y >= _XLSX_ROW_LIMIT:
                raise DomainError(
                    Text(
                        "行数超过表格上限，未生成文件。请缩小范围后重新导出。",
                        "Too many rows for one worksheet; no file was made. Narrow the list and try again.",
                    )
                )
            if len(row) != len(sheet.headers):
                raise ValueError(f"row {y} has {len(row)} cells for {len(sheet.headers)} headers")
            for x, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, float):
                    raise TypeError("a float has no exact printed form: pass Decimal")
                number = _number(value)
                if number is None:
                    page.write_string(y, x, _limited(_text(value, language), y, x), plain)
                    continue
                exponent = Decimal(number).as_tuple().exponent
                places = max(0, -exponent) if isinstance(exponent, int) else 0
                if places not in numeric:
                    shape = "0." + "0" * places if places else "0"
                    numeric[places] = book.add_format({"num_format": shape, "valign": "top"})
                page.write_number(y, x, number, numeric[places])
        page.freeze_panes(1, 0)
        if sheet.headers and y:
            page.autofilter(0, 0, y, len(sheet.headers) - 1)
    book.close()


def _limited(text: str, row: int, column: int) -> str:
    if len(text) > _XLSX_TEXT_LIMIT:
        raise DomainError(
            Text(
                f"第 {row + 1} 行第 {column + 1} 列的文字超过 {_XLSX_TEXT_LIMIT} 字，未生成文件。请改用 CSV 导出。",
                f"The text in row {row + 1}, column {column + 1} is longer than {_XLSX_TEXT_LIMIT} "
                "characters; no file was made. Export as CSV instead.",
            )
        )
    return text


def safe_csv_text(text: str) -> str:
    """`text`, led by an apostrophe if a spreadsheet might run it, blanks in front or not."""
    return "'" + text if _RISKY.match(text) else text


def write_csv(
    target: str | Path | BinaryIO,
    headers: Sequence[str | Text],
    rows: Iterable[Sequence[Cell]],
    *,
    language: str = "zh",
) -> None:
    """Write UTF-8 with a byte order mark (Excel needs it), CRLF, RFC 4180 quotes.

    int and Decimal are written as they are, "-3" included: only text can carry a formula.
    """

    def shown(value: Cell) -> str:
        if value is None:
            return ""
        if isinstance(value, float):
            raise TypeError("a float has no exact printed form: pass Decimal")
        if isinstance(value, Decimal) and value.is_finite():
            return format(value, "f")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        # The check comes first: cleaning turns a leading CR into LF and would hide it.
        raw = value.get(language) if isinstance(value, Text) else str(value)
        text = _text(value, language)
        return "'" + text if _RISKY.match(raw) or _RISKY.match(text) else text

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([shown(h) for h in headers])
    for number, row in enumerate(rows, 1):
        if len(row) != len(headers):
            raise ValueError(f"row {number} has {len(row)} cells for {len(headers)} headers")
        writer.writerow([shown(value) for value in row])
    data = buffer.getvalue().encode("utf-8-sig")
    if isinstance(target, (str, Path)):
        Path(target).write_bytes(data)
    else:
        target.write(data)
