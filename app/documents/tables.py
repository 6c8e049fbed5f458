"""The one safe reader of tables that people bring: XLSX and CSV, bounded before and while reading.

Cells arrive as text, stripped, with full-width digits and letters as ASCII, so that no room has to
guess types. Row numbers are those of the source, so an error can name the row that a person sees.
What would be lost silently is refused instead: a formula without a result, a number of more than
15 digits (an ID number that Excel has already cut), a value under a column without a heading.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from app.documents.characters import normalise
from app.documents.table_heads import (
    Look,
    Row,
    Score,
    Table,
    arrange,
    letter,
    look_of,
    make_table,
    refuse,
)
from app.domain.types import DomainError
from app.files.archive import check_whole, open_archive

if TYPE_CHECKING:
    from openpyxl import Workbook

__all__ = ["Row", "Table", "read_table"]

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 40 * 1024 * 1024
MAX_COLUMNS = 500
_EMPTY_RUN = (
    20_000  # formatted but empty rows cost seconds; passing them over could lose rows below
)


def read_table(
    data: bytes,
    filename: str,
    *,
    sheet: str | None = None,
    max_rows: int = 50_000,
    max_cells: int = 1_000_000,
    max_bytes: int = MAX_BYTES,
    max_unpacked: int = MAX_UNPACKED,
    score: Score | None = None,
) -> Table:
    """The first worksheet (or the one named `sheet`) of an XLSX file, or a CSV file.

    The type follows from the content; `filename` is used in messages only. The first row that is
    not empty holds the headers; empty rows are passed over. With `score` (how many heads of a row are
    known) titles above the heads, heads of two rows and merged cells are understood, and hidden rows
    and columns named in the table's notices. Raises DomainError with one sentence for anything that
    cannot be read whole: nothing is ever half read.
    """
    shown = normalise(filename)[-80:] or "?"
    if not data.strip(b"\x00 \t\r\n"):
        raise refuse(
            f"文件 {shown} 是空的，请检查后重新上传。",
            f"The file {shown} is empty. Check it and upload it again.",
        )
    if len(data) > max_bytes:
        limit = max_bytes // (1024 * 1024)
        raise refuse(
            f"文件 {shown} 超过 {limit} MB，未读取。请拆分后分次上传。",
            f"The file {shown} is larger than {limit} MB and was not read. Split it and upload the parts.",
        )
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise refuse(
            f"文件 {shown} 已加密或为旧版 .xls 格式，无法读取。请去掉密码并另存为 .xlsx 后上传。",
            f"The file {shown} is encrypted or in the old .xls format. Remove the password, save it as .xlsx and upload it.",
        )
    if data.startswith(b"PK"):
        name, numbered, look = _xlsx(data, shown, sheet, max_rows, max_cells, max_unpacked)
    else:
        name, numbered, look = "", _csv(data, shown, max_rows, max_cells), Look()
    if score is None:
        return make_table(numbered, name, shown)
    numbered, notices = arrange(numbered, look, score)
    return make_table(numbered, name, shown, notices)


def _too_long(shown: str, max_rows: int, max_cells: int) -> DomainError:
    return refuse(
        f"文件 {shown} 超过 {max_rows} 行或 {max_cells} 个单元格，未读取。请拆分后分次上传。",
        f"The file {shown} has more than {max_rows} rows or {max_cells} cells and was not read. Split it and upload the parts.",
    )


# -- XLSX -------------------------------------------------------------------------------------


def _xlsx(
    data: bytes, shown: str, wanted: str | None, max_rows: int, max_cells: int, max_unpacked: int
) -> tuple[str, list[tuple[int, list[str]]], Look]:
    with open_archive(data, max_unpacked=max_unpacked) as archive:
        known = any(n.lower() == "xl/workbook.xml" for n in archive.namelist())
        if known:
            check_whole(archive)
    if not known:
        raise refuse(
            f"文件 {shown} 不是 XLSX 表格，未读取。请上传 .xlsx 或 .csv。",
            f"The file {shown} is not an XLSX table and was not read. Upload .xlsx or .csv.",
        )
    try:
        return _read_workbook(data, shown, wanted, max_rows, max_cells, max_unpacked)
    except DomainError:
        raise
    except Exception as error:  # openpyxl raises whatever its parser met: KeyError, ParseError, ...
        raise refuse(
            f"文件 {shown} 已损坏或含有不允许的内容，未读取。请用办公软件重新保存后上传。",
            f"The file {shown} is damaged or holds forbidden content and was not read. Save it again and upload it.",
        ) from error


def _read_workbook(
    data: bytes, shown: str, wanted: str | None, max_rows: int, max_cells: int, max_unpacked: int
) -> tuple[str, list[tuple[int, list[str]]], Look]:
    # Imported where a workbook is read: openpyxl brings numpy, which starting up does without.
    import openpyxl

    # openpyxl parses hostile XML safely only with defusedxml beside it and without lxml.
    if openpyxl.LXML or not openpyxl.DEFUSEDXML:  # pragma: no cover
        raise ImportError("XLSX files are read with defusedxml only, never with lxml")
    book = openpyxl.load_workbook(
        io.BytesIO(data), read_only=True, data_only=True, keep_links=False
    )
    titles = [s.title for s in book.worksheets]
    if not titles or (wanted is not None and wanted not in titles):
        raise refuse(
            f"文件 {shown} 中没有工作表 {wanted or ''}（现有：{'、'.join(titles)}）。",
            f"The file {shown} has no worksheet {wanted or ''} (it has: {', '.join(titles)}).",
        )
    index = titles.index(wanted) if wanted is not None else 0
    found: list[tuple[int, list[str]]] = []
    formulas_inside = _has_formulas(data, max_unpacked)
    filled: set[tuple[int, int]] = set()
    for number, values in _rows(book, index, shown, max_rows, max_cells):
        cells = [_cell_text(v, number, x, shown) for x, v in enumerate(values)]
        if formulas_inside:
            filled.update((number, x) for x, v in enumerate(values) if v is not None)
        if any(cells):
            found.append((number, cells))
            if len(found) > max_rows + 1:
                raise _too_long(shown, max_rows, max_cells)
    look = _look(data, book, index, max_unpacked)
    book.close()
    if formulas_inside:
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        for number, values in _rows(formulas, index, shown, max_rows, max_cells):
            for x, value in enumerate(values):
                if value is not None and (number, x) not in filled:
                    at = f"{letter(x + 1)}{number}"
                    raise refuse(
                        f"文件 {shown} 的单元格 {at} 是没有计算结果的公式，未读取。请在表格软件中打开并保存，或粘贴为数值。",
                        f"Cell {at} of {shown} is a formula without a result; nothing was read. "
                        "Open and save it in a spreadsheet program, or paste values.",
                    )
        formulas.close()
    return titles[index], found, look


def _look(data: bytes, book: Workbook, index: int, max_unpacked: int) -> Look:
    """Merged ranges, hidden rows and columns of the sheet, and the names of others with content."""
    with open_archive(data, max_unpacked=max_unpacked) as archive:
        inside = set(archive.namelist())

        def xml(page: object) -> bytes:
            path = str(getattr(page, "_worksheet_path", "")).lstrip("/")
            return archive.read(path) if path in inside else b""

        pages = list(book.worksheets)
        others = [
            page.title
            for i, page in enumerate(pages)
            if i != index and re.search(rb"<(?:\w+:)?(?:v|is)[ >]", xml(page))
        ]
        return look_of(xml(pages[index]), others)


def _has_formulas(data: bytes, max_unpacked: int) -> bool:
    """Whether any worksheet holds a formula element; the XML is scanned, not parsed."""
    with open_archive(data, max_unpacked=max_unpacked) as archive:
        return any(
            re.search(rb"<(\w+:)?f[ >/]", archive.read(name))
            for name in archive.namelist()
            if name.lower().startswith("xl/worksheets/") and name.lower().endswith(".xml")
        )


def _rows(
    book: Workbook, index: int, shown: str, max_rows: int, max_cells: int
) -> Iterator[tuple[int, Sequence[object]]]:
    page = book.worksheets[index]
    page.reset_dimensions()  # read-only sheets trust a false range
    scanned = latest = 0
    for number, values in enumerate(page.iter_rows(values_only=True), 1):
        # Padding counts too: a cell in column XFD makes a row of 16,384, row 10^9 as many rows.
        scanned += len(values) or 1
        if scanned > 4 * max_cells:
            raise _too_long(shown, max_rows, max_cells)
        last = len(values)
        while last and values[last - 1] is None:
            last -= 1
        if last > MAX_COLUMNS:
            raise refuse(
                f"文件 {shown} 超过 {MAX_COLUMNS} 列，未读取。请删去多余的列。",
                f"The file {shown} has more than {MAX_COLUMNS} columns and was not read. Remove the surplus.",
            )
        if last:
            latest = number
            yield number, values[:last]
        elif number - latest > _EMPTY_RUN:
            raise refuse(
                f"文件 {shown} 第 {latest} 行之后有两万多个空行，未读取。请删去空行后重新上传。",
                f"The file {shown} has over 20,000 empty rows after row {latest} and was not read. "
                "Delete the empty rows and upload it again.",
            )


def _cell_text(value: object, row: int, column: int, shown: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        at = f"{letter(column + 1)}{row}"
        if value in ("#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!"):
            raise refuse(
                f"文件 {shown} 的单元格 {at} 是错误值 {value}，未读取。请改正后重新上传。",
                f"Cell {at} of {shown} holds the error {value}; nothing was read. Correct it and upload the file again.",
            )
        return normalise(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        if abs(value) >= 10**15:
            at = f"{letter(column + 1)}{row}"
            raise refuse(
                f"文件 {shown} 的单元格 {at} 是超过 15 位的数字，末尾几位已被表格软件改动。请将该列设为文本并重新填写。",
                f"Cell {at} of {shown} is a number of more than 15 digits, whose end the spreadsheet has changed. "
                "Make the column text and type it again.",
            )
        return _plain_number(value)
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return normalise(str(value))


def _plain_number(value: int | float) -> str:
    """The 15 significant digits that a spreadsheet shows, without exponent: 0.1 + 0.2 is 0.3."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(format(value, ".15g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- CSV --------------------------------------------------------------------------------------


def _decode(data: bytes, shown: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            wide = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise _encoding(shown) from error
        if "\x00" in wide:  # UTF-32, or no text
            raise _encoding(shown)
        return wide
    if b"\x00" in data or data.startswith(
        (
            b"%PDF",
            b"\x89PNG",
            b"\xff\xd8",
            b"{\\rtf",
            b"MZ",
            b"\x7fELF",
            b"GIF8",
            b"Rar!",
            b"7z\xbc\xaf",
        )
    ):
        raise _not_csv(shown)
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|svg|script|table)", data[:200], re.I):
        raise _not_csv(shown)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # A UTF-8 file with a few broken bytes would pass as GB18030 and turn into other characters.
    trial = data.decode("utf-8", "replace")
    foreign = sum(1 for c in trial if ord(c) > 127)
    if trial.count("\ufffd") * 5 < foreign:
        raise _encoding(shown)
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _encoding(shown) from error
    if sum(1 for c in text if 0xE000 <= ord(c) <= 0xF8FF or (ord(c) < 32 and c not in "\t\r\n")):
        raise _encoding(shown)
    return text


def _encoding(shown: str) -> DomainError:
    return refuse(
        f"文件 {shown} 的编码无法识别（支持 UTF-8、GB18030），未读取。请另存为 UTF-8 编码的 CSV 或 .xlsx。",
        f"The encoding of {shown} is not known (UTF-8 and GB18030 are); nothing was read. Save it as CSV UTF-8 or .xlsx.",
    )


def _not_csv(shown: str) -> DomainError:
    return refuse(
        f"文件 {shown} 不是表格，未读取。请上传 .xlsx 或 .csv。",
        f"The file {shown} is not a table and was not read. Upload .xlsx or .csv.",
    )


def _delimiter(text: str) -> str:
    """Of comma, semicolon and TAB the one whose first rows agree best; quotes are respected."""
    sample = text[:20_000]
    best, best_score = ",", (0.0, 0)
    for candidate in ",;\t":
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=candidate)
            widths = [len(r) for r in itertools.islice(reader, 20) if any(r)]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (sum(w == widths[0] for w in widths) / len(widths), widths[0])
            if score > best_score:
                best, best_score = candidate, score
    return best


def _csv(data: bytes, shown: str, max_rows: int, max_cells: int) -> list[tuple[int, list[str]]]:
    text = _decode(data, shown)
    skipped = 0
    hint = re.match(r'"?sep=(.)"?\r?\n', text)
    delimiter = hint[1] if hint and hint[1] in ",;\t" else _delimiter(text)
    if hint:
        text, skipped = text[hint.end() :], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    cells = 0
    while True:
        number = reader.line_num + 1 + skipped
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise refuse(
                f"文件 {shown} 第 {number} 行的引号或格式有误，未读取。请改正后重新上传。",
                f"Line {number} of {shown} has a quoting or format error; nothing was read. Correct it and upload the file again.",
            ) from error
        if row is None:
            return found
        cells += len(row)
        if len(row) > MAX_COLUMNS or cells > max_cells:
            raise _too_long(shown, max_rows, max_cells)
        normal = [normalise(c) for c in row]
        if any(normal):
            found.append((number, normal))
            if len(found) > max_rows + 1:
                raise _too_long(shown, max_rows, max_cells)
