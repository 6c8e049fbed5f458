"""Yuen's standard error against a hand calculation, and the band that it makes."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import pytest

from app.domain.statistics.bands import score_bands, yuen
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round


def test_yuen_by_hand() -> None:
    # winsorised: 80 80 82 84 86 88 88, mean 84, sum of squares 16+16+4+0+4+16+16 = 72
    found = yuen([70, 80, 82, 84, 86, 88, 99], 1)
    assert found == (pytest.approx(sqrt(72 / 6) * sqrt(7) / 5), 4)
    assert yuen([80, 90], 0) == (pytest.approx(sqrt(50) / sqrt(2)), 1)
    assert yuen([80, 82, 84], 1) is None


def test_the_band_lies_around_the_total_and_narrows_with_agreement() -> None:
    def subject(name: str, *marks: int) -> SubjectMarks:
        sheets = {str(n): Sheet(total=Decimal(m)) for n, m in enumerate(marks, 1)}
        return SubjectMarks(name, {"desk": StageMarks(sheets=sheets)})

    rule = ScoreRule.parse({})
    given = [subject("a", 80, 81, 82, 83, 84), subject("b", 60, 70, 82, 90, 99), subject("c", 80)]
    bands = score_bands(rule, given, score_round(rule, given))
    assert set(bands) == {"a", "b"}  # c has no quorum and no score
    for name, band in bands.items():
        assert (band.low + band.high) / 2 == pytest.approx(
            82.0 if name == "a" else 80.6667, abs=0.01
        )
    assert bands["a"].high - bands["a"].low < bands["b"].high - bands["b"].low
    # a: winsorised 81 81 82 83 83, variance 1, se = sqrt(5)/3; t(.95, 2) = 2.919986
    assert bands["a"].high == pytest.approx(82 + 2.919986 * sqrt(5) / 3, abs=1e-4)
