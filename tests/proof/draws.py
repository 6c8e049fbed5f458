"""Proofs about the draw: it is even, a biased one is caught, and nobody excluded is ever drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from math import comb
from typing import Any

from scipy.stats import chi2

from app.domain.draw import (
    PanelSpec,
    Removal,
    Result,
    check_feasible,
    drill_keys,
    replace,
    select,
    write_transcript,
)
from app.domain.draw.quotas import Strata
from app.domain.draw.selection import Batch
from app.verify import verify_transcript
from tests.domain.draw.pools import codes, commit, exclusion, key_of, number, people, throw

FLOOR = 1e-4  # a test below this fails the proof
CAUGHT = 1e-9  # and a mutant has to fall below this
SMALL, SMALL_SEATS = 8, 3
LARGE, SEATS = 30, 7
Draw = Callable[[int], Sequence[str]]


def surprise(observed: Counter[Any], expected: Mapping[Any, float], shrink: float = 1.0) -> float:
    """p of Pearson's chi-square; `shrink` scales the statistic (see `membership`)."""
    assert set(observed) <= set(expected) and min(expected.values()) >= 5
    statistic = sum((observed[cell] - e) ** 2 / e for cell, e in expected.items())
    return float(chi2.sf(statistic * shrink, len(expected) - 1))


def even(cells: Iterable[Any], total: int) -> dict[Any, float]:
    listed = list(cells)
    return {cell: total / len(listed) for cell in listed}


def pool_draw(size: int, seats: int) -> tuple[list[str], Draw]:
    """The product's draw of `seats` from a plain pool, as a function of the draw's number."""
    roster = people(size, {"g": 2}, f"even{size}")
    commitment = commit([PanelSpec("A", seats, ("a",), ("d1",))], roster)

    def draw(name: int) -> list[str]:
        result = select(commitment, roster, [], key_of(commitment, name))
        return [seat.expert for seat in result.panel("A").seats]

    return [c.id for c in roster], draw


def evenness(ids: Sequence[str], seats: int, draw: Draw, count: int) -> dict[str, float]:
    """p of membership, of the first seat, and of the first two seats over `count` draws."""
    member: Counter[str] = Counter()
    first: Counter[str] = Counter()
    pairs: Counter[frozenset[str]] = Counter()
    for name in range(count):
        drawn = draw(name)
        assert len(drawn) == seats == len(set(drawn))
        member.update(drawn)
        first[drawn[0]] += 1
        pairs[frozenset(drawn[:2])] += 1
    n = len(ids)
    # Seats of one draw exclude each other, which makes the sum smaller by (n - k) / (n - 1).
    shrink = (n - 1) / (n - seats)
    return {
        "membership": surprise(member, even(ids, count * seats), shrink),
        "first seat": surprise(first, even(ids, count)),
        "pairs": surprise(pairs, even(map(frozenset, combinations(ids, 2)), count)),
    }


def grinding(ids: Sequence[str], draw: Draw, every: int) -> Draw:
    """A mutant: in one draw of `every`, a silent second try when the favourite was not drawn."""

    def biased(name: int) -> Sequence[str]:
        drawn = draw(name)
        if ids[0] not in drawn and number("grind", name) % every == 0:
            return draw(name + 10_000_000)
        return drawn

    return biased


def modulo(ids: Sequence[str], seats: int) -> Draw:
    """A mutant: people taken by six bits modulo the number left, so the first ones gain."""

    def biased(name: int) -> Sequence[str]:
        left, drawn = list(ids), []
        for seat in range(seats):
            drawn.append(left.pop(number("byte", name, seat) % 64 % len(left)))
        return drawn

    return biased


def uniformity(count: int) -> str:
    """Membership, first seat, pairs of a plain pool; two biased mutants are caught."""
    ids, draw = pool_draw(LARGE, SEATS)
    found = evenness(ids, SEATS, draw, count)
    assert min(found.values()) > FLOOR, found
    every = max(2, count // 10_000)  # the more draws, the finer the bias that has to be caught
    caught = {
        "second try": evenness(ids, SEATS, grinding(ids, draw, every), count),
        "modulo": evenness(ids, SEATS, modulo(ids, SEATS), count),
    }
    for name, values in caught.items():
        assert min(values.values()) < CAUGHT, (name, values)
    values = ", ".join(f"{name} p = {p:.3f}" for name, p in found.items())
    smallest = {name: min(values.values()) for name, values in caught.items()}
    worst = ", ".join(
        f"{name} p = {p:.0e}" if p > 1e-99 else f"{name} p < 1e-99" for name, p in smallest.items()
    )
    return (
        f"{SEATS} of {LARGE}: {values}; mutants caught (second try in 1 draw of {every}): {worst}"
    )


def every_panel(count: int) -> str:
    """Every possible panel of a small pool comes up equally often, in every order."""
    ids, draw = pool_draw(SMALL, SMALL_SEATS)
    panels: Counter[frozenset[str]] = Counter()
    orders: Counter[tuple[str, ...]] = Counter()
    for name in range(count):
        drawn = draw(name)
        panels[frozenset(drawn)] += 1
        orders[tuple(sorted(ids).index(e) for e in drawn)] += 1
    p_panels = surprise(panels, even(map(frozenset, combinations(ids, SMALL_SEATS)), count))
    rank: Counter[str] = Counter()
    for order, times in orders.items():
        rank["".join("012"[sorted(order).index(place)] for place in order)] += times
    p_orders = surprise(rank, even(("012", "021", "102", "120", "201", "210"), count))
    assert min(p_panels, p_orders) > FLOOR, (p_panels, p_orders)
    return f"{comb(SMALL, SMALL_SEATS)} panels p = {p_panels:.3f}, their orders p = {p_orders:.3f}"


def lottery(count: int) -> str:
    """Rows of a certified lottery come up as often as their lots say, members as often as promised."""
    roster = people(40, {"g": 2, "o": 8}, "lottery")
    quotas = {"g": {"g0": (1, 4), "g1": (1, 6)}}
    commitment = commit([PanelSpec("A", SEATS, ("a",), ("d1",), quotas, {}, "lottery")], roster)
    table = commitment.lotteries["A"]
    lots = [row[0] for row in table["rows"]]
    chance = {row: count * value / sum(lots) for row, value in enumerate(lots)}
    rows: Counter[int] = Counter()
    seats: Counter[str] = Counter()
    for name in range(count):
        panel = select(commitment, roster, [], key_of(commitment, name)).panel("A")
        rows[panel.row] += 1
        seats.update(seat.expert for seat in panel.seats)
    found = surprise(rows, _merged(rows, chance)) if len(lots) > 1 else 1.0
    assert found > FLOOR, found
    inside = {
        tuple(kind[2]): sum(
            row_lots * dict(map(tuple, counts)).get(place, 0) for row_lots, counts in table["rows"]
        )
        / sum(lots)
        / kind[1]
        for place, kind in enumerate(table["types"])
    }
    worst = 0.0
    for candidate in roster:
        p = inside[tuple(candidate.facts.get(a, "") for a in table["attributes"])]
        worst = max(worst, abs(seats[candidate.id] - count * p) / (count * p * (1 - p)) ** 0.5)
    assert worst < 5, worst
    return f"{len(lots)} rows p = {found:.3f}; of {len(roster)} people the farthest is {worst:.1f} sigma off his chance"


def _merged(rows: Counter[int], chance: dict[int, float]) -> dict[int, float]:
    """Rows expected fewer than five times are counted as one."""
    rare = [row for row, e in chance.items() if e < 5]
    if not rare:
        return chance
    kept = {row: e for row, e in chance.items() if e >= 5}
    kept[-1] = max(5.0, sum(chance[row] for row in rare))
    rows[-1] = sum(rows.pop(row, 0) for row in rare)
    return kept


def conflicts(count: int) -> str:
    """Invented pools, exclusions, quotas, dates and caps: nobody excluded sits, first or as a
    replacement, quotas hold, and the independent verifier agrees on every two-hundredth."""
    seated = unfilled = acts = checked = 0
    name = 0
    while name < count:
        case = _case(name)
        name += 1
        if check_feasible(case["panels"], case["roster"], case["out"]):
            unfilled += 1
            continue
        commitment = commit(
            case["panels"], case["roster"], case["out"], load_cap=case["cap"], with_parties=True
        )
        key = key_of(commitment, name)
        result = select(commitment, case["roster"], case["out"], key)
        seated += _sound(case, result)
        standing: Any = result
        done = []
        if name % 10 == 0 and not result.panels[0].short:
            gone = result.panels[0].seats[0].expert
            removal = [Removal(result.panels[0].id, gone, "ill", "cd" * 32, 5)]
            act = replace(
                commitment, case["roster"], case["out"], key, standing, removal, codes(2), 2
            )
            barred = {e.expert for e in case["out"] if e.panel == result.panels[0].id} | {gone}
            assert not barred & set(act.members(result.panels[0].id))
            done.append(act)
            acts += 1
        if name % 200 == 0:
            transcript = write_transcript(
                commitment=commitment, roster=case["roster"], exclusions=case["out"],
                source_values={"dice": throw(name)}, codes=codes(1), key=key, result=result, acts=done,
            )  # fmt: skip
            report = verify_transcript(transcript)
            assert report.ok, (name, report.failed, report.en)
            checked += 1
    assert seated > count and acts > count // 50 and checked > count // 600
    return f"{seated} seats, {acts} replacement acts, {unfilled} requests refused beforehand, {checked} verified independently"


def conflicted(count: int) -> str:
    """`count` panels drawn of invented requests, each with twenty keys: how often somebody excluded.

    What the control removes is the very thing that is proved: with the exclusions withheld from the
    draw, and not from the check, people who may not sit are found at once.
    """
    share = count // 2
    if count < 100_000:
        parts = [_property_draws(0, share), _property_draws(1, count - share)]
    else:
        with ProcessPoolExecutor(2) as pool:
            parts = list(pool.map(_property_draws, (0, 1), (share, count - share)))
    drawn, seats, barred = (sum(column) for column in zip(*parts, strict=True))
    caught = 0
    for name in range(20):
        case = _case(name)
        result = Batch(case["panels"], case["roster"], [], 0, drill_keys(1)[0], {}).run()
        caught += sum(
            seat.expert in {e.expert for e in case["out"] if e.panel == panel.id}
            for panel in result.panels
            for seat in panel.seats
        )
    assert caught > 10, caught
    return f"{drawn} panels, {seats} seats, {barred} people kept out, 0 of them drawn; without the exclusions {caught} in 20 requests"


def _property_draws(part: int, count: int) -> tuple[int, int, int]:
    """(panels drawn, seats, exclusions) of the even or the odd requests."""
    drawn = seats = barred = 0
    name = part
    while drawn < count:
        case = _case(name)
        name += 2
        barred += len(case["out"])
        shapes: dict[Any, Strata] = {}
        for key in drill_keys(20, f"conflict{name}"):
            result = Batch(
                case["panels"], case["roster"], case["out"], case["cap"] or 0, key, {}, None, shapes
            ).run()
            seats += _sound(case, result)
            drawn += len(result.panels)
    return drawn, seats, barred


def _case(name: int) -> dict[str, Any]:
    """One invented request: one to three panels, 14 to 33 people, up to half of them excluded."""

    def pick(what: str, n: int) -> int:
        return number("case", name, what) % n

    roster = people(14 + pick("size", 20), {"g": 2, "o": 5}, f"case{name}")
    panels, out = [], []
    for place in range(1 + pick("panels", 3)):
        code = "ABC"[place]
        seats = 2 + pick(f"seats{place}", 3)
        low = pick(f"low{place}", 2)
        quotas = {"g": {"g0": (low, seats), "g1": (0, seats)}} if pick(f"q{place}", 2) else {}
        limits = {"o": 2} if pick(f"l{place}", 3) == 0 else {}
        panels.append(PanelSpec(code, seats, (code.lower(),), (f"d{place % 2}",), quotas, limits))
        share = pick(f"share{place}", 6)
        out += [
            exclusion(code, c.id) for c in roster if number("out", name, code, c.id) % 12 < share
        ]
    return {"panels": panels, "roster": roster, "out": out, "cap": pick("cap", 3) or None}


def _sound(case: dict[str, Any], result: Result) -> int:
    """No excluded person, no double seat on a date, quotas within bounds; seats taken."""
    facts = {c.id: c.facts for c in case["roster"]}
    dates: dict[str, list[str]] = {}
    loads: Counter[str] = Counter()
    taken = 0
    for spec in case["panels"]:
        panel = result.panel(spec.id)
        drawn = [seat.expert for seat in panel.seats]
        barred = {e.expert for e in case["out"] if e.panel == spec.id}
        assert not barred & set(drawn), (spec.id, barred & set(drawn))
        loads.update(drawn)
        for date in spec.dates:
            dates.setdefault(date, []).extend(drawn)
        for attribute, most in spec.pair_limits.items():
            assert max(Counter(facts[e][attribute] for e in drawn).values(), default=0) <= most
        if not panel.short:
            assert len(drawn) == spec.seats
            for attribute, bounds in spec.quotas.items():
                counts = Counter(facts[e][attribute] for e in drawn)
                assert all(low <= counts[code] <= high for code, (low, high) in bounds.items())
        taken += len(drawn)
    assert all(len(drawn) == len(set(drawn)) for drawn in dates.values())
    assert not case["cap"] or max(loads.values(), default=0) <= case["cap"]
    return taken
