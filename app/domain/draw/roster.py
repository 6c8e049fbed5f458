"""The pool as salted leaves, and the types people belong to (docs/draw-protocol.md section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from .objects import (
    Candidate,
    Exclusion,
    PanelSpec,
    canonical,
    check_id,
    leaf_hash,
    merkle_root,
    refuse,
)


def type_attributes(panels: Sequence[PanelSpec]) -> tuple[str, ...]:
    """Attributes that make up a type: every quota attribute, and a lottery's pair-limit attributes."""
    names: set[str] = set()
    for panel in panels:
        names |= set(panel.quotas)
        if panel.mode == "lottery":
            names |= set(panel.pair_limits)
    return tuple(sorted(names))


def type_codes(roster: Sequence[Candidate], attributes: Sequence[str]) -> dict[str, str]:
    """Expert id -> type code. Codes number the distinct attribute vectors in sorted order from T1."""
    vectors = {c.id: tuple(c.facts.get(a, "") for a in attributes) for c in roster}
    number = {vector: f"T{i}" for i, vector in enumerate(sorted(set(vectors.values())), 1)}
    return {expert: number[vector] for expert, vector in vectors.items()}


def roster_leaf(candidate: Candidate, type_code: str) -> dict[str, Any]:
    """The opened leaf of one person; its leaf hash stands in the roster root."""
    return {
        "expert": candidate.id,
        "facts": [[name, candidate.facts[name]] for name in sorted(candidate.facts)],
        "salt": candidate.salt.hex(),
        "type": type_code,
    }


def roster_leaves(roster: Sequence[Candidate], attributes: Sequence[str]) -> list[dict[str, Any]]:
    """All opened leaves in ascending order of their hash: independent of the order of the rows."""
    codes = type_codes(roster, attributes)
    return sorted((roster_leaf(c, codes[c.id]) for c in roster), key=leaf_hash)


def leaf_list(leaves: Iterable[dict[str, Any]]) -> bytes:
    """Canonical bytes of the list of these leaves in ascending order of their hash.

    Canonical JSON of a list is that of its items: each leaf is written once and hashed as written,
    which is most of the time of a transcript of 20,000 people.
    """
    written = [canonical(leaf) for leaf in leaves]
    written.sort(key=lambda data: hashlib.sha256(b"\x00" + data).digest())
    return b"[" + b",".join(written) + b"]"


def exclusion_leaf(exclusion: Exclusion) -> dict[str, Any]:
    """The opened leaf of one exclusion."""
    return {
        "decided_by": exclusion.decided_by,
        "evidence": exclusion.evidence_hash,
        "expert": exclusion.expert,
        "panel": exclusion.panel,
        "rule": exclusion.rule,
        "salt": exclusion.salt.hex(),
        "when": exclusion.when,
    }


def exclusion_leaves(exclusions: Sequence[Exclusion]) -> list[dict[str, Any]]:
    """All opened exclusion leaves in ascending order of their hash."""
    return sorted((exclusion_leaf(e) for e in exclusions), key=leaf_hash)


def root_of(leaves: Sequence[dict[str, Any]]) -> str:
    """RFC 6962 root over the leaf hashes of opened leaves."""
    return merkle_root(leaf_hash(leaf) for leaf in leaves)


def candidates_from_leaves(leaves: Sequence[dict[str, Any]]) -> list[Candidate]:
    """Read a roster opening back."""
    return [
        Candidate(leaf["expert"], dict(leaf["facts"]), bytes.fromhex(leaf["salt"]))
        for leaf in leaves
    ]


def exclusions_from_leaves(leaves: Sequence[dict[str, Any]]) -> list[Exclusion]:
    """Read an exclusion opening back."""
    return [
        Exclusion(
            leaf["panel"],
            leaf["expert"],
            leaf["rule"],
            leaf["evidence"],
            leaf["decided_by"],
            bytes.fromhex(leaf["salt"]),
            leaf["when"],
        )
        for leaf in leaves
    ]


def validate_roster(roster: Sequence[Candidate]) -> None:
    """Ids well formed and unique, salts of 16 bytes and unique; DomainError otherwise."""
    seen: set[str] = set()
    salts: set[bytes] = set()
    for candidate in roster:
        check_id(candidate.id, "专家编号", "expert id")
        if candidate.id in seen:
            raise refuse("专家编号“{v}”重复", "expert id '{v}' occurs twice", v=candidate.id)
        if len(candidate.salt) != 16 or candidate.salt in salts:
            raise refuse(
                "专家“{v}”的盐须为 16 个随机字节且不得重复使用",
                "the salt of expert '{v}' must be 16 random bytes used nowhere else",
                v=candidate.id,
            )
        seen.add(candidate.id)
        salts.add(candidate.salt)


def validate_exclusions(
    exclusions: Sequence[Exclusion], roster: Sequence[Candidate], panels: Sequence[PanelSpec]
) -> None:
    """Every record names a known panel and person, and every id in a panel's `exclude` has a record."""
    people = {c.id for c in roster}
    names = {p.id for p in panels}
    recorded: set[tuple[str, str]] = set()
    for record in exclusions:
        if record.expert not in people or record.panel not in names:
            raise refuse(
                "回避记录指向不存在的专家“{e}”或评审组“{p}”",
                "an exclusion names an unknown expert '{e}' or panel '{p}'",
                e=record.expert,
                p=record.panel,
            )
        if len(record.salt) != 16:
            raise refuse("回避记录的盐须为 16 个字节", "the salt of an exclusion must be 16 bytes")
        recorded.add((record.panel, record.expert))
    for panel in panels:
        for expert in sorted(panel.exclude):
            if (panel.id, expert) not in recorded:
                raise refuse(
                    "评审组“{p}”回避专家“{e}”，但没有回避记录",
                    "panel '{p}' excludes expert '{e}' without an exclusion record",
                    p=panel.id,
                    e=expert,
                )
