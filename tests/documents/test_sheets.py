"""The writer of XLSX and CSV: nothing typed by a person can become a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from app.documents.sheets import Sheet, safe_csv_text, write_csv, write_xlsx
from app.documents.tables import read_table
from app.domain.types import DomainError, Text

PAYLOADS = [
    "=1+1", "=cmd|' /C calc'!A0", "=HYPERLINK(\"http://example.invalid\",\"x\")", "+1+1", "+cmd|' /C calc'!A0",
    "-1+1", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "@A1", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "  +1", "\u3000=1+1",
    "\u00a0=1+1", "＝1+1", "＋1", "－1", "＠A1", " ＝1", "=WEBSERVICE(\"http://example.invalid\")", "=IMPORTXML(\"x\",\"y\")",
    "=DDE(\"cmd\";\"/C calc\")", "{=1+1}", "=\"a\"&\"b\"", "\ufeff=1+1", "\u200b=1", "http://example.invalid/", "=1+1\n=2+2",
    "\x00=1+1", "mailto:a@example.invalid", "internal:Sheet1!A1", "1E5", "0012", "TRUE",
]  # fmt: skip
RISKY = "=+-@＝＋－＠\t\r"


def written(*sheets: Sheet) -> io.BytesIO:
    out = io.BytesIO()
    write_xlsx(out, sheets)
    return out


def test_no_payload_is_a_formula_or_a_link_in_any_field() -> None:
    assert len(PAYLOADS) >= 30
    rows = [[p, p, 1] for p in PAYLOADS]
    out = written(Sheet("=evil", ["=h1", "+h2", "n"], rows), Sheet("b", PAYLOADS, []))
    for data_only in (False, True):
        book = openpyxl.load_workbook(out, data_only=data_only)
        kinds = [c.data_type for page in book for row in page for c in row]
        assert "f" not in kinds
        assert kinds.count("s") == 2 * len(PAYLOADS) + 3 + len(PAYLOADS)
    texts = [row[0].value for row in openpyxl.load_workbook(out).worksheets[0].iter_rows(min_row=2)]
    assert texts[0] == "=1+1" and texts[PAYLOADS.index("0012")] == "0012"
    for name in zipfile.ZipFile(out).namelist():
        xml = zipfile.ZipFile(out).read(name)
        assert b"<f>" not in xml and b"<f " not in xml and b"<hyperlink" not in xml
        assert b"externalLink" not in xml


def test_text_cells_stay_text_when_edited() -> None:
    cell = openpyxl.load_workbook(written(Sheet("a", ["h"], [["=1+1"]]))).worksheets[0]["A2"]
    assert cell.number_format == "@" and cell.quotePrefix


def test_numbers_keep_their_places_and_long_ones_stay_text() -> None:
    row = [
        Decimal("86.50"),
        7,
        Decimal("-3"),
        Decimal("12345678901234567.89"),
        110101199001011234,
        True,
        None,
        date(2012, 9, 1),
        Text("是", "yes"),
    ]
    page = openpyxl.load_workbook(written(Sheet("a", list("abcdefghi"), [row]))).worksheets[0]
    cells = list(page.iter_rows(min_row=2))[0]
    assert [c.data_type for c in cells] == ["n", "n", "n", "s", "s", "s", "n", "s", "s"]
    assert (cells[0].value, cells[0].number_format) == (86.5, "0.00")
    assert cells[3].value == "12345678901234567.89" and cells[4].value == "110101199001011234"
    assert cells[6].value is None and cells[7].value == "2012-09-01" and cells[8].value == "是"


def test_floats_ragged_rows_and_over_long_texts_are_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        written(Sheet("a", ["h"], [[0.1]]))  # type: ignore[list-item]
    with pytest.raises(ValueError, match="2 cells for 1"):
        written(Sheet("a", ["h"], [["x", "y"]]))
    with pytest.raises(DomainError, match="32767"):
        written(Sheet("a", ["h"], [["x" * 32_768]]))
    with pytest.raises(TypeError, match="float"):
        write_csv(io.BytesIO(), ["h"], [[0.1]])  # type: ignore[list-item]


def test_sheet_names_are_made_legal_and_unique() -> None:
    names = ["甲/乙:[丙]*?\\", "甲/乙:[丙]*?\\", "", "'", "History", "x" * 40, "x" * 40, "X" * 31]
    book = openpyxl.load_workbook(written(*[Sheet(n, ["h"], []) for n in names]))
    assert len({t.lower() for t in book.sheetnames}) == len(names)
    assert all(0 < len(t) <= 31 for t in book.sheetnames)


def test_same_input_same_bytes(tmp_path: Path) -> None:
    sheet = Sheet("a", ["h"], [["甲"], [Decimal("1.0")]])
    assert written(sheet).getvalue() == written(sheet).getvalue()
    write_xlsx(tmp_path / "a.xlsx", [sheet])
    assert (tmp_path / "a.xlsx").read_bytes() == written(sheet).getvalue()


def test_csv_starts_no_cell_with_a_formula_sign() -> None:
    out = io.BytesIO()
    write_csv(out, ["=h", *["x"] * (len(PAYLOADS) - 1)], [PAYLOADS])
    assert out.getvalue().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert rows[0][0] == "'=h"
    for payload, cell in zip(PAYLOADS, rows[1], strict=True):
        first = cell.lstrip()[:1]
        assert first not in set(RISKY), (payload, cell)
        stripped = payload.strip("\x00\ufeff\u200b\u3000\u00a0 \t\r\n")
        assert cell.startswith("'") == (stripped[0] in RISKY or payload[0] in RISKY), payload


def test_csv_numbers_are_bare_and_text_that_looks_like_one_is_not() -> None:
    out = io.BytesIO()
    write_csv(out, ["a", "b", "c"], [[Decimal("-3.50"), -3, "-3"]])
    assert out.getvalue().decode("utf-8-sig") == "a,b,c\r\n-3.50,-3,'-3\r\n"
    assert safe_csv_text("甲=乙") == "甲=乙"


def test_what_we_write_we_can_read() -> None:
    rows = [["甲山县", 'a,b;"c"\nd'], ["乙", "，。（）"]]
    out = io.BytesIO()
    write_csv(out, ["县", "话"], rows)
    for data, name in (
        (out.getvalue(), "x.csv"),
        (written(Sheet("s", ["县", "话"], rows)).getvalue(), "x.xlsx"),
    ):
        assert [list(r.cells) for r in read_table(data, name).rows] == rows
