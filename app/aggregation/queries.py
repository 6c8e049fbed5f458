"""Reading runs. The office and the supervisor see them whole; an expert sees his own sheets once the
report is final, a presenter his own county once the run is released (`county`); an administrator sees no
marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation.models import Run
from app.domain.types import NotFound, Text
from app.programme.models import Round

READERS = ("office", "supervisor")
ABSENT = Text(
    "没有找到这次汇总，或者它不对您开放。", "There is no such run, or it is not open to you."
)


def runs(session: Session, viewer: Viewer, round_: Round) -> list[Run]:
    """Every run of a round, the latest first; nothing for whoever may not see results."""
    if viewer.role not in READERS:
        return []
    return list(
        session.scalars(select(Run).where(Run.round_id == round_.id).order_by(Run.number.desc()))
    )


def run(session: Session, viewer: Viewer, round_: Round, number: int) -> Run:
    """One run by its number; NotFound."""
    found = session.scalar(select(Run).where(Run.round_id == round_.id, Run.number == number))
    if found is None or viewer.role not in READERS:
        raise NotFound(ABSENT)
    return found


def last_run(session: Session, round_: Round) -> Run | None:
    """The latest run of a round, for rooms that build on it."""
    return session.scalar(
        select(Run).where(Run.round_id == round_.id).order_by(Run.number.desc()).limit(1)
    )


def own_figures(run_: Run, seat_ids: Sequence[str]) -> list[dict[str, Any]]:
    """An expert's own sheets in a run: county, stage, total, items, whether it was dropped."""
    found = []
    for row in run_.inputs["subjects"]:
        for stage in run_.inputs["stages"]:
            part = row["stages"][stage["id"]]
            for label, sheet in part.get("sheets", {}).items():
                if sheet["seat_id"] not in seat_ids:
                    continue
                unit = run_.results["scores"]["subjects"][row["id"]]["stages"][stage["id"]]["unit"]
                found.append(
                    {
                        "county": Text.of(row["name"]),
                        "stage": Text.of(stage["title"]),
                        "label": label,
                        "sheet": sheet,
                        "dropped": unit is not None and label in unit["dropped"],
                    }
                )
    return found
