"""Competition ranking, each rung of the tie ladder, groups."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.statistics.marks import StageMarks, SubjectMarks
from app.domain.statistics.ranking import Entry, rank
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from tests.domain.statistics.builders import by_item, panel, subject


def entry(name: str, published: str, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "group": None,
        "unrounded": Fraction(published),
        "modules": {},
        "items": {},
        "spread": None,
    }
    return Entry(id=name, published=Decimal(published), **{**values, **more})


def ranks(rule: ScoreRule, entries: list[Entry]) -> dict[str, int]:
    return {name: placing.rank for name, placing in rank(rule, entries).items()}


def test_one_two_two_four() -> None:
    entries = [entry("A", "8"), entry("B", "9"), entry("C", "8"), entry("D", "7")]
    assert ranks(ScoreRule.parse({}), entries) == {"B": 1, "A": 2, "C": 2, "D": 4}


def test_each_rung() -> None:
    rule = ScoreRule.parse(
        {"modules": {"desk": "0.6", "site": "0.4"}, "items": {"X": {"weight": "2"}, "Y": {}}}
    )
    assert rule.ties == ("unrounded", "module:site", "top_item", "spread", "shared")
    base = {"modules": {"site": Fraction(70)}, "items": {"X": Fraction(5)}, "spread": Fraction(4)}
    cases = {
        "unrounded": {"unrounded": Fraction("80.001")},
        "module:site": {"modules": {"site": Fraction(71)}},
        "top_item": {"items": {"X": Fraction(6)}},
        "spread": {"spread": Fraction(3)},
    }
    for rung, better in cases.items():
        placed = rank(rule, [entry("A", "80", **base), entry("B", "80", **{**base, **better})])
        assert (placed["B"].rank, placed["A"].rank) == (1, 2), rung
        assert placed["A"].tie is not None
        assert placed["A"].tie.decided_by == rung
        assert placed["A"].tie.with_ == ("B",)
    placed = rank(rule, [entry("A", "80", **base), entry("B", "80", **base)])
    assert placed["A"].tie.decided_by == "shared"
    assert placed["A"].tie.shared_with == ("B",)
    assert "并列" in placed["A"].tie.text.zh
    assert "shared with B" in placed["A"].tie.text.en


def test_a_rung_that_one_lacks_is_skipped() -> None:
    rule = ScoreRule.parse({"ties": ["spread", "unrounded"]})
    entries = [
        entry("A", "80", spread=Fraction(1), unrounded=Fraction("79.996")),
        entry("B", "80", spread=None, unrounded=Fraction("80.004")),
    ]
    placed = rank(rule, entries)
    assert placed["B"].rank == 1
    assert placed["B"].tie.rungs == ("unrounded",)


def test_three_way_tie_split_in_two_steps() -> None:
    rule = ScoreRule.parse({"ties": ["unrounded", "spread"]})
    entries = [
        entry("A", "80", unrounded=Fraction("80.001"), spread=Fraction(2)),
        entry("B", "80", unrounded=Fraction("79.999"), spread=Fraction(2)),
        entry("C", "80", unrounded=Fraction("79.999"), spread=Fraction(1)),
        entry("D", "79"),
    ]
    placed = rank(rule, entries)
    assert {name: p.rank for name, p in placed.items()} == {"A": 1, "C": 2, "B": 3, "D": 4}
    assert placed["A"].tie.rungs == ("unrounded",)
    assert placed["B"].tie.rungs == ("unrounded", "spread")
    assert placed["D"].tie is None


def test_published_against_unrounded() -> None:
    entries = [
        entry("A", "80.00", unrounded=Fraction("80.004"), spread=Fraction(9)),
        entry("B", "80.00", unrounded=Fraction("79.996"), spread=Fraction(1)),
    ]
    assert ranks(ScoreRule.parse({"ties": ["spread"]}), entries) == {"A": 2, "B": 1}
    on_exact = ScoreRule.parse({"ties": ["spread"], "rank_on": "unrounded"})
    assert ranks(on_exact, entries) == {"A": 1, "B": 2}


def test_rank_within_group() -> None:
    rule = ScoreRule.parse({"rank_within": "group"})
    entries = [entry("A", "9", group="I"), entry("B", "8", group="II"), entry("C", "7", group="I")]
    assert ranks(rule, entries) == {"A": 1, "B": 1, "C": 2}


def test_item_rung_from_scores() -> None:
    rule = ScoreRule.parse({"trim": {"unit": "item"}, "ties": ["item:Y"], "quorum": 1})
    a, b = by_item(X=["6"], Y=["4"]), by_item(X=["4"], Y=["6"])
    round_ = score_round(rule, [subject("A", a), subject("B", b)])
    assert [score.id for score in round_.ranked] == ["B", "A"]
    assert round_.subjects["A"].tie.decided_by == "item:Y"


def test_site_rung_from_scores() -> None:
    rule = ScoreRule.parse({"modules": {"desk": "0.5", "site": "0.5"}, "quorum": 1})
    stages = {"A": ("70", "80"), "B": ("80", "70")}
    marks = [
        SubjectMarks(n, {"desk": panel(d), "site": StageMarks(kind="value", value=Decimal(s))})
        for n, (d, s) in stages.items()
    ]
    round_ = score_round(rule, marks)
    assert round_.subjects["A"].rank == 1
    assert round_.subjects["B"].tie.decided_by == "module:site"


ENTRIES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.none() | st.integers(0, 2)), max_size=12
)


@settings(max_examples=150)
@given(ENTRIES, st.randoms(use_true_random=False))
def test_ranks_are_a_competition_ranking_whatever_the_order(
    rows: list[tuple[int, int, int | None]], shuffler: Any
) -> None:
    rule = ScoreRule.parse({"ties": ["unrounded", "spread"]})
    entries = [
        entry(
            f"S{number}",
            str(score),
            unrounded=Fraction(score) + Fraction(exact, 1000),
            spread=None if spread is None else Fraction(spread),
        )
        for number, (score, exact, spread) in enumerate(rows)
    ]
    expected = rank(rule, entries)
    shuffler.shuffle(entries)
    assert rank(rule, entries) == expected
    placed = sorted(placing.rank for placing in expected.values())
    assert all(value == 1 + sum(other < value for other in placed) for value in placed)
    by_id = {one.id: one for one in entries}
    for one in entries:
        for other in entries:
            if one.published > other.published:
                assert expected[one.id].rank < expected[other.id].rank
    for name, placing in expected.items():
        if placing.tie is not None:
            for other in placing.tie.shared_with:
                assert expected[other].rank == placing.rank
                assert by_id[other].unrounded == by_id[name].unrounded
