"""The charts of a stored run: the marks of each panel, the totals with their bands. For pages whole, for
paper a page's worth of counties to a chart, all on one scale."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from app.aggregation.reading import Reading
from app.documents.charts import CaterpillarRow, DotMark, DotRow, caterpillar, dot_strip
from app.domain.statistics.rounding import half_up
from app.domain.types import Language

_ALL = 10**6


def dots(
    reading: Reading, stage: str, panel: str, language: Language, size: int = _ALL
) -> list[str]:
    """Marks by county as SVG, dropped ones hollow and struck; `size` counties to a chart."""
    rows = []
    for row in reading.rows(stage, panel):
        marks = [DotMark(m.value, m.dropped, m.rater) for m in row.marks if m.value is not None]
        value = reading.scores[row.id]["stages"][stage]["value"]
        mean = None if value is None else half_up(Fraction(value), 2)
        rows.append(DotRow(row.name.get(language), marks, mean))
    values = [mark.value for row in rows for mark in row.marks]
    scale = (min(values), max(values)) if values else None
    return [
        dot_strip(rows[at : at + size], language=language, scale=scale)
        for at in range(0, max(len(rows), 1), size)
    ]


def caterpillars(reading: Reading, language: Language, size: int = _ALL) -> list[str]:
    """Totals with their 90 % bands as SVG, in the order of the ranking; `size` counties to a chart."""
    rows = [
        CaterpillarRow(
            p.name.get(language),
            p.total,
            p.band[0] if p.band else None,
            p.band[1] if p.band else None,
            p.rank or "",
        )
        for p in reading.ranking()
        if p.total is not None
    ]
    values = [v for r in rows for v in (r.score, r.low, r.high) if v is not None]
    line = reading.run.rule["pass_line"]
    cut = None if line is None else Decimal(line)
    scale = (min(values), max(values)) if values else None
    return [
        caterpillar(rows[at : at + size], cut, language=language, scale=scale)
        for at in range(0, max(len(rows), 1), size)
    ]
