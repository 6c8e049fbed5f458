"""Least squares fit of mark = subject + expert, with any pattern of gaps, for diagnostics.

Subjects are eliminated, so the system has one row an expert. Residuals come with their leverage: the
share of a mark's own error that the fit absorbs. On a graph of several islands (parts that share
neither expert nor subject) expert effects add up to zero within each island; between islands they mean
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.statistics.observed import Observed
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Additive:
    """The fit. `row`, `column`, `value`, `residual`, `leverage` run over the marks.

    `df` are residual degrees of freedom, `scale` is sqrt(residual sum of squares / df) in points.
    """

    subjects: list[str]
    raters: list[str]
    row: Positions
    column: Positions
    value: Floats
    effect: Floats
    level: Floats
    residual: Floats
    leverage: Floats
    df: int
    scale: float
    island: Positions

    @property
    def free(self) -> Floats:
        """1 - leverage: what is left of each mark's own error, never quite zero."""
        import numpy as np

        return np.maximum(1.0 - self.leverage, 0.0)

    def of(self, rater: int) -> Positions:
        """Positions of one expert's marks."""
        import numpy as np

        return np.flatnonzero(self.column == rater)

    def table(self, values: Floats) -> Floats:
        """Subjects x experts with NaN for a gap."""
        import numpy as np

        made = np.full((len(self.subjects), len(self.raters)), np.nan)
        made[self.row, self.column] = values
        return made


def positions(observed: Observed) -> tuple[list[str], list[str], Positions, Positions, Floats]:
    """(subjects, raters, row of each mark, column of each mark, value)."""
    import numpy as np

    subjects, raters = sorted(set(observed.subjects)), sorted(set(observed.raters))
    row_at = {name: index for index, name in enumerate(subjects)}
    column_at = {name: index for index, name in enumerate(raters)}
    row = np.array([row_at[name] for name in observed.subjects], dtype=np.intp)
    column = np.array([column_at[name] for name in observed.raters], dtype=np.intp)
    return subjects, raters, row, column, np.array(observed.values, dtype=float)


def fit_additive(observed: Observed) -> Additive | Text:
    """The fit, or why the marks leave no error to look at."""
    import numpy as np

    if not len(observed):
        return Text("没有评分。", "There are no marks.")
    subjects, raters, row, column, value = positions(observed)
    n, k = len(subjects), len(raters)
    counts = np.zeros((n, k))
    np.add.at(counts, (row, column), 1.0)
    row_n, column_n = counts.sum(axis=1), counts.sum(axis=0)
    island = _islands(counts)
    df = len(value) - n - k + int(island.max()) + 1
    if k < 2 or df < 1:
        return Text("重复评分太少,无法区分误差。", "Too few repeated marks to tell error apart.")
    centre = float(value.mean())
    shifted = value - centre
    mean = np.bincount(row, shifted, n) / row_n
    share = counts / row_n[:, None]
    normal = np.diag(column_n) - counts.T @ share
    # One singular direction an island: the pseudo-inverse sets each island's mean effect to zero.
    inverse = np.linalg.pinv(normal, hermitian=True, rcond=1e-10)
    effect = inverse @ (np.bincount(column, shifted, k) - counts.T @ mean)
    level = mean - share @ effect
    residual = shifted - level[row] - effect[column]
    noise = 1e-12 * max(float(np.abs(value).max()), 1.0)
    residual = np.where(np.abs(residual) <= noise, 0.0, residual)
    spread = share @ inverse
    leverage = (
        1.0 / row_n[row]
        + np.diag(inverse)[column]
        - 2.0 * spread[row, column]
        + (spread * share).sum(axis=1)[row]
    )
    scale = float(np.sqrt((residual**2).sum() / df))
    return Additive(
        subjects, raters, row, column, value, effect, level + centre, residual,
        np.clip(leverage, 0.0, 1.0), df, scale, island,
    )  # fmt: skip


def _islands(counts: Floats) -> Positions:
    """Number of the island of each expert, in the order of the experts."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    together = csr_array(counts.T @ counts > 0)
    _, labels = connected_components(together, directed=False)
    order: dict[int, int] = {}
    return np.array([order.setdefault(int(label), len(order)) for label in labels], dtype=np.intp)
