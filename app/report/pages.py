"""The blueprint of the room: every file of its views hangs its pages on it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("report", __name__, url_prefix="/r/<slug>")
