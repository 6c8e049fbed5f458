"""The office takes back an absence that it recorded by mistake."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, request, url_for

from app.domain.types import Conflict, DomainError, NotFound
from app.panel import queries as panels
from app.scoring import absences, queries
from app.scoring.pages import blueprint, progress_page, undo_form
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.post("/sittings/<sitting_id>/absence/undo")
@allow("office")
def undo_absence(slug: str, sitting_id: str) -> Any:
    """Make the sheet of a member who was marked absent a draft again."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    wanted = request.form.get("seat", "")
    seat = next((s for s in panels.seats(db(), sitting.panel) if s.id == wanted), None)
    if seat is None:
        raise NotFound(panels.ABSENT)
    rows = queries.progress(db(), me(), sitting)
    form = undo_form(rows)
    if not form.reason.validate(form):
        return progress_page(sitting, rows, 422, undo=form)
    try:
        absences.undo_absence(db(), me(), sitting=sitting, seat=seat, reason=form.reason.data or "")
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "reason")
        return progress_page(sitting, rows, 422, undo=form)
    flash(say("缺席记录已撤销，该成员可以评分。", "Undone: this member can score again."), "done")
    return redirect(url_for("scoring.progress", slug=slug, sitting_id=sitting_id))
