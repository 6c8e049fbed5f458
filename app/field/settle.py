"""What had to wait is applied: after a statement's closing, on the supervisor's word, or when the last
photo has come. The operations stay as they are; what became of them is written beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.accounts.viewer import Viewer
from app.field.batches import store_outcomes
from app.field.models import FieldOp
from app.field.ops import Taken, apply
from app.field.places import Place, find_place, latest_outcomes, operation_of
from app.panel.models import Sitting


def settle_place(session: Session, actor: Viewer, owner: Viewer, place: Place) -> int:
    """Apply what waits for the statement, in order of arrival; how many operations. Nothing happens
    while scoring is not open, the member has not declared or signed in, or was recorded as absent
    (`held` decides that): it goes on waiting."""
    if not place.waiting or place.sitting.phase != "scoring" or place.why_not(session) is not None:
        return 0
    if place.absent(session):
        return 0
    rows, place.waiting = place.waiting, []
    apply_rows(session, actor, owner, place, rows)
    return len(rows)


def apply_rows(
    session: Session,
    actor: Viewer,
    owner: Viewer,
    place: Place,
    rows: Sequence[FieldOp],
    *,
    late: bool = False,
) -> list[Taken]:
    """Apply stored operations one after the other: changes under one leaf, each seal under its own."""
    now = clock.now()
    done: list[Taken] = []
    group: list[Taken] = []

    def flush() -> None:
        if group:
            store_outcomes(session, actor, group, now)
            done.extend(group)
            group.clear()

    for row in rows:
        op = operation_of(row)
        if op.kind == "seal":
            flush()
        if op.kind == "withdraw" and place.sealing is not None:
            flush()
            void_seal(session, actor, place, now)
            taken = Taken(op, "accepted", sheet=place.sheet, rev=place.rev)
        else:
            taken = apply(session, owner, place, op, late=late)
        group.append(taken)
        if taken.seals:
            flush()
    flush()
    return done


def void_seal(
    session: Session, actor: Viewer, place: Place, now: datetime, why: str = "withdrawn"
) -> None:
    """A seal that still waited for photos does not come about: taken back, or taken over."""
    assert place.sealing is not None
    taken = Taken(place.sealing, "refused", why, sheet=place.sheet, rev=place.rev)
    place.sealing = None
    store_outcomes(session, actor, [taken], now)


def settle_sitting(session: Session, actor: Viewer, sitting: Sitting) -> int:
    """Apply what waits for this sitting's statement, whosever it is; how many operations. Case files
    come before the county's own sheet, whose seal needs theirs."""
    rows = session.execute(
        select(FieldOp.account_id, FieldOp.sheet_key)
        .where(FieldOp.status == "held", FieldOp.sheet_key.startswith(sitting.id))
        .distinct()
    ).all()
    count = 0
    for account_id, key in sorted(rows, key=lambda row: (row[0], -len(row[1]), row[1])):
        owner = viewer_of(session, session.get_one(Account, account_id))
        place = find_place(session, owner, key) if owner is not None else None
        if owner is not None and place is not None:
            count += settle_place(session, actor, owner, place)
    return count


def waiting_for_statement(session: Session, sitting_ids: Sequence[str]) -> dict[str, int]:
    """Sitting id -> how many members have operations that wait for its statement."""
    rows = session.scalars(
        select(FieldOp).where(FieldOp.status == "held", FieldOp.why == "statement")
    ).all()
    now = latest_outcomes(session, [row.id for row in rows])
    people: dict[str, set[str]] = {}
    for row in rows:
        if now.get(row.id, ("held", "statement")) == ("held", "statement"):
            people.setdefault(row.sheet_key.partition("/")[0], set()).add(row.account_id)
    return {sitting: len(people[sitting]) for sitting in sitting_ids if sitting in people}
