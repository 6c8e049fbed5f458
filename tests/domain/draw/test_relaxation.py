"""An infeasible request is answered with its smallest relaxation: compared with brute force."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings

from app.domain.draw import Candidate, PanelSpec, check_feasible, check_guards
from app.domain.draw.objects import Exclusion
from tests.domain.draw.pools import exclusion, people
from tests.domain.draw.test_selection import holds, requests


def cost(spec: PanelSpec, members: tuple[Candidate, ...]) -> tuple[int, int] | None:
    """(changed bounds, seats moved) that let exactly these people sit; None if pair rules refuse."""
    free = PanelSpec("P1", spec.seats, pair_limits=spec.pair_limits)
    if not holds(free, list(members)):
        return None
    bounds = moved = 0
    for a, values in spec.quotas.items():
        for v, (low, high) in values.items():
            held = sum(c.facts[a] == v for c in members)
            off = max(low - held, held - high, 0)
            bounds += off > 0
            moved += off
    return bounds, moved


@settings(max_examples=250, deadline=None)
@given(requests())
def test_minimal_against_brute_force(
    request: tuple[PanelSpec, list[Candidate], list[Exclusion]],
) -> None:
    spec, roster, exclusions = request
    out = {e.expert for e in exclusions}
    free = [c for c in roster if c.id not in out]
    panels = list(combinations(free, spec.seats))
    found = check_feasible([spec], roster, exclusions)
    if any(holds(spec, list(p)) for p in panels):
        assert found == []
        return
    costs = [c for c in (cost(spec, p) for p in panels) if c is not None]
    assert found
    if not costs:
        assert [r.basis for r in found] == ["none"]
        return
    by_bounds = [r for r in found if r.basis == "fewest bounds"]
    assert {(len(r.changes), r.seats_moved) for r in by_bounds} == {min(costs)}
    assert len(
        {tuple((c.attribute, c.value, c.bound) for c in r.changes) for r in by_bounds}
    ) == len(by_bounds)
    fewest = min(moved for _, moved in costs)
    others = [r for r in found if r.basis == "fewest seats"]
    assert bool(others) == (fewest < min(costs)[1])
    assert all(r.seats_moved == fewest for r in others)
    for r in found:
        quotas = {a: dict(v) for a, v in spec.quotas.items()}
        for c in r.changes:
            low, high = quotas[c.attribute][c.value]
            quotas[c.attribute][c.value] = (c.new, high) if c.bound == "min" else (low, c.new)
        relaxed = PanelSpec("P1", spec.seats, quotas=quotas, pair_limits=spec.pair_limits)
        assert any(holds(relaxed, list(p)) for p in panels)


def test_words_of_a_relaxation() -> None:
    roster = [Candidate(f"E{i}", {"g": "f" if i == 0 else "m"}, bytes([i]) * 16) for i in range(5)]
    spec = PanelSpec("P1", 3, quotas={"g": {"f": (2, 3), "m": (0, 3)}})
    (found,) = check_feasible([spec], roster, [])
    assert "minimum of g = f from 2 to 1" in found.text.en
    assert "下限 2 改为 1" in found.text.zh


def test_too_few_people_no_relaxation_helps() -> None:
    (found,) = check_feasible([PanelSpec("P1", 3)], people(2, {"g": 1}), [])
    assert found.changes == () and found.eligible == 2


def test_guards_name_thin_strata() -> None:
    roster = [Candidate(f"E{i}", {"g": "f" if i < 2 else "m"}, bytes([i]) * 16) for i in range(9)]
    spec = PanelSpec("P1", 3, quotas={"g": {"f": (1, 3), "m": (0, 3)}})
    assert [g.code for g in check_guards([spec], roster, [], None)] == ["stratum_small"]
    gone = [exclusion("P1", "E0"), exclusion("P1", "E1")]
    small, short = check_guards([spec], roster, gone, None)
    assert short.code == "stratum_short" and short.level == "refuse"
    assert small.text.en == "panel 'P1': 7 eligible people for 3 seats, below 3 times"
    (short,) = check_guards([spec], roster, gone, None, seats_too=False)
    assert short.code == "stratum_short"
    pair = [spec, PanelSpec("P2", 3, quotas=spec.quotas)]
    assert "places_short" in {g.code for g in check_guards(pair, roster, [], 1)}
    assert "places_short" not in {g.code for g in check_guards(pair, roster, [], 2)}
