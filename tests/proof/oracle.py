"""How many results there are, read from the tables without the code that is to prevent a second one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from app.draw.invariants import INVARIANTS
from app.ledger import prove
from tests.proof.installation import Installation

# What every request may write without touching a draw.
ASIDE = ("ledger_event", "ledger_secret", "ledger_head", "ledger_checkpoint", "draw_refusal",
         "throttle", "sign_in")  # fmt: skip


def _json(value: Any) -> Any:
    return json.loads(value) if value else None


def results(place: Installation) -> Counter[tuple[Any, ...]]:
    """(scheme, year, stage, county) -> real results. A result is a draw that is called completed, or
    has a key, a result or a seat; its purpose is what its rows say and what was committed."""
    codes = dict(place.rows("SELECT id, region_code FROM subject"))
    seated = {key for (key,) in place.rows("SELECT DISTINCT draw_id FROM seat")}
    found: Counter[tuple[Any, ...]] = Counter()
    for key, state, secret, result, stage, asked, committed, scheme, day in place.rows(
        "SELECT d.id, d.state, d.key, d.result, d.stage, d.request, d.commitment, r.scheme_id, "
        "r.review_on FROM draw d JOIN round r ON r.id = d.round_id WHERE d.kind = 'real'"
    ):
        if state != "completed" and not secret and _json(result) is None and key not in seated:
            continue
        counties = {codes.get(one, one) for one in _json(asked)["subjects"]}
        purposes = {(scheme, int(day[:4]), stage, code) for code in counties}
        told = (_json(committed) or {}).get("purpose")
        if told:
            purposes |= {
                (told["scheme"], told["cycle"], told["stage"], code)
                for code in told["subjects"].split(",")
            }
        found.update(purposes)
    return found


def drawn(place: Installation) -> bytes:
    """Everything that says who was drawn, as bytes: keys, results, commitments, and every seat."""
    draws = place.rows(
        "SELECT id, kind, stage, purpose_key, attempt, commitment_hash, commitment, key, result, "
        "transcript_sha256 FROM draw WHERE state = 'completed' ORDER BY id"
    )
    seats = place.rows(
        "SELECT id, salt, draw_id, panel, number, act, expert_id, ticket FROM seat ORDER BY id"
    )
    return repr((draws, seats)).encode()


def members(place: Installation, draw_id: str) -> list[tuple[Any, ...]]:
    """(panel, number, act, expert, ticket) of every seat of a draw."""
    return place.rows(
        "SELECT panel, number, act, expert_id, ticket FROM seat WHERE draw_id = ? "
        "ORDER BY panel, number, act",
        draw_id,
    )


def everything(place: Installation) -> dict[str, str]:
    """Every table but those that a refused request writes: name -> its rows."""
    names = [name for name in place.reading().tables() if name not in ASIDE]
    return {name: repr(sorted(map(repr, place.rows(f'SELECT * FROM "{name}"')))) for name in names}


def found(place: Installation, printed: prove.TreeHead) -> str:
    """The first fault that `ledger verify --head` or the draw's part of `doctor` reports, or ""."""
    with place.database.read() as session:
        faults = prove.verify(session, place.keys, printed).faults
        if faults:
            return "ledger: " + faults[0].en
        for name, check in INVARIANTS:
            if more := check(session):
                return f"{name}: {more[0].en}"
    return ""
