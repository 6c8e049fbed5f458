"""Properties of the draw: nobody excluded, bounds always kept, same bytes, exact, and uniform."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from app.domain.draw import (
    Batch,
    PanelSpec,
    Result,
    SearchTooLong,
    check_feasible,
    drill_keys,
    lot,
    rehearse,
    select,
    ticket,
    write_transcript,
)
from app.domain.draw.objects import Candidate, Exclusion
from app.domain.draw.quotas import Panel, Strata
from app.verify import Filling
from tests.domain.draw.pools import commit, exclusion, key_of, number, people, throw


def holds(spec: PanelSpec, members: list[Candidate]) -> bool:
    """The rules of a full panel, written as plainly as they can be."""
    if len(members) != spec.seats:
        return False
    for a, values in spec.quotas.items():
        held = Counter(c.facts[a] for c in members)
        if set(held) - set(values) or any(
            not low <= held[v] <= high for v, (low, high) in values.items()
        ):
            return False
    return all(
        n <= k
        for a, k in spec.pair_limits.items()
        for v, n in Counter(c.facts.get(a, "") for c in members).items()
        if v
    )


@st.composite
def requests(draw: st.DrawFn) -> tuple[PanelSpec, list[Candidate], list[Exclusion]]:
    """One tight panel from a small pool; often, but not always, feasible."""
    size = draw(st.integers(4, 11))
    seats = draw(st.integers(1, min(5, size)))
    values = {"g": 2, "r": 3, "o": draw(st.integers(2, 6)), "k": 3}
    roster = people(size, values, draw(st.integers(0, 10**6)))
    quotas: dict[str, dict[str, tuple[int, int]]] = {}
    for a in ("g", "r")[: draw(st.integers(0, 2))]:
        quotas[a] = {}
        for i in range(values[a]):
            low = draw(st.integers(0, 2))
            quotas[a][f"{a}{i}"] = (low, low + draw(st.integers(0, 3)))
    limits = {a: draw(st.integers(1, 2)) for a in ("o", "k")[: draw(st.integers(0, 2))]}
    out = draw(st.sets(st.integers(0, size - 1), max_size=3))
    return (
        PanelSpec("P1", seats, quotas=quotas, pair_limits=limits),
        roster,
        [exclusion("P1", roster[i].id) for i in sorted(out)],
    )


@settings(max_examples=300, deadline=None)
@given(requests(), st.integers(0, 99))
def test_exact_walk_against_brute_force(
    request: tuple[PanelSpec, list[Candidate], list[Exclusion]], throw_number: int
) -> None:
    """The walk seats x iff some full panel contains everyone seated and x: all panels enumerated."""
    spec, roster, exclusions = request
    out = {e.expert for e in exclusions}
    free = [c for c in roster if c.id not in out]
    panels = [{c.id for c in p} for p in combinations(free, spec.seats) if holds(spec, list(p))]
    key = drill_keys(100)[throw_number]
    walk = sorted((ticket(key, "P1", 1, c.id), c.id) for c in free)
    want: list[str] = []
    for _, expert in walk:
        if any({*want, expert} <= p for p in panels):
            want.append(expert)
    result = Batch([spec], roster, exclusions, 0, key, {}).run().panel("P1")
    assert result.short == (not panels)
    if panels:
        assert [s.expert for s in result.seats] == want[: spec.seats]
        assert not {s.expert for s in result.seats} & out
        seated = {s.expert for s in result.seats}
        assert holds(spec, [c for c in roster if c.id in seated])


@settings(max_examples=300, deadline=None)
@given(requests(), st.data())
def test_engine_and_verifier_agree_on_what_can_be_completed(
    request: tuple[PanelSpec, list[Candidate], list[Exclusion]], data: st.DataObject
) -> None:
    spec, roster, exclusions = request
    out = {e.expert for e in exclusions}
    free = [c for c in roster if c.id not in out]
    seated = (
        data.draw(st.lists(st.sampled_from(free), max_size=spec.seats, unique_by=lambda c: c.id))
        if free
        else []
    )
    want = any(
        {c.id for c in seated} <= {c.id for c in p} and holds(spec, list(p))
        for p in combinations(free, spec.seats)
    )
    panel = Panel(spec, Strata(roster, sorted(spec.quotas), sorted(spec.pair_limits)), out)
    alive = all(not panel.blocked(c.id) and panel.seat(c.id) is None for c in seated)
    document = {
        "seats": spec.seats,
        "quotas": [
            [a, v, *b] for a, q in sorted(spec.quotas.items()) for v, b in sorted(q.items())
        ],
        "pair_limits": [[a, k] for a, k in sorted(spec.pair_limits.items())],
    }
    filling = Filling(document, {c.id: dict(c.facts) for c in roster}, out)
    assert (alive and panel.completable()) == want == filling.possible([c.id for c in seated])


BATCH = [
    PanelSpec(
        f"P{n}",
        3,
        (f"S{n}",),
        (f"d{n % 2}",),
        {"g": {"g0": (1, 2), "g1": (1, 2)}},
        {"o": 1},
    )
    for n in range(4)
]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_batch_keeps_exclusions_dates_caps_and_bounds(name: int) -> None:
    roster = people(24, {"g": 2, "o": 12}, name)
    exclusions = [
        exclusion(p.id, c.id) for p in BATCH for c in roster if number(name, p.id, c.id) % 4 == 0
    ]
    key = drill_keys(1, f"batch{name}")[0]
    result = Batch(BATCH, roster, exclusions, 2, key, {}).run()
    facts = {c.id: c for c in roster}
    barred = {(e.panel, e.expert) for e in exclusions}
    loads: Counter[str] = Counter()
    for panel, spec in zip(result.panels, BATCH, strict=True):
        members = [s.expert for s in panel.seats]
        assert not {(panel.id, m) for m in members} & barred
        assert panel.short or holds(spec, [facts[m] for m in members])
        loads.update(members)
    assert max(loads.values()) <= 2
    for a, b in ((0, 2), (1, 3)):
        assert not {s.expert for s in result.panels[a].seats} & {
            s.expert for s in result.panels[b].seats
        }


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(20)), st.integers(0, 10**6))
def test_order_of_rows_changes_nothing(order: list[int], name: int) -> None:
    roster = people(20, {"g": 2, "o": 9}, "rows")
    panels = [PanelSpec("A", 5, ("s",), (), {"g": {"g0": (2, 3), "g1": (2, 3)}}, {"o": 1})]
    exclusions = [exclusion("A", "E0003"), exclusion("A", "E0007", "kin")]

    def transcript(people_: list[Candidate], out: list[Exclusion]) -> bytes:
        c = commit(panels, people_, out)
        key = key_of(c, name)
        return write_transcript(
            commitment=c, roster=people_, exclusions=out, source_values={"dice": throw(name)},
            codes={}, key=key, result=select(c, people_, out, key),
        )  # fmt: skip

    shuffled = [roster[i] for i in order]
    assert transcript(roster, exclusions) == transcript(shuffled, exclusions[::-1])


def test_a_panel_that_cannot_be_completed_moves_to_the_front() -> None:
    """Two people of the kind that P2 needs; P1 may take them both if it is drawn first."""
    roster = [*people(6, {"g": 1}, "many"), *people(2, {"x": 1}, "few", prefix="F")]
    roster = [Candidate(c.id, {"g": "few" if c.id[0] == "F" else "many"}, c.salt) for c in roster]
    panels = [
        PanelSpec("P1", 4, quotas={"g": {"few": (0, 2), "many": (0, 4)}}),
        PanelSpec("P2", 2, quotas={"g": {"few": (2, 2), "many": (0, 0)}}),
    ]
    results = [Batch(panels, roster, [], 1, k, {}).run() for k in drill_keys(60)]
    assert any(r.restarts == ("P2",) for r in results)
    assert all(not p.short for r in results for p in r.panels)
    assert all(r.order[0] == "P2" for r in results if r.restarts)


def test_jointly_infeasible_batch_ends_with_a_short_panel() -> None:
    roster = people(3, {"g": 1})
    panels = [PanelSpec("P1", 2), PanelSpec("P2", 2)]
    result = Batch(panels, roster, [], 1, drill_keys(1)[0], {}).run()
    assert len(result.restarts) == 6
    assert sorted(len(p.seats) for p in result.panels) == [1, 2]
    assert [p.short for p in result.panels].count(True) == 1


def test_rehearsal_refuses_an_endless_search() -> None:
    roster = people(40, {"g": 2, "r": 3})
    panel = PanelSpec("P1", 8, quotas={"g": {"g0": (4, 4), "g1": (4, 4)}})
    with pytest.raises(SearchTooLong):
        rehearse([panel], roster, [], 0, {}, drill_keys(2), budget=5)
    assert rehearse([panel], roster, [], 0, {}, drill_keys(2))[0].panels[0].seats


def test_adding_a_person_moves_nobody_else() -> None:
    roster = people(30, {"g": 1})
    key = drill_keys(1)[0]
    before = Batch([PanelSpec("P1", 5)], roster, [], 0, key, {}).run().panel("P1").seats
    more = [*roster, *people(1, {"g": 1}, prefix="N")]
    after = Batch([PanelSpec("P1", 5)], more, [], 0, key, {}).run().panel("P1").seats
    kept = [s for s in after if s.expert[0] != "N"]
    assert kept == list(before)[: len(kept)]


def chi_square(observed: list[int], expected: list[float]) -> float:
    """p-value of Pearson's chi-square."""
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    return float(chi2.sf(statistic, len(observed) - 1))


def uniform(results: list[Result], roster: list[Candidate], seats: int) -> dict[str, float]:
    """p-values: who is a member, who takes the first seat, which pairs meet."""
    ids = [c.id for c in roster]
    member = Counter(s.expert for r in results for s in r.panels[0].seats)
    first = Counter(r.panels[0].seats[0].expert for r in results)
    pairs = Counter(
        pair
        for r in results
        for pair in combinations(sorted(s.expert for s in r.panels[0].seats), 2)
    )
    n, total = len(ids), len(results)
    every = list(combinations(ids, 2))
    # Seats of one draw exclude each other: their counts vary less than a multinomial's, by (n-k)/(n-1).
    shrink = (n - seats) / (n - 1)
    mean = total * seats / n
    statistic = sum((member[i] - mean) ** 2 / mean for i in ids) / shrink
    return {
        "member": float(chi2.sf(statistic, n - 1)),
        "first": chi_square([first[i] for i in ids], [total / n] * n),
        "pairs": chi_square(
            [pairs[p] for p in every], [total * seats * (seats - 1) / 2 / len(every)] * len(every)
        ),
    }


def test_uniform_over_drill_keys_and_a_biased_mutant_is_caught() -> None:
    """Without quotas everybody, every first seat and every pair is equally likely."""
    roster = people(12, {"g": 1})
    spec = PanelSpec("P1", 4)
    keys = drill_keys(4_000, "uniform")
    results = [Batch([spec], roster, [], 0, k, {}).run() for k in keys]
    assert all(p > 1e-4 for p in uniform(results, roster, 4).values())

    def truncated(key: str) -> str:
        return key[:1] * 64  # a mutant that uses 4 bits of the key

    def favoured(expert: str, key: str) -> str:
        return min(ticket(key, "P1", 1, expert), ticket(key, "P1", 2, expert))

    mutant = [Batch([spec], roster, [], 0, truncated(k), {}).run() for k in keys]
    assert min(uniform(mutant, roster, 4).values()) < 1e-4
    second: Counter[str] = Counter()
    for key in keys:  # a mutant that gives one person two tickets
        order = sorted(
            (favoured(c.id, key) if c.id == "E0005" else ticket(key, "P1", 1, c.id), c.id)
            for c in roster
        )
        second[order[0][1]] += 1
    assert chi_square([second[c.id] for c in roster], [len(keys) / 12] * 12) < 1e-4


def test_lots_are_uniform() -> None:
    lots = Counter(lot(k, "P1") >> 36 for k in drill_keys(8_000, "lots"))
    assert chi_square([lots[i] for i in range(16)], [500.0] * 16) > 1e-4


def test_feasible_says_so() -> None:
    assert check_feasible(BATCH, people(24, {"g": 2, "o": 12}), []) == []
