"""Everybody's chance, before any seed (docs/draw-protocol.md section 8).

Exact for lottery panels. For ticket panels the draw itself is repeated with numbered drill keys:
SHA-256 counters, so that anyone gets the same figures.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from app.domain.types import Text

from .lottery import Lottery, Progress, prepare_lotteries, table_probabilities
from .objects import Candidate, Exclusion, PanelSpec, Result, excluded_by_panel
from .selection import rehearse

HALF = Fraction(1, 2)
DRILLS = Text("用练习密钥试抽", "drawing with drill keys")


@dataclass(frozen=True, slots=True)
class Fairness:
    """`probabilities[id]`: chance of at least one seat; people excluded everywhere have 0.

    `method` is "lottery (exact)" or "tickets (Monte Carlo, n drill keys)"; `pool` are the people who
    may sit on at least one panel, and minimum, maximum and gini are taken over them. `often[panel][id]`
    are the chances above one half of a seat on that panel alone: what a batch of many panels hides.
    """

    method: str
    probabilities: Mapping[str, Fraction]
    pool: frozenset[str]
    certified: bool
    draws: int = 0
    short_draws: int = 0
    often: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)

    @property
    def rough(self) -> bool:
        """Too few drill draws to call a chance zero or uneven: fewer than 20 seats a person."""
        mean = sum(self._pool(), Fraction(0)) / max(1, len(self.pool))
        return bool(self.draws) and mean * self.draws < 20

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
        often: dict[str, dict[str, Fraction]] = {}
        for panel in panels:
            chances = chances_by_vector(tables[panel.id])
            attributes = tables[panel.id]["attributes"]
            gone = out.get(panel.id, set())
            for c in roster:
                if c.id not in gone:
                    vector = tuple(c.facts.get(a, "") for a in attributes)
                    missed[c.id] *= 1 - chances[vector]
                    if chances[vector] > HALF:
                        often.setdefault(panel.id, {})[c.id] = chances[vector]
        chance = {i: 1 - q for i, q in missed.items()}
        return Fairness("lottery (exact)", chance, pool, certified, often=often)
    seated: Counter[str] = Counter()
    short = 0
    heard = None if tell is None else lambda done: tell(done, DRILLS)
    results = rehearse(
        panels, roster, exclusions, load_cap or 0, tables, drill_keys(draws), 1 << 62, heard
    )
    for result in results:
        seated.update({s.expert for p in result.panels for s in p.seats})
        short += any(p.short for p in result.panels)
    return Fairness(
        f"tickets (Monte Carlo, {draws} drill keys)",
        {c.id: Fraction(seated[c.id], draws) for c in roster},
        pool,
        False,
        draws,
        short,
        _often(results),
    )


def _often(results: Sequence[Result]) -> dict[str, dict[str, Fraction]]:
    """Panel -> who sat on it in more than half of the drill draws, with that share."""
    out: dict[str, dict[str, Fraction]] = {}
    for place, panel in enumerate(results[0].panels if results else ()):
        seated = Counter(s.expert for result in results for s in result.panels[place].seats)
        shares = {i: Fraction(n, len(results)) for i, n in seated.items()}
        high = {i: share for i, share in shares.items() if share > HALF}
        if high:
            out[panel.id] = high
    return out


def chances_by_vector(table: Mapping[str, Any]) -> dict[tuple[str, ...], Fraction]:
    """Type vector -> exact chance of one member."""
    return {
        tuple(values): p
        for (_, _, values), p in zip(table["types"], table_probabilities(table), strict=True)
    }
