"""Who meets whom in a fair lottery: another mix of whole panels with the same chances.

Leximin fixes each person's chance, not who is drawn together. Where two people of small types meet
much more, or much less, often than independence says, the table is rebuilt here: of all mixes of
whole panels that give everybody the same chance, one in which the pairs that stand out most do so
as little as possible (docs/draw-protocol.md section 7). Column generation; nothing of it is trusted:
lottery.py holds the new table against the rules, the certificate and the old chances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, hstack, vstack

from .leximin import TIGHT, Array, Members, Panel, matrix_of

Pair = tuple[int, int]
ROUNDS = 400
LISTED = 20  # pairs that are looked at in one go
STEP = 0.5  # seconds for one integer program


def lifts(shares: Mapping[Panel, float], sizes: Sequence[int], small: Sequence[int]) -> Array:
    """|joint chance of one member of each - product of their chances|, a matrix over `small`."""
    columns = np.array(list(shares), dtype=float)[:, small] / np.array(sizes, dtype=float)[small]
    weight = np.array(list(shares.values()))
    weight = weight / weight.sum()
    chance = weight @ columns
    out: Array = np.abs((columns * weight[:, None]).T @ columns - np.outer(chance, chance))
    np.fill_diagonal(out, 0.0)
    return out


def spread(
    shares: Mapping[Panel, float],
    sizes: Sequence[int],
    members: Members,
    bounds: Sequence[tuple[int, int]],
    seats: int,
    small: Sequence[int],
    enough: float,
    left: Callable[[], float],
) -> dict[Panel, float]:
    """Shares of whole panels with the mean of `shares` and the least blame that was found.

    The blame is the largest lift of all plus what each has above `enough`: a pair that can never
    sit together keeps its lift, and must not stand in the way of the others. Ends when no lift of two types of `small` is above `enough`, when no panel helps, or when
    `left()`, in seconds, is used up; the best mix met on the way, at worst `shares` itself.
    """
    small = list(small)
    best = dict(shares)
    weight = np.array(list(shares.values()))
    target: Array = (weight / weight.sum()) @ np.array(list(shares), dtype=float)
    panels: dict[Panel, None] = dict.fromkeys(shares)
    if lifts(shares, sizes, small).max(initial=0.0) <= enough:
        return best
    order = [(small[i], small[j]) for i, j in combinations(range(len(small)), 2)]

    def outstanding(mix: Mapping[Panel, float]) -> tuple[float, list[Pair]]:
        flat = lifts(mix, sizes, small)[np.triu_indices(len(small), 1)]
        first = np.argsort(-flat, kind="stable")[:LISTED]
        blame = float(flat.max() + np.maximum(flat - enough, 0).sum())
        return blame, [order[k] for k in first if flat[k] > enough]

    lowest, pairs = outstanding(best)
    listed = dict.fromkeys(pairs)
    pricing = _Pricing(sizes, members, bounds, seats, list(listed))
    for _ in range(ROUNDS):
        solved = _mix(list(panels), target, sizes, list(listed), enough)
        if solved is None:
            break
        mixed, prices, offset, pair_prices = solved
        now, pairs = outstanding(mixed)
        if now < lowest:
            best, lowest = mixed, now
        if not pairs or left() <= 0:
            break
        if not listed.keys() >= set(pairs):  # what was pressed down has come up elsewhere
            listed.update(dict.fromkeys(pairs))
            pricing = _Pricing(sizes, members, bounds, seats, list(listed))
            continue
        panel = pricing.helpful(prices, pair_prices, offset, left)
        if panel is None or panel in panels:
            break
        panels[panel] = None
    return best


def _mix(
    columns: Sequence[Panel],
    target: Array,
    sizes: Sequence[int],
    pairs: Sequence[Pair],
    enough: float,
) -> tuple[dict[Panel, float], Array, float, Array] | None:
    """The mix of `columns` of mean `target` of least blame over `pairs`, and its prices."""
    table = np.array(columns, dtype=float)
    size = np.array(sizes, dtype=float)
    chance = target / size
    left, right = [p[0] for p in pairs], [p[1] for p in pairs]
    joint = (table[:, left] / size[left]) * (table[:, right] / size[right])
    alone = chance[left] * chance[right]
    k, m = len(columns), len(pairs)
    a_eq = np.hstack([np.vstack([table.T, np.ones((1, k))]), np.zeros((len(sizes) + 1, 1 + m))])
    most = np.hstack([-np.ones((m, 1)), np.zeros((m, m))])  # the largest lift of all
    excess = np.hstack([np.zeros((m, 1)), -np.eye(m)])  # what each has above `enough`
    a_ub = np.vstack(
        [np.hstack([sign * joint.T, part]) for part in (most, excess) for sign in (1, -1)]
    )
    b_ub = np.concatenate([alone, -alone, alone + enough, -alone + enough])
    done = linprog(
        np.append(np.zeros(k), np.ones(1 + m)), csr_matrix(a_ub), b_ub, csr_matrix(a_eq),
        np.append(target, 1.0), method="highs", options=TIGHT,
    )  # fmt: skip
    if done.x is None:
        return None
    mix = {p: float(s) for p, s in zip(columns, done.x[:k], strict=True) if s > 1e-13}
    duals = done.ineqlin.marginals
    equal = done.eqlin.marginals
    prices = duals[:m] - duals[m : 2 * m] + duals[2 * m : 3 * m] - duals[3 * m :]
    return mix, equal[: len(sizes)], float(equal[len(sizes)]), prices


class _Pricing:
    """The integer program for the panel that helps most: counts, and products of counts of a pair.

    A small type is split into units (first, second, ... member drawn); a product of two counts is
    the number of pairs of units that are both in.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        members: Members,
        bounds: Sequence[tuple[int, int]],
        seats: int,
        pairs: Sequence[Pair],
    ) -> None:
        self.sizes, self.pairs, self.n = sizes, pairs, len(sizes)
        used = sorted({t for pair in pairs for t in pair})
        unit: dict[tuple[int, int], int] = {}  # type, member -> column
        for t in used:
            for u in range(min(sizes[t], seats)):
                unit[t, u] = self.n + len(unit)
        first = self.n + len(unit)
        products = [
            (k, unit[i, u], unit[j, v])
            for k, (i, j) in enumerate(pairs)
            for u in range(min(sizes[i], seats))
            for v in range(min(sizes[j], seats))
        ]
        self.product_of = [k for k, _, _ in products]
        self.width = first + len(products)
        base = np.vstack([matrix_of(members, self.n), np.ones((1, self.n))])
        low = [float(b[0]) for b in bounds] + [float(seats)]
        high = [float(b[1]) for b in bounds] + [float(seats)]
        more: list[tuple[int, int, float]] = []  # row below the base, column, coefficient
        for row, t in enumerate(used):  # a count is the sum of its units
            more.append((row, t, 1.0))
            more += [(row, unit[t, u], -1.0) for u in range(min(sizes[t], seats))]
        low += [0.0] * len(used)
        high += [0.0] * len(used)
        row = len(used)
        for e, (_, a, b) in enumerate(products, first):  # a product is 1 iff both units are
            more += [(row, e, 1.0), (row, a, -1.0), (row + 1, e, 1.0), (row + 1, b, -1.0)]
            more += [(row + 2, e, 1.0), (row + 2, a, -1.0), (row + 2, b, -1.0)]
            low += [-np.inf, -np.inf, -1.0]
            high += [0.0, 0.0, np.inf]
            row += 3
        at, column, value = zip(*more, strict=True)
        rows = vstack(
            [
                hstack([csr_matrix(base), csr_matrix((len(base), self.width - self.n))]),
                csr_matrix((value, (at, column)), shape=(row, self.width)),
            ],
            format="csr",
        )
        self.rows = LinearConstraint(rows, np.array(low), np.array(high))
        top = np.ones(self.width)
        top[: self.n] = sizes
        self.box = Bounds(np.zeros(self.width), top)

    def helpful(
        self, prices: Array, pair_prices: Array, offset: float, left: Callable[[], float]
    ) -> Panel | None:
        """A panel that brings the lifts down, or None if there is none, or none in time."""
        gain = np.zeros(self.width)
        gain[: self.n] = prices
        for e, k in enumerate(self.product_of):
            i, j = self.pairs[k]
            gain[self.width - len(self.product_of) + e] = pair_prices[k] / (
                self.sizes[i] * self.sizes[j]
            )
        # Any panel that helps will do, and nobody relies on the answer that none does.
        for gap in (0.2, 0.01):
            done = milp(
                -gain, constraints=self.rows, bounds=self.box, integrality=np.ones(self.width),
                options={"mip_rel_gap": gap, "time_limit": max(0.1, min(STEP, left()))},
            )  # fmt: skip
            if done.x is None:
                return None
            panel = tuple(int(v) for v in np.round(done.x[: self.n]))
            met = [panel[i] * panel[j] / (self.sizes[i] * self.sizes[j]) for i, j in self.pairs]
            worth = float(prices @ np.array(panel, dtype=float) + pair_prices @ np.array(met))
            if worth + offset > 1e-9:
                return panel
        return None
