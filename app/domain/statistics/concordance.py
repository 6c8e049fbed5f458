"""Agreement of rankings: Kendall's W with ties, and the mean of tau-b over pairs of experts.

Kendall & Babington Smith 1939; Siegel 1956. W of raters over subjects is the Friedman statistic
scaled to 0..1: chi2 = k (n - 1) W. Only subjects that every rater marked can be compared by rank.
Tau-b (Kendall 1945) needs only what two experts have in common, so it is there when every subject
has another panel and W is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.types import Text

Rows = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Concordance:
    """W, its chi-squared approximation with n - 1 degrees of freedom, and what it rests on."""

    value: float
    chi2: float
    p: float
    subjects: int
    raters: int

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "value": self.value,
            "chi2": self.chi2,
            "p": self.p,
            "subjects": self.subjects,
            "raters": self.raters,
        }


def midranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing their mean rank."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2.0
        start = end
    return ranks


def kendall_w(rows: Rows) -> Concordance | Text:
    """W of a subjects x raters table, over the subjects without a gap; or why it is not defined."""
    complete = [[float(v) for v in row if v is not None] for row in rows if None not in row]
    if len(complete) < 2 or len(complete[0]) < 2:
        return Text(
            "无定义:由全体专家共同评分的对象不足 2 个。",
            "Not defined: fewer than 2 subjects were marked by all experts.",
        )
    n, k = len(complete), len(complete[0])
    columns = [midranks([row[c] for row in complete]) for c in range(k)]
    ties = 0.0
    for column in columns:
        sizes = [column.count(rank) for rank in set(column)]
        ties += sum(size**3 - size for size in sizes)
    sums = [sum(column[r] for column in columns) for r in range(n)]
    mean = k * (n + 1) / 2.0
    spread = sum((total - mean) ** 2 for total in sums)
    bottom = k * k * (n**3 - n) - k * ties
    if bottom <= 0:
        return Text("无定义:没有专家区分对象。", "Not defined: no expert tells subjects apart.")
    from scipy.special import chdtrc

    # Midranks are multiples of 1/2, but the division can still pass 1 by the last bit.
    w = min(12.0 * spread / bottom, 1.0)
    chi2 = k * (n - 1) * w
    return Concordance(w, chi2, float(chdtrc(n - 1, chi2)), n, k)


# Two rankings of fewer subjects agree or not by luck.
_FEWEST_COMMON: Final = 3
_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class MeanTau:
    """Mean tau-b of `pairs` pairs of experts; the least alike pair is `lowest`."""

    value: float
    lowest: float
    pairs: int
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "value": self.value,
            "lowest": self.lowest,
            "pairs": self.pairs,
            "left_out": self.left_out,
        }


def mean_tau_b(rows: Rows) -> MeanTau | Text:
    """Mean pairwise tau-b of a subjects x raters table; gaps are left out pair by pair.

    Pairs with fewer than 3 common subjects, or of which one ranks all alike, are left out and
    counted.
    """
    import numpy as np

    table = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        return Text("无定义:少于 2 位专家。", "Not defined: fewer than 2 experts.")
    n, k = table.shape
    present = ~np.isnan(table)
    agree, ties = np.zeros((k, k)), np.zeros((k, k))
    for start in range(0, n, _BLOCK):
        part = table[start : start + _BLOCK]
        with np.errstate(invalid="ignore"):
            sign = np.sign(part[:, None, :] - table[None, :, :])
        both = (present[start : start + _BLOCK, None, :] & present[None, :, :]).reshape(-1, k)
        flat = np.nan_to_num(sign.reshape(-1, k), nan=0.0).astype(np.float32)
        agree += flat.T @ flat
        ties += np.abs(flat).T @ both.astype(np.float32)
    common = present.T.astype(float) @ present.astype(float)
    taus, left_out = [], 0
    for a in range(k):
        for b in range(a + 1, k):
            bottom = float(ties[a, b] * ties[b, a]) ** 0.5
            if common[a, b] < _FEWEST_COMMON or bottom <= 0:
                left_out += 1
                continue
            taus.append(min(max(float(agree[a, b]) / bottom, -1.0), 1.0))
    if not taus:
        return Text(
            "无定义:没有两位专家共同评过 3 个以上可分高下的对象。",
            "Not defined: no two experts rank 3 common subjects apart.",
        )
    return MeanTau(sum(taus) / len(taus), min(taus), len(taus), left_out)
