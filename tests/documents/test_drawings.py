"""Charts and QR codes: valid XML, CSP-proof, truthful, readable without colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
import qrcode

from app.documents.charts import (
    CaterpillarRow,
    DotMark,
    DotRow,
    ProbabilityRow,
    StratumRow,
    caterpillar,
    dot_strip,
    probability_bars,
    strata_bars,
)
from app.documents.pdf import render_pdf
from app.documents.qr import qr_svg
from app.domain.types import DomainError

SVG = "{http://www.w3.org/2000/svg}"
EVIL = 'a"b<script>alert(1)</script>&'

STRIP = [
    DotRow("甲山县", [DotMark(Decimal(v), v in ("70.00", "95.00"), f"A{n}") for n, v in enumerate(["70.00", "80.00", "80.00", "80.10", "95.00"])], Decimal("80.03")),
    DotRow(EVIL, [], None),
]  # fmt: skip
CATERPILLAR = [
    CaterpillarRow("甲", Decimal("88.00"), Decimal("85"), Decimal("90"), "1"),
    CaterpillarRow("乙", Decimal("80.00"), None, None, "2"),
    CaterpillarRow(EVIL, Decimal("70.00"), Decimal("65"), Decimal("74"), "3"),
]
STRATA = [StratumRow("土地", 30, 10, 20, 3), StratumRow(EVIL, 0, 0, 0, 0)]
CHANCES = [ProbabilityRow("高校", Fraction(1, 8), 24), ProbabilityRow(EVIL, Decimal("0.01245"), 1)]
ALL = {
    "dots": lambda language: dot_strip(STRIP, language=language),
    "caterpillar": lambda language: caterpillar(CATERPILLAR, Decimal("80.00"), language=language),
    "strata": lambda language: strata_bars(STRATA, language=language),
    "chances": lambda language: probability_bars(CHANCES, language=language),
    "no dots": lambda language: dot_strip([], language=language),
    "no rows": lambda language: caterpillar([], None, language=language),
    "no strata": lambda language: strata_bars([], language=language),
    "no chances": lambda language: probability_bars([], language=language),
    "qr": lambda language: qr_svg("https://example.invalid/?a=1&b=<2>", alt="核验"),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_xml_is_valid_safe_inline_and_in_typst(name: str, language: str) -> None:
    svg = ALL[name](language)
    root = ET.fromstring(svg)
    assert (
        root.tag == SVG + "svg" and root.get("viewBox") and root.get("width") and root.get("height")
    )
    assert root.get("role") == "img"
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            "svg",
            "title",
            "rect",
            "circle",
            "line",
            "path",
            "text",
        }
        for attribute in element.attrib:
            assert attribute not in ("style", "id", "class", "href") and not attribute.startswith(
                "on"
            )
    assert "url(" not in svg and "@font-face" not in svg
    assert not re.search(r'="-?(nan|inf)', svg)
    if language == "en" and name != "qr":
        own = re.sub(r"甲山县|甲|乙|土地|高校", "", "".join(root.itertext()))
        assert not re.search(r"[\u4e00-\u9fff]", own)
    block = {"kind": "chart", "svg": svg, "alt": "图", "caption": "图"}
    data = {"title": "图", "paragraphs": [block], "signatures": []}
    assert render_pdf("letter", data, published_at=datetime(2012, 1, 1, tzinfo=UTC))


def test_dropped_marks_are_hollow_and_struck_and_no_dot_hides_another() -> None:
    root = ET.fromstring(dot_strip(STRIP[:1]))
    dots = [c for c in root.iter(SVG + "circle") if float(c.get("cy", "0")) < 48]
    assert len(dots) == 5
    assert [d.get("fill") == "#ffffff" for d in dots] == [True, False, False, False, True]
    assert len({(d.get("cx"), d.get("cy")) for d in dots}) == 5
    strokes = [ln for ln in root.iter(SVG + "line") if ln.get("stroke") == "#a11212"]
    assert len(strokes) == 3  # two dropped marks and the legend
    xs = [float(d.get("cx", "0")) for d in dots]
    assert xs[1] == xs[2] < xs[3] < xs[4] and xs[0] < xs[1]
    assert "80.03" in "".join(root.itertext())


def test_caterpillar_fills_on_and_above_the_cut_only() -> None:
    root = ET.fromstring(caterpillar(CATERPILLAR, Decimal("80.00")))
    fills = [p.get("fill") for p in root.iter(SVG + "path")]
    assert [f == "#ffffff" for f in fills] == [False, False, True]
    assert "80.00" in "".join(root.itertext())
    assert any(ln.get("stroke-dasharray") for ln in root.iter(SVG + "line"))


def test_strata_lengths_follow_the_numbers() -> None:
    root = ET.fromstring(strata_bars(STRATA))
    solid, striped = [r for r in root.iter(SVG + "rect") if r.get("height") == "14"]
    assert float(solid.get("width", "0")) == pytest.approx(
        2 * float(striped.get("width", "0")), abs=0.1
    )
    seats = [r for r in root.iter(SVG + "rect") if r.get("height") == "6"]
    assert len(seats) == 3 + 1
    assert "在库 30 = 排除 10 + 合格 20；名额 3" in "".join(root.itertext())


def test_probabilities_are_rounded_half_up() -> None:
    words = "".join(ET.fromstring(probability_bars(CHANCES)).itertext())
    assert "12.50%  24 人" in words and "1.25%  1 人" in words


def test_qr_draws_exactly_the_modules_of_the_code() -> None:
    text = "https://example.invalid/check/0123456789abcdef"
    root = ET.fromstring(qr_svg(text, alt="核验"))
    size = int((root.get("viewBox") or "").split()[2])
    drawn = [[False] * size for _ in range(size)]
    for x, y, w in re.findall(r"M(\d+) (\d+)h(\d+)v1", root.find(SVG + "path").get("d", "")):  # type: ignore[union-attr]
        for i in range(int(x), int(x) + int(w)):
            drawn[int(y)][i] = True
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    assert drawn == [[bool(c) for c in row] for row in code.get_matrix()]
    assert root.findtext(SVG + "title") == "核验"


def test_qr_too_long_is_one_clear_error() -> None:
    assert qr_svg("x" * 2300)
    with pytest.raises(DomainError, match="过长"):
        qr_svg("x" * 3000)
