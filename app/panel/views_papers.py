"""Blank declarations to print, for when an expert signs in ink."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from app import clock
from app.domain.types import NotFound
from app.panel import papers, queries
from app.panel.room import blueprint
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, finish, me


@blueprint.get("/panels/<panel_id>/declarations/<kind>.pdf")
@allow("office", "supervisor")
def blank_declaration(slug: str, panel_id: str, kind: str) -> Any:
    """The conflict or the secrecy declaration of a panel, blank, A4."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    if kind not in papers.TITLES:
        raise NotFound(queries.ABSENT)
    data = papers.declaration_data(panel, kind, language())
    name = f"declaration-{kind}-{panel.code}.pdf"
    finish(keep=False)  # typst takes its time: not with a snapshot held open
    made = Response(papers.declaration_pdf(data, clock.now()), mimetype="application/pdf")
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made
