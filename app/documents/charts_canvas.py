"""What every chart is drawn on: a canvas of SVG text, its scale and its ink.

Only presentation attributes are used (the pages' CSP forbids inline styles), no script, no ids (two
charts may share a page), no external fonts. Lengths are SVG user units; a drawing is 640 wide and grows
downwards with its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, floor, log10
from xml.sax.saxutils import escape, quoteattr

WIDTH = 640
INK, GREY, PALE, GREEN, RED = "#1a1a1a", "#555555", "#d9d9d9", "#1f6b4a", "#a11212"
FONT = "Mingjian Sans SC, Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"
LEFT, RIGHT = 150, 90  # room for names and for the figures at the end of each row


@dataclass(slots=True)
class Drawing:
    """Parts of one chart; `svg()` puts them together under a title that screen readers say."""

    title: str
    height: float
    parts: list[str] = field(default_factory=list)

    def add(self, tag: str, **attributes: str | float) -> None:
        """One shape; attribute names have _ for -."""
        self.parts.append(f"<{tag}{attributes_of(attributes)}/>")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        size: int = 12,
        fill: str = INK,
        bold: bool = False,
        upright: bool = False,
    ) -> None:
        """Words at a point, escaped; `upright`: turned to run from there towards the top."""
        weight: dict[str, str | float] = {"font_weight": "bold"} if bold else {}
        if upright:
            weight["transform"] = f"rotate(-90 {number(x)} {number(y)})"
        attributes = attributes_of(
            {"x": x, "y": y, "text_anchor": anchor, "font_size": size, "fill": fill, **weight}
        )
        self.parts.append(f"<text{attributes}>{escape(words)}</text>")

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        stroke: str = INK,
        width: float = 1,
        dash: str = "",
    ) -> None:
        """A straight line."""
        more: dict[str, str | float] = {"stroke_dasharray": dash} if dash else {}
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **more)

    def hatched(self, x: float, y: float, width: float, height: float) -> None:
        """Upright stripes and an outline: readable without colour, and needs no pattern id."""
        self.add("rect", x=x, y=y, width=width, height=height, fill="#ffffff", stroke=GREY)
        at = x + 4
        while at < x + width:
            self.line(at, y, at, y + height, stroke=GREY)
            at += 4

    def svg(self) -> str:
        """The whole chart."""
        head = attributes_of(
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "width": WIDTH,
                "height": self.height,
                "viewBox": f"0 0 {WIDTH} {number(self.height)}",
                "role": "img",
                "aria_label": self.title,
                "font_family": FONT,
            }
        )
        body = "".join(self.parts)
        return f"<svg{head}><title>{escape(self.title)}</title>{body}</svg>"


def number(value: float) -> str:
    """At most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def attributes_of(values: dict[str, str | float]) -> str:
    """Attributes as SVG text, escaped."""
    return "".join(
        f" {name if name == 'viewBox' else name.replace('_', '-')}="
        f"{quoteattr(value if isinstance(value, str) else number(value))}"
        for name, value in values.items()
    )


def ticks_of(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that cover low to high."""
    if high <= low:
        low, high = low - 1, high + 1
    raw = (high - low) / wanted
    power = 10.0 ** floor(log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def shortened(label: str, limit: int = 22) -> str:
    """At most `limit` half-widths (a hanzi counts two); the whole name stands in the table."""
    width, kept = 0, ""
    for c in label:
        width += 1 if ord(c) < 0x2E80 else 2
        if width > limit:
            return kept + "…"
        kept += c
    return kept


def axis(
    drawing: Drawing, ticks: list[float], top: float, bottom: float, unit: str = ""
) -> Callable[[float], float]:
    """Draw the scale, `unit` at its end; gives the x of a value."""
    low, high = ticks[0], ticks[-1]
    room = WIDTH - LEFT - RIGHT

    def x_of(value: float) -> float:
        return LEFT + room * (value - low) / (high - low)

    for tick in ticks:
        drawing.line(x_of(tick), top, x_of(tick), bottom, stroke=PALE)
        drawing.text(x_of(tick), bottom + 15, f"{tick:g}", anchor="middle", size=11, fill=GREY)
    if unit:
        drawing.text(WIDTH - RIGHT + 20, bottom + 15, unit, size=11, fill=GREY)
    return x_of
