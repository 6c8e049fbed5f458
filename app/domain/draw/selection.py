"""Filling the panels from the key (docs/draw-protocol.md sections 5 to 7).

Mode G walks ascending tickets and seats everyone with whom the panel can still be completed.
Mode L takes the table row of the lot and fills each type's seats by ticket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .objects import (
    Candidate,
    Exclusion,
    PanelResult,
    PanelSpec,
    Result,
    Seat,
    Skip,
    excluded_by_panel,
    refuse,
)
from .quotas import Panel, Strata, strata_for
from .tickets import Walk, lot, lowest, panel_ticket


class Batch:
    """One run over all panels of a commitment for one key."""

    def __init__(
        self,
        panels: Sequence[PanelSpec],
        roster: Sequence[Candidate],
        exclusions: Sequence[Exclusion],
        load_cap: int,
        key: str,
        lotteries: Mapping[str, Mapping[str, Any]],
        budget: list[int] | None = None,
        shapes: dict[tuple[tuple[str, ...], ...], Strata] | None = None,
    ) -> None:
        self.panels = {p.id: p for p in panels}
        self.roster, self.load_cap, self.key, self.lotteries = roster, load_cap, key, lotteries
        self.ids = sorted(c.id.encode("ascii") for c in roster)
        self.excluded = excluded_by_panel(exclusions)
        self.shapes = {} if shapes is None else shapes
        self.budget = budget
        self.walks: dict[str, Walk] = {}

    def run(self) -> Result:
        """Panels in panel-ticket order; a panel that cannot be completed moves to the front.

        After 3 x panels restarts the batch runs once more and publishes short panels.
        """
        order = sorted(self.panels, key=lambda p: (panel_ticket(self.key, p), p))
        restarts: list[str] = []
        while True:
            last = len(restarts) >= 3 * len(order)
            loads: Counter[str] = Counter()
            capped: set[str] = set()
            dates: dict[str, set[str]] = {}
            done: dict[str, PanelResult] = {}
            for panel_id in order:
                drawn = self._draw(self.panels[panel_id], capped, dates, last)
                if drawn is None:
                    restarts.append(panel_id)
                    order.remove(panel_id)
                    order.insert(0, panel_id)
                    break
                done[panel_id] = drawn
                for seat in drawn.seats:
                    loads[seat.expert] += 1
                    if loads[seat.expert] == self.load_cap:
                        capped.add(seat.expert)
                    for date in self.panels[panel_id].dates:
                        dates.setdefault(date, set()).add(seat.expert)
            else:
                return Result(tuple(done[p] for p in sorted(done)), tuple(order), tuple(restarts))

    def _draw(
        self, spec: PanelSpec, capped: set[str], dates: dict[str, set[str]], last: bool
    ) -> PanelResult | None:
        excluded = self.excluded.get(spec.id, set())
        if spec.mode == "lottery":
            return self._draw_lottery(spec, excluded)
        clash: set[str] = set()
        for date in spec.dates:
            clash |= dates.get(date, set())
        panel = Panel(
            spec,
            strata_for(self.roster, spec, self.shapes),
            excluded | clash | capped,
            self.budget,
        )
        short = not panel.completable()
        if short and not last:
            return None
        seats: list[Seat] = []
        skips: list[Skip] = []
        if spec.id not in self.walks:
            self.walks[spec.id] = Walk(
                self.key, spec.id, 1, self.ids, excluded, expected=16 * spec.seats
            )
        for ticket, expert in self.walks[spec.id]:
            if len(seats) == spec.seats:
                break
            reason = "load_cap" if expert in capped else "date" if expert in clash else ""
            reason = reason or panel.blocked(expert)
            if not reason:
                if short:
                    panel.seat(expert)
                elif not panel.try_seat(expert):
                    reason = "completion"
            if reason:
                skips.append(Skip(expert, ticket, reason))
            else:
                seats.append(Seat(expert, ticket))
        return PanelResult(spec.id, tuple(seats), tuple(skips), short)

    def _draw_lottery(self, spec: PanelSpec, excluded: set[str]) -> PanelResult:
        table = self.lotteries[spec.id]
        drawn = lot(self.key, spec.id)
        row = row_of_lot(table, drawn)
        attributes = table["attributes"]
        members: dict[tuple[str, ...], list[str]] = {}
        for candidate in self.roster:
            if candidate.id not in excluded:
                vector = tuple(candidate.facts.get(a, "") for a in attributes)
                members.setdefault(vector, []).append(candidate.id)
        chosen: list[tuple[str, str]] = []
        for index, count in table["rows"][row][1]:
            vector = tuple(table["types"][index][2])
            chosen += lowest(self.key, spec.id, 1, members[vector], count)
        chosen.sort()
        seats = tuple(Seat(expert, ticket) for ticket, expert in chosen)
        return PanelResult(spec.id, seats, (), False, drawn, row)


def row_of_lot(table: Mapping[str, Any], drawn: int) -> int:
    """Index of the first row whose cumulative lots exceed the lot."""
    total = 0
    for index, (lots, _) in enumerate(table["rows"]):
        total += lots
        if total > drawn:
            return index
    raise refuse("抽签表的签数不足 2^40", "the lots of the table do not add up to 2^40")


def rehearse(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int,
    lotteries: Mapping[str, Mapping[str, Any]],
    keys: Sequence[str],
    budget: int = 1_000_000,
    tell: Callable[[float], None] | None = None,
) -> list[Result]:
    """Draw with drill keys before the seed; `SearchTooLong` if one key needs over `budget` nodes.

    `tell` hears how far it is, 0 to 1.
    """
    shapes: dict[tuple[tuple[str, ...], ...], Strata] = {}
    out: list[Result] = []
    for key in keys:
        out.append(
            Batch(panels, roster, exclusions, load_cap, key, lotteries, [budget], shapes).run()
        )
        if tell is not None:
            tell(len(out) / len(keys))
    return out
