"""Proposals to move a sitting's closing time, as a member's device shows them: he votes where he scores
(app/panel/votes.py decides). A vote needs signal: it counts at once or not at all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import NotFound
from app.field.heads import moment
from app.panel import queries as panels
from app.panel import votes
from app.panel.models_votes import Extension


def _open(session: Session, viewer: Viewer) -> list[Extension]:
    """Proposals that wait for the viewer's own vote, oldest first."""
    rows = session.scalars(
        select(Extension)
        .where(Extension.state == "open", Extension.closes_at > clock.now())
        .order_by(Extension.proposed_at, Extension.id)
    )
    found = []
    for row in rows:
        seat = panels.own_seat(session, viewer, row.sitting.panel)
        voted = {given.seat_id for given in row.votes}
        if seat is not None and seat.id not in voted and row.sitting.phase != "closed":
            found.append(row)
    return found


def told(session: Session, viewer: Viewer) -> list[dict[str, Any]]:
    """`[{id, county, before, closes_at, reason}]` of the package, for an expert."""
    if viewer.role != "expert":
        return []
    return [
        {
            "id": row.id,
            "county": {"zh": row.sitting.subject.name.zh, "en": row.sitting.subject.name.en},
            "before": moment(row.before) if row.before is not None else None,
            "closes_at": moment(row.closes_at),
            "reason": row.reason,
        }
        for row in _open(session, viewer)
    ]


def cast(session: Session, actor: Viewer, extension_id: str, *, yes: bool) -> None:
    """The viewer's vote. NotFound for a proposal that is not put to him, decided or voted on."""
    actor.require("expert")
    row = session.get(Extension, extension_id)
    if row is None or panels.own_seat(session, actor, row.sitting.panel) is None:
        raise NotFound(panels.ABSENT)
    votes.vote(session, actor, sitting=row.sitting, extension_id=row.id, yes=yes)
