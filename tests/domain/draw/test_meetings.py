"""Who meets whom: pairs of a lottery against a count over its rows; panels that say the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest

from app.domain.draw import (
    Candidate,
    Exclusion,
    PanelSpec,
    check_guards,
    meetings,
    pair_lifts,
    prepare_lotteries,
)
from app.domain.draw.guards import panels_said
from app.domain.draw.objects import LOTS
from tests.domain.draw.pools import people

TABLE: dict[str, Any] = {
    "attributes": ["g"],
    "certificate": [],
    "panel": "P1",
    "quota_rows": [],
    # a and b always together, c and d always together; e is a crowd of four.
    "rows": [[LOTS // 4, [[2, 1], [3, 1], [4, 1]]], [LOTS - LOTS // 4, [[0, 2], [1, 1]]]],
    "seats": 3,
    "types": [["T1", 2, ["a"]], ["T2", 1, ["b"]], ["T3", 1, ["c"]], ["T4", 3, ["d"]], ["T5", 4, ["e"]]],
}  # fmt: skip


def by_hand(table: dict[str, Any], a: int, b: int) -> tuple[Fraction, Fraction]:
    """(joint chance of one member of each, product of their chances), row by row."""
    joint = one = other = Fraction(0)
    for lots, counts in table["rows"]:
        row, share = dict(map(tuple, counts)), Fraction(lots, LOTS)
        p, q = (Fraction(row.get(i, 0), table["types"][i][1]) for i in (a, b))
        joint, one, other = joint + share * p * q, one + share * p, other + share * q
    return joint, one * other


def test_pairs_are_counted_exactly() -> None:
    types = TABLE["types"]
    expected = {}
    for a, b in combinations(range(4), 2):
        joint, product = by_hand(TABLE, a, b)
        expected[types[a][0], types[b][0]] = (joint, joint - product)
    found = pair_lifts(TABLE)
    assert {(a, b): (j, lift) for a, b, j, lift in found} == expected
    assert [abs(row[3]) for row in found] == sorted((abs(r[3]) for r in found), reverse=True)
    assert expected["T1", "T2"] == (Fraction(3, 4), Fraction(3, 16))
    assert {row[:2] for row in found if row[3] > 0} == {("T1", "T2"), ("T3", "T4")}
    assert pair_lifts(TABLE, top=1) == found[:1]


def test_meetings_name_the_people_of_both_types() -> None:
    who = {"a": 2, "b": 1, "c": 1, "d": 3, "e": 4}
    roster = [Candidate(f"{g}{n}", {"g": g}, bytes(16)) for g, k in who.items() for n in range(k)]
    found = meetings({"P1": TABLE}, {"P1": roster})
    far = [abs(m.together - m.apart) for m in found]
    assert len(found) == 6 and far == sorted(far, reverse=True)
    # b and c sit apart always: as far from independence as a and b, who sit together always.
    by_pair = {(m.first[0][0], m.second[0][0]): m for m in found}
    pair = by_pair["a", "b"]
    assert (pair.panel, pair.first, pair.second) == ("P1", ("a0", "a1"), ("b0",))
    assert (pair.together, pair.apart) == (Fraction(3, 4), Fraction(9, 16))
    assert (by_pair["b", "c"].together, by_pair["b", "c"].apart) == (0, Fraction(3, 16))
    pair = by_pair["c", "d"]
    assert (pair.first, pair.second) == (("c0",), ("d0", "d1", "d2"))
    assert (pair.together, pair.apart) == (Fraction(1, 12), Fraction(1, 48))
    assert len(meetings({"P1": TABLE, "P2": TABLE}, {"P1": roster, "P2": roster}, top=3)) == 3
    both = meetings(
        dict.fromkeys(("P1", "P2", "P3", "P4"), TABLE),
        dict.fromkeys(["P1", "P2", "P3", "P4"], roster),
    )
    assert len(both) == 20 and {m.together > m.apart for m in both} == {True, False}


def test_several_lotteries_tell_how_far_all_of_them_are() -> None:
    roster = people(12, {"g": 3}, "tell")
    quotas = {"g": {f"g{i}": (0, 3) for i in range(3)}}
    panels = [
        PanelSpec(name, 3, dates=(day,), quotas=quotas, mode="lottery")
        for name, day in (("P1", "2012-11-19"), ("P2", "2012-11-20"))
    ]
    heard: list[tuple[float, str]] = []
    gone = [Exclusion("P2", roster[0].id, "r", "", "t", bytes(16))]
    tables = prepare_lotteries(
        panels, roster, gone, tell=lambda done, text: heard.append((done, text.en))
    )
    assert [sum(t[1] for t in tables[p]["types"]) for p in ("P1", "P2")] == [12, 11]
    shares = [done for done, _ in heard]
    assert shares == sorted(shares) and shares[-1] == 1.0 and 0.5 in shares
    assert heard[-1][1] == "lottery of panel P2: the lottery table is ready"


@pytest.mark.parametrize(
    ("panels", "zh", "en"),
    [
        (["P1"], "评审组“P1”", "panel 'P1'"),
        (["A01", "A02"], "评审组 A01、A02", "panels A01, A02"),
        ([f"A{n:02d}" for n in range(1, 18)], "评审组 A01–A17", "panels A01–A17"),
        (["P8", "P9", "P10", "X", "B1"], "评审组 P8–P10、X、B1", "panels P8–P10, X, B1"),
        (["A98", "A99", "A100", "B101"], "评审组 A98–A100、B101", "panels A98–A100, B101"),
    ],
)
def test_panels_in_words(panels: list[str], zh: str, en: str) -> None:
    assert (panels_said(panels).zh, panels_said(panels).en) == (zh, en)


def test_panels_of_which_the_same_is_said_share_a_line() -> None:
    roster = people(12, {"g": 2}, "lines")
    few = sum(c.facts["g"] == "g0" for c in roster)
    low = few // 3 + 1
    panels = [
        PanelSpec(f"A{n:02d}", 5, quotas={"g": {"g0": (low, 5), "g1": (0, 5)}}) for n in range(1, 6)
    ]
    gone = next(c.id for c in roster if c.facts["g"] == "g0")
    out = [Exclusion("A05", gone, "r", "", "t", bytes(16))]
    lines = [
        g.text.en
        for g in check_guards(panels, roster, out, 100, seats_too=False)
        if g.code == "stratum_small"
    ]
    assert lines == [
        f"panels A01–A04: {few} eligible people with g = g0 for a minimum of {low} seats, below 3 times",
        f"panel 'A05': {few - 1} eligible people with g = g0 for a minimum of {low} seats, below 3 times",
    ]
