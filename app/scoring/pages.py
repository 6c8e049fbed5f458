"""The room's blueprint and what its pages share. `views.py` puts the pages together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, render_template

from app.draw.views_names import who
from app.scoring import absences, queries
from app.scoring.forms import AbsenceForm
from app.ui.request import db, me

blueprint = Blueprint("scoring", __name__, url_prefix="/r/<slug>")


def absence_form(rows: list[queries.Progress], **options: Any) -> AbsenceForm:
    """For the members whose sheet is not final: the absence to record."""
    return _of_seats(AbsenceForm(**options), (r for r in rows if r.state not in queries.FINAL))


def undo_form(rows: list[queries.Progress], **options: Any) -> AbsenceForm:
    """For the members who are recorded as absent: the absence to take back."""
    return _of_seats(AbsenceForm(**options), (r for r in rows if r.state == "absent"))


def _of_seats(form: AbsenceForm, rows: Iterable[queries.Progress]) -> AbsenceForm:
    form.seat.choices = [(r.seat.id, f"{r.seat.number}  {who(r.seat)}") for r in rows]
    return form


def progress_page(
    sitting: Any,
    rows: list[queries.Progress],
    status: int = 200,
    *,
    form: AbsenceForm | None = None,
    undo: AbsenceForm | None = None,
) -> tuple[str, int]:
    """The page of progress; a form that was refused comes in with what was typed."""
    page = render_template(
        "scoring/progress.html",
        sitting=sitting,
        rows=rows,
        form=form or absence_form(rows, formdata=None),
        undo_form=undo or undo_form(rows, formdata=None),
        undone=absences.undone(db(), me(), sitting),
    )
    return page, status
