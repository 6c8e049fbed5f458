"""What the result part of a draw's page shows, with names or pseudonyms as the viewer may see them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.draw import calls, disclosure, edition, queries
from app.draw.models import Draw


def context(session: Session, viewer: Viewer, draw: Draw) -> dict[str, Any]:
    """Values of `draw/_result.html` beside those of `app.draw.pages`."""
    if draw.result is None and not draw.seats:
        return {"drawn": False, "disclosure": disclosure.of(session, draw)}
    return {
        "drawn": True,
        "disclosure": disclosure.of(session, draw),
        "sealed": disclosure.is_sealed(session, draw),
        "named": disclosure.may_see_names(session, viewer, draw),
        "published": disclosure.published(session, draw),
        "known": disclosure.pseudonyms(session, draw),
        "queues": reserve_queues(session, draw),
        "vacant": calls.vacant(draw),
        "opening": edition.opening_of(session, draw) is not None,
    }


def reserve_queues(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """The reserves with the words of their type; [] under the policy `act`."""
    queues = calls.reserves(draw)
    if not queues:
        return []
    names = queries.employer_names(session, draw)
    opened = edition.opening_of(session, draw)
    codes = opened.codes if opened is not None else {}
    rows = []
    for queue in queues:
        words = []
        for attribute, value in zip(_attributes(draw, queue.panel), queue.of, strict=True):
            clear = codes.get(attribute, {}).get(value, value)
            if attribute == "employer":
                clear = value  # `employer_names` knows the code
            words.append(queries.value_text(attribute, clear, names))
        rows.append(
            {
                "panel": queue.panel, "words": words, "seats": queue.seats, "people": queue.people,
            }
        )  # fmt: skip
    return rows


def _attributes(draw: Draw, panel: str) -> list[str]:
    spec = next(p for p in (draw.commitment or {})["panels"] if p["id"] == panel)
    return sorted({row[0] for row in spec["quotas"]})
