"""The purpose of a draw: what it draws for, from registers and never typed.

One live and one completed draw for a purpose; a county is in one purpose of a stage and of a cycle, so
that neither a split batch nor a renamed panel nor a copied round gives a second result
(docs/draw-protocol.md section 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, Text
from app.draw import messages
from app.draw.messages import cannot
from app.draw.models import Draw
from app.draw.pool import counties
from app.draw.supplements import purpose_extra
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


def purpose_of(draw: Draw) -> dict[str, str | int]:
    """The purpose as it stands in the commitment."""
    return {
        "scheme": draw.round.scheme_id,
        "cycle": draw.round.review_on.year,
        "round": draw.round.slug,
        "stage": draw.stage,
        "subjects": ",".join(sorted(_codes(draw.round, draw.request))),
        **purpose_extra(draw),
    }


def _apart(stage: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Two order draws may share a county: of two types of case files, and of two ties, which a run
    names and nobody chooses."""
    scopes = [r.get("order", {}).get("scope", "") for r in (one, two)]
    return stage == "tie" or scopes[0] != scopes[1]


def refuse_second(
    session: Session, round_: Round, stage: str, kind: str, purpose: str, request: Mapping[str, Any]
) -> None:
    """Conflict when the purpose, or a county of it in this stage, has a draw that was not aborted."""
    others = session.scalars(
        select(Draw).where(
            Draw.round_id == round_.id,
            Draw.stage == stage,
            Draw.kind == kind,
            Draw.state != "aborted",
        )
    )
    names = {subject.id: subject.name for subject in round_.subjects}
    for other in others:
        if other.purpose_key == purpose:
            text = cannot(
                Text("申请抽取", "request a draw"),
                Text("同一事项已有抽取（{s}）", "this purpose has a draw ({s})").format(
                    s=messages.STATE[other.state]
                ),
            ).text
            raise Conflict(text, field="purpose")
        shared = set(other.request["subjects"]) & set(request["subjects"])
        if shared and not _apart(stage, other.request, request):
            text = messages.OTHER_PURPOSE.format(name=names[min(shared)])
            raise Conflict(text, field="purpose")
    refuse_elsewhere(session, round_, stage, kind, request)


def refuse_elsewhere(
    session: Session, round_: Round, stage: str, kind: str, request: Mapping[str, Any]
) -> None:
    """Conflict when a county has a real draw at this stage in another round of the scheme: of the
    same year, or in a round that has not ended. A copied round gives no second result.

    Asked for at the request and again at the commitment: a draft may have waited in a round that
    ended. Compared by region code, since the copy of a county is another row.
    """
    if kind != "real":
        return
    wanted = {subject.region_code: subject.name for subject in counties(round_, request)}
    others = session.execute(
        select(Draw.state, Draw.request, Round)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Draw.round_id != round_.id,
            Draw.stage == stage,
            Draw.kind == kind,
            Draw.state != "aborted",
            Round.scheme_id == round_.scheme_id,
        )
    )
    for state, theirs, other in others:
        live = other.phase in ("preparing", "open")
        if not live and (state == "draft" or other.review_on.year != round_.review_on.year):
            continue
        shared = wanted.keys() & set(_codes(other, theirs))
        if shared and not _apart(stage, theirs, request):
            text = messages.OTHER_ROUND.format(
                name=wanted[min(shared)], round=Text(other.title_zh, other.title_en)
            )
            raise Conflict(text, field="purpose")
