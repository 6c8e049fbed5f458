"""Flags and rank uncertainty: what a supervisor is shown beside the official result."""

from __future__ import annotations

import json
from decimal import Decimal
from math import sqrt

import numpy as np
import pytest

from app.domain.statistics.flags import Flag
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.outliers import grubbs
from app.domain.statistics.review import flag_round
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.uncertainty import (
    RankUncertainty,
    rank_uncertainty,
    variance_factor,
)
from app.domain.types import Text
from tests.domain.statistics.builders import by_item, panel, subject, vector


def simulated(n: int, k: int, *, seed: int = 7, quality: float = 5.0) -> list[SubjectMarks]:
    """A clean round: subjects x experts marks with severity 3 and noise 4, one common panel."""
    source = np.random.default_rng(seed)  # noqa: TID251
    marks = (
        75
        + quality * source.standard_normal((n, 1))
        + 3 * source.standard_normal((1, k))
        + 4 * source.standard_normal((n, k))
    )
    return [
        subject(f"S{r:03}", panel(*[f"{mark:.1f}" for mark in row])) for r, row in enumerate(marks)
    ]


def of(flags: list[Flag], rule: str) -> list[Flag]:
    return [flag for flag in flags if flag.rule == rule]


def test_grubbs_uranium() -> None:
    case = vector("nist_grubbs_uranium")
    made = grubbs(case["input"]["x"], side="max")
    assert not isinstance(made, Text)
    assert made.g == pytest.approx(case["expected"]["G"], abs=1e-9)
    assert made.critical == pytest.approx(case["expected"]["critical"], abs=1e-9)
    assert case["input"]["x"][made.index] == case["expected"]["outlier"]
    assert made.outlier
    assert isinstance(grubbs([1.0, 1.0, 1.0]), Text)
    assert isinstance(grubbs([1.0, 2.0]), Text)


def test_three_sigma_cannot_fire_on_a_panel() -> None:
    case = vector("impossible_3sigma")
    for k, bound in zip(case["input"]["k"], case["expected"]["max_possible_abs_z"], strict=True):
        made = grubbs([0.0] * (k - 1) + [1000.0])
        assert not isinstance(made, Text)
        assert made.g == pytest.approx(bound, abs=1e-9)
        assert made.g == pytest.approx((k - 1) / sqrt(k))


def test_wild_mark_is_flagged_in_both_languages() -> None:
    marks = simulated(30, 9)
    clean = of(flag_round(ScoreRule.parse({}), marks), "pooled_residual")
    sheets = dict(marks[4].stages["desk"].sheets)
    sheets["E3"] = Sheet(total=sheets["E3"].total - 35)
    marks[4] = subject("S004", StageMarks(sheets=sheets))
    flags = of(flag_round(ScoreRule.parse({}), marks), "pooled_residual")
    new = [flag for flag in flags if (flag.subject, flag.rater) == ("S004", "E3")]
    assert len(new) == 1
    assert len(flags) <= len(clean) + 1
    assert new[0].level == "red"
    assert "专家 E3 对 S004 给" in new[0].text.zh
    assert "the other 8 gave" in new[0].text.en
    assert f"{new[0].numbers['away']:+.1f}" in new[0].text.zh


def test_tight_panels_do_not_flag_trivia() -> None:
    # Everyone within 0.2 points; one mark 1 point away is many MADs, but not worth a letter.
    rows = [panel("80.0", "80.1", "80.2", "80.1", "80.0", "80.2") for _ in range(9)]
    rows.append(panel("80.0", "80.1", "81.2", "80.1", "80.0", "80.2"))
    marks = [subject(f"S{n}", row) for n, row in enumerate(rows)]
    assert of(flag_round(ScoreRule.parse({}), marks), "pooled_residual") == []
    fine = ScoreRule.parse({"flags": {"practical": "0.005", "full_mark": "100"}})
    found = of(flag_round(fine, marks), "pooled_residual")
    assert [(flag.subject, flag.rater) for flag in found] == [("S9", "E3")]


def test_exact_agreement_elsewhere_still_flags_by_points() -> None:
    marks = [subject(f"S{n}", panel(*["80"] * 7)) for n in range(6)]
    marks.append(subject("S9", panel(*["80"] * 6, "50")))
    found = of(flag_round(ScoreRule.parse({}), marks), "pooled_residual")
    assert [(flag.subject, flag.rater) for flag in found] == [("S9", "E7")]
    assert found[0].numbers["residual"] is None


def test_single_panel_uses_grubbs() -> None:
    marks = [subject("A", panel("80", "81", "79", "80", "82", "40", "81"))]
    flags = flag_round(ScoreRule.parse({}), marks)
    assert [(flag.rule, flag.rater) for flag in of(flags, "grubbs")] == [("grubbs", "E6")]
    assert of(flags, "pooled_residual") == []


@pytest.mark.parametrize(
    ("mark", "flagged"), [("96", False), ("96.01", True), ("64", False), ("63.99", True)]
)
def test_customary_deviation_is_exact(mark: str, flagged: bool) -> None:
    marks = [subject("A", panel("80", "80", "80", "80", mark))]
    found = of(flag_round(ScoreRule.parse({}), marks), "deviation")
    assert ("E5" in {flag.rater for flag in found}) is flagged


def test_straight_lines_and_duplicates() -> None:
    names = "UVWXYZ"
    sheets = {
        "E1": Sheet(items={n: Decimal(7) for n in names}),
        "E2": Sheet(items={n: Decimal(m) for n, m in zip(names, "345678", strict=True)}),
        "E3": Sheet(items={n: Decimal(m) for n, m in zip(names, "345678", strict=True)}),
        "E4": Sheet(items={n: Decimal(m) for n, m in zip(names, "986554", strict=True)}),
    }
    flags = flag_round(ScoreRule.parse({}), [subject("A", StageMarks(sheets=sheets))])
    assert [flag.rater for flag in of(flags, "straight_line")] == ["E1"]
    assert [(flag.rater, flag.numbers["other"]) for flag in of(flags, "duplicate")] == [
        ("E3", "E2")
    ]
    same = [subject(f"S{n}", panel("70", str(60 + n), str(65 + n))) for n in range(4)]
    assert [flag.rater for flag in of(flag_round(ScoreRule.parse({}), same), "same_for_all")] == [
        "E1"
    ]


def test_small_panel_is_said() -> None:
    rule = ScoreRule.parse({"quorum": 3})
    marks = [subject("A", panel("7", "8", "9"))]
    found = of(flag_round(rule, marks, score_round(rule, marks)), "small_panel")
    assert found[0].numbers == {"present": 3, "table_from": 5}


def test_flags_change_no_score() -> None:
    marks = simulated(12, 7)
    rule = ScoreRule.parse({})
    before = score_round(rule, marks).to_json()
    flag_round(rule, marks)
    assert score_round(rule, marks).to_json() == before


# -- rank uncertainty


def bands(rule: ScoreRule, marks: list[SubjectMarks], **more: int) -> RankUncertainty:
    return rank_uncertainty(rule, marks, score_round(rule, marks), **more)


def test_bands_are_repeatable_and_independent_of_row_order() -> None:
    rule = ScoreRule.parse({"top": 5})
    marks = simulated(20, 7)
    one = bands(rule, marks)
    assert one.to_json() == bands(rule, marks).to_json()
    assert one.bands == bands(rule, marks[::-1]).bands
    assert json.dumps(one.to_json(), allow_nan=False)
    assert (one.draws, one.seed) == (4000, 20120716)
    # Exactly `top` subjects are in the top of every draw.
    assert sum(band.p_top or 0.0 for band in one.bands.values()) == pytest.approx(5.0)


def test_bands_follow_the_scores() -> None:
    rule = ScoreRule.parse({"top": 3, "pass_line": "60"})
    marks = [
        subject(f"S{n}", panel(*[f"{40 + 5 * n + d}" for d in (-1, 0, 1, 2, -2)])) for n in range(9)
    ]
    result = bands(rule, marks)
    assert result.bands["S8"].standing == "in"
    assert result.bands["S8"].interval == (1, 1)
    assert result.bands["S0"].standing == "out"
    assert result.bands["S0"].p_pass == 0.0
    assert result.bands["S8"].p_pass == 1.0


def test_indistinguishable_subjects_share_the_chances() -> None:
    rule = ScoreRule.parse({"top": 2})
    base = ["70", "80", "90", "60", "75"]
    marks = [subject(f"S{n}", panel(*(base[n:] + base[:n]))) for n in range(5)]
    result = bands(rule, marks)
    assert result.components["desk"].sd_subject == pytest.approx(0.0, abs=1e-3)
    for band in result.bands.values():
        assert band.p_top == pytest.approx(0.4, abs=0.04)


def test_interval_covers_the_true_rank() -> None:
    """Over 40 simulated rounds the 90 % interval holds the true rank about nine times in ten."""
    rule = ScoreRule.parse({"top": 10})
    held = total = 0
    for seed in range(40):
        source = np.random.default_rng(seed)  # noqa: TID251
        truth = 75 + 5 * source.standard_normal(40)
        marks = truth[:, None] + 3 * source.standard_normal(7) + 4 * source.standard_normal((40, 7))
        rows = [
            subject(f"S{r:02}", panel(*[f"{m:.2f}" for m in row])) for r, row in enumerate(marks)
        ]
        result = bands(rule, rows, draws=1000)
        order = (-truth).argsort().argsort() + 1
        for r, rank_ in enumerate(order):
            low, high = result.bands[f"S{r:02}"].interval
            held += low <= rank_ <= high
            total += 1
    assert 0.87 <= held / total <= 0.96


def test_two_panels_move_together() -> None:
    """With severe panels apart, a subject's band must be wider than with one common panel."""
    source = np.random.default_rng(3)  # noqa: TID251
    truth = 75 + 3 * source.standard_normal(20)
    severity = 6 * source.standard_normal(20)
    noise = 2 * source.standard_normal((20, 5))
    common, apart = [], []
    for r in range(20):
        common.append(
            subject(
                f"S{r:02}",
                panel(*[f"{truth[r] + severity[e] + noise[r, e]:.2f}" for e in range(5)]),
            )
        )
        own = {
            f"E{(r // 5) * 5 + e}": Sheet(
                total=Decimal(f"{truth[r] + severity[(r // 5) * 5 + e] + noise[r, e]:.2f}")
            )
            for e in range(5)
        }
        apart.append(subject(f"S{r:02}", StageMarks(sheets=own)))

    def width(marks: list[SubjectMarks]) -> float:
        found = bands(ScoreRule.parse({}), marks).bands.values()
        return sum(band.interval[1] - band.interval[0] for band in found) / len(found)

    assert width(apart) > width(common) + 1


def test_bands_undefined_with_a_reason() -> None:
    one = bands(ScoreRule.parse({}), [subject("A", panel(*["80"] * 5))])
    assert one.bands == {}
    assert one.reason is not None
    equal = bands(ScoreRule.parse({}), [subject(n, panel(*["80"] * 5)) for n in "AB"])
    assert equal.reason is not None
    assert "no variation" in equal.reason.en


def test_bands_by_item_and_with_a_survey() -> None:
    rule = ScoreRule.parse(
        {
            "trim": {"unit": "item"},
            "modules": {"desk": "0.9", "survey": "0.1"},
            "quorum": 3,
            "top": 1,
        }
    )
    marks = []
    for n, name in enumerate("ABCD"):
        rows = {item: [str(6 + n + (e + i) % 2) for e in range(5)] for i, item in enumerate("XY")}
        rows["Y"][n] = None
        survey = StageMarks(kind="value", value=Decimal(80))
        marks.append(SubjectMarks(name, {"desk": by_item(**rows), "survey": survey}))
    result = bands(rule, marks)
    assert result.reason is None
    best = max(result.bands, key=lambda name: result.bands[name].p_top or 0)
    assert best == "D"


def test_trimming_costs_little_on_clean_marks() -> None:
    assert variance_factor("mean", 9, 1) == 1.0
    assert 1.0 <= variance_factor("trimmed_mean", 9, 1) < 1.1
    # The median of five normal marks has variance .2868 (Teichroew 1956), five times that is 1.434.
    assert variance_factor("median", 5, 0) == pytest.approx(1.434, abs=0.05)
