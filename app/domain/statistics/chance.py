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
MOST_GRADES: Final = 20

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
    return coefficient(rows, "fleiss")


def ac1(rows: Rows) -> Chance | Text:
    """Gwet's AC1."""
    return coefficient(rows, "gwet")


def ac2_quadratic(rows: Rows) -> Chance | Text:
    """Gwet's AC2 with quadratic weights on the category values."""
    return coefficient(rows, "gwet", "quadratic")


def within_one(rows: Rows) -> float | Text:
    """Mean share of pairs at most one category apart, categories in the order of their values."""
    table = category_counts(rows)
    if isinstance(table, Text):
        return table
    categories, counts = table
    if len(categories) > MOST_GRADES:
        return Text(
            f"无定义:不同分值超过 {MOST_GRADES} 个,不是等级。",
            f"Not defined: more than {MOST_GRADES} distinct marks are no grades.",
        )
    near = counts.copy()
    near[:, 1:] += counts[:, :-1]
    near[:, :-1] += counts[:, 1:]
    sizes = counts.sum(axis=1)
    use = sizes >= 2
    if not use.any():
        return Text("无定义:没有被两人以上评分的对象。", "Not defined: no subject has two marks.")
    pairs = (counts * (near - 1.0)).sum(axis=1)[use] / (sizes * (sizes - 1.0))[use]
    return float(pairs.mean())


def weight_matrix(categories: list[float], weighting: str) -> NDArray[np.float64]:
    """Agreement weights of R `irrCAC` on the category values: 1 on the diagonal.

    identity, linear, quadratic, ordinal (by the number of categories between), radical, ratio.
    """
    import numpy as np

    value = np.array(categories, dtype=float)
    q = len(value)
    apart = np.abs(value[:, None] - value[None, :])
    span = float(value.max() - value.min())
    match weighting:
        case "identity":
            made = np.eye(q)
        case "linear":
            made = 1.0 - apart / span
        case "quadratic":
            made = 1.0 - (apart / span) ** 2
        case "radical":
            made = 1.0 - np.sqrt(apart) / np.sqrt(span)
        case "ordinal":
            order = np.arange(q)
            between = np.abs(order[:, None] - order[None, :]) + 1.0
            made = 1.0 - between * (between - 1.0) / (q * (q - 1.0))
            np.fill_diagonal(made, 1.0)
        case "ratio":
            both = value[:, None] + value[None, :]
            share = np.divide(apart, both, out=np.zeros_like(apart), where=both != 0) ** 2
            worst = ((value.max() - value.min()) / (value.max() + value.min())) ** 2
            made = 1.0 - share / worst
        case _:
            raise ValueError(f"unknown weighting {weighting!r}")
    return made


@dataclass(frozen=True, slots=True)
class _Table:
    """Counts of the subjects with a mark, their sizes, and the agreement of each."""

    counts: NDArray[np.float64]
    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]


def coefficient(rows: Rows, kind: str, weighting: str = "identity") -> Chance | Text:
    """One coefficient with the standard error that counts the sampling of subjects.

    `kind`: fleiss, gwet (AC1, AC2), brennan_prediger, krippendorff (alpha with irrCAC's correction,
    equal to `alpha.alpha` in value), percent (no correction for chance).
    """
    import numpy as np

    table = category_counts(rows)
    if isinstance(table, Text):
        return table
    categories, counts = table
    if not (counts.sum(axis=1) >= 2).any():
        return Text("无定义:没有被两人以上评分的对象。", "Not defined: no subject has two marks.")
    if len(categories) < 2:
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    if weighting == "ratio" and min(categories) < 0:
        return Text(
            "无定义:有负分,不是比率尺度。", "Not defined: negative marks are no ratio scale."
        )
    subjects = len(counts)
    if kind == "krippendorff":
        counts = counts[counts.sum(axis=1) >= 2]
    sizes = counts.sum(axis=1)
    part = _Table(counts, sizes, weight_matrix(categories, weighting))
    pairs = sizes >= 2
    with np.errstate(divide="ignore", invalid="ignore"):
        agree = (counts * (counts @ part.weights - 1.0)).sum(axis=1) / (sizes * (sizes - 1.0))
    agree = np.where(pairs, agree, 0.0)
    if kind == "krippendorff":
        return _krippendorff(part, agree, subjects)
    n, n_pairs = len(sizes), int(pairs.sum())
    observed = float(agree.sum()) / n_pairs
    chance, each_chance = _by_chance(part, kind)
    if chance >= 1.0:
        return Text("无定义:随机一致率为 1。", "Not defined: chance agreement is 1.")
    value = (observed - chance) / (1.0 - chance)
    if n < 2:
        return Chance(value, observed, None, None, None)
    each = (n / n_pairs) * (agree - np.where(pairs, chance, 0.0)) / (1.0 - chance)
    each = each - 2.0 * (1.0 - value) * (each_chance - chance) / (1.0 - chance)
    return _with_interval(value, observed, each)


def _by_chance(part: _Table, kind: str) -> tuple[float, NDArray[np.float64]]:
    """(chance agreement, each subject's part in it)."""
    import numpy as np

    q = len(part.weights)
    shares = part.counts / part.sizes[:, None]
    prevalence = shares.mean(axis=0)
    match kind:
        case "gwet":
            factor = float(part.weights.sum()) / (q * (q - 1.0))
            chance = factor * float((prevalence * (1.0 - prevalence)).sum())
            return chance, factor * (shares @ (1.0 - prevalence))
        case "fleiss":
            chance = float(prevalence @ part.weights @ prevalence)
            return chance, shares @ ((part.weights + part.weights.T) / 2.0 @ prevalence)
        case "brennan_prediger":
            chance = float(part.weights.sum()) / (q * q)
            return chance, np.full(len(shares), chance)
        case "percent":
            return 0.0, np.zeros(len(shares))
    raise ValueError(f"unknown coefficient {kind!r}")


def _krippendorff(part: _Table, agree: NDArray[np.float64], subjects: int) -> Chance | Text:
    """Gwet 2014, ch. 2.4.3: alpha as a chance-corrected coefficient; subjects weigh by their size.

    As R `irrCAC` 1.4 has it: degrees of freedom from all subjects with a mark. Its Python port
    centres on another value, and its standard error differs in the fourth decimal.
    """
    n, mean_size = len(part.sizes), float(part.sizes.mean())
    correction = 1.0 / float(part.sizes.sum())
    excess = (part.sizes - mean_size) / mean_size
    scaled = agree * part.sizes / mean_size
    plain = float(scaled.mean())
    observed = (1.0 - correction) * plain + correction
    prevalence = part.counts.mean(axis=0) / mean_size
    chance = float(prevalence @ part.weights @ prevalence)
    if chance >= 1.0:
        return Text("无定义:随机一致率为 1。", "Not defined: chance agreement is 1.")
    value = (observed - chance) / (1.0 - chance)
    if n < 2:
        return Chance(value, observed, None, None, None)
    centre = (plain - chance) / (1.0 - chance)
    each = (scaled - plain * excess - chance) / (1.0 - chance)
    mixed = (part.weights + part.weights.T) / 2.0 @ prevalence
    each_chance = part.counts @ mixed / mean_size - chance * excess
    each = each - 2.0 * (1.0 - centre) * (each_chance - chance) / (1.0 - chance)
    return _with_interval(value, observed, each, centre, subjects)


def _with_interval(
    value: float,
    observed: float,
    each: NDArray[np.float64],
    centre: float | None = None,
    subjects: int | None = None,
) -> Chance:
    """Standard error and t interval from the subjects' parts, which vary about `centre`."""
    import numpy as np
    from scipy.special import stdtrit

    n, middle = len(each), value if centre is None else centre
    se = float(np.sqrt(((each - middle) ** 2).sum() / (n * (n - 1.0))))
    reach = float(stdtrit((subjects or n) - 1, 0.975)) * se
    return Chance(value, observed, se, max(value - reach, -1.0), min(value + reach, 1.0))


@dataclass(frozen=True, slots=True)
class FleissTest:
    """Fleiss 1971 with equal panels: z against chance (Fleiss, Nee & Landis 1979), and the kappa of
    each category."""

    z: float
    categories: dict[float, float]


def fleiss_test(rows: Rows) -> FleissTest | Text:
    """z and kappa by category; needs the same number of marks, two or more, on every subject."""
    import numpy as np

    table = category_counts(rows)
    if isinstance(table, Text):
        return table
    categories, counts = table
    if not len(counts):
        return Text("无定义:没有评分。", "Not defined: no marks.")
    sizes = counts.sum(axis=1)
    n, m = len(counts), float(sizes[0])
    if m < 2 or not (sizes == m).all():
        return Text("无定义:各对象的评分人数不同。", "Not defined: panels differ in size.")
    p = counts.sum(axis=0) / (n * m)
    q = 1.0 - p
    if (p * q).sum() <= 0:
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    whole = fleiss_kappa(rows)
    if isinstance(whole, Text):
        return whole
    by = 1.0 - (counts * (m - counts)).sum(axis=0) / (n * m * (m - 1.0) * p * q)
    pq = float((p * q).sum())
    variance = 2.0 / (n * m * (m - 1.0) * pq**2) * (pq**2 - float((p * q * (q - p)).sum()))
    return FleissTest(
        whole.value / float(np.sqrt(variance)),
        {name: float(kappa) for name, kappa in zip(categories, by, strict=True)},
    )
