"""A DOCX says what its blocks say, as text only, on the page of GB/T 9704, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from defusedxml import ElementTree

from app.documents.charts import CaterpillarRow, caterpillar
from app.documents.docx import render_docx
from app.documents.docx_page import FALLBACKS
from app.domain.types import Text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
AT = datetime(2026, 11, 22, 3, 4, 5, 678, tzinfo=UTC)
HOSTILE = [
    "=HYPERLINK(\"http://evil\",\"x\")", '{ INCLUDETEXT "/etc/passwd" }', "</w:t></w:r><w:r><w:instrText>DATE",
    "&lt;w:fldChar/&gt; <b>粗</b>", "a\tb\nc", "喆堃镕珺龑",
]  # fmt: skip


def svg_rows() -> str:
    return caterpillar(
        [CaterpillarRow("甲县", Decimal("75.5"), Decimal("70"), Decimal("80"), "1")], None
    )


def blocks() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"kind": "centre", "text": Text("第 1 号", "No. 1")},
        {"kind": "heading", "level": 1, "text": Text("一、基本情况", "1. Basis")},
        {"kind": "heading", "level": 2, "text": "（一）依据"},
        {"kind": "heading", "level": 3, "text": "1. 条款"},
        *({"kind": "paragraph", "text": words} for words in HOSTILE),
        {"kind": "list", "items": HOSTILE[:2]},
        {"kind": "note", "text": HOSTILE[2]},
        {"kind": "facts", "rows": [{"label": HOSTILE[0], "value": {"hash": "ab" * 32}}]},
        {"kind": "table", "caption": HOSTILE[1], "note": "注",
         "columns": [{"title": "县", "align": "left", "width": "auto"}, {"title": HOSTILE[0]}],
         "rows": [["甲县", {"text": HOSTILE[0], "bold": True}], ["乙县", {"text": "61.5", "struck": True}]]},
        {"kind": "table", "caption": "空表", "columns": [{"title": "县"}], "rows": []},
        {"kind": "marks", "caption": "评分", "raters": ["专家1", {"label": "专家2"}],
         "items": [{"code": "A1", "title": "指标", "max": "10", "mean": "7.50",
                    "marks": [{"value": "9.5", "dropped": True}, {"absent": Text("缺席", "absent")}]}]},
        {"kind": "arithmetic", "lines": [{"text": "1 + 1 = 2"}]},
        {"kind": "agreement", "caption": "一致性", "rows": [
            {"name": "ICC(A,k)", "value": "0.91", "low": "0.80", "high": "0.96", "n": "6", "k": "7",
             "reading": "高"}]},
        {"kind": "chart", "svg": svg_rows(), "alt": Text("图的说明", "alt"), "caption": "图 1"},
        {"kind": "date", "text": "2026年11月22日"},
        {"kind": "break"},
    ]  # fmt: skip
    return made


def made(language: Any = "zh", **more: Any) -> bytes:
    given: dict[str, Any] = {
        "title": Text("第二届评选\n专家评审报告", "Second selection\nRating report"),
        "header": Text("工作稿", "Working copy"),
        "language": language,
        "published_at": AT,
    }
    return render_docx(blocks(), **{**given, **more})


@pytest.fixture(scope="module")
def parts() -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(made()))
    return {name: archive.read(name) for name in archive.namelist()}


def texts(xml: bytes) -> list[str]:
    """The text of every paragraph; a line break as a line feed."""
    found = []
    for paragraph in ElementTree.fromstring(xml).iter(f"{W}p"):
        bits = {f"{W}t": None, f"{W}br": "\n", f"{W}tab": "\t"}
        found.append(
            "".join(
                node.text or "" if bits[node.tag] is None else bits[node.tag]
                for node in paragraph.iter()
                if node.tag in bits
            )
        )
    return found


def test_every_text_stands_in_it_as_text(parts: dict[str, bytes]) -> None:
    said = texts(parts["word/document.xml"])
    for words in HOSTILE:
        assert words in said
    assert said[:2] == ["第二届评选\n专家评审报告", "第 1 号"]
    for words in (
        "61.5×",
        "9.5×",
        "缺席",
        "0.80 至 0.96",
        "空表：无。",
        "ab" * 32,
        "A1 指标",
        "图 1",
    ):
        assert words in said, words
    assert "No. 1" in texts(zipfile.ZipFile(io.BytesIO(made("en"))).read("word/document.xml"))


def test_there_is_no_field_link_macro_or_foreign_part(parts: dict[str, bytes]) -> None:
    body = parts["word/document.xml"].decode()
    for element in (
        "w:fldChar",
        "w:instrText",
        "w:fldSimple",
        "w:hyperlink",
        "w:object",
        "w:altChunk",
    ):
        assert f"<{element}" not in body
    footers = [name for name in parts if name.startswith("word/footer")]
    assert len(footers) == 2
    for name in footers:
        assert re.findall(rb"<w:instrText[^>]*>([^<]*)<", parts[name]) == [b" PAGE "]
    assert not any("vba" in name.lower() or name.endswith(".bin") for name in parts)
    for name, data in parts.items():
        if name.endswith(".rels"):
            assert b'TargetMode="External"' not in data, name


def test_the_page_and_the_fonts_are_those_of_the_standard(parts: dict[str, bytes]) -> None:
    body = parts["word/document.xml"].decode()
    margins = dict(re.findall(r'w:(\w+)="(\d+)"', re.search(r"<w:pgMar [^>]+>", body)[0]))  # type: ignore[index]
    twips = {"top": 37, "left": 28, "right": 26, "bottom": 35}
    for side, millimetres in twips.items():
        assert abs(int(margins[side]) * 25.4 / 1440 - millimetres) < 0.05
    assert 'w:linePitch="579"' in body
    styles = parts["word/styles.xml"].decode()
    for font in ("仿宋_GB2312", "楷体_GB2312", "黑体", "方正小标宋简体"):
        assert f'w:eastAsia="{font}"' in styles
    table = parts["word/fontTable.xml"].decode()
    for font, others in FALLBACKS.items():
        assert f'<w:font w:name="{font}"><w:altName w:val="{others}"/>' in table
    assert "evenAndOddHeaders" in parts["word/settings.xml"].decode()
    headers = [texts(data) for name, data in parts.items() if name.startswith("word/header")]
    assert headers == [["工作稿"], ["工作稿"]]


def test_a_dropped_mark_is_struck_and_a_head_row_repeats(parts: dict[str, bytes]) -> None:
    body = parts["word/document.xml"].decode()
    assert re.search(r"<w:strike/></w:rPr><w:t[^>]*>9\.5<", body)
    assert re.search(r"<w:strike/></w:rPr><w:t[^>]*>61\.5<", body)
    assert body.count("<w:tblHeader/>") == 3  # the facts have no head


def test_a_chart_is_kept_as_svg_with_a_picture_and_words_beside(parts: dict[str, bytes]) -> None:
    assert parts["word/media/chart1.svg"].decode() == svg_rows()
    pictures = [name for name in parts if name.endswith(".png")]
    assert len(pictures) == 1 and parts[pictures[0]].startswith(b"\x89PNG")
    body = parts["word/document.xml"].decode()
    assert 'descr="图的说明"' in body and "asvg:svgBlip" in body and "\ue000" not in body


def test_two_renders_are_byte_equal_and_bear_no_clock() -> None:
    one = made()
    assert one == made()
    archive = zipfile.ZipFile(io.BytesIO(one))
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    core = archive.read("docProps/core.xml").decode()
    assert re.findall(r"2\d{3}-\d\d-\d\dT[\d:]+Z", core) == ["2026-11-22T03:04:05Z"] * 2
    assert made(header=Text("别的", "other")) != one


def test_bad_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        made(published_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="unknown block kind"):
        render_docx(
            [{"kind": "field"}], title=Text("a", "a"), header=Text("b", "b"), language="zh",
            published_at=AT,
        )  # fmt: skip


def test_a_very_long_chart_fits_the_page() -> None:
    rows = [CaterpillarRow(f"县{n}", Decimal(n), None, None, str(n)) for n in range(148)]
    data = render_docx(
        [{"kind": "chart", "svg": caterpillar(rows, None), "alt": "a", "caption": "c"}],
        title=Text("a", "a"), header=Text("b", "b"), language="zh", published_at=AT,
    )  # fmt: skip
    body = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
    extent = re.search(r'<wp:extent cx="(\d+)" cy="(\d+)"', body)
    assert extent is not None
    wide, high = (int(v) / 36000 for v in extent.groups())
    assert high <= 205.5 and wide < 156
