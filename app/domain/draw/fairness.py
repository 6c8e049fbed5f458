"""Everybody's chance, before any seed (docs/draw-protocol.md section 8).

Exact for lottery panels. For ticket panels the draw itself is repeated with numbered drill keys:
SHA-256 counters, so that anyone gets the same figures.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.domain.types import Text

from .lottery import Lottery, Progress, prepare_lotteries, table_probabilities
from .objects import Candidate, Exclusion, PanelSpec, excluded_by_panel
from .selection import rehearse

DRILLS = Text("用练习密钥试抽", "drawing with drill keys")


@dataclass(frozen=True, slots=True)
class Fairness:
    """`probabilities[id]`: chance of at least one seat; people excluded everywhere have 0.

    `method` is "lottery (exact)" or "tickets (Monte Carlo, n drill keys)"; `pool` are the people who
    may sit on at least one panel, and minimum, maximum and gini are taken over them.
    """

    method: str
    probabilities: Mapping[str, Fraction]
    pool: frozenset[str]
    certified: bool
    draws: int = 0
    short_draws: int = 0

    def _pool(self) -> list[Fraction]:
        return sorted(self.probabilities[i] for i in self.pool)

    @property
    def minimum(self) -> Fraction:
        return min(self._pool(), default=Fraction(0))

    @property
    def maximum(self) -> Fraction:
        return max(self._pool(), default=Fraction(0))

    @property
    def gini(self) -> Fraction:
        """Mean absolute difference over all ordered pairs, over twice the mean; 0 for an even chance."""
        return gini(self._pool())


def gini(values: Sequence[Fraction]) -> Fraction:
    """Gini coefficient of non-negative values, exact."""
    ordered, n = sorted(values), len(values)
    total = sum(ordered, Fraction(0))
    if not total:
        return Fraction(0)
    return sum(((2 * i - n + 1) * v for i, v in enumerate(ordered)), Fraction(0)) / (n * total)


def drill_keys(count: int, label: str = "drill") -> list[str]:
    """Numbered keys for rehearsals and estimates: SHA-256("pdraw/1|<label>|<i>"), i from 0."""
    return [
        hashlib.sha256(f"pdraw/1|{label}|{i}".encode("ascii")).hexdigest() for i in range(count)
    ]


def probabilities(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int | None = None,
    *,
    lotteries: Mapping[str, Mapping[str, Any]] | None = None,
    draws: int = 2_000,
    tell: Progress | None = None,
) -> Fairness:
    """Chances for a request; prepares the lottery tables that `lotteries` does not bring.

    `tell(done, phase)` hears how far each phase is, 0 to 1. Raises DomainError if a lottery panel admits nobody.
    """
    out = excluded_by_panel(exclusions)
    tables = dict(lotteries or {})
    tables |= prepare_lotteries(
        [p for p in panels if p.id not in tables], roster, exclusions, tell=tell
    )
    pool = frozenset(c.id for c in roster if any(c.id not in out.get(p.id, ()) for p in panels))
    certified = bool(tables) and all(Lottery(dict(t)).certified for t in tables.values())
    if all(p.mode == "lottery" for p in panels):
        missed = {c.id: Fraction(1) for c in roster}
        for panel in panels:
            chances = chances_by_vector(tables[panel.id])
            attributes = tables[panel.id]["attributes"]
            gone = out.get(panel.id, set())
            for c in roster:
                if c.id not in gone:
                    vector = tuple(c.facts.get(a, "") for a in attributes)
                    missed[c.id] *= 1 - chances[vector]
        chance = {i: 1 - q for i, q in missed.items()}
        return Fairness("lottery (exact)", chance, pool, certified)
    seated: Counter[str] = Counter()
    short = 0
    heard = None if tell is None else lambda done: tell(done, DRILLS)
    for result in rehearse(
        panels, roster, exclusions, load_cap or 0, tables, drill_keys(draws), 1 << 62, heard
    ):
        seated.update({s.expert for p in result.panels for s in p.seats})
        short += any(p.short for p in result.panels)
    return Fairness(
        f"tickets (Monte Carlo, {draws} drill keys)",
        {c.id: Fraction(seated[c.id], draws) for c in roster},
        pool,
        False,
        draws,
        short,
    )


def chances_by_vector(table: Mapping[str, Any]) -> dict[tuple[str, ...], Fraction]:
    """Type vector -> exact chance of one member."""
    return {
        tuple(values): p
        for (_, _, values), p in zip(table["types"], table_probabilities(table), strict=True)
    }
