"""Requests kept under a name, so that the next round's request starts from the last one's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.draw.models import Draw
from app.draw.models_request import RequestTemplate
from app.draw.sources import is_outside
from app.ledger.append import append

# What belongs to one draw alone: its counties and days, its drill values, its accepted chances.
_OWN = ("subjects", "own_dates", "dates")


def save_template(session: Session, actor: Viewer | None, draw: Draw, name: str) -> RequestTemplate:
    """Keep the request of a draw under `name`; the same name again replaces it.

    Counties, dates, fixed values, accepted chances and the numbers of lottery draws stay behind.
    """
    if actor is not None:
        actor.require("office")
    wanted = " ".join(name.split())
    if not 1 <= len(wanted) <= 200:
        text = Text(
            "模板名称须为 1 至 200 字。没有保存。",
            "A template's name has 1 to 200 characters. Nothing was saved.",
        )
        raise DomainError(text, field="name")
    row = session.scalar(select(RequestTemplate).where(RequestTemplate.name == wanted))
    if row is None:
        row = RequestTemplate(name=wanted)
        session.add(row)
    row.body = template_body(draw.request)
    row.saved_by = actor.id if actor else None
    row.saved_at = clock.now()
    session.flush()
    append(session, actor, "draw.template_saved", template=row.id, draw=draw.id)
    return row


def template_body(request: dict[str, Any]) -> dict[str, Any]:
    """The part of a request that can be asked again for other counties."""
    return {
        "panels": [
            {key: value for key, value in panel.items() if key not in _OWN}
            for panel in request["panels"]
        ],
        "load_cap": request["load_cap"],
        "replacement": request["replacement"],
        "sources": [{**row, "when": ""} for row in request["sources"] if not is_outside(row)],
        "parties": request["parties"],
    }
