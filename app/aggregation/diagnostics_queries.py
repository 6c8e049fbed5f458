"""Who stands behind the seats of a run: read for the diagnostics, never shown as such.

Names are looked up only where a page of the supervisor asks for them, and a sealed draw answers with
pseudonyms.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.diagnostics import Cast, Diagnosis, Rater
from app.aggregation.models import Run
from app.draw import disclosure
from app.draw.models import Seat
from app.scoring.models import Sheet


def cast_of(session: Session, run: Run) -> Cast:
    """Two queries, whatever the size of the round. A sheet that was corrected after its sealing has no
    place in the order: when it was marked is not known from its last seal."""
    sheets = [
        sheet
        for row in run.inputs["subjects"]
        for part in row["stages"].values()
        for sheet in part.get("sheets", {}).values()
    ]
    seats = {sheet["seat_id"] for sheet in sheets}
    found = session.execute(select(Seat.id, Seat.expert_id).where(Seat.id.in_(seats)))
    experts: dict[str, str] = {row.id: row.expert_id for row in found}
    first = {sheet["sheet"] for sheet in sheets if sheet["revision"] == 1}
    sealed: dict[str, datetime] = {
        sheet: at
        for sheet, at in session.execute(
            select(Sheet.id, Sheet.sealed_at).where(
                Sheet.id.in_(first), Sheet.sealed_at.is_not(None)
            )
        )
        if at is not None
    }
    order: dict[str, dict[tuple[str, str], float]] = {}
    for stage in run.inputs["stages"]:
        turns: dict[str, list[tuple[datetime, str]]] = {}
        for row in run.inputs["subjects"]:
            for sheet in row["stages"][stage["id"]].get("sheets", {}).values():
                at, expert = sealed.get(sheet["sheet"]), experts.get(sheet["seat_id"])
                if at is not None and expert is not None:
                    turns.setdefault(expert, []).append((at, row["id"]))
        order[stage["id"]] = {
            (expert, county): float(place)
            for expert, turn in turns.items()
            for place, (_, county) in enumerate(sorted(turn), 1)
        }
    return Cast(experts, order)


def diagnosis_of(session: Session, run: Run) -> Diagnosis:
    """A run with the people behind its seats."""
    return Diagnosis(run, cast_of(session, run))


def names_of_raters(session: Session, raters: Iterable[Rater]) -> dict[str, str]:
    """Expert's key -> name, or pseudonym where his draw is sealed. For the supervisor alone."""
    wanted = {rater.seats[0]: rater.key for rater in raters if rater.seats}
    seats = list(session.scalars(select(Seat).where(Seat.id.in_(wanted)).order_by(Seat.id)))
    shown = disclosure.shown_names(session, seats)
    return {wanted[seat.id]: name for seat, name in zip(seats, shown, strict=True)}
