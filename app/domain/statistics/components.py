"""Variance components of mark = mean + subject + expert + residual, and severity of experts.

Restricted maximum likelihood for two crossed random effects with any pattern of gaps: the profiled
criterion of Bates et al. 2015 (J. Stat. Softw. 67:1, eq. 39-42), with the larger of the two
diagonal blocks eliminated, so that 3,000 subjects marked by 9 experts cost a 9 x 9 factorisation.
Zero variance (the boundary) is found, not approached. Severity is the expert's BLUP: shrunk, so few
sheets say little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.domain.statistics.observed import Observed
from app.domain.types import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Below this many subjects an expert's severity is printed as insufficient, not as a number to act
# on.
ENOUGH_SUBJECTS: Final = 5


@dataclass(frozen=True, slots=True)
class Severity:
    """One expert's severity in points (negative: strict) with its standard error."""

    rater: str
    subjects: int
    effect: float
    se: float

    @property
    def sufficient(self) -> bool:
        """Whether the expert marked enough subjects for the number to mean something."""
        return self.subjects >= ENOUGH_SUBJECTS

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats, because diagnostics are never official."""
        return {
            "rater": self.rater,
            "subjects": self.subjects,
            "effect": self.effect,
            "se": self.se,
            "sufficient": self.sufficient,
        }


@dataclass(frozen=True, slots=True)
class Components:
    """Mean, standard deviations in points, and severities.

    `islands` counts the parts of the expert-subject graph that share no expert; with more than one,
    severity and quality are confounded between the parts and severities are not comparable.
    """

    mean: float
    sd_subject: float
    sd_rater: float
    sd_residual: float
    observations: int
    islands: int
    severities: tuple[Severity, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON value; floats."""
        return {
            "mean": self.mean,
            "sd_subject": self.sd_subject,
            "sd_rater": self.sd_rater,
            "sd_residual": self.sd_residual,
            "observations": self.observations,
            "islands": self.islands,
            "severities": [severity.to_json() for severity in self.severities],
        }


class _Crossed:
    """Sufficient statistics of the model and its criterion as a function of the two ratios."""

    def __init__(self, row: NDArray[np.intp], column: NDArray[np.intp], value: Floats) -> None:
        import numpy as np
        from scipy.sparse import csr_array

        rows, columns = int(row.max()) + 1, int(column.max()) + 1
        self.size = len(value)
        counts = csr_array((np.ones(len(value)), (row, column)), shape=(rows, columns))
        self.row_n = np.bincount(row, minlength=rows).astype(float)
        self.column_n = np.bincount(column, minlength=columns).astype(float)
        row_sum = np.bincount(row, value, rows).astype(float)
        column_sum = np.bincount(column, value, columns).astype(float)
        # The larger block is diagonal and is eliminated; most cells of the table are empty.
        self.flipped = rows < columns
        self.counts = counts.T.tocsr() if self.flipped else counts
        self.big_n, self.small_n = self._order(self.row_n, self.column_n)
        self.big_y, self.small_y = self._order(row_sum, column_sum)
        self.total = float(value.sum())
        self.squares = float(value @ value)

    def _order(self, of_rows: Floats, of_columns: Floats) -> tuple[Floats, Floats]:
        """(of the larger block, of the smaller block)."""
        return (of_columns, of_rows) if self.flipped else (of_rows, of_columns)

    def solve(self, theta: tuple[float, float]) -> dict[str, Any]:
        """Everything at one pair (sd_subject, sd_rater) / sd_residual."""
        import numpy as np
        from scipy.linalg import cho_factor, cho_solve

        big, small = theta[::-1] if self.flipped else theta
        diagonal = big * big * self.big_n + 1.0
        scaled = self.counts.multiply((big * small / diagonal)[:, None]).tocsr()
        schur = -(big * small) * (self.counts.T @ scaled).toarray()
        schur[np.diag_indices_from(schur)] += small * small * self.small_n + 1.0
        factor = cho_factor(schur, lower=True)
        log_det = float(np.log(diagonal).sum() + 2.0 * np.log(np.diag(factor[0])).sum())
        right_big = np.stack([big * self.big_n, big * self.big_y], axis=1)
        right_small = np.stack([small * self.small_n, small * self.small_y], axis=1)
        solved_small = cho_solve(factor, right_small - scaled.T @ right_big)
        solved_big = right_big / diagonal[:, None] - scaled @ solved_small
        inner = right_big.T @ solved_big + right_small.T @ solved_small
        ones = self.size - float(inner[0, 0])
        slope = self.total - float(inner[0, 1])
        rest = self.squares - float(inner[1, 1]) - slope * slope / ones
        return {
            "criterion": log_det
            + float(np.log(ones))
            + (self.size - 1) * float(np.log(max(rest, 1e-300))),
            "variance": rest / (self.size - 1),
            "mean": slope / ones,
            "big": big * (solved_big[:, 1] - solved_big[:, 0] * slope / ones),
            "small": small * (solved_small[:, 1] - solved_small[:, 0] * slope / ones),
            "schur": schur,
            "scaled": scaled,
            "diagonal": diagonal,
        }

    def column_effects(self, theta: tuple[float, float]) -> tuple[Floats, Floats]:
        """(BLUPs of the columns, their standard errors)."""
        import numpy as np

        at = self.solve(theta)
        inverse = np.linalg.inv(at["schur"])
        if self.flipped:
            spread = at["scaled"] @ inverse
            share = 1.0 / at["diagonal"] + at["scaled"].multiply(spread).sum(axis=1)
            effects: Floats = at["big"]
        else:
            share = np.diag(inverse)
            effects = at["small"]
        return effects, theta[1] * np.sqrt(np.maximum(share, 0.0) * at["variance"])


def fit_components(observed: Observed) -> Components | Text:
    """Fit the model; a Text with the reason when the data cannot tell the components apart."""
    import numpy as np
    from scipy.optimize import minimize

    subjects, raters = sorted(set(observed.subjects)), sorted(set(observed.raters))
    if len(subjects) < 2 or len(raters) < 2:
        return Text("至少需要 2 个对象和 2 位专家。", "Needs at least 2 subjects and 2 experts.")
    if len(observed) <= max(len(subjects), len(raters)) + 1:
        return Text("重复评分太少,无法区分误差。", "Too few repeated marks to tell error apart.")
    row_at = {name: index for index, name in enumerate(subjects)}
    column_at = {name: index for index, name in enumerate(raters)}
    row = np.array([row_at[name] for name in observed.subjects])
    column = np.array([column_at[name] for name in observed.raters])
    value = np.array(observed.values)
    centre, scale = float(value.mean()), float(value.std())
    if scale <= 1e-12 * max(1.0, abs(centre)):
        return Text("全部分数相同,没有差异。", "All marks are equal: no variation.")
    model = _Crossed(row, column, (value - centre) / scale)
    # A column with one mark each cannot be told from the residual: its variance stays 0.
    free = (model.row_n.max() > 1, model.column_n.max() > 1)
    bounds = [(0.0, 1e4 if is_free else 0.0) for is_free in free]

    def criterion(theta: Floats) -> float:
        return float(model.solve((float(theta[0]), float(theta[1])))["criterion"])

    best = None
    for first, second in ((1.0, 0.5), (0.1, 1.0)):
        start = [first if free[0] else 0.0, second if free[1] else 0.0]
        found = minimize(
            criterion,
            start,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-12, "gtol": 1e-6, "maxiter": 100},
        )
        if best is None or found.fun < best.fun:
            best = found
        # Inside the bounds the criterion has one minimum; a zero must be met from two sides.
        if all(ratio > 1e-3 or not is_free for ratio, is_free in zip(best.x, free, strict=True)):
            break
    assert best is not None
    theta = (float(best.x[0]), float(best.x[1]))
    at = model.solve(theta)
    residual = float(np.sqrt(max(at["variance"], 0.0))) * scale
    if residual <= 1e-7 * scale:
        return Text("没有残差,无法估计误差。", "There is no residual: error cannot be estimated.")
    effects, errors = model.column_effects(theta)
    severities = tuple(
        Severity(name, int(model.column_n[i]), float(effects[i]) * scale, float(errors[i]) * scale)
        for i, name in enumerate(raters)
    )
    return Components(
        mean=centre + float(at["mean"]) * scale,
        sd_subject=theta[0] * residual,
        sd_rater=theta[1] * residual,
        sd_residual=residual,
        observations=len(observed),
        islands=islands(observed),
        severities=severities,
    )


def islands(observed: Observed) -> int:
    """How many parts of the expert-subject graph share neither expert nor subject."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for subject, rater in zip(observed.subjects, observed.raters, strict=True):
        parent[root(("subject", subject))] = root(("rater", rater))
    return len({root(node) for node in list(parent)})
