"""Who must sit: people without whom a panel cannot be formed, by arithmetic and not by rehearsal.

A quota corner can force a named person in although every stratum looks wide (docs/draw-protocol.md
section 8): the only one of a value with a minimum, or the only one who fits two minima at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .objects import Candidate, Exclusion, PanelSpec, excluded_by_panel
from .quotas import Panel, SearchTooLong, Strata, strata_for

Shapes = dict[tuple[tuple[str, ...], ...], Strata]


def forced(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    budget: int = 1_000_000,
) -> dict[str, list[str]]:
    """Panel id -> those who sit on every full panel, sorted; panels without any are left out.

    Each panel by itself: load cap and shared dates can only force more. A panel that cannot be formed
    forces nobody, and one whose search needs more than `budget` nodes is left to the rehearsal, which
    refuses it.
    """
    out = excluded_by_panel(exclusions)
    ids = sorted(c.id for c in roster)
    shapes: Shapes = {}
    found: dict[str, list[str]] = {}
    for spec in panels:
        try:
            must = _of_panel(
                spec, strata_for(roster, spec, shapes), out.get(spec.id, set()), ids, budget
            )
        except SearchTooLong:
            continue
        if must:
            found[spec.id] = must
    return found


def _of_panel(
    spec: PanelSpec, strata: Strata, gone: set[str], ids: Sequence[str], budget: int
) -> list[str]:
    """Who is on every full panel is on these two; the few on both are left out one by one."""
    nodes = [budget]
    one = _filled(spec, strata, gone, ids, nodes)
    both = one & _filled(spec, strata, gone, reversed(ids), nodes) if one else one
    return sorted(who for who in both if not Panel(spec, strata, gone | {who}, nodes).completable())


def _filled(
    spec: PanelSpec, strata: Strata, gone: set[str], ids: Iterable[str], nodes: list[int]
) -> set[str]:
    """The full panel of those who come first in `ids`; empty if there is none."""
    panel, members = Panel(spec, strata, gone, nodes), set[str]()
    if not panel.completable():
        return members
    for who in ids:
        if len(members) == spec.seats:
            break
        if who not in gone and not panel.blocked(who) and panel.try_seat(who):
            members.add(who)
    return members
