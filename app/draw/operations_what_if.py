"""Looking at what a draft would lead to, as a recorded act; and taking up what the look proposed.

Every look is a ledger event with a number (docs/draw-protocol.md section 8). `look` is the slow part
and only reads; `record_what_if` stores it in a short write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Text
from app.draw import difference, messages, outlook, pool
from app.draw.freezing import request_digest, request_now
from app.draw.messages import in_state
from app.draw.models import Draw
from app.draw.models_request import WhatIf
from app.draw.outlook import Tell, silent
from app.draw.requests import asked_again, checked_request
from app.ledger import prove
from app.ledger.append import append
from app.programme.queries import rules_of

_LOOK = Text("试算", "compute the what-if")
_RELAX = Text("采用放宽方案", "apply a relaxation")


@dataclass(frozen=True)
class Look:
    """What a look found, not yet recorded; holds no database rows."""

    request: str
    pool: str
    ledger_size: int
    summary: dict[str, Any]


def look(session: Session, draw: Draw, tell: Tell = silent) -> Look:
    """Judge the pool for a draft and compute what it would lead to; reads only."""
    in_state(draw.state, _LOOK, "draft")
    size = prove.head(session).size
    tell(Text("逐人判断是否合格", "judging everybody by the rules"))
    request = request_now(draw)
    found = pool.assess(session, draw.round, request)
    summary = outlook.summary(
        found, request, tell=tell, both_modes=True, outside=draw.kind == "real"
    )
    summary["difference"] = difference.since_last(session, draw, found, summary)
    summary["employers"] = {root: root for root in found.employers}
    summary["rule_set"] = found.rules.digest()
    summary["exclusions"] = [
        [b.expert, b.panel, b.rule, b.reason.zh, b.reason.en] for b in found.blocked
    ]
    return Look(request_digest(draw.request), found.digest(), size, summary)


def record_what_if(session: Session, actor: Viewer | None, draw: Draw, seen: Look) -> WhatIf:
    """Number the look, keep it, and put it in the ledger.

    Conflict when the draft was changed or committed while it was computed: such a look would be of
    something else.
    """
    if actor is not None:
        actor.require("office")
    in_state(draw.state, _LOOK, "draft")
    if request_digest(draw.request) != seen.request:
        raise Conflict(messages.CHANGED_MEANWHILE)
    last = session.scalar(select(func.max(WhatIf.number)).where(WhatIf.draw_id == draw.id))
    row = WhatIf(
        draw_id=draw.id,
        number=(last or 0) + 1,
        actor_id=actor.id if actor else None,
        at=clock.now(),
        request_digest=seen.request,
        pool_digest=seen.pool,
        ledger_size=seen.ledger_size,
        summary=seen.summary,
    )
    session.add(row)
    session.flush()
    append(
        session,
        actor,
        "draw.what_if",
        draw=draw.id,
        number=row.number,
        request=seen.request,
        pool=seen.pool,
        feasible=1 if seen.summary["feasible"] else 0,
    )
    return row


def what_if(session: Session, actor: Viewer | None, draw: Draw) -> WhatIf:
    """`look` and `record_what_if` in one transaction: for the command line and small pools."""
    return record_what_if(session, actor, draw, look(session, draw))


def apply_relaxation(session: Session, actor: Viewer | None, draw: Draw, number: int) -> None:
    """Take up relaxation `number` (from 0) of the latest look: the draft's bounds move, no more.

    The look must be of the request as it stands, else a bound could move that is no longer there.
    """
    if actor is not None:
        actor.require("office")
    in_state(draw.state, _RELAX, "draft")
    row = session.scalar(
        select(WhatIf).where(WhatIf.draw_id == draw.id).order_by(WhatIf.number.desc()).limit(1)
    )
    if row is None:
        raise DomainError(messages.NO_SUCH_WAY)
    if row.request_digest != request_digest(draw.request):
        raise Conflict(messages.CHANGED_MEANWHILE)
    ways = row.summary["relaxations"]
    if not 0 <= number < len(ways) or not ways[number]["changes"]:
        raise DomainError(messages.NO_SUCH_WAY)
    draw.request = relaxed(draw, ways[number])
    append(
        session,
        actor,
        "draw.revised",
        draw=draw.id,
        what_if=row.number,
        changes=[list(change) for change in ways[number]["changes"]],
    )


def relaxed(draw: Draw, way: Mapping[str, Any]) -> dict[str, Any]:
    """The request with a relaxation's bounds, checked like any other.

    DomainError when a rule of the scheme forbids it: the rules do not move for a draw.
    """
    arguments = asked_again(draw.request)
    panels = []
    for panel in arguments["panels"]:
        quotas = {a: {v: list(b) for v, b in rows.items()} for a, rows in panel["quotas"].items()}
        if panel["id"] in way["panels"]:
            for attribute, value, bound, _, new in way["changes"]:
                bounds = quotas.setdefault(attribute, {}).setdefault(value, [0, panel["seats"]])
                bounds[0 if bound == "min" else 1] = new
        panels.append({**panel, "quotas": quotas})
    arguments["panels"] = panels
    request = checked_request(draw.round, rules_of(draw.round), stage=draw.stage, **arguments)
    for panel in request["panels"]:
        if panel["id"] not in way["panels"]:
            continue
        for attribute, value, bound, _, new in way["changes"]:
            if panel["quotas"][attribute][value][0 if bound == "min" else 1] != new:
                raise DomainError(messages.RULE_HOLDS)
    return request


def look_counts(session: Session, draw: Draw) -> list[list[Any]]:
    """[[account id or "", looks], ...]: how often whom looked at this draft, most first."""
    rows = session.execute(
        select(WhatIf.actor_id, func.count(WhatIf.id))
        .where(WhatIf.draw_id == draw.id)
        .group_by(WhatIf.actor_id)
    ).all()
    return sorted(([who or "", n] for who, n in rows), key=lambda row: (-row[1], row[0]))
