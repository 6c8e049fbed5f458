"""Tiers and quotas, section weights, caps and floors: what the schemes of the notices ask for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.statistics.places import Ranked, Tier, give, read_tiers
from app.domain.statistics.replay import differences
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.types import DomainError
from tests.domain.statistics.builders import by_item, panel, subject


def ranking(*totals: str, group: str | None = None) -> list[Ranked]:
    """Subjects A, B, C, ... with these totals, best first, ranked 1, 2, 2, 4."""
    values = [Decimal(t) for t in totals]
    return [
        Ranked(chr(65 + n), 1 + sum(other > value for other in values), group, value)
        for n, value in enumerate(values)
    ]


def test_ten_and_ten_without_anybody_moving_up() -> None:
    """Jiangsu: at most 10 model and 10 advanced counties; who fails the check leaves an empty place."""
    tiers = read_tiers([{"id": "model", "max": 10}, {"id": "advanced", "max": 10}])
    rows = ranking(*[str(100 - n) for n in range(22)])
    model, advanced = give(tiers, rows, {"C", "L"})
    assert model.winners == tuple("ABDEFGHIJ") and model.left_empty == ("C",)
    assert advanced.winners == tuple("KMNOPQRST") and advanced.left_empty == ("L",)
    assert "名额空缺,不递补" in model.text.zh and "stays empty" in model.text.en
    # The broken variant moves everybody up one place.
    moved = give(read_tiers([{"id": "model", "max": 10, "backfill": True}]), rows, {"C"})[0]
    assert moved.winners == tuple("ABDEFGHIJK") and moved.left_empty == ()


def test_one_and_one_of_each_kind() -> None:
    """Luohe: one county and one industrial cluster, each first of its own kind."""
    tiers = read_tiers(
        [
            {"id": "county", "max": 1, "group": "county"},
            {"id": "cluster", "max": 1, "group": "cluster"},
        ]
    )
    rows = ranking("90", "80", "70", group="county")
    rows += [
        Ranked("X", 1, "cluster", Decimal("60")),
        Ranked("Y", 2, "cluster", Decimal("50")),
    ]
    assert [g.winners for g in give(tiers, rows)] == [("A",), ("X",)]
    # One ranking over both kinds: the group's own order counts.
    mixed = [Ranked(r.id, n, r.group, r.total) for n, r in enumerate(rows, 1)]
    assert [g.winners for g in give(tiers, mixed)] == [("A",), ("X",)]


@pytest.mark.parametrize(
    ("totals", "winners", "short"),
    [
        (("90", "88", "86", "84", "82", "81"), "ABCDE", False),
        (("90", "88", "86", "84", "79", "78"), "ABCD", False),
        (("90", "88", "79", "78", "77", "76"), "AB", True),
    ],
)
def test_three_to_five_with_a_minimum(totals: tuple[str, ...], winners: str, short: bool) -> None:
    """Rule of law 2008: three to five nominees; short of three is said, not filled in silence."""
    tiers = read_tiers([{"id": "province", "min": 3, "max": 5, "line": "80"}])
    (found,) = give(tiers, ranking(*totals))
    assert (found.winners, found.short) == (tuple(winners), short)
    assert ("fewer than the minimum of 3" in found.text.en) is short


def test_minimum_filled_by_rank_where_the_rule_says_so() -> None:
    tier = {"id": "p", "min": 3, "max": 5, "line": "80", "below_minimum": "fill"}
    (found,) = give(read_tiers([tier]), ranking("90", "79", "78", "77"))
    assert (found.winners, found.filled, found.below_line) == (("A", "B", "C"), ("B", "C"), ("D",))
    # A shared rank that does not fit whole is not split.
    (tied,) = give(read_tiers([tier]), ranking("90", "89", "78", "78"))
    assert (tied.winners, tied.short) == (("A", "B"), True)


def test_shared_rank_across_the_line_is_nobodys_place() -> None:
    (found,) = give(read_tiers([{"id": "t", "max": 2}]), ranking("90", "80", "80", "70"))
    assert (found.winners, found.open_) == (("A",), ("B", "C"))
    assert "for the committee or a draw" in found.text.en


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sets(st.integers(0, 11)),
    st.randoms(use_true_random=False),
)
def test_no_place_twice_and_no_order_of_rows(
    values: list[int], sizes: list[int], gone: set[int], shuffler: Any
) -> None:
    tiers = tuple(Tier(f"t{n}", size) for n, size in enumerate(sizes))
    rows = ranking(*map(str, sorted(values, reverse=True)))
    out = {chr(65 + n) for n in gone}
    found = give(tiers, rows, out)
    won = [name for tier in found for name in tier.winners]
    assert len(won) == len(set(won)) and not out & set(won)
    ranks = {row.id: row.rank for row in rows}
    for tier, size in zip(found, sizes, strict=True):
        assert len(tier.winners) + len(tier.left_empty) <= size
    assert [ranks[name] for name in won] == sorted(ranks[name] for name in won)
    shuffler.shuffle(rows)
    assert give(tiers, rows, out) == found


def test_places_in_a_rule() -> None:
    rule = ScoreRule.parse({"quorum": 3, "places": [{"id": "model", "max": 1}, {"id": "second", "max": 1}]})  # fmt: skip
    marks = [subject(n, panel(*[str(t)] * 5)) for n, t in (("A", 80), ("B", 90), ("C", 70))]
    data = score_round(rule, marks).to_json()
    assert [place["winners"] for place in data["places"]] == [["B"], ["A"]]
    assert ScoreRule.parse(rule.to_json()).digest() == rule.digest()


@pytest.mark.parametrize(
    ("places", "word"),
    [
        ([{"id": "a", "max": 0}], "max"),
        ([{"id": "a", "max": 2, "min": 3}], "larger"),
        ([{"id": "a", "max": 2}, {"id": "a", "max": 2}], "twice"),
        ([{"id": "a", "max": 2, "line": 80.5}], "line"),
        ([{"id": "a", "max": 2, "top": 1}], "unknown key"),
        ({"id": "a"}, "list"),
    ],
)
def test_bad_places(places: Any, word: str) -> None:
    with pytest.raises(DomainError) as caught:
        ScoreRule.parse({"places": places})
    assert word in caught.value.text.en


ITEMS = {"X": {"section": "A"}, "Y": {"section": "A"}, "Z": {"section": "B"}}


@pytest.mark.parametrize("unit", ["sheet", "item"])
def test_section_weight_and_cap(unit: str) -> None:
    # A: 7 + 8 = 15, capped at 12, times .5 = 6; B: 9 times 2 = 18.
    rule = ScoreRule.parse(
        {
            "trim": {"unit": unit},
            "items": ITEMS,
            "sections": {"A": {"weight": "0.5", "cap": "12"}, "B": {"weight": "2"}},
        }
    )
    marks = [subject("S", by_item(X=["7"] * 5, Y=["8"] * 5, Z=["9"] * 5))]
    score = score_round(rule, marks).subjects["S"]
    assert score.total == Decimal("24.00")
    assert differences(score.to_json()) == []
    spoiled = score.to_json()
    step = next(s for s in spoiled["steps"] if s["op"] == "weighted_sum")
    step["inputs"]["sections"]["A"][1] = "13"
    assert differences(spoiled)  # a cap changed in the record is seen


@pytest.mark.parametrize("unit", ["sheet", "item"])
def test_section_floor_is_a_gate_on_the_place_only(unit: str) -> None:
    rule = ScoreRule.parse(
        {
            "trim": {"unit": unit},
            "items": ITEMS,
            "sections": {"A": {"floor": "12"}},
            "places": [{"id": "model", "max": 1}],
        }
    )
    below = by_item(X=["5"] * 5, Y=["6.9"] * 5, Z=["10"] * 5)
    at = by_item(X=["6"] * 5, Y=["6"] * 5, Z=["5"] * 5)
    scores = score_round(rule, [subject("L", below), subject("M", at)])
    assert [s.rank for s in scores.subjects.values()] == [1, 2]
    (gate,) = scores.subjects["L"].gates
    assert (gate.section, gate.floor) == ("A", Decimal(12))
    assert float(gate.value) == 11.9 and "11.9" in gate.text.zh
    assert scores.subjects["M"].gates == ()
    assert scores.places[0].winners == () and scores.places[0].left_empty == ("L",)
    assert differences(scores.subjects["L"].to_json()) == []


def test_older_rules_keep_their_digest_and_their_json() -> None:
    rule = ScoreRule.parse({"items": ITEMS})
    assert "sections" not in rule.to_json() and "places" not in rule.to_json()
    # SHA-256 of the default rule as it was before sections and places were keys.
    assert ScoreRule.parse({}).digest() == DEFAULT
    data = score_round(rule, [subject("S", by_item(X=["7"] * 5, Y=["8"] * 5, Z=["9"] * 5))])
    assert "places" not in data.to_json() and "gates" not in data.to_json()["subjects"]["S"]


DEFAULT = "02b312652eb03ef5292d3cc2bb7d0d900023032920245cb308a0b8a93dc08e90"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"items": ITEMS, "sections": {"Q": {}}}, "no item belongs"),
        ({"items": ITEMS, "sections": {"A": {"weight": "0"}}}, "positive"),
        ({"items": ITEMS, "sections": {"A": {"cap": "5", "floor": "6"}}}, "above the cap"),
        ({"items": ITEMS, "sections": {"A": {"max": "5"}}}, "unknown key"),
        ({"items": ITEMS, "sections": {"A": {"floor": "5"}}, "estimator": "winsorised"}, "floor"),
    ],
)
def test_bad_sections(data: dict[str, Any], word: str) -> None:
    with pytest.raises(DomainError) as caught:
        ScoreRule.parse(data)
    assert word in caught.value.text.en
