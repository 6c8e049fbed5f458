"""Who meets whom in a committed lottery: how far pairs are from independence, exactly.

Leximin fixes each person's chance, not who is drawn together (docs/draw-protocol.md section 7). What
`together.py` could not even out is listed here, for those who are asked to agree to a table.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import Any

from .lottery import SMALL, table_probabilities
from .objects import LOTS, Candidate


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two small types of one panel: `first` and `second` are the ids of their members.

    `together` is the chance that one member of each is drawn, `apart` what it would be if the two
    were drawn independently of each other.
    """

    panel: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    together: Fraction
    apart: Fraction


def pair_lifts(
    document: Mapping[str, Any],
    largest_type: int = SMALL,
    top: int = 20,
) -> list[tuple[str, str, Fraction, Fraction]]:
    """Pairs of small types whose joint chance is furthest from independence, in either direction.

    Returns (type code, type code, joint chance of one member of each, joint - product), at most
    `top`, largest distance first.
    """
    types, chances = document["types"], table_probabilities(document)
    small = [i for i, (_, size, _) in enumerate(types) if size <= largest_type]
    # Whole numbers over one denominator: a table of 2,000 types of one has two million pairs.
    scale = lcm(*(types[i][1] for i in small)) if small else 1
    weight = {i: scale // types[i][1] for i in small}
    alone = {i: int(chances[i] * LOTS * scale) for i in small}
    joint: dict[tuple[int, int], int] = {}
    for lots, counts in document["rows"]:
        present = [(i, n * weight[i]) for i, n in counts if i in weight]
        for (i, n), (j, m) in combinations(present, 2):
            joint[i, j] = joint.get((i, j), 0) + lots * n * m

    def distances() -> Iterator[tuple[int, int, int, int]]:
        """(|distance|, -i, -j, distance), over (LOTS * scale)^2."""
        for i, j in combinations(small, 2):
            more = joint.get((i, j), 0) * LOTS - alone[i] * alone[j]
            yield abs(more), -i, -j, more

    whole = LOTS * scale * scale
    return [
        (
            types[-i][0],
            types[-j][0],
            Fraction(joint.get((-i, -j), 0), whole),
            Fraction(more, whole * LOTS),
        )
        for _, i, j, more in heapq.nlargest(top, distances())
    ]


def meetings(
    tables: Mapping[str, Mapping[str, Any]],
    eligible: Mapping[str, Sequence[Candidate]],
    top: int = 20,
) -> list[Meeting]:
    """The pairs furthest from independence, of all tables; largest distance first, either direction.
    Pairs that are independent of each other are left out.

    `eligible`: panel id -> the people whom its table is about.
    """
    found: list[tuple[Fraction, Meeting]] = []
    for panel, table in tables.items():
        vectors = {code: tuple(values) for code, _, values in table["types"]}
        lifts = [row for row in pair_lifts(table, top=top) if row[3]]
        wanted = {vectors[code] for a, b, _, _ in lifts for code in (a, b)}
        members: dict[tuple[str, ...], list[str]] = {vector: [] for vector in wanted}
        for person in eligible[panel]:
            vector = tuple(person.facts.get(a, "") for a in table["attributes"])
            if vector in members:
                members[vector].append(person.id)
        for a, b, together, more in lifts:
            first, second = (tuple(sorted(members[vectors[code]])) for code in (a, b))
            found.append((abs(more), Meeting(panel, first, second, together, together - more)))
    found.sort(key=lambda row: (-row[0], row[1].panel, row[1].first, row[1].second))
    return [meeting for _, meeting in found[:top]]
