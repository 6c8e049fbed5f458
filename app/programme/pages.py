"""The room's blueprint and what its pages share. `views.py` puts the pages together."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, g, render_template

from app.programme import words
from app.programme.forms import KIND_TEXT
from app.programme.guards import PHASE_TEXT
from app.programme.instruments import stage_text
from app.programme.models import Round, Subject
from app.programme.queries import subject
from app.programme.zones import UNIT_TEXT
from app.ui.request import db, me

blueprint = Blueprint("programme", __name__)
blueprint.add_app_template_global(stage_text, "stage_words")


def the_round() -> Round:
    """The round that the URL names; the application has loaded it for this viewer."""
    return cast(Round, g.round)


def the_subject(subject_id: str) -> Subject:
    """The county that the URL names, if this viewer may see it; NotFound."""
    return subject(db(), me(), the_round(), subject_id)


def page(template: str, **values: Any) -> str:
    """A page of this room, with its words at hand."""
    return render_template(
        f"programme/{template}.html",
        wording=words,
        phase_text=PHASE_TEXT,
        kind_text=KIND_TEXT,
        stage_text=stage_text,
        units=UNIT_TEXT,
        writes=me().role == "office",
        **values,
    )
