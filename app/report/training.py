"""A trainee's sheets beside the panel's scores, so that he learns: never part of a result.

The panel's side is read from a stored run; the trainee's side from his sealed sheets, which no run holds.
The leader and the supervisor read it once the panel is over and a run is made, the trainee himself once a report is final, as
members do with their own figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import queries as runs
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.domain.scoring.measures import plain
from app.domain.scoring.sheets import sheet_points
from app.domain.types import NotFound, Text
from app.panel import queries as panels
from app.panel.models import Panel, Sitting
from app.panel.models_trainees import Trainee
from app.panel.trainees import of_panels
from app.programme.models import Round
from app.report.queries import final_report
from app.scoring.models import Sheet

ABSENT = Text(
    "没有找到这份见习对照，或者它不对您开放。",
    "There is no such comparison, or it is not open to you.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One item: the trainee's points, the mean of the panel's counted marks, and the first less the
    second; None where one side has none."""

    id: str
    title: Text
    maximum: str | None
    own: str | None
    panel: str | None
    difference: str | None


@dataclass(frozen=True, slots=True)
class County:
    """One county with a sealed sheet of the trainee: his items, his sum, his receipt."""

    name: Text
    lines: tuple[Line, ...]
    marked: str
    receipt: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is shown of one trainee beside one run."""

    trainee: Trainee
    run: Run
    counties: tuple[County, ...]
    unsealed: tuple[Text, ...]  # counties of the panel without a sealed sheet of his


def comparison(session: Session, viewer: Viewer, round_: Round, trainee_id: str) -> Comparison:
    """NotFound before the results, and for everybody who is not named above."""
    row = session.get(Trainee, trainee_id)
    run = _run_for(session, viewer, round_, row) if row is not None else None
    if row is None or run is None or row.panel.round_id != round_.id:
        raise NotFound(ABSENT)
    reading = Reading(run)
    of_subject = {county["subject"]: key for key, county in reading.counties.items()}
    sheets = {
        sheet.sitting_id: sheet
        for sheet in session.scalars(
            select(Sheet).where(Sheet.seat_id == row.seat_id, Sheet.state == "sealed")
        )
    }
    made, unsealed = [], []
    for sitting in row.panel.sittings:
        sheet, key = sheets.get(sitting.id), of_subject.get(sitting.subject_id)
        if sheet is None or key is None:
            unsealed.append(sitting.subject.name)
        else:
            made.append(_county(reading, sitting, sheet, key))
    return Comparison(row, run, tuple(made), tuple(unsealed))


def _run_for(session: Session, viewer: Viewer, round_: Round, row: Trainee) -> Run | None:
    if any(sitting.phase != "closed" for sitting in row.panel.sittings):
        return None
    final = final_report(session, round_)
    if viewer.role == "expert" and row.seat.expert.person_id == viewer.person_id:
        return final.run if final is not None else None
    seat = panels.own_seat(session, viewer, row.panel) if viewer.role == "expert" else None
    leads = seat is not None and row.panel.leader_seat_id == seat.id
    if viewer.role != "supervisor" and not leads:
        return None
    return final.run if final is not None else runs.last_run(session, round_)


def _county(reading: Reading, sitting: Sitting, sheet: Sheet, key: str) -> County:
    stage = next(
        (s["id"] for s in reading.stages if any(p["id"] == sitting.panel_id for p in s["panels"])),
        None,
    )
    scored = {row.id: row for row in reading.items(key, stage)[1]} if stage is not None else {}
    points = sheet_points(sheet.instrument, sheet.entries)
    lines = []
    for item in sheet.instrument["items"]:
        given = points.items.get(item["id"])
        if given is None or not item["applies"]:
            continue
        own = given.points
        there = scored[item["id"]].value if item["id"] in scored else None
        lines.append(
            Line(
                item["id"],
                Text.of(item["title"]),
                item["max"],
                None if own is None else plain(own),
                there,
                None if own is None or there is None else f"{own - Decimal(there):+.2f}",
            )
        )
    return County(sitting.subject.name, tuple(lines), plain(points.marked), sheet.receipt)


def readable(session: Session, viewer: Viewer, round_: Round) -> list[Trainee]:
    """The round's trainees whose comparison the viewer may open now."""
    ids = session.scalars(select(Panel.id).where(Panel.round_id == round_.id)).all()
    return [
        row for row in of_panels(session, ids) if _run_for(session, viewer, round_, row) is not None
    ]
