"""What a commitment freezes: pseudonyms, opaque codes, exclusions with salts; and its rehearsal.

docs/draw-protocol.md sections 2 and 3. All randomness here is fresh salt from the operating system;
none of it can reach a result, which follows from the commitment and the seed alone. Everything slow
(judging the pool, solving lotteries, rehearsing) needs no write transaction: `prepare` does it on a
read snapshot, and the commitment then checks that nothing has changed since.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from app import clock
from app.domain.draw import (
    Candidate as Person,
)
from app.domain.draw import (
    Commitment,
    Exclusion,
    PanelSpec,
    SearchTooLong,
    build_commitment,
    drill_keys,
    rehearse,
)
from app.domain.draw import Party as Chain
from app.domain.draw.relabel import relabelled
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, Text
from app.draw import (
    ceremony,
    difference,
    edition,
    fallbacks,
    messages,
    outlook,
    pool,
    same_day,
    supplements,
)
from app.draw.facts import draw_kind
from app.draw.messages import cannot
from app.draw.models import Draw
from app.draw.models_request import WhatIf
from app.draw.outlook import Tell, silent
from app.draw.pool import Assessment
from app.draw.purposes import purpose_of
from app.draw.requests import asked_again, checked_request
from app.draw.sources import source_of
from app.ledger import prove
from app.programme.queries import rules_of

REHEARSALS = 200
NODES = 1_000_000
COMMIT = Text("提交承诺", "commit")
_REHEARSAL = Text("用练习密钥试抽", "rehearsing with drill keys")


@dataclass(frozen=True)
class Prepared:
    """A commitment ready to be recorded but for the ledger's head; holds no database rows."""

    draw_id: str
    request: dict[str, Any]
    parties: list[tuple[str, str, int]]
    pool_digest: str
    ledger_size: int
    candidates: list[dict[str, Any]]  # columns of `models.Candidate`
    shown: dict[str, Any]  # `outlook.summary` with the difference from the last cosigned draw
    employers: dict[str, str]
    people: dict[str, dict[str, str]]
    commitment: Commitment
    rules_digest: str
    hidden: edition.Hidden  # what the codes of the candidates stand for


def prepare(session: Session, draw: Draw, tell: Tell = silent) -> Prepared:
    """Judge the pool, refuse what cannot or may not be drawn, solve and rehearse; reads only.

    Raises DomainError when the request cannot be met, a guard refuses or the search is too long,
    Conflict when a party has not registered its chain, or while another draw that could seat
    the same people on the same day waits for its seed.
    """
    if draw.kind != draw_kind(draw.round):
        raise DomainError(messages.DRILL_STAYS)
    # Rules or classes may have been corrected since the draft was made.
    request = request_now(draw)
    parties = [(p.name, p.commitment, p.index) for p in draw.parties]
    missing = set(request["parties"]) - {name for name, _, _ in parties}
    if missing:
        who = messages.parties(sorted(missing))
        raise cannot(
            COMMIT,
            Text("{who}尚未登记口令链", "{who} has not registered a chain").format(who=who),
        )
    tell(Text("逐人判断是否合格", "judging everybody by the rules"))
    size = prove.head(session).size
    found = pool.assess(session, draw.round, request)
    same_day.refuse_pending(session, draw, request, found.kept_off())
    seen = _same_look(session, draw, found)
    shown = outlook.summary(
        found, request, tell=tell, both_modes=seen is None, outside=draw.kind == "real"
    )
    if seen is not None:
        shown["modes"] = seen.summary["modes"]
    _refuse_what_cannot(shown)
    shown["difference"] = difference.since_last(session, draw, found, shown)
    candidates, specs, employers = freeze_candidates(found)
    hidden = edition.hide(session, found, candidates, specs, employers)
    candidates, specs = hidden.candidates, hidden.specs
    roster, exclusions = frozen_roster(candidates), frozen_exclusions(candidates)
    tell(Text("生成承诺书", "making the commitment"))
    commitment = build_commitment(
        kind=draw.kind,  # type: ignore[arg-type]
        purpose=purpose_of(draw),
        attempt=draw.attempt,
        panels=specs,
        roster=roster,
        exclusions=exclusions,
        load_cap=pool.load_cap_of(request),
        replacement=request["replacement"],
        sources=[source_of(row) for row in request["sources"]],
        fallbacks=fallbacks.of_request(request),
        parties=[Chain(*party) for party in parties],
        rule_set_hash=found.rules.digest(),
        previous_head="",
        suppressed_rules=pool.PRIVATE_RULES | {edition.PRIVATE},
        tell=lambda done, phase: tell(phase, done),
        lotteries={
            panel: relabelled(table, hidden.names())
            for panel, table in outlook.tables_of(found, tell).items()
        },
    )
    # Of the very tables that are committed: another solution may put other people together.
    names = {row["pseudonym"]: row["expert_id"] for row in candidates}
    shown["meetings"] = outlook.meetings_of(commitment.lotteries, roster, exclusions, names)
    rehearsed(commitment, roster, exclusions, tell)
    return Prepared(
        draw.id, request, parties, found.digest(), size, candidates, shown, employers,
        found.profiles, commitment, found.rules.digest(), hidden,
    )  # fmt: skip


def _same_look(session: Session, draw: Draw, found: Assessment) -> WhatIf | None:
    """The latest look if it was at this request and this very pool: its comparison of the modes
    holds and need not be solved again."""
    row = session.scalar(
        select(WhatIf).where(WhatIf.draw_id == draw.id).order_by(WhatIf.number.desc()).limit(1)
    )
    if row is None or row.request_digest != request_digest(draw.request):
        return None
    return row if row.pool_digest == found.digest() else None


def still_fits(session: Session, draw: Draw, ready: Prepared) -> bool:
    """Whether what was prepared outside this transaction is what would be prepared inside it."""
    parties = [(p.name, p.commitment, p.index) for p in draw.parties]
    if (ready.draw_id, ready.request, ready.parties) != (draw.id, request_now(draw), parties):
        return False
    if prove.head(session).size == ready.ledger_size:
        return True  # nothing at all was recorded in between
    return pool.assess(session, draw.round, ready.request).digest() == ready.pool_digest


def request_now(draw: Draw) -> dict[str, Any]:
    """The draft's request checked again by today's rules."""
    session = object_session(draw)
    if session is not None and supplements.is_supplement(draw):
        return supplements.renewed(session, draw)
    rules = rules_of(draw.round)
    return checked_request(draw.round, rules, stage=draw.stage, **asked_again(draw.request))


def request_digest(request: Mapping[str, Any]) -> str:
    return digest(dict(request))


def _refuse_what_cannot(shown: Mapping[str, Any]) -> None:
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


def freeze_candidates(
    found: Assessment,
) -> tuple[list[dict[str, Any]], list[PanelSpec], dict[str, str]]:
    """Everybody under a fresh pseudonym; employers under codes of this draw alone.

    Returns the columns of the candidates by pseudonym, the panels in these codes, and employer
    code -> organisation id.
    """
    when = ceremony.seconds(clock.now())
    roots = {a["employer"] for a in found.attributes.values() if "employer" in a}
    roots |= {v for p in found.panels for v in p.quotas.get("employer", {})}
    code = {root: f"o{number:04d}" for number, root in enumerate(_shuffled(sorted(roots)), 1)}
    rows: dict[str, list[dict[str, Any]]] = {}
    for blocked in found.blocked:
        nonce = secrets.token_hex(16)
        rows.setdefault(blocked.expert, []).append(
            {
                "panel": blocked.panel,
                "rule": blocked.rule,
                "zh": blocked.reason.zh,
                "en": blocked.reason.en,
                "evidence": blocked.evidence,
                "evidence_hash": ceremony.evidence_hash(blocked.evidence, nonce),
                "nonce": nonce,
                "salt": secrets.token_hex(16),
                "decided_by": "rules",
                "when": when,
            }
        )
    names: set[str] = set()
    out: list[dict[str, Any]] = []
    for key in sorted(found.experts):
        facts = dict(found.attributes[key])
        if "employer" in facts:
            facts["employer"] = code[facts["employer"]]
        while (pseudonym := f"P{secrets.token_hex(4)}") in names:
            pass
        names.add(pseudonym)
        out.append(
            {
                "expert_id": key,
                "pseudonym": pseudonym,
                "leaf_salt": secrets.token_hex(16),
                "facts": facts,
                "exclusions": rows.get(key, []),
            }
        )
    out.sort(key=lambda row: str(row["pseudonym"]))
    specs = []
    for panel in found.panels:
        quotas = dict(panel.quotas)
        if "employer" in quotas:
            quotas["employer"] = {code[v]: bounds for v, bounds in quotas["employer"].items()}
        specs.append(replace(panel, quotas=quotas))
    return out, specs, {short: root for root, short in code.items()}


def frozen_roster(rows: Sequence[Mapping[str, Any]]) -> list[Person]:
    """The candidates as the engine's people."""
    return [Person(r["pseudonym"], dict(r["facts"]), bytes.fromhex(r["leaf_salt"])) for r in rows]


def frozen_exclusions(rows: Sequence[Mapping[str, Any]]) -> list[Exclusion]:
    """Their exclusions as the engine's."""
    return [
        Exclusion(
            x["panel"], r["pseudonym"], edition.shown_rule(x), x["evidence_hash"], x["decided_by"],
            bytes.fromhex(x["salt"]), x["when"],
        )
        for r in rows
        for x in r["exclusions"]
    ]  # fmt: skip


def _shuffled(values: list[str]) -> list[str]:
    """In an order that says nothing about the values: by fresh random keys."""
    keyed = sorted((secrets.token_bytes(16), value) for value in values)
    return [value for _, value in keyed]


def rehearsed(
    commitment: Commitment,
    roster: Sequence[Person],
    exclusions: Sequence[Exclusion],
    tell: Tell = silent,
) -> None:
    """Draw with drill keys: a search that would not end, or panels that clash, show here."""
    tickets = [panel for panel in commitment.panels if panel.mode == "tickets"]
    if not tickets:
        return
    count = max(2, min(REHEARSALS, 2_000_000 // max(1, len(roster) * len(tickets))))
    try:
        results = rehearse(
            commitment.panels,
            roster,
            exclusions,
            commitment.load_cap,
            commitment.lotteries,
            drill_keys(count),
            NODES,
            lambda done: tell(_REHEARSAL, done),
        )
    except SearchTooLong as error:
        raise DomainError(messages.TOO_LONG) from error
    if all(any(panel.short for panel in result.panels) for result in results):
        raise DomainError(messages.NOT_TOGETHER)
