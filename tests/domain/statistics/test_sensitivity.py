"""Weights, experts left out, other rules, the shadow ranking, resampled intervals."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from app.domain.statistics.agreement import agreement, experts_needed
from app.domain.statistics.alpha import alpha
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.rerun import leave_out
from app.domain.statistics.resampling import Interval, alpha_interval
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.sensitivity import leave_one_out, weight_sensitivity, what_if
from app.domain.statistics.shadow import Adjusted, adjust_severity, shadow_ranking
from app.domain.statistics.streams import normals, picks, uniforms, words
from app.domain.types import Text
from tests.domain.statistics.builders import by_item, panel, subject
from tests.proof.rounds import World, items, make

RULE = ScoreRule.parse({"top": 3})


def test_streams_are_what_the_page_says() -> None:
    from hashlib import sha256

    block = sha256(b"7|x|0").digest() + sha256(b"7|x|1").digest()
    expected = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(11)]
    assert words(7, "x", 11).tolist() == expected
    u = uniforms(7, "x", 4000)
    assert u.min() > 0 and u.max() < 1 and u.mean() == pytest.approx(0.5, abs=0.02)
    z = normals(7, "y", 4000)
    assert (z.mean(), z.std()) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.04))
    assert set(picks(7, "z", 500, 6)) == set(range(6))


# -- weights


def test_weights_move_who_lives_on_one_item() -> None:
    """A leads by one item, B is even: small shifts of the weights decide between them, not about C."""
    rows = {"A": ("10", "6", "6.1"), "B": ("7.3", "7.4", "7.3"), "C": ("3", "3", "3"), "D": ("9", "9", "9")}  # fmt: skip
    marks = [subject(n, by_item(X=[x] * 5, Y=[y] * 5, Z=[z] * 5)) for n, (x, y, z) in rows.items()]
    rule = ScoreRule.parse({"top": 2})
    found = weight_sensitivity(rule, marks, score_round(rule, marks))
    assert found.reason is None and (found.draws, found.seed) == (1000, 20120716)
    p = {name: band.p_top for name, band in found.bands.items()}
    assert p["C"] == 0.0 and p["D"] == 1.0
    assert p["A"] is not None and p["B"] is not None and 0.2 < p["A"] < 0.8
    assert p["A"] + p["B"] == pytest.approx(1.0)
    assert found.same_list == pytest.approx(p["A"])
    assert found.bands["D"].interval == (1, 1)
    assert found == weight_sensitivity(rule, marks, score_round(rule, marks))


@pytest.mark.parametrize("unit", ["sheet", "item"])
def test_weights_of_items_and_stages(unit: str) -> None:
    rule = ScoreRule.parse(
        {"trim": {"unit": unit}, "modules": {"desk": "0.6", "survey": "0.4"}, "top": 1, "quorum": 3}
    )
    marks = []
    for name, desk, survey in (("A", "60", "95"), ("B", "90", "50"), ("C", "40", "40")):
        marks.append(
            SubjectMarks(
                name,
                {
                    "desk": by_item(X=[str(Decimal(desk) / 2)] * 5, Y=[str(Decimal(desk) / 2)] * 5),
                    "survey": StageMarks(kind="value", value=Decimal(survey)),
                },
            )
        )
    found = weight_sensitivity(rule, marks, score_round(rule, marks))
    p = {name: band.p_top for name, band in found.bands.items()}
    assert p["C"] == 0.0 and p["A"] is not None and p["B"] is not None
    assert 0.05 < p["A"] < 0.95 and p["A"] + p["B"] == pytest.approx(1.0)


def test_one_item_and_one_stage_have_no_weights() -> None:
    marks = [subject(n, by_item(X=[t] * 5)) for n, t in (("A", "7"), ("B", "8"))]
    found = weight_sensitivity(RULE, marks, score_round(RULE, marks))
    assert found.bands == {} and found.reason is not None and "no weight" in found.reason.en


def test_unvaried_weights_give_the_official_totals() -> None:
    """With factors that are all alike the perturbed values are the official ones."""
    from unittest.mock import patch

    from app.domain.statistics import sensitivity

    marks = items(World(subjects=8, experts=7), 6, 1, "weights")
    scores = score_round(RULE, marks)
    with patch.object(sensitivity, "_gammas", lambda _s, _l, d, c: np.ones((d, c))):
        found = weight_sensitivity(RULE, marks, scores, draws=20)
    assert found.same_list == 1.0
    for name, band in found.bands.items():
        rank = scores.subjects[name].rank
        assert band.interval[0] <= (rank or 0) + 0 and band.p_top in (0.0, 1.0)


# -- experts left out


def test_pivotal_experts_against_a_complete_run() -> None:
    marks = items(World(subjects=12, experts=6), 5, 2, "pivot")
    rule = ScoreRule.parse({"top": 4, "trim": {"unit": "item"}})
    scores = score_round(rule, marks)
    before = {n: s.rank for n, s in scores.subjects.items()}
    found = leave_one_out(rule, marks, scores)
    assert [one.rater for one in found] == [f"E{n:02}" for n in range(6)]
    for one in found:
        gone = frozenset({one.rater})
        again = score_round(replace(rule, quorum=4), [leave_out(s, gone) for s in marks])
        top = {n for n, s in again.subjects.items() if (s.rank or 99) <= 4}
        was = {n for n, r in before.items() if (r or 99) <= 4}
        assert (set(one.into), set(one.out)) == (top - was, was - top)
        assert one.pivotal is (top != was)
        shifts = [abs((again.subjects[n].rank or 0) - (r or 0)) for n, r in before.items()]
        assert one.largest_shift == max(shifts)
        assert one.rater in one.text.zh and ("list stays" in one.text.en) is not one.pivotal


def test_the_one_who_makes_the_list_is_named() -> None:
    rows = {"A": ["80", "80", "80", "80", "99"], "B": ["81", "81", "81", "81", "40"]}
    rule = ScoreRule.parse({"estimator": "mean", "top": 1})
    marks = [subject(n, panel(*row)) for n, row in rows.items()]
    pivotal = [o for o in leave_one_out(rule, marks, score_round(rule, marks)) if o.pivotal]
    assert [(o.rater, o.into, o.out) for o in pivotal] == [("E5", ("B",), ("A",))]


# -- other rules


def test_what_if_table_is_the_other_rules_own_scoring() -> None:
    marks = items(World(subjects=10, experts=7), 5, 3, "what-if")
    scores = score_round(RULE, marks)
    found = {other.name: other for other in what_if(RULE, marks, scores)}
    assert set(found) == {"mean", "median", "trim_sheet", "trim_item", "winsorised", "algorithm_a", "severity_adjusted"}  # fmt: skip
    for name, change in (
        ("mean", {"estimator": "mean"}),
        ("median", {"estimator": "median"}),
        ("trim_item", {"unit": "item"}),
        ("winsorised", {"estimator": "winsorised"}),
        ("algorithm_a", {"estimator": "algorithm_a"}),
    ):
        official = score_round(replace(RULE, **change), marks)  # type: ignore[arg-type]
        assert found[name].ranks == {n: s.rank for n, s in official.subjects.items()}, name
    assert found["trim_sheet"].largest_shift == 0
    assert found["trim_sheet"].ranks == {n: s.rank for n, s in scores.subjects.items()}


def test_totals_that_are_no_sums_cannot_be_trimmed_by_item() -> None:
    sheet = {"X": Decimal(5), "Y": Decimal(6)}
    sheets = {f"E{n}": Sheet(total=Decimal(30 + n), items=sheet) for n in range(5)}
    marks = [subject(n, StageMarks(sheets=sheets)) for n in "AB"]
    other = next(o for o in what_if(RULE, marks, score_round(RULE, marks)) if o.name == "trim_item")
    assert other.reason is not None and other.ranks == {}
    bare = [subject(n, panel(*["80"] * 5)) for n in "AB"]
    other = next(o for o in what_if(RULE, bare, score_round(RULE, bare)) if o.name == "trim_item")
    assert other.reason is not None and "no marks by item" in other.reason.en


# -- shadow


def test_severity_of_random_panels_is_taken_out() -> None:
    """Two equal subjects, one before the strict, one before the lenient: the shadow sees them level."""
    round_ = make(World(subjects=30, experts=12, panels=6, quality=5, severity=5, noise=1), 4, "shadow")  # fmt: skip
    made = adjust_severity(round_.observed())
    assert isinstance(made, Adjusted)
    levels = np.array([made.subjects[f"S{n:03}"] for n in range(30)])
    raw = np.nanmean(round_.marks, axis=1)
    truth = round_.quality

    def error(values: np.ndarray) -> float:
        away = values - values.mean() - (truth - truth.mean())
        return float((away**2).mean() ** 0.5)

    assert error(levels) < 0.5 * error(raw)


def test_huber_weights_hold_off_a_colluder() -> None:
    round_ = make(World(subjects=20, experts=7, noise=2), 5, "wild")
    marks = round_.marks.copy()
    marks[3, 2] += 30
    seen = replace(round_, marks=marks).observed()
    robust, plain = adjust_severity(seen), adjust_severity(seen, robust=False)
    assert isinstance(robust, Adjusted) and isinstance(plain, Adjusted)
    clean = adjust_severity(round_.observed())
    assert isinstance(clean, Adjusted)
    away = abs(robust.subjects["S003"] - clean.subjects["S003"])
    assert away < 0.5 * abs(plain.subjects["S003"] - clean.subjects["S003"])
    assert robust.weights["S003", "E02"] < 0.3


def test_shadow_never_changes_the_official_ranks_and_triggers_at_the_line() -> None:
    round_ = make(World(subjects=30, experts=12, panels=5, severity=6, noise=2), 6, "trigger")
    marks = round_.subjects()
    scores = score_round(RULE, marks)
    before = scores.to_json()
    found = shadow_ranking(RULE, marks, scores)
    assert scores.to_json() == before
    crossing = {n for n, p in found.places.items() if (p.rank <= 3) != (p.official <= 3)}
    assert crossing == {*found.moved_in, *found.moved_out} and crossing
    assert found.triggers_review and "review is advised" in found.text.en
    assert found.to_json()["official"] is False
    for name, place in found.places.items():
        assert place.official == scores.subjects[name].rank
    calm = [subject(f"S{n}", panel(*[f"{50 + 9 * n + d}" for d in (0, 1, 2, 3, 4)])) for n in range(5)]  # fmt: skip
    quiet = shadow_ranking(RULE, calm, score_round(RULE, calm))
    assert not quiet.triggers_review


def test_shadow_across_islands_is_refused() -> None:
    marks = np.full((10, 8), np.nan)
    whole = make(World(subjects=10, experts=8), 7, "islands").marks
    marks[:5, :4], marks[5:, 4:] = whole[:5, :4], whole[5:, 4:]
    seen = replace(make(World(subjects=10, experts=8), 7, "islands"), marks=marks)
    found = adjust_severity(seen.observed())
    assert isinstance(found, Text) and "cannot be adjusted across" in found.en


# -- resampled intervals


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_interval_holds_the_estimate_and_is_repeatable(scale: str) -> None:
    rows = np.round(make(World(subjects=15, experts=6), 8, "alpha").marks / 10).tolist()
    rows[2][1] = rows[7][4] = None
    made = alpha_interval(rows, scale, resamples=300)
    assert isinstance(made, Interval)
    point = alpha(rows, scale)
    assert not isinstance(point, Text)
    assert made.low < point < made.high <= 1.0
    assert made == alpha_interval(rows, scale, resamples=300)
    assert made != alpha_interval(rows, scale, resamples=300, seed=1)


def test_alpha_interval_needs_three_of_each() -> None:
    assert isinstance(alpha_interval([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]], "interval"), Text)
    assert isinstance(alpha_interval([[1.0, 2.0, 3.0], [2.0, 2.0, 1.0]], "interval"), Text)


def test_random_panels_get_a_simulated_interval_when_asked() -> None:
    marks = make(World(subjects=20, experts=8, panels=4), 9, "refit").marks
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in marks]
    form = agreement(rows, resamples=150).icc["ICC(A,k)"]
    assert form.low is not None and form.high is not None and form.value is not None
    assert form.low < form.value < form.high
    assert form.convention == "parametric bootstrap"
    assert agreement(rows).icc["ICC(A,k)"].low is None


def test_experts_needed_by_spearman_brown() -> None:
    # .3 for one: the mean of 7 has 7 x .3 / (1 + 6 x .3) = .75 exactly.
    assert experts_needed(0.3) == 7
    assert experts_needed(0.29) == 8
    assert experts_needed(None) is None
    assert experts_needed(0.0) is None


def test_agreement_json_has_no_number_without_meaning() -> None:
    rows = [[None if (r + c) % 3 else float(60 + r + c) for c in range(6)] for r in range(6)]
    json.dumps(agreement(rows, resamples=50).to_json(), allow_nan=False)
