"""A seal that waited for its photos comes about in the transaction in which the last one arrives
(docs/sync-protocol.md section 4).
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.field import late
from app.field.batches import store_outcomes
from app.field.media import WHEN_ARRIVED
from app.field.models import FieldOp
from app.field.ops import Taken, apply
from app.field.places import find_place


def media_arrived(session: Session, actor: Viewer, sha256: str) -> None:
    """Seal what waited for this file and waits for no other; late when the panel has closed."""
    keys = session.scalars(
        select(FieldOp.sheet_key)
        .where(FieldOp.account_id == actor.id, FieldOp.kind == "seal", FieldOp.status == "held")
        .distinct()
    ).all()
    for key in sorted(keys, key=lambda key: (-len(key), key)):
        place = find_place(session, actor, key)
        if place is None or place.sealing is None:
            continue
        op = place.sealing
        wanted = [str(sha) for sha in op.fields["media"]]
        if sha256 not in wanted or place.missing(session, wanted) or place.absent(session):
            continue
        place.sealing = None
        if place.sitting.phase == "closed" and place.seat.trainee:
            taken = Taken(op, "refused", "closed", sheet=place.sheet, rev=place.rev)
        elif place.sitting.phase == "closed":
            late.note(session, actor, place, op, clock.now())
            taken = Taken(op, "held", "late", sheet=place.sheet, rev=place.rev)
        else:
            taken = apply(session, actor, place, op)
        store_outcomes(session, actor, [taken], clock.now())


WHEN_ARRIVED.append(media_arrived)
