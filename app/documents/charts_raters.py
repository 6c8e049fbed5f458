"""Charts of the experts' marks as SVG: residuals of county and expert, severity with its limits.

Above and below the panel is told by the sign in the cell; tint and stripes only help the eye. Orange and
blue are told apart by the colour-blind, stripes by a black-and-white printer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.charts_canvas import (
    GREY,
    INK,
    LEFT,
    PALE,
    RED,
    RIGHT,
    WIDTH,
    Drawing,
    axis,
    number,
    shortened,
    ticks_of,
)
from app.domain.types import Language, Text

# From one, two and three steps away from the panel; black words stay readable on all.
_ABOVE = ("#fdebd0", "#f8cf93", "#eea94e")
_BELOW = ("#dfeaf6", "#b3cfea", "#84b1dc")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """What is left of one mark after county and expert are taken out, in points; None: no mark, and
    `words` may say why. `dropped`: the rule left the mark out of the score."""

    residual: float | None
    dropped: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One county, a cell an expert."""

    label: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One expert's severity in points with its standard error; None: `words` says why."""

    label: str
    value: float | None
    se: float = 0.0
    words: str = ""


def heat_map(
    rows: Sequence[HeatRow], heads: Sequence[str], step: float, *, language: Language = "zh"
) -> str:
    """County x expert; a tint for every `step` points away from the panel, dropped marks struck."""
    title = Text("残差图：区县 × 专家", "Residuals: county by expert").get(language)
    high, top, left = 24, 26, 136
    bottom = top + high * len(rows)
    drawing = Drawing(title, bottom + 48)
    wide = (WIDTH - left - 8) / max(len(heads), 1)
    small = 12 if wide >= 46 else 10 if wide >= 32 else 8
    for column, head in enumerate(heads):
        x = left + wide * (column + 0.5)
        drawing.text(x, top - 9, shortened(head, int(wide / 5.5)), anchor="middle", size=small)
    for line, row in enumerate(rows):
        y = top + high * line
        drawing.text(left - 8, y + 16, shortened(row.label, 20), anchor="end")
        for column, cell in enumerate(row.cells):
            _cell(drawing, left + wide * column, y, wide, high, cell, step, small)
    _heat_legend(drawing, bottom + 18, left, step, language)
    return drawing.svg()


def _cell(
    drawing: Drawing,
    x: float,
    y: float,
    wide: float,
    high: float,
    cell: HeatCell,
    step: float,
    small: int,
) -> None:
    if cell.residual is None:
        drawing.add("rect", x=x, y=y, width=wide, height=high, fill="#ffffff", stroke=PALE)
        words = shortened(cell.words, int(wide / 5.5)) or "—"
        drawing.text(x + wide / 2, y + 16, words, anchor="middle", size=small, fill=GREY)
        return
    _tint(drawing, x, y, wide, high, cell.residual, step)
    words = signed(cell.residual)
    drawing.text(x + wide / 2, y + 16, words, anchor="middle", size=small)
    if cell.dropped:
        reach = min(wide / 2 - 2, 3.6 * len(words) + 3)
        middle = x + wide / 2
        drawing.line(middle - reach, y + 15, middle + reach, y + 9, stroke=RED, width=1.6)


def _tint(
    drawing: Drawing, x: float, y: float, wide: float, high: float, residual: float, step: float
) -> None:
    level = min(int(abs(residual) / step) if step > 0 else 0, 3)
    fill = "#ffffff" if level == 0 else (_ABOVE if residual > 0 else _BELOW)[level - 1]
    drawing.add("rect", x=x, y=y, width=wide, height=high, fill=fill, stroke=GREY, stroke_width=0.6)
    if residual < 0 and level:
        # White stripes at the upper and lower edge leave the figure free.
        for offset in (2.5, 5.5, high - 5.5, high - 2.5):
            drawing.line(x + 1, y + offset, x + wide - 1, y + offset, stroke="#ffffff", width=1.2)


def _heat_legend(drawing: Drawing, y: float, left: float, step: float, language: Language) -> None:
    at = left
    for residual, words in (
        (1.5 * step, Text("高于本组", "above the panel")),
        (-1.5 * step, Text("低于本组", "below the panel")),
    ):
        _tint(drawing, at, y - 10, 24, 14, residual, step)
        drawing.text(at + 30, y + 1, words.get(language), size=11)
        at += 126
    drawing.text(at + 14, y + 1, "+0.0", anchor="middle", size=11)
    drawing.line(at, y, at + 28, y - 6, stroke=RED, width=1.6)
    drawing.text(at + 34, y + 1, Text("按规则去掉", "dropped by the rule").get(language), size=11)
    scale = Text(f"颜色每深一级为 {step:.1f} 分", f"one tint for every {step:.1f} points")
    drawing.text(left, y + 20, scale.get(language), size=11, fill=GREY)


def severity_forest(rows: Sequence[ForestRow], *, language: Language = "zh") -> str:
    """Severity with 95 % limits (1.96 standard errors), zero in the middle; left is strict."""
    title = Text("专家宽严及 95% 界限", "Severity of the experts with 95 % limits").get(language)
    step, top = 26, 30
    bottom = top + step * len(rows)
    drawing = Drawing(title, bottom + 26)
    ends = [abs(row.value) + 1.96 * row.se for row in rows if row.value is not None]
    reach = max(ends, default=1.0) or 1.0
    x_of = axis(drawing, ticks_of(-reach, reach, 6), top, bottom)
    zero = x_of(0.0)
    drawing.line(zero, top - 4, zero, bottom, width=1.6)
    strict = Text("← 偏严", "← strict").get(language)
    lenient = Text("偏宽 →", "lenient →").get(language)
    drawing.text(zero - 8, top - 10, strict, anchor="end", size=11, fill=GREY)
    drawing.text(zero + 8, top - 10, lenient, size=11, fill=GREY)
    for line, row in enumerate(rows):
        y = top + step * line + step / 2
        drawing.text(LEFT - 8, y + 4, shortened(row.label, 20), anchor="end")
        if row.value is None:
            drawing.text(zero + 8, y + 4, row.words, size=11, fill=GREY)
            continue
        low, high = x_of(row.value - 1.96 * row.se), x_of(row.value + 1.96 * row.se)
        drawing.line(low, y, high, y, width=1.6)
        for end in (low, high):
            drawing.line(end, y - 5, end, y + 5, width=1.6)
        x = x_of(row.value)
        # Filled where the limits leave zero out.
        clear = abs(row.value) > 1.96 * row.se
        drawing.add(
            "rect",
            x=x - 5,
            y=y - 5,
            width=10,
            height=10,
            fill=INK if clear else "#ffffff",
            stroke=INK,
            stroke_width=1.6,
        )
        words = f"{signed(row.value, 2)} ± {number(row.se)}"
        drawing.text(WIDTH - RIGHT + 10, y + 4, words, size=11, bold=True)
    return drawing.svg()


def signed(value: float, places: int = 1) -> str:
    """With its sign, a real minus, and no sign on what rounds to nothing."""
    text = f"{abs(value):.{places}f}"
    if not text.strip("0."):
        return text
    return ("−" if value < 0 else "+") + text
