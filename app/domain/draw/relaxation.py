"""What stands in the way of an infeasible request, in words (docs/draw-protocol.md section 6).

Only quota bounds move, never seats, exclusions or pair rules. Fewest changed bounds first, then
fewest seats, then the order of attribute and value; the fewest-seats alternative is named as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.types import Text

from .objects import Candidate, Exclusion, PanelSpec, excluded_by_panel
from .quotas import Panel, Strata, strata_for

Basis = Literal["fewest bounds", "fewest seats", "none"]


@dataclass(frozen=True, slots=True)
class BoundChange:
    attribute: str
    value: str
    bound: Literal["min", "max"]
    old: int
    new: int

    @property
    def text(self) -> Text:
        return Text("“{a} = {v}”的{b} {o} 改为 {n}", "{b} of {a} = {v} from {o} to {n}").format(
            a=self.attribute,
            v=self.value,
            b=Text("下限", "minimum") if self.bound == "min" else Text("上限", "maximum"),
            o=self.old,
            n=self.new,
        )


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One way to make a panel possible; no changes means that no change of quotas can help."""

    panel: str
    changes: tuple[BoundChange, ...]
    basis: Basis
    eligible: int

    @property
    def seats_moved(self) -> int:
        return sum(abs(c.new - c.old) for c in self.changes)

    @property
    def text(self) -> Text:
        """The relaxation as one sentence."""
        if not self.changes:
            return Text(
                "评审组“{p}”无法组成：可抽专家仅 {n} 人，或同值人数限制过严，调整名额无济于事",
                "panel '{p}' cannot be formed: {n} eligible people, or pair limits too strict; "
                "no change of quotas helps",
            ).format(p=self.panel, n=self.eligible)
        return Text(
            "评审组“{p}”无法组成；可将" + "，".join(c.text.zh for c in self.changes),
            "panel '{p}' cannot be formed; possible with the " + ", the ".join(c.text.en for c in self.changes),
        ).format(p=self.panel)  # fmt: skip


def check_feasible(
    panels: Sequence[PanelSpec], roster: Sequence[Candidate], exclusions: Sequence[Exclusion]
) -> list[Relaxation]:
    """[] if every panel by itself can be formed; else its smallest relaxations, at most 20 per basis.

    Load caps and shared dates join panels together: those the rehearsal of a commitment checks.
    """
    out = excluded_by_panel(exclusions)
    shapes: dict[tuple[tuple[str, ...], ...], Strata] = {}
    found: list[Relaxation] = []
    for spec in panels:
        gone = out.get(spec.id, set())
        panel = Panel(spec, strata_for(roster, spec, shapes), gone)
        if not panel.completable():
            found += relax(spec, [c for c in roster if c.id not in gone])
    return found


def relax(spec: PanelSpec, eligible: Sequence[Candidate], most: int = 20) -> list[Relaxation]:
    """Smallest relaxations of one infeasible panel: all with fewest bounds, then one with fewest seats."""
    rows = [(a, v, *spec.quotas[a][v]) for a in sorted(spec.quotas) for v in sorted(spec.quotas[a])]
    attributes = sorted(set(spec.quotas) | set(spec.pair_limits))
    classes = Counter(tuple(c.facts.get(a, "") for a in attributes) for c in eligible)
    problem = _Problem(spec, rows, attributes, classes)
    best: list[Relaxation] = []
    banned: list[tuple[int, ...]] = []
    target: float | None = None
    while len(best) < most:
        solved = problem.solve(by_bounds=True, banned=banned, at_most=target)
        if solved is None:
            break
        changes, chosen, value = solved
        target = value
        banned.append(chosen)
        best.append(Relaxation(spec.id, changes, "fewest bounds", len(eligible)))
    if not best:
        return [Relaxation(spec.id, (), "none", len(eligible))]
    best.sort(key=lambda r: [(c.attribute, c.value, c.bound) for c in r.changes])
    fewest = problem.solve(by_bounds=False, banned=[], at_most=None)
    if fewest is not None:
        other = Relaxation(spec.id, fewest[0], "fewest seats", len(eligible))
        if other.seats_moved < best[0].seats_moved:
            best.append(other)
    return best


class _Problem:
    """The integer program: counts per class, one lowering or raising per bound, one switch each."""

    def __init__(
        self,
        spec: PanelSpec,
        rows: Sequence[tuple[str, str, int, int]],
        attributes: Sequence[str],
        classes: Counter[tuple[str, ...]],
    ) -> None:
        import numpy as np
        from scipy.sparse import lil_matrix

        self.rows, self.vectors = rows, sorted(classes)
        n, r = len(self.vectors), len(rows)
        self.n, self.r = n, r
        self.width = n + 4 * r  # counts, lowered minima, raised maxima, their switches
        place = {a: i for i, a in enumerate(attributes)}
        pairs = [
            (a, v, limit)
            for a, limit in sorted(spec.pair_limits.items())
            for v in sorted({x[place[a]] for x in self.vectors} - {""})
        ]
        matrix = lil_matrix((1 + 4 * r + len(pairs), self.width))
        low = np.full(matrix.shape[0], -np.inf)
        high = np.full(matrix.shape[0], np.inf)
        matrix[0, :n] = 1
        low[0] = high[0] = spec.seats
        members: dict[tuple[str, str], list[int]] = {}
        for t, vector in enumerate(self.vectors):
            for a in attributes:
                members.setdefault((a, vector[place[a]]), []).append(t)
        for i, (a, v, minimum, maximum) in enumerate(rows):
            for t in members.get((a, v), []):
                matrix[1 + 4 * i, t] = matrix[2 + 4 * i, t] = 1
            matrix[1 + 4 * i, n + i] = 1
            low[1 + 4 * i] = minimum
            matrix[2 + 4 * i, n + r + i] = -1
            high[2 + 4 * i] = maximum
            for side in (0, 1):
                matrix[3 + side + 4 * i, n + side * r + i] = 1
                matrix[3 + side + 4 * i, n + (2 + side) * r + i] = -max(spec.seats, minimum)
                high[3 + side + 4 * i] = 0
        for j, (a, v, limit) in enumerate(pairs):
            for t in members[a, v]:
                matrix[1 + 4 * r + j, t] = 1
            high[1 + 4 * r + j] = limit
        self.matrix, self.low, self.high = matrix.tocsr(), low, high
        self.upper = np.array(
            [classes[v] for v in self.vectors]
            + [row[2] for row in rows]
            + [max(0, spec.seats - row[3]) for row in rows]
            + [1] * (2 * r),
            dtype=float,
        )
        self.big = 2 * r * (spec.seats + max([row[2] for row in rows], default=0)) + 1

    def solve(
        self, *, by_bounds: bool, banned: Sequence[tuple[int, ...]], at_most: float | None
    ) -> tuple[tuple[BoundChange, ...], tuple[int, ...], float] | None:
        """(changes, switches, objective) of an optimum outside the banned sets, or None."""
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp

        n, r = self.n, self.r
        cost = np.zeros(self.width)
        cost[n : n + 2 * r] = 1 if by_bounds else self.big
        cost[n + 2 * r :] = self.big if by_bounds else 1
        constraints = [LinearConstraint(self.matrix, self.low, self.high)]
        for chosen in banned:
            cut = np.zeros((1, self.width))
            cut[0, list(chosen)] = 1
            constraints.append(LinearConstraint(cut, -np.inf, len(chosen) - 1))
        if at_most is not None:
            constraints.append(LinearConstraint(cost.reshape(1, -1), -np.inf, at_most + 0.5))
        done = milp(
            cost,
            constraints=constraints,
            bounds=Bounds(np.zeros(self.width), self.upper),
            integrality=np.ones(self.width),
            options={"mip_rel_gap": 0.0},
        )
        if done.x is None:
            return None
        x = [round(v) for v in done.x]
        changes: list[BoundChange] = []
        switches: list[int] = []
        for i, (a, v, minimum, maximum) in enumerate(self.rows):
            if x[n + i]:
                changes.append(BoundChange(a, v, "min", minimum, minimum - x[n + i]))
                switches.append(n + 2 * r + i)
            if x[n + r + i]:
                changes.append(BoundChange(a, v, "max", maximum, maximum + x[n + r + i]))
                switches.append(n + 3 * r + i)
        return tuple(changes), tuple(switches), float(round(done.fun))
