"""Mandel's h and k as SVG bars (ISO 5725-2:2019, 7.3.1): a block an expert, a bar an item.

A bar within the limits is pale, beyond 5 % hatched, beyond 1 % black and named, so that the chart reads
the same in black and white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.documents.charts_canvas import GREY, INK, PALE, RED, WIDTH, Drawing, shortened, ticks_of
from app.domain.types import Language, Text


@dataclass(frozen=True, slots=True)
class MandelBar:
    """One item of one expert; `over`: 0 within the limits, 1 beyond 5 %, 2 beyond 1 %."""

    name: str
    value: float
    over: int


@dataclass(frozen=True, slots=True)
class MandelBlock:
    """One expert's bars, the items in one order for all."""

    label: str
    bars: Sequence[MandelBar]


def mandel_bars(
    blocks: Sequence[MandelBlock],
    limits: tuple[float, float],
    which: Literal["h", "k"],
    *,
    language: Language = "zh",
) -> str:
    """h has a zero line and limits on both sides, k grows upwards from 0; `limits` at 5 and 1 %."""
    title = (
        Text("曼德尔 h（偏离其他专家的程度）", "Mandel's h: distance from the other experts")
        if which == "h"
        else Text("曼德尔 k（评分的离散程度）", "Mandel's k: scatter of the marks")
    ).get(language)
    top, tall, left, right = 14, 200, 36, WIDTH - 46
    drawing = Drawing(title, top + tall + 48)
    values = [bar.value for block in blocks for bar in block.bars]
    reach = max([*(abs(value) for value in values), limits[1]], default=1.0) * 1.16
    low, high = (-reach, reach) if which == "h" else (0.0, reach)

    def y_of(value: float) -> float:
        return top + tall * (high - value) / (high - low)

    for tick in ticks_of(low, high, 4):
        if low <= tick <= high:
            drawing.line(left, y_of(tick), right, y_of(tick), stroke=PALE)
            drawing.text(left - 5, y_of(tick) + 4, f"{tick:g}", anchor="end", size=10, fill=GREY)
    for limit, words in zip(limits, ("5%", "1%"), strict=True):
        for side in (1, -1) if which == "h" else (1,):
            y = y_of(side * limit)
            drawing.line(left, y, right, y, stroke=RED, width=1.2, dash="6 4")
            # The two limits lie close together: one is named above its line, the other below.
            lower = (words == "5%") == (side > 0)
            drawing.text(right + 4, y + (10 if lower else 0), words, size=10, fill=RED)
    room = (right - left) / max(len(blocks), 1)
    for number, block in enumerate(blocks):
        start = left + room * number
        if number:
            drawing.line(start, top, start, top + tall, stroke=PALE)
        each = (room - 8) / max(len(block.bars), 1)
        for place, bar in enumerate(block.bars):
            _bar(drawing, start + 4 + each * place, each, y_of(0.0), y_of(bar.value), bar)
        # A name needs the width of a letter; narrower bars are named by the table beside the chart.
        if each >= 5.5:
            ys = [y_of(bar.value) for bar in block.bars]
            _names(drawing, start + 4, each, block.bars, ys, y_of(0.0))
        words = shortened(block.label, max(int(room / 6), 3))
        size = 11 if room >= 36 else 9
        drawing.text(start + room / 2, top + tall + 16, words, anchor="middle", size=size)
    drawing.line(left, y_of(0.0), right, y_of(0.0), width=1.2)
    _legend(drawing, top + tall + 40, left, language)
    return drawing.svg()


def _bar(drawing: Drawing, x: float, wide: float, zero: float, y: float, bar: MandelBar) -> None:
    upper, height = min(zero, y), max(abs(zero - y), 0.8)
    wide = min(wide, 26.0)
    drawing.add(
        "rect",
        x=x,
        y=upper,
        width=wide * 0.84,
        height=height,
        fill=(PALE, "#ffffff", INK)[bar.over],
        stroke=GREY if bar.over == 0 else INK,
        stroke_width=0.6 if bar.over == 0 else 1.2,
    )
    if bar.over == 1:
        at = upper + 3
        while at < upper + height:
            drawing.line(x, at, x + wide * 0.84, at, width=0.8)
            at += 3


def _names(
    drawing: Drawing,
    start: float,
    each: float,
    bars: Sequence[MandelBar],
    ys: Sequence[float],
    zero: float,
) -> None:
    """Names of the bars beyond a limit, all beyond the longest of their side: none hides another's."""
    upper, lower = min([zero, *ys]), max([zero, *ys])
    for place, bar in enumerate(bars):
        if bar.over and bar.name:
            rises = bar.value >= 0
            drawing.text(
                start + each * place + min(each, 26.0) * 0.42 + 2.5,
                upper - 3 if rises else lower + 3,
                bar.name,
                anchor="start" if rises else "end",
                size=7,
                bold=True,
                upright=True,
            )


def _legend(drawing: Drawing, y: float, left: float, language: Language) -> None:
    at = left
    for over, words in (
        (0, Text("界限之内", "within the limits")),
        (1, Text("超出 5% 界限", "beyond 5 %")),
        (2, Text("超出 1% 界限", "beyond 1 %")),
    ):
        _bar(drawing, at, 16, y, y - 11, MandelBar("", 0.0, over))
        drawing.text(at + 20, y, words.get(language), size=11)
        at += 150
