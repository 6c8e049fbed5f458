"""The few endpoints that belong to no room: language, health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, request, session

from app.ui.access import public
from app.ui.language import LANGUAGES, safe_next

blueprint = Blueprint("ui", __name__)


@blueprint.post("/language")
@public
def language() -> Any:
    """Switch the language and go back to where the reader was."""
    chosen = request.form.get("lang", "")
    if chosen in LANGUAGES:
        session["lang"] = chosen
    return redirect(safe_next(request.form.get("next")) or "/")


@blueprint.get("/health")
@public
def health() -> Any:
    """Liveness only: says nothing about content."""
    return jsonify(status="ok")
