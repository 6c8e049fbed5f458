"""Proofs about fairness: lottery tables keep every rule, substitutes are drawn evenly, declared
conflicts gain nothing, infeasible requests get the smallest relaxation, equal inputs equal bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

from app.domain.draw import (
    Candidate,
    Exclusion,
    PanelSpec,
    Removal,
    Result,
    Seat,
    check_feasible,
    exclusion_leaves,
    panel_ticket,
    prepare_lottery,
    replace,
    roster_leaves,
    select,
    write_transcript,
)
from app.domain.draw.objects import PanelResult, excluded_by_panel
from app.domain.draw.selection import Batch
from app.domain.types import DomainError
from app.verify import verify_transcript
from tests.domain.draw.pools import codes, commit, exclusion, key_of, number, people, throw
from tests.domain.draw.test_selection import holds
from tests.proof.draws import CAUGHT, FLOOR, even, surprise

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")


def tables(count: int) -> str:
    """Every row of every lottery of an invented request keeps its rules; app/verify.py agrees."""
    if count < 1_000:
        parts = [_tables(0, count)]
    else:
        with ProcessPoolExecutor(2) as pool:
            parts = list(pool.map(_tables, (0, 1), (count, count)))
    rows, refused, certified = (sum(column) for column in list(zip(*parts, strict=True))[:3])
    types = max(part[3] for part in parts)
    drawn = count - refused
    assert drawn > count / 2 and certified > 0.9 * drawn
    # The control: a row of one seat too many, as a drifting solver has once given it.
    spec, roster = _lottery_case(0)
    table = prepare_lottery(spec, roster).document
    spoiled = [list(pair) for pair in table["rows"][0][1]]
    spoiled[0][1] += 1
    assert row_faults(spec, table, spoiled)
    return f"{rows} rows of {drawn} tables of up to {types} types hold and verify, {certified} certified; {refused} requests without any panel refused"


def _tables(part: int, count: int) -> tuple[int, int, int, int]:
    """(rows, refused, certified, most types) of all, or of the even or the odd requests."""
    rows = refused = certified = types = 0
    for name in range(part, count, 1 if count < 1_000 else 2):
        spec, roster = _lottery_case(name)
        try:
            commitment = commit([spec], roster)
        except DomainError as error:
            assert "no panel" in error.text.en, (name, error.text.en)
            refused += 1
            continue
        table = commitment.lotteries["A"]
        for _, counts in table["rows"]:
            broken = row_faults(spec, table, counts)
            assert not broken, (name, broken)
        rows += len(table["rows"])
        types = max(types, len(table["types"]))
        certified += table["certified"]
        key = key_of(commitment, name)
        report = verify_transcript(
            write_transcript(
                commitment=commitment, roster=roster, exclusions=[], codes={}, key=key,
                source_values={"dice": throw(name)}, result=select(commitment, roster, [], key),
            )
        )  # fmt: skip
        assert report.ok, (name, report.failed, report.en)
    return rows, refused, certified, types


def _lottery_case(name: int) -> tuple[PanelSpec, list[Candidate]]:
    """3 to 11 seats, bounds around the shares of two or three attributes.

    One in four is a small pool of many types, whose pairs are loosened as well; the others have up
    to 311 people of a dozen types.
    """

    def pick(what: str, n: int) -> int:
        return number("table", name, what) % n

    values = {"g": 2, "r": 3 + pick("r", 3), "s": 2 + pick("s", 6), "o": 4 + pick("o", 9)}
    roster = people(12 + pick("size", 300 if name % 4 else 50), values, f"table{name}")
    seats = 3 + pick("seats", 9)
    quotas: dict[str, dict[str, tuple[int, int]]] = {}
    for a in ("g", "r", "s")[: 2 if name % 4 else 2 + pick("features", 2)]:
        held = Counter(c.facts[a] for c in roster)
        quotas[a] = {}
        for v in (f"{a}{i}" for i in range(values[a])):
            share = seats * held[v] // len(roster)
            low = max(0, share - pick(f"low{v}", 2))
            quotas[a][v] = (low, share + 1 + pick(f"high{v}", 2))
    limits = {"o": 1 + pick("k", 2)} if pick("limit", 8) == 0 else {}
    return PanelSpec("A", seats, ("a",), ("d",), quotas, limits, "lottery"), roster


def row_faults(spec: PanelSpec, table: dict[str, Any], counts: Sequence[Sequence[int]]) -> str:
    """The first rule of the request that a row breaks, or "": written from the request alone."""
    members = [
        Candidate(f"{i}.{n}", dict(zip(table["attributes"], table["types"][i][2], strict=True)), b"")
        for i, count in counts
        for n in range(count)
    ]  # fmt: skip
    if any(not 0 < n <= table["types"][i][1] for i, n in counts):
        return "a type has fewer people"
    return "" if holds(spec, members) else "seats, quotas or pair limits"


# -- substitutes -----------------------------------------------------------------------------------


def substitutes(count: int) -> str:
    """Who comes in for a leaver is even among those who may, in both policies; mutants are caught."""
    said = []
    for policy in ("act", "reserves"):
        honest, biased = _fills(policy, count // 2)
        total = sum(honest.values())
        p = surprise(honest, even(honest, total))
        caught = surprise(biased, even(biased, total))
        assert p > FLOOR and caught < CAUGHT, (policy, p, caught)
        mutant = f"= {caught:.0e}" if caught > 1e-99 else "< 1e-99"
        said.append(f"{policy} p = {p:.3f}, mutant p {mutant}")
    return f"{count} acts: " + "; ".join(said)


def _fills(policy: str, count: int) -> tuple[Counter[str], Counter[str]]:
    """Times each came in, by rank among the eligible; and under a mutant that tries once more."""
    roster = people(14, {"g": 1}, f"fill{policy}")
    commitment = commit(
        [PanelSpec("A", 4, ("a",), ("d1",), {"g": {"g0": (0, 4)}})], roster,
        [exclusion("A", roster[0].id)], replacement=policy, with_parties=True,
    )  # fmt: skip
    out = [exclusion("A", roster[0].id)]
    honest: Counter[str] = Counter()
    biased: Counter[str] = Counter()
    spare: str | None = None
    favourite = roster[1].id
    for name in range(count):
        key = hashlib.sha256(f"fill|{policy}|{name}".encode()).hexdigest()
        result = select(commitment, roster, out, key)
        leaver = result.panel("A").seats[number("seat", name) % 4].expert
        act = replace(
            commitment, roster, out, key, result, [Removal("A", leaver, "ill", "cd" * 32, 5)],
            codes(2) if policy == "act" else {}, 2,
        )  # fmt: skip
        (fill,) = act.fills
        assert fill.how == "type" and fill.expert not in {roster[0].id, leaver}
        honest[fill.expert] += 1
        # The mutant puts a friend forward in one act of ten where the friend is not seated.
        seated = {s.expert for s in result.panel("A").seats}
        spare = favourite if favourite not in seated and name % 10 == 0 else fill.expert
        biased[spare] += 1
    return honest, biased


# -- steering --------------------------------------------------------------------------------------

BATCH = 12
LOAD_CAP = 2  # 12 panels of 3 from 40: mean load .9, cap above twice the mean


class LeastLoaded(Batch):
    """A mutant: the least loaded go first, then the ticket. Whoever is kept out early gains later."""

    def run(self) -> Result:
        loads: Counter[str] = Counter()
        done = {}
        for panel_id in sorted(self.panels):
            spec = self.panels[panel_id]
            free = [c.id for c in self.roster if c.id not in self.excluded.get(panel_id, set())]
            drawn = sorted(
                free, key=lambda e: (loads[e], panel_ticket(self.key, f"{panel_id}|{e}"), e)
            )[: spec.seats]
            loads.update(drawn)
            done[panel_id] = PanelResult(panel_id, tuple(Seat(e, "") for e in drawn), ())
        return Result(tuple(done[p] for p in sorted(done)), tuple(sorted(done)))


def steering(count: int) -> str:
    """An expert who declares every conflict but one gains at most 1.2 times the chance of that seat."""
    roster = people(40, {"g": 2}, "steer")
    quotas = {"g": {"g0": (1, 2), "g1": (1, 2)}}
    panels = [PanelSpec(f"P{n:02d}", 3, (f"s{n}",), (f"d{n // 2}",), quotas) for n in range(BATCH)]
    wanted, schemer = panels[-1].id, roster[7].id
    declared = [exclusion(p.id, schemer, "dispute") for p in panels if p.id != wanted]

    def drawn(kind: Callable[..., Batch], out: list[Exclusion]) -> set[int]:
        hits = set()
        for name in range(count):  # the same keys with and without: only the declarations differ
            key = hashlib.sha256(f"steer|{name}".encode()).hexdigest()
            result = kind(panels, roster, out, LOAD_CAP, key, {}).run()
            if schemer in {s.expert for s in result.panel(wanted).seats}:
                hits.add(name)
        return hits

    honest, scheming = drawn(Batch, []), drawn(Batch, declared)
    plain, gain = len(honest) / count, len(scheming) / len(honest)
    mutant = len(drawn(LeastLoaded, declared)) / len(drawn(LeastLoaded, []))
    noise = 3 * len(honest ^ scheming) ** 0.5 / len(honest)  # three standard errors
    # At a small count the bound may only be not refuted; at the full one it has to be shown.
    assert (gain + noise if count >= 10_000 else gain - noise) < 1.2, (gain, noise)
    assert mutant > 2, mutant
    return f"chance of the wanted panel {plain:.4f}; gain {gain:.3f} (noise {noise:.3f}); least loaded first would give {mutant:.1f}"


# -- relaxations -----------------------------------------------------------------------------------


def relaxations(count: int) -> str:
    """Infeasible requests against all panels of the pool, one by one: every optimal set, and order."""
    infeasible = feasible = ties = hopeless = 0
    for name in range(count):
        spec, roster, out = _tight_case(name)
        barred = excluded_by_panel(out).get("A", set())
        whole = list(combinations([c for c in roster if c.id not in barred], spec.seats))
        found = check_feasible([spec], roster, out)
        possible = any(holds(spec, list(p)) for p in whole)
        assert possible == (found == []), name
        if possible:
            feasible += 1
            continue
        infeasible += 1
        needed = {c for p in whole if (c := changes_for(spec, p)) is not None}
        if not needed:
            assert [r.basis for r in found] == ["none"], name
            hopeless += 1
            continue
        listed = [
            tuple((c.attribute, c.value, c.bound, c.new) for c in r.changes)
            for r in found
            if r.basis == "fewest bounds"
        ]
        costs = {
            c: (len(c), sum(abs(new - _old(spec, a, v, b)) for a, v, b, new in c)) for c in needed
        }
        least = min(costs.values())
        best = {frozenset((a, v, b) for a, v, b, _ in c) for c in needed if costs[c] == least}
        assert {frozenset(x[:3] for x in c) for c in listed} <= best, name
        assert len(listed) == min(20, len(best)), (name, len(listed), len(best))
        assert [[x[:3] for x in c] for c in listed] == sorted([x[:3] for x in c] for c in listed)
        assert all(costs[c] == least for c in listed if c in costs) and set(listed) <= needed, name
        ties += len(listed) > 1
        fewest = min(moved for _, moved in costs.values())
        others = [r for r in found if r.basis == "fewest seats"]
        assert bool(others) == (fewest < least[1]), name
        assert all(r.seats_moved == fewest for r in others), name
        assert all(
            len(r.changes) == min(n for n, moved in costs.values() if moved == fewest)
            for r in others
        ), name
    assert infeasible > count / 4 and feasible > count / 20
    return f"{infeasible} infeasible requests, all found, each with every smallest relaxation ({ties} with several, {hopeless} beyond quotas); {feasible} feasible ones passed"


def changes_for(
    spec: PanelSpec, members: Sequence[Candidate]
) -> tuple[tuple[str, str, str, int], ...] | None:
    """The bounds that have to move, and where to, for exactly these people; None: pair limits."""
    if not holds(PanelSpec("A", spec.seats, pair_limits=spec.pair_limits), list(members)):
        return None
    out = []
    for a in sorted(spec.quotas):
        for v, (low, high) in sorted(spec.quotas[a].items()):
            held = sum(c.facts[a] == v for c in members)
            if held < low:
                out.append((a, v, "min", held))
            if held > high:
                out.append((a, v, "max", held))
    return tuple(sorted(out))


def _old(spec: PanelSpec, attribute: str, value: str, bound: str) -> int:
    return spec.quotas[attribute][value][bound == "max"]


def _tight_case(name: int) -> tuple[PanelSpec, list[Candidate], list[Exclusion]]:
    """5 to 11 people, up to 5 seats, tight bounds on two attributes, sometimes a pair limit."""

    def pick(what: str, n: int) -> int:
        return number("tight", name, what) % n

    roster = people(5 + pick("size", 7), {"g": 2, "r": 3, "o": 2 + pick("o", 5)}, f"tight{name}")
    seats = 2 + pick("seats", 4)
    quotas: dict[str, dict[str, tuple[int, int]]] = {}
    for a, k in (("g", 2), ("r", 3))[: 1 + pick("features", 2)]:
        lows = [pick(f"low{a}{i}", 3) for i in range(k)]
        quotas[a] = {f"{a}{i}": (low, low + pick(f"room{a}{i}", 3)) for i, low in enumerate(lows)}
    limits = {"o": 1 + pick("k", 2)} if pick("limit", 3) == 0 else {}
    out = [exclusion("A", c.id) for c in roster if number("tight", name, c.id) % 6 == 0]
    return PanelSpec("A", seats, ("a",), ("d",), quotas, limits), roster, out


# -- equal bytes -----------------------------------------------------------------------------------


def same_bytes(count: int) -> str:
    """Fresh processes, `count` hash seeds, every supported Python here: one transcript. A version
    that is not here is named: it has not been tried."""
    pythons = {sys.executable: ".".join(map(str, sys.version_info[:2]))}
    for version in PYTHONS:
        if version not in pythons.values():
            pythons |= dict.fromkeys(_other_python(version), version)
    missing = [version for version in PYTHONS if version not in pythons.values()]
    seen: set[str] = set()
    runs = 0
    request = _to_repeat()
    for python in pythons:
        for seed in range(count if python == sys.executable else max(2, count // 4)):
            done = subprocess.run(
                [python, "-m", "tests.proof.repeat"], cwd=ROOT, input=request, capture_output=True, text=True,
                env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, (python, done.stderr[-500:])
            seen.add(done.stdout)
            runs += 1
    assert len(seen) == 1 and len(seen.pop()) == 65
    tried = f"{runs} processes on Python {', '.join(sorted(set(pythons.values())))}: one transcript"
    return (
        f"{tried}; NOT TRIED, not installed here: Python {', '.join(missing)}" if missing else tried
    )


def _to_repeat() -> str:
    """A request of both modes with its tables, as JSON: what is known once the seed is there."""
    roster = people(60, {"g": 2, "r": 3, "o": 25}, "repeat")
    quotas = {"g": {"g0": (2, 4), "g1": (2, 4)}, "r": {f"r{i}": (1, 3) for i in range(3)}}
    panels = [
        PanelSpec(f"P{n}", 6, (f"s{n}",), (f"d{n % 3}",), quotas, {"o": 1, "r": 3})
        for n in range(6)
    ]
    panels.append(PanelSpec("L", 6, ("s",), ("d9",), quotas, {}, "lottery"))
    out = [
        exclusion(p.id, roster[(i * 7 + n) % 60].id) for n, p in enumerate(panels) for i in range(5)
    ]
    commitment = commit(panels, roster, out, load_cap=7, with_parties=True)
    return json.dumps(
        {
            "commitment": commitment.document,
            "lotteries": commitment.lotteries,
            "roster": roster_leaves(roster, commitment.document["type_attributes"]),
            "exclusions": exclusion_leaves(out),
            "values": {"dice": throw("repeat")},
            "labels": {"u0": "甲省 é\u2028"},
        }
    )


def _other_python(version: str) -> list[str]:
    """A Python of this version that runs, by name or in the usual place of pyenv."""
    tried = [shutil.which(f"python{version}")]
    tried += map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
    for path in filter(None, tried):
        done = subprocess.run([path, "-V"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and f" {version}." in done.stdout:
            return [path]
    return []
