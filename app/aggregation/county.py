"""What a county reads of its own result: items with the counted mean and anonymised remarks.

No expert is named and no seat can be told: remarks stand in an order that depends on their words alone
(a digest of them), item by item, so two experts who change places leave the page as it was, and names of
the panel's members inside a remark are replaced. Marks of single experts and other counties are not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import queries, releases
from app.aggregation.models import Run
from app.aggregation.models_release import ResultRelease
from app.aggregation.reading import Place, Reading
from app.aggregation.wording import written
from app.directory.models import Person
from app.domain.types import NotFound, Text
from app.draw.models import Seat
from app.programme.models import Round
from app.registry.models import Expert
from app.scoring.models import Sheet

_SOMEBODY = "〔专家〕"


@dataclass(frozen=True, slots=True)
class CountyItem:
    """One item: the mean of the counted experts, and what the experts wrote to it."""

    id: str
    title: Text
    maximum: str | None
    computed: bool
    value: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountyStage:
    """One stage: its value, how many sheets counted, its items."""

    title: Text
    value: str | None
    counted: int | None
    items: tuple[CountyItem, ...]


@dataclass(frozen=True, slots=True)
class CountyResult:
    """One county in one run."""

    place: Place
    stages: tuple[CountyStage, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a presenter sees: the release in force, the one that it replaced, his counties."""

    release: ResultRelease
    before: ResultRelease | None
    counties: tuple[CountyResult, ...]


def own_result(session: Session, viewer: Viewer, round_: Round) -> Shown:
    """The presenter's own counties in the released run; NotFound before a release and for others."""
    mine = {s.id for s in round_.subjects if s.presenter_id == viewer.person_id}
    found = releases.confirmed(session, round_) if viewer.role == "presenter" and mine else []
    if not found:
        raise NotFound(queries.ABSENT)
    run = found[0].run
    keys = [row["id"] for row in run.inputs["subjects"] if row["subject"] in mine]
    if not keys:
        raise NotFound(queries.ABSENT)
    return Shown(
        found[0], found[1] if len(found) > 1 else None, tuple(results_of(session, run, keys))
    )


def results_of(session: Session, run: Run, keys: Sequence[str]) -> list[CountyResult]:
    """The results of some counties of a run, as their presenters would read them."""
    reading = Reading(run)
    wanted = [
        sheet["sheet"]
        for key in keys
        for part in reading.counties[key]["stages"].values()
        for sheet in part.get("sheets", {}).values()
        if sheet["state"] == "submitted"
    ]
    entries = {row.id: row for row in session.scalars(select(Sheet).where(Sheet.id.in_(wanted)))}
    names = _names(session, run)
    places = {place.id: place for place in reading.ranking()}
    return [
        CountyResult(
            places[key],
            tuple(_stage(reading, key, stage, entries, names) for stage in reading.stages),
        )
        for key in keys
    ]


def _stage(
    reading: Reading,
    key: str,
    stage: Mapping[str, Any],
    entries: Mapping[str, Sheet],
    names: Sequence[str],
) -> CountyStage:
    part = reading.counties[key]["stages"][stage["id"]]
    score = reading.scores[key]["stages"].get(stage["id"])
    unit = score["unit"] if score else None
    sheets = [
        entries[sheet["sheet"]].entries
        for sheet in part.get("sheets", {}).values()
        if sheet["state"] == "submitted"
    ]
    items = []
    for row in reading.items(key, stage["id"])[1]:
        typed = (str((sheet.get(row.id) or {}).get("reason", "")).strip() for sheet in sheets)
        remarks = [_masked(text, names) for text in typed if text] if not row.computed else []
        items.append(
            CountyItem(
                row.id,
                row.title,
                row.maximum,
                row.computed,
                row.value,
                tuple(sorted(remarks, key=lambda text: _order(reading.run, key, row.id, text))),
            )
        )
    return CountyStage(
        reading.titles[stage["id"]],
        written(score["value"]) if score else None,
        unit["used"] if unit else None,
        tuple(items),
    )


def _order(run: Run, key: str, item: str, text: str) -> bytes:
    """Where a remark stands: by a digest of its words, which says nothing about who wrote it."""
    return hashlib.sha256("\n".join((run.round_id, key, item, text)).encode()).digest()


def _names(session: Session, run: Run) -> list[str]:
    """The names of everybody on the run's panels, the longest first."""
    seats = {
        sheet["seat_id"]
        for row in run.inputs["subjects"]
        for part in row["stages"].values()
        for sheet in part.get("sheets", {}).values()
    }
    names = session.scalars(
        select(Person)
        .join(Expert, Expert.person_id == Person.id)
        .join(Seat, Seat.expert_id == Expert.id)
        .where(Seat.id.in_(seats))
    )
    return sorted({person.name for person in names}, key=lambda name: (-len(name), name))


def _masked(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = text.replace(name, _SOMEBODY)
    return text
