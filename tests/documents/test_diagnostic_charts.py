"""Charts of ranks and raters: valid, safe, truthful, and readable without colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from app.documents.charts_mandel import MandelBar, MandelBlock, mandel_bars
from app.documents.charts_ranks import ChanceRow, RankRow, percent, rank_intervals, top_chances
from app.documents.charts_raters import (
    ForestRow,
    HeatCell,
    HeatRow,
    heat_map,
    severity_forest,
    signed,
)

SVG = "{http://www.w3.org/2000/svg}"
EVIL = 'a"b<script>alert(1)</script>&'

RANKS = [
    RankRow("甲山县", 1, 1, 2, "in", "Ⅰ类"),
    RankRow("乙水县", 2, 1, 4, "borderline", "Ⅰ类"),
    RankRow(EVIL, 1, 1, 1, "out", "Ⅱ类"),
]
CHANCES = [
    ChanceRow("甲山县", 0.999, 1.0, "in"),
    ChanceRow("乙水县", 0.5, 0.25, "borderline"),
    ChanceRow(EVIL, 0.0004, None, "out"),
]
HEAT = [
    HeatRow("甲山县", [HeatCell(-4.26, dropped=True), HeatCell(0.31), HeatCell(2.4)]),
    HeatRow(EVIL, [HeatCell(None, words="回避"), HeatCell(-0.04), HeatCell(9.0, dropped=True)]),
]
FOREST = [
    ForestRow("专家 1", -2.5, 0.8),
    ForestRow("专家 2", 0.4, 0.9),
    ForestRow(EVIL, None, words="不足"),
]
BLOCKS = [
    MandelBlock("专家 1", [MandelBar("A1", -2.2, 2), MandelBar("A2", 1.8, 1)]),
    MandelBlock(EVIL, [MandelBar("A1", 0.3, 0), MandelBar("A2", -0.1, 0)]),
]
SCATTER = [MandelBlock("专家 1", [MandelBar("A1", 2.2, 2), MandelBar("A2", 1.8, 1)])]
ALL: dict[str, Callable[[Any], str]] = {
    "ranks": lambda language: rank_intervals(RANKS, 1, language=language),
    "ranks without a cut": lambda language: rank_intervals(RANKS, None, language=language),
    "no ranks": lambda language: rank_intervals([], None, language=language),
    "chances": lambda language: top_chances(CHANCES, 2, language=language),
    "heat": lambda language: heat_map(HEAT, ["1", "2", EVIL], 1.5, language=language),
    "no heat": lambda language: heat_map([], [], 0.0, language=language),
    "forest": lambda language: severity_forest(FOREST, language=language),
    "no forest": lambda language: severity_forest([], language=language),
    "h": lambda language: mandel_bars(BLOCKS, (1.7, 2.0), "h", language=language),
    "k": lambda language: mandel_bars(SCATTER, (1.7, 2.0), "k", language=language),
    "no bars": lambda language: mandel_bars([], (1.7, 2.0), "h", language=language),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_valid_safe_inline_and_within_the_frame(name: str, language: str) -> None:
    svg = ALL[name](language)
    root = ET.fromstring(svg)
    assert root.get("role") == "img" and root.find(f"{SVG}title") is not None
    assert "<script" not in svg and "style=" not in svg and " id=" not in svg and "url(" not in svg
    assert "nan" not in svg and "inf" not in svg
    width, height = (float(v) for v in (root.get("viewBox") or "").split()[2:])
    for shape in root:
        for key, most in (("x", width), ("y", height), ("cx", width), ("cy", height)):
            value = float(shape.get(key, "0"))
            assert -0.01 <= value <= most + 0.01, (shape.tag, key, value)
    assert ALL[name](language) == svg


@pytest.mark.parametrize("name", ALL)
def test_both_languages(name: str) -> None:
    zh, en = ALL[name]("zh"), ALL[name]("en")
    assert zh != en
    words = "".join(t.text or "" for t in ET.fromstring(en).iter(f"{SVG}text"))
    typed = re.sub("[甲乙山水县专家回避不足Ⅰ类Ⅱ ]", "", words)
    assert not re.search("[\\u4e00-\\u9fff]", typed), typed


def shapes(svg: str, tag: str, **wanted: str) -> list[Any]:
    found = ET.fromstring(svg).iter(f"{SVG}{tag}")
    return [s for s in found if all(s.get(k.replace("_", "-")) == v for k, v in wanted.items())]


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text")]


def test_dropped_marks_are_struck_and_only_they() -> None:
    svg = heat_map(HEAT, ["1", "2", "3"], 1.5)
    red = len(shapes(svg, "line", stroke="#a11212"))
    assert red == 2 + 1  # two dropped marks and the one of the legend
    kept = [HeatRow(r.label, [HeatCell(c.residual, False, c.words) for c in r.cells]) for r in HEAT]
    assert len(shapes(heat_map(kept, ["1", "2", "3"], 1.5), "line", stroke="#a11212")) == 1
    assert {"−4.3", "+0.3", "0.0", "+9.0", "回避"} <= set(texts(svg))


def test_above_and_below_differ_by_stripes_not_by_colour_alone() -> None:
    def stripes(value: float) -> int:
        svg = heat_map([HeatRow("甲", [HeatCell(value)])], ["1"], 1.0)
        return len(shapes(svg, "line", stroke="#ffffff"))

    assert stripes(-2.0) == stripes(2.0) + 4
    assert stripes(-0.5) == stripes(0.5)  # less than a step: no tint at all


def test_the_cut_line_stands_between_two_ranks() -> None:
    (line,) = shapes(rank_intervals(RANKS, 2), "line", stroke="#a11212")
    at = float(line.get("x1"))
    ticks = {t.text: float(t.get("x")) for t in ET.fromstring(rank_intervals(RANKS, 2)).iter(f"{SVG}text") if t.get("text-anchor") == "middle"}  # fmt: skip
    assert ticks["2"] < at < ticks["3"] and at == pytest.approx(
        (ticks["2"] + ticks["3"]) / 2, abs=0.02
    )
    assert shapes(rank_intervals(RANKS, None), "line", stroke="#a11212") == []


def test_standing_is_told_by_the_filling() -> None:
    svg = rank_intervals([RankRow("甲", 1, 1, 2, "borderline")], 1)
    only = rank_intervals([RankRow("甲", 1, 1, 2, "out")], 1)
    hatch = [len(shapes(drawn, "line", stroke="#555555")) for drawn in (svg, only)]
    assert hatch[0] > hatch[1] > 0  # the legend is hatched in both
    assert len(shapes(only, "rect", fill="#1f6b4a")) == 1  # the legend alone


def test_intervals_of_one_ranking_share_their_scale() -> None:
    alone = rank_intervals(RANKS[:1], None)
    part = rank_intervals(RANKS[:1], None, last=40)
    assert "40" in texts(part) and "40" not in texts(alone)


def test_a_chance_is_never_rounded_to_certainty() -> None:
    assert [percent(p) for p in (0.0, 0.0004, 0.004, 0.5, 0.996, 0.9996, 1.0)] == [
        "0%", "<1%", "<1%", "50%", ">99%", ">99%", "100%",
    ]  # fmt: skip
    assert [signed(v) for v in (-0.04, 0.04, -0.06, 2.25)] == ["0.0", "0.0", "−0.1", "+2.2"]


def test_severity_that_is_clear_of_zero_is_filled() -> None:
    svg = severity_forest(FOREST)
    marks = [s for s in shapes(svg, "rect") if s.get("width") == "10"]
    assert [m.get("fill") for m in marks] == ["#1a1a1a", "#ffffff"]
    assert "不足" in texts(svg) and "−2.50 ± 0.8" in texts(svg)


def test_mandel_names_what_passes_a_limit() -> None:
    svg = mandel_bars(BLOCKS, (1.7, 2.0), "h")
    assert [t for t in texts(svg) if t in ("A1", "A2")] == ["A1", "A2"]
    assert len(shapes(svg, "line", stroke="#a11212")) == 4  # both limits on both sides
    assert len(shapes(mandel_bars(SCATTER, (1.7, 2.0), "k"), "line", stroke="#a11212")) == 2
