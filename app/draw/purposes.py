"""The purpose of a draw: what it draws for, from registers and never typed.

One live and one completed draw for a purpose; a county is in one purpose of a stage and of a cycle, so
that neither a split batch nor a renamed panel nor a copied round gives a second result
(docs/draw-protocol.md section 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, Text
from app.draw import messages, releases
from app.draw.messages import cannot
from app.draw.models import Draw
from app.draw.models_release import DrawRelease
from app.draw.pool import counties
from app.draw.sources import is_outside
from app.draw.supplements import purpose_extra
from app.programme.identity import Units
from app.programme.models import Round


def purpose_key(round_: Round, stage: str, kind: str, request: Mapping[str, Any]) -> str:
    """From registers, never typed: scheme, round, stage, counties and kind; of an order draw also the
    scope within the county (the type of its case files)."""
    scope = request.get("order", {}).get("scope")
    return digest(
        {
            "scheme": round_.scheme_id,
            "round": round_.slug,
            "stage": stage,
            "subjects": sorted(_codes(round_, request)),
            "kind": kind,
            **({"scope": scope} if scope else {}),
        }
    )


def _codes(round_: Round, request: Mapping[str, Any]) -> list[str]:
    return [subject.region_code for subject in counties(round_, request)]


def _units(units: Units, round_: Round, request: Mapping[str, Any]) -> dict[str, Text]:
    """Identity -> name of the counties and zones of a request."""
    return {units.of(subject): subject.name for subject in counties(round_, request)}


def purpose_of(draw: Draw) -> dict[str, str | int]:
    """The purpose as it stands in the commitment; of a real draw without a source beyond everybody's
    control it says so."""
    session = object_session(draw)
    local = draw.kind == "real" and not any(map(is_outside, draw.request["sources"]))
    return {
        "scheme": draw.round.scheme_id,
        "cycle": draw.round.review_on.year,
        "round": draw.round.slug,
        "stage": draw.stage,
        "subjects": ",".join(sorted(_codes(draw.round, draw.request))),
        **({"sources": "local"} if local else {}),
        **purpose_extra(draw),
        **(releases.purpose_told(session, draw.purpose_key) if session is not None else {}),
    }


def _apart(stage: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Two order draws may share a county: of two types of case files, and of two ties, which a run
    names and nobody chooses."""
    scopes = [r.get("order", {}).get("scope", "") for r in (one, two)]
    return stage == "tie" or scopes[0] != scopes[1]


def refuse_second(
    session: Session, round_: Round, stage: str, kind: str, purpose: str, request: Mapping[str, Any]
) -> list[DrawRelease]:
    """Conflict when the purpose, or a county of it in this stage, has a draw that was not aborted.

    Returns the releases that a second draw rests on, as `refuse_elsewhere` does.
    """
    others = session.scalars(
        select(Draw).where(
            Draw.round_id == round_.id,
            Draw.stage == stage,
            Draw.kind == kind,
            Draw.state != "aborted",
        )
    )
    units = Units(session)
    wanted = _units(units, round_, request)
    for other in others:
        if other.purpose_key == purpose:
            text = cannot(
                Text("申请抽取", "request a draw"),
                Text("同一事项已有抽取（{s}）", "this purpose has a draw ({s})").format(
                    s=messages.STATE[other.state]
                ),
            ).text
            raise Conflict(text, field="purpose")
        shared = wanted.keys() & _units(units, round_, other.request).keys()
        if shared and not _apart(stage, other.request, request):
            text = messages.OTHER_PURPOSE.format(name=wanted[min(shared)])
            raise Conflict(text, field="purpose")
    return refuse_elsewhere(session, round_, stage, kind, purpose, request)


def refuse_elsewhere(
    session: Session, round_: Round, stage: str, kind: str, purpose: str, request: Mapping[str, Any]
) -> list[DrawRelease]:
    """Conflict when a county has a real draw at this stage in another round of the scheme: of the
    same year, or in a round that has not ended. A copied round gives no second result, unless the
    first round was cancelled and a supervisor released one draw more: such releases are returned.

    Asked for at the request and again at the commitment: a draft may have waited in a round that
    ended. Compared by what the counties and zones are (`app.programme.identity`), since the copy of a
    county is another row, and a zone may be spelled in another way.
    """
    released: list[DrawRelease] = []
    if kind != "real":
        return released
    units = Units(session)
    wanted = _units(units, round_, request)
    others = session.execute(
        select(Draw.id, Draw.state, Draw.request, Round)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Draw.round_id != round_.id,
            Draw.stage == stage,
            Draw.kind == kind,
            Draw.state != "aborted",
            Round.scheme_id == round_.scheme_id,
        )
    )
    for key, state, theirs, other in others.all():
        if "supplement" in theirs:
            continue  # its counties are those of the draw whose seats it fills
        live = other.phase in ("preparing", "open")
        if not live and (state == "draft" or other.review_on.year != round_.review_on.year):
            continue
        shared = wanted.keys() & _units(units, other, theirs).keys()
        if shared and state == "completed" and other.phase == "cancelled":
            shared -= _drawn_again(session, units, key)
        if shared and not _apart(stage, theirs, request):
            row = releases.usable(session, key, purpose) if other.phase == "cancelled" else None
            if row is not None:
                released.append(row)
                continue
            text = messages.OTHER_ROUND.format(
                name=wanted[min(shared)], round=Text(other.title_zh, other.title_en)
            )
            raise Conflict(text, field="purpose")
    return released


def _drawn_again(session: Session, units: Units, draw_id: str) -> set[str]:
    """The counties of a draw whose released second draw has its result: that one stands for them now."""
    return {
        unit
        for second in releases.followers(session, draw_id)
        for unit in _units(units, second.round, second.request)
    }
