"""The room's blueprint, shared by the files that add pages to it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("aggregation", __name__, url_prefix="/r/<slug>")
