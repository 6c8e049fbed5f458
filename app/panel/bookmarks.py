"""Experts' bookmarks while the statement runs: a tap, an item, perhaps a word.

They say what an expert noticed, so they are his own until scoring has closed; then the panel, the
office and the supervisor read them beside the recording. The ledger shows no activity (sealed).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Forbidden, Text
from app.draw.models import Seat
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import running_statement
from app.panel.models import Sitting
from app.panel.models_statement import Bookmark, Recording

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Marked:
    """A bookmark with its place in a recording, where one ran at that time."""

    row: Bookmark
    seat: Seat
    recording_id: str | None
    at_ms: int | None


def add_bookmark(
    session: Session, actor: Viewer, *, sitting: Sitting, item: str = "", words: str = ""
) -> Bookmark:
    """Mark this moment. `item` is an indicator's id on the form, or empty."""
    actor.require("expert")
    seat = queries.own_seat(session, actor, sitting.panel)
    if seat is None or not queries.has_declared(session, sitting.panel, seat):
        raise Forbidden(
            Text(
                "请先签署两份承诺书。没有标记。",
                "Sign both declarations first. Nothing was marked.",
            )
        )
    running_statement(session, sitting)
    if len(item) > 64 or len(words) > 200:
        raise DomainError(
            Text("最多 200 字。没有标记。", "At most 200 characters. Nothing was marked.")
        )
    row = Bookmark(
        sitting_id=sitting.id,
        seat_id=seat.id,
        at=clock.now(),
        item=item.strip(),
        words=words.strip(),
    )
    session.add(row)
    append(session, actor, "bookmark.added", sealed=True, sitting=sitting.id)
    return row


def bookmarks(
    session: Session, viewer: Viewer, sitting: Sitting, recordings: list[Recording]
) -> list[Marked]:
    """What the viewer may read, oldest first: his own; those of all once the sitting is closed."""
    if viewer.role not in ("expert", "office", "supervisor"):
        return []
    query = (
        select(Bookmark, Seat)
        .join(Seat, Seat.id == Bookmark.seat_id)
        .where(Bookmark.sitting_id == sitting.id)
        .order_by(Bookmark.at, Bookmark.id)
    )
    if sitting.phase != "closed":
        own = queries.own_seat(session, viewer, sitting.panel)
        if own is None:
            return []
        query = query.where(Bookmark.seat_id == own.id)
    return [_placed(row, seat, recordings) for row, seat in session.execute(query)]


def _placed(row: Bookmark, seat: Seat, recordings: list[Recording]) -> Marked:
    for recording in recordings:
        place = place_in(recording, row.at)
        if place is not None:
            return Marked(row, seat, recording.id, place)
    return Marked(row, seat, None, None)


def place_in(recording: Recording, at: datetime) -> int | None:
    """Milliseconds into the recording at that moment; None outside it. Pauses do not count: the sound
    stands still from a `pause` mark to its `resume`."""
    if recording.began_at is None or recording.duration_ms is None:
        return None
    if at < recording.began_at:
        return None
    began, offset, running = recording.began_at, 0, True
    for mark in recording.marks:
        if mark.at > at or mark.at_ms is None:
            break
        if mark.kind in ("pause", "resume"):
            began, offset, running = mark.at, mark.at_ms, mark.kind == "resume"
    found = offset + ((at - began) // _MS if running else 0)
    return found if found <= recording.duration_ms else None
