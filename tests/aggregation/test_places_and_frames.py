"""Places from the schemes' quotas with exact outcomes; classes put on a new scale, old and new shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from app.aggregation import invariants, operations
from app.aggregation.comparison import compare
from app.aggregation.inputs import collect, same_inputs
from app.aggregation.places import Awarded, awarded, given_places
from app.aggregation.reading import Reading
from app.aggregation.results import marks_of
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.types import Text
from app.ledger.append import append
from app.programme.scheme import library_schemes, score_rule_from, tiers_of
from app.report.rule_words import place_words
from tests.aggregation import builders


def rule_of(scheme: str) -> ScoreRule:
    """The rule that the library's scheme amounts to, with one module so that a total is one value."""
    rule = score_rule_from(library_schemes()[scheme][0])
    return replace(rule, modules={"m": Decimal(1)}, items={}, ties=("unrounded", "shared"))


def titles(scheme: str) -> list[dict[str, Any]]:
    return [
        {"id": t["id"], "title": {"zh": t["title"].zh, "en": t["title"].en}, "max": t["max"],
         "group": t.get("group")}
        for t in tiers_of(library_schemes()[scheme][0])
    ]  # fmt: skip


def inputs(
    scheme: str, totals: Mapping[str, str], out: tuple[str, ...] = (), groups: Any = None
) -> dict[str, Any]:
    """Stored counties with a confirmed value each."""
    return {
        "stages": [],
        "places": titles(scheme),
        "subjects": [
            {
                "id": key, "group": (groups or {}).get(key), "vetoed": False, "veto_reason": None,
                "status": "disqualified" if key in out else "qualified", "adjust": "0",
                "stages": {"m": {"kind": "value", "value": total}},
            }
            for key, total in totals.items()
        ],
    }  # fmt: skip


def given(rule: ScoreRule, stored: dict[str, Any]) -> list[Awarded]:
    scores = score_round(rule, marks_of(stored), [])
    results = {"scores": scores.to_json(), **given_places(rule, stored, scores)}
    assert "places" in results
    return awarded(stored, results, frozenset())


def numbered(*numbers: int) -> tuple[str, ...]:
    return tuple(f"c{n:02d}" for n in numbers)


COUNTIES = {f"c{n:02d}": str(100 - n) for n in range(1, 24)}


def test_jiangsu_ten_and_ten_without_back_fill() -> None:
    rule = rule_of("jiangsu-enforcement-2022")
    assert [(t.id, t.maximum, t.minimum, t.group, t.backfill) for t in rule.places] == [
        ("model", 10, 0, None, False), ("advanced", 10, 0, None, False),
    ]  # fmt: skip
    stored = inputs("jiangsu-enforcement-2022", COUNTIES, numbered(3, 12, 22))
    model, advanced = given(rule, stored)
    assert model.taken == numbered(1, 2, *range(4, 11)) and model.unfilled == numbered(3)
    assert advanced.taken == numbered(11, *range(13, 21)) and advanced.unfilled == numbered(12)
    assert str(model.title) == "年度模范县（市、区）不超过10个" or "模范县" in str(model.title)
    # The same counties under a rule that fills again: the eleventh and the twenty-third move up.
    filled = replace(rule, places=tuple(replace(t, backfill=True) for t in rule.places))
    model, advanced = given(filled, stored)
    assert model.taken == numbered(1, 2, *range(4, 12)) and model.unfilled == ()
    assert advanced.taken == numbered(*range(13, 22), 23)


def test_luohe_one_of_each_kind() -> None:
    rule = rule_of("luohe-2010")
    groups = {"a": "county", "b": "county", "x": "industrial_cluster", "y": "industrial_cluster"}
    stored = inputs("luohe-2010", {"a": "88", "b": "90", "x": "70", "y": "70"}, groups=groups)
    county, cluster = given(rule, stored)
    assert (county.maximum, county.taken, county.undecided) == (1, ("b",), ())
    assert (cluster.maximum, cluster.taken, cluster.undecided) == (1, (), ("x", "y"))
    stored["subjects"][1]["status"] = "disqualified"
    county, _ = given(rule, stored)
    assert (county.taken, county.unfilled) == ((), ("b",))  # the second county does not move up


@pytest.mark.parametrize(
    ("totals", "taken", "undecided", "short"),
    [
        ("90 89 88 87 86 85", 5, 0, False), ("90 89 88 87", 4, 0, False),
        ("90 89", 2, 0, True), ("90 89 88 87 86 86", 4, 2, False),
    ],
)  # fmt: skip
def test_three_to_five_a_province(totals: str, taken: int, undecided: int, short: bool) -> None:
    rule = rule_of("mlr-rule-of-law-2008")
    assert [(t.id, t.minimum, t.maximum) for t in rule.places] == [("province", 3, 5)]
    rows = {f"c{n}": total for n, total in enumerate(totals.split(), 1)}
    (place,) = given(rule, inputs("mlr-rule-of-law-2008", rows))
    assert place.taken == tuple(f"c{n}" for n in range(1, taken + 1))
    assert (len(place.undecided), place.short, place.minimum) == (undecided, short, 3)


def test_the_places_in_words_and_schemes_without_them() -> None:
    rule = rule_of("mlr-rule-of-law-2008")
    reading: Any = SimpleNamespace(inputs={"places": titles("mlr-rule-of-law-2008")})
    words = place_words(reading, rule)
    assert words == Text(
        "按名次给出名额：每省推荐3—5个：3 至 5 个；取消资格的不递补。",
        "Places by rank: Three to five nominees a province: 3 to 5; nobody moves up for a county that "
        "is out.",
    )
    for scheme in ("beijing-2012-2nd", "mlr-model-county-2015"):
        rule = score_rule_from(library_schemes()[scheme][0])
        assert rule.places == () and "places" not in rule.to_json()


def test_a_class_is_frozen_again_when_a_county_goes(session: Any) -> None:
    made = builders.reload(session)
    run = operations.run(session, made.office, round=made.round)
    (first,) = [f for f in run.inputs["frames"] if (f["stage"], f["class"]) == ("desk", "I")]
    assert len(first["members"]) == 5
    rows = {row["id"]: row for row in run.inputs["subjects"]}

    def points(inputs: Any, item: str) -> dict[str, str]:
        return {
            row["id"]: row["stages"]["desk"]["computed"][item]["points"]
            for row in inputs["subjects"]
            if row["id"] in first["members"] and row["stages"]["desk"]["kind"] == "panel"
        }

    item = next(i for i, f in first["items"].items() if f["method"] == "minmax_in_class")
    best = max(points(run.inputs, item), key=lambda k: Decimal(points(run.inputs, item)[k]))
    gone = next(s for s in made.round.subjects if s.region_code == best)
    gone.status = "vetoed"
    append(session, None, "test.veto")
    after = operations.run(session, made.office, round=made.round, note="一个区被否决")
    (change,) = [r for r in after.results["refrozen"] if r["class"] == "I"]
    assert (change["left"], change["came"]) == ([best], [])
    moved = next(c for c in change["changes"] if c["item"] == item)
    old, new = points(run.inputs, item), points(after.inputs, item)
    assert {m["subject"]: (m["old"], m["new"]) for m in moved["moved"]} == {
        key: (old[key], new[key]) for key in new if old[key] != new[key]
    }
    assert moved["old"]["count"] == 5 and moved["new"]["count"] == 4
    said = [t for t in compare(run, after).refrozen if item in t.zh]
    assert len(said) == 1 and str(Text.of(rows[best]["name"])) in said[0].zh
    assert "重新取值" in said[0].zh and best not in said[0].zh
    # A run of before scales were kept: nothing to compare, and its inputs are still those of now.
    older = {k: v for k, v in after.inputs.items() if k != "frames"}
    now = collect(session, made.round)
    assert same_inputs(older, now) and same_inputs(after.inputs, now)
    assert not same_inputs(run.inputs, now)


def test_doctor_redoes_the_places(jiangsu_like: Any) -> None:
    session, run = jiangsu_like
    assert invariants.last_runs_replay(session) == []
    assert [p.taken for p in Reading(run).places()]
    results = dict(run.results)
    places = [dict(p) for p in results["places"]]
    places[0]["winners"] = list(reversed(places[0]["winners"]))
    run.results = {**results, "places": places}
    append(session, None, "test.tampering")
    (fault,) = invariants.last_runs_replay(session)
    assert "名额不同" in fault.zh and "the places differ" in fault.en


@pytest.fixture
def jiangsu_like(session: Any) -> Any:
    """A run of the small round under a rule with places."""
    made = builders.reload(session)
    rule = ScoreRule.parse({**made.round.score_rule, "places": [{"id": "model", "max": 3}]})
    made.round.score_rule, made.round.score_rule_digest = rule.to_json(), rule.digest()
    append(session, None, "test.rule")
    return session, operations.run(session, made.office, round=made.round)
