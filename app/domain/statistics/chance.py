"""Chance-corrected agreement on categories with unequal numbers of raters: Fleiss, AC1, AC2.

Gwet, Handbook of Inter-Rater Reliability (4th ed., ch. 2, 3, 5), the definitions of R `irrCAC`,
with the standard errors that count the sampling of subjects. AC1 for pass/fail and veto data: kappa
falls to nothing when almost all pass although the experts agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A mark scale with more distinct values is no set of categories, and the table would grow with it.
MOST_CATEGORIES: Final = 1000

Rows = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Chance:
    """A coefficient, the share of agreeing pairs, and standard error with 95 % interval."""

    value: float
    agreement: float
    se: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "value": self.value,
            "agreement": self.agreement,
            "se": self.se,
            "low": self.low,
            "high": self.high,
        }


def category_counts(rows: Rows) -> tuple[list[float], NDArray[np.float64]] | Text:
    """(categories, subjects x categories counts); subjects without a mark are left out."""
    import numpy as np

    kept = [[v for v in row if v is not None] for row in rows]
    kept = [row for row in kept if row]
    categories = sorted({v for row in kept for v in row})
    if len(categories) > MOST_CATEGORIES:
        return Text(
            f"无定义:不同分值超过 {MOST_CATEGORIES} 个,不是等级。",
            f"Not defined: more than {MOST_CATEGORIES} distinct marks are no categories.",
        )
    at = {value: index for index, value in enumerate(categories)}
    counts = np.zeros((len(kept), len(categories)))
    for index, row in enumerate(kept):
        for value in row:
            counts[index, at[value]] += 1
    return categories, counts


def exact_agreement(rows: Rows) -> float | None:
    """Mean share of agreeing pairs over subjects with at least two marks; None without any."""
    shares = []
    for row in rows:
        values = [v for v in row if v is not None]
        if len(values) > 1:
            equal = sum(values.count(v) - 1 for v in values)
            shares.append(equal / (len(values) * (len(values) - 1)))
    return sum(shares) / len(shares) if shares else None


def fleiss_kappa(rows: Rows) -> Chance | Text:
    """Fleiss' kappa (1971), generalised to unequal numbers of raters."""
    return _coefficient(rows, "fleiss", quadratic=False)


def ac1(rows: Rows) -> Chance | Text:
    """Gwet's AC1."""
    return _coefficient(rows, "gwet", quadratic=False)


def ac2_quadratic(rows: Rows) -> Chance | Text:
    """Gwet's AC2 with quadratic weights on the category values."""
    return _coefficient(rows, "gwet", quadratic=True)


def _coefficient(rows: Rows, kind: str, *, quadratic: bool) -> Chance | Text:
    import numpy as np

    table = category_counts(rows)
    if isinstance(table, Text):
        return table
    categories, counts = table
    sizes = counts.sum(axis=1)
    if not (sizes >= 2).any():
        return Text("无定义:没有被两人以上评分的对象。", "Not defined: no subject has two marks.")
    q = len(categories)
    if q < 2:
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    weights = np.eye(q)
    if quadratic:
        value = np.array(categories)
        weights = 1.0 - ((value[:, None] - value[None, :]) / (value[-1] - value[0])) ** 2
    pairs = sizes >= 2
    with np.errstate(divide="ignore", invalid="ignore"):
        agree = (counts * (counts @ weights - 1.0)).sum(axis=1) / (sizes * (sizes - 1.0))
    agree = np.where(pairs, agree, 0.0)
    n, n_pairs = len(sizes), int(pairs.sum())
    observed = float(agree.sum()) / n_pairs
    shares = counts / sizes[:, None]
    prevalence = shares.mean(axis=0)
    if kind == "gwet":
        factor = float(weights.sum()) / (q * (q - 1.0))
        chance = factor * float((prevalence * (1.0 - prevalence)).sum())
        each_chance = factor * (shares @ (1.0 - prevalence))
    else:
        chance = float(prevalence @ weights @ prevalence)
        each_chance = shares @ ((weights + weights.T) / 2.0 @ prevalence)
    if chance >= 1.0:
        return Text("无定义:随机一致率为 1。", "Not defined: chance agreement is 1.")
    value_ = (observed - chance) / (1.0 - chance)
    if n < 2:
        return Chance(value_, observed, None, None, None)
    each = (n / n_pairs) * (agree - np.where(pairs, chance, 0.0)) / (1.0 - chance)
    each = each - 2.0 * (1.0 - value_) * (each_chance - chance) / (1.0 - chance)
    se = float(np.sqrt(((each - value_) ** 2).sum() / (n * (n - 1.0))))
    from scipy.special import stdtrit

    reach = float(stdtrit(n - 1, 0.975)) * se
    return Chance(value_, observed, se, max(value_ - reach, -1.0), min(value_ + reach, 1.0))
