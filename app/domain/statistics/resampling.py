"""Intervals where no formula holds: alpha by bootstrap, reliability of random panels by simulation.

Alpha: subjects AND experts are drawn again with replacement. Resampling subjects alone holds the
experts to be the only ones there are, and its 95 % interval covers 80 to 87 % (experts alone: 65 to
69 %). An expert drawn twice is not paired with his own copy: such pairs agree by construction and
would lift every replicate. Bounds are bias-corrected percentiles (Efron 1987): plain ones covered 87 to
98 % in simulation, these 96 to 99 %. The ordinal metric keeps the midranks of the data.

Random panels: marks are simulated from the fitted variance components on the same pattern of gaps
and fitted again (parametric bootstrap), because two subjects hardly ever have the same panel and
there is nothing to resample. Streams are SHA-256 in counter mode (`streams.py`), the seed is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.domain.statistics.alpha import alpha, metric_values, usable
from app.domain.statistics.components import Components
from app.domain.statistics.observed import Observed
from app.domain.statistics.refits import refit_all
from app.domain.statistics.streams import SEED, normals, picks
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES: Final = 1000
REFITS: Final = 100
# Fewer usable replicates than this share: the data are too thin for an interval.
_USABLE: Final = 0.8

Rows = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds, how many replicates carry them, the seed, and the method in words."""

    low: float
    high: float
    resamples: int
    seed: int
    method: str

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "low": self.low,
            "high": self.high,
            "resamples": self.resamples,
            "seed": self.seed,
            "method": self.method,
        }


def alpha_interval(
    rows: Rows,
    scale: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    confidence: float = 0.95,
) -> Interval | Text:
    """Bounds of Krippendorff's alpha of a subjects x raters table, or why there are none."""
    import numpy as np

    kept = [row for row in rows if sum(v is not None for v in row) >= 2]
    reason = usable(kept, scale)
    if reason is not None:
        return reason
    columns = [c for c in range(len(kept[0])) if any(row[c] is not None for row in kept)]
    if len(kept) < 3 or len(columns) < 3:
        return Text(
            "区间无定义:至少需要 3 个对象和 3 位专家。",
            "Interval not defined: needs at least 3 subjects and 3 experts.",
        )
    cells = [
        (i, j, float(mark))
        for i, r in enumerate(kept)
        for j, c in enumerate(columns)
        if (mark := r[c]) is not None
    ]
    unit, rater = np.array([c[0] for c in cells]), np.array([c[1] for c in cells])
    value = metric_values(np.array([c[2] for c in cells]), scale)
    n, k = len(kept), len(columns)
    one, two = _pairs(unit)
    apart = _difference(value[one], value[two], scale)
    drawn = np.sort(picks(seed, f"alpha|{scale}|subjects", resamples * n, n).reshape(-1, n))
    experts = np.sort(picks(seed, f"alpha|{scale}|experts", resamples * k, k).reshape(-1, k))
    levels, at = np.unique(value, return_inverse=True)
    found = []
    for subjects, members in zip(drawn, experts, strict=True):
        w = np.bincount(subjects, minlength=n).astype(float)
        v: NDArray[np.float64] = np.bincount(members, minlength=k).astype(float)
        weight = v[rater[one]] * v[rater[two]]
        pairs = np.bincount(unit[one], weight, n)
        sums = np.bincount(unit[one], weight * apart, n)
        size = np.bincount(unit, v[rater], n)
        has = pairs > 0
        share = (w * size)[has]
        if share.sum() <= 0:
            continue
        within = float((share * sums[has] / pairs[has]).sum() / share.sum())
        overall = _expected(value, w[unit] * v[rater] * has[unit], levels, at, scale)
        if overall > 0:
            found.append(1.0 - within / overall)
    if len(found) < _USABLE * resamples:
        return Text("区间无定义:评分太少。", "Interval not defined: too few marks.")
    point = alpha(kept, scale)
    assert not isinstance(point, Text)  # `usable` was asked
    low, high = _corrected(np.array(found), point, confidence)
    return Interval(low, high, len(found), seed, "bootstrap of subjects and experts")


def _corrected(found: NDArray[np.float64], point: float, confidence: float) -> tuple[float, float]:
    """Percentiles moved by how far the median of the replicates lies from the estimate."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    size = len(found)
    # Half of what equals the estimate counts as below; a share of 0 or 1 has no normal quantile.
    below = ((found < point).sum() + 0.5 * (found == point).sum()) / size
    shift = float(ndtri(min(max(below, 1.0 / size), 1.0 - 1.0 / size)))
    reach = float(ndtri(0.5 + confidence / 2.0))
    low, high = np.quantile(found, [ndtr(2 * shift - reach), ndtr(2 * shift + reach)])
    return float(low), float(high)


def _pairs(unit: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of every two cells of one subject; cells come subject by subject."""
    import numpy as np

    ones, twos = [], []
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1], True])
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        a, b = np.triu_indices(end - start, 1)
        ones.append(a + start)
        twos.append(b + start)
    return np.concatenate(ones), np.concatenate(twos)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    import numpy as np

    made: NDArray[np.float64] = (a - b) ** 2
    if scale == "nominal":
        made = (a != b).astype(float)
    elif scale == "ratio":
        both = a + b
        made = np.divide(a - b, both, out=np.zeros_like(both), where=both != 0) ** 2
    return made


def _expected(
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    levels: NDArray[np.float64],
    at: NDArray[np.intp],
    scale: str,
) -> float:
    """Mean difference of all pairs of a replicate."""
    import numpy as np

    total = float(weight.sum())
    if total <= 1:
        return 0.0
    if scale in ("interval", "ordinal"):
        mean = (weight * value).sum() / total
        return float(2.0 * (weight * (value - mean) ** 2).sum() / (total - 1.0))
    counts = np.bincount(at, weight, len(levels))
    if scale == "nominal":
        return float((total * total - (counts**2).sum()) / (total * (total - 1.0)))
    amount = 0.0
    for start in range(0, len(levels), 512):
        block = slice(start, start + 512)
        both = _difference(levels[block, None], levels[None, :], scale)
        amount += float(counts[block] @ both @ counts)
    return float(amount / (total * (total - 1.0)))


def reliability_intervals(
    observed: Observed,
    fit: Components,
    k: float,
    *,
    resamples: int = REFITS,
    seed: int = SEED,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Bounds of the ICC forms that come from variance components; `k` is the size of a panel."""
    import numpy as np

    subjects, raters = sorted(set(observed.subjects)), sorted(set(observed.raters))
    row = np.searchsorted(np.array(subjects), np.array(observed.subjects))
    column = np.searchsorted(np.array(raters), np.array(observed.raters))
    n, m, size = len(subjects), len(raters), len(observed)
    near = (
        max(fit.sd_subject / fit.sd_residual, 0.05),
        max(fit.sd_rater / fit.sd_residual, 0.05),
    )
    made = np.array([normals(seed, f"panels|{b}", n + m + size) for b in range(resamples)]).T
    marks = (
        fit.sd_subject * made[:n][row]
        + fit.sd_rater * made[n : n + m][column]
        + fit.sd_residual * made[n + m :]
    )
    subject, rater, rest = (sd**2 for sd in refit_all(row, column, marks, near))
    tail = (1.0 - confidence) / 2.0
    bounds = {}
    for name, values in _forms(subject, rater, rest, k).items():
        low, high = np.quantile(values, [tail, 1.0 - tail])
        bounds[name] = Interval(float(low), float(high), resamples, seed, "parametric bootstrap")
    return bounds


FORMS_OF_COMPONENTS: Final = ("ICC(A,1)", "ICC(C,1)", "ICC(A,k)", "ICC(C,k)")


def of_components(fit: Components, k: float) -> dict[str, float]:
    """The two-way forms from standard deviations."""
    return _forms(fit.sd_subject**2, fit.sd_rater**2, fit.sd_residual**2, k)


def _forms(subject: Any, rater: Any, rest: Any, k: float) -> dict[str, Any]:
    """The two-way forms from variances: numbers, or arrays of one length."""
    return {
        "ICC(A,1)": subject / (subject + rater + rest),
        "ICC(C,1)": subject / (subject + rest),
        "ICC(A,k)": subject / (subject + (rater + rest) / k),
        "ICC(C,k)": subject / (subject + rest / k),
    }
