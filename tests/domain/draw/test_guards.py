"""The guards over a small or a busy pool: who must sit, places for a batch, the load cap, chances."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings

from app.domain.draw import Candidate, Fairness, Guard, PanelSpec, check_guards, probabilities
from app.domain.draw.forced import forced
from app.domain.draw.objects import Exclusion
from tests.domain.draw.pools import exclusion, people
from tests.domain.draw.test_selection import holds, requests

OPEN = (0, 99)


def pool(count: int, **only: set[int]) -> list[Candidate]:
    """E0, E1, ...: the attributes say y of those named, n of all others."""
    return [
        Candidate(f"E{i:04d}", {a: "y" if i in who else "n" for a, who in only.items()}, bytes(16))
        for i in range(count)
    ]


def of(found: list[Guard], code: str) -> list[Guard]:
    return [guard for guard in found if guard.code == code]


@settings(max_examples=150, deadline=None)
@given(requests())
def test_who_must_sit_against_brute_force(
    request: tuple[PanelSpec, list[Candidate], list[Exclusion]],
) -> None:
    spec, roster, exclusions = request
    out = {e.expert for e in exclusions}
    full = [
        {c.id for c in members}
        for members in combinations([c for c in roster if c.id not in out], spec.seats)
        if holds(spec, list(members))
    ]
    expected = sorted(set.intersection(*full)) if full else []
    assert forced([spec], roster, exclusions).get(spec.id, []) == expected


def test_somebody_forced_in_by_a_corner_of_two_quotas_is_refused_without_rehearsal() -> None:
    """Every stratum has three people a seat, and yet one person is on every panel."""
    quotas = {"a": {"y": (3, 3), "n": OPEN}, "b": {"y": (3, 3), "n": OPEN}}
    # Four seats, three of each kind: two at least are of both, and only E0007 and E0008 are.
    roster = pool(40, a=set(range(9)), b={7, 8, *range(20, 27)})
    spec = PanelSpec(
        "P1",
        4,
        quotas={k: {v: (lo, min(hi, 4)) for v, (lo, hi) in q.items()} for k, q in quotas.items()},
    )
    found = check_guards([spec], roster, [], None)
    assert {g.code for g in found} == {"probability_forced"}
    assert found[0].level == "refuse"
    assert found[0].text.en.startswith("panel 'P1': 2 people must sit")
    assert found[0].text.en.endswith(": E0007, E0008")
    wider = pool(40, a=set(range(9)), b={6, 7, 8, *range(20, 27)})
    assert check_guards([spec], wider, [], None) == []


def test_few_rehearsals_leave_out_zero_and_uneven_but_not_high() -> None:
    """One ticket panel of 5 from 400: 1,000 draws seat each person 12 times."""
    roster = pool(400, law={3})
    spec = PanelSpec("P1", 5, quotas={"law": {"y": (1, 5), "n": (0, 5)}})
    chances = probabilities([spec], roster, [], draws=200)
    assert chances.rough and chances.probabilities["E0003"] == 1
    found = check_guards([spec], roster, [], None, chances)
    codes = [g.code for g in found]
    assert codes == ["stratum_small", "probability_forced", "chances_rough"]
    assert of(found, "probability_forced")[0].text.zh.endswith("：E0003")
    rough = of(found, "chances_rough")[0]
    assert rough.level == "warn" and "200 rehearsals" in rough.text.en
    # Two for one seat: neither must sit, and one of them is above one half in a rough estimate.
    high = Fairness(
        "t", dict.fromkeys((c.id for c in roster), Fraction(1, 100)) | {"E0003": Fraction(3, 5)},
        frozenset(c.id for c in roster), False, 200,
    )  # fmt: skip
    found = check_guards([spec], pool(400, law={3, 4}), [], None, high)
    assert [g.code for g in found] == ["stratum_small", "chances_rough", "probability_high"]
    # Enough draws: zero and uneven are looked for again.
    many = Fairness("t", {**high.probabilities, "E0009": Fraction(0)}, high.pool, False, 20_000)
    found = check_guards([spec], pool(400, law={3, 4}), [], None, many)
    assert {g.code for g in found} == {
        "stratum_small", "probability_zero", "probability_high", "probability_uneven",
    }  # fmt: skip


def test_a_maximum_of_zero_is_no_chance_however_few_the_rehearsals() -> None:
    roster = pool(400, law={3})
    shut = PanelSpec("P1", 5, quotas={"law": {"y": (0, 0), "n": (0, 5)}})
    chances = probabilities([shut], roster, [], draws=50)
    found = check_guards([shut], roster, [], None, chances)
    assert chances.rough
    assert of(found, "probability_zero")[0].text.en == "1 people have no chance at all: E0003"
    free = PanelSpec("P2", 5, quotas={"law": {"y": (0, 5), "n": (0, 5)}})
    chances = probabilities([shut, free], roster, [], draws=50)
    assert of(check_guards([shut, free], roster, [], None, chances), "probability_zero") == []
    gone = [exclusion("P2", "E0003")]
    chances = probabilities([shut, free], roster, gone, draws=50)
    found = check_guards([shut, free], roster, gone, None, chances)
    assert of(found, "probability_zero")[0].text.zh.endswith("：E0003")


def days(*groups: tuple[str, int]) -> list[PanelSpec]:
    return [PanelSpec(f"P{n}", seats, dates=(day,)) for n, (day, seats) in enumerate(groups, 1)]


@pytest.mark.parametrize(
    ("panels", "cap", "count", "codes"),
    [
        # 30 people, 28 seats, one panel each: nothing but the seats themselves is a stratum.
        (days(*[(f"2012-11-{d}", 7) for d in (19, 20, 21, 22)]), 1, 30, ["load_cap_low"]),
        (days(*[(f"2012-11-{d}", 7) for d in (19, 20, 21, 22)]), 2, 30, []),
        (days(*[(f"2012-11-{d}", 7) for d in (19, 20, 21, 22)]), 0, 30, []),
        # All on one day: whatever the cap, each sits once.
        (days(*[("2012-11-19", 7)] * 4), 0, 30, ["places_short"]),
        (days(*[("2012-11-19", 7)] * 4), 4, 56, []),
        # One busy day among quiet ones.
        (days(*[("2012-11-19", 9)] * 2, ("2012-11-20", 3)), 0, 30, ["places_short"]),
        (days(*[("2012-11-19", 9)] * 2, ("2012-11-20", 3)), 0, 36, []),
        (days(("2012-11-19", 9)), 1, 30, []),
    ],
)  # fmt: skip
def test_two_places_for_each_seat_of_a_batch(
    panels: list[PanelSpec], cap: int, count: int, codes: list[str]
) -> None:
    found = check_guards(panels, people(count, {"g": 2}), [], cap, seats_too=False)
    assert [(g.code, g.level) for g in found] == [(code, "refuse") for code in codes]


def test_the_load_cap_that_would_do_is_named() -> None:
    panels = days(*[(f"2012-11-{d}", 7) for d in (19, 20, 21, 22)])
    (cap,) = check_guards(panels, people(20, {"g": 2}), [], 2, seats_too=False)
    assert "20 people, 28 seats" in cap.text.en and "a load cap of 3 or more" in cap.text.en
    assert "场次上限至少取 3" in cap.text.zh
    assert check_guards(panels, people(20, {"g": 2}), [], 3, seats_too=False) == []
    busy = days(*[("2012-11-19", 9)] * 2, ("2012-11-20", 3))
    (day,) = check_guards(busy, people(30, {"g": 2}), [], 0, seats_too=False)
    assert "on 2012-11-19 there are 18 seats for 30 eligible people" in day.text.en


def test_a_batch_does_not_hide_who_must_sit_on_one_of_its_panels() -> None:
    """Ten panels of 5 from 60: nearly everybody gets some seat, one person a certain one."""
    roster = pool(60, law={7})
    bound = {"law": {"y": (1, 5), "n": (0, 5)}}
    panels = [
        PanelSpec(f"P{n:02d}", 5, dates=(f"2012-11-{n:02d}",), quotas=bound if n == 3 else {})
        for n in range(1, 11)
    ]
    chances = probabilities(panels, roster, [], draws=300)
    found = check_guards(panels, roster, [], None, chances, seats_too=False)
    (must,) = of(found, "probability_forced")
    assert must.text.en.startswith("panel 'P03': 1 people must sit")
    assert must.text.en.endswith(": E0007") and must.level == "refuse"
    (whole,) = of(found, "probability_high")
    assert "a seat on any panel" in whole.text.en
    assert int(whole.text.en.split()[0]) > 30
    assert of(found, "probability_high_panel") == []  # nobody else is above one half on any panel


def test_a_high_chance_of_one_panel_is_shown_with_the_panel() -> None:
    roster = pool(60, law={7, 8, 9})
    bound = {"law": {"y": (2, 2), "n": (0, 5)}}
    for mode in ("tickets", "lottery"):
        panels = [
            PanelSpec(
                f"P{n}", 5, dates=(f"2012-11-{n + 10}",), quotas=bound if n == 2 else {}, mode=mode
            )  # type: ignore[arg-type]
            for n in (1, 2)
        ]
        chances = probabilities(panels, roster, [], draws=300)
        found = check_guards(panels, roster, [], None, chances, seats_too=False)
        (high,) = of(found, "probability_high_panel")
        assert high.text.en == (
            "panel 'P2': 3 people have a chance above one half: E0007, E0008, E0009"
        )
        assert of(found, "probability_forced") == []
        if mode == "lottery":
            assert chances.often == {
                "P2": dict.fromkeys(("E0007", "E0008", "E0009"), Fraction(2, 3))
            }
