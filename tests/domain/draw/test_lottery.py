"""Mode L: optimum, exact certificate, whole panels, and the lot."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from scipy.optimize import linprog

from app.domain.draw import (
    Candidate,
    PanelSpec,
    drill_keys,
    pair_lifts,
    prepare_lottery,
    probabilities,
    select,
)
from app.domain.draw.fairness import gini
from app.domain.draw.lottery import certificate_gap, table_probabilities
from app.domain.draw.objects import LOTS
from app.domain.types import DomainError
from tests.domain.draw.pools import commit, key_of, number, people, salt
from tests.domain.draw.test_selection import holds


def example(
    counts: tuple[int, int, int], seats: int, low: int
) -> tuple[PanelSpec, list[Candidate]]:
    """Female-conservative, female-liberal, male-conservative (Flanigan et al. 2021)."""
    kinds = [("female", "conservative"), ("female", "liberal"), ("male", "conservative")]
    roster = [
        Candidate(f"p{t}-{i}", {"gender": g, "leaning": lean}, salt(t, i))
        for t, ((g, lean), n) in enumerate(zip(kinds, counts, strict=True))
        for i in range(n)
    ]
    values = {"gender": ("female", "male"), "leaning": ("conservative", "liberal")}
    quotas = {a: dict.fromkeys(v, (low, seats)) for a, v in values.items()}
    return PanelSpec("P1", seats, quotas=quotas, mode="lottery"), roster


@pytest.mark.parametrize(
    ("counts", "seats", "low"), [((1, 99, 100), 20, 9), ((1, 999, 1000), 200, 99)]
)
def test_published_examples_reach_one_tenth(
    counts: tuple[int, int, int], seats: int, low: int
) -> None:
    panel, roster = example(counts, seats, low)
    lottery = prepare_lottery(panel, roster)
    assert lottery.certified
    assert all(abs(p - Fraction(1, 10)) < 1e-9 for p in table_probabilities(lottery.document))
    assert sum(row[0] for row in lottery.document["rows"]) == LOTS


def best_minimum(panel: PanelSpec, roster: list[Candidate]) -> float:
    """The best smallest chance over all mixes of all panels, enumerated person by person."""
    whole = [
        p
        for p in combinations(range(len(roster)), panel.seats)
        if holds(panel, [roster[i] for i in p])
    ]
    rows = [[-1.0 * (i in p) for p in whole] + [1.0] for i in range(len(roster))]
    done = linprog(
        [0.0] * len(whole) + [-1.0], rows, [0.0] * len(roster), [[1.0] * len(whole) + [0.0]], [1.0]
    )
    return float(-done.fun)


@pytest.mark.parametrize("name", range(12))
def test_optimum_against_all_panels(name: int) -> None:
    roster = people(9, {"g": 2, "r": 3, "o": 5}, ("lottery", name))
    quotas = {"g": {"g0": (1, 3), "g1": (1, 3)}, "r": {f"r{i}": (0, 2) for i in range(3)}}
    panel = PanelSpec("P1", 4, quotas=quotas, pair_limits={"o": 2}, mode="lottery")
    try:
        lottery = prepare_lottery(panel, roster)
    except DomainError:
        assert not any(holds(panel, list(p)) for p in combinations(roster, 4))
        return
    chances = table_probabilities(lottery.document)
    assert abs(float(min(chances)) - best_minimum(panel, roster)) < 1e-7
    facts = {tuple(v): p for (_, _, v), p in zip(lottery.document["types"], chances, strict=True)}
    assert sum(facts[c.facts["g"], c.facts["o"], c.facts["r"]] for c in roster) == 4


def test_a_mix_that_no_whole_panels_give_is_not_called_certified() -> None:
    """A triangle of limits: halves satisfy the polytope, no whole panel does better than 1 of 3."""
    facts = [{"a": "1", "b": "1"}, {"b": "1", "c": "1"}, {"a": "1", "c": "1"}]
    roster = [Candidate(f"t{i}", f, salt(i)) for i, f in enumerate(facts)]
    roster += [Candidate(f"x{i}", {}, salt("x", i)) for i in range(3)]
    panel = PanelSpec("P1", 2, pair_limits={"a": 1, "b": 1, "c": 1}, mode="lottery")
    lottery = prepare_lottery(panel, roster)
    chances = table_probabilities(lottery.document)
    assert abs(float(min(chances)) - best_minimum(panel, roster)) < 1e-7
    assert lottery.certified == (certificate_gap(lottery.document) <= Fraction(1, 1 << 30))


@pytest.mark.parametrize("name", range(3))
def test_realistic_pool_is_certified(name: int) -> None:
    roster = people(150, {"g": 2, "r": 4, "s": 5}, ("real", name))
    quotas = {
        a: {f"{a}{i}": (int(22 / k * 0.7), int(22 / k * 1.4) + 1) for i in range(k)}
        for a, k in (("g", 2), ("r", 4), ("s", 5))
    }
    panel = PanelSpec("P1", 22, quotas=quotas, mode="lottery")
    lottery = prepare_lottery(panel, roster)
    assert lottery.certified
    found = probabilities([panel], roster, [])
    assert found.method == "lottery (exact)" and found.certified
    assert sum(found.probabilities.values()) == 22
    assert 0 <= found.gini < 1


def test_a_worse_table_fails_the_certificate() -> None:
    panel, roster = example((1, 99, 100), 20, 9)
    document = dict(prepare_lottery(panel, roster).document)
    document["rows"] = [[LOTS, [[1, 10], [2, 10]]]]  # never seats the one female conservative
    assert certificate_gap(document) > Fraction(1, 1 << 30)


def test_pair_lifts_are_exact() -> None:
    roster = people(8, {"g": 4}, "lifts")
    panel = PanelSpec("P1", 3, quotas={"g": {f"g{i}": (0, 1) for i in range(4)}}, mode="lottery")
    document = prepare_lottery(panel, roster).document
    chances = dict(
        zip((t[0] for t in document["types"]), table_probabilities(document), strict=True)
    )
    for a, b, joint, lift in pair_lifts(document):
        assert lift == joint - chances[a] * chances[b]


def test_drawn_row_follows_the_lot() -> None:
    panel, roster = example((1, 99, 100), 20, 9)
    commitment = commit([panel], roster)
    seen = set()
    for name in range(40):
        drawn = select(commitment, roster, [], key_of(commitment, name)).panel("P1")
        lots = [row[0] for row in commitment.lotteries["P1"]["rows"]]
        assert sum(lots[: drawn.row]) <= drawn.lot < sum(lots[: drawn.row + 1])
        ids = {s.expert for s in drawn.seats}
        assert holds(panel, [c for c in roster if c.id in ids])
        assert list(drawn.seats) == sorted(drawn.seats, key=lambda s: s.ticket)
        seen.add(drawn.row)
    assert len(seen) == len(commitment.lotteries["P1"]["rows"])


def test_ticket_estimate_is_near_the_exact_chance() -> None:
    roster = people(10, {"g": 1})
    found = probabilities([PanelSpec("P1", 3)], roster, [], draws=2_000)
    assert "Monte Carlo" in found.method and not found.certified
    assert all(abs(float(p) - 0.3) < 0.05 for p in found.probabilities.values())
    assert sum(found.probabilities.values()) == 3
    assert found == probabilities([PanelSpec("P1", 3)], roster[::-1], [], draws=2_000) or (
        dict(found.probabilities)
        == dict(probabilities([PanelSpec("P1", 3)], roster[::-1], [], draws=2_000).probabilities)
    )


def test_gini_by_its_definition() -> None:
    values = [Fraction(number("gini", i) % 100, 100) for i in range(15)]
    mean = sum(values) / 15
    difference = sum(abs(a - b) for a in values for b in values) / 225
    assert gini(values) == difference / (2 * mean)


def test_drill_keys_are_numbered() -> None:
    assert drill_keys(3)[:2] == drill_keys(2)
