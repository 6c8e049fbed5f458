"""Reading what people upload as tables: XLSX and CSV, bounded and suspicious.

Digits and letters typed in full width become plain ones; Chinese text stays as it is. Every
refusal is one clear sentence, and nothing is read beyond the limits.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from app.domain.types import DomainError, Text
from app.files.store import check_zip

MAX_BYTES = 20 * 1024 * 1024
MAX_CELLS = 2_000_000
_NOTHING = Text("没有导入任何内容。", "Nothing was imported.")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number in the file (the head is 1) and its cells by head."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Heads in order and the rows that are not empty."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]


def _no(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh + _NOTHING.zh, f"{en} {_NOTHING.en}"), field="file")


def read_table(
    data: bytes,
    filename: str,
    *,
    max_rows: int = 50_000,
    max_bytes: int = MAX_BYTES,
    sheet: str | None = None,
) -> Table:
    """The first sheet (or the one named) of an XLSX, or a CSV in UTF-8 or GB 18030.

    Raises DomainError for an empty, oversized, encrypted, damaged or macro-carrying file, for
    repeated heads, and for a file that is neither.
    """
    if not data.strip():
        raise _no("文件是空的。", "The file is empty.")
    if len(data) > max_bytes:
        raise _no(f"文件超过 {max_bytes >> 20} MB。", f"The file is over {max_bytes >> 20} MB.")
    if data.startswith(b"PK\x03\x04"):
        lines = _xlsx(data, max_rows, sheet)
    elif data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _no(
            "这是旧版 .xls 或加密的工作簿。请另存为未加密的 .xlsx。",
            "This is an old .xls or an encrypted workbook. Save it as plain .xlsx.",
        )
    else:
        lines = _csv(data, max_rows)
    return _table(lines)


def _xlsx(data: bytes, max_rows: int, sheet: str | None) -> list[list[str]]:
    members = {info.filename for info in check_zip(data)}
    if "xl/workbook.xml" not in members:
        raise _no("不是 Excel 工作簿（.xlsx）。", "This is not an Excel workbook (.xlsx).")
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        page = book[sheet] if sheet else book.worksheets[0]
        lines: list[list[str]] = []
        cells = 0
        for row in page.iter_rows(values_only=True, max_row=max_rows + 2, max_col=500):
            cells += len(row)
            if cells > MAX_CELLS:
                raise _too_long(max_rows)
            lines.append([_cell(value) for value in row])
        book.close()
    except DomainError:
        raise
    except Exception as error:  # whatever a hostile workbook makes the parser raise
        raise _no(
            "工作簿已损坏，无法读取。", "The workbook is damaged and cannot be read."
        ) from error
    if len(lines) > max_rows + 1:
        raise _too_long(max_rows)
    return lines


def _too_long(max_rows: int) -> DomainError:
    return _no(f"超过 {max_rows} 行。请拆分后分批导入。", f"More than {max_rows} rows. Split it.")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case _:
            return normal(str(value))


def _csv(data: bytes, max_rows: int) -> list[list[str]]:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _no("不是表格文件（XLSX 或 CSV）。", "This is not a table (XLSX or CSV).")
    text = _decode(data)
    first = text.partition("\n")[0]
    delimiter = max(",;\t，", key=first.count)
    if delimiter == "，":
        raise _no(
            "列之间用了全角逗号。请改用半角逗号或另存为 Excel。",
            "Columns are parted by full-width commas. Use plain commas or save it as Excel.",
        )
    csv.field_size_limit(100_000)
    lines: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            lines.append([normal(cell) for cell in row])
            if len(lines) > max_rows + 1:
                raise _too_long(max_rows)
    except csv.Error as error:
        raise _no(
            f"第 {len(lines) + 1} 行附近的引号或格式有误。",
            f"Quotes or format are wrong near line {len(lines) + 1}.",
        ) from error
    return lines


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _no(
        "文字编码无法识别。请另存为 UTF-8 或 GBK 的 CSV，或 Excel。",
        "The text encoding is unknown. Save it as CSV in UTF-8 or GBK, or as Excel.",
    )


def normal(value: str) -> str:
    """Strip, drop control and direction characters, bring full-width ASCII to plain ASCII."""
    value = "".join(
        chr(ord(c) - 0xFEE0)
        if "０" <= c <= "９" or "Ａ" <= c <= "Ｚ" or "ａ" <= c <= "ｚ" or c in "．－＠＋／"
        else " "
        if c in "\u3000\u00a0"
        else c
        for c in unicodedata.normalize("NFC", value)
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs")
    )
    return value.strip()


def _table(lines: list[list[str]]) -> Table:
    if not lines or not any(lines[0]):
        raise _no("第一行应为表头。", "The first row must hold the column heads.")
    headers = lines[0]
    while headers and not headers[-1]:
        headers = headers[:-1]
    repeated = {h for h in headers if h and headers.count(h) > 1}
    if repeated:
        names = "、".join(sorted(repeated))
        raise _no(f"表头重复：{names}。", f"Repeated column heads: {names}.")
    rows = tuple(
        Row(number, {h: (line[i] if i < len(line) else "") for i, h in enumerate(headers) if h})
        for number, line in enumerate(lines[1:], 2)
        if any(line)
    )
    return Table(tuple(h for h in headers if h), rows)


_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})?\s*日?)?(?:\s+00:00:00)?"
)


def parse_date(value: str) -> date | None:
    """2012-09-24, 2012/9/24, 2012.9.24, 2012年9月24日, 2012年9月 (the first), 20120924; None when
    it is no date."""
    value = normal(value)
    if re.fullmatch(r"\d{8}", value):
        value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
    match = _DATE.fullmatch(value)
    if not match:
        return None
    year, month, day = match.group(1), match.group(2), match.group(3) or "1"
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
