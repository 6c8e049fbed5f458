"""Every number of tests/vectors/statistics.json, leaf by leaf, to its stated tolerance.

A vector's answers are rebuilt in the shape in which they were published; a leaf that nothing here
computes must be named in LEFT_OUT with its reason, so that no published answer is passed over in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from app.domain.statistics.agreement import agreement
from app.domain.statistics.alpha import SCALES, alpha
from app.domain.statistics.chance import coefficient, exact_agreement, fleiss_kappa, fleiss_test
from app.domain.statistics.concordance import Concordance, kendall_w
from app.domain.statistics.conger import conger
from app.domain.statistics.estimators import _SCALE, algorithm_a, estimate
from app.domain.statistics.icc import FORMS, SPEARMAN_BROWN, _satterthwaite, icc
from app.domain.statistics.outliers import grubbs
from app.domain.types import Text
from tests.domain.statistics.builders import VECTORS, columns, vector

ALL = json.loads((VECTORS / "statistics.json").read_text(encoding="utf-8"))["vectors"]
KINDS = {
    "gwet.ac1.raw": "gwet",
    "fleiss.kappa.raw": "fleiss",
    "krippen.alpha.raw": "krippendorff",
    "bp.coeff.raw": "brennan_prediger",
    "pa.coeff.raw": "percent",
}
OTHERS = "what another package does with these data; no answer to agree with"
LEFT_OUT = {
    ("fleiss_1971_diagnoses", "exact_Conger"): "needs each rater's marks; the data give counts",
    ("fleiss_1971_diagnoses", "published"): "a sentence; its two numbers are tested in full",
    ("degenerate_all_equal", "krippendorff 0.9.0"): OTHERS,
    ("degenerate_all_equal", "pingouin ICC"): OTHERS,
    ("degenerate_all_equal", "statsmodels fleiss_kappa"): OTHERS,
    ("degenerate_all_equal", "irrCAC AC1 and alpha"): OTHERS,
    ("degenerate_all_equal", "recommended"): "a sentence; tested as such below",
    ("trim_mean_scipy_traps", "scipy_1.12_trim0.2_x_nan"): "an older scipy's wrong answer",
}


def _icc(case: dict[str, Any]) -> dict[str, Any]:
    result = icc(case["input"]["ratings_targets_x_raters"])
    squares = result.mean_squares
    assert squares is not None
    n, k = 6, 4
    form = {name: result.forms[name] for name in FORMS}
    own = {name: [one.low, one.high] for name, one in form.items()}
    other = form["ICC(A,k)"].other
    assert other is not None and other[0] == SPEARMAN_BROWN
    single = form["ICC(A,1)"].value
    assert single is not None
    a, b = k * single / (n * (1 - single)), 1 + k * single * (n - 1) / (n * (1 - single))
    df = _satterthwaite(n, k, squares["JMS"], squares["EMS"], a, b)

    def test(of: str, df2: float) -> list[float]:
        f = squares["BMS"] / squares[of]
        return [f, n - 1, df2, float(special.fdtrc(n - 1, df2, f))]

    values = {name: one.value for name, one in form.items()}
    return {
        **values,
        **squares,
        "published_2dp": {
            f"ICC({new},{4 if name.endswith('k)') else 1})": round(float(values[name]), 2)  # type: ignore[arg-type]
            for name, new in (
                ("ICC(1,1)", 1), ("ICC(A,1)", 2), ("ICC(C,1)", 3),
                ("ICC(1,k)", 1), ("ICC(A,k)", 2), ("ICC(C,k)", 3),
            )
        },
        "ci95_psych_and_pingouin": {**own, "ICC(A,k)": list(other[1:])},
        "ci95_irr_McGrawWong": {name: own[name] for name in ("ICC(A,1)", "ICC(A,k)")},
        "F_ICC1": test("WMS", n * (k - 1)),
        "F_ICC3": test("EMS", (n - 1) * (k - 1)),
        "irr_F_ICC(A,1)": test("EMS", df),
    }  # fmt: skip


def _alpha(case: dict[str, Any]) -> dict[str, Any]:
    rows = columns(case["input"], "raters_x_units")
    made = {scale: alpha(rows, scale) for scale in SCALES}
    published = case["expected"]["published_3dp"]
    short = (
        {scale: round(float(made[scale]), 3) for scale in published}  # type: ignore[arg-type]
        if isinstance(published, dict)
        else round(float(made["nominal"]), 3)  # type: ignore[arg-type]
    )
    return {**made, "published_3dp": short}


def _gwet(case: dict[str, Any]) -> dict[str, Any]:
    rows = case["input"]["subjects_x_raters"]
    made: dict[str, Any] = {}
    for weighting in case["expected"]:
        by = "identity" if weighting == "unweighted" else weighting
        for name, kind in [*KINDS.items(), ("conger.kappa.raw", "conger")]:
            # Of Conger's kappa an older edition of the reference printed .76282; today's is taken.
            one = conger(rows, by) if kind == "conger" else coefficient(rows, kind, by)
            assert not isinstance(one, Text) and one.se is not None
            # The published p is that of one side.
            p = 1 - special.stdtr(len(rows) - 1, one.value / one.se)
            low, high = (f"{bound:.3f}".rstrip("0").rstrip(".") for bound in (one.low, one.high))
            ci = f"({low},{high})"
            made.setdefault(weighting, {})[name] = {
                "coef": one.value, "se": one.se, "ci": ci, "p": float(p),
            }  # fmt: skip
    return made


def _fleiss(case: dict[str, Any]) -> dict[str, Any]:
    rows = [
        [float(category) for category, count in enumerate(counts) for _ in range(count)]
        for counts in case["input"]["subjects_x_category_counts"]
    ]
    kappa, test = fleiss_kappa(rows), fleiss_test(rows)
    assert not isinstance(kappa, Text) and not isinstance(test, Text)
    names = [name.partition(". ")[2] for name in case["input"]["categories"]]
    return {
        "kappa": kappa.value,
        "z": test.z,
        "per_category": {
            name: round(value, 3) for name, value in zip(names, test.categories.values(), strict=True)
        },
    }  # fmt: skip


def _w(case: dict[str, Any]) -> dict[str, Any]:
    made = kendall_w(case["input"]["targets_x_raters"])
    assert isinstance(made, Concordance)
    value = made.value
    return {
        "W": value, "W_corrected": value, "chi2": made.chi2, "p": made.p,
        "published_3dp": round(value, 3), "published": round(value, 2),
    }  # fmt: skip


def _friedman(case: dict[str, Any]) -> dict[str, Any]:
    made = kendall_w(columns(case["input"], "blocks_x_treatments"))
    assert isinstance(made, Concordance)
    return {"chi2": made.chi2, "p": made.p, "df": made.subjects - 1}


def _huber(case: dict[str, Any]) -> dict[str, Any]:
    marks = [Decimal(str(x)) for x in case["input"]["x"]]
    four, end = algorithm_a(marks, iterations=4), algorithm_a(marks)
    return {
        "iteration_4": {"x*": float(four[0]), "s*": float(four[1])},
        "converged": {"x*": float(end[0]), "s*": float(end[1])},
        "gamma": float(_SCALE),
    }


def _grubbs(case: dict[str, Any]) -> dict[str, Any]:
    made = grubbs(case["input"]["x"], side="max")
    assert not isinstance(made, Text)
    return {
        "G": made.g, "critical": made.critical,
        "published": {"G": made.g, "critical": made.critical},
        "outlier": case["input"]["x"][made.index],
    }  # fmt: skip


def _trim(case: dict[str, Any]) -> dict[str, Any]:
    def ours(values: list[Any]) -> float:
        marks = {f"E{n}": Decimal(v) for n, v in enumerate(values) if v is not None}
        return float(estimate("trimmed_mean", marks, {3: 1}).value)

    x9, gaps = case["input"]["x9"], case["input"]["x_nan"]
    missing = np.array([np.nan if v is None else v for v in gaps], dtype=float)
    return {
        "drop_one_each_side_x9": ours(x9),
        "drop_one_each_side_of_present_x_nan": ours(gaps),
        # The traps themselves, in the library that the product uses for everything else.
        "scipy_0.1_x9": float(stats.trim_mean(x9, 0.1)),
        "scipy_1.17_default": str(float(stats.trim_mean(missing, 0.2))),
    }


def _bound(case: dict[str, Any]) -> dict[str, Any]:
    reached = []
    for k in case["input"]["k"]:
        made = grubbs([0.0] * (k - 1) + [1000.0])
        assert not isinstance(made, Text)
        reached.append(made.g)
    return {"max_possible_abs_z": reached}


REBUILT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "shrout_fleiss_1979": _icc,
    "krippendorff_2011_C": _alpha,
    "krippendorff_2011_A_binary": _alpha,
    "gwet_raw4raters": _gwet,
    "fleiss_1971_diagnoses": _fleiss,
    "kendall_W_ties_1948": _w,
    "kendall_W_siegel_1956": _w,
    "friedman_rounding_times": _friedman,
    "iso5725_5_algorithm_A_creosote": _huber,
    "nist_grubbs_uranium": _grubbs,
    "trim_mean_scipy_traps": _trim,
    "degenerate_all_equal": lambda case: {},
    "impossible_3sigma": _bound,
}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every number or word of a nested answer with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, str(number)))
    else:
        yield path, value


@pytest.mark.parametrize("case", ALL, ids=lambda case: str(case["id"]))
def test_every_published_number(case: dict[str, Any]) -> None:
    rebuilt = dict(leaves(REBUILT[case["id"]](case)))
    tolerance = float(case["abs_tol"])
    seen = 0
    for path, published in leaves(case["expected"]):
        if any((case["id"], part) in LEFT_OUT for part in path):
            continue
        assert path in rebuilt, f"{case['id']}: nothing computes {'/'.join(path)}"
        made = rebuilt[path]
        if isinstance(published, str):
            assert made == published, path
        else:
            digits = len(repr(published).partition("e")[0].partition(".")[2])
            # A published number is no better than the digits it is printed with.
            near = max(tolerance, 0.6 * 10.0**-digits if "e" not in repr(published) else 0.0)
            assert made == pytest.approx(published, abs=near, rel=1e-9), path
        seen += 1
    assert seen or case["id"] == "degenerate_all_equal"


def test_nothing_is_left_out_without_being_there() -> None:
    known = {(case["id"], part) for case in ALL for path, _ in leaves(case["expected"]) for part in path}  # fmt: skip
    assert set(LEFT_OUT) <= known
    assert {case["id"] for case in ALL} == set(REBUILT)


def test_all_equal_is_said_not_computed() -> None:
    rows = vector("degenerate_all_equal")["input"]["ratings"]
    made = agreement(rows, resamples=50)
    assert exact_agreement(rows) == 1.0
    for kind in KINDS.values():
        found = coefficient(rows, kind)
        assert isinstance(found, Text) and "no variation" in found.en
    none = conger(rows)
    assert isinstance(none, Text) and "no variation" in none.en
    assert isinstance(made.tau_b, Text) and isinstance(made.alpha_interval["interval"], Text)


# -- answers of other packages on made data, frozen with their versions (make_oracles.py)

ORACLES = json.loads((VECTORS / "oracles.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ORACLES["cases"], ids=lambda case: str(case["id"]))
def test_other_packages_agree(case: dict[str, Any]) -> None:
    rows, answers = case["rows"], case["answers"]
    made = icc(rows)
    for name, (value, low, high) in answers.get("pingouin", {}).items():
        form = made.forms[name]
        bounds = form.other[1:] if name == "ICC(A,k)" and form.other else (form.low, form.high)
        assert form.value == pytest.approx(value, abs=1e-9)
        assert bounds == pytest.approx((low, high), abs=6e-3)  # it rounds bounds to 2 decimals
    for scale, value in answers.get("krippendorff", {}).items():
        assert alpha(rows, scale) == pytest.approx(value, abs=1e-10), scale
    for name, (value, se) in answers.get("irrCAC", {}).items():
        kind, weighting = name.split("/")
        one = coefficient(rows, kind, weighting)
        assert not isinstance(one, Text)
        assert one.value == pytest.approx(value, abs=1.1e-5), name
        if kind != "krippendorff":  # see `_krippendorff`: the R edition is followed there
            assert one.se == pytest.approx(se, abs=1.1e-5), name
    for name, value in answers.get("statsmodels", {}).items():
        kappa = fleiss_kappa(rows)
        assert name == "fleiss_kappa" and not isinstance(kappa, Text)
        assert kappa.value == pytest.approx(value, abs=1e-10)
    if "scipy_tau_b" in answers:
        tau = agreement(rows).tau_b
        assert not isinstance(tau, Text)
        assert tau.value == pytest.approx(answers["scipy_tau_b"], abs=1e-9)


def test_an_oracle_would_notice() -> None:
    """The comparison above is no formality: a wrong weighting or a listwise deletion misses it."""
    case = next(c for c in ORACLES["cases"] if "irrCAC" in c["answers"] and c["gaps"])
    value, _ = case["answers"]["irrCAC"]["gwet/quadratic"]
    wrong = coefficient(case["rows"], "gwet", "linear")
    assert not isinstance(wrong, Text) and abs(wrong.value - value) > 1e-3
    whole = [row for row in case["rows"] if None not in row]
    assert abs(float(alpha(whole, "interval")) - case["answers"]["krippendorff"]["interval"]) > 1e-3  # type: ignore[arg-type]
