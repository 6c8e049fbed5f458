"""The page, the styles and the font names of a DOCX after GB/T 9704-2012.

The standard's fonts are commercial and not enclosed: they are named first, and the font table names
those that take their place where they are missing (ECMA-376 part 1, 17.8.3.1 altName).
"""

from __future__ import annotations

from typing import Any

from app.domain.types import Language

NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_BODY, _KAI, _HEI, _TITLE = "仿宋_GB2312", "楷体_GB2312", "黑体", "方正小标宋简体"
_LATIN = "Times New Roman"
FALLBACKS = {
    _BODY: "FangSong,仿宋,STFangsong,FandolFang,Noto Serif CJK SC",
    _KAI: "KaiTi,楷体,STKaiti,FandolKai,Noto Serif CJK SC",
    _HEI: "SimHei,STHeiti,Noto Sans CJK SC,WenQuanYi Micro Hei",
    _TITLE: "FZXiaoBiaoSong-B05S,STZhongsong,华文中宋,Noto Serif CJK SC",
    _LATIN: "Liberation Serif,Tinos,Nimbus Roman",
}
# style id -> (font of hanzi, half-points zh, half-points en, bold, paragraph properties zh, en)
_EXACT = '<w:spacing w:before="0" w:after="0" w:line="579" w:lineRule="exact"/>'
_LOOSE = '<w:spacing w:before="60" w:after="60" w:line="300" w:lineRule="auto"/>'
_TIGHT = (
    '<w:snapToGrid w:val="0"/><w:spacing w:before="0" w:after="0" w:line="240" w:lineRule="auto"/>'
)
_INDENT = '<w:ind w:firstLineChars="200" w:firstLine="640"/>'
_STYLES: dict[str, tuple[str, int, int, bool, str, str]] = {
    "MJTitle": (_TITLE, 44, 36, False,
                '<w:keepNext/><w:spacing w:before="0" w:after="400" w:line="640" w:lineRule="exact"/><w:jc w:val="center"/>',
                '<w:keepNext/><w:spacing w:before="0" w:after="240"/><w:jc w:val="center"/>'),
    "MJBody": (_BODY, 32, 24, False, _EXACT + _INDENT + '<w:jc w:val="both"/>', _LOOSE),
    "MJCentre": (_BODY, 32, 24, False, _EXACT + '<w:jc w:val="center"/>', _LOOSE + '<w:jc w:val="center"/>'),
    "MJDate": (_BODY, 32, 24, False, '<w:spacing w:before="579" w:after="0" w:line="579" w:lineRule="exact"/>'
               '<w:ind w:rightChars="400" w:right="1280"/><w:jc w:val="right"/>', _LOOSE + '<w:jc w:val="right"/>'),
    "Heading1": (_HEI, 32, 26, False, "<w:keepNext/>" + _EXACT + _INDENT + '<w:outlineLvl w:val="0"/>',
                 '<w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="0"/>'),
    "Heading2": (_KAI, 32, 24, True, "<w:keepNext/>" + _EXACT + _INDENT + '<w:outlineLvl w:val="1"/>',
                 '<w:keepNext/><w:spacing w:before="160" w:after="60"/><w:outlineLvl w:val="1"/>'),
    "Heading3": (_BODY, 32, 24, False, "<w:keepNext/>" + _EXACT + _INDENT + '<w:outlineLvl w:val="2"/>',
                 '<w:keepNext/><w:spacing w:before="120" w:after="60"/><w:outlineLvl w:val="2"/>'),
    "MJCaption": (_HEI, 21, 20, False, '<w:keepNext/><w:snapToGrid w:val="0"/><w:spacing w:before="160" w:after="80"/><w:jc w:val="center"/>',
                  '<w:keepNext/><w:spacing w:before="160" w:after="80"/><w:jc w:val="center"/>'),
    "MJCell": (_BODY, 21, 19, False, _TIGHT, _TIGHT),
    "MJSmall": (_BODY, 17, 16, False, _TIGHT, _TIGHT),
    "MJNote": (_BODY, 18, 17, False, '<w:snapToGrid w:val="0"/><w:spacing w:before="60" w:after="60" w:line="260" w:lineRule="auto"/>',
               '<w:spacing w:before="60" w:after="60"/>'),
    "MJLine": (_BODY, 21, 20, False, '<w:snapToGrid w:val="0"/><w:spacing w:before="20" w:after="20" w:line="280" w:lineRule="auto"/><w:ind w:left="210" w:hanging="210"/>',
               '<w:spacing w:before="20" w:after="20"/><w:ind w:left="210" w:hanging="210"/>'),
    "MJHeader": (_HEI, 17, 16, False, '<w:snapToGrid w:val="0"/><w:jc w:val="center"/>', '<w:jc w:val="center"/>'),
    "MJFooter": ("宋体", 28, 28, False, '<w:snapToGrid w:val="0"/>', '<w:snapToGrid w:val="0"/>'),
}  # fmt: skip


def set_page(document: Any, language: Language) -> None:
    """A4, margins 37/28/26/35 mm, so 156 x 225 mm of type: 22 lines of 28 characters."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header_distance, section.footer_distance = Mm(22), Mm(24)
    properties = section._sectPr
    for old in properties.findall(qn("w:docGrid")):
        properties.remove(old)
    if language != "en":
        properties.append(parse_xml(f'<w:docGrid {NS} w:type="lines" w:linePitch="579"/>'))


def set_styles(document: Any, language: Language) -> None:
    """Every style written whole, so that nothing comes from the program's own template."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn

    styles = document.styles.element
    english = language == "en"
    for old in list(styles.findall(qn("w:style"))):
        if old.get(qn("w:styleId")) not in ("Normal", "DefaultParagraphFont", "TableNormal"):
            styles.remove(old)
    defaults = styles.find(qn("w:docDefaults"))
    lang = "en-GB" if english else "zh-CN"
    styles.replace(
        defaults,
        parse_xml(
            f"<w:docDefaults {NS}><w:rPrDefault><w:rPr>{_fonts(_BODY)}"
            f"{_size(24 if english else 32)}"
            f'<w:lang w:val="{lang}" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault>'
            "<w:pPrDefault/></w:docDefaults>"
        ),
    )
    for style in styles.findall(qn("w:style")):
        if style.get(qn("w:styleId")) == "Normal":
            for old in style.findall(qn("w:rPr")):
                style.remove(old)
            # The grid counts from this size (17.6.5), so it is that of the text.
            style.append(
                parse_xml(f"<w:rPr {NS}>{_fonts(_BODY)}{_size(24 if english else 32)}</w:rPr>")
            )
    for name, (font, zh, en, bold, of_zh, of_en) in _STYLES.items():
        size = en if english else zh
        weight = "<w:b/>" if bold or (english and name in ("MJTitle", "Heading1")) else ""
        # 28 characters of 16 pt to 442.2 pt of line: 0.25 pt less each. Not by a character grid,
        # which some programs fill with two cells a character.
        tight = '<w:spacing w:val="-5"/>' if not english and zh == 32 else ""
        shown = f"heading {name[-1]}" if name.startswith("Heading") else name
        styles.append(
            parse_xml(
                f'<w:style {NS} w:type="paragraph" w:styleId="{name}"><w:name w:val="{shown}"/>'
                f'<w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>{of_en if english else of_zh}</w:pPr>'
                f"<w:rPr>{_fonts(font)}{weight}{tight}{_size(size)}</w:rPr>"
                "</w:style>"
            )
        )
    table = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/></w:font>'
        for name, others in FALLBACKS.items()
    )
    for part in document.part.package.iter_parts():
        if str(part.partname) == "/word/fontTable.xml":
            part._blob = (
                '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
                f"<w:fonts {NS}>{table}</w:fonts>"
            ).encode()


def _fonts(hanzi: str) -> str:
    return f'<w:rFonts w:ascii="{_LATIN}" w:hAnsi="{_LATIN}" w:eastAsia="{hanzi}" w:cs="{_LATIN}"/>'


def _size(half_points: int) -> str:
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'
