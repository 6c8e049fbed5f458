"""Answers of other packages on made data, frozen in oracles.json with their versions.

    pip install pingouin krippendorff irrCAC statsmodels      (GPL and heavy: in an environment of its own)
    python tests/vectors/make_oracles.py [--check]

Needs nothing of the product. The data come from SHA-256, so that everybody makes the same tables.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

HERE = Path(__file__).parent
WEIGHTS = ("identity", "linear", "quadratic", "ordinal", "radical", "ratio")
KINDS = {
    "gwet": "gwet",
    "fleiss": "fleiss",
    "krippendorff": "krippendorff",
    "brennan_prediger": "bp",
}


def number(*parts: object) -> int:
    """A large integer from the parts."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:8], "big")


def bell(*parts: object) -> float:
    """About standard normal: the sum of twelve even numbers."""
    return sum(number(*parts, i) / 2.0**64 for i in range(12)) - 6.0


def table(name: str, n: int, k: int, low: float, high: float, step: float, gaps: int) -> Any:
    """Subjects x raters with quality, severity and noise, cut to a scale; one in `gaps` is missing."""
    middle, width = (low + high) / 2, (high - low) / 6
    rows: list[list[float | None]] = []
    for i in range(n):
        row: list[float | None] = []
        for j in range(k):
            value = middle + width * (
                bell(name, "q", i) + 0.5 * bell(name, "s", j) + 0.8 * bell(name, "e", i, j)
            )
            value = min(max(round(value / step) * step, low), high)
            row.append(None if gaps and number(name, "gap", i, j) % gaps == 0 else round(value, 3))
        rows.append(row)
    return rows


def answers(rows: Any, gaps: int, grades: bool) -> dict[str, Any]:
    import krippendorff
    import numpy as np
    import pandas as pd
    from irrCAC.raw import CAC
    from scipy.stats import kendalltau

    matrix = np.array([[np.nan if v is None else v for v in row] for row in rows])
    made: dict[str, Any] = {
        "krippendorff": {
            level: float(krippendorff.alpha(matrix.T, level_of_measurement=level))
            for level in ("nominal", "ordinal", "interval", "ratio")
        }
    }
    taus = []
    for a, b in combinations(range(matrix.shape[1]), 2):
        both = ~np.isnan(matrix[:, a]) & ~np.isnan(matrix[:, b])
        taus.append(float(kendalltau(matrix[both, a], matrix[both, b]).statistic))
    made["scipy_tau_b"] = sum(taus) / len(taus)
    if grades:
        made["irrCAC"] = {}
        for weighting in WEIGHTS:
            found = CAC(pd.DataFrame(matrix), weights=weighting, digits=6)
            for kind, method in KINDS.items():
                one = getattr(found, method)()["est"]
                made["irrCAC"][f"{kind}/{weighting}"] = [one["coefficient_value"], one["se"]]
    if not gaps:
        import pingouin

        long = pd.DataFrame(
            [(i, j, v) for i, row in enumerate(rows) for j, v in enumerate(row)],
            columns=["subject", "rater", "mark"],
        )
        result = pingouin.intraclass_corr(long, "subject", "rater", "mark")
        bounds = "CI95%" if "CI95%" in result.columns else "CI95"
        made["pingouin"] = {
            str(line["Type"]): [float(line["ICC"]), *map(float, line[bounds])]
            for _, line in result.iterrows()
        }
        if grades:
            from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

            made["statsmodels"] = {
                "fleiss_kappa": float(fleiss_kappa(aggregate_raters(matrix.astype(int))[0]))
            }
    return made


CASES = (
    ("marks", 30, 9, 50.0, 100.0, 0.5, 0, False),
    ("marks with gaps", 40, 7, 50.0, 100.0, 0.5, 6, False),
    ("grades", 36, 5, 1.0, 5.0, 1.0, 0, True),
    ("grades with gaps", 50, 6, 1.0, 4.0, 1.0, 5, True),
    ("few", 6, 3, 0.0, 10.0, 0.1, 0, False),
)


def main() -> None:
    cases = []
    for name, n, k, low, high, step, gaps, grades in CASES:
        rows = table(name, n, k, low, high, step, gaps)
        cases.append(
            {"id": name, "gaps": gaps, "rows": rows, "answers": answers(rows, gaps, grades)}
        )
    names = ("pingouin", "krippendorff", "irrCAC", "statsmodels", "scipy", "numpy", "pandas")
    document = {
        "about": "Answers of other packages on made tables (subjects x raters); see make_oracles.py.",
        "versions": {name: version(name) for name in names},
        "cases": cases,
    }
    text = json.dumps(document, indent=None, separators=(",", ":")).replace('{"id"', '\n{"id"')
    path = HERE / "oracles.json"
    if "--check" in sys.argv[1:]:
        sys.exit(0 if path.read_text() == text + "\n" else "oracles.json differs")
    path.write_text(text + "\n")


if __name__ == "__main__":
    main()
