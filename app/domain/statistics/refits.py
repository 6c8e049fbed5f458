"""Many REML fits at once: simulated marks on one pattern of gaps (parametric bootstrap).

The criterion of `components.py` at one pair of ratios has one factorisation for all simulated rounds,
so it is computed for all of them on one grid of pairs around the fitted one (Bates et al. 2015, eq. 39),
zero included, and the least value of each round is sharpened by parabolas on the logarithms of its
ratios. The grid's step is a quarter; what is left of it after the parabolas is far below the noise of
a bootstrap, and some hundred rounds cost what two separate fits do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS: Final = 17
REACH: Final = 6.0  # the grid ends at a sixth and at the sixfold of the fitted ratio


def refit_all(
    row: NDArray[np.intp], column: NDArray[np.intp], marks: Floats, near: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """(sd of subjects, of experts, residual sd), one each per simulated round.

    `row`, `column`: subject and expert of each mark; `marks`: marks x rounds; `near`: the fitted
    (sd_subject, sd_rater) / sd_residual, both above 0.
    """
    import numpy as np

    model = _Pattern(row, column, marks)
    steps = np.geomspace(1.0 / REACH, REACH, STEPS)
    # A subject or an expert with one mark each cannot be told from the residual: its ratio stays 0.
    first, second = (
        np.concatenate([[0.0], centre * steps]) if free else np.zeros(1)
        for centre, free in zip(near, model.free, strict=True)
    )
    table = np.array([[model.criterion(a, b)[0] for b in second] for a in first])
    rounds = table.shape[2]
    best = table.reshape(-1, rounds).argmin(axis=0)
    i, j = best // len(second), best % len(second)
    every = np.arange(rounds)
    a = _sharpened(first, i, lambda at: table[at, j, every])
    b = _sharpened(second, j, lambda at: table[i, at, every])
    residual = np.array(
        [np.sqrt(max(model.criterion(a[n], b[n], n)[1][0], 0.0)) for n in range(rounds)]
    )
    return a * residual, b * residual, residual


def _sharpened(
    grid: Floats, at: NDArray[np.intp], of: Callable[[NDArray[np.intp]], Floats]
) -> Floats:
    """The grid's best ratios moved to the top of a parabola; those at 0 or at an end stay."""
    import numpy as np

    found: Floats = grid[at].copy()
    inner = (at > 1) & (at < len(grid) - 1)
    if not inner.any():
        return found
    left, here, right = (of(np.clip(at + shift, 0, len(grid) - 1)) for shift in (-1, 0, 1))
    bend = left - 2.0 * here + right
    move = np.where(inner & (bend > 0), 0.5 * (left - right) / np.where(bend > 0, bend, 1.0), 0.0)
    step = np.log(grid[-1] / grid[1]) / (len(grid) - 2)
    found *= np.exp(np.clip(move, -0.5, 0.5) * step)
    return found


class _Pattern:
    """The dense table of a pattern of gaps and the sums of every round on it."""

    def __init__(self, row: NDArray[np.intp], column: NDArray[np.intp], marks: Floats) -> None:
        import numpy as np

        rows, columns = int(row.max()) + 1, int(column.max()) + 1
        self.size = len(row)
        marks = marks - marks.mean(axis=0)
        counts = np.zeros((rows, columns))
        np.add.at(counts, (row, column), 1.0)
        of_rows, of_columns = np.zeros((rows, marks.shape[1])), np.zeros((columns, marks.shape[1]))
        np.add.at(of_rows, row, marks)
        np.add.at(of_columns, column, marks)
        self.free = (bool(counts.sum(axis=1).max() > 1), bool(counts.sum(axis=0).max() > 1))
        # The larger block is diagonal and is eliminated.
        self.flipped = rows < columns
        self.counts = counts.T if self.flipped else counts
        self.big_y, self.small_y = (of_columns, of_rows) if self.flipped else (of_rows, of_columns)
        self.big_n, self.small_n = self.counts.sum(axis=1), self.counts.sum(axis=0)
        self.total, self.squares = marks.sum(axis=0), (marks * marks).sum(axis=0)

    def criterion(
        self, subject: float, rater: float, only: int | None = None
    ) -> tuple[Floats, Floats]:
        """(criterion, residual variance) at one pair of ratios, of all rounds or of one."""
        import numpy as np

        chosen = slice(None) if only is None else slice(only, only + 1)
        big, small = (rater, subject) if self.flipped else (subject, rater)
        diagonal = big * big * self.big_n + 1.0
        scaled = self.counts * (big * small / diagonal)[:, None]
        schur = -(big * small) * (self.counts.T @ scaled)
        schur[np.diag_indices_from(schur)] += small * small * self.small_n + 1.0
        right_big = big * np.column_stack([self.big_n, self.big_y[:, chosen]])
        right_small = small * np.column_stack([self.small_n, self.small_y[:, chosen]])
        solved_small = np.linalg.solve(schur, right_small - scaled.T @ right_big)
        solved_big = right_big / diagonal[:, None] - scaled @ solved_small
        cross = right_big[:, 0] @ solved_big + right_small[:, 0] @ solved_small
        own = (right_big * solved_big).sum(axis=0) + (right_small * solved_small).sum(axis=0)
        ones = self.size - float(cross[0])
        slope = self.total[chosen] - cross[1:]
        rest = np.maximum(self.squares[chosen] - own[1:] - slope * slope / ones, 1e-300)
        log_det = float(np.log(diagonal).sum() + np.linalg.slogdet(schur)[1])
        value: Floats = log_det + float(np.log(ones)) + (self.size - 1) * np.log(rest)
        return value, rest / (self.size - 1)
