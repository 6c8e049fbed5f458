"""Krippendorff's alpha, nominal, ordinal, interval and ratio, with gaps.

Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability". Interval alpha is a ratio of sums
of squares, so no table of value pairs is built: a table over 2,700 distinct marks needs 17 GB.
Ordinal alpha is interval alpha on the midranks of the pairable values (the ordinal metric is the
squared difference of midranks). Nominal uses category counts; ratio pairs values block by block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALES: Final = ("nominal", "ordinal", "interval", "ratio")

Rows = Sequence[Sequence[float | None]]


def alpha(rows: Rows, scale: str) -> float | Text:
    """Alpha of a subjects x raters table (None: gap), or the reason why it is not defined."""
    import numpy as np

    reason = usable(rows, scale)
    if reason is not None:
        return reason
    units = [[v for v in row if v is not None] for row in rows]
    units = [unit for unit in units if len(unit) >= 2]
    values = np.array([v for unit in units for v in unit], dtype=float)
    owner = np.repeat(np.arange(len(units)), [len(unit) for unit in units])
    match scale:
        case "nominal":
            observed, expected = _nominal(values, owner)
        case "ratio":
            observed, expected = _ratio(values, units)
        case "interval":
            observed, expected = _squares(values, owner)
        case "ordinal":
            observed, expected = _squares(_midranks(values), owner)
        case _:
            raise ValueError(f"unknown scale {scale!r}")
    return float(1.0 - observed / expected)


def usable(rows: Rows, scale: str) -> Text | None:
    """Why alpha is not defined on these rows; None when it is."""
    values = [v for row in rows if sum(m is not None for m in row) >= 2 for v in row]
    given = [v for v in values if v is not None]
    if not given:
        return Text("无定义:没有被两人以上评分的对象。", "Not defined: no subject has two marks.")
    if min(given) == max(given):
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    if scale == "ratio" and min(given) < 0:
        return Text(
            "无定义:有负分,不是比率尺度。", "Not defined: negative marks are no ratio scale."
        )
    return None


def metric_values(values: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """What the scale's metric compares: midranks on the ordinal scale, the marks on others."""
    return _midranks(values) if scale == "ordinal" else values


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: NDArray[np.float64] = (np.cumsum(counts) - counts / 2.0)[at]
    return middle


def _squares(values: NDArray[np.float64], owner: NDArray[np.intp]) -> tuple[float, float]:
    """Mean squared difference of pairs within units and of all pairs."""
    import numpy as np

    # Differences do not change when all values move; centring keeps the squares small.
    values = values - values.mean()
    sizes = np.bincount(owner).astype(float)
    sums, squares = np.bincount(owner, values), np.bincount(owner, values**2)
    n = float(len(values))
    within = ((2.0 * sizes * squares - 2.0 * sums**2) / (sizes - 1.0)).sum() / n
    overall = (2.0 * n * (values**2).sum() - 2.0 * values.sum() ** 2) / (n * (n - 1.0))
    return float(within), float(overall)


def _nominal(values: NDArray[np.float64], owner: NDArray[np.intp]) -> tuple[float, float]:
    import numpy as np

    _, category, totals = np.unique(values, return_inverse=True, return_counts=True)
    sizes = np.bincount(owner).astype(float)
    _, cells = np.unique(owner * len(totals) + category, return_counts=True)
    cell_owner = np.unique(owner * len(totals) + category) // len(totals)
    n = float(len(values))
    same = np.bincount(cell_owner, cells.astype(float) ** 2)
    observed = ((sizes**2 - same) / (sizes - 1.0)).sum() / n
    expected = (n * n - (totals.astype(float) ** 2).sum()) / (n * (n - 1.0))
    return float(observed), float(expected)


def _ratio(values: NDArray[np.float64], units: list[list[float]]) -> tuple[float, float]:
    import numpy as np

    def total(one: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
        amount = 0.0
        for start in range(0, len(one), 512):
            block = one[start : start + 512, None]
            both = block + one[None, :]
            share = np.divide(block - one[None, :], both, out=np.zeros_like(both), where=both != 0)
            amount += float(weight[start : start + 512] @ (share**2) @ weight)
        return amount

    n = float(len(values))
    observed = 0.0
    for unit in units:
        array = np.array(unit, dtype=float)
        observed += total(array, np.ones(len(array))) / (len(array) - 1.0)
    distinct, counts = np.unique(values, return_counts=True)
    expected = total(distinct, counts.astype(float)) / (n * (n - 1.0))
    return observed / n, expected
