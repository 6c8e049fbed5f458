"""The room's blueprint; `views.py` puts the pages together."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("home", __name__)
