"""Jiangsu's check on site (S2 六(三)): the votes, the county that is out, the place that stays empty."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.aggregation import checks
from app.aggregation.diagnostics_checks import check_agreements
from app.aggregation.places import give_places
from app.aggregation.reading import Reading
from app.domain.types import Conflict
from app.programme.scheme import library_schemes
from app.report.check_sections import check_blocks
from tests.schemes import builders
from tests.schemes.builders import sit


def failing(*seats: int) -> Any:
    """Experts by seat number who find that plots were not rectified."""
    return lambda sitting, n: {"K2.pass": "no", "K2.reason": "图斑未整改"} if n + 1 in seats else {}


def test_a_majority_of_fails_takes_a_county_out_and_nobody_moves_up(
    jiangsu: builders.Small, monkeypatch: Any
) -> None:
    first, second = jiangsu.subjects

    def votes(sitting: Any, n: int) -> dict[str, Any]:
        against = 3 if sitting.subject_id == first.id else 2
        return failing(*range(1, against + 1))(sitting, n)

    sit(jiangsu, monkeypatch, "site", votes)
    run = jiangsu.run()
    reading = Reading(run)
    one, two = reading.ranking()
    assert (one.id, one.status, one.total, one.rank) == (
        first.region_code, "disqualified", Decimal("90.75"), "1",
    )  # fmt: skip
    assert (two.id, two.status, two.total, two.rank) == (
        second.region_code, "scored", Decimal("87.00"), "2",
    )  # fmt: skip
    rows = {row.id: row for row in reading.checks()}
    out, kept = rows[first.region_code], rows[second.region_code]
    assert (out.outcome, out.against, len(out.votes)) == ("failed", 3, 5)
    assert (kept.outcome, kept.against, len(kept.votes)) == ("passed", 2, 5)
    assert [v.seat for v in out.votes if v.failed] == [1, 2, 3]
    assert {(i, reason) for v in out.votes for i, _, reason in v.failed} == {("K2", "图斑未整改")}
    (agreed,) = check_agreements(reading.counties)  # of 10 pairs of experts 4 agree, both times
    assert (agreed.share, agreed.votes, agreed.failed) == ("40.0", 10, 5)
    model, advanced = reading.places()
    assert (model.taken, model.unfilled) == ((second.region_code,), (first.region_code,))
    assert (advanced.taken, advanced.unfilled, advanced.maximum) == ((), (), 10)
    paper = str(check_blocks(reading))
    assert "3 failed, 2 passed" in paper and "2 张未通过，3 张通过" in paper
    assert f"1（{first.name_zh}，不再增补）" in paper and "图斑未整改" in paper


def test_a_tie_is_not_a_fail_and_is_shown(jiangsu: builders.Small, monkeypatch: Any) -> None:
    first = jiangsu.subjects[0]
    sit(jiangsu, monkeypatch, "site", failing(1, 2), only=(first,), absent=(5,))
    reading = Reading(jiangsu.run())
    (row,) = reading.checks()  # the other county was not chosen for the check
    assert (row.id, row.outcome, row.against, len(row.votes)) == (
        first.region_code, "tied", 2, 4,
    )  # fmt: skip
    assert [(v.seat, v.state) for v in row.silent] == [(5, "absent")]
    assert reading.out() == frozenset()
    assert len(reading.places()[0].taken) == 2
    assert "tied, which is not a fail" in str(check_blocks(reading))


def test_a_check_that_is_not_over_stops_the_run_by_name(
    jiangsu: builders.Small, monkeypatch: Any
) -> None:
    first = jiangsu.subjects[0]
    sit(jiangsu, monkeypatch, "site", failing(), only=(first,), close=False)
    with pytest.raises(Conflict) as caught:
        jiangsu.run()
    assert first.name_zh in caught.value.text.zh and "查验未结束" in caught.value.text.zh


def test_without_a_check_nobody_is_out(jiangsu: builders.Small) -> None:
    reading = Reading(jiangsu.run())
    assert reading.checks() == [] and reading.out() == frozenset()
    assert [len(place.taken) for place in reading.places()] == [2, 0]


@pytest.mark.parametrize(
    ("rule", "against", "votes", "expected"),
    [
        ("majority", 2, 3, "failed"), ("majority", 1, 3, "passed"), ("majority", 2, 4, "tied"),
        ("majority", 0, 4, "passed"), ("majority", 0, 0, "none"), ("any", 1, 5, "failed"),
        ("any", 0, 5, "passed"), ("all", 4, 5, "passed"), ("all", 5, 5, "failed"),
    ],
)  # fmt: skip
def test_verdicts(rule: str, against: int, votes: int, expected: str) -> None:
    assert checks.outcome(rule, against, votes) == expected


def test_the_default_is_data_and_to_be_confirmed() -> None:
    scheme, _ = library_schemes()["jiangsu-enforcement-2022"]
    setting = next(s for s in scheme.settings if s.id == "site_verdict")
    assert (setting.value, setting.status) == ("majority", "default")


PLACES = [
    {"id": "model", "title": {"zh": "模范", "en": "Model"}, "max": 10, "group": None},
    {"id": "advanced", "title": {"zh": "先进", "en": "Advanced"}, "max": 10, "group": None},
]


def test_ten_and_ten_without_back_fill() -> None:
    ranked = [(f"c{n:02d}", n, None) for n in range(1, 23)]
    model, advanced = give_places(PLACES, ranked, frozenset({"c03", "c12", "c22"}))
    assert model.taken == tuple(f"c{n:02d}" for n in range(1, 11) if n != 3)
    assert model.unfilled == ("c03",)
    assert advanced.taken == tuple(f"c{n:02d}" for n in range(11, 21) if n != 12)
    assert advanced.unfilled == ("c12",)  # c21 is not moved up


def test_a_tie_across_the_limit_is_left_to_people() -> None:
    ranked = [(f"c{n:02d}", min(n, 10), None) for n in range(1, 12)]  # 10= twice
    model, advanced = give_places(PLACES, ranked, frozenset())
    assert len(model.taken) == 9 and model.undecided == ("c10", "c11")
    assert advanced.taken == () and advanced.undecided == ("c10", "c11")
