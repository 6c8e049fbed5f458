"""Asking for a draw and committing to it: everything that decides the result is fixed here.

PDRAW/1 (docs/draw-protocol.md sections 2 to 4). The verbs that follow, from the cosignature to the
replacement of members, are in the two modules beside this one and can be called from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Party as Chain
from app.domain.draw import build_commitment
from app.domain.draw.seed import HEX64
from app.domain.types import DomainError, Text
from app.draw import ceremony, messages, pool
from app.draw.facts import draw_kind
from app.draw.freezing import freeze_candidates, rehearsed
from app.draw.messages import cannot, in_state
from app.draw.models import Draw, Party
from app.draw.operations_ceremony import (
    abort_draw,
    complete_draw,
    cosign,
    enter_dice,
    reveal_code,
)
from app.draw.operations_seats import (
    complete_act,
    confirm_seat,
    cosign_removals,
    record_contact,
    record_removals,
    reveal_act_code,
)
from app.draw.purposes import purpose_key, purpose_of, refuse_second
from app.draw.requests import PARTIES, checked_request, source_of
from app.ledger import prove
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
    "cosign_removals",
    "enter_dice",
    "record_contact",
    "record_removals",
    "register_party",
    "request_draw",
    "reveal_act_code",
    "reveal_code",
    "revise_draw",
]

MAX_INDEX = 1024
_COMMIT = Text("提交承诺", "commit")


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
    )
    kind = draw_kind(round)
    purpose = purpose_key(round, stage, kind, request)
    refuse_second(session, round, stage, kind, purpose, request)
    last = session.scalar(select(func.max(Draw.attempt)).where(Draw.purpose_key == purpose))
    draw = Draw(
        round=round,
        stage=stage,
        kind=kind,
        purpose_key=purpose,
        attempt=(last or 0) + 1,
        state="draft",
        request=request,
        created_by=actor.id if actor else None,
        created_at=clock.now(),
    )
    session.add(draw)
    session.flush()
    append(
        session,
        actor,
        "draw.requested",
        draw=draw.id,
        draw_kind=kind,
        purpose=purpose,
        attempt=draw.attempt,
    )
    return draw


def revise_draw(session: Session, actor: Viewer | None, draw: Draw, **request: Any) -> None:
    """Change a draft; arguments as for `request_draw` without round and stage. The counties stay:
    they are the purpose. A committed draw cannot change."""
    _by(actor, "office")
    in_state(draw.state, Text("修改申请", "change the request"), "draft")
    draw.request = checked_request(
        draw.round,
        rules_of(draw.round),
        stage=draw.stage,
        subject_ids=draw.request["subjects"],
        **request,
    )
    append(session, actor, "draw.revised", draw=draw.id)


def register_party(
    session: Session,
    actor: Viewer,
    draw: Draw,
    name: str,
    commitment_hex: str,
    index: int = 32,
) -> Party:
    """A party's chain of one-time codes, made on its own device for this draw alone.

    Office and supervisor register themselves, either of them the observer.
    """
    actor.require(*(("office", "supervisor") if name == "observer" else (name,)))
    what = Text("登记口令链", "register a chain")
    in_state(draw.state, what, "draft")
    value = commitment_hex.strip()
    if name not in PARTIES or not HEX64.fullmatch(value) or not 1 <= index <= MAX_INDEX:
        raise DomainError(messages.BAD_CHAIN, field="commitment")
    if any(party.name == name for party in draw.parties):
        raise cannot(what, Text("该方已登记", "this party is registered"))
    used = [
        v
        for row in session.execute(select(Party.commitment, Party.codes))
        for v in (row[0], *row[1])
    ]
    if ceremony.same_chain(value, used, MAX_INDEX):
        raise DomainError(messages.USED_CHAIN, field="commitment")
    party = Party(
        position=PARTIES.index(name),
        name=name,
        account_id=None if name == "observer" else actor.id,
        commitment=value,
        index=index,
        codes=[],
    )
    draw.parties.append(party)
    session.flush()
    session.expire(draw, ["parties"])
    append(session, actor, "draw.party", draw=draw.id, party=name, commitment=value, index=index)
    return party


def commit_draw(session: Session, actor: Viewer | None, draw: Draw) -> Draw:
    """Freeze everything that decides the result and publish its hash in the ledger.

    Judges the pool as it is now, issues pseudonyms, records every exclusion, prepares tables, and
    signs a checkpoint over the commitment. Raises DomainError when the request cannot be met, a
    guard refuses, or a party has not registered; nothing is stored then.
    """
    _by(actor, "office")
    in_state(draw.state, _COMMIT, "draft")
    # Rules or classes may have been corrected since the draft was made.
    draw.request = _checked_again(draw)
    missing = set(draw.request["parties"]) - {party.name for party in draw.parties}
    if missing:
        raise cannot(
            _COMMIT,
            Text("{who} 尚未登记口令链", "{who} has not registered a chain").format(
                who="、".join(sorted(missing))
            ),
        )
    found = pool.assess(session, draw.round, draw.request)
    shown = pool.summary(found, draw.request)
    if not shown["feasible"]:
        ways = Text(
            "；".join(r["zh"] for r in shown["relaxations"]),
            "; ".join(r["en"] for r in shown["relaxations"]),
        )
        raise DomainError(messages.INFEASIBLE.format(ways=ways))
    refused = [g for g in shown["guards"] if g["level"] == "refuse"]
    if refused:
        why = Text("；".join(g["zh"] for g in refused), "; ".join(g["en"] for g in refused))
        raise DomainError(messages.GUARDED.format(why=why))
    specs, employers = freeze_candidates(draw, found)
    roster, exclusions = ceremony.roster_of(draw), ceremony.exclusions_of(draw)
    session.flush()
    append(
        session,
        actor,
        "draw.frozen",
        draw=draw.id,
        pool=len(draw.candidates),
        excluded=len({e.expert for e in exclusions}),
    )
    before = prove.head(session)
    commitment = build_commitment(
        kind=draw.kind,  # type: ignore[arg-type]
        purpose=purpose_of(draw),
        attempt=draw.attempt,
        panels=specs,
        roster=roster,
        exclusions=exclusions,
        load_cap=pool.load_cap_of(draw.request),
        replacement=draw.request["replacement"],
        sources=[source_of(row) for row in draw.request["sources"]],
        parties=[Chain(p.name, p.commitment, p.index) for p in draw.parties],
        rule_set_hash=found.rules.digest(),
        previous_head=str(before),
        suppressed_rules=pool.PRIVATE_RULES,
    )
    rehearsed(commitment, roster, exclusions)
    draw.commitment = commitment.document
    draw.commitment_hash = commitment.hash
    draw.commitment_seq = before.size
    draw.snapshot = {**shown, "employers": employers, "lotteries": commitment.lotteries}
    draw.state = "committed"
    event = append(
        session,
        actor,
        "draw.committed",
        draw=draw.id,
        draw_kind=draw.kind,
        commitment_hash=commitment.hash,
        attempt=draw.attempt,
        pool=shown["pool"],
        eligible=[[p["id"], p["eligible"]] for p in shown["panels"]],
        rules=found.rules.digest(),
    )
    note, proof = ceremony.anchor(session, session.info["keys"], event)
    draw.checkpoint = str(note)
    draw.snapshot = {**draw.snapshot, "anchor": proof}
    append(session, actor, "draw.checkpoint", draw=draw.id, size=note.size, root=note.root.hex())
    return draw


def _checked_again(draw: Draw) -> dict[str, Any]:
    stored = draw.request
    return checked_request(
        draw.round,
        rules_of(draw.round),
        stage=draw.stage,
        subject_ids=stored["subjects"],
        panels=[{k: v for k, v in p.items() if k != "dates"} for p in stored["panels"]],
        load_cap=stored["load_cap"],
        replacement=stored["replacement"],
        sources=stored["sources"],
        parties=stored["parties"],
        fixed=stored["fixed"],
        accept_high=stored["accept_high"],
    )


def _by(actor: Viewer | None, *roles: str) -> None:
    if actor is not None:
        actor.require(*roles)
