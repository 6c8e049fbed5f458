"""The exact tests against values known from elsewhere, and a planted bias among fair operators."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest

from app.supervision import surprise
from tests.supervision.conftest import coin


def test_fisher_is_the_tea_tasting_lady():
    # Fisher, The Design of Experiments (1935): 4 of 4 right among 8 cups is 1/70, 3 or more 17/70.
    assert surprise.fisher_tail(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert surprise.fisher_tail(3, 4, 1, 4) == pytest.approx(17 / 70)


def test_clopper_pearson_matches_published_limits():
    # 0 of 10 has the upper limit 1 - 0.025**(1/10); 5 of 10 is 0.187 to 0.813.
    none = surprise.clopper_pearson(0, 10)
    assert (none.low, round(none.high, 6)) == (0.0, round(1 - 0.025**0.1, 6))
    half = surprise.clopper_pearson(5, 10)
    assert (round(half.low, 4), round(half.high, 4)) == (0.1871, 0.8129)


def test_poisson_binomial_equals_the_sum_over_all_outcomes():
    chances = [0.1, 0.25, 0.5, 0.9, 0.03]
    for k in range(7):
        brute = sum(
            prod(p if hit else 1 - p for p, hit in zip(chances, hits, strict=True))
            for hits in product((0, 1), repeat=5)
            if sum(hits) >= k
        )
        assert surprise.poisson_binomial_tail(k, chances) == pytest.approx(brute, abs=1e-12)


def test_holm_steps_down_and_stays_in_order():
    assert surprise.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_what_cannot_reject_costs_nothing_and_says_few():
    verdicts = surprise.judge([(0.004, 0.0001), *[(0.3, 0.2)] * 20])
    assert verdicts[0].verdict == "high" and verdicts[0].adjusted == pytest.approx(0.004)
    assert {v.verdict for v in verdicts[1:]} == {"few"}


def test_a_single_operator_is_never_accused():
    (alone,) = surprise.operators([(40, 40)])
    assert alone.verdict == "few"


def _declines(seed: str, operator: int, rate: float, n: int) -> int:
    return sum(coin(f"{seed}|{operator}", i) < rate for i in range(n))


def test_the_biased_operator_is_found_and_fair_ones_are_not():
    """200 simulated offices of six operators with 50 calls each: fair ones are flagged in at most
    1 % of the offices (all were simulated, none chosen), one of 55 % among 20 % in nine of ten."""
    fair = found = wronged = 0
    for office in range(200):
        counts = [(_declines(f"fair{office}", o, 0.2, 50), 50) for o in range(6)]
        fair += any(v.verdict == "high" for v in surprise.operators(counts))
        biased = [(_declines(f"bias{office}", 0, 0.55, 50), 50), *counts[1:]]
        verdicts = surprise.operators(biased)
        found += verdicts[0].verdict == "high"
        wronged += any(v.verdict == "high" for v in verdicts[1:])
    assert fair <= 4  # expected below 2 of 200
    assert found >= 180
    assert wronged <= 4


def test_an_expert_drawn_every_time_is_found_and_the_lucky_are_not():
    cases = [(sum(coin(f"e{e}", d) < 0.1 for d in range(30)), [0.1] * 30) for e in range(100)]
    assert all(v.verdict == "usual" for v in surprise.shares(cases))
    planted = surprise.shares([*cases, (14, [0.1] * 30)])
    assert planted[-1].verdict == "high"
    assert [v.verdict for v in planted[:-1]].count("high") == 0


def test_two_draws_are_too_few_to_say():
    assert [v.verdict for v in surprise.shares([(2, [0.2, 0.2]), (0, [0.2, 0.2])])] == ["few"] * 2
