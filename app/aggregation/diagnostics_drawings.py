"""The charts of the diagnostics, from a run and what was found in it, for pages and the report."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

from app.aggregation.diagnostics import Certainty, StageRaters
from app.aggregation.reading import Reading, Row
from app.aggregation.wording import punctuated
from app.documents.charts import CaterpillarRow, caterpillar
from app.documents.charts_mandel import MandelBar, MandelBlock, mandel_bars
from app.documents.charts_ranks import ChanceRow, RankRow, rank_intervals, top_chances
from app.documents.charts_raters import ForestRow, HeatCell, HeatRow, heat_map, severity_forest
from app.domain.statistics.additive import fit_additive
from app.domain.statistics.mandel import Mandel
from app.domain.statistics.observed import Observed
from app.domain.statistics.raters import Estimate
from app.domain.types import Language, Text

EXPERT = Text("专家 {n}", "Expert {n}")
A_PAGE = 36  # rows of a chart that stay readable on one page of paper


def stored_intervals(reading: Reading, language: Language) -> list[str]:
    """The rank intervals that the run stored, without a cut line, a page's worth to a chart."""
    rows = [
        RankRow(
            place.name.get(language),
            int(place.rank.rstrip("=")),
            *place.interval,
            group=_class(reading, place.group, language),
        )
        for place in reading.ranking()
        if place.rank is not None and place.interval is not None
    ]
    last = max((row.high for row in rows), default=1)
    return [
        rank_intervals(rows[at : at + A_PAGE], None, language=language, last=last)
        for at in range(0, len(rows), A_PAGE)
    ]


def caterpillars_with_cut(reading: Reading, found: Certainty, language: Language) -> list[str]:
    """Totals with their 90 % bands, the cut line under the last place that it lets in and each county
    drawn by its standing; a page's worth to a chart, all on one scale."""
    rows, last = [], []
    for row in found.rows:
        if row.place.total is None:
            continue
        low, high = row.place.band or (None, None)
        group = _class(reading, row.place.group, language)
        rank = row.place.rank or ""
        rows.append(
            CaterpillarRow(
                row.place.name.get(language), row.place.total, low, high, rank, row.standing, group
            )
        )
        last.append(int(rank.rstrip("=") or 0) <= found.cut.top)
    values = [v for row in rows for v in (row.score, row.low, row.high) if v is not None]
    made = []
    for at in range(0, len(rows), A_PAGE):
        part = rows[at : at + A_PAGE]
        below = [
            n
            for n, row in enumerate(part)
            if last[at + n]
            and at + n + 1 < len(rows)
            and (not last[at + n + 1] or rows[at + n + 1].group != row.group)
        ]
        scale = min(values), max(values)
        made.append(
            caterpillar(
                part, None, language=language, below=below, first=found.cut.top, scale=scale
            )
        )
    return made


def intervals_with_cut(
    reading: Reading, found: Certainty, language: Language, last: int | None = None
) -> str | None:
    """The same intervals with the cut line, each county filled by its standing. `last`: the scale
    ends there."""
    rows = [
        RankRow(
            row.place.name.get(language),
            int((row.place.rank or "0").rstrip("=")),
            *row.place.interval,
            standing=row.standing,
            group=_class(reading, row.place.group, language),
        )
        for row in found.rows
        if row.place.interval is not None
    ]
    return rank_intervals(rows, found.cut.top, language=language, last=last) if rows else None


def chances(reading: Reading, found: Certainty, language: Language) -> str | None:
    """P(among the first) as bars; None where there is no chance to show."""
    rows = [
        ChanceRow(
            row.place.name.get(language),
            row.chance,
            row.weights,
            row.standing or "borderline",
            _class(reading, row.place.group, language),
        )
        for row in found.rows
        if row.chance is not None
    ]
    return top_chances(rows, found.cut.top, language=language) if rows else None


def _class(reading: Reading, group: str | None, language: Language) -> str:
    if reading.run.rule["rank_within"] != "group":
        return ""
    return class_name(reading, group).get(language)


def class_name(reading: Reading, group: str | None) -> Text:
    """What a county is ranked within; a class of the scheme by its number."""
    title = reading.group_title(group)
    if title.zh == (group or "—"):
        return Text("{g} 类", "Class {g}").format(g=group or "—")
    return title


class Residuals:
    """What is left of every mark of a panel after county and expert: rows by rank, seats in order.

    `reason` set: the marks leave nothing to look at. `step`: residual standard deviation in points.
    """

    def __init__(self, reading: Reading, stage: str, panel: str) -> None:
        self.raters = reading.raters(stage, panel)
        rows = {row.id: row for row in reading.rows(stage, panel)}
        self.rows = [rows[place.id] for place in reading.ranking() if place.id in rows]
        marks = sorted(
            (row.id, mark.rater, float(mark.value))
            for row in self.rows
            for mark in row.marks
            if mark.value is not None
        )
        fit = fit_additive(
            Observed(
                tuple(m[0] for m in marks), tuple(m[1] for m in marks), tuple(m[2] for m in marks)
            )
        )
        self.values: dict[tuple[str, str], float] = {}
        self.step = 0.0
        self.reason: Text | None = None
        if isinstance(fit, Text):
            self.reason = Text(punctuated(fit.zh), fit.en)
            return
        # Cut where no library's last bit can tell, so that two renders are equal byte for byte.
        self.step = round(fit.scale, 9)
        for at, residual in enumerate(fit.residual):
            key = fit.subjects[fit.row[at]], fit.raters[fit.column[at]]
            self.values[key] = round(float(residual), 9)

    def svg(self, language: Language) -> str:
        """The heat map of the whole panel."""
        return self._drawn(self.rows, language)

    def pages(self, language: Language) -> list[str]:
        """The same, a page's worth of counties to a chart."""
        return [
            self._drawn(self.rows[at : at + A_PAGE], language)
            for at in range(0, len(self.rows), A_PAGE)
        ]

    def _drawn(self, part: Sequence[Row], language: Language) -> str:
        rows = [
            HeatRow(
                row.name.get(language),
                [
                    HeatCell(
                        self.values.get((row.id, mark.rater)),
                        mark.dropped,
                        mark.state.get(language) if mark.state else "",
                    )
                    for mark in row.marks
                ],
            )
            for row in part
        ]
        heads = [EXPERT.format(n=label).get(language) for label in self.raters]
        if any(len(label) > 2 for label in self.raters):
            heads = list(self.raters)
        return heat_map(rows, heads, self.step, language=language)


def forest(found: StageRaters, language: Language) -> str:
    """Severity of every expert, the strictest first, those without a figure last."""
    rows = []
    for _, label, report in found.raters:
        head = EXPERT.format(n=label).get(language)
        if isinstance(report.severity, Estimate):
            rows.append(ForestRow(head, report.severity.value, report.severity.se))
        else:
            why = Text(punctuated(report.severity.zh), report.severity.en)
            rows.append(ForestRow(head, None, 0.0, why.get(language)))
    rows.sort(key=lambda row: (row.value is None, row.value or 0.0))
    return severity_forest(rows, language=language)


def mandel_chart(found: StageRaters, which: Literal["h", "k"], language: Language) -> str | None:
    """h or k of every expert on every item; None where there is no figure."""
    made = found.found.mandel
    if not isinstance(made, Mandel):
        return None
    limits = [level.critical_h if which == "h" else level.critical_k for level in made.levels]
    middle = median(limit[0] for limit in limits), median(limit[1] for limit in limits)
    blocks = []
    for rater, label, _ in found.raters:
        bars = []
        for level, (near, far) in zip(made.levels, limits, strict=True):
            value = (level.h if which == "h" else level.k).get(rater.key)
            if value is not None:
                over = 2 if abs(value) > far else 1 if abs(value) > near else 0
                bars.append(MandelBar(level.name, value, over))
        blocks.append(MandelBlock(EXPERT.format(n=label).get(language), bars))
    return mandel_bars(blocks, middle, which, language=language)


def mandel_rows(found: StageRaters) -> Sequence[tuple[str, list[tuple[str, str]]]]:
    """(item, [(h, k) of each expert]) with a star beyond 5 % and two beyond 1 %, for the table."""
    made = found.found.mandel
    if not isinstance(made, Mandel):
        return []
    return [
        (
            level.name,
            [
                (
                    _starred(level.h.get(rater.key), level.critical_h),
                    _starred(level.k.get(rater.key), level.critical_k),
                )
                for rater, _, _ in found.raters
            ],
        )
        for level in made.levels
    ]


def _starred(value: float | None, limits: tuple[float, float]) -> str:
    if value is None:
        return "—"
    stars = "**" if abs(value) > limits[1] else "*" if abs(value) > limits[0] else ""
    return f"{value:.2f}".replace("-", "−") + stars
