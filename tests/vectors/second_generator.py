"""A second generator of PDRAW/1 transcripts, for tests: standard library, nothing of the product.

Written from docs/draw-protocol.md to be short and slow: whether a panel can be completed is asked of a
table of all counts, class by class, not of the engine's search. `generate(request)` takes a document as
in tests/vectors/pdraw (see `Draw`) and gives the commitment, key, tickets, result, acts and the ZIP.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
from collections import Counter
from functools import cache
from typing import Any

PRIVATE = {"kin", "dispute", "discipline"}


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def jcs(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf(value: Any) -> str:
    return sha(b"\0" + jcs(value)).hex()


def root(leaves: list[Any]) -> str:
    def tree(hashes: list[bytes]) -> bytes:
        if len(hashes) < 2:
            return hashes[0] if hashes else sha(b"")
        half = 1
        while 2 * half < len(hashes):
            half *= 2
        return sha(b"\1" + tree(hashes[:half]) + tree(hashes[half:]))

    return tree(sorted(bytes.fromhex(leaf(x)) for x in leaves)).hex()


def hkdf(salt: bytes, material: bytes, info: str) -> str:
    extracted = hmac.digest(salt, material, "sha256")
    return hmac.digest(extracted, info.encode() + b"\1", "sha256").hex()


def chain(secret: str, times: int) -> str:
    """H applied `times` times to the 32 bytes of a party."""
    value = bytes.fromhex(secret)
    for _ in range(times):
        value = sha(value)
    return value.hex()


def ticket(key: str, panel: str, act: int, expert: str) -> str:
    return sha(f"ticket|{key}|{panel}|{act}|{expert}".encode()).hex()


class Draw:
    """One request: {"kind", "purpose", "attempt", "load_cap", "replacement", "rule_set",
    "previous_head", "requires_cosignature" (1, or left out), "panels": as committed without lottery_root, "roster": [[id, {attribute: value},
    salt], ...], "exclusions": [leaf, ...], "sources": as committed, "values": {source: [n, ...]},
    "parties": [[name, secret, index], ...], "lotteries": [table, ...], "labels": [words, ...],
    "removals": [[[panel, seat, reason, when], ...], ...] one list an act}."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.q = request
        self.facts: dict[str, dict[str, str]] = {i: f for i, f, _ in request["roster"]}
        self.tables = {t["panel"]: t for t in request["lotteries"]}
        self.panels = {p["id"]: p for p in sorted(request["panels"], key=lambda p: str(p["id"]))}
        self.out: dict[str, set[str]] = {p: set() for p in self.panels}
        for e in request["exclusions"]:
            self.out[e["panel"]].add(e["expert"])
        self.roster = self.people()
        self.commitment = self.commit()
        self.hash = leaf(self.commitment)
        material = "".join(
            "".join(f"{v}." for v in self.values(s)) + "/" for s in request["sources"]
        )
        self.key = hkdf(self.salt(1), material.encode(), f"pdraw/1|{request['kind']}|{self.hash}")

    # -- before the seed --

    def types(self) -> list[str]:
        names = {q[0] for p in self.panels.values() for q in p["quotas"]}
        for p in self.panels.values():
            if p["mode"] == "lottery":
                names |= {a for a, _ in p["pair_limits"]}
        return sorted(names)

    def people(self) -> list[dict[str, Any]]:
        vector = {i: [f.get(a, "") for a in self.types()] for i, f in self.facts.items()}
        distinct = sorted({tuple(v) for v in vector.values()})
        leaves = [
            {"expert": i, "facts": sorted([a, v] for a, v in f.items()), "salt": salt,
             "type": f"T{distinct.index(tuple(vector[i])) + 1}"}
            for i, f, salt in self.q["roster"]
        ]  # fmt: skip
        return sorted(leaves, key=leaf)

    def commit(self) -> dict[str, Any]:
        q, counts = self.q, Counter(e["rule"] for e in self.q["exclusions"])
        hidden = {
            r for r, n in counts.items() if n < 5 and r.replace("-", ".").split(".")[0] in PRIVATE
        }
        parties = [
            {"commitment": chain(secret, index), "index": index, "name": name}
            for name, secret, index in q["parties"]
        ]
        panels = [
            {**p, "lottery_root": leaf(self.tables[i]) if i in self.tables else ""}
            for i, p in self.panels.items()
        ]
        copied = "attempt kind load_cap previous_head purpose replacement requires_cosignature rule_set sources"  # fmt: skip
        return {
            **{name: q[name] for name in copied.split() if name in q},
            "exclusion_counts": [[r, "<5" if r in hidden else counts[r]] for r in sorted(counts)],
            "exclusions_root": root(q["exclusions"]),
            "panels": panels,
            "parties": parties,
            "roster_root": root(self.roster),
            "roster_size": len(self.roster),
            "spec": "PDRAW/1",
            "type_attributes": self.types(),
        }

    # -- the seed --

    def values(self, source: dict[str, Any]) -> list[int]:
        values: list[int] = self.q["values"][source["name"]]
        return sorted(values) if source["kind"] == "set" else values

    def codes(self, act: int) -> list[list[str]]:
        return [[name, chain(secret, index - act)] for name, secret, index in self.q["parties"]]

    def salt(self, act: int) -> bytes:
        joined = b"".join(bytes.fromhex(code) for _, code in self.codes(act))
        return sha(joined) if joined else bytes(32)

    # -- the draw --

    def eligible(self, panel: str) -> list[str]:
        return [i for i in self.facts if i not in self.out[panel]]

    def tickets(self) -> list[list[Any]]:
        return [
            [p, sorted([ticket(self.key, p, 1, i), i] for i in self.eligible(p))]
            for p in self.panels
        ]

    def result(self) -> dict[str, Any]:
        order = sorted(self.panels, key=lambda p: (sha(f"panel|{self.key}|{p}".encode()), p))
        restarts: list[str] = []
        while True:
            done, stuck = self.batch(order, len(restarts) == 3 * len(order))
            if not stuck:
                break
            restarts.append(stuck)
            order = [stuck] + [p for p in order if p != stuck]
        panels = [done[p] for p in sorted(done)]
        begun = {"commitment": self.hash, "key": self.key, "kind": self.q["kind"]}
        return {**begun, "order": order, "panels": panels, "restarts": restarts}

    def batch(self, order: list[str], last: bool) -> tuple[dict[str, Any], str]:
        done: dict[str, Any] = {}
        sits: dict[str, list[str]] = {}  # expert -> panels
        for name in order:
            p = self.panels[name]
            drawn = self.lots(name) if p["mode"] == "lottery" else self.walk(p, sits, last)
            if drawn is None:
                return {}, name
            done[name] = drawn
            for i, _ in drawn["seats"]:
                sits.setdefault(i, []).append(name)
        return done, ""

    def lots(self, name: str) -> dict[str, Any]:
        table = self.tables[name]
        lot = int.from_bytes(sha(f"lot|{self.key}|{name}".encode()), "big") % 2**40
        row = next(
            n for n in range(len(table["rows"])) if sum(r[0] for r in table["rows"][: n + 1]) > lot
        )
        seats: list[Any] = []
        for index, count in table["rows"][row][1]:
            kind = [
                [ticket(self.key, name, 1, i), i]
                for i in self.eligible(name)
                if [self.facts[i].get(a, "") for a in table["attributes"]]
                == table["types"][index][2]
            ]
            seats += sorted(kind)[:count]
        listed = [[i, t] for t, i in sorted(seats)]
        return {"id": name, "lot": lot, "row": row, "seats": listed, "short": 0, "skips": []}

    def clashes(self, p: dict[str, Any], panels: list[str]) -> bool:
        """Does one of these other panels share a date with p?"""
        return any(set(p["dates"]) & set(self.panels[o]["dates"]) for o in panels if o != p["id"])

    def walk(self, p: Any, sits: dict[str, list[str]], last: bool) -> dict[str, Any] | None:
        cap = self.q["load_cap"]
        capped = {i for i, panels in sits.items() if cap and len(panels) >= cap}
        dated = {i for i, panels in sits.items() if self.clashes(p, panels)}
        free = [i for i in self.eligible(p["id"]) if i not in capped | dated]
        short = not self.completable(p, [], free)
        if short and not last:
            return None
        seats: list[list[str]] = []
        skips: list[list[str]] = []
        for t, i in sorted([ticket(self.key, p["id"], 1, i), i] for i in self.eligible(p["id"])):
            if len(seats) == p["seats"]:
                break
            members = [m for m, _ in seats]
            why = "load_cap" if i in capped else "date" if i in dated else self.full(p, members, i)
            if not why and not short and not self.completable(p, [*members, i], free):
                why = "completion"
            skips += [[i, t, why]] if why else []
            seats += [] if why else [[i, t]]
        shape = {"lot": -1, "row": -1, "short": int(short), "skips": skips}
        return {"id": p["id"], "seats": seats, **shape}

    def full(self, p: dict[str, Any], members: list[str], i: str) -> str:
        mine = self.facts[i]
        bounds = {(a, v): high for a, v, _, high in p["quotas"]}
        for a in {a for a, *_ in p["quotas"]}:
            v = mine.get(a, "")
            if sum(self.facts[m].get(a, "") == v for m in members) >= bounds.get((a, v), 0):
                return "max"
        for a, k in p["pair_limits"]:
            if mine.get(a) and sum(self.facts[m].get(a) == mine[a] for m in members) >= k:
                return "pair"
        return ""

    def completable(self, p: dict[str, Any], members: list[str], free: list[str]) -> bool:
        """Is there a full panel with `members`? One class of equal people after the other."""
        rows = [(a, v) for a, v, _, _ in p["quotas"]]
        low, high = [q[2] for q in p["quotas"]], [q[3] for q in p["quotas"]]
        attributes = sorted({a for a, _ in rows})
        limits = [(a, k) for a, k in p["pair_limits"]]

        def kind(i: str) -> tuple[tuple[int, ...], tuple[str, ...]] | None:
            f = self.facts[i]
            cells = [(a, f.get(a, "")) for a in attributes]
            if any(c not in rows for c in cells):
                return None
            return tuple(rows.index(c) for c in cells), tuple(f.get(a, "") for a, _ in limits)

        taken = [kind(i) for i in members]
        if None in taken:
            return False
        have = tuple(sum(r in k[0] for k in taken if k) for r in range(len(rows)))
        held = Counter((n, v) for k in taken if k for n, v in enumerate(k[1]) if v)
        classes = Counter(kind(i) for i in free if i not in members)
        classes.pop(None, None)
        groups = sorted(((k, n) for k, n in classes.items() if k), key=str)
        above = any(n > h for n, h in zip(have, high, strict=True))
        if above or any(c > limits[n][1] for (n, _), c in held.items()):
            return False

        @cache
        def reach(at: int, left: int, have: tuple[int, ...], pairs: frozenset[Any]) -> bool:
            if not left:
                return all(n >= lo for n, lo in zip(have, low, strict=True))
            if at == len(groups):
                return False
            (mine, bonds), size = groups[at]
            now = dict(pairs)
            for n in range(min(left, size) + 1):
                more = tuple(h + n * (r in mine) for r, h in enumerate(have))
                tied = {(m, v): now.get((m, v), 0) + n for m, v in enumerate(bonds) if v and n}
                above = any(m > h for m, h in zip(more, high, strict=True))
                if above or any(c > limits[m][1] for (m, _), c in tied.items()):
                    break
                if reach(at + 1, left - n, more, frozenset({**now, **tied}.items())):
                    return True
            return False

        return reach(0, p["seats"] - len(members), have, frozenset(held.items()))

    # -- afterwards --

    def acts(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        self.seats = {p["id"]: [i for i, _ in p["seats"]] for p in result["panels"]}
        self.vacant: set[tuple[str, int]] = set()
        self.gone: set[str] = set()
        previous, done = leaf(result), []
        for act, wanted in enumerate(self.q["removals"], 2):
            removals = sorted(
                (
                    {"evidence": "cd" * 32, "expert": self.seats[p][n - 1], "panel": p,
                     "reason": reason, "when": when}
                    for p, n, reason, when in wanted
                ),
                key=lambda r: (r["panel"], r["expert"]),
            )  # fmt: skip
            record = {"act": act, "previous": previous, "removals": removals}
            removal = leaf(record)
            if self.q["replacement"] == "reserves":
                codes, key, number = [], self.key, 1
            else:
                codes, number = self.codes(act), act
                info = f"pdraw/1|replace|{self.q['kind']}|{self.hash}|{act}|{removal}"
                key = hkdf(self.salt(act), bytes.fromhex(self.key), info)
            self.gone |= {r["expert"] for r in removals}
            self.vacant |= {(p, n) for p, n, _, _ in wanted}
            fills = []
            for p, n in sorted((p, n) for p, n, _, _ in wanted):
                fills.append([p, n, self.seats[p][n - 1], *self.substitute(p, n, key, number)])
                if fills[-1][3]:
                    self.seats[p][n - 1] = fills[-1][3]
                    self.vacant.discard((p, n))
            extra = {"codes": codes, "fills": fills, "key": key, "removal_hash": removal}
            done.append({**record, **extra})
            previous = leaf(done[-1])
        return done

    def substitute(self, name: str, seat: int, key: str, number: int) -> list[str]:
        p, cap, facts = self.panels[name], self.q["load_cap"], self.facts
        sits: dict[str, list[str]] = {}
        for panel, people in self.seats.items():
            for n, i in enumerate(people, 1):
                if (panel, n) not in self.vacant:
                    sits.setdefault(i, []).append(panel)
        old = facts[self.seats[name][seat - 1]]
        rest = [facts[i] for n, i in enumerate(self.seats[name], 1) if n != seat]
        bounds = {(a, v): (low, high) for a, v, low, high in p["quotas"]}
        attributes = {a for a, *_ in p["quotas"]}

        def may(i: str) -> bool:
            others = sits.get(i, [])
            if i in self.out[name] | self.gone | set(self.seats[name]):
                return False
            if (cap and len(others) >= cap) or self.clashes(p, others):
                return False
            return not any(
                facts[i].get(a) and sum(f.get(a) == facts[i][a] for f in rest) >= k
                for a, k in p["pair_limits"]
            )

        def keeps(i: str) -> bool:
            for a in attributes:
                was, now = old.get(a, ""), facts[i].get(a, "")
                if was == now:
                    continue
                if (a, was) not in bounds or (a, now) not in bounds:
                    return False
                if sum(f.get(a, "") == was for f in rest) < bounds[a, was][0]:
                    return False
                if sum(f.get(a, "") == now for f in rest) + 1 > bounds[a, now][1]:
                    return False
            return True

        people = [i for i in facts if may(i)]
        alike = [i for i in people if all(facts[i].get(a) == old.get(a) for a in attributes)]
        for how, found in (("type", alike), ("swap", [i for i in people if keeps(i)])):
            if found:
                drawn, expert = min((ticket(key, name, number, i), i) for i in found)
                return [expert, drawn, how]
        return ["", "", "none"]

    def archive(self, result: dict[str, Any], acts: list[Any], notes: dict[str, bytes]) -> bytes:
        sources = [[s["name"], self.values(s)] for s in self.q["sources"]]
        seed = {"codes": self.codes(1), "photographs": [], "sources": sources}
        files = notes | {
            "acts.json": jcs(acts),
            "commitment.json": jcs(self.commitment),
            "exclusions.json": jcs(sorted(self.q["exclusions"], key=leaf)),
            "labels.json": jcs(
                sorted(["u" + sha(w.encode()).hex()[:12], w] for w in self.q["labels"])
            ),
            "lotteries.json": jcs([self.tables[p] for p in sorted(self.tables)]),
            "result.json": jcs(result),
            "roster.json": jcs(self.roster),
            "seed.json": jcs(seed),
            "tickets.json": jcs(self.tickets()),
        }
        files["manifest.json"] = jcs([[n, sha(files[n]).hex()] for n in sorted(files)])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(files):
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, 0o644 << 16
                archive.writestr(info, files[name])
        return out.getvalue()


def generate(request: dict[str, Any], witness: Any = lambda digest, acts: {}) -> dict[str, Any]:
    """{"commitment", "hash", "key", "tickets", "result", "acts", "zip"} of one request; `witness` gives the files of a ledger."""
    draw = Draw(request)
    result = draw.result()
    acts = draw.acts(result)
    return {
        "commitment": draw.commitment, "hash": draw.hash, "key": draw.key, "tickets": draw.tickets(),
        "result": result, "acts": acts, "zip": draw.archive(result, acts, witness(draw.hash, acts)),
    }  # fmt: skip
