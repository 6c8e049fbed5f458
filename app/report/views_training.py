"""For training: a trainee's marks beside the panel's."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from app.report import training
from app.report.pages import blueprint
from app.ui.access import allow
from app.ui.request import db, me


@blueprint.get("/training/<trainee_id>")
@allow("supervisor", "expert")
def trained(slug: str, trainee_id: str) -> Any:
    """One trainee's sealed sheets beside the panel's scores; nothing here counts."""
    found = training.comparison(db(), me(), g.round, trainee_id)
    return render_template("report/training.html", found=found)


@blueprint.app_context_processor
def _trained() -> dict[str, Any]:
    """`trainings(round)` for the list of reports: whose comparison the viewer may open."""
    return {"trainings": lambda round_: training.readable(db(), me(), round_)}
