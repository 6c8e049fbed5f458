"""Write tests/vectors/pdraw/vectors.jsonl: small draws with everything that has to come out.

    python -m tests.vectors.make_pdraw [--check]

Run once; the file is frozen. Running it again must give the same bytes (`--check` only compares): all
choices below come from SHA-256, the draws from the second generator, the tables of the lotteries are
made by hand. Only the relaxations of infeasible requests are asked of the engine.

A line is {"name", "request", "expect"}. To spare room a request leaves out what is the same everywhere
or follows from a rule: see `expanded`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

from tests.vectors.second_generator import generate, jcs, leaf, sha

FILE = Path(__file__).parent / "pdraw" / "vectors.jsonl"
UNMAKEABLE = ("refused-unknown-expert", "refused-mode")  # not even a forger can draw from these
DEFAULTS: dict[str, Any] = {
    "kind": "drill", "purpose": {"round": 1, "scheme": "test"}, "attempt": 1, "load_cap": 0,
    "replacement": "act", "rule_set": "", "previous_head": "", "exclusions": [], "parties": [],
    "lotteries": [], "labels": [], "removals": [],
    "sources": [{"count": 6, "high": 6, "kind": "sequence", "low": 1, "name": "dice", "when": ""}],
}  # fmt: skip
PANEL: dict[str, Any] = {
    "dates": [], "mode": "tickets", "pair_limits": [], "quotas": [], "subjects": []
}  # fmt: skip


def salt(*what: str) -> str:
    """The first 32 hex digits of H("salt|" + parts joined by "|")."""
    return hashlib.sha256("|".join(["salt", *what]).encode()).hexdigest()[:32]


def expanded(request: dict[str, Any]) -> dict[str, Any]:
    """A request as the second generator takes it: defaults, salts, exclusion leaves, panels."""
    return {
        **DEFAULTS,
        **request,
        "panels": [{**PANEL, **p} for p in request["panels"]],
        "roster": [[i, facts, salt(i)] for i, facts in request["roster"].items()],
        "exclusions": [
            {"decided_by": "office", "evidence": "ab" * 32, "expert": e, "panel": p, "rule": r,
             "salt": salt(p, e, r), "when": 0}
            for p, e, r in request.get("exclusions", [])
        ],
    }  # fmt: skip


def pick(below: int, *what: object) -> int:
    digest = hashlib.sha256("|".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % below


def roster(name: str, size: int, **values: int) -> dict[str, dict[str, str]]:
    return {
        f"E{i:03d}": {a: f"{a}{pick(k, name, i, a)}" for a, k in values.items()}
        for i in range(size)
    }


def dice(name: str, count: int = 6) -> dict[str, list[int]]:
    return {"dice": [1 + pick(6, name, "die", n) for n in range(count)]}


def quotas(people: dict[str, dict[str, str]], attribute: str, seats: int, name: str) -> list[Any]:
    """A minimum for some values, a maximum for all: what the pool has room for."""
    values = Counter(f[attribute] for f in people.values())
    left, rows = seats, []
    for v in sorted(values):
        low = min(pick(2, name, v, "low"), left, values[v])
        left -= low
        rows.append([attribute, v, low, max(low, seats - pick(2, name, v, "high"))])
    return rows


def parties(name: str) -> list[list[Any]]:
    return [[who, hashlib.sha256(f"{name}|{who}".encode()).hexdigest(), 8] for who in ("office", "supervisor")]  # fmt: skip


def draws() -> dict[str, dict[str, Any]]:
    """Requests that lead to a result, by name."""
    out: dict[str, dict[str, Any]] = {}
    for n in range(20):
        name = f"plain-{n:02d}"
        people = roster(name, 6 + n, g=2)
        panel = {"id": f"P{n}", "seats": 1 + n % 5, "subjects": [f"s{n}"]}
        out[name] = {"panels": [panel], "roster": people, "values": dice(name)}
    for n in range(40):
        name = f"quotas-{n:02d}"
        people, seats = roster(name, 10 + n % 9, g=2, h=3), 3 + n % 3
        rows = quotas(people, "g", seats, name) + (
            quotas(people, "h", seats, name) if n % 2 else []
        )
        barred = [
            ["A", f"E{pick(10, name, k):03d}", ("kin", "employer")[k % 2]] for k in range(n % 4)
        ]
        out[name] = {
            "panels": [{"id": "A", "seats": seats, "quotas": rows}], "roster": people,
            "exclusions": [list(x) for x in sorted(set(map(tuple, barred)))], "values": dice(name),
        }  # fmt: skip
    for n in range(35):
        name = f"pairs-{n:02d}"
        people = roster(name, 12, g=2, o=5, k=9)
        for i in sorted(people)[: n % 4]:
            del people[i]["o"]
        limits = [["k", 1], ["o", 1]] if n >= 25 else [["o", 1 + n % 2]]
        rows = quotas(people, "g", 4, name)
        out[name] = {
            "panels": [{"id": "A", "seats": 4, "quotas": rows, "pair_limits": limits}],
            "roster": people, "values": dice(name),
        }  # fmt: skip
    for n in range(35):
        name = f"batch-{n:02d}"
        people = roster(name, 12, g=2, o=6)
        for place, i in enumerate(sorted(people)):
            people[i]["g"] = "g0" if place < 2 + n % 3 else "g1"
        both = [["g", "g0", 1, 1], ["g", "g1", 1, 2]]
        loose = [["g", "g0", 0, 2], ["g", "g1", 0, 3]]
        panels = [
            {"id": "A", "seats": 3, "subjects": ["a"], "dates": ["d1"], "quotas": loose},
            {"id": "B", "seats": 2, "subjects": ["b"], "dates": ["d1", "d2"], "quotas": both},
            {"id": "C", "seats": 2, "subjects": ["c"], "dates": ["d2"], "quotas": both,
             "pair_limits": [["o", 1]]},
        ]  # fmt: skip
        out[name] = {
            "panels": panels[: 2 + n % 2], "roster": people, "load_cap": n % 3,
            "exclusions": [["A", "E005", "dispute"]] * (n % 2), "values": dice(name),
        }  # fmt: skip
    for n in range(35):
        name = f"lottery-{n:02d}"
        people = roster(name, 9 + n % 8, g=2, h=2)
        if n < 25:
            out[name] = lottery(name, people, 3)
        else:
            out[name] = certified(name, people, 1 + n % 2)
    for n in range(35):
        name = f"acts-{n:02d}"
        people = roster(name, 9 + n % 7, g=3, o=5)
        rows = quotas(people, "g", 4, name)
        first = [["A", 1 + n % 4, "ill", 100 + n]] + (
            [["A", 1 + (n + 2) % 4, "declined", 7]] if n % 3 else []
        )
        out[name] = {
            "panels": [{"id": "A", "seats": 4, "quotas": rows, "pair_limits": [["o", 2]] if n % 2 else []}],
            "roster": people, "values": dice(name), "parties": parties(name),
            "removals": [first, [["A", 1 + (n + 1) % 4, "late", 200]]],
            "replacement": "reserves" if n >= 25 else "act", "load_cap": n % 2,
        }  # fmt: skip
    for n in range(10):
        name = f"sources-{n:02d}"
        sources = [
            {"count": 3, "high": 33, "kind": "set", "low": 1, "name": "ball", "when": "2012049"},
            {"count": 4 + n, "high": 20, "kind": "sequence", "low": 0, "name": "dice", "when": ""},
        ]
        balls = [[pick(10, name, k) + 10 * k + 1 for k in range(3)][k] for k in (2, 0, 1)]
        out[name] = {
            "panels": [{"id": "A", "seats": 2}], "roster": roster(name, 7, g=1), "sources": sources,
            "values": {"ball": balls, "dice": [pick(21, name, "d", k) for k in range(4 + n)]},
            "parties": parties(name) if n % 2 else [], "kind": "real", "attempt": 1 + n,
            "rule_set": "0f" * 32, "previous_head": "1e" * 32, "labels": ["抽取", "甲\u2028乙😀"],
        }  # fmt: skip
    return out


def typed(people: dict[str, dict[str, str]], attributes: list[str]) -> list[Any]:
    counts = Counter(tuple(f.get(a, "") for a in attributes) for f in people.values())
    return [[f"T{n}", counts[v], list(v)] for n, v in enumerate(sorted(counts), 1)]


def lottery(name: str, people: dict[str, dict[str, str]], seats: int) -> dict[str, Any]:
    """Some of all possible rows with uneven lots: a table that is no optimum and says so."""
    types, rows = typed(people, ["g", "h"]), [["g", "g0", 0, 2], ["g", "g1", 1, 3]]
    inside = {
        v: [t for t, (_, _, values) in enumerate(types) if values[0] == v] for v in ("g0", "g1")
    }
    dense = [
        counts
        for counts in product(*(range(min(seats, size) + 1) for _, size, _ in types))
        if sum(counts) == seats
        and all(low <= sum(counts[t] for t in inside[v]) <= high for _, v, low, high in rows)
    ]
    dense = dense[pick(2, name, "from") :: 2]
    lots = [2**40 // len(dense) - pick(1000, name, n) for n in range(len(dense))]
    lots[-1] += 2**40 - sum(lots)
    table = {
        "attributes": ["g", "h"], "certificate": [], "certified": 0, "panel": "L", "quota_rows": rows,
        "rows": [[n, [[t, c] for t, c in enumerate(counts) if c]] for n, counts in zip(lots, dense, strict=True)],
        "seats": seats, "types": types,
    }  # fmt: skip
    panel = {
        "id": "L",
        "seats": seats,
        "mode": "lottery",
        "quotas": rows,
        "pair_limits": [["h", 3]],
    }
    capped = sorted([*rows, *[["h", v, 0, 3] for v in sorted({t[2][1] for t in types})]])
    return {
        "panels": [panel], "roster": people, "values": dice(name), "lotteries": [{**table, "quota_rows": capped}],
    }  # fmt: skip


def certified(name: str, people: dict[str, dict[str, str]], each: int) -> dict[str, Any]:
    """Every type has a fixed number of seats, so that one row is the optimum; a level for each type."""
    types = typed(people, ["g"])
    order = sorted(range(len(types)), key=lambda t: (-types[t][1], t))
    certificate = [
        {"before": sorted(order[:n]), "free": [[t, types[t][1]]], "rows": [[t, 1]], "seats": 0, "settled": []}
        for n, t in enumerate(order)
    ]  # fmt: skip
    rows = [["g", t[2][0], each, each] for t in types]
    table = {
        "attributes": ["g"], "certificate": certificate, "certified": 1, "panel": "L",
        "quota_rows": rows, "rows": [[2**40, [[t, each] for t in range(len(types))]]],
        "seats": each * len(types), "types": types,
    }  # fmt: skip
    panel = {"id": "L", "seats": each * len(types), "mode": "lottery", "quotas": rows}
    return {"panels": [panel], "roster": people, "values": dice(name), "lotteries": [table]}


def expectation(made: dict[str, Any]) -> dict[str, Any]:
    """What has to come out, short: hashes where the whole would be long."""
    result = made["result"]
    return {
        "hash": made["hash"],
        "key": made["key"],
        "tickets": sha(jcs(made["tickets"])).hex(),
        "lowest": {p: rows[0] for p, rows in made["tickets"]},
        "lots": {p["id"]: p["lot"] for p in result["panels"] if p["lot"] >= 0},
        "order": result["order"],
        "panels": {p["id"]: [i for i, _ in p["seats"]] for p in result["panels"]},
        "restarts": result["restarts"],
        "result": leaf(result),
        "acts": [
            {"key": a["key"], "removal_hash": a["removal_hash"],
             "fills": [[p, n, old, new, how] for p, n, old, new, _, how in a["fills"]]}
            for a in made["acts"]
        ],
        "zip": sha(made["zip"]).hex(),
    }  # fmt: skip


def refusals() -> dict[str, tuple[dict[str, Any], str]]:
    """Requests that no commitment may carry: (request, step at which a verifier stops)."""
    people = roster("refused", 8, g=2)
    panel = {"id": "A", "seats": 3}
    good: dict[str, Any] = {"panels": [panel], "roster": people, "values": dice("refused")}
    source = DEFAULTS["sources"][0]
    two = [{**panel, "subjects": ["a"]}, {"id": "B", "seats": 2, "subjects": ["a"]}]
    name = {**people, "E 1": {"g": "g0"}}
    party = parties("refused")
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "kind": ({"kind": "rehearsal"}, "commitment"),
        "replacement": ({"replacement": "none"}, "commitment"),
        "attempt": ({"attempt": 0}, "commitment"),
        "load-cap": ({"load_cap": -1}, "commitment"),
        "no-panel": ({"panels": []}, "commitment"),
        "panel-id": ({"panels": [{"id": "A B", "seats": 2}]}, "commitment"),
        "seats": ({"panels": [{"id": "A", "seats": 0}]}, "commitment"),
        "mode": ({"panels": [{**panel, "mode": "dice"}]}, "commitment"),
        "minima": ({"panels": [{**panel, "quotas": [["g", "g0", 2, 3], ["g", "g1", 2, 3]]}]}, "commitment"),
        "maxima": ({"panels": [{**panel, "quotas": [["g", "g0", 0, 1], ["g", "g1", 0, 1]]}]}, "commitment"),
        "min-above-max": ({"panels": [{**panel, "quotas": [["g", "g0", 2, 1], ["g", "g1", 0, 3]]}]}, "commitment"),
        "attribute": ({"panels": [{**panel, "quotas": [["组", "g0", 0, 3]]}]}, "commitment"),
        "pair-limit": ({"panels": [{**panel, "pair_limits": [["g", 0]]}]}, "commitment"),
        "subject-twice": ({"panels": two}, "commitment"),
        "no-source": ({"sources": [], "values": {}}, "commitment"),
        "source-kind": ({"sources": [{**source, "kind": "bag"}]}, "commitment"),
        "source-range": ({"sources": [{**source, "low": 6}], "values": {"dice": [6] * 6}}, "commitment"),
        "source-party": ({"parties": [["dice", "00" * 32, 8]]}, "commitment"),
        "chains-alike": ({"parties": [party[0], ["other", *party[0][1:]]]}, "commitment"),
        "expert-id": ({"roster": name}, "roster"),
        "unknown-expert": ({"exclusions": [["A", "E999", "kin"]]}, "exclusions"),
        "die-of-seven": ({"values": {"dice": [1, 2, 3, 4, 5, 7]}}, "seed"),
        "die-too-few": ({"values": {"dice": [1, 2, 3, 4, 5]}}, "seed"),
        "chain-used-up": ({"parties": [[party[0][0], party[0][1], 0]]}, "commitment"),
    }  # fmt: skip
    return {name: ({**good, **changed}, step) for name, (changed, step) in cases.items()}


def infeasible() -> dict[str, dict[str, Any]]:
    """Requests that the pool cannot meet."""
    out = {}
    for n in range(20):
        name = f"infeasible-{n:02d}"
        people = roster(name, 8, g=2, h=2)
        for place, i in enumerate(sorted(people)):
            people[i]["g"] = "g0" if place < 1 + n % 2 else "g1"
        need = 2 + n % 2
        rows = [["g", "g0", need, 5], ["g", "g1", 0, 5]] + ([["h", "h0", 3, 5], ["h", "h1", 3, 5]] if n % 4 == 3 else [])  # fmt: skip
        panel = {"id": "A", "seats": 6 if n % 4 == 3 else 5, "quotas": rows}
        out[name] = {"panels": [panel], "roster": people, "values": dice(name)}
    return out


def lines() -> list[dict[str, Any]]:
    from tests.vectors.engine import relaxations

    out = [
        {"name": name, "request": request, "expect": expectation(generate(expanded(request)))}
        for name, request in draws().items()
    ]
    out += [
        {"name": f"refused-{name}", "request": request, "expect": {"refused": step}}
        for name, (request, step) in refusals().items()
    ]
    return out + [
        {"name": name, "request": q, "expect": {"relaxations": relaxations(expanded(q))}}
        for name, q in infeasible().items()
    ]


def text() -> str:
    return "".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for line in lines()
    )


if __name__ == "__main__":
    made = text()
    if "--check" in sys.argv:
        same = FILE.read_text("utf-8") == made
        print("byte-equal" if same else "DIFFERENT")
        sys.exit(0 if same else 1)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(made, "utf-8")
    print(f"{made.count(chr(10))} vectors, {len(made)} characters")
