"""The room's blueprint and what its pages share. `views.py` puts the pages together."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint

from app import clock
from app.directory import queries as directory
from app.directory.models import Organisation
from app.domain.types import DomainError, Text
from app.registry import operations
from app.registry.models import Expert
from app.ui.request import db, me, settings

blueprint = Blueprint("registry", __name__)

UNKNOWN_EMPLOYER = Text(
    "没有名为“{name}”的单位；请从列表中选择，或先在“单位”中建立。",
    "There is no organisation “{name}”; choose from the list, or create it first.",
)
UNKNOWN_PLACE = Text(
    "没有叫“{name}”的地区，或有多个。", "No region, or several, are called “{name}”."
)


def of_form(error: DomainError) -> DomainError:
    """The form calls a code's field by what is typed there."""
    error.field = {"region_code": "region"}.get(error.field or "", error.field)
    return error


def employers() -> list[str]:
    """Names of all organisations, for a list to choose from."""
    return [name for _, name in directory.organisation_choices(db())]


def employer_named(name: str) -> Organisation:
    """The organisation as typed; DomainError for the field `employer`."""
    found = directory.organisations_by_key(db()).get(directory.organisation_key(name))
    if found is None:
        raise DomainError(UNKNOWN_EMPLOYER.format(name=name), field="employer")
    return found


def place_named(name: str | None) -> str | None:
    """The code of a place as typed, None when empty; DomainError for the field `region`."""
    if not (name or "").strip():
        return None
    code = directory.Places(db()).code(name or "")
    if code is None:
        raise DomainError(UNKNOWN_PLACE.format(name=name), field="region")
    return code


def today() -> date:
    """The office's date."""
    return clock.today(settings().timezone)


def declare(expert: Expert, form: Any, side: str) -> None:
    """Declare what an interest form says."""
    operations.declare_interest(
        db(),
        me(),
        expert=expert,
        kind=form.kind.data,
        side=side,
        evidence=form.evidence.data,
        region_code=place_named(form.region.data),
        organisation=employer_named(form.employer.data) if form.employer.data else None,
        since=form.since.data,
        until=form.until.data,
    )
