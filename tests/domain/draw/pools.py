"""Invented pools and requests for the draw tests; every value follows from a SHA-256 counter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.draw import (
    Candidate,
    Commitment,
    Exclusion,
    PanelSpec,
    Party,
    Source,
    build_commitment,
    chain,
    derive_key,
)

DICE = Source("dice", "sequence", 10, 1, 6)
SECRETS = {"office": bytes([1]) * 32, "supervisor": bytes([2]) * 32}


def number(*what: object) -> int:
    return int.from_bytes(hashlib.sha256("|".join(map(str, what)).encode()).digest()[:8], "big")


def salt(*what: object) -> bytes:
    return hashlib.sha256(("salt|" + "|".join(map(str, what))).encode()).digest()[:16]


def people(
    count: int, values: Mapping[str, int], name: object = "pool", *, prefix: str = "E"
) -> list[Candidate]:
    """`values[attribute] = k`: that attribute takes one of k codes."""
    return [
        Candidate(
            f"{prefix}{i:04d}",
            {a: f"{a}{number(name, i, a) % k}" for a, k in values.items()},
            salt(name, prefix, i),
        )
        for i in range(count)
    ]


def exclusion(panel: str, expert: str, rule: str = "employer") -> Exclusion:
    return Exclusion(panel, expert, rule, "ab" * 32, "office", salt(panel, expert, rule))


def parties() -> list[Party]:
    return [Party(n, chain(s, 32).hex(), 32) for n, s in SECRETS.items()]


def codes(act: int) -> dict[str, str]:
    return {n: chain(s, 32 - act).hex() for n, s in SECRETS.items()}


def commit(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion] = (),
    *,
    load_cap: int | None = None,
    replacement: str = "act",
    with_parties: bool = False,
    lotteries: Mapping[str, Mapping[str, Any]] | None = None,
) -> Commitment:
    return build_commitment(
        kind="drill",
        purpose={"scheme": "test", "round": 1},
        attempt=1,
        panels=panels,
        roster=roster,
        exclusions=exclusions,
        load_cap=load_cap,
        replacement=replacement,
        sources=[DICE],
        parties=parties() if with_parties else [],
        rule_set_hash="",
        previous_head="",
        lotteries=lotteries,
    )


def throw(name: object) -> list[int]:
    return [1 + number(name, i) % 6 for i in range(10)]


def key_of(commitment: Commitment, name: object = "throw") -> str:
    return derive_key(commitment, {"dice": throw(name)}, codes(1) if commitment.parties else {})
