"""Asking for an order draw, committing to it, and keeping its result; everything between is the
ceremony of any draw (docs/draw-protocol.md, "Order of things").
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.draw import Candidate as Thing
from app.domain.draw import PanelSpec, Result, build_commitment
from app.domain.draw import Party as Chain
from app.domain.types import DomainError, NotNow, Text
from app.draw import ceremony, messages, orders
from app.draw.begun import refuse_begun
from app.draw.facts import draw_kind
from app.draw.fallbacks import of_request
from app.draw.messages import cannot, in_state
from app.draw.models import Draw
from app.draw.models_order import OrderItem
from app.draw.operations_release import spend
from app.draw.orders import Wanted
from app.draw.publishing import open_draft, publish
from app.draw.purposes import purpose_of, refuse_elsewhere, refuse_second
from app.draw.requests import checked_fixed, checked_parties
from app.draw.sources import checked_fallbacks, checked_sources, source_of
from app.ledger.append import append
from app.programme import casefiles
from app.programme.models import CaseFile, Round, Subject

ASK = Text("申请抽定顺序", "request an order draw")
_COMMIT = Text("提交承诺", "commit")
_COUNT = Text(
    "抽取个数须为 1 至 {n}。没有保存。", "The size of the sample is 1 to {n}. Nothing was saved."
)


def request_order(
    session: Session,
    actor: Viewer | None,
    *,
    round: Round,
    wanted: Wanted,
    count: int | None = None,
    sources: Sequence[Mapping[str, Any]] = (),
    parties: Sequence[str] = (),
    fixed: Mapping[str, Sequence[int]] | None = None,
    fallbacks: Sequence[Mapping[str, Any]] = (),
) -> Draw:
    """A draft for one purpose that the registers name; `count` is the size of the sample where the
    office says it, None stands for everything; `fallbacks` as for `sources.checked_fallbacks`.
    Conflict when the purpose has a live or completed draw, or when the statements to be put in order
    have begun.
    """
    if actor is not None:
        actor.require("office")
    if round.phase not in ("preparing", "open"):
        raise cannot(ASK, Text("本届已结束", "the round has ended"))
    n = len(wanted.things)
    if n < 2:
        raise cannot(ASK, Text("不足两项，没有顺序可抽", "fewer than two things have no order"))
    if count is not None and (wanted.stage != orders.COUNTIES or not 1 <= count <= n):
        raise DomainError(_COUNT.format(n=n), field="count")
    refuse_begun(session, round.id, wanted, ASK)
    seats = count if count is not None else min(n, wanted.most or n)
    drill = round.kind != "real"
    places = checked_sources(sources)
    request: dict[str, Any] = {
        "subjects": list(wanted.subjects),
        "panels": [
            {
                "id": wanted.stage, "seats": seats, "subjects": list(wanted.subjects), "quotas": {},
                "pair_limits": {}, "mode": "tickets", "mode_reason": "practice", "own_dates": [],
                "dates": [],
            }
        ],
        "load_cap": 0,
        "replacement": "act",
        "sources": places,
        "fixed": checked_fixed(fixed or {}, places, drill),
        "parties": checked_parties(parties, drill),
        "accept_high": None,
        "accept_zero": None,
        "order": {
            "of": wanted.of, "scope": wanted.scope, "count": count,
            "title": [wanted.title.zh, wanted.title.en],
        },
        **({"fallbacks": checked_fallbacks(fallbacks, places)} if fallbacks else {}),
    }  # fmt: skip
    kind, purpose = draw_kind(round), wanted.purpose(round)
    spend(
        session,
        actor,
        refuse_second(session, round, wanted.stage, kind, purpose, request) or (),
        purpose,
    )
    if wanted.stage == orders.CASES:
        casefiles.choose_ceremony(session, actor, session.get_one(Subject, wanted.subjects[0]))
    return open_draft(
        session, actor, round, stage=wanted.stage, kind=kind, purpose=purpose, request=request
    )


def commit_order(session: Session, actor: Viewer | None, draw: Draw) -> Draw:
    """Freeze the things as the registers have them now, and publish the commitment's hash.

    Raises Conflict when a party has not registered its chain, fewer than two things are left, or the
    statements have begun meanwhile.
    """
    if actor is not None:
        actor.require("office")
    in_state(draw.state, _COMMIT, "draft")
    refuse_elsewhere(session, draw.round, draw.stage, draw.kind, draw.purpose_key, draw.request)
    if draw.kind != draw_kind(draw.round):
        raise DomainError(messages.DRILL_STAYS)
    have = {party.name for party in draw.parties}
    missing = [messages.PARTY[p] for p in draw.request["parties"] if p not in have]
    if missing:
        who = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
        lacks = Text("{w} 尚未登记口令链", "{w} has not registered a chain")
        raise cannot(_COMMIT, lacks.format(w=who))
    wanted = orders.wanted_of(session, draw)
    if wanted.purpose(draw.round) != draw.purpose_key:
        # A county joined or left while the purpose names all that there are.
        changed = Text("参与的区县已变，请中止后重新申请", "the counties changed; abort, ask again")
        raise cannot(_COMMIT, changed)
    refuse_begun(session, draw.round_id, wanted, _COMMIT)
    n = len(wanted.things)
    if n < 2:
        raise cannot(_COMMIT, Text("剩下不足两项", "fewer than two things are left"))
    seats = min(n, draw.request["order"]["count"] or wanted.most or n)
    draw.request = {**draw.request, "panels": [{**draw.request["panels"][0], "seats": seats}]}
    roster = []
    for thing in wanted.things:
        code, salt = orders.code_of(thing.label), secrets.token_bytes(16)
        roster.append(Thing(code, {}, salt))
        session.add(
            OrderItem(
                draw_id=draw.id, pseudonym=code, leaf_salt=salt.hex(), thing_kind=thing.kind,
                thing_id=thing.id, label=thing.label, label_en=thing.label_en,
            )
        )  # fmt: skip
    codes = {s.id: s.region_code for s in draw.round.subjects}
    commitment = build_commitment(
        kind=draw.kind,  # type: ignore[arg-type]
        purpose={**purpose_of(draw), **wanted.told},
        attempt=draw.attempt,
        panels=[PanelSpec(draw.stage, seats, tuple(codes[s] for s in wanted.subjects))],
        roster=roster,
        exclusions=[],
        load_cap=None,
        replacement=draw.request["replacement"],
        sources=[source_of(row) for row in draw.request["sources"]],
        fallbacks=of_request(draw.request),
        parties=[Chain(p.name, p.commitment, p.index) for p in draw.parties],
        rule_set_hash="",
        previous_head="",
    )
    session.flush()
    append(session, actor, "draw.frozen", draw=draw.id, pool=n, excluded=0)
    publish(
        session, actor, draw, commitment, _snapshot(draw.stage, n, seats),
        pool=n, eligible=[[draw.stage, n]], rules="",
        modes=[[draw.stage, "tickets", "practice"]], accepted=[], looks=0,
    )  # fmt: skip
    return draw


def _snapshot(stage: str, n: int, seats: int) -> dict[str, Any]:
    """What the pool of an expert draw keeps, as far as things have it: nobody is excluded, and no
    chances of people were computed."""
    panel = {"id": stage, "seats": seats, "mode": "tickets", "eligible": n, "excluded": 0}
    return {
        "pool": n, "panels": [panel], "strata": [], "rules": [], "unknown": [], "guards": [],
        "feasible": True, "relaxations": [], "chances": None, "modes": None, "difference": None,
        "employers": {}, "people": {}, "looks": [],
    }  # fmt: skip


def keep_order(session: Session, draw: Draw, result: Result) -> int:
    """Give the things their places; a case list takes its sample. Returns how many have a place."""
    items = {item.pseudonym: item for item in ceremony.items_of(draw)}
    (panel,) = result.panels
    for position, place in enumerate(panel.seats, 1):
        items[place.expert].position = position
    if draw.stage == orders.CASES:
        of = draw.request["order"]["of"]
        drawn = [items[place.expert].thing_id for place in panel.seats]
        rows = {r.id: str(r.code) for r in session.scalars(
            select(CaseFile).where(CaseFile.id.in_(drawn))
        )}  # fmt: skip
        casefiles.keep_sample(
            session,
            session.get_one(Subject, of["subject"]),
            kind=of["type"],
            codes=[rows[key] for key in drawn],
            draw_id=draw.id,
            commitment=str(draw.commitment_hash),
        )
    return len(panel.seats)


def refuse_expert_draw_verbs(draw: Draw, what: Text) -> None:
    """Conflict when `draw` is of things: it has no request to revise, no members, no panels."""
    if draw.is_order:
        raise NotNow(messages.NOT_OF_THINGS.format(what=what))
