"""How sure a rank is, as SVG: rank intervals with the cut line, and the chance to be among the first.

Three standings are told by the filling, not by a colour: certain in is solid, borderline is hatched,
certain out is hollow. Every row ends in its figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.charts import STANDING
from app.documents.charts_canvas import (
    GREEN,
    GREY,
    INK,
    LEFT,
    PALE,
    RED,
    RIGHT,
    WIDTH,
    Drawing,
    number,
    shortened,
    ticks_of,
)
from app.domain.types import Language, Text

_STEP = 26


@dataclass(frozen=True, slots=True)
class RankRow:
    """One county: its rank, the interval around it, and where it stands to the cut (None: no cut).

    Rows of one `group` follow one another; a change of group is headed by its name.
    """

    label: str
    rank: int
    low: int
    high: int
    standing: str | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class ChanceRow:
    """One county: P(among the first), the same with other weights (None: not made), standing."""

    label: str
    chance: float
    weights: float | None
    standing: str
    group: str = ""


def rank_intervals(
    rows: Sequence[RankRow],
    cut: int | None,
    *,
    language: Language = "zh",
    last: int | None = None,
) -> str:
    """Bars from the best to the worst rank of 90 % of the draws, the official rank as a diamond.

    `last`: the scale ends there, so that several charts of one ranking share it."""
    title = Text("名次区间与入选线", "Rank intervals and cut line").get(language)
    lines = _lines([row.group for row in rows])
    top = 36
    bottom = top + _STEP * len(lines)
    drawing = Drawing(title, bottom + (46 if cut is not None else 24))
    last = last or max((row.high for row in rows), default=1)
    room = WIDTH - LEFT - RIGHT

    def x_of(rank: float) -> float:
        return LEFT + room * (rank - 0.5) / last

    for tick in _ranks(last):
        drawing.line(x_of(tick), top, x_of(tick), bottom, stroke=PALE)
        drawing.text(x_of(tick), bottom + 15, str(tick), anchor="middle", size=11, fill=GREY)
    words = Text("名次", "rank").get(language)
    drawing.text(WIDTH - RIGHT + 20, bottom + 15, words, size=11, fill=GREY)
    for place, index in enumerate(lines):
        y = top + _STEP * place + _STEP / 2
        if isinstance(index, str):
            drawing.text(8, y + 4, index, bold=True)
            continue
        row = rows[index]
        drawing.text(LEFT - 8, y + 4, shortened(row.label, 20), anchor="end")
        left, right = x_of(row.low - 0.35), x_of(row.high + 0.35)
        _bar(drawing, left, y - 6, right - left, 12, row.standing)
        x = x_of(row.rank)
        drawing.add(
            "path",
            d=f"M{number(x)} {number(y - 7)}L{number(x + 7)} {number(y)}"
            f"L{number(x)} {number(y + 7)}L{number(x - 7)} {number(y)}Z",
            fill="#ffffff",
            stroke=INK,
            stroke_width=1.8,
        )
        span = str(row.low) if row.low == row.high else f"{row.low}–{row.high}"
        drawing.text(WIDTH - RIGHT + 10, y + 4, span, bold=True)
    head = Text("90% 区间", "90 % interval").get(language)
    drawing.text(WIDTH - RIGHT + 10, top - 10, head, size=11, fill=GREY)
    if cut is not None:
        x = x_of(min(cut, last) + 0.5)
        drawing.line(x, top - 6, x, bottom, stroke=RED, width=1.8, dash="6 4")
        words = Text(f"前 {cut} 名", f"first {cut}").get(language)
        drawing.text(x, top - 12, words, anchor="middle", size=11, fill=RED)
        _legend(drawing, bottom + 38, language)
    return drawing.svg()


def top_chances(rows: Sequence[ChanceRow], cut: int, *, language: Language = "zh") -> str:
    """P(among the first `cut`) as bars, 5 and 95 % marked; a circle shows it under other weights."""
    title = Text(f"进入前 {cut} 名的概率", f"Chance to be among the first {cut}").get(language)
    lines = _lines([row.group for row in rows])
    top = 24
    bottom = top + _STEP * len(lines)
    circles = any(row.weights is not None for row in rows)
    drawing = Drawing(title, bottom + (66 if circles else 46))
    room = WIDTH - LEFT - RIGHT

    def x_of(share: float) -> float:
        return LEFT + room * share

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line(x_of(tick), top, x_of(tick), bottom, stroke=PALE)
        words = f"{round(100 * tick)}%"
        drawing.text(x_of(tick), bottom + 15, words, anchor="middle", size=11, fill=GREY)
    for limit, words in ((0.05, "5%"), (0.95, "95%")):
        drawing.line(x_of(limit), top - 4, x_of(limit), bottom, stroke=RED, width=1.2, dash="4 3")
        drawing.text(x_of(limit), top - 8, words, anchor="middle", size=11, fill=RED)
    words = Text("概率", "chance").get(language)
    drawing.text(WIDTH - RIGHT + 20, bottom + 15, words, size=11, fill=GREY)
    for place, index in enumerate(lines):
        y = top + _STEP * place + _STEP / 2
        if isinstance(index, str):
            drawing.text(8, y + 4, index, bold=True)
            continue
        row = rows[index]
        drawing.text(LEFT - 8, y + 4, shortened(row.label, 20), anchor="end")
        _bar(drawing, LEFT, y - 7, max(room * row.chance, 1.5), 14, row.standing)
        if row.weights is not None:
            drawing.add(
                "circle",
                cx=x_of(row.weights),
                cy=y,
                r=4.5,
                fill="#ffffff",
                stroke=INK,
                stroke_width=1.6,
            )
        drawing.text(WIDTH - RIGHT + 14, y + 4, percent(row.chance), bold=True)
    _legend(drawing, bottom + 38, language)
    if circles:
        y = bottom + 58
        drawing.add(
            "circle", cx=LEFT + 11, cy=y - 4, r=4.5, fill="#ffffff", stroke=INK, stroke_width=1.6
        )
        words = Text("权重变动时的同一概率", "the same under other weights").get(language)
        drawing.text(LEFT + 28, y, words, size=11)
    return drawing.svg()


def percent(share: float) -> str:
    """Whole percents; what is neither none nor all is never written as 0 or 100."""
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "<1%"
    if whole == 100 and share < 1:
        return ">99%"
    return f"{whole}%"


def _lines(groups: Sequence[str]) -> list[int | str]:
    """Positions of rows, with a heading wherever a named group begins."""
    made: list[int | str] = []
    before = ""
    for index, group in enumerate(groups):
        if group and group != before:
            made.append(group)
        before = group
        made.append(index)
    return made


def _ranks(last: int) -> list[int]:
    """Whole ranks to be named on the scale: each of a few, round ones of many."""
    if last <= 20:
        return list(range(1, last + 1))
    return [1, *(int(t) for t in ticks_of(0, last, 8) if 1 < t <= last)]


def _bar(
    drawing: Drawing, x: float, y: float, width: float, height: float, standing: str | None
) -> None:
    if standing == "borderline":
        drawing.hatched(x, y, width, height)
        return
    fill = {"in": GREEN, "out": "#ffffff"}.get(standing or "", PALE)
    drawing.add("rect", x=x, y=y, width=width, height=height, fill=fill, stroke=INK)


def _legend(drawing: Drawing, y: float, language: Language) -> None:
    # Two tags side by side would run into one another in English, which is longer.
    at = float(LEFT)
    for standing, limit in (("in", "≥95%"), ("borderline", "5–95%"), ("out", "≤5%")):
        words = STANDING[standing]
        _bar(drawing, at, y - 9, 22, 10, standing)
        drawing.text(at + 28, y, f"{words.get(language)} {limit}", size=11)
        at += 140
