"""What the corrections after totals changed: of each who, why and the values counted before and after.

Read from two stored runs, so that a paper shows the same in ten years (order 87 of the Ministry of
Finance, 2017, article 64: the change goes into the report with its reason).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation import corrections
from app.aggregation.models import Run
from app.aggregation.models_corrections import MarkCorrection
from app.aggregation.reading import STATE
from app.domain.types import Text
from app.programme.queries import names_of

COMMAND_LINE = Text("命令行", "command line")
_NOT_APPLICABLE = Text("不适用", "not applicable")
_NONE = Text("无", "none")
_SHEET = Text("{s} 专家 {n} 评分表总分", "{s}, expert {n}: sheet total")
_ITEM = Text("{s} 专家 {n} {i} {t}", "{s}, expert {n}: {i} {t}")
_ALIKE = Text("{s} {i} {t}（各专家相同）", "{s}: {i} {t} (for every expert)")
_ADJUST = Text("加减分", "adjustment")
_TOTAL = Text("综合得分", "total")
_RANK = Text("名次", "rank")


@dataclass(frozen=True, slots=True)
class Changed:
    """One value of a county as two runs counted it."""

    where: Text
    old: Text
    new: Text


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that run `number` took, with the names of both people."""

    number: int
    row: MarkCorrection
    asked_by: Text
    confirmed_by: Text
    values: tuple[Changed, ...]


def corrected_until(session: Session, run: Run) -> list[Corrected]:
    """Every correction that a run, or one before it, took, in the order of the runs."""
    if run.number == 1:
        return []
    runs = {
        other.number: other
        for other in session.scalars(
            select(Run).where(Run.round_id == run.round_id, Run.number <= run.number)
        )
    }
    found = [
        (number, row)
        for number, other in sorted(runs.items())
        for row in corrections.of_run(session, other)
    ]
    names = names_of(session, {who for _, r in found for who in (r.asked_by, r.confirmed_by)})

    def name(account: str | None) -> Text:
        known = names.get(account or "")
        return COMMAND_LINE if known is None else Text(known, known)

    return [
        Corrected(
            number,
            row,
            name(row.asked_by),
            name(row.confirmed_by),
            tuple(changed_values(runs[number - 1], runs[number], row.subject.region_code)),
        )
        for number, row in found
    ]


def changed_values(before: Run, after: Run, code: str) -> Iterator[Changed]:
    """What differs for one county between two runs: points, sheet totals, adjustment, total, rank."""
    old, new = (
        next(row for row in run.inputs["subjects"] if row["id"] == code) for run in (before, after)
    )
    for stage in after.inputs["stages"]:
        yield from _stage(
            Text.of(stage["title"]),
            old["stages"].get(stage["id"], {}),
            new["stages"].get(stage["id"], {}),
        )
    yield from _one(_ADJUST, old["adjust"], new["adjust"])
    was, now = (run.results["scores"]["subjects"][code] for run in (before, after))
    yield from _one(_TOTAL, was["total"], now["total"])
    yield from _one(_RANK, was["rank"], now["rank"])


def _stage(title: Text, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    yield from _one(title, old.get("value"), new.get("value"))
    titles = {item["id"]: Text.of(item["title"]) for item in new.get("items", ())}
    alike = set()
    was, now = old.get("computed", {}), new.get("computed", {})
    for item in [name for name in titles if name in was and name in now]:
        where = _ALIKE.format(s=title, i=item, t=titles[item])
        for change in _one(where, was[item]["points"], now[item]["points"]):
            alike.add(item)
            yield change
    for label in sorted(old.get("sheets", {}).keys() & new.get("sheets", {}).keys()):
        a, b = old["sheets"][label], new["sheets"][label]
        if None not in (a["total"], b["total"]):
            for item in [name for name in titles if name not in alike]:
                where = _ITEM.format(s=title, n=label, i=item, t=titles[item])
                yield from _one(where, _points(a, item), _points(b, item))
        yield from _one(_SHEET.format(s=title, n=label), _total(a), _total(b))


def _points(sheet: Mapping[str, Any], item: str) -> Any:
    return _NOT_APPLICABLE if item in sheet["not_applicable"] else sheet["items"].get(item)


def _total(sheet: Mapping[str, Any]) -> Any:
    """The total of a sheet, or the word for why it has none."""
    return STATE[sheet["state"]] if sheet["total"] is None else sheet["total"]


def _one(where: Text, old: Any, new: Any) -> Iterator[Changed]:
    if old != new:
        yield Changed(where, _said(old), _said(new))


def _said(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    return _NONE if value is None else Text(str(value), str(value))
