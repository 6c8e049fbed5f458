"""Mode L: optimum, exact certificate, whole panels, and the lot."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from app.domain.draw import (
    Candidate,
    PanelSpec,
    drill_keys,
    leximin,
    pair_lifts,
    prepare_lottery,
    probabilities,
    select,
    together,
)
from app.domain.draw.fairness import gini
from app.domain.draw.lottery import LIFT, MAX_TYPES, certificate_gap, table_probabilities
from app.domain.draw.lottery import holds as proved
from app.domain.draw.objects import LOTS
from app.domain.types import DomainError, Text
from tests.domain.draw.pools import commit, key_of, number, people, salt
from tests.domain.draw.test_selection import holds
from tests.proof import fairness


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


@pytest.mark.parametrize("name", range(3))
def test_any_other_mix_of_the_same_rows_fails_the_certificate(name: int) -> None:
    """One lot in a hundred moved from one row to another is seen: the fairest chances are unique."""
    panel, roster = apart_pool(name)
    document = prepare_lottery(panel, roster).document
    assert certificate_gap(document) <= Fraction(1, 1 << 30)
    rows = document["rows"]
    moved = min(rows[0][0], LOTS // 100)
    worse = [[rows[0][0] - moved, rows[0][1]], *rows[1:-1], [rows[-1][0] + moved, rows[-1][1]]]
    assert certificate_gap({**document, "rows": worse}) > Fraction(1, 1 << 30)


def fairest(panel: PanelSpec, roster: list[Candidate]) -> list[float]:
    """Everybody's chance at the leximin optimum over all panels, enumerated, ascending.

    Person by person and by the definition: raise the smallest chance; settled is who cannot have
    more while nobody else has less.
    """
    whole = [
        p
        for p in combinations(range(len(roster)), panel.seats)
        if holds(panel, [roster[i] for i in p])
    ]
    inside = [[1.0 * (i in p) for p in whole] for i in range(len(roster))]
    floor: dict[int, float] = {}

    def best(gain: list[float], least: float, free: list[int]) -> float:
        rows = [[-x for x in inside[i]] for i in range(len(roster))]
        limits = [-(least if i in free else floor[i]) + 1e-9 for i in range(len(roster))]
        done = linprog([-g for g in gain], rows, limits, [[1.0] * len(whole)], [1.0])
        return float(-done.fun)

    while len(floor) < len(roster):
        free = [i for i in range(len(roster)) if i not in floor]
        rows = [[-x for x in inside[i]] + [1.0 * (i in free)] for i in range(len(roster))]
        limits = [1e-9 - floor.get(i, 0.0) for i in range(len(roster))]
        done = linprog(
            [0.0] * len(whole) + [-1.0], rows, limits, [[1.0] * len(whole) + [0.0]], [1.0]
        )
        least = float(-done.fun)
        for i in free:
            if best(inside[i], least, free) < least + 1e-6:
                floor[i] = least
    return sorted(floor.values())


@pytest.mark.parametrize("name", range(8))
def test_every_chance_against_all_panels(name: int) -> None:
    """Not only the smallest chance: all of them are those of the enumerated leximin optimum."""
    roster = people(8, {"g": 2, "r": 3, "o": 4}, ("every chance", name))
    quotas = {"g": {"g0": (0, 2), "g1": (1, 3)}, "r": {f"r{i}": (0, 2) for i in range(3)}}
    panel = PanelSpec("P1", 3, quotas=quotas, pair_limits={"o": 2}, mode="lottery")
    if not any(holds(panel, list(p)) for p in combinations(roster, 3)):
        with pytest.raises(DomainError):
            prepare_lottery(panel, roster)
        return
    lottery = prepare_lottery(panel, roster)
    found = sorted(float(lottery.probability(c.facts)) for c in roster)
    assert found == pytest.approx(fairest(panel, roster), abs=1e-5)


def test_pair_lifts_are_exact() -> None:
    roster = people(8, {"g": 4}, "lifts")
    panel = PanelSpec("P1", 3, quotas={"g": {f"g{i}": (0, 1) for i in range(4)}}, mode="lottery")
    document = prepare_lottery(panel, roster).document
    chances = dict(
        zip((t[0] for t in document["types"]), table_probabilities(document), strict=True)
    )
    for a, b, joint, lift in pair_lifts(document):
        assert lift == joint - chances[a] * chances[b]


def largest_lift(document: dict[str, Any]) -> float:
    return max((abs(float(p[3])) for p in pair_lifts(document)), default=0.0)


def apart_pool(name: int) -> tuple[PanelSpec, list[Candidate]]:
    roster = people(40, {"g": 2, "r": 4, "s": 5}, ("apart", name))
    quotas = {}
    for a, k in (("g", 2), ("r", 4), ("s", 5)):
        quotas[a] = {f"{a}{i}": (max(0, 9 // k - 1), 9 // k + 2) for i in range(k)}
    return PanelSpec("P1", 9, quotas=quotas, mode="lottery"), roster


@pytest.mark.parametrize("name", range(3))
def test_pairs_are_loosened_and_chances_stay(name: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control is the first table: without the second step people of small types stick together."""
    panel, roster = apart_pool(name)
    loosened = prepare_lottery(panel, roster)
    monkeypatch.setattr(together, "spread", lambda shares, *_: dict(shares))
    first = prepare_lottery(panel, roster)
    assert largest_lift(first.document) > 0.1
    assert largest_lift(loosened.document) <= LIFT
    assert loosened.certified and first.certified
    for p, q in zip(
        table_probabilities(loosened.document), table_probabilities(first.document), strict=True
    ):
        assert abs(p - q) <= Fraction(1, 1 << 30)


def test_a_loosened_table_that_changes_chances_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pairs that fit better are no reason to give somebody less: the first table stays."""
    panel, roster = apart_pool(0)
    monkeypatch.setattr(together, "spread", lambda shares, *_: dict(shares))
    first = prepare_lottery(panel, roster).document

    def unfair(shares: dict[tuple[int, ...], float], *_: object) -> dict[tuple[int, ...], float]:
        return dict.fromkeys(shares, 1 / len(shares))

    monkeypatch.setattr(together, "spread", unfair)
    assert prepare_lottery(panel, roster).document == first

    def too_many(shares: dict[tuple[int, ...], float], *_: object) -> dict[tuple[int, ...], float]:
        return {(p[0] + 1, *p[1:]): share for p, share in shares.items()}

    monkeypatch.setattr(together, "spread", too_many)
    assert prepare_lottery(panel, roster).document == first


def test_what_cannot_be_loosened_stays_and_is_shown() -> None:
    """What cannot be loosened stays, and is shown: two people who may never meet."""
    facts = [{"a": "x"}, {"a": "x"}, {"a": "y"}, {"a": "y"}]
    roster = [Candidate(f"t{i}", {**f, "n": f"n{i}"}, salt(i)) for i, f in enumerate(facts)]
    quotas = {"a": {"x": (1, 1), "y": (1, 1)}, "n": {f"n{i}": (0, 1) for i in range(4)}}
    document = prepare_lottery(PanelSpec("P1", 2, quotas=quotas, mode="lottery"), roster).document
    assert document["certified"] == 1
    assert all(abs(p - Fraction(1, 2)) < 1e-11 for p in table_probabilities(document))
    never = [p for p in pair_lifts(document) if p[2] == 0]
    assert [round(float(p[3]), 9) for p in never] == [-0.25] * 2


@pytest.mark.parametrize("name", range(12))
def test_no_row_has_a_seat_too_many(name: int) -> None:
    """60 people, 9 seats: the walk once drifted and offered panels of 8 and of 10 (names 1, 3, 10)."""
    roster = people(60, {"kind": 3, "disc": 12, "src": 3}, ("drift", 60, name))
    quotas = {
        "kind": {"kind0": (3, 9), "kind1": (3, 9), "kind2": (0, 3)},
        "src": {f"src{i}": (1, 6) for i in range(3)},
        "disc": {f"disc{i}": (0, 2) for i in range(12)},
    }
    panel = PanelSpec("A", 9, ("a",), ("d",), quotas, {}, "lottery")
    table = prepare_lottery(panel, roster).document
    assert table["certified"] == 1
    for _, counts in table["rows"]:
        assert sum(n for _, n in counts) == 9
        members = [
            Candidate("x", dict(zip(table["attributes"], table["types"][i][2], strict=True)), b"")
            for i, n in counts
            for _ in range(n)
        ]
        assert holds(panel, members)


def test_a_row_that_breaks_a_rule_refuses_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, roster = example((1, 9, 10), 4, 1)
    found = leximin.decompose

    def drifted(*given: Any) -> dict[tuple[int, ...], float] | None:
        return {(p[0], p[1] + 1, p[2]): share for p, share in (found(*given) or {}).items()}

    monkeypatch.setattr(leximin, "decompose", drifted)
    with pytest.raises(DomainError, match="breaks the quotas"):
        prepare_lottery(panel, roster)


def test_progress_is_told_and_goes_up() -> None:
    panel, roster = apart_pool(1)
    heard: list[tuple[float, Text]] = []
    prepare_lottery(panel, roster, tell=lambda done, phase: heard.append((done, phase)))
    done = [x for x, _ in heard]
    assert done == sorted(done) and done[0] == 0 and done[-1] == 1
    assert len({phase.en for _, phase in heard}) == 4
    assert all(phase.zh and phase.en for _, phase in heard)


def test_out_of_time_and_too_many_types_suggest_tickets() -> None:
    panel, roster = apart_pool(1)
    with pytest.raises(DomainError, match="use tickets") as slow:
        prepare_lottery(panel, roster, seconds=0.0)
    assert "请改用 tickets" in slow.value.text.zh
    many = people(MAX_TYPES + 1, {"n": 10**9}, "many")
    panel = PanelSpec("P1", 3, pair_limits={"n": 1}, mode="lottery")
    with pytest.raises(DomainError, match=f"more than the {MAX_TYPES}"):
        prepare_lottery(panel, many)


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


def test_a_thin_level_that_the_solver_calls_empty_is_still_solved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """12 settled chances fill two quota rows, and HiGHS sees no third level.

    The four employers have 64, 71, 87 and 80 people and one seat each: everybody's chance is one
    over his employer's number, since those chances also meet the other quotas. Without the
    elastic form the certificate ends after 12 of 24 types, and is not called whole.
    """
    spec, roster = fairness._lottery_case(2206)
    table = prepare_lottery(spec, roster).document
    place = table["attributes"].index("o")
    of_employer = {"o0": 64, "o1": 71, "o2": 87, "o3": 80}
    exact = [Fraction(1, of_employer[values[place]]) for _, _, values in table["types"]]
    for attribute, value, low, high in table["quota_rows"]:  # so it is the optimum: 1 seat each
        at = table["attributes"].index(attribute)
        mean = sum(
            size * p
            for (_, size, values), p in zip(table["types"], exact, strict=True)
            if values[at] == value
        )
        assert low <= mean <= high
    found = table_probabilities(table)
    assert all(abs(p - q) < Fraction(1, 10**10) for p, q in zip(found, exact, strict=True))
    levels = table["certificate"]
    assert table["certified"] == 1 and [len(level["before"]) for level in levels] == [0, 6, 12, 18]
    assert not any(proved({**table, "certificate": c}) for c in (levels[:1], levels[1:], []))

    monkeypatch.setattr(leximin, "PRICES", ())
    stopped = prepare_lottery(spec, roster).document
    assert len(stopped["certificate"]) == 2 and stopped["certified"] == 0
    assert max(abs(p - q) for p, q in zip(table_probabilities(stopped), exact, strict=True)) > 0.001


def test_settled_chances_do_not_give_way_for_a_low_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people, one seat, one of them settled at 1/2: at a low price the other would get all."""
    question = (
        np.array([[0.0, -1.0, 1.0]]), np.zeros(1), np.array([[1.0, 1.0, 0.0]]), 1.0,
        np.array([0.0, 0.0, -1.0]), {0: 0.5}, lambda: 9.0,
    )  # fmt: skip
    monkeypatch.setattr(leximin, "PRICES", (2.0**-4,))
    assert leximin._elastic(*question) is None
    monkeypatch.setattr(leximin, "PRICES", (2.0**-4, 16.0))
    point, duals, price, held = leximin._elastic(*question) or ((), (), 0.0, {})
    assert [float(x) for x in point] == pytest.approx([0.5, 0.5, 0.5], abs=1e-9)
    assert (float(duals[0]), price, held[0]) == pytest.approx((1.0, 1.0, 1.0), abs=1e-9)
    with pytest.raises(leximin.OutOfTime):
        leximin._elastic(*question[:-1], lambda: 0.0)
