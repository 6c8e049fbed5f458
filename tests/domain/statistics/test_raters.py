"""Severity, consistency, Mandel's h and k, drift, discrimination, islands."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from app.domain.statistics.additive import fit_additive
from app.domain.statistics.components import fit_components
from app.domain.statistics.mandel import Mandel, critical_h, critical_k, mandel
from app.domain.statistics.observed import Observed
from app.domain.statistics.raters import Consistency, Estimate, Raters, rate_raters
from app.domain.statistics.testing import at_least, holm
from app.domain.types import Text
from tests.proof.rounds import Made, World, make


def seen(marks: np.ndarray) -> Observed:
    return Made(np.zeros(len(marks)), np.zeros(marks.shape[1]), marks).observed()


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .04: times 3, 2, 1 -> .03 .04 .04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_tail_of_unequal_chances_by_enumeration() -> None:
    chances = [0.1, 0.5, 0.25, 0.9]
    for count in range(6):
        exact = 0.0
        for hits in product((0, 1), repeat=4):
            if sum(hits) >= count:
                p = 1.0
                for hit, chance in zip(hits, chances, strict=True):
                    p *= chance if hit else 1 - chance
                exact += p
        assert at_least(count, chances) == pytest.approx(exact, abs=1e-12)
    # Equal chances: the binomial tail. P(X >= 2), n = 3, p = 1/3 is 7/27.
    assert at_least(2, [1 / 3] * 3) == pytest.approx(7 / 27)


def test_additive_fit_against_least_squares() -> None:
    marks = make(World(subjects=8, experts=5, panels=3), 1, "additive").marks
    fit = fit_additive(seen(marks))
    assert not isinstance(fit, Text)
    design = np.zeros((len(fit.row), 13))
    design[np.arange(len(fit.row)), fit.row] = 1
    design[np.arange(len(fit.row)), 8 + fit.column] = 1
    solution, *_ = np.linalg.lstsq(design, fit.value, rcond=None)
    hat = design @ np.linalg.pinv(design)
    assert fit.residual == pytest.approx(fit.value - design @ solution, abs=1e-9)
    assert fit.leverage == pytest.approx(np.diag(hat), abs=1e-9)
    assert fit.df == len(fit.row) - 12
    assert fit.effect.sum() == pytest.approx(0.0, abs=1e-9)


def test_islands_withhold_severity_across() -> None:
    marks = np.full((12, 6), np.nan)
    whole = make(World(subjects=12, experts=6), 2, "islands").marks
    marks[:6, :3], marks[6:, 3:] = whole[:6, :3] + 10, whole[6:, 3:]
    found = rate_raters(seen(marks))
    assert (found.islands, found.connected) == (2, False)
    assert "{" not in found.graph.en and "2 parts" in found.graph.en
    assert [r.island for r in found.raters] == [1, 1, 1, 2, 2, 2]
    # Within its island every severity is as if the other island did not exist.
    alone = rate_raters(seen(marks[:6, :3]))
    for one, other in zip(found.raters[:3], alone.raters, strict=True):
        assert isinstance(one.severity, Estimate) and isinstance(other.severity, Estimate)
        assert one.severity.value == pytest.approx(other.severity.value, abs=1e-6)
    # A lift of 10 points for one whole island is no severity of anybody there.
    assert all(isinstance(r.severity, Estimate) and abs(r.severity.value) < 8 for r in found.raters)
    assert isinstance(found.mandel, Text)
    bridged = marks.copy()
    bridged[0, 3] = whole[0, 3]
    assert rate_raters(seen(bridged)).connected


def test_few_subjects_are_insufficient_not_a_number() -> None:
    marks = make(World(subjects=9, experts=4), 3, "few").marks
    marks[4:, 3] = np.nan
    last = rate_raters(seen(marks), order={f"S{n:03}": n for n in range(9)}).raters[3]
    for figure in (last.severity, last.consistency, last.discrimination, last.drift):
        assert isinstance(figure, Text) and "nsufficient" in figure.en
    data = json.loads(json.dumps(rate_raters(seen(marks)).to_json(), allow_nan=False))
    assert data["raters"][3]["severity"]["value"] is None
    assert data["raters"][3]["severity"]["reason"]["zh"].startswith("不足")


def test_severity_is_the_blup_of_the_components() -> None:
    round_ = make(World(subjects=30, experts=7), 4, "severity")
    found, fit = rate_raters(round_.observed()), fit_components(round_.observed())
    assert not isinstance(fit, Text)
    for report, severity in zip(found.raters, fit.severities, strict=True):
        assert isinstance(report.severity, Estimate)
        assert (report.severity.value, report.severity.se) == pytest.approx((severity.effect, severity.se))  # fmt: skip


def test_an_erratic_and_an_even_expert_are_named() -> None:
    round_ = make(World(subjects=40, experts=9), 5, "erratic")
    noise = make(World(subjects=40, experts=9), 5, "more").marks - 75
    marks = round_.marks.copy()
    marks[:, 2] += 2.5 * noise[:, 2]
    marks[:, 6] = marks[:, [0, 1, 3, 4, 5, 7, 8]].mean(axis=1)
    reports = {r.rater: r.consistency for r in rate_raters(seen(marks)).raters}
    assert isinstance(reports["E02"], Consistency) and isinstance(reports["E06"], Consistency)
    assert reports["E02"].standing == "erratic" and reports["E02"].value > reports["E02"].high
    assert reports["E06"].standing == "even" and reports["E06"].value < reports["E06"].low
    others = [r for n, r in reports.items() if n not in ("E02", "E06")]
    assert all(isinstance(r, Consistency) and r.standing == "usual" for r in others)


def test_drift_follows_the_order_given_and_only_it() -> None:
    round_ = make(World(subjects=40, experts=7), 6, "drift")
    marks = round_.marks.copy()
    marks[:, 4] += np.linspace(-6, 6, 40)
    order = {f"S{n:03}": n for n in range(40)}
    drifts = {r.rater: r.drift for r in rate_raters(seen(marks), order=order).raters}
    assert isinstance(drifts["E04"], Estimate) and drifts["E04"].p is not None
    # 12 points over the round, of which the panel's mean takes one seventh.
    assert drifts["E04"].value == pytest.approx(12 * 6 / 7, abs=4.5)
    assert drifts["E04"].p < 0.05
    assert "drifts with the order" in rate_raters(seen(marks), order=order).raters[4].text.en
    assert all(isinstance(d, Estimate) and (d.p or 0) > 0.05 for n, d in drifts.items() if n != "E04")  # fmt: skip
    turned = {f"S{n:03}": (n * 7) % 40 for n in range(40)}
    mixed = rate_raters(seen(marks), order=turned).raters[4].drift
    assert isinstance(mixed, Estimate) and (mixed.p or 0) > 0.05
    own = {("E04", f"S{n:03}"): n for n in range(40)}
    partly = rate_raters(seen(marks), order=own).raters
    assert isinstance(partly[4].drift, Estimate) and isinstance(partly[0].drift, Text)
    assert all(isinstance(r.drift, Text) for r in rate_raters(seen(marks)).raters)


def test_discrimination_of_an_expert_who_sees_no_difference() -> None:
    marks = make(World(subjects=40, experts=7, noise=2.0), 7, "flat").marks
    marks[:, 3] = 70 + (np.arange(40) * 7 % 40) / 20
    slopes = {r.rater: r.discrimination for r in rate_raters(seen(marks)).raters}
    assert isinstance(slopes["E03"], Estimate) and abs(slopes["E03"].value) < 0.2
    assert isinstance(slopes["E00"], Estimate)
    assert slopes["E00"].value == pytest.approx(1.0, abs=4 * slopes["E00"].se)


# Two-decimal critical values of ISO 5725-2, Tables 6 and 7.
@pytest.mark.parametrize(
    ("p", "one", "five"),
    [(3, 1.15, 1.15), (5, 1.72, 1.57), (6, 1.87, 1.66), (7, 1.98, 1.71), (8, 2.06, 1.75), (9, 2.13, 1.78), (10, 2.18, 1.80)],
)  # fmt: skip
def test_critical_values_of_h(p: int, one: float, five: float) -> None:
    assert round(critical_h(p, 0.01), 2) == one
    assert round(critical_h(p, 0.05), 2) == five


@pytest.mark.parametrize(("p", "n", "one", "five"), [(5, 2, 2.05, 1.81), (3, 2, 1.71, 1.65), (10, 2, 2.32, 1.90)])  # fmt: skip
def test_critical_values_of_k(p: int, n: int, one: float, five: float) -> None:
    assert critical_k(p, n - 1, 0.01) == pytest.approx(one, abs=0.006)
    assert critical_k(p, n - 1, 0.05) == pytest.approx(five, abs=0.006)


def test_mandel_by_hand() -> None:
    # Rows 1 2 6 / 2 2 5 / 4 6 8: means 7/3 10/3 19/3, grand 4, h = (-5/3, -2/3, 7/3) / sd.
    made = mandel({"X": seen(np.array([[1.0, 2, 6], [2, 2, 5], [4, 6, 8]]))})
    assert isinstance(made, Mandel)
    deviations = np.array([-5 / 3, -2 / 3, 7 / 3])
    level = made.levels[0]
    assert list(level.h.values()) == pytest.approx(deviations / deviations.std(ddof=1))
    residual = np.array([[1.0, 2, 6], [2, 2, 5], [4, 6, 8]])
    residual = residual - residual.mean(1, keepdims=True) - residual.mean(0) + residual.mean()
    squares = (residual**2).sum(0)
    assert list(level.k.values()) == pytest.approx(np.sqrt(squares / squares.mean()))
    assert level.df == pytest.approx(4 / 3)
    left = mandel({"X": seen(np.array([[1.0, 2], [2, 2], [4, 6]]))})
    assert isinstance(left, Text)


def test_constant_shift_and_order_change_nothing() -> None:
    marks = make(World(subjects=12, experts=5), 8, "shift").marks
    before, after = rate_raters(seen(marks)), rate_raters(seen(marks + 7))

    def figures(found: Raters) -> list[float]:
        return [
            f.value
            for r in found.raters
            for f in (r.severity, r.consistency, r.discrimination)
            if not isinstance(f, Text)
        ]

    assert figures(after) == pytest.approx(figures(before), abs=1e-4)
    turned = seen(marks)
    back = Observed(turned.subjects[::-1], turned.raters[::-1], turned.values[::-1])
    assert figures(rate_raters(back)) == pytest.approx(figures(before), abs=1e-6)


def test_exact_agreement_has_no_residual() -> None:
    level = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    found = rate_raters(seen(level + 60))
    assert all(isinstance(r.consistency, Text) for r in found.raters)
    json.dumps(found.to_json(), allow_nan=False)
    assert rate_raters(Observed((), (), ())).reason is not None
