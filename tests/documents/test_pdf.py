"""Papers: layout of GB/T 9704-2012, determinism, extractable figures, inert input."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest

from app.documents import pdf as pdf_module
from app.documents.pdf import DocumentError, clean_text, render_pdf, undrawable
from app.domain.types import DomainError, Text
from tests.documents import fixtures

WHEN = datetime(2012, 11, 6, 9, 30, tzinfo=UTC)
PAPERS: dict[str, tuple[str, Any]] = {
    "report zh": ("report", fixtures.report),
    "report en": ("report", lambda: fixtures.report("en", False)),
    "slip zh": ("draw_slip", fixtures.draw_slip),
    "slip en": ("draw_slip", lambda: fixtures.draw_slip("en")),
    "sheet": ("sheet", fixtures.sheet),
    "letter zh": ("letter", fixtures.letter),
    "letter en": ("letter", lambda: fixtures.letter("en")),
    "list wide": ("list", fixtures.listing),
    "list tall": ("list", lambda: fixtures.listing("portrait")),
}


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def letter(*paragraphs: Any, **more: Any) -> dict[str, Any]:
    return {
        "language": "zh",
        "title": "测试",
        "drill": False,
        "signatures": [],
        "paragraphs": list(paragraphs),
        **more,
    }


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_is_archived_tagged_and_titled(name: str) -> None:
    template, make = PAPERS[name]
    data = make()
    pdf = render_pdf(template, data, published_at=WHEN)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert root["/Lang"] == ("en-GB" if data["language"] == "en" else "zh-CN")
    assert root["/MarkInfo"]["/Marked"]
    title = data["title"] if isinstance(data["title"], str) else data["title"][data["language"]]
    assert reader.metadata is not None and reader.metadata.title == title
    width, height = (float(v) for v in reader.pages[0].mediabox[2:])
    wide = name == "list wide"
    assert (round(width), round(height)) == ((842, 595) if wide else (595, 842))


def test_same_bytes_in_other_processes_zones_and_hash_seeds(tmp_path: Path) -> None:
    code = (
        "import sys,hashlib;from datetime import datetime,UTC;"
        "from app.documents.pdf import render_pdf;from tests.documents import fixtures as f;"
        "w=datetime(2012,11,6,9,30,tzinfo=UTC);"
        "print(*(hashlib.sha256(render_pdf(t,d,published_at=w)).hexdigest() "
        "for t,d in (('report',f.report()),('draw_slip',f.draw_slip()))))"
    )
    here = Path(pdf_module.__file__).parents[2]
    outputs = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(here)}
        outputs.add(
            subprocess.run(
                [sys.executable, "-c", code],
                env=environment,
                cwd=tmp_path,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        )
    mine = " ".join(
        hashlib.sha256(render_pdf(t, d, published_at=WHEN)).hexdigest()
        for t, d in (("report", fixtures.report()), ("draw_slip", fixtures.draw_slip()))
    )
    assert outputs == {mine}


def test_the_moment_counts_not_its_zone() -> None:
    beijing = WHEN.astimezone(timezone(timedelta(hours=8)))
    one = render_pdf("letter", letter("甲"), published_at=WHEN)
    assert render_pdf("letter", letter("甲"), published_at=beijing) == one
    assert render_pdf("letter", letter("甲"), published_at=WHEN + timedelta(days=1)) != one
    with pytest.raises(ValueError, match="time zone"):
        render_pdf("letter", letter("甲"), published_at=datetime(2012, 11, 6))


def test_page_holds_22_lines_of_28_characters() -> None:
    pdf = render_pdf("letter", letter("国" * (28 * 60)), published_at=WHEN)
    lines = [[x for x in p.split("\n") if "国" in x] for p in pages(pdf)]
    assert len(lines[1]) == 22
    assert {len(x) for x in lines[1]} == {28}
    assert sum(x.count("国") for p in lines for x in p) == 28 * 60


def test_margins_and_page_numbers() -> None:
    pdf = render_pdf("letter", letter("国" * (28 * 60)), published_at=WHEN)
    millimetre = 72 / 25.4
    for number, page in enumerate(pypdf.PdfReader(io.BytesIO(pdf)).pages, 1):
        found: list[tuple[str, float, float]] = []

        def visit(text: str, cm: Any, tm: Any, _font: Any, _size: Any, found: Any = found) -> None:
            if text.strip():
                x = tm[4] * cm[0] + cm[4]
                y = tm[5] * cm[3] + cm[5]
                found.append((text.strip(), x, y))

        page.extract_text(visitor_text=visit)
        body = [f for f in found if "国" in f[0]]
        assert min(f[1] for f in body) == pytest.approx(28 * millimetre, abs=1.0)
        # the first body line hangs from the top margin: its baseline lies about 0.8 em below
        if number > 1:
            assert max(f[2] for f in body) == pytest.approx(842 - 37 * millimetre - 12.8, abs=2.0)
        label = [f for f in found if str(number) in f[0] and "国" not in f[0]]
        assert label, found[-3:]
        assert (label[-1][1] > 297) == (number % 2 == 1)
        assert f"— {number} —" in page.extract_text()


@pytest.mark.parametrize("rows", [1, 40, 400])
@pytest.mark.parametrize("orientation", ["portrait", "landscape"])
def test_no_row_of_a_long_table_is_lost_and_headers_repeat(rows: int, orientation: str) -> None:
    pdf = render_pdf("list", fixtures.listing(orientation, rows), published_at=WHEN)
    texts = pages(pdf)
    found = re.findall(r"R(\d{4})", "\n".join(texts))
    assert found == [f"{n:04d}" for n in range(1, rows + 1)]
    assert all("序号" in t for t in texts if re.search(r"R\d{4}", t))


def test_rows_do_not_lie_on_top_of_each_other() -> None:
    block = {
        "kind": "table",
        "caption": "长表",
        "columns": [{"title": "号"}, {"title": "值"}],
        "rows": [[f"R{n:03d}", "x"] for n in range(150)],
    }
    pdf = render_pdf("letter", letter(block), published_at=WHEN)
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        heights: list[float] = []

        def visit(
            text: str, cm: Any, tm: Any, _font: Any, _size: Any, heights: Any = heights
        ) -> None:
            if re.match(r"R\d{3}", text.strip()):
                heights.append(tm[5] * cm[3] + cm[5])

        page.extract_text(visitor_text=visit)
        assert all(35 * 2.83 < y < 842 - 37 * 2.83 for y in heights)
        assert all(abs(a - b) > 10 for a, b in zip(heights, heights[1:], strict=False))


def test_every_score_can_be_recomputed_from_the_text_of_the_report() -> None:
    text = "\n".join(pages(render_pdf("report", fixtures.report(), published_at=WHEN)))
    totals = []
    for name in fixtures.COUNTIES:
        part = text.split(f"{name} 各专家评分")[1].split("综合得分：")[0]
        rows = re.findall(r"^(A\d) (\S+) (\S+)$", part, re.M)
        assert [r[0] for r in rows] == fixtures.RATERS
        means = []
        for stage in (1, 2):
            cells = [r[stage] for r in rows]
            counted = [Decimal(c) for c in cells if re.fullmatch(r"\d+\.\d\d", c)]
            dropped = [Decimal(c[:-1]) for c in cells if c.endswith("×")]
            assert len(dropped) == 2 and min(dropped) <= min(counted)
            assert max(dropped) >= max(counted)
            means.append(fixtures.half_up(sum(counted) / len(counted)))
        assert f"计入均值 {means[0]} {means[1]}" in part
        totals.append(fixtures.half_up(means[0] * Decimal("0.6") + means[1] * Decimal("0.4")))
        assert f"{means[0]} × 0.60 + {means[1]} × 0.40 = {totals[-1]}" in text
    ranking = text.split("综合得分与排序")[1]
    for county, name in enumerate(fixtures.COUNTIES):
        assert re.search(rf"\d {name} \S+ \S+ {totals[county]} ", ranking)
    assert text.count("缺席") >= 2  # the note and the cell: an absence is words, never 0


def test_item_marks_carry_their_rater_in_the_cell() -> None:
    data = fixtures.report()
    text = "\n".join(pages(render_pdf("report", data, published_at=WHEN)))
    block = data["annexes"][0]["blocks"][0]
    for item in block["items"]:
        row = text.split(f"{item['code']} 节约")[1].split("节约集约用地")[0]
        wanted = [
            f"{r} {m['value']}{'×' if m['dropped'] else ''}"
            for r, m in zip(block["raters"], item["marks"], strict=True)
        ]
        assert re.findall(r"A\d \d+\.\d×?", row) == wanted


def test_hash_is_one_unbroken_word_in_the_text() -> None:
    for template, data in (("report", fixtures.report()), ("draw_slip", fixtures.draw_slip())):
        text = "\n".join(pages(render_pdf(template, data, published_at=WHEN)))
        assert fixtures.HEAD in text
        assert "\u200b" not in text


def test_rehearsal_is_on_every_page_and_only_there() -> None:
    drill = pages(render_pdf("report", fixtures.report(), published_at=WHEN))
    assert all("演练文书" in p for p in drill)
    real = pages(render_pdf("report", fixtures.report(drill=False), published_at=WHEN))
    assert not any("演练文书" in p or "DRILL" in p for p in real)


def test_english_edition_has_no_chinese_of_its_own() -> None:
    """Every word that a template adds is English when the data are."""
    empty = {
        k: []
        for k in (
            "basis", "procedure", "qualification", "materials", "site",
            "scores", "achievements", "problems", "conclusion", "dissent",
        )
    }  # fmt: skip
    mark = {"value": "8.0", "dropped": True}
    blocks = [
        {"kind": "marks", "by": by, "caption": "Marks", "raters": [{"label": "A1", "status": "ok"}], "items": [
            {"title": "Use", "max": "10", "marks": [mark], "present": "1", "counted": "0", "mean": "8.0"}]}
        for by in ("raters", "items")
    ] + [
        {"kind": "agreement", "rows": [{"name": "ICC", "value": "1", "low": "0", "high": "1", "reading": "r"}]},
        {"kind": "arithmetic", "lines": [{"label": "Sum", "expression": "1 + 1", "result": "2"}]},
        {"kind": "table", "caption": "Empty", "columns": [{"title": "A"}], "rows": []},
    ]  # fmt: skip
    ledger = {**fixtures.ledger(), "time": "now"}
    report = {
        "language": "en", "title": "Report", "drill": True, "sections": {**empty, "scores": blocks},
        "annexes": [{"title": "More", "blocks": []}], "signatures": [{"role": "Leader"}], "ledger": ledger,
    }  # fmt: skip
    slip = {
        "language": "en", "title": "Slip", "drill": True, "facts": [{"label": "a", "value": "b"}],
        "strata": [], "exclusions": [], "sources": [], "drawn": [{"no": "1", "name": "A", "ticket": "0"}],
        "reserves": [], "calls": [], "replacements": [], "verify": [], "signatures": [], "ledger": ledger,
    }  # fmt: skip
    sheet = {
        "language": "en", "title": "Sheet", "facts": [{"label": "a", "value": "b"}], "deductions": [],
        "sections": [{"title": "s", "subtotal": "1", "max": "2", "items": [{"code": "1", "title": "t", "max": "2", "score": "1"}]}],
        "total": {"digits": "1", "words": "one", "formula": "1"}, "signatures": [],
    }  # fmt: skip
    note = letter("Text", language="en", title="Letter", recipient="Office", attachments=["a", "b"])
    note["checklist"] = [{"checked": True, "text": "t"}]
    listing = {
        "language": "en", "title": "List", "orientation": "portrait",
        "columns": [{"title": "A"}], "rows": [["b"]], "signatures": [],
    }  # fmt: skip
    for template, data in (
        ("report", report), ("draw_slip", slip), ("sheet", sheet), ("letter", note), ("list", listing)
    ):  # fmt: skip
        text = "\n".join(pages(render_pdf(template, data, published_at=WHEN)))
        assert re.findall(r"[\u3000-\u9fff\uff00-\uffef]+", text) == [], template


INJECTIONS = [
    '#panic("x")', "#read(\"base.typ\")", "$x^2$", "*b* _i_", "@ref", "<label>", "// gone", "/* gone */",
    "#{1+1}", "\\u{41}", "`raw`", "= Heading", "- item", "#include \"base.typ\"", "#eval(\"1+1\")", "]#[", "~", "---",
]  # fmt: skip


@pytest.mark.parametrize("words", INJECTIONS)
def test_typed_text_is_printed_literally(words: str) -> None:
    everywhere = letter(words, {"heading": words}, {"kind": "list", "items": [words]}, title=words)
    everywhere["recipient"] = words
    everywhere["checklist"] = [{"checked": False, "text": words, "detail": words}]
    everywhere["signatures"] = [{"role": words, "name": words, "note": words}]
    text = re.sub(r"\s", "", "".join(pages(render_pdf("letter", everywhere, published_at=WHEN))))
    assert text.count(re.sub(r"\s", "", words)) >= 8


def test_a_character_without_glyph_is_named_with_its_place() -> None:
    with pytest.raises(DomainError) as refused:
        render_pdf("letter", letter("好", "𠮷野"), published_at=WHEN)
    assert "𠮷（U+20BB7）" in refused.value.text.zh and "𠮷 (U+20BB7)" in refused.value.text.en
    assert refused.value.field == "paragraphs[1]"


def test_svg_text_is_checked_too() -> None:
    block = {"kind": "chart", "svg": "<svg>𠮷</svg>", "alt": "a", "caption": "c"}
    with pytest.raises(DomainError, match="𠮷"):
        render_pdf("letter", letter(block), published_at=WHEN)


def test_typst_itself_would_refuse_what_the_list_of_characters_missed(monkeypatch: Any) -> None:
    """The list and the fonts agree; were the list wrong, the standard still stops the box."""
    monkeypatch.setattr(pdf_module, "undrawable", lambda _text: [])
    with pytest.raises(DocumentError, match="𠮷|20BB7|glyph"):
        render_pdf("letter", letter("𠮷野"), published_at=WHEN)


def test_all_listed_characters_can_be_drawn() -> None:
    from app.documents.characters import _drawable

    skip = set("\n\t")
    words = "".join(sorted(_drawable() - skip))
    assert len(words) > 13_000
    pdf = render_pdf(
        "letter",
        letter(*[words[i : i + 500] for i in range(0, len(words), 500)]),
        published_at=WHEN,
    )
    assert pdf.startswith(b"%PDF")


def test_rare_names() -> None:
    assert undrawable("龑喆堃镕珺昇陳龍囍〇·") == []
    assert undrawable("𠮷a𠮷龘") == ["𠮷", "龘"]


def test_clean_text() -> None:
    assert clean_text("a\x00\x07b\r\nc\td\ue000\u202eе\ufeff") == "ab\nc\tdе"
    pdf = render_pdf("letter", letter("甲\x00\x07\ue000乙\u202e"), published_at=WHEN)
    assert "甲乙" in pages(pdf)[0]


def test_line_feeds_in_typed_text_are_kept() -> None:
    lines = pages(render_pdf("letter", letter("第一行\n第二行"), published_at=WHEN))[0].split("\n")
    assert any(x.strip() == "第一行" for x in lines) and any(x.strip() == "第二行" for x in lines)


def test_faults_of_the_caller_are_loud() -> None:
    with pytest.raises(DocumentError, match="no template"):
        render_pdf("../pdf", {}, published_at=WHEN)
    incomplete = fixtures.report()
    del incomplete["sections"]["dissent"]
    with pytest.raises(DocumentError, match="dissent"):
        render_pdf("report", incomplete, published_at=WHEN)
    with pytest.raises(TypeError, match="float"):
        render_pdf("letter", letter(0.1), published_at=WHEN)
    ragged = fixtures.report()
    ragged["sections"]["materials"][0]["items"][0]["marks"].pop()
    with pytest.raises(DocumentError, match="6 marks for 7 raters"):
        render_pdf("report", ragged, published_at=WHEN)
    with pytest.raises(DocumentError, match="unknown block kind"):
        render_pdf("letter", letter({"kind": "marquee"}), published_at=WHEN)


def test_a_warning_is_an_error(monkeypatch: Any) -> None:
    real = pdf_module._template

    def with_unknown_font(name: str) -> bytes:
        return real(name).replace(
            b'"Mingjian Serif SC", ', b'"No Such Font", "Mingjian Serif SC", '
        )

    monkeypatch.setattr(pdf_module, "_template", with_unknown_font)
    with pytest.raises(DocumentError, match="no such font"):
        render_pdf("letter", letter("甲"), published_at=WHEN)


def test_text_pairs_and_decimals_are_taken() -> None:
    data = letter(
        Text("中文", "English"), Decimal("87.50"), language="en", title=Text("题", "Title")
    )
    text = pages(render_pdf("letter", data, published_at=WHEN))[0]
    assert "English" in text and "87.50" in text and "中文" not in text


def test_a_letter_needs_no_signatures() -> None:
    unsigned = letter("甲")
    del unsigned["signatures"]
    assert render_pdf("letter", unsigned, published_at=WHEN) == render_pdf(
        "letter", letter("甲"), published_at=WHEN
    )


def test_an_english_discipline_stays_inside_its_column_of_the_slip() -> None:
    data = fixtures.draw_slip("en")
    for person in data["drawn"]:
        del person["phone"]
        person |= {"no": "SITE-1", "stratum": "Management", "pseudonym": "Pbfdb855e"}
        person["discipline"] = "Agriculture"
    pdf = render_pdf("draw_slip", data, published_at=WHEN)
    pages = [
        p.extract_text(extraction_mode="layout") for p in pypdf.PdfReader(io.BytesIO(pdf)).pages
    ]
    printed = "\n".join(pages)
    assert len(re.findall(r"Agriculture +[0-9a-f]{16}", printed)) == len(data["drawn"])
