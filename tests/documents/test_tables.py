"""The safe reader: every encoding and shape that offices send, and what must be refused."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import time
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from app.documents.characters import normalise
from app.documents.dates import PartialDate, parse_date
from app.documents.sheets import Sheet, write_xlsx
from app.documents.tables import Table, read_table
from app.domain.types import DomainError


def xlsx(*rows: list[Any], **sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    for name, content in sheets.items():
        extra = book.create_sheet(name)
        for row in content:
            extra.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def patched(
    data: bytes, changes: dict[str, bytes | None], more: dict[str, bytes] | None = None
) -> bytes:
    """The same XLSX with members replaced (None: left out) and added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def with_rows(rows_xml: str) -> bytes:
    base = xlsx(["a"])
    xml = zipfile.ZipFile(io.BytesIO(base)).read(SHEET).decode()
    return patched(
        base,
        {
            SHEET: re.sub(
                r"<sheetData>.*</sheetData>", f"<sheetData>{rows_xml}</sheetData>", xml, flags=re.S
            ).encode()
        },
    )


def cells(table: Table) -> list[list[str]]:
    return [list(r.cells) for r in table.rows]


def refused(data: bytes, match: str, name: str = "f.xlsx", **limits: Any) -> None:
    """One DomainError, both languages, and no more than two seconds of work."""
    started = time.process_time()
    with pytest.raises(DomainError, match=match) as caught:
        read_table(data, name, **limits)
    assert time.process_time() - started < 2
    assert caught.value.text.zh.endswith(("。", "）。")) and re.search(
        r"[a-z].*\.$", caught.value.text.en
    )


TEXT = "姓名,单位\n张三,测试院\n李四,测试所\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("gb18030"), TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode(), TEXT.replace("\n", "\r").encode(), TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("gbk"), ("sep=;\n" + TEXT.replace(",", ";")).encode(),
        ("\n\n" + TEXT + ",,\n").encode(), TEXT.replace("测试院", '"测试院"').encode(), TEXT.rstrip().encode(),
    ],
)  # fmt: skip
def test_csv_encodings_and_delimiters(data: bytes) -> None:
    table = read_table(data, "名单.csv")
    assert table.headers == ("姓名", "单位")
    assert cells(table) == [["张三", "测试院"], ["李四", "测试所"]]


def test_quotes_guard_delimiters_and_line_feeds_and_line_numbers_are_the_source_s() -> None:
    table = read_table('名,话\n甲,"a;b,c\nd ""e"""\n\n乙,f\n'.encode(), "x.csv")
    assert [(r.number, list(r.cells)) for r in table.rows] == [
        (2, ["甲", 'a;b,c\nd "e"']),
        (5, ["乙", "f"]),
    ]
    shifted = read_table("sep=,\n名,话\n甲,b\n".encode(), "x.csv")
    assert shifted.rows[0].number == 3
    assert list(table.records())[1] == (5, {"名": "乙", "话": "f"})


def test_one_column_and_a_text_full_of_semicolons() -> None:
    assert read_table("编号\nA1\nA2\n".encode(), "x.csv").headers == ("编号",)
    assert read_table("名,话\n甲,a;b;c;d\n乙,e;f\n".encode(), "x.csv").headers == ("名", "话")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("　８５．５　", "85.5"), ("Ａ１ｂ", "A1b"), ("－３", "-3"), ("２０１２／９／１", "2012/9/1"), ("甲－乙（丙），丁．", "甲－乙（丙），丁．"),
        ("\u00a0x\u200b\ufeff", "x"), ("１２：３０", "12:30"), ("a\x00b", "ab"), ("９０％", "90%"), ("①Ⅱ㎡", "①Ⅱ㎡"),
    ],
)  # fmt: skip
def test_normalise(raw: str, wanted: str) -> None:
    assert normalise(raw) == wanted


def test_xlsx_cells_become_text() -> None:
    data = xlsx(
        ["文", "整", "小数", "日", "时", "是", "空", "零"],
        [" 甲 ", 5, 0.1 + 0.2, date(2012, 9, 1), datetime(2012, 9, 1, 10, 30), True, None, 86.50],
        [None] * 8,
        ["不", 10.0, 1e-7, 1e14, -3, False, "", 0],
    )
    table = read_table(data, "f.xlsx")
    assert table.rows[0].number == 2 and table.rows[1].number == 4
    assert list(table.rows[0].cells) == [
        "甲",
        "5",
        "0.3",
        "2012-09-01",
        "2012-09-01T10:30:00",
        "TRUE",
        "",
        "86.5",
    ]
    assert table.rows[1].cells[1:] == ("10", "0.0000001", "100000000000000", "-3", "FALSE", "", "0")


def test_dates_of_both_epochs() -> None:
    for epoch in ("1900", "1904"):
        book = openpyxl.Workbook()
        if epoch == "1904":
            book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        assert book.active is not None
        book.active.append(["d"])
        book.active.append([date(2012, 9, 1)])
        out = io.BytesIO()
        book.save(out)
        raw = zipfile.ZipFile(out).read("xl/worksheets/sheet1.xml")
        assert (b"41153" in raw) == (epoch == "1900")
        assert cells(read_table(out.getvalue(), "f.xlsx")) == [["2012-09-01"]]


def test_first_sheet_unless_named() -> None:
    data = xlsx(["a"], [1], 乙=[["b"], [2]])
    assert read_table(data, "f.xlsx").headers == ("a",)
    assert read_table(data, "f.xlsx", sheet="乙").headers == ("b",)
    refused(data, "没有工作表 丙", sheet="丙")


def test_a_name_that_lies_does_not_matter() -> None:
    assert read_table(xlsx(["a"], [1]), "f.csv").headers == ("a",)
    assert read_table(b"a,b\n1,2\n", "f.xlsx").headers == ("a", "b")


def test_formulas_give_their_saved_result_or_are_refused() -> None:
    cached = with_rows(
        '<row r="1"><c r="A1"><v>7</v></c></row><row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'
    )
    assert cells(read_table(cached, "f.xlsx")) == [["2"]]
    refused(xlsx(["a", "b"], [1, "=1+1"]), "B2 是没有计算结果的公式")


def test_what_would_be_lost_silently_is_refused() -> None:
    refused(xlsx(["号"], [110101199001011234]), "A2 是超过 15 位的数字")
    refused(xlsx(["a", None, "c"], [1, 2, 3]), "第 2 行第 B 列有内容但没有表头")
    refused(b"a,b\n1,2,3\n", "第 2 行第 C 列", "f.csv")
    refused(
        with_rows(
            '<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>'
        ),
        "A2 是错误值",
    )
    refused(xlsx(["姓名", " 姓名 "], [1, 2]), "表头重复：姓名")
    assert read_table(xlsx(["a", None, "c", None], [1, None, 3]), "f.xlsx").headers == ("a", "c")


def test_limits() -> None:
    assert len(read_table(("a\n" + "1\n" * 100).encode(), "f.csv", max_rows=100).rows) == 100
    refused(("a\n" + "1\n" * 101).encode(), "超过 100 行", "f.csv", max_rows=100)
    refused(xlsx(["a"], *[[1]] * 101), "超过 100 行", max_rows=100)
    refused(xlsx(["a"], [1]), "解压后过大", max_unpacked=5_000)
    refused(b"a,b\n" + b"1,2\n" * 60, "100 个单元格", "f.csv", max_cells=100)
    refused(b"a" * 2_000_000, "超过 1 MB", "f.csv", max_bytes=1_000_000 + 48_576)
    refused((",".join(f"c{n}" for n in range(501)) + "\n").encode(), "未读取", "f.csv")


def bomb(members: int = 1, size: int = 30_000_000) -> bytes:
    return patched(xlsx(["a"]), {}, {f"xl/media/{n}.bin": bytes(size) for n in range(members)})


def lying_sizes() -> bytes:
    """A worksheet of 3 MB that claims to be 10 bytes."""
    data = bytearray(with_rows('<row r="1"><c r="A1"><v>1</v></c></row>' + " " * 3_000_000))
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(SHEET.encode()))
    struct.pack_into("<I", data, at + 24, 10)
    return bytes(data)


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><workbook>&b;</workbook>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><workbook>&a;</workbook>'
SHARED = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "%s">]><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    % (hashlib.shake_256(b"x").hexdigest(25_000).encode(), b"&a;" * 10_000)
)


def with_shared_strings() -> bytes:
    out = io.BytesIO()
    write_xlsx(out, [Sheet("a", ["h"], [["x"]])])
    assert "xl/sharedStrings.xml" in zipfile.ZipFile(out).namelist()
    return out.getvalue()


def plain_zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def link() -> bytes:
    info = zipfile.ZipInfo("xl/link")
    info.external_attr = 0o120777 << 16
    out = io.BytesIO(xlsx(["a"]))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def encrypted_flag() -> bytes:
    data = bytearray(xlsx(["a"]))
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data)


TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "是空的"),
    "only blanks": (b" \r\n\t\r\n", "是空的"),
    "only empty rows": (b",,\n,,\n", "没有数据"),
    "empty workbook": (xlsx(), "没有数据"),
    "pdf": (b"%PDF-1.7\n", "不是表格"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00", "不是表格"),
    "exe": (b"MZ\x90\x00", "不是表格"),
    "html": (b"<html><table><tr><td>1</td></tr></table></html>", "不是表格"),
    "svg": (b'<?xml version="1.0"?><svg/>', "不是表格"),
    "nul in csv": (b"a,b\n1,\x00\n", "不是表格"),
    "old xls or encrypted": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "加密或为旧版"),
    "docx": (plain_zip(**{"[Content_Types].xml": b"<Types/>", "word__document.xml": b"<x/>"}), "不是 XLSX"),
    "bare zip": (plain_zip(a=b"1"), "不是 XLSX"),
    "cut zip": (xlsx(["a"], [1])[:-100], "损坏"),
    "half zip": (xlsx(["a"], [1])[:2000], "损坏"),
    "PK only": (b"PK\x03\x04", "损坏"),
    "PK empty archive": (b"PK\x05\x06" + bytes(18), "不是有效"),
    "ratio bomb": (bomb(), "压缩比异常"),
    "size bomb": (bomb(3), "压缩比异常"),
    "lying sizes": (lying_sizes(), "未读取|损坏"),
    "many members": (plain_zip(**{f"m{n}": b"" for n in range(2100)}), "解压后过大"),
    "zip slip": (patched(xlsx(["a"]), {}, {"../../etc/cron.d/x": b"1"}), "路径不安全"),
    "absolute name": (patched(xlsx(["a"]), {}, {"/etc/passwd": b"1"}), "路径不安全"),
    "windows name": (patched(xlsx(["a"]), {}, {"C:evil": b"1"}), "路径不安全"),
    "same name twice": (patched(xlsx(["a"]), {}, {"XL/workbook.xml": b"1"}), "路径不安全"),
    "symbolic link": (link(), "含有链接"),
    "encrypted members": (encrypted_flag(), "已加密"),
    "macro": (patched(xlsx(["a"]), {}, {"xl/vbaProject.bin": b"1"}), "含有宏"),
    "macro elsewhere": (patched(xlsx(["a"]), {}, {"x/VBAPROJECT.BIN": b"1"}), "含有宏"),
    "macro type": (patched(xlsx(["a"]), {"[Content_Types].xml": TYPES}), "含有宏"),
    "billion laughs": (patched(xlsx(["a"]), {"xl/workbook.xml": ENTITIES}), "损坏或含有不允许"),
    "external entity": (patched(xlsx(["a"]), {"xl/workbook.xml": EXTERNAL}), "损坏或含有不允许"),
    "quadratic blow-up": (patched(with_shared_strings(), {"xl/sharedStrings.xml": SHARED}), "损坏或含有不允许"),
    "entities in a sheet": (patched(xlsx(["a"]), {SHEET: ENTITIES.replace(b"workbook", b"worksheet")}), "损坏或含有不允许"),
    "broken sheet": (patched(xlsx(["a"]), {SHEET: b"<worksheet><sheetData><row>"}), "损坏"),
    "no sheet": (patched(xlsx(["a"]), {SHEET: None}), "损坏|没有工作表"),
    "cell in XFD, many rows": (with_rows("".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 3000))), "列"),
    "empty cells in XFD": (with_rows("".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(1, 20_000))), "单元格"),
    "a hundred thousand empty rows": (
        with_rows("".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(1, 100_000))),
        "空行",
    ),
    "row beyond the end": (with_rows('<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'), "空行"),
    "open quote": (b'a,b\n"1,2\n3,4\n', "第 2 行的引号"),
    "text after quote": (b'a,b\n1,2\n"3"x,4\n', "第 3 行的引号"),
    "huge field": (b"a\n" + b'"' + b"x" * 200_000 + b'"\n', "格式有误"),
    "latin-1": ("naïve,café,résumé\n".encode("latin-1"), "编码无法识别"),
    "utf-8 with broken bytes": (TEXT.encode() * 3 + b"\xff,\n" + TEXT.encode(), "编码无法识别"),
    "random bytes": (bytes((n * 7919 + n // 3) % 255 + 1 for n in range(3000)), "编码无法识别|不是"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused_at_once(name: str) -> None:
    data, match = HOSTILE[name]
    refused(data, match)


def test_a_false_dimension_is_not_believed() -> None:
    base = xlsx(["a"], [1])
    xml = zipfile.ZipFile(io.BytesIO(base)).read(SHEET).decode()
    xml = re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"', xml)
    assert cells(read_table(patched(base, {SHEET: xml.encode()}), "f.xlsx")) == [["1"]]


@pytest.mark.parametrize(
    ("raw", "year", "month", "day"),
    [
        ("2012年9月", 2012, 9, None), ("2012/9/1", 2012, 9, 1), ("2012-09-01", 2012, 9, 1), ("2012.9.1", 2012, 9, 1),
        ("20120901", 2012, 9, 1), ("2012年9月1日", 2012, 9, 1), ("２０１２年９月１日", 2012, 9, 1), ("2012 年 9 月 1 日", 2012, 9, 1),
        ("二〇一二年九月", 2012, 9, None), ("二○一二年十二月三十一日", 2012, 12, 31), ("二零一二年十月二十日", 2012, 10, 20), ("2012年", 2012, None, None),
        ("2012", 2012, None, None), ("2012.09", 2012, 9, None), ("2012-09-01T10:30:00", 2012, 9, 1), ("2012年9月1号", 2012, 9, 1),
    ],
)  # fmt: skip
def test_dates_as_people_write_them(
    raw: str, year: int, month: int | None, day: int | None
) -> None:
    assert parse_date(raw) == PartialDate(year, month, day)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "3/4/2012",
        "2012-13-01",
        "2012年2月30日",
        "去年",
        "12-9-1",
        "2012-9-1x",
        "41153",
        "9999",
        "2012//1",
        "十十年",
    ],
)
def test_other_dates_are_refused(raw: str) -> None:
    with pytest.raises(DomainError) as caught:
        parse_date(raw, field="born")
    assert caught.value.field == "born"


def test_partial_dates_know_their_bounds() -> None:
    assert (parse_date("2012年2月").first(), parse_date("2012年2月").last()) == (
        date(2012, 2, 1),
        date(2012, 2, 29),
    )
    assert (str(parse_date("2012")), parse_date("2012").last(), parse_date("2012").exact) == (
        "2012",
        date(2012, 12, 31),
        False,
    )
    assert str(parse_date("2012/9/1")) == "2012-09-01" and parse_date("2012/9/1").exact


def test_twenty_thousand_rows_are_read_whole() -> None:
    data = ("编号,姓名,单位\n" + "".join(f"{n},测试,测试院\n" for n in range(20_000))).encode()
    assert len(read_table(data, "f.csv").rows) == 20_000
