"""Agreement against published answers, its properties, and data for which it is not defined."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.statistics.agreement import agreement
from app.domain.statistics.alpha import SCALES, alpha
from app.domain.statistics.chance import ac1, ac2_quadratic, exact_agreement, fleiss_kappa
from app.domain.statistics.components import fit_components, islands
from app.domain.statistics.concordance import kendall_w
from app.domain.statistics.icc import FORMS, SPEARMAN_BROWN, icc
from app.domain.statistics.observed import Observed
from app.domain.types import DomainError, Text
from tests.domain.statistics.builders import columns, vector

SHROUT_FLEISS = "shrout_fleiss_1979"


def long_form(rows: list[list[float | None]]) -> Observed:
    cells = [
        (f"S{r}", f"E{c}", float(value))
        for r, row in enumerate(rows)
        for c, value in enumerate(row)
        if value is not None
    ]
    subjects, raters, values = zip(*cells, strict=True)
    return Observed(subjects, raters, values)


def test_icc_shrout_fleiss() -> None:
    case = vector(SHROUT_FLEISS)
    expected = case["expected"]
    result = icc(case["input"]["ratings_targets_x_raters"])
    assert result.mean_squares is not None
    for name in ("BMS", "JMS", "EMS", "WMS"):
        assert result.mean_squares[name] == pytest.approx(expected[name], abs=1e-7)
    for name in FORMS:
        form = result.forms[name]
        assert form.value == pytest.approx(expected[name], abs=1e-8)
        low, high = expected["ci95_irr_McGrawWong"].get(
            name, expected["ci95_psych_and_pingouin"][name]
        )
        assert (form.low, form.high) == pytest.approx((low, high), abs=1e-8)
    other = result.forms["ICC(A,k)"].other
    assert other is not None
    assert other[0] == SPEARMAN_BROWN
    assert other[1:] == pytest.approx(expected["ci95_psych_and_pingouin"]["ICC(A,k)"], abs=1e-8)
    # Absolute error of one mark: expert variance (32.486 - 1.019) / 6 plus residual 1.019.
    assert result.sem == pytest.approx(((32.48611111 - 1.01944444) / 6 + 1.01944444) ** 0.5)


@pytest.mark.parametrize("scale", SCALES)
def test_alpha_with_gaps(scale: str) -> None:
    case = vector("krippendorff_2011_C")
    rows = columns(case["input"], "raters_x_units")
    assert alpha(rows, scale) == pytest.approx(case["expected"][scale], abs=1e-8)


def test_alpha_binary() -> None:
    case = vector("krippendorff_2011_A_binary")
    rows = columns(case["input"], "raters_x_units")
    assert alpha(rows, "nominal") == pytest.approx(case["expected"]["nominal"], abs=1e-8)


def test_gwet_four_raters() -> None:
    case = vector("gwet_raw4raters")
    rows = case["input"]["subjects_x_raters"]
    plain, squared = case["expected"]["unweighted"], case["expected"]["quadratic"]
    for made, published in (
        (ac1(rows), plain["gwet.ac1.raw"]),
        (fleiss_kappa(rows), plain["fleiss.kappa.raw"]),
        (ac2_quadratic(rows), squared["gwet.ac1.raw"]),
    ):
        assert not isinstance(made, Text)
        assert made.value == pytest.approx(published["coef"], abs=2e-5)
        assert made.se == pytest.approx(published["se"], abs=2e-5)
        low, high = (float(part) for part in published["ci"].strip("()").split(","))
        assert (made.low, made.high) == pytest.approx((low, high), abs=6e-4)
    assert alpha(rows, "nominal") == pytest.approx(plain["krippen.alpha.raw"]["coef"], abs=2e-5)
    assert alpha(rows, "interval") == pytest.approx(squared["krippen.alpha.raw"]["coef"], abs=2e-5)
    # irrCAC's "ratio" table too, an independent check of the ratio metric.
    ratio = case["expected"]["ratio"]["krippen.alpha.raw"]["coef"]
    assert alpha(rows, "ratio") == pytest.approx(ratio, abs=2e-5)
    assert not isinstance(ac1(rows), Text)
    assert ac1(rows).agreement == pytest.approx(plain["pa.coeff.raw"]["coef"], abs=1e-9)


def test_fleiss_diagnoses() -> None:
    case = vector("fleiss_1971_diagnoses")
    rows = [
        [float(category) for category, count in enumerate(counts) for _ in range(count)]
        for counts in case["input"]["subjects_x_category_counts"]
    ]
    made = fleiss_kappa(rows)
    assert not isinstance(made, Text)
    assert made.value == pytest.approx(case["expected"]["kappa"], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "key"), [("kendall_W_ties_1948", "W_corrected"), ("kendall_W_siegel_1956", "W")]
)
def test_kendall_w(name: str, key: str) -> None:
    case = vector(name)
    made = kendall_w(case["input"]["targets_x_raters"])
    assert not isinstance(made, Text)
    assert made.value == pytest.approx(case["expected"][key], abs=1e-9)
    if "chi2" in case["expected"]:
        assert made.chi2 == pytest.approx(case["expected"]["chi2"], abs=1e-6)
        assert made.p == pytest.approx(case["expected"]["p"], abs=1e-9)


def test_friedman_is_kendall_w() -> None:
    case = vector("friedman_rounding_times")
    made = kendall_w(columns(case["input"], "blocks_x_treatments"))
    assert not isinstance(made, Text)
    assert made.chi2 == pytest.approx(case["expected"]["chi2"], abs=1e-8)
    assert made.p == pytest.approx(case["expected"]["p"], abs=1e-9)


def test_reml_equals_analysis_of_variance_when_balanced() -> None:
    rows = vector(SHROUT_FLEISS)["input"]["ratings_targets_x_raters"]
    fit, table = fit_components(long_form(rows)), icc(rows)
    assert not isinstance(fit, Text)
    assert fit.sd_subject == pytest.approx(table.sd_subject, rel=1e-4)
    assert fit.sd_rater == pytest.approx(table.sd_rater, rel=1e-4)
    assert fit.sd_residual == pytest.approx(table.sd_residual, rel=1e-4)
    assert fit.mean == pytest.approx(sum(map(sum, rows)) / 24)
    # BLUP of a balanced expert: the column's deviation shrunk by var / (var + residual / n).
    shrink = fit.sd_rater**2 / (fit.sd_rater**2 + fit.sd_residual**2 / 6)
    for c, severity in enumerate(fit.severities):
        deviation = sum(row[c] for row in rows) / 6 - fit.mean
        assert severity.effect == pytest.approx(shrink * deviation, rel=1e-3)
        assert severity.sufficient


def test_reml_finds_a_variance_of_zero() -> None:
    # Column means are equal, so the experts' variance estimate would be negative.
    rows: list[list[float | None]] = [
        [1, 2, 3],
        [2, 3, 1],
        [3, 1, 2],
        [9, 8, 10],
        [10, 9, 8],
        [8, 10, 9],
    ]
    fit = fit_components(long_form(rows))
    assert not isinstance(fit, Text)
    assert fit.sd_rater == pytest.approx(0.0, abs=1e-6)
    assert all(abs(severity.effect) < 1e-6 for severity in fit.severities)


def test_both_orientations_of_the_fit_agree() -> None:
    rows: list[list[float | None]] = [[9, 2, 5, 8], [6, 1, 3, None], [8, 4, 6, 8], [7, 1, None, 6]]
    one = fit_components(long_form(rows))
    other = fit_components(long_form([list(column) for column in zip(*rows, strict=True)]))
    assert not isinstance(one, Text)
    assert not isinstance(other, Text)
    assert one.sd_subject == pytest.approx(other.sd_rater, rel=1e-3)
    assert one.sd_residual == pytest.approx(other.sd_residual, rel=1e-3)


def test_islands() -> None:
    rows: list[list[float | None]] = [[1, 2, None, None], [2, 2, None, None], [None, None, 3, 1]]
    assert islands(long_form(rows)) == 2
    rows[0][2] = 3.0
    assert islands(long_form(rows)) == 1


def test_random_panels_have_an_icc_without_listwise_deletion() -> None:
    # Every subject has another panel; deleting incomplete rows would leave nothing.
    rows: list[list[float | None]] = [[None] * 8 for _ in range(8)]
    for r in range(8):
        for step in range(4):
            rows[r][(r + step) % 8] = 60.0 + 4 * r + step % 2
    result = agreement(rows)
    value = result.icc["ICC(A,k)"].value
    assert value is not None
    assert 0.9 < value < 1.0
    assert result.icc["ICC(A,k)"].low is None
    assert result.icc["ICC(A,k)"].reason is not None
    assert isinstance(result.kendall_w, Text)


def test_no_variation_is_not_a_number() -> None:
    result = agreement(vector("degenerate_all_equal")["input"]["ratings"])
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert all(form["value"] is None and form["reason"]["zh"] for form in data["icc"].values())
    for scale in SCALES:
        assert data["alpha"][scale] is None
        assert "no variation" in data["alpha"]["reasons"][scale]["en"]
    for name in ("fleiss_kappa", "ac1", "ac2_quadratic", "sem"):
        assert data[name] is None
        assert data["reasons"][name]["en"]
    assert data["kendall_w"]["value"] is None
    assert data["exact_agreement"] == 1.0
    assert data["verdict"]["level"] == "undefined"


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[1.0]],
        [[1.0, 2.0]],
        [[1.0], [2.0], [3.0]],
        [[None, None], [None, None]],
        [[1.0, None], [None, 2.0]],
        [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]],
        [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]],
        [[0.0, 0.0], [0.0, 1.0]],
        [[-1.0, 1.0], [1.0, -1.0]],
        [[1.0, None, 3.0], [None, 2.0, 1.0], [4.0, 5.0, None]],
    ],
)
def test_degenerate_tables_never_give_nan(rows: list[list[float | None]]) -> None:
    data = agreement(rows).to_json()
    json.dumps(data, allow_nan=False)
    for form in data["icc"].values():
        assert form["value"] is not None or form["reason"]
        assert form["low"] is not None or form["reason"]
    for name in ("fleiss_kappa", "ac1", "ac2_quadratic", "sem", "exact_agreement"):
        assert data[name] is not None or data["reasons"][name]


def test_perfect_agreement() -> None:
    result = agreement([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [5.0, 5.0, 5.0]])
    assert all(form.value == pytest.approx(1.0) for form in result.icc.values())
    assert all(value == pytest.approx(1.0) for value in result.alpha.values())
    assert result.exact_agreement == 1.0


def test_prevalence_paradox() -> None:
    # 49 of 50 subjects pass with everyone, one splits the experts: kappa collapses, AC1 does not.
    rows = [[1.0, 1.0, 1.0]] * 49 + [[1.0, 1.0, 0.0]]
    kappa, robust = fleiss_kappa(rows), ac1(rows)
    assert not isinstance(kappa, Text)
    assert not isinstance(robust, Text)
    assert kappa.value < 0.0
    assert robust.value > 0.95


def test_verdict_tells_close_subjects_from_disagreement() -> None:
    close = agreement([[80, 81, 79], [81, 79, 80], [79, 80, 82], [80, 79, 80]]).verdict
    # The mean is off by less than 2 % of the full mark, so nobody is called to a calibration meeting.
    assert (close.level, close.close, close.raters_needed) == ("amber", True, None)
    assert close.actions == ("rank_bands", "note")
    assert "the subjects are close" in close.text.en
    apart = agreement([[10, 50, 90], [20, 70, 80], [40, 50, 99], [55, 80, 90]]).verdict
    assert (apart.level, apart.close) == ("red", False)
    assert "the experts disagree" in apart.text.en and "calibrate" in apart.actions
    good = agreement([[10, 11, 10], [50, 51, 49], [90, 91, 90], [30, 30, 32]]).verdict
    assert (good.level, good.raters_needed) == ("green", None)


def test_bad_arguments() -> None:
    with pytest.raises(DomainError):
        agreement([[1.0, 2.0]], scale="mark")
    with pytest.raises(DomainError):
        agreement([[1.0, 2.0], [1.0]])


TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(
        st.lists(st.none() | st.integers(0, 10).map(float), min_size=k, max_size=k),
        min_size=1,
        max_size=8,
    )
)


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_bounds_on_any_table(rows: list[list[Any]]) -> None:
    result = agreement(rows)
    json.dumps(result.to_json(), allow_nan=False)
    if not isinstance(result.kendall_w, Text):
        assert 0.0 <= result.kendall_w.value <= 1.0
    for value in result.alpha.values():
        assert isinstance(value, Text) or value <= 1.0 + 1e-9
    for form in result.icc.values():
        assert form.value is None or form.value <= 1.0 + 1e-9
        if form.low is not None and form.high is not None:
            assert form.low <= form.high
    assert result.exact_agreement is None or 0.0 <= result.exact_agreement <= 1.0
    assert exact_agreement(rows) == result.exact_agreement


@settings(max_examples=40, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_does_not_matter(rows: list[list[Any]], shuffler: Any) -> None:
    order = list(range(len(rows[0])))
    shuffler.shuffle(order)
    mixed = [[row[c] for c in order] for row in rows]
    shuffler.shuffle(mixed)
    for scale in SCALES:
        before, after = alpha(rows, scale), alpha(mixed, scale)
        if isinstance(before, Text):
            assert before == after
        else:
            assert after == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_alpha_by_definition(scale: str) -> None:
    """The closed forms against Krippendorff's double sums written out."""
    rows: list[list[float | None]] = [
        [1, 2, None, 2],
        [3, 3, 4, None],
        [0, None, None, 1],
        [5, 4, 5, 5],
        [None, None, 2, None],
    ]
    units = [[v for v in row if v is not None] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    values = [v for unit in units for v in unit]

    def metric(a: float, b: float) -> float:
        if scale == "nominal":
            return float(a != b)
        if scale == "interval":
            return (a - b) ** 2
        if scale == "ratio":
            return ((a - b) / (a + b)) ** 2 if a + b else 0.0
        low, high = min(a, b), max(a, b)
        between = sum(values.count(g) for g in set(values) if low <= g <= high)
        return (between - (values.count(a) + values.count(b)) / 2) ** 2 if a != b else 0.0

    n = len(values)
    within = sum(
        metric(a, b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    )
    overall = sum(
        metric(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j
    )
    expected = 1 - (within / n) / (overall / (n * (n - 1)))
    assert alpha(rows, scale) == pytest.approx(expected, abs=1e-12)
