"""The room's blueprint and what its pages share. `views.py` puts the pages together."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint

from app import clock
from app.directory import queries as directory
from app.directory.models import Organisation
from app.domain.types import DomainError, Text
from app.registry import operations, queries
from app.registry import queries_registers as registers
from app.registry.messages import NO_HEAD
from app.registry.models import Expert
from app.ui.language import say
from app.ui.request import db, me, settings

blueprint = Blueprint("registry", __name__)
_NUMBER = re.compile(r"E\d{4,}")

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
    """Declare what an interest form says. Staff may name the other expert by number; an expert's own
    word for a head is kept as written when no head of that name is on record."""
    kind, _, detail = str(form.kind.data).partition(":")
    code = place_named(form.region.data)
    head, other = (form.head.data or "").strip(), (form.other.data or "").strip()
    found = None
    evidence = form.evidence.data
    if head and code:
        found = next((h for h in registers.heads_of(db(), code) if h.name == head), None)
    if head and found is None:
        if me().role != "expert":
            raise DomainError(NO_HEAD.format(value=head), field="head")
        evidence = str(say("{e}（负责人：{h}）", "{e} (head: {h})", e=evidence, h=head))
    numbered = me().role != "expert" and _NUMBER.fullmatch(other.upper())
    operations.declare_interest(
        db(),
        me(),
        expert=expert,
        kind=kind,
        detail=detail or None,
        side=side,
        evidence=evidence,
        region_code=code,
        organisation=employer_named(form.employer.data) if form.employer.data else None,
        head=found,
        other_expert=queries.expert_numbered(db(), me(), other, "other") if numbered else None,
        other_name="" if numbered else other,
        since=form.since.data,
        until=form.until.data,
    )
