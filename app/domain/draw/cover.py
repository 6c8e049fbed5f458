"""How many seats reserves would leave uncovered, estimated with drill keys before any seed.

Customary reserves (候补) follow from the first act and are called in order (docs/draw-protocol.md section 9).
Two figures, for one member who drops out at a time: nobody at all could step in, by type or by a swap that
keeps every rule; and none of the few reserves with the lowest tickets could, whatever their type, as where
three names are read out beforehand.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .objects import Candidate, Exclusion, PanelSpec, Result, excluded_by_panel
from .replacement import stepping_in
from .selection import rehearse
from .tickets import ticket

FEW = 3  # reserves that are customarily named beforehand
KEYS = 20
WORK = 400_000  # people x panels x keys


@dataclass(frozen=True, slots=True)
class Cover:
    """Shares of the seats that stay empty: under the policy `reserves`, and with the first few alone."""

    draws: int
    seats: int
    reserves: Fraction
    few: Fraction


def uncovered(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int,
    tables: Mapping[str, Mapping[str, Any]],
    keys: Sequence[str],
    tell: Callable[[float], None] = lambda _: None,
) -> Cover:
    """The two shares over the drawn seats of all rehearsals. SearchTooLong as `rehearse`."""
    facts = {c.id: c.facts for c in roster}
    out = excluded_by_panel(exclusions)
    seats = none = few = 0
    for done, key in enumerate(keys):
        (result,) = rehearse(panels, roster, exclusions, load_cap, tables, [key])
        held = _by_day(panels, result)
        for spec in panels:
            members = next([s.expert for s in p.seats] for p in result.panels if p.id == spec.id)
            if not members:
                continue
            barred = out.get(spec.id, set()) | set(members) | held.capped(load_cap)
            barred |= held.busy(spec)
            free = [e for e in facts if e not in barred]
            first = heapq.nsmallest(FEW, ((ticket(key, spec.id, 1, e), e) for e in free))
            for place in range(1, len(members) + 1):
                same, keeps = stepping_in(spec, members, place, facts)

                def may(expert: str, same: Any = same, keeps: Any = keeps) -> bool:
                    person = facts[expert]
                    return bool(keeps.pairs(person) and (same(person) or keeps.quotas(person)))

                seats += 1
                if not any(may(e) for _, e in first):
                    few += 1
                    none += not any(map(may, free))
        tell((done + 1) / len(keys))
    whole = max(1, seats)
    return Cover(len(keys), seats, Fraction(none, whole), Fraction(few, whole))


def drills(people: int, panels: int) -> int:
    """How many drill keys such an estimate takes: 20, fewer for a large pool or batch, 0 for one where
    even two would take too long."""
    keys = min(KEYS, WORK // max(1, people * panels))
    return keys if keys > 1 else 0


@dataclass(frozen=True, slots=True)
class _Held:
    days: Mapping[str, set[str]]
    loads: Counter[str]

    def busy(self, spec: PanelSpec) -> set[str]:
        """Who sits on a day of this panel."""
        return set().union(*(self.days[day] for day in set(spec.dates)))

    def capped(self, load_cap: int) -> set[str]:
        return {e for e, n in self.loads.items() if load_cap and n >= load_cap}


def _by_day(panels: Sequence[PanelSpec], result: Result) -> _Held:
    days: dict[str, set[str]] = {day: set() for spec in panels for day in spec.dates}
    loads: Counter[str] = Counter()
    dates = {spec.id: set(spec.dates) for spec in panels}
    for panel in result.panels:
        people = [seat.expert for seat in panel.seats]
        loads.update(people)
        for day in dates[panel.id]:
            days[day].update(people)
    return _Held(days, loads)
