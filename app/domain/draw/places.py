"""How many seats a pool can fill in a batch: people times the panels that each of them can attend.

Nobody attends two panels of one day, nor more panels than the load cap (docs/draw-protocol.md
section 8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .objects import Candidate, Exclusion, PanelSpec


class Places:
    """The places of one request; a batch asks for those of its seats, rows and days."""

    def __init__(
        self,
        panels: Sequence[PanelSpec],
        roster: Sequence[Candidate],
        exclusions: Sequence[Exclusion],
    ) -> None:
        self.roster = roster
        out: dict[str, set[str]] = {}
        for row in exclusions:
            out.setdefault(row.expert, set()).add(row.panel)
        self.gone = {expert: frozenset(ids) for expert, ids in out.items()}

    def of(
        self, panels: Sequence[PanelSpec], most: int, attribute: str = "", value: str = ""
    ) -> int:
        """Sum over people, or over those of a value, of the panels that each can attend, at most `most`."""
        by_end = sorted(panels, key=lambda p: (max(p.dates, default=""), p.id))
        known: dict[frozenset[str], int] = {}
        total = 0
        for person in self.roster:
            if attribute and person.facts.get(attribute) != value:
                continue
            gone = self.gone.get(person.id, frozenset())
            if gone not in known:
                known[gone] = _attends(by_end, gone, most)
            total += known[gone]
        return total

    def people(self, panels: Sequence[PanelSpec]) -> int:
        """How many may sit on at least one of these panels."""
        return self.of(panels, 1)


def _attends(by_end: Sequence[PanelSpec], gone: frozenset[str], most: int) -> int:
    """The most panels without a shared date, taken by their last day: exact for panels that sit on
    consecutive days."""
    taken, busy = 0, set[str]()
    for panel in by_end:
        if taken == most:
            break
        if panel.id not in gone and busy.isdisjoint(panel.dates):
            busy.update(panel.dates)
            taken += 1
    return taken


def barred(
    panels: Sequence[PanelSpec], roster: Sequence[Candidate], out: Mapping[str, set[str]]
) -> list[str]:
    """Who may sit somewhere by the rules, but has a value with maximum 0 in each such panel."""
    closed = [
        (p.id, [(a, v) for a in p.quotas for v, (_, high) in p.quotas[a].items() if high == 0])
        for p in panels
    ]
    closed.sort(key=lambda row: len(row[1]))  # most people are told by the first panel that is open
    found = []
    for person in roster:
        somewhere = False
        for panel, rows in closed:
            if person.id in out.get(panel, ()):
                continue
            somewhere = True
            if not any(person.facts.get(a) == v for a, v in rows):
                break
        else:
            if somewhere:
                found.append(person.id)
    return found
