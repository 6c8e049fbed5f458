"""What changed since the last cosigned draw: people, exclusions, and whose chance moved most.

A pool can be steered between two draws; office and supervisor see the same difference before the
cosignature, and it is stored with the commitment (docs/draw-protocol.md section 8). Ids only: names
are put in where it is shown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.draw.models import ORDER_STAGES, Draw
from app.draw.pool import Assessment
from app.draw.type_chances import could_sit, of_everybody
from app.ledger.models import Event
from app.programme.models import Round

TOP = 10  # people whose chance changed most
LISTED = 300  # entries of one kind that are kept; the totals are always whole
_KINDS = ("added", "removed", "status", "attributes", "excluded", "readmitted")


def last_cosigned(session: Session, draw: Draw) -> Draw | None:
    """The draw to compare with: of the same scheme if there is one, else the latest of all; real
    draws are held against real ones."""
    query = (
        select(Draw)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Draw.cosigned_at.is_not(None),
            Draw.id != draw.id,
            Draw.kind == draw.kind,
            Draw.stage.not_in(ORDER_STAGES),
        )
        .order_by(Draw.cosigned_at.desc(), Draw.id)
        .limit(1)
    )
    same = session.scalar(query.where(Round.scheme_id == draw.round.scheme_id))
    return same or session.scalar(query)


def since_last(
    session: Session, draw: Draw, found: Assessment, shown: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The difference as JSON, or None when no draw was cosigned before.

    `{with, totals, added: [id], removed: [id], status: [[id, old, new]], attributes: [[id,
    attribute, old, new]], excluded: [[id, rule]], readmitted: [[id, rule]], chances: [[id, old,
    new]], by_type: 0|1, by: {id: [account, kind, time]}}`; a chance is a decimal string or None.
    """
    before = last_cosigned(session, draw)
    if before is None:
        return None
    old, new = _people_then(before), found.profiles
    rules_then, rules_now = _rules_then(before), _rules_now(found)
    both = sorted(set(old) & set(new))
    rows: dict[str, list[Any]] = {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "status": [
            [key, old[key]["status"], new[key]["status"]]
            for key in both
            if "status" in old[key] and old[key]["status"] != new[key]["status"]
        ],
        "attributes": [
            [key, a, old[key][a], new[key][a]]
            for key in both
            for a in sorted(set(old[key]) & set(new[key]) - {"status"})
            if old[key][a] != new[key][a]
        ],
        "excluded": [
            [key, rule]
            for key in both
            for rule in sorted(rules_now.get(key, set()) - rules_then.get(key, set()))
        ],
        "readmitted": [
            [key, rule]
            for key in both
            for rule in sorted(rules_then.get(key, set()) - rules_now.get(key, set()))
        ],
    }
    named = {row if isinstance(row, str) else row[0] for k in _KINDS for row in rows[k][:LISTED]}
    return {
        "with": {
            "draw": before.id,
            "round": before.round.slug,
            "round_id": before.round_id,
            "title_zh": before.round.title.zh,
            "title_en": before.round.title.en,
            "stage": before.stage,
            "attempt": before.attempt,
            "at": clock.stamp(before.cosigned_at) if before.cosigned_at else "",
            "same_scheme": 1 if before.round.scheme_id == draw.round.scheme_id else 0,
        },
        "totals": {kind: len(rows[kind]) for kind in _KINDS},
        **{kind: rows[kind][:LISTED] for kind in _KINDS},
        **_moved_most(before, old, found, shown),
        "by": _changed_by(session, before, named),
    }


def _people_then(before: Draw) -> dict[str, dict[str, str]]:
    """Expert id -> what was frozen: the profile, or the facts where no profile was kept yet."""
    snapshot = before.snapshot or {}
    if "people" in snapshot:
        return dict(snapshot["people"])
    bodies: Mapping[str, str] = snapshot.get("employers", {})
    return {
        c.expert_id: {
            a: bodies.get(v, v) if a == "employer" else v
            for a, v in c.facts.items()
            if not a.startswith("pair")
        }
        for c in before.candidates
    }


def _rules_then(before: Draw) -> dict[str, set[str]]:
    return {
        c.expert_id: {row["rule"] for row in c.exclusions}
        for c in before.candidates
        if c.exclusions
    }


def _rules_now(found: Assessment) -> dict[str, set[str]]:
    rules: dict[str, set[str]] = defaultdict(set)
    for row in found.blocked:
        rules[row.expert].add(row.rule)
    return rules


def _moved_most(
    before: Draw,
    profiles: Mapping[str, Mapping[str, str]],
    found: Assessment,
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    """`chances`: the ten whose chance moved most; None stands for somebody who was not in that pool.

    Where one of the two pools was too large for a figure a person, both sides are the chance of the
    person's type (`by_type` 1): like is compared with like.
    """
    old = (before.snapshot or {}).get("chances")
    new = shown["chances"]
    if not old or not new:
        return {"chances": [], "by_type": 0}
    then, now = old["people"], new["people"]
    by_type = not then or not now
    if by_type:
        then = of_everybody(old, profiles, could_sit(before.request, before.candidates))
        panels = [panel.id for panel in found.panels]
        out = set.intersection(*(found.excluded(panel) for panel in panels))
        now = of_everybody(new, found.profiles, set(found.experts) - out)
    moved = [
        (abs(Decimal(now.get(key, 0)) - Decimal(then.get(key, 0))), key)
        for key in sorted(set(then) | set(now))
    ]
    moved.sort(key=lambda row: (-row[0], row[1]))
    rows = [[key, then.get(key), now.get(key)] for size, key in moved[:TOP] if size]
    return {"chances": rows, "by_type": int(by_type)}


def _changed_by(session: Session, before: Draw, people: set[str]) -> dict[str, list[Any]]:
    """Expert id -> [account id or "", kind of entry, time] of the latest entry about each."""
    if not people or before.commitment_seq is None:
        return {}
    found: dict[str, list[Any]] = {}
    payloads = session.scalars(
        select(Event.payload).where(Event.seq > before.commitment_seq).order_by(Event.seq)
    )
    for payload in payloads:
        entry = json.loads(payload)
        if entry["kind"] == "sealed" or entry["kind"].startswith("draw."):
            continue
        about = {row[1] for row in entry["rows"]}
        about |= {value for value in entry["data"].values() if isinstance(value, str)}
        for key in about & people:
            found[key] = [entry["actor"] or "", entry["kind"], entry["at"]]
    return found
