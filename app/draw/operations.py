"""Asking for a draw and committing to it: everything that decides the result is fixed here.

PDRAW/1 (docs/draw-protocol.md sections 2 to 4). The verbs that follow, from the cosignature to the
replacement of members, are in the two modules beside this one and can be called from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.facts import draw_kind
from app.draw.freezing import COMMIT, Prepared, prepare, still_fits
from app.draw.messages import cannot, in_state
from app.draw.models import Candidate, Draw
from app.draw.operations_ceremony import (
    abort_draw,
    complete_draw,
    cosign,
    enter_dice,
    reveal_code,
)
from app.draw.operations_order import commit_order, refuse_expert_draw_verbs
from app.draw.operations_release import spend
from app.draw.operations_seats import (
    complete_act,
    confirm_seat,
    record_contact,
    record_removals,
    reveal_act_code,
)
from app.draw.operations_what_if import look_counts
from app.draw.parties import register_party
from app.draw.pool import known_values
from app.draw.publishing import open_draft, publish
from app.draw.purposes import purpose_key, refuse_elsewhere, refuse_second
from app.draw.requests import checked_request
from app.draw.same_day import refuse_pending
from app.draw.supplements import is_supplement
from app.ledger.append import append
from app.programme.models import Round
from app.programme.queries import rules_of

__all__ = [
    "abort_draw",
    "commit_draw",
    "complete_act",
    "complete_draw",
    "confirm_seat",
    "cosign",
    "enter_dice",
    "record_contact",
    "record_removals",
    "register_party",
    "request_draw",
    "reveal_act_code",
    "reveal_code",
    "revise_draw",
]


def request_draw(
    session: Session,
    actor: Viewer | None,
    *,
    round: Round,
    stage: str,
    subject_ids: Sequence[str],
    panels: Sequence[Mapping[str, Any]],
    load_cap: int = 0,
    replacement: str | None = None,
    sources: Sequence[Mapping[str, Any]] = (),
    parties: Sequence[str] = (),
    fixed: Mapping[str, Sequence[int]] | None = None,
    accept_high: str | None = None,
    accept_zero: str | None = None,
    fallbacks: Sequence[Mapping[str, Any]] = (),
) -> Draw:
    """A draft; arguments as for `checked_request`. Drills carry `fixed`, their printed values.

    Conflict when the purpose (round, stage, counties) has a live or a completed draw, or when one of
    its counties is in another draw of the stage.
    """
    _by(actor, "office")
    if round.phase not in ("preparing", "open"):
        raise cannot(Text("申请抽取", "request a draw"), Text("本届已结束", "the round has ended"))
    request = checked_request(
        round,
        rules_of(round),
        stage=stage,
        subject_ids=subject_ids,
        panels=panels,
        load_cap=load_cap,
        replacement=replacement,
        sources=sources,
        parties=parties,
        fixed=fixed,
        accept_high=accept_high,
        accept_zero=accept_zero,
        fallbacks=fallbacks,
        known=known_values(session, panels),
    )
    kind = draw_kind(round)
    purpose = purpose_key(round, stage, kind, request)
    released = refuse_second(session, round, stage, kind, purpose, request)
    spend(session, actor, released or (), purpose)
    return open_draft(
        session, actor, round, stage=stage, kind=kind, purpose=purpose, request=request
    )


def revise_draw(session: Session, actor: Viewer | None, draw: Draw, **request: Any) -> None:
    """Change a draft; arguments as for `request_draw` without round and stage. The counties stay:
    they are the purpose. A committed draw cannot change."""
    _by(actor, "office")
    in_state(draw.state, Text("修改申请", "change the request"), "draft")
    refuse_expert_draw_verbs(draw, Text("修改申请", "change the request"))
    if is_supplement(draw):
        raise cannot(
            Text("修改申请", "change the request"),
            Text("补充抽取的名额由空缺席位决定", "the vacant seats decide a supplementary draw"),
        )
    draw.request = checked_request(
        draw.round,
        rules_of(draw.round),
        stage=draw.stage,
        subject_ids=draw.request["subjects"],
        known=known_values(session, request["panels"]),
        **request,
    )
    append(session, actor, "draw.revised", draw=draw.id)


def commit_draw(
    session: Session, actor: Viewer | None, draw: Draw, *, prepared: Prepared | None = None
) -> Draw:
    """Freeze everything that decides the result and publish its hash in the ledger.

    Judges the pool as it is now, issues pseudonyms, records every exclusion, prepares tables, and
    signs a checkpoint over the commitment. Raises DomainError when the request cannot be met, a
    guard refuses, or a party has not registered; nothing is stored then.

    `prepared` was made by `freezing.prepare` on an earlier snapshot, so that a long solve holds up
    nobody; it is taken only if nothing that it rests on has changed, else made anew here.
    """
    if draw.is_order:
        return commit_order(session, actor, draw)
    _by(actor, "office")
    in_state(draw.state, COMMIT, "draft")
    if not is_supplement(draw):
        refuse_elsewhere(session, draw.round, draw.stage, draw.kind, draw.purpose_key, draw.request)
    ready = prepared
    if ready is None or not still_fits(session, draw, ready):
        ready = prepare(session, draw)
    kept_off = {
        row["expert_id"]: [x["panel"] for x in row["exclusions"]] for row in ready.candidates
    }
    refuse_pending(session, draw, ready.request, kept_off)
    draw.request = ready.request
    draw.candidates.extend(Candidate(**row) for row in ready.candidates)
    session.add(ready.hidden.opening(draw, session.info["keys"]))
    excluded = sum(bool(row["exclusions"]) for row in ready.candidates)
    session.flush()
    append(
        session, actor, "draw.frozen", draw=draw.id, pool=len(ready.candidates), excluded=excluded
    )
    looks = look_counts(session, draw)
    publish(
        session,
        actor,
        draw,
        ready.commitment,
        {**ready.shown, "employers": ready.employers, "people": ready.people, "looks": looks},
        pool=ready.shown["pool"],
        eligible=[[p["id"], p["eligible"]] for p in ready.shown["panels"]],
        rules=ready.rules_digest,
        modes=[[p["id"], p["mode"], p["mode_reason"]] for p in draw.request["panels"]],
        accepted=[[g["code"], g["accepted"]] for g in ready.shown["guards"] if "accepted" in g],
        looks=sum(n for _, n in looks),
    )
    return draw


def _by(actor: Viewer | None, *roles: str) -> None:
    if actor is not None:
        actor.require(*roles)
