"""The one writer of XLSX and CSV. Text stays text: no cell of ours is ever a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_STARTERS = "=+-@\t\r＝＋－＠"


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name (31 characters at most), heads, rows, and column widths."""

    name: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Any]]
    widths: Sequence[int] = field(default=())


def write_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook. int and Decimal become numbers, everything else forced text."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name[:31])
        for column, title in enumerate(sheet.headers):
            page.write_string(0, column, title, head)
        for column, width in enumerate(sheet.widths):
            page.set_column(column, column, width)
        page.freeze_panes(1, 0)
        for number, row in enumerate(sheet.rows, 1):
            for column, value in enumerate(row):
                if value is None or value == "":
                    continue
                if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
                    page.write_number(number, column, value)
                else:
                    page.write_string(number, column, _text(value), text)
    book.close()
    return buffer.getvalue()


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV in UTF-8 with a byte-order mark; whatever a spreadsheet might run gets a quote first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(h) for h in headers])
    for row in rows:
        writer.writerow(
            [str(v) if isinstance(v, (int, Decimal)) else harmless(_text(v)) for v in row]
        )
    return ("\ufeff" + buffer.getvalue()).encode()


def harmless(value: str) -> str:
    """A leading ' for text that a spreadsheet would take for a formula, blanks before it or not."""
    start = value.lstrip(" \u3000\n\u00a0")
    return "'" + value if start and start[0] in _STARTERS or value[:1] in ("\t", "\r") else value


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime() | date():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
