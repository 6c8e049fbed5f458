"""Figures from a table (XLSX or CSV): checked row by row, entered all together or not at all."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.ledger.append import append
from app.programme.figures import (
    FigureSpec,
    checked,
    enter_figure,
    figure_catalogue,
    figures_of,
    missing_figures,
)
from app.programme.guards import require, while_live
from app.programme.models import Figure, Round, Subject
from app.programme.table_lines import (
    TWICE,
    Problem,
    county_label,
    county_named,
    read_lines,
    refuse_all,
    table_heads,
)

MAX_ROWS = 20_000
COLUMNS = {
    "county": Text("区县", "County"),
    "key": Text("数据项", "Figure"),
    "value": Text("数值", "Value"),
    "unit": Text("单位", "Unit"),
    "year": Text("年份", "Year"),
    "source": Text("来源", "Source"),
}
_NEEDED = ("county", "key", "value", "source")

_NO_COLUMN = Text(
    "表中没有这些列：{columns}。没有录入任何数据；请使用：区县、数据项、数值、单位、年份、来源。",
    "The table lacks the columns {columns}. Nothing was entered; use: county, key, value, unit, "
    "year, source.",
)
HEADS = table_heads("figures", COLUMNS, _NEEDED, _NO_COLUMN)
_EMPTY = Text("表中没有数据行。没有录入任何数据。", "The table has no rows. Nothing was entered.")
_BAD_YEAR = Text("年份“{year}”不是四位数", "the year “{year}” has not four digits")
_REFUSED = Text(
    "表中有 {n} 处错误，没有录入任何数据。第一处：第 {row} 行“{column}”：{text}",
    "The table has {n} error(s), so nothing was entered. The first: row {row}, {column}: {text}",
)


@dataclass(frozen=True, slots=True)
class PlannedFigure:
    """One good row: what stands there now and what would stand there."""

    row: int
    subject: Subject
    spec: FigureSpec
    value: Decimal
    year: int | None
    source: str
    before: Decimal | None
    same: bool  # value, year and source are as they stand


@dataclass(frozen=True, slots=True)
class FigurePlan:
    """What an import would do. It does nothing while there is a problem."""

    file_hash: str
    rows: tuple[PlannedFigure, ...]
    problems: tuple[Problem, ...]

    @property
    def changes(self) -> tuple[PlannedFigure, ...]:
        return tuple(row for row in self.rows if not row.same)


def plan_figures(
    session: Session, actor: Viewer | None, round_: Round, data: bytes, filename: str
) -> FigurePlan:
    """The dry run: read a table and say row by row what would be entered. Writes nothing.

    Columns by their Chinese or English head or key: county (name or code), key (or the figure's
    title), value, unit, year, source. Raises DomainError when the file is no table.
    """
    require(actor, "office")
    lines = read_lines(session, data, filename, HEADS, max_rows=MAX_ROWS, empty=_EMPTY)
    catalogue, have = figure_catalogue(round_), figures_of(session, round_)
    rows: list[PlannedFigure] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str], int] = {}
    for number, line in lines:
        planned = _planned(round_, catalogue, have, number, line)
        if isinstance(planned, Problem):
            problems.append(planned)
            continue
        place = (planned.subject.id, planned.spec.key)
        if place in first:
            problems.append(Problem(number, "key", TWICE.format(row=first[place])))
            continue
        first[place] = number
        rows.append(planned)
    return FigurePlan(hashlib.sha256(data).hexdigest(), tuple(rows), tuple(problems))


def template_rows(session: Session, round_: Round) -> tuple[list[str], list[list[str]]]:
    """Heads and lines of a table to fill in: every figure that is still missing, by county; once none
    is missing, those that were entered, as they stand."""
    catalogue, have = figure_catalogue(round_), figures_of(session, round_)
    titles = [spec.title.zh for spec in catalogue.values()]
    names = [subject.name_zh for subject in round_.subjects]
    wanted = {(entry.subject.id, entry.key) for entry in missing_figures(session, round_)}
    rows = []
    for subject in round_.subjects:
        for key, spec in catalogue.items():
            now = have[subject.id].get(key)
            if (subject.id, key) not in wanted and (wanted or now is None):
                continue
            named = spec.title.zh if titles.count(spec.title.zh) == 1 else key
            as_it_stands = ("", "", "")
            if now is not None:
                as_it_stands = (format(now.value, "f"), str(now.year or ""), now.source)
            value, year, source = as_it_stands
            alone = names.count(subject.name_zh) == 1
            county = subject.name_zh if alone else county_label(subject).zh
            rows.append([county, named, value, spec.unit.zh, year, source])
    return [column.zh for column in COLUMNS.values()], rows


def import_figures(
    session: Session, actor: Viewer | None, round_: Round, data: bytes, filename: str
) -> FigurePlan:
    """Enter every row of a table, or none: DomainError with the first of its errors.

    Rows that change nothing leave the figure and its confirmation alone.
    """
    while_live(round_)
    plan = plan_figures(session, actor, round_, data, filename)
    refuse_all(plan.problems, COLUMNS, _REFUSED)
    catalogue = {row.spec.key: row.spec for row in plan.rows}
    for row in plan.changes:
        enter_figure(
            session, actor, row.subject, row.spec.key, row.value, "", row.year, row.source,
            catalogue=catalogue,
        )  # fmt: skip
    append(
        session,
        actor,
        "figure.import",
        round=round_.id,
        file=plan.file_hash,
        rows=len(plan.changes),
    )
    return plan


def _planned(
    round_: Round,
    catalogue: dict[str, FigureSpec],
    have: dict[str, dict[str, Figure]],
    number: int,
    line: dict[str, str],
) -> PlannedFigure | Problem:
    try:
        subject = county_named(round_, line["county"])
    except DomainError as error:
        return Problem(number, "county", error.text)
    by_title = {t: key for key, spec in catalogue.items() for t in (spec.title.zh, spec.title.en)}
    key = by_title.get(line["key"], line["key"])
    year_text = unicodedata.normalize("NFKC", line.get("year", ""))
    if year_text and not re.fullmatch(r"[0-9]{4}(\.0+)?", year_text):
        return Problem(number, "year", _BAD_YEAR.format(year=year_text))
    try:
        spec, value, year, source = checked(
            catalogue,
            key,
            line["value"],
            line.get("unit", ""),
            int(year_text[:4]) if year_text else None,
            line["source"],
        )
    except DomainError as error:
        return Problem(number, error.field if error.field in COLUMNS else "value", error.text)
    now = have[subject.id].get(spec.key)
    same = now is not None and (now.value, now.year, now.source) == (value, year, source)
    before = None if now is None else now.value
    return PlannedFigure(number, subject, spec, value, year, source, before, same)
