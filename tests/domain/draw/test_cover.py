"""What reserves would leave uncovered: exact on pools where it can be counted by hand."""

from __future__ import annotations

from fractions import Fraction

from app.domain.draw import Candidate, Exclusion, PanelSpec, drill_keys, rehearse, ticket
from app.domain.draw.cover import KEYS, drills, uncovered

EXACT = {"kind": {"a": (2, 2), "b": (3, 3)}}


def people(**counts: int) -> list[Candidate]:
    return [
        Candidate(f"{kind}{n}", {"kind": kind, "body": f"{kind}{n}"}, f"{kind}{n:015d}".encode())
        for kind, count in counts.items()
        for n in range(count)
    ]


def test_a_type_without_anybody_left_is_uncovered_under_both() -> None:
    panel = PanelSpec("P", 5, quotas=EXACT)
    found = uncovered([panel], people(a=2, b=20), [], 0, {}, drill_keys(10))
    assert (found.draws, found.seats) == (10, 50)
    assert (found.reserves, found.few) == (Fraction(2, 5), Fraction(2, 5))
    # Bounds that leave room let somebody of the other type step in.
    wide = PanelSpec("P", 5, quotas={"kind": {"a": (1, 2), "b": (3, 4)}})
    found = uncovered([wide], people(a=2, b=20), [], 0, {}, drill_keys(10))
    assert found.reserves == 0


def test_three_named_reserves_cover_less_than_a_queue() -> None:
    pool, keys = people(a=4, b=30), drill_keys(30)
    panel = PanelSpec("P", 5, quotas=EXACT)
    found = uncovered([panel], pool, [], 0, {}, keys)
    empty = 0
    for key in keys:
        (result,) = rehearse([panel], pool, [], 0, {}, [key])
        seated = [s.expert for s in result.panels[0].seats]
        waiting = sorted((ticket(key, "P", 1, c.id), c.id) for c in pool if c.id not in seated)
        kinds = {who[0] for _, who in waiting[:3]}
        empty += sum(who[0] not in kinds for who in seated)
    assert found.reserves == 0 and found.few == Fraction(empty, 150)
    assert Fraction(1, 5) < found.few < Fraction(2, 5)


def test_exclusions_dates_and_the_load_cap_take_reserves_away() -> None:
    pool = people(b=9)
    one, two = (PanelSpec(name, 4, dates=("2026-01-01",)) for name in ("P", "Q"))
    found = uncovered([one, two], pool, [], 0, {}, drill_keys(4))
    assert (found.seats, found.reserves) == (32, 0), "the ninth steps in"
    gone = [Exclusion(p, f"b{n}", "r", "", "x", bytes([n]) * 16) for p in "PQ" for n in (8,)]
    assert uncovered([one, two], pool, gone, 0, {}, drill_keys(4)).reserves == 1
    apart = PanelSpec("Q", 4, dates=("2026-01-02",))
    assert uncovered([one, apart], pool, gone, 0, {}, drill_keys(4)).reserves == 0
    assert uncovered([one, apart], pool, gone, 1, {}, drill_keys(4)).reserves == 1
    pairs = PanelSpec("P", 2, pair_limits={"kind": 1})
    assert uncovered([pairs], people(a=1, b=1, c=1), [], 0, {}, drill_keys(4)).reserves == 0
    assert uncovered([pairs], people(a=1, b=1), [], 0, {}, drill_keys(4)).reserves == 1


def test_a_large_batch_is_not_estimated() -> None:
    assert (drills(300, 1), drills(20_000, 1), drills(20_000, 5)) == (KEYS, KEYS, 4)
    assert drills(20_000, 2_850) == 0
