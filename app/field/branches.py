"""One active tablet a sheet: what another one had entered lies beside the sheet until the owner has
chosen item by item, and a tablet becomes the active one by being asked to (docs/sync-protocol.md §5).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Tablet
from app.accounts.viewer import Viewer
from app.domain.field.logs import entries_after, item_of, media_after
from app.domain.field.operations import Operation
from app.domain.types import NotFound, NotNow, Text
from app.draw.models import Seat
from app.field import settle
from app.field.models import Branch
from app.field.ops import Taken, open_items, second
from app.field.places import Place, attached_to, entries_at, find_place, merger
from app.ledger.append import append
from app.scoring import queries
from app.scoring.models import SheetHold

_CHOOSE = Text("没有改动。", "Nothing was changed.")
_OVER = Text(
    "本次评分已结束，不能换设备。没有任何改动。",
    "This sitting is over: the device cannot change any more. Nothing was changed.",
)


def open_branch(session: Session, place: Place, tablet_id: str) -> Branch | None:
    """The branch of one tablet that waits for the owner."""
    return session.scalar(
        select(Branch).where(
            Branch.seat_id == place.seat.id,
            Branch.key == place.key,
            Branch.tablet_id == tablet_id,
            Branch.resolved_at.is_(None),
        )
    )


def open_branches(session: Session, place: Place) -> list[Branch]:
    """Every branch of a sheet that waits for its owner, oldest first."""
    return list(
        session.scalars(
            select(Branch)
            .where(
                Branch.seat_id == place.seat.id,
                Branch.key == place.key,
                Branch.resolved_at.is_(None),
            )
            .order_by(Branch.opened_at, Branch.id)
        )
    )


def lay_beside(session: Session, place: Place, op: Operation, now: datetime) -> Taken:
    """Store an operation of a tablet that is not the active one: never applied, never merged."""
    item = item_of(op.kind, op.fields)
    if item is None:  # a seal or the like: kept as it is, there is nothing in it to choose
        return Taken(op, "branch")
    branch = open_branch(session, place, op.tablet)
    if branch is None:
        branch = _new_branch(session, place, op, now)
    merge = merger(place.compiled(session))
    try:
        branch.entries = entries_after(branch.entries, op.kind, op.fields, merge, None)
    except KeyError:
        return Taken(op, "refused", "invalid")
    media = media_after([(a, b) for a, b in branch.media], op.kind, op.fields, None)
    branch.media = [list(pair) for pair in media]
    if item not in branch.touched:
        branch.touched = [*branch.touched, item]
    return Taken(op, "branch", branch=branch)


def _new_branch(session: Session, place: Place, op: Operation, now: datetime) -> Branch:
    """Begins with what the tablet had seen of the sheet: its entries at `base`, or, where a save on
    the server's page lies before, as they are now."""
    sheet = place.sheet
    entries: dict[str, Any] = {}
    if sheet is not None:
        seen = entries_at(session, sheet, min(op.base, sheet.version))
        entries = dict(sheet.entries if seen is None else seen)
    branch = Branch(
        seat_id=place.seat.id,
        key=place.key,
        tablet_id=op.tablet,
        entries=entries,
        media=[list(pair) for pair in attached_to(session, sheet, op.base)],
        touched=[],
        opened_at=now,
    )
    session.add(branch)
    if place.hold is None:  # the sheet is the server pages'
        place.give(session, None)
    assert place.hold is not None
    place.hold.branches += 1
    session.flush()
    return branch


def take_over(session: Session, actor: Viewer, tablet: Tablet, key: str) -> Place:
    """Make another of the owner's tablets the active one. A seal that still waits for photos on the
    first one falls: the photos may never come. NotFound for a sheet that is not the actor's."""
    place = find_place(session, actor, key)
    if place is None:
        raise NotFound(queries.ABSENT)
    if place.sitting.phase == "closed":
        raise NotNow(_OVER)
    if place.hold is not None and place.hold.tablet_id == tablet.id:
        return place
    if place.sealing is not None:
        settle.void_seal(session, actor, place, clock.now(), "taken_over")
    place.give(session, tablet.id)
    assert place.hold is not None
    append(session, actor, "sheet.taken_over", sealed=True, hold=place.hold.id, tablet=tablet.id)
    return place


def compared(session: Session, place: Place) -> list[dict[str, Any]]:
    """Both columns of every branch that waits: the items that differ, side by side."""
    mine = place.sheet.entries if place.sheet is not None else {}
    here = place.attached(session)
    found = []
    for branch in open_branches(session, place):
        there = [(a, b) for a, b in branch.media]
        items = [
            {
                "item": item,
                "mine": mine.get(item),
                "branch": branch.entries.get(item),
                "mine_media": [sha for name, sha in here if name == item],
                "branch_media": [sha for name, sha in there if name == item],
            }
            for item in open_items(session, place, branch)
        ]
        found.append(
            {
                "id": branch.id,
                "label": branch.tablet.label,
                "opened_at": second(branch.opened_at),
                "items": items,
            }
        )
    return found


def open_by_sitting(session: Session, sitting_ids: Sequence[str]) -> dict[str, int]:
    """Sitting id -> how many sheets that count wait for their owner's choice."""
    found: dict[str, int] = {}
    for key in session.scalars(
        select(SheetHold.key)
        .join(Seat, Seat.id == SheetHold.seat_id)
        .where(SheetHold.branches > 0, Seat.state != "removed")
    ):
        sitting = key.partition("/")[0]
        if sitting in sitting_ids:
            found[sitting] = found.get(sitting, 0) + 1
    return found
