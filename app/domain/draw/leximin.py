"""The linear programs of the fair lottery: leximin over types, and its mix of whole panels.

Variables are chances p_t of one member of type t; a panel holds size_t * p_t of them on average.
scipy's HiGHS does the arithmetic; nothing here is trusted by a reader of a transcript, who checks
the committed certificate instead (lottery.py, app/verify.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix

Array = NDArray[np.float64]
Members = Sequence[Sequence[int]]
Panel = tuple[int, ...]
Left = Callable[[], float]  # seconds that are left
Tell = Callable[[float], None]  # hears how far it is, 0 to 1
PRICES = (2.0**4, 2.0**8, 2.0**12, 2.0**16)  # of giving way by 1, in chances of the level
GIVEN = 1e-10  # of a settled chance; the certificate leaves room for 2^-30
TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


class OutOfTime(Exception):
    """The time that a lottery may take is used up."""


def _rest(left: Left) -> float:
    """Seconds for the next step; OutOfTime if there are none."""
    seconds = left()
    if seconds <= 0:
        raise OutOfTime
    return seconds


def matrix_of(members: Members, width: int, sizes: Sequence[int] | None = None) -> Array:
    matrix = np.zeros((len(members), width))
    for row, types in enumerate(members):
        for t in types:
            matrix[row, t] = 1 if sizes is None else sizes[t]
    return matrix


def leximin(
    sizes: Sequence[int],
    members: Members,
    bounds: Sequence[tuple[int, int]],
    seats: int,
    left: Left,
    tell: Tell,
) -> tuple[Array, list[dict[str, Any]]] | None:
    """(expected counts per type, certificate levels), or None if the polytope is empty.

    Each level raises the smallest chance among the types not yet settled; those whose constraint has
    a positive dual cannot do better and are settled. The duals, scaled to integers, are the
    certificate of the level.
    """
    n = len(sizes)
    quota = matrix_of(members, n, sizes)
    low = np.array([b[0] for b in bounds], dtype=float)
    high = np.array([b[1] for b in bounds], dtype=float)
    settled: dict[int, float] = {}
    levels: list[dict[str, Any]] = []
    chances = np.zeros(n)
    while len(settled) < n:
        tell(len(settled) / n)
        free = [t for t in range(n) if t not in settled]
        above = np.zeros((len(free), n + 1))
        above[np.arange(len(free)), free] = -1
        above[:, n] = 1
        zero = np.zeros((len(members), 1))
        a_ub = np.vstack([above, np.hstack([quota, zero]), np.hstack([-quota, zero])])
        b_ub = np.concatenate([np.zeros(len(free)), high, -low])
        a_eq = np.append(np.array(sizes, dtype=float), 0.0).reshape(1, -1)
        objective = np.zeros(n + 1)
        objective[n] = -1
        box = [(max(0.0, settled.get(t, 0.0) - 1e-12), 1.0) for t in range(n)] + [(0.0, 1.0)]
        done = linprog(
            objective, csr_matrix(a_ub), b_ub, csr_matrix(a_eq), [float(seats)], box,
            method="highs", options={**TIGHT, "time_limit": _rest(left)},
        )  # fmt: skip
        if done.status == 1:
            raise OutOfTime
        if done.status == 2 and not levels:
            return None
        if done.x is None:
            # Later levels cannot be empty: the point of the level before lies in them. But they are
            # thin (many settled chances meet in one quota row), and the solver may not see that.
            raised = _elastic(a_ub, b_ub, a_eq, float(seats), objective, settled, left)
            if raised is None:
                break
            point, duals, price, held = raised
        else:
            point, duals, price = done.x, -done.ineqlin.marginals, -float(done.eqlin.marginals[0])
            held = {t: float(done.lower.marginals[t]) for t in settled}
        chances, z = point[:n], float(point[n])
        weights = duals[: len(free)]
        rows = duals[len(free) : len(free) + len(members)] - duals[len(free) + len(members) :]
        levels.append(
            _level(
                {t: w for t, w in zip(free, weights, strict=True) if w > 1e-9},
                held,
                list(rows),
                price,
                sorted(settled),
            )
        )
        blocking = [t for t, w in zip(free, weights, strict=True) if w > 1e-9]
        for t in blocking:
            settled[t] = z
        if not blocking:
            break
        if z >= 1 - 1e-12:
            break
    return np.array(sizes) * chances, levels


def _elastic(
    a_ub: Array,
    b_ub: Array,
    a_eq: Array,
    seats: float,
    objective: Array,
    settled: Mapping[int, float],
    left: Left,
) -> tuple[Array, Array, float, dict[int, float]] | None:
    """A level whose settled chances may give way at a price: (point, duals of `a_ub`, dual of the seats,
    duals of the settled types), or None if they still give way at the highest price.

    One more column s >= 0, chance_t + s >= settled_t, and z - price * s is raised. That program has
    a point whatever the rounding. From a price on (the sum of the settled types' duals) its optimum
    has s = 0 and is that of the level (exact penalty), so the duals prove what those of the level would.
    """
    n = a_ub.shape[1] - 1
    held = sorted(settled)
    give = np.zeros((len(held), n + 2))
    give[np.arange(len(held)), held] = -1
    give[:, n + 1] = -1
    rows = csr_matrix(np.vstack([np.hstack([a_ub, np.zeros((len(a_ub), 1))]), give]))
    limits = np.concatenate([b_ub, [-settled[t] for t in held]])
    for price in PRICES:
        done = linprog(
            np.append(objective, price), rows, limits, csr_matrix(np.append(a_eq, 0.0)), [seats],
            [(0.0, 1.0)] * (n + 2), method="highs",
            options={**TIGHT, "time_limit": _rest(left)},
        )  # fmt: skip
        if done.status == 1:
            raise OutOfTime
        if done.x is not None and done.x[n + 1] <= GIVEN:
            duals = -done.ineqlin.marginals
            own = dict(zip(held, map(float, duals[len(a_ub) :]), strict=True))
            return done.x[: n + 1], duals[: len(a_ub)], -float(done.eqlin.marginals[0]), own
    return None


def _level(
    free: Mapping[int, float],
    settled: Mapping[int, float],
    rows: Sequence[float],
    seats: float,
    before: list[int],
) -> dict[str, Any]:
    """Scale the duals by one power of two to integers below 2^52, exact in canonical JSON."""
    largest = max([*free.values(), *settled.values(), *map(abs, rows), abs(seats), 1e-9])
    scale = 2.0 ** (51 - math.ceil(math.log2(largest)))

    def whole(values: Mapping[int, float]) -> list[list[int]]:
        scaled = [[t, round(v * scale)] for t, v in sorted(values.items())]
        return [pair for pair in scaled if pair[1]]

    return {
        "before": before,
        "free": whole(free),
        "rows": whole(dict(enumerate(rows))),
        "seats": round(seats * scale),
        "settled": whole({t: max(0.0, v) for t, v in settled.items()}),
    }


def _whole_panel(
    gain: Array, a: csr_matrix, low: Array, high: Array, box: Bounds, left: Left
) -> Array | None:
    """The integer panel of greatest gain within rows and box, or None."""
    done = milp(
        -gain,
        constraints=LinearConstraint(a, low, high),
        bounds=box,
        integrality=np.ones(len(gain)),
        options={"mip_rel_gap": 0.0, "time_limit": _rest(left)},
    )
    if done.status == 1:
        raise OutOfTime
    return None if done.x is None else np.round(done.x)


def decompose(
    target: Array,
    sizes: Sequence[int],
    members: Members,
    bounds: Sequence[tuple[int, int]],
    seats: int,
    left: Left,
    tell: Tell,
) -> dict[Panel, float] | None:
    """Whole panels and shares whose mean is `target` to 1e-11, or None if no such mix was found.

    First a walk: take a panel between the floors and ceilings of the remaining point and of every
    row sum, and step away from it until another bound is met. Then column generation for the rest.
    """
    n = len(sizes)
    rows = np.vstack([matrix_of(members, n), np.ones((1, n))])
    matrix = csr_matrix(rows)
    low = np.array([b[0] for b in bounds] + [seats], dtype=float)
    high = np.array([b[1] for b in bounds] + [seats], dtype=float)
    top = np.array(sizes, dtype=float)
    point = target.copy()
    panels: dict[Panel, None] = {}
    remaining = 1.0  # of the target that is not yet written as whole panels
    for _ in range(2 * (n + len(rows)) + 10):
        tell(1 - remaining)
        # The point drifts by rounding as it walks: without these limits its last steps have
        # offered a panel of one seat too many.
        floor, ceil = _whole_box(point, np.zeros(n), top)
        row_floor, row_ceil = _whole_box(rows @ point, low, high)
        fraction = point - floor
        # Near-certain members first: they limit the step the least.
        panel = _whole_panel(
            np.where(ceil > floor, fraction - 0.5 + 1e-3, 0.0), matrix, row_floor, row_ceil,
            Bounds(floor, ceil), left,
        )  # fmt: skip
        if panel is None:
            break
        panels[tuple(int(v) for v in panel)] = None
        step = 1.0
        for value, lower, upper, drawn in (
            (point, floor, ceil, panel),
            (rows @ point, row_floor, row_ceil, rows @ panel),
        ):
            loose = upper > lower
            rise = np.where(drawn > lower, value - lower, upper - value)[loose]
            if rise.size:
                step = min(step, float(rise.min()))
        if step >= 1 - 1e-9:
            break
        point = (point - step * panel) / (1 - step)
        remaining *= 1 - step
    box = Bounds(np.zeros(n), top)
    for _ in range(4 * n + 50):
        columns = list(panels)
        if not columns:
            first = _whole_panel(target, matrix, low, high, box, left)
            if first is None:
                return None
            panels[tuple(int(v) for v in first)] = None
            continue
        shares, error, prices, offset = _mix(columns, target)
        if error < 1e-11:
            return {p: s for p, s in zip(columns, shares, strict=True) if s > 0}
        best = _whole_panel(prices, matrix, low, high, box, left)
        if best is None:
            return None
        key = tuple(int(v) for v in best)
        if key in panels or float(prices @ best) <= offset + 1e-10:
            # No whole panel brings the mix nearer: the target is outside the hull of whole panels.
            return (
                {p: s for p, s in zip(columns, shares, strict=True) if s > 0}
                if error < 1e-9
                else None
            )
        panels[key] = None
    return None


def _whole_box(values: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The whole numbers around each value, never outside `low` and `high`."""
    near = np.round(values)
    whole = np.abs(values - near) < 1e-9
    floor = np.where(whole, near, np.floor(values))
    ceil = np.where(whole, near, np.ceil(values))
    return np.clip(floor, low, high), np.clip(ceil, low, high)


def _mix(columns: Sequence[Panel], target: Array) -> tuple[Array, float, Array, float]:
    """Shares of least total deviation from `target`: (shares, deviation, prices per type, offset)."""
    n, k = len(target), len(columns)
    a_eq = np.zeros((n + 1, k + 2 * n))
    a_eq[:n, :k] = np.array(columns, dtype=float).T
    a_eq[:n, k : k + n] = np.eye(n)
    a_eq[:n, k + n :] = -np.eye(n)
    a_eq[n, :k] = 1
    objective = np.concatenate([np.zeros(k), np.ones(2 * n)])
    done = linprog(
        objective, A_eq=csr_matrix(a_eq), b_eq=np.append(target, 1.0), method="highs", options=TIGHT
    )
    # Reduced cost of a panel P is 0 - (y.P + offset): it helps when y.P > -offset.
    return done.x[:k], float(done.fun), done.eqlin.marginals[:n], -float(done.eqlin.marginals[n])


def hull_leximin(
    sizes: Sequence[int],
    members: Members,
    bounds: Sequence[tuple[int, int]],
    seats: int,
    left: Left,
    tell: Tell,
) -> dict[Panel, float] | None:
    """Leximin over mixes of whole panels by column generation; None if there is no panel at all."""
    n = len(sizes)
    matrix = csr_matrix(np.vstack([matrix_of(members, n), np.ones((1, n))]))
    low = np.array([b[0] for b in bounds] + [seats], dtype=float)
    high = np.array([b[1] for b in bounds] + [seats], dtype=float)
    box = Bounds(np.zeros(n), np.array(sizes, dtype=float))
    size = np.array(sizes, dtype=float)
    first = _whole_panel(np.ones(n), matrix, low, high, box, left)
    if first is None:
        return None
    panels: dict[Panel, None] = {tuple(int(v) for v in first): None}
    settled: dict[int, float] = {}
    shares: Array = np.ones(1)
    while len(settled) < n:
        tell(len(settled) / n)
        free = [t for t in range(n) if t not in settled]
        while True:
            columns = list(panels)
            k = len(columns)
            chance = np.array(columns, dtype=float).T / size[:, None]
            a_ub = np.hstack([-chance, np.zeros((n, 1))])
            a_ub[free, k] = 1
            b_ub = np.array(
                [-(settled.get(t, 0.0) - 1e-11) if t in settled else 0.0 for t in range(n)]
            )
            objective = np.zeros(k + 1)
            objective[k] = -1
            done = linprog(
                objective, a_ub, b_ub, [[1.0] * k + [0.0]], [1.0], method="highs", options=TIGHT
            )
            if done.x is None:
                return {p: float(s) for p, s in zip(columns, shares, strict=False) if s > 0}
            weights = -done.ineqlin.marginals
            best = _whole_panel(weights / size, matrix, low, high, box, left)
            worth = -float(done.eqlin.marginals[0])
            if best is None or float(weights / size @ best) <= worth + 1e-9:
                break
            key = tuple(int(v) for v in best)
            if key in panels:
                break
            panels[key] = None
        shares = done.x[:k]
        blocking = [t for t in free if weights[t] > 1e-9]
        if not blocking:
            break
        for t in blocking:
            settled[t] = float(done.x[k])
    return {p: float(s) for p, s in zip(panels, shares, strict=False) if s > 0}
