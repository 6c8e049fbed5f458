"""The state of a ceremony as the hall and the two who type may see it: never a value that is not
locked, and pseudonyms alone where the draw is sealed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.draw import ceremony, device, disclosure, messages, queries
from app.draw.fallbacks import in_force
from app.draw.models import Draw
from app.draw.models_ceremony import Abort, DeviceKey, Typing
from app.draw.sources import early
from app.ui.language import language


def own_values(session: Session, viewer: Viewer, draw: Draw, source: str) -> list[int]:
    """What the viewer himself has typed of a source, to go on with after a restart."""
    typed = session.scalar(
        select(Typing.values).where(
            Typing.draw_id == draw.id, Typing.source == source, Typing.account_id == viewer.id
        )
    )
    if typed is not None:
        return [int(v) for v in typed.split()]
    return next(
        (list(d.values) for d in draw.dice if d.source == source and d.account_id == viewer.id), []
    )


def typed_counts(session: Session, draw: Draw) -> dict[tuple[str, str], int]:
    """(source, role) -> how many values that role has typed."""
    counts = {(d.source, d.role): len(d.values) for d in draw.dice}
    rows = session.execute(
        select(Typing.source, Typing.role, Typing.values).where(Typing.draw_id == draw.id)
    )
    counts |= {(source, role): len(values.split()) for source, role, values in rows}
    return counts


def sources(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """Each source in committed order: what is wanted, how far each of the two is, and its values
    once they are locked; `waits` while it has not come about and cannot be typed."""
    states, counts = ceremony.dice_states(draw), typed_counts(session, draw)
    photos = ceremony.photos_of(session, draw)
    out = []
    for row in in_force(draw):
        name = row["name"]
        state = states[name]
        out.append(
            {
                **{k: row[k] for k in ("name", "kind", "count", "low", "high", "when")},
                "title": {"zh": state.title.zh, "en": state.title.en},
                "typed": {r: counts.get((name, r), 0) for r in ("office", "supervisor")},
                "differing": list(state.differing),
                "waits": draw.kind == "real" and early(row, clock.now()),
                "values": list(state.values) if state.values is not None else None,
                "photo": photos[name].sha256 if name in photos else None,
            }
        )
    return out


def shown(session: Session, viewer: Viewer, draw: Draw) -> dict[str, Any]:
    """Everything that the presentation page shows; JSON."""
    return {
        "state": draw.state,
        "drill": draw.kind == "drill",
        "attempt": draw.attempt,
        "commitment": draw.commitment_hash,
        "cosignature": _cosignature(session, draw),
        "sources": sources(session, draw),
        "parties": [
            {"name": p.name, "code": p.codes[0] if p.codes else None} for p in draw.parties
        ],
        "key": draw.key,
        "order": draw.is_order,
        "result": _places(draw) if draw.is_order else _result(session, viewer, draw),
        "aborted": _aborted(session, draw),
    }


def _cosignature(session: Session, draw: Draw) -> dict[str, str] | None:
    row = ceremony.cosignature_of(draw)
    if row is None:
        return None
    key = session.get_one(DeviceKey, row.device_key_id)
    return {
        "name": key.name,
        "fingerprint": device.fingerprint(key.public),
        "at": row.at.isoformat(),
    }


def _aborted(session: Session, draw: Draw) -> dict[str, str] | None:
    if draw.state != "aborted":
        return None
    row = session.scalar(select(Abort).where(Abort.draw_id == draw.id))
    cause = messages.ABORT[row.cause] if row else messages.ABORT["other"]
    return {"zh": cause.zh, "en": cause.en, "reason": draw.abort_reason}


def _result(session: Session, viewer: Viewer, draw: Draw) -> list[dict[str, Any]] | None:
    """Panel by panel in the order drawn, ticket by ticket; names only where nothing is sealed."""
    if draw.result is None:
        return None
    named = disclosure.may_see_names(session, viewer, draw)
    lines = queries.ticket_lines(viewer, draw)
    panels = {panel["id"]: panel for panel in draw.result["panels"]}
    return [
        {
            "id": key,
            "short": panels[key]["short"],
            "lot": panels[key]["lot"],
            "row": panels[key]["row"],
            "lines": [
                {
                    "ticket": line.ticket,
                    "pseudonym": line.pseudonym,
                    "name": line.expert.person.name if named else None,
                    "seat": line.seat,
                    "why": {"zh": line.skip.zh, "en": line.skip.en} if line.skip else None,
                }
                for line in lines[key]
            ],
        }
        for key in draw.result["order"]
    ]


def _places(draw: Draw) -> list[dict[str, Any]] | None:
    """The drawn things, ticket by ticket, in the shape of `_result`; their words are no secret."""
    if draw.result is None:
        return None
    names = {item.pseudonym: item.name for item in ceremony.items_of(draw)}
    (panel,) = draw.result["panels"]
    return [
        {
            "id": panel["id"],
            "short": panel["short"],
            "lot": panel["lot"],
            "row": panel["row"],
            "lines": [
                {
                    "ticket": ticket,
                    "pseudonym": code,
                    "name": names[code].get(language()),
                    "seat": place,
                    "why": None,
                }
                for place, (code, ticket) in enumerate(panel["seats"], 1)
            ],
        }
    ]


def attempts(session: Session, draw: Draw) -> list[tuple[Draw, Abort | None]]:
    """Every attempt at the purpose of this draw, in order, with how it was ended."""
    rows = list(
        session.scalars(
            select(Draw).where(Draw.purpose_key == draw.purpose_key).order_by(Draw.attempt)
        )
    )
    ended = {
        a.draw_id: a
        for a in session.scalars(select(Abort).where(Abort.draw_id.in_([d.id for d in rows])))
    }
    return [(row, ended.get(row.id)) for row in rows]
