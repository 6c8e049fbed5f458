"""What is read in the place of a public source that does not come about (docs/draw-protocol.md section 4).

The fallback is committed with the source. It counts once office and supervisor have both said, on record,
that the named draw was not published; nobody alone can choose between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Source
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, NotNow, Text
from app.draw import messages
from app.draw.messages import cannot, in_state
from app.draw.models import Dice, Draw
from app.draw.models_ceremony import SourceFailure
from app.draw.sources import named, refuse_early, source_of
from app.ledger.append import append

ROLES = frozenset({"office", "supervisor"})
_FAIL = Text("登记来源未产生", "record that a source did not come about")


def of_request(request: Mapping[str, Any]) -> dict[str, tuple[Source, ...]]:
    """Source -> its fallback, as the engine's; {} where none is asked for."""
    return {row["of"]: (source_of(row),) for row in request.get("fallbacks", ())}


def declared(draw: Draw) -> dict[str, frozenset[str]]:
    """Source -> the roles that have said that it did not come about."""
    session = object_session(draw)
    if session is None or not draw.request.get("fallbacks"):
        return {}
    found: dict[str, frozenset[str]] = {}
    for source, role in session.execute(
        select(SourceFailure.source, SourceFailure.role).where(SourceFailure.draw_id == draw.id)
    ):
        found[source] = found.get(source, frozenset()) | {role}
    return found


def in_force(draw: Draw) -> list[dict[str, Any]]:
    """What is read, in committed order: each source, or its fallback once both have said so."""
    spare = {row["of"]: row for row in draw.request.get("fallbacks", ())}
    said = declared(draw)
    return [
        dict(spare[row["name"]] if said.get(row["name"], frozenset()) >= ROLES else row)
        for row in draw.request["sources"]
    ]


def declare(session: Session, actor: Viewer, draw: Draw, source: str, reason: str) -> bool:
    """One of the two says that a source did not come about; True once both have.

    It is said of every source of the same draw or instant at once: the red balls do not fall without the
    blue one. Refused before the instant that the source names, and once its values are locked.
    """
    actor.require(*sorted(ROLES))
    in_state(draw.state, _FAIL, "cosigned")
    spare = {row["of"] for row in draw.request.get("fallbacks", ())}
    rows = {row["name"]: row for row in draw.request["sources"]}
    if source not in rows or source not in spare:
        raise DomainError(messages.NO_FALLBACK.format(s=named(source)), field="source")
    if not reason.strip():
        raise DomainError(messages.SAY_FAILED, field="reason")
    when = rows[source]["when"]
    group = [name for name, row in rows.items() if row["when"] == when and name in spare]
    if draw.kind == "real":
        refuse_early(rows[source], clock.now())
    said = declared(draw)
    if actor.role in said.get(source, frozenset()):
        raise NotNow(messages.SAID_FAILED)
    for name in group:
        if _locked(session, draw, name):
            raise cannot(
                _FAIL,
                Text("其数值两人已录入一致", "both have typed its values and they are locked"),
            )
    for name in group:
        session.add(
            SourceFailure(
                draw_id=draw.id, source=name, role=actor.role, account_id=actor.id,
                reason=reason.strip(), at=clock.now(),
            )
        )  # fmt: skip
    session.flush()
    done = declared(draw)[source] >= ROLES
    append(
        session,
        actor,
        "draw.source_failed",
        draw=draw.id,
        sources=group,
        role=actor.role,
        fallback=done,
        reason=digest({"reason": reason.strip(), "salt": draw.salt}),
    )
    return done


def _locked(session: Session, draw: Draw, source: str) -> bool:
    lists = session.scalars(
        select(Dice.values).where(Dice.draw_id == draw.id, Dice.source == source)
    ).all()
    return len(lists) == 2 and lists[0] == lists[1]
