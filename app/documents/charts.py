"""Charts as SVG text, drawn once for screen, PDF and print.

Nothing is told by colour alone: counted marks are filled and dropped ones hollow and struck,
excluded people are hatched, what lies beyond a cut line is hollow. Every figure stands beside its
shape as text. Only presentation attributes are used (the pages' CSP forbids inline styles), no
script, no ids (two charts may share a page), no external fonts.

Lengths are SVG user units; the drawing is 640 wide and grows downwards with its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.documents.charts_canvas import (
    GREEN,
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


@dataclass(frozen=True, slots=True)
class DotMark:
    """One expert's mark for one county; `dropped` by the trimming rule."""

    value: Decimal
    dropped: bool = False
    rater: str = ""


@dataclass(frozen=True, slots=True)
class DotRow:
    """One county's marks and their counted mean (None: no score)."""

    label: str
    marks: Sequence[DotMark]
    mean: Decimal | None


@dataclass(frozen=True, slots=True)
class CaterpillarRow:
    """A score with its band; `rank` as printed ("2=" for a shared rank). `standing`: to the cut line
    among ranks, where there is one; a change of `group` is headed by its name."""

    label: str
    score: Decimal
    low: Decimal | None
    high: Decimal | None
    rank: str
    standing: str | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class StratumRow:
    """People of one stratum on the way from pool to seats; pool = excluded + eligible."""

    name: str
    pool: int
    excluded: int
    eligible: int
    seats: int


@dataclass(frozen=True, slots=True)
class ProbabilityRow:
    """The chance of being drawn that `people` of this kind have, between 0 and 1."""

    label: str
    probability: Fraction | Decimal
    people: int


def dot_strip(
    rows: Sequence[DotRow],
    *,
    language: Language = "zh",
    scale: tuple[Decimal, Decimal] | None = None,
) -> str:
    """Each county's marks as dots (dropped: hollow and struck) and the counted mean as a bar. `scale`:
    least and greatest mark, so that several charts of one panel share it."""
    title = Text("各对象评分分布与计入均值", "Marks and counted mean by subject").get(language)
    step, top = 34, 14
    bottom = top + step * len(rows)
    drawing = Drawing(title, bottom + 52)
    values = [float(m.value) for r in rows for m in r.marks]
    values += [float(v) for v in scale or ()]
    ticks = ticks_of(min(values, default=0), max(values, default=1))
    x_of = axis(drawing, ticks, top, bottom, POINTS.get(language))
    for i, row in enumerate(rows):
        y = top + step * i + step / 2
        drawing.line(LEFT, y, WIDTH - RIGHT, y, stroke=PALE)
        drawing.text(LEFT - 8, y + 4, shortened(row.label), anchor="end")
        stacked: list[float] = []
        for mark in sorted(row.marks, key=lambda m: (m.value, m.dropped, m.rater)):
            x = x_of(float(mark.value))
            # Marks closer than a dot are set off upwards and downwards in turn, so none hides another.
            near = sum(1 for other in stacked if abs(other - x) < 8)
            stacked.append(x)
            cy = y + (0, -8, 8, -4, 4)[near % 5]
            drawing.add(
                "circle",
                cx=x,
                cy=cy,
                r=3.8,
                fill="#ffffff" if mark.dropped else GREEN,
                stroke=RED if mark.dropped else "#ffffff",
                stroke_width=1.2 if mark.dropped else 0.6,
            )
            if mark.dropped:
                drawing.line(x - 6, cy + 3, x + 6, cy - 3, stroke=RED, width=1.2)
        if row.mean is not None:
            x = x_of(float(row.mean))
            drawing.line(x, y - 14, x, y + 14, width=2.2)
        words = Text("无分", "no score").get(language) if row.mean is None else f"{row.mean:f}"
        drawing.text(WIDTH - RIGHT + 10, y + 4, words, bold=True)
    y = bottom + 38
    drawing.add("circle", cx=LEFT + 5, cy=y - 4, r=3.8, fill=GREEN)
    drawing.text(LEFT + 14, y, Text("计入", "counted").get(language), size=11)
    drawing.add(
        "circle", cx=LEFT + 85, cy=y - 4, r=3.8, fill="#ffffff", stroke=RED, stroke_width=1.2
    )
    drawing.line(LEFT + 79, y - 1, LEFT + 91, y - 7, stroke=RED, width=1.2)
    drawing.text(LEFT + 96, y, Text("去掉（划线）", "dropped (struck)").get(language), size=11)
    drawing.line(LEFT + 210, y - 12, LEFT + 210, y + 4, width=2.2)
    drawing.text(
        LEFT + 218,
        y,
        Text("计入均值（右列数字）", "counted mean (figure at right)").get(language),
        size=11,
    )
    return drawing.svg()


def caterpillar(
    rows: Sequence[CaterpillarRow],
    cut: Decimal | None,
    *,
    language: Language = "zh",
    below: Collection[int] = (),
    first: int = 0,
    scale: tuple[Decimal, Decimal] | None = None,
) -> str:
    """Scores in the order given, each with its band; filled on or above the cut, hollow below.

    `below`: rows (from 0) under which the cut line among the ranks runs; the diamonds then tell the
    standing: solid certain in, half borderline, hollow certain out. `first`: how many places it lets
    in. `scale`: least and greatest value, so that several charts of one ranking share it."""
    title = Text("得分、区间与入选线", "Scores, bands and cut line").get(language)
    heads = [
        row.group if row.group and (n == 0 or rows[n - 1].group != row.group) else ""
        for n, row in enumerate(rows)
    ]
    step, top = 26, 24
    bottom = top + step * (len(rows) + sum(map(bool, heads)))
    legend = any(row.standing for row in rows)
    drawing = Drawing(title, bottom + (52 if legend else 26))
    values = [float(v) for r in rows for v in (r.score, r.low, r.high) if v is not None]
    values += [float(v) for v in ((cut,) if cut is not None else ())]
    values += [float(v) for v in scale or ()]
    ticks = ticks_of(min(values, default=0), max(values, default=1))
    x_of = axis(drawing, ticks, top, bottom, POINTS.get(language))
    y = top - step / 2
    for i, row in enumerate(rows):
        if heads[i]:
            y += step
            drawing.text(8, y + 4, heads[i], bold=True)
        y += step
        drawing.text(24, y + 4, row.rank, anchor="end", bold=True)
        drawing.text(LEFT - 8, y + 4, shortened(row.label, 16), anchor="end")
        if row.low is not None and row.high is not None:
            left, right = x_of(float(row.low)), x_of(float(row.high))
            drawing.line(left, y, right, y, width=1.6)
            for end in (left, right):
                drawing.line(end, y - 5, end, y + 5, width=1.6)
        standing = row.standing or ("in" if cut is None or row.score >= cut else "out")
        _diamond(drawing, x_of(float(row.score)), y, standing)
        drawing.text(WIDTH - RIGHT + 10, y + 4, f"{row.score:f}", bold=True)
        if i in below:
            line = y + step / 2
            drawing.line(8, line, WIDTH - 8, line, stroke=RED, width=1.6, dash="6 4")
            words = Text(f"前 {first} 名", f"first {first}").get(language)
            drawing.text(WIDTH - 8, line - 4, words, anchor="end", size=11, fill=RED)
    if cut is not None:
        x = x_of(float(cut))
        drawing.line(x, top - 6, x, bottom, stroke=RED, width=1.6, dash="6 4")
        words = Text(f"入选线 {cut:f}", f"cut line {cut:f}").get(language)
        drawing.text(x, top - 10, words, anchor="middle", size=11, fill=RED)
    if legend:
        for n, (standing, name) in enumerate(STANDING.items()):
            _diamond(drawing, LEFT + 6 + 150 * n, bottom + 36, standing)
            drawing.text(LEFT + 20 + 150 * n, bottom + 40, name.get(language), size=11)
    return drawing.svg()


POINTS = Text("分", "points")
STANDING = {
    "in": Text("稳入", "certain in"),
    "borderline": Text("临界", "borderline"),
    "out": Text("稳出", "certain out"),
}


def _diamond(drawing: Drawing, x: float, y: float, standing: str) -> None:
    """Solid, half filled or hollow: told apart without any colour."""
    drawing.add(
        "path",
        d=f"M{number(x)} {number(y - 6)}L{number(x + 6)} {number(y)}"
        f"L{number(x)} {number(y + 6)}L{number(x - 6)} {number(y)}Z",
        fill=GREEN if standing == "in" else "#ffffff",
        stroke=INK,
    )
    if standing == "borderline":
        half = (
            f"M{number(x)} {number(y - 6)}L{number(x)} {number(y + 6)}L{number(x - 6)} {number(y)}Z"
        )
        drawing.add("path", d=half, fill=INK)


def strata_bars(rows: Sequence[StratumRow], *, language: Language = "zh") -> str:
    """Per stratum: excluded (hatched) and eligible (solid) people, and the seats (black squares)."""
    title = Text(
        "各类别：在库、排除、合格与名额", "Strata: pool, excluded, eligible and seats"
    ).get(language)
    step, top = 44, 8
    drawing = Drawing(title, top + step * len(rows) + 28)
    room = WIDTH - LEFT - 20
    widest = max((r.pool for r in rows), default=1) or 1
    for i, row in enumerate(rows):
        y = top + step * i
        drawing.text(LEFT - 8, y + 15, shortened(row.name, 26), anchor="end", size=11)
        solid, striped = room * row.eligible / widest, room * row.excluded / widest
        if row.eligible:
            drawing.add("rect", x=LEFT, y=y + 4, width=solid, height=14, fill=GREEN, stroke=INK)
        if row.excluded:
            drawing.hatched(LEFT + solid, y + 4, striped, 14)
        seat = room / widest
        if seat >= 3:
            for n in range(row.seats):
                drawing.add(
                    "rect",
                    x=LEFT + n * seat + 0.8,
                    y=y + 8,
                    width=min(seat - 1.6, 8),
                    height=6,
                    fill="#ffffff",
                    stroke=INK,
                )
        words = Text(
            f"在库 {row.pool} = 排除 {row.excluded} + 合格 {row.eligible}；名额 {row.seats}",
            f"pool {row.pool} = excluded {row.excluded} + eligible {row.eligible}; seats {row.seats}",
        )
        drawing.text(LEFT, y + 33, words.get(language), size=11)
    y = top + step * len(rows) + 16
    drawing.add("rect", x=LEFT, y=y - 9, width=22, height=10, fill=GREEN, stroke=INK)
    drawing.text(LEFT + 28, y, Text("合格", "eligible").get(language), size=11)
    drawing.hatched(LEFT + 90, y - 9, 22, 10)
    drawing.text(LEFT + 118, y, Text("排除", "excluded").get(language), size=11)
    if any(r.seats for r in rows) and room / widest >= 3:
        drawing.add("rect", x=LEFT + 190, y=y - 7, width=8, height=6, fill="#ffffff", stroke=INK)
        drawing.text(LEFT + 204, y, Text("名额", "seat").get(language), size=11)
    return drawing.svg()


def probability_bars(rows: Sequence[ProbabilityRow], *, language: Language = "zh") -> str:
    """Chance of being drawn by kind of expert, with the number of people it holds for."""
    title = Text("被抽中的概率", "Probability of being drawn").get(language)
    step, top = 26, 8
    drawing = Drawing(title, top + step * len(rows) + 8)
    room = WIDTH - LEFT - 140
    highest = max((Fraction(r.probability) for r in rows), default=Fraction(1)) or Fraction(1)
    for i, row in enumerate(rows):
        y = top + step * i
        length = float(room * Fraction(row.probability) / highest)
        drawing.text(LEFT - 8, y + 15, shortened(row.label), anchor="end")
        drawing.add(
            "rect", x=LEFT, y=y + 4, width=max(length, 0.8), height=14, fill=GREEN, stroke=INK
        )
        share = Fraction(row.probability) * 10_000
        rounded = (
            Decimal((share.numerator * 2 + share.denominator) // (share.denominator * 2)) / 100
        )
        people = Text(f"{row.people} 人", f"{row.people} people").get(language)
        drawing.text(LEFT + max(length, 0.8) + 8, y + 15, f"{rounded:.2f}%  {people}", size=11)
    return drawing.svg()
