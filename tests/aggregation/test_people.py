"""The people behind the seats: favour to the own region, one expert on two panels, older runs."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from app.aggregation import invariants, operations
from app.aggregation.inputs import same_inputs
from app.aggregation.people import at_home
from app.aggregation.results import compute
from app.directory.models import Employment, Organisation
from app.domain.statistics.rule import ScoreRule
from app.ledger.append import append
from tests.aggregation import builders
from tests.aggregation.diagnostic_runs import stored

COUNTIES = [f"K{n:02d}" for n in range(1, 13)]
HOME = COUNTIES[:4]


def table(lift: int) -> dict[str, list[str | None]]:
    """Twelve counties, seven experts; the third adds `lift` points to the first four counties."""
    made: dict[str, list[str | None]] = {}
    for row, county in enumerate(COUNTIES):
        noise = hashlib.sha256(county.encode()).digest()
        own = lift if county in HOME else 0
        made[county] = [
            str(60 + 2 * row + noise[i] % 5 + i % 3 + (own if i == 2 else 0)) for i in range(7)
        ]
    return made


def run_of(lift: int, **more: Any) -> tuple[ScoreRule, dict[str, Any]]:
    made = stored({"desk": table(lift)})
    return ScoreRule.parse(made.rule), {**made.inputs, **more}


def home_lift(results: dict[str, Any]) -> tuple[list[Any], str]:
    flags = [f["rater"] for f in results["flags"] if f["rule"] == "home_lift"]
    (check,) = [c for c in results["checks"] if c["rule"] == "home_lift"]
    return flags, check["outcome"]


def test_a_planted_favour_to_the_own_region_is_pointed_out_and_an_ordinary_round_is_not() -> None:
    homes = {"desk": {"3": HOME}}
    for lift, wanted in ((12, (["3"], "fired")), (0, ([], "clear"))):
        found = home_lift(compute(*run_of(lift, homes=homes)))
        assert (sorted(filter(None, found[0])), found[1]) == wanted
    # A run of before homes were kept: the rule says that it could not look.
    assert home_lift(compute(*run_of(12))) == ([], "not_enough_data")


@pytest.mark.parametrize(
    ("region", "place", "home"),
    [
        ("610822", "610822", True),
        ("610802", "610822", True),  # another county of the prefecture
        ("610800", "610822", True),  # the prefecture itself
        ("610102", "610822", False),
        ("610000", "610822", False),  # the whole province
        ("110105", "110105", True),
        ("110105", "110108", False),  # districts of a municipality are no prefecture
        ("110000", "110108", False),
        ("429004", "429005", False),  # counties under the province itself
    ],
)  # fmt: skip
def test_home_is_the_county_or_its_prefecture(region: str, place: str, home: bool) -> None:
    assert at_home(region, place) is home


def test_an_expert_on_two_panels_is_one_person() -> None:
    marks = {f"K{n}": [str(90 - 4 * n + i * n % 3) for i in range(5)] for n in range(1, 7)}
    panels = {f"K{n}": "P1" if n < 4 else "P2" for n in range(1, 7)}
    made = stored({"desk": marks}, panels=panels)
    one, two = "P1-3", "P2-5"
    people = {"desk": {one: f"{one}+{two}", two: f"{one}+{two}"}}
    rule = ScoreRule.parse(made.rule)
    results = compute(rule, {**made.inputs, "people": people})
    # One severity for his two seats: five and five experts are nine; no score moves.
    names = [row["rater"] for row in results["uncertainty"]["components"]["desk"]["severities"]]
    assert len(names) == 9 and f"{one}+{two}" in names and one not in names
    apart = compute(rule, made.inputs)
    assert results["scores"] == apart["scores"]
    assert results["uncertainty"]["components"]["desk"]["islands"] == 1
    assert apart["uncertainty"]["components"]["desk"]["islands"] == 2
    # A flag on one county goes back to the seat that he has there.
    high = {**marks, "K5": [*marks["K5"][:4], "99"]}
    other = stored({"desk": high}, panels=panels)
    flags = compute(rule, {**other.inputs, "people": people})["flags"]
    found = {f["rater"] for f in flags if f["subject"] == "K5" and f["rater"]}
    assert found == {two}
    assert any(f"{one}+{two}" in f["text"]["zh"] for f in flags if f["rater"] == two)


def test_what_a_run_keeps_of_its_people(session: Any) -> None:
    made = builders.reload(session)
    own, county = made.experts[2][0], made.round.subjects[0]
    body = Organisation(name="测试研究院", kind="institute", region_code=county.region_code)
    session.add(body)
    session.flush()
    post = Employment(
        person_id=own.person_id, organisation_id=body.id, since=date(2010, 1, 1), until=None
    )
    session.add(post)
    append(session, None, "test.employment")
    run = operations.run(session, made.office, round=made.round)
    # The third of the desk is the first of the site; of each expert only what he marked at home.
    kept = run.inputs["homes"]
    assert kept == {"desk": {"3": [county.region_code]}, "site": {"1": [county.region_code]}}
    assert "people" not in run.inputs and body.name not in str(run.inputs)
    # An employer that ended before the sitting is nobody's home, and makes no other result.
    session.expire_all()
    post.until = date(2012, 1, 1)
    append(session, None, "test.employment")
    assert invariants.inputs_are_current(session) == []
    assert invariants.last_runs_replay(session) == []
    older = {k: v for k, v in run.inputs.items() if k not in ("homes", "agreement")}
    assert same_inputs(older, run.inputs) and same_inputs(run.inputs, {**run.inputs, "homes": {}})
    rule = ScoreRule.parse(run.rule)
    before = compute(rule, older)
    assert compute(rule, run.inputs) == {k: v for k, v in run.results.items() if k != "changes"}
    assert before["scores"] == run.results["scores"]
    # As it was computed then: no interval with gaps, and the point in the verdict.
    desk = before["agreement"][0]
    assert desk["icc"]["ICC(A,k)"]["low"] is None and desk["verdict"]["basis"] == "point"
    assert "seed" not in desk and desk["alpha_interval"] == {}
