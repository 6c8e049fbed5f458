"""Regions and their dated changes. A change of territory can end an honour (S0 art. 32), so codes
are never overwritten: a former unit keeps its row with the day on which it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory import queries, snapshot
from app.directory.models import Region, RegionChange
from app.directory.queries import Actor
from app.directory.snapshot import CHANGE_KINDS, Place
from app.domain.types import Conflict, DomainError, Text
from app.ledger.append import append

_LOADED = Text(
    "行政区划快照已经载入过。没有任何改动；此后的变化请用“登记区划变更”。",
    "The snapshot of regions is loaded already. Nothing was changed; record later changes one by "
    "one.",
)
_CHANGE = Text(
    "区划变更需要种类、原代码和来源，新代码可为空（撤销）。没有任何改动。",
    "A change of territory needs a kind, old codes and a source; only an abolition has no new "
    "codes. Nothing was changed.",
)
_UNKNOWN_CODE = Text(
    "没有代码为 {code} 的区划，也没有给出名称。没有任何改动；请核对代码。",
    "There is no region with code {code} and no name was given. Nothing was changed; check the "
    "code.",
)


def may_write(actor: Actor | None) -> None:
    """The directory is written by the pool keeper, or from the command line (None)."""
    if actor is not None:
        actor.require("keeper")


def load_regions(session: Session, actor: Actor | None) -> int:
    """Load the snapshot (provinces, 333 prefectures, 2,845 counties) and the known dated changes.

    One ledger event for all. Returns the number of regions; Conflict when some are there already.
    """
    may_write(actor)
    if session.scalar(select(Region.id).limit(1)):
        raise Conflict(_LOADED)
    rows = snapshot.regions()
    for code, name, kind, parent in rows:
        session.add(
            Region(code=code, name=name, kind=kind, parent_code=parent, source=snapshot.SOURCE)
        )
    session.flush()
    changes = snapshot.changes()
    for change in changes:
        _change(session, **change)
    append(session, actor, "regions.loaded", regions=len(rows), changes=len(changes))
    return len(rows)


def record_region_change(
    session: Session,
    actor: Actor | None,
    *,
    on: date,
    kind: str,
    old: Sequence[Place],
    new: Sequence[Place],
    source: str,
    note: str = "",
) -> RegionChange:
    """Record a rename, merge, split, abolition, redrawing or transfer that holds from `on`.

    Codes only in `old` end on `on`; codes only in `new` begin on it; a code on both sides goes on
    (under a new name: the old row ends and a new one begins). Unknown codes need a name.
    """
    may_write(actor)
    change = _change(session, on=on, kind=kind, old=old, new=new, source=source, note=note)
    append(session, actor, "region.changed", change=change.id, kind=kind, on=on.isoformat())
    return change


def _change(
    session: Session,
    *,
    on: date,
    kind: str,
    old: Sequence[Place],
    new: Sequence[Place],
    source: str,
    note: str,
) -> RegionChange:
    if kind not in CHANGE_KINDS or not old or not source.strip() or (not new and kind != "abolish"):
        raise DomainError(_CHANGE)
    kept = {place.code for place in old} & {place.code for place in new}
    for place in old:
        row = _open_row(session, place, on, source)
        if place.code not in kept:
            row.valid_to = on
    for place in new:
        before = queries.region(session, place.code)
        if before is None or before.valid_to is not None:
            row = _open_row(session, place, on, source)
            row.valid_from = on
        elif place.code not in kept:
            before.valid_from = on
        elif place.name and place.name != before.name:
            before.valid_to = on
            session.add(_region(place, source, valid_from=on, kind=place.kind or before.kind))
    change = RegionChange(
        on=on,
        kind=kind,
        old_codes=[place.code for place in old],
        new_codes=[place.code for place in new],
        source=source,
        note=note,
    )
    session.add(change)
    session.flush()
    return change


def _open_row(session: Session, place: Place, on: date, source: str) -> Region:
    """The row in force just before `on`, made when the snapshot lacks the code."""
    row = queries.region(session, place.code)
    if row is not None and (row.valid_to is None or row.valid_to > on):
        return row
    if not place.name:
        raise DomainError(_UNKNOWN_CODE.format(code=place.code))
    row = _region(place, source, kind=place.kind)
    session.add(row)
    session.flush()
    return row


def _region(place: Place, source: str, *, kind: str, valid_from: date | None = None) -> Region:
    above = queries.ancestor_codes(place.code)
    municipality = place.code[:2] in ("11", "12", "31", "50")
    parent = above[0] if municipality or len(above) < 3 else above[-2]
    return Region(
        code=place.code,
        name=place.name,
        kind=kind,
        parent_code=parent if parent != place.code else None,
        valid_from=valid_from,
        source=source,
    )
