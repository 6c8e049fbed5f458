"""The one writer of DOCX: the blocks of a paper as a file to edit, on the page of GB/T 9704-2012.

The blocks are those that `pdf.render_pdf` prints (templates/base.typ says what each holds), so both
files say the same. A text becomes characters only: no typed word can turn into a field, a link or a
macro. The same input gives the same bytes: fixed times in the ZIP, ids counted from one.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from app.documents.characters import clean_text
from app.documents.docx_page import NS, set_page, set_styles
from app.documents.pdf import chart_png
from app.domain.types import Language, Text

Block = Mapping[str, Any]

_MM = 1440 / 25.4  # twentieths of a point
_WIDTH = round(156 * _MM)
_CHART_MM = 205
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_SVG = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
# The one field of the file: the page number.
_PAGE = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE '
    '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)


def render_docx(
    blocks: Iterable[Block],
    *,
    title: Text,
    header: Text,
    language: Language,
    published_at: datetime,
) -> bytes:
    """A DOCX of `blocks` under `title`; `header` stands on top of every page. `published_at` (time
    zone required) is the only time in the file. Beside the kinds of base.typ: `break` (new page),
    `centre` and `date` {text}. ValueError for an unknown kind."""
    import docx  # lxml behind it is large; starting up does without
    from docx.oxml import parse_xml

    if published_at.tzinfo is None:
        raise ValueError("published_at needs a time zone")
    document: Any = docx.Document()
    set_page(document, language)
    set_styles(document, language)
    writer = _Writer(document, language)
    parts = [writer.paragraph("MJTitle", title), *(writer.block(block) for block in blocks)]
    body = document.element.body
    for element in parse_xml(f"<w:body {NS}>{''.join(parts)}</w:body>"):
        body.insert(len(body) - 1, element)  # before the page's own properties
    for number, chart in enumerate(writer.charts, 1):
        _draw(document, body, number, chart, language)
    _set_edges(document, writer, header, parse_xml)
    properties = document.core_properties
    moment = published_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    properties.title = clean_text(title.get(language)).replace("\n", "")
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = moment
    properties.language = "en-GB" if language == "en" else "zh-CN"
    raw = io.BytesIO()
    document.save(raw)
    return _same_bytes(raw.getvalue())


class _Writer:
    """Blocks to WordprocessingML; keeps the charts, which become pictures afterwards."""

    def __init__(self, document: Any, language: Language) -> None:
        self.language = language
        self.charts: list[Block] = []

    def say(self, value: Any) -> str:
        """A text in the paper's language; what the PDF would print."""
        if value is None:
            return ""
        if isinstance(value, Text):
            value = value.get(self.language)
        return clean_text(str(value))

    def tr(self, zh: str, en: str) -> str:
        return en if self.language == "en" else zh

    def run(self, text: str, *, bold: bool = False, struck: bool = False) -> str:
        marks = ("<w:b/>" if bold else "") + ("<w:strike/>" if struck else "")
        lines = "<w:br/>".join(
            "<w:tab/>".join(f'<w:t xml:space="preserve">{escape(p)}</w:t>' for p in x.split("\t"))
            for x in text.split("\n")
        )
        return f"<w:r>{f'<w:rPr>{marks}</w:rPr>' if marks else ''}{lines}</w:r>"

    def paragraph(self, style: str, text: Any, *, bold: bool = False, align: str = "") -> str:
        inside = text if isinstance(text, _Runs) else self.run(self.say(text), bold=bold)
        jc = f'<w:jc w:val="{align}"/>' if align else ""
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{jc}</w:pPr>{inside}</w:p>'

    def block(self, b: Block) -> str:
        match b["kind"]:
            case "paragraph":
                return self.paragraph("MJBody", b["text"])
            case "centre":
                return self.paragraph("MJCentre", b["text"])
            case "date":
                return self.paragraph("MJDate", b["text"])
            case "heading":
                return self.paragraph(f"Heading{b['level']}", b["text"])
            case "break":
                return '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
            case "list":
                return "".join(self.paragraph("MJBody", f"• {self.say(x)}") for x in b["items"])
            case "note":
                return self.paragraph("MJNote", b["text"])
            case "arithmetic":
                return "".join(self.paragraph("MJLine", line["text"]) for line in b["lines"])
            case "facts":
                return self._facts(b["rows"])
            case "table":
                return self._table(b)
            case "marks":
                return self._marks(b)
            case "agreement":
                return self._agreement(b)
            case "chart":
                self.charts.append(b)
                return (
                    f'<w:p><w:pPr><w:pStyle w:val="MJNote"/><w:keepNext/><w:jc w:val="center"/>'
                    f"</w:pPr><w:r><w:t>{_mark(len(self.charts))}</w:t></w:r></w:p>"
                    + self.paragraph("MJCaption", b["caption"])
                )
        raise ValueError(f"unknown block kind: {b['kind']}")

    def cell(self, value: Any) -> _Runs:
        """A cell: a text, {text, bold?, struck?}, or {hash}."""
        if not isinstance(value, Mapping):
            return _Runs(self.run(self.say(value)))
        if "hash" in value:
            return _Runs(self.run(self.say(value["hash"])))
        struck = bool(value.get("struck"))
        text = self.run(self.say(value["text"]), bold=bool(value.get("bold")), struck=struck)
        return _Runs(text + (self.run("×") if struck else ""))

    def mark(self, value: Mapping[str, Any]) -> _Runs:
        if "absent" in value:
            return _Runs(self.run(self.say(value["absent"])))
        dropped = bool(value.get("dropped"))
        text = self.run(self.say(value["value"]), struck=dropped)
        return _Runs(text + (self.run("×") if dropped else ""))

    def _facts(self, rows: Sequence[Mapping[str, Any]]) -> str:
        columns: list[tuple[Any, str, int | str]] = [("", "left", "auto"), ("", "left", 1)]
        cells = [
            [self.cell({"text": r["label"], "bold": True}), self.cell(r["value"])] for r in rows
        ]
        return self.grid("", columns, cells, head=False)

    def _table(self, b: Block) -> str:
        if not b["rows"]:
            caption = self.say(b["caption"])
            return self.paragraph("MJNote", caption + self.tr("：无。", ": none."))
        columns = [(c["title"], c.get("align", "left"), c.get("width", 1)) for c in b["columns"]]
        rows = [[self.cell(cell) for cell in row] for row in b["rows"]]
        height = b.get("row_height_mm")
        return self.grid(b["caption"], columns, rows, foot=b.get("note"), height_mm=height)

    def _marks(self, b: Block) -> str:
        items = b["items"]

        def has(key: str) -> bool:
            return any(key in item for item in items)

        ends = [
            (k, t)
            for k, t in (
                ("present", self.tr("有效", "Present")),
                ("counted", self.tr("计入", "Counted")),
                ("mean", self.tr("均值", "Mean")),
            )
            if has(k)
        ]
        first = b.get("head", Text("项目", "Item"))
        columns: list[tuple[Any, str, int | str]] = [(first, "left", 3)]
        if has("max"):
            columns.append((self.tr("满分", "Max"), "right", 1))
        heads = [r["label"] if isinstance(r, Mapping) else r for r in b["raters"]]
        columns += [(head, "right", 1) for head in heads]
        columns += [(title, "right", 1) for _, title in ends]
        rows = []
        for item in items:
            name = " ".join(x for x in (self.say(item.get("code")), self.say(item["title"])) if x)
            row = [_Runs(self.run(name))]
            if has("max"):
                row.append(self.cell(item.get("max")))
            row += [self.mark(m) for m in item["marks"]]
            row += [self.cell({"text": item.get(key, ""), "bold": True}) for key, _ in ends]
            rows.append(row)
        return self.grid(b["caption"], columns, rows, foot=b.get("note"), small=True)

    def _agreement(self, b: Block) -> str:
        columns: list[tuple[Any, str, int | str]] = [
            (self.tr("指标", "Coefficient"), "left", 4),
            (self.tr("数值", "Value"), "right", 2),
            (self.tr("95% 区间", "95% interval"), "center", 4),
            (self.tr("对象", "n"), "right", 1),
            (self.tr("专家", "k"), "right", 1),
            (self.tr("说明", "Reading"), "left", 6),
        ]
        rows = [
            [
                self.cell(r["name"]),
                self.cell(r["value"]),
                self.cell(
                    f"{self.say(r['low'])} {self.tr('至', 'to')} {self.say(r['high'])}"
                    if "low" in r and "high" in r
                    else "—"
                ),
                self.cell(r.get("n")),
                self.cell(r.get("k")),
                self.cell(r["reading"]),
            ]
            for r in b["rows"]
        ]
        return self.grid(b.get("caption", ""), columns, rows, foot=b.get("note"))

    def grid(
        self,
        caption: Any,
        columns: Sequence[tuple[Any, str, int | str]],
        rows: Sequence[Sequence[_Runs]],
        *,
        head: bool = True,
        foot: Any = None,
        small: bool = False,
        height_mm: int | None = None,
    ) -> str:
        """A table of fixed widths; its head is repeated on every page, no row is split."""
        style = "MJSmall" if small else "MJCell"
        heads = [self.say(title) for title, _, _ in columns]
        widths = _widths([w for _, _, w in columns], heads, rows, 85 if small else 105)
        border = "".join(
            f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="444444"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        pad = 40 if small else 70
        made = [
            f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
            f'<w:tblBorders>{border}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>'
            f'<w:top w:w="40" w:type="dxa"/><w:left w:w="{pad}" w:type="dxa"/>'
            f'<w:bottom w:w="40" w:type="dxa"/><w:right w:w="{pad}" w:type="dxa"/></w:tblCellMar>'
            "</w:tblPr><w:tblGrid>",
            *(f'<w:gridCol w:w="{width}"/>' for width in widths),
            "</w:tblGrid>",
        ]
        shade = '<w:shd w:val="clear" w:color="auto" w:fill="EFEFEF"/>'
        if head:
            made.append("<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>")
            for width, title in zip(widths, heads, strict=True):
                inside = self.paragraph(style, title, bold=True, align="center")
                made.append(_tc(width, inside, shade))
            made.append("</w:tr>")
        tall = f'<w:trHeight w:val="{round(height_mm * _MM)}"/>' if height_mm else ""
        for row in rows:
            made.append(f"<w:tr><w:trPr><w:cantSplit/>{tall}</w:trPr>")
            for x, (width, cell, column) in enumerate(zip(widths, row, columns, strict=True)):
                fill = shade if not head and x == 0 else ""
                made.append(_tc(width, self.paragraph(style, cell, align=column[1]), fill))
            made.append("</w:tr>")
        made.append("</w:tbl>")
        after = self.paragraph("MJNote", foot)  # two tables in a row would grow together
        above = self.paragraph("MJCaption", caption) if self.say(caption) else ""
        return above + "".join(made) + after


class _Runs(str):
    """Runs already written as XML."""


def _tc(width: int, inside: str, shade: str) -> str:
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/>'
        f"</w:tcPr>{inside}</w:tc>"
    )


def _widths(
    wanted: Sequence[int | str],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    half: int,
) -> list[int]:
    """Twips of each column: an "auto" one as wide as its longest text (at most a third of the page),
    the rest shared out."""

    def needs(text: str) -> int:
        lines = re.sub(r"<w:br/>", "\n", text)
        lines = re.sub(r"<[^>]+>", "", lines)
        longest = max(lines.split("\n"), key=len)
        return half * sum(6 if ord(c) < 0x2E80 else 10 for c in longest) // 5 + 180

    made: list[int] = []
    for x, width in enumerate(wanted):
        texts = [heads[x], *(row[x] for row in rows)]
        made.append(min(max(map(needs, texts)), _WIDTH // 3) if width == "auto" else 0)
    shares = sum(w for w in wanted if isinstance(w, int))
    room = _WIDTH - sum(made)
    if not shares:
        return [m * _WIDTH // sum(made) for m in made]
    return [m or room * int(w) // shares for m, w in zip(made, wanted, strict=True)]


def _mark(number: int) -> str:
    """Where chart `number` goes; no typed text can hold a private-use character (`clean_text`)."""
    return f"\ue000{number}\ue000"


def _draw(document: Any, body: Any, number: int, block: Block, language: Language) -> None:
    """Put a chart in its place: the SVG, and a picture for readers that know no SVG."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn
    from docx.shared import Mm
    from docx.text.run import Run

    svg = str(block["svg"])
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    assert box is not None, "a chart without a viewBox"
    ratio = float(box[2]) / float(box[1])
    width = min(156.0, _CHART_MM / ratio)
    holder = next(t for t in body.iter(qn("w:t")) if t.text == _mark(number))
    run = holder.getparent()
    run.remove(holder)
    Run(run, document).add_picture(io.BytesIO(chart_png(svg)), width=Mm(width))
    part = Part(
        PackURI(f"/word/media/chart{number}.svg"),
        "image/svg+xml",
        svg.encode(),
        document.part.package,
    )
    link = document.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    for blip in run.iter(qn("a:blip")):
        blip.append(
            parse_xml(
                '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
                '<a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}">'
                f'<asvg:svgBlip xmlns:asvg="{_SVG}" xmlns:r="http://schemas.openxmlformats.org/'
                f'officeDocument/2006/relationships" r:embed={quoteattr(link)}/></a:ext></a:extLst>'
            )
        )
    alt = block["alt"]
    for drawn in (*run.iter(qn("wp:docPr")), *run.iter(qn("pic:cNvPr"))):
        drawn.set("id", str(number))
        drawn.set("name", f"chart{number}")
        drawn.set("descr", clean_text(alt.get(language) if isinstance(alt, Text) else str(alt)))


def _set_edges(document: Any, writer: _Writer, header: Text, parse_xml: Any) -> None:
    """The header on every page; the page number at the right on odd pages, at the left on even."""
    document.settings.odd_and_even_pages_header_footer = True
    section = document.sections[0]
    for edge in (section.header, section.even_page_header):
        _fill(edge, writer.paragraph("MJHeader", header), parse_xml)
    for edge, align in ((section.footer, "right"), (section.even_page_footer, "left")):
        indent = '<w:ind w:left="280" w:right="280"/>'
        inside = f"{writer.run('— ')}{_PAGE}{writer.run(' —')}"
        _fill(
            edge,
            f'<w:p><w:pPr><w:pStyle w:val="MJFooter"/>{indent}<w:jc w:val="{align}"/></w:pPr>'
            f"{inside}</w:p>",
            parse_xml,
        )


def _fill(edge: Any, paragraph: str, parse_xml: Any) -> None:
    edge.is_linked_to_previous = False
    element = edge._element
    for old in list(element):
        element.remove(old)
    element.append(parse_xml(paragraph.replace("<w:p>", f"<w:p {NS}>", 1)))


def _same_bytes(data: bytes) -> bytes:
    """The package with fixed times, in one order, without the template's preview picture."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made,
    ):
        names = sorted(source.namelist(), key=lambda n: (n != "[Content_Types].xml", n))
        for name in names:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            made.writestr(entry, source.read(name))
    return target.getvalue()
