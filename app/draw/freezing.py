"""What a commitment freezes: pseudonyms, opaque codes, exclusions with salts; and its rehearsal.

docs/draw-protocol.md sections 2 and 3. All randomness here is fresh salt from the operating system;
none of it can reach a result, which follows from the commitment and the seed alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app import clock
from app.domain.draw import (
    Candidate as Person,
)
from app.domain.draw import (
    Commitment,
    Exclusion,
    PanelSpec,
    SearchTooLong,
    drill_keys,
    rehearse,
)
from app.domain.types import DomainError
from app.draw import ceremony, messages
from app.draw.models import Candidate, Draw
from app.draw.pool import Assessment

REHEARSALS = 200
NODES = 1_000_000


def freeze_candidates(draw: Draw, found: Assessment) -> tuple[list[PanelSpec], dict[str, str]]:
    """Candidates under fresh pseudonyms; employers under codes of this draw alone.

    Returns the panels in these codes, and employer code -> organisation id.
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
    for key in sorted(found.experts):
        facts = dict(found.attributes[key])
        if "employer" in facts:
            facts["employer"] = code[facts["employer"]]
        while (pseudonym := f"P{secrets.token_hex(4)}") in names:
            pass
        names.add(pseudonym)
        draw.candidates.append(
            Candidate(
                expert_id=key,
                pseudonym=pseudonym,
                leaf_salt=secrets.token_hex(16),
                facts=facts,
                exclusions=rows.get(key, []),
            )
        )
    draw.candidates.sort(key=lambda candidate: candidate.pseudonym)
    specs = []
    for panel in found.panels:
        quotas = dict(panel.quotas)
        if "employer" in quotas:
            quotas["employer"] = {code[v]: bounds for v, bounds in quotas["employer"].items()}
        specs.append(replace(panel, quotas=quotas))
    return specs, {short: root for root, short in code.items()}


def _shuffled(values: list[str]) -> list[str]:
    """In an order that says nothing about the values: by fresh random keys."""
    keyed = sorted((secrets.token_bytes(16), value) for value in values)
    return [value for _, value in keyed]


def rehearsed(
    commitment: Commitment, roster: Sequence[Person], exclusions: Sequence[Exclusion]
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
        )
    except SearchTooLong as error:
        raise DomainError(messages.TOO_LONG) from error
    if all(any(panel.short for panel in result.panels) for result in results):
        raise DomainError(messages.NOT_TOGETHER)
