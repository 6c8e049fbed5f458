"""Reading the releases of second draws: what stands in the ledger, which may be used, what they tell.

A row alone opens nothing: it counts as far as the ledger has its asking by one person and its release
by a supervisor who is another, both once and in this order (docs/draw-protocol.md section 14).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account, RoleGrant
from app.domain.ledger.canonical import digest
from app.domain.types import Text
from app.draw.models import Draw
from app.draw.models_release import DrawRelease
from app.ledger.models import Event

ASKED, RELEASED, REFUSED, USED = (
    "draw.second_asked", "draw.second_released", "draw.second_refused", "draw.second_used",
)  # fmt: skip
STATE: dict[str, Text] = {
    "asked": Text("待监督人员决定", "Awaits a supervisor"),
    "refused": Text("未予放行", "Refused"),
    "released": Text("已放行，可抽取一次", "Released, for one draw"),
    "used": Text("已使用", "Used"),
}


@dataclass
class Told:
    """What the ledger says of one release: kind -> [(place, actor, data)]."""

    entries: dict[str, list[tuple[int, str, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def statement_of(row: DrawRelease, commitment_hash: str | None) -> str:
    """Digest of everything that a release says; reasons as hashes, since the digest is published."""

    def hidden(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    return digest(
        {
            "release": row.id,
            "number": row.number,
            "draw": row.draw_id,
            "commitment": commitment_hash or "",
            "reason": hidden(row.reason),
            "asked_by": row.asked_by,
            "asked_at": clock.stamp(row.asked_at),
            "answer": hidden(row.answer),
            "decided_by": row.decided_by or "",
            "decided_at": clock.stamp(row.decided_at) if row.decided_at else "",
        }
    )


def told(session: Session, row: DrawRelease) -> Told:
    """The entries of the ledger about a release, oldest first; one statement."""
    found = Told()
    query = (
        select(Event.seq, Event.payload)
        .where(Event.payload.contains(row.id, autoescape=True))
        .order_by(Event.seq)
    )
    for seq, payload in session.execute(query):
        body = json.loads(payload)
        if body["kind"] in (ASKED, RELEASED, REFUSED, USED) and body["data"]["release"] == row.id:
            found.entries[body["kind"]].append((seq, str(body["actor"]), body["data"]))
    return found


def fault_of(session: Session, row: DrawRelease) -> str:
    """ "" when a released row is what the ledger says; else a word for what is wrong with it."""
    entries = told(session, row).entries
    asked, given, used = entries[ASKED], entries[RELEASED], entries[USED]
    draw = session.get_one(Draw, row.draw_id)
    if len(asked) != 1 or len(given) != 1 or entries[REFUSED] or asked[0][0] >= given[0][0]:
        return "entries"
    statement = statement_of(row, draw.commitment_hash)
    if row.statement != statement or given[0][2].get("statement") != statement:
        return "statement"
    if (asked[0][1], given[0][1]) != (row.asked_by, row.decided_by):
        return "actors"
    people = [session.get(Account, key) for key in (row.asked_by, row.decided_by)]
    if None in people or people[0].person_id == people[1].person_id:  # type: ignore[union-attr]
        return "same person"
    if not _was_supervisor(session, people[1].person_id, row):  # type: ignore[union-attr]
        return "not a supervisor"
    if draw.kind != "real" or draw.round.phase != "cancelled":
        return "round"
    uses = [data.get("purpose") for _, _, data in used]
    if uses != ([row.used_purpose] if row.state == "used" else []):
        return "use"
    return ""


def _was_supervisor(session: Session, person: str, row: DrawRelease) -> bool:
    grant = select(RoleGrant.id).where(
        RoleGrant.person_id == person,
        RoleGrant.role == "supervisor",
        RoleGrant.since <= row.decided_at,
        or_(RoleGrant.until.is_(None), RoleGrant.until >= row.decided_at),
    )
    return session.scalar(grant.limit(1)) is not None


def usable(session: Session, draw_id: str, purpose: str) -> DrawRelease | None:
    """The release of a second draw after `draw_id` that this purpose may use, or is using; locked."""
    rows = session.scalars(
        select(DrawRelease)
        .where(
            DrawRelease.draw_id == draw_id,
            or_(DrawRelease.state == "released", DrawRelease.used_purpose == purpose),
        )
        .order_by(DrawRelease.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in rows:
        if row.state in ("released", "used") and fault_of(session, row) == "":
            return row
    return None


def followers(session: Session, draw_id: str) -> list[Draw]:
    """The completed draws of the purposes that used a release after `draw_id`."""
    purposes = select(DrawRelease.used_purpose).where(
        DrawRelease.draw_id == draw_id, DrawRelease.state == "used"
    )
    query = select(Draw).where(Draw.purpose_key.in_(purposes), Draw.state == "completed")
    return list(session.scalars(query))


def spent_in_vain(session: Session, row: DrawRelease) -> bool:
    """Whether a used release came to nothing: every draw of its purpose is in an ended round, and none
    has a result."""
    draws = session.scalars(select(Draw).where(Draw.purpose_key == row.used_purpose)).all()
    return all(d.state != "completed" and d.round.phase in ("closed", "cancelled") for d in draws)


def of_draw(session: Session, draw: Draw) -> list[DrawRelease]:
    """Every asking for a second draw after this one, in order."""
    query = select(DrawRelease).where(DrawRelease.draw_id == draw.id)
    return list(session.scalars(query.order_by(DrawRelease.number)))


def of_purpose(session: Session, purpose: str) -> list[DrawRelease]:
    """The releases that a purpose uses."""
    query = select(DrawRelease).where(
        DrawRelease.used_purpose == purpose, DrawRelease.state == "used"
    )
    return list(session.scalars(query.order_by(DrawRelease.draw_id)))


def purpose_told(session: Session, purpose: str) -> dict[str, str]:
    """What the purpose of a second commitment says beside the usual; {} of any other.

    `second_of`: commitment hashes of the first draws; `release`: the statements, in the same order.
    """
    pairs = sorted(
        (str(session.get_one(Draw, row.draw_id).commitment_hash), str(row.statement))
        for row in of_purpose(session, purpose)
    )
    if not pairs:
        return {}
    return {
        "second_of": ",".join(first for first, _ in pairs),
        "release": ",".join(statement for _, statement in pairs),
    }


def follows(session: Session, first: Draw, second: Draw) -> bool:
    """Whether `second` is the one released draw after `first`: by the rows, by the ledger, and by its own
    commitment, which was made after the release."""
    committed = (second.commitment or {}).get("purpose", {})
    named = list(
        zip(
            str(committed.get("second_of", "")).split(","),
            str(committed.get("release", "")).split(","),
            strict=False,
        )
    )
    for row in of_purpose(session, second.purpose_key):
        if row.draw_id != first.id or (first.commitment_hash, row.statement) not in named:
            continue
        released = told(session, row).entries[RELEASED]
        if fault_of(session, row) == "" and released[0][0] < (second.commitment_seq or 0):
            return True
    return False
