"""Types, strata and the exact question "can this panel still be completed?".

The answer is a property of numbers (docs/draw-protocol.md section 6), not of a search order: any
exact method gives the same one. Here: depth-first over type counts, branching on the scarcest
unmet minimum, with a memo of dead ends; an employer limit is decided by bipartite matching.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .objects import Candidate, PanelSpec, refuse

PairValues = tuple[str, ...]


class SearchTooLong(Exception):
    """The node budget of a rehearsal is used up; never raised after the seed."""


class Strata:
    """The roster cut by one panel's quota and pair attributes; shared by all panels of that shape."""

    def __init__(
        self, roster: Sequence[Candidate], quota: Sequence[str], pairs: Sequence[str]
    ) -> None:
        self.quota, self.pairs = tuple(quota), tuple(pairs)
        vectors = {c.id: tuple(c.facts.get(a, "") for a in self.quota) for c in roster}
        self.types = sorted(set(vectors.values()))
        index = {vector: i for i, vector in enumerate(self.types)}
        self.type_of = {expert: index[vector] for expert, vector in vectors.items()}
        self.pair_of: dict[str, PairValues] = {
            c.id: tuple(c.facts.get(a, "") for a in self.pairs) for c in roster
        }
        self.base = [0] * len(self.types)
        for kind in self.type_of.values():
            self.base[kind] += 1
        # A cell: the people of one type with the same pair values.
        counts = Counter((kind, self.pair_of[expert]) for expert, kind in self.type_of.items())
        cells = sorted(counts)
        number = {cell: i for i, cell in enumerate(cells)}
        self.cell_of = {e: number[kind, self.pair_of[e]] for e, kind in self.type_of.items()}
        self.kind_of_cell = [kind for kind, _ in cells]
        self.cells: list[list[tuple[PairValues, int, int]]] = [[] for _ in self.types]
        for i, cell in enumerate(cells):
            self.cells[cell[0]].append((cell[1], i, counts[cell]))  # pair values, cell, people
        # One known full panel, as type counts, of each set of bounds that was asked for.
        self.plans: dict[tuple[tuple[int, ...], ...], dict[int, int]] = {}


class Panel:
    """A panel being filled: who is still to be had by type, and what its bounds still allow.

    `unavailable` are people of the roster that cannot sit here (excluded, dates, load cap).
    """

    def __init__(
        self,
        spec: PanelSpec,
        strata: Strata,
        unavailable: Iterable[str],
        budget: list[int] | None = None,
    ) -> None:
        self.spec, self.strata, self.budget = spec, strata, budget
        self.avail = list(strata.base)
        self.gone = Counter(map(strata.cell_of.__getitem__, unavailable))  # cell -> not to be had
        for cell, n in self.gone.items():
            self.avail[strata.kind_of_cell[cell]] -= n
        self.left = spec.seats
        self.row_names = [(a, v) for a in strata.quota for v in sorted(spec.quotas[a])]
        number = {name: i for i, name in enumerate(self.row_names)}
        self.rows_of: list[tuple[int, ...] | None] = []
        for i, vector in enumerate(strata.types):
            rows = [number.get((a, v), -1) for a, v in zip(strata.quota, vector, strict=True)]
            if -1 in rows and self.avail[i]:
                place = rows.index(-1)
                raise refuse(
                    "评审组“{p}”的名额没有列出属性“{a}”的值“{v}”，而有可抽专家属于该值",
                    "panel '{p}' lists no quota for {a} = '{v}', but eligible people have that value",
                    p=spec.id,
                    a=strata.quota[place],
                    v=vector[place],
                )
            self.rows_of.append(None if -1 in rows else tuple(rows))
        self.need = [spec.quotas[a][v][0] for a, v in self.row_names]
        self.room = [spec.quotas[a][v][1] for a, v in self.row_names]
        self.groups: list[list[int]] = [
            [i for i, (a, _) in enumerate(self.row_names) if a == attribute]
            for attribute in strata.quota
        ]
        self.limits = tuple(spec.pair_limits[a] for a in strata.pairs)
        self.used: list[Counter[str]] = [Counter() for _ in strata.pairs]
        # Type counts of one known completion; of a full panel of these bounds to begin with.
        self._bounds = (tuple(self.need), tuple(self.room), (self.left,))
        self._plan = strata.plans.get(self._bounds)

    def blocked(self, expert: str) -> str:
        """Is a bound already reached for this person: "max", "pair" or ""."""
        rows = self.rows_of[self.strata.type_of[expert]]
        if rows is None or any(self.room[r] <= 0 for r in rows):
            return "max"
        values = self.strata.pair_of[expert] if self.strata.pairs else ()
        for used, value, limit in zip(self.used, values, self.limits, strict=True):
            if value and used[value] >= limit:
                return "pair"
        return ""

    def seat(self, expert: str) -> None:
        """Put this person on the panel without asking anything."""
        kind = self.strata.type_of[expert]
        self.avail[kind] -= 1
        self.gone[self.strata.cell_of[expert]] += 1
        self.left -= 1
        for row in self.rows_of[kind] or ():
            self.need[row] = max(0, self.need[row] - 1)
            self.room[row] -= 1
        for used, value in zip(self.used, self.strata.pair_of[expert], strict=True):
            if value:
                used[value] += 1
        if self._plan is not None and self._plan.get(kind, 0) > 0:
            self._plan = {**self._plan, kind: self._plan[kind] - 1}

    def unseat(self, expert: str, before: tuple[list[int], list[int]]) -> None:
        """Take back `seat(expert)`; `before` is (need, room) as they were."""
        kind = self.strata.type_of[expert]
        self.avail[kind] += 1
        self.gone[self.strata.cell_of[expert]] -= 1
        self.left += 1
        self.need, self.room = before
        for used, value in zip(self.used, self.strata.pair_of[expert], strict=True):
            if value:
                used[value] -= 1

    def try_seat(self, expert: str) -> bool:
        """Seat this person iff the panel can still be completed afterwards."""
        plan = self._plan
        before = (list(self.need), list(self.room))
        self.seat(expert)
        if self.completable():
            return True
        self.unseat(expert, before)
        self._plan = plan
        return False

    def completable(self) -> bool:
        """Can the open seats be filled so that every bound and pair rule holds?"""
        if self._plan is not None and self._mend(self._plan):
            return True
        self._dead: set[tuple[tuple[int, ...], ...]] = set()
        chosen: dict[int, int] = {}
        if self._search(list(self.need), list(self.room), self.left, list(self.avail), chosen)[0]:
            self._plan = {k: n for k, n in chosen.items() if n}
            if self.left == self.spec.seats:
                self.strata.plans[self._bounds] = self._plan
            return True
        self._plan = None
        return False

    def _mend(self, plan: dict[int, int]) -> bool:
        """Does the known plan still do, or without one of its people if it has one too many?

        One plan that does is proof enough; if none of these does, the search decides.
        """
        surplus = sum(plan.values()) - self.left
        if surplus not in (0, 1):
            return False
        held = [0] * len(self.need)
        for kind, n in plan.items():
            rows = self.rows_of[kind]
            if n > self.avail[kind] or (n and rows is None):
                return False
            for r in rows or ():
                held[r] += n
        over = {r for r, n in enumerate(held) if n > self.room[r]}
        for spare in plan if surplus else (-1,):
            less = (self.rows_of[spare] or ()) if surplus else ()
            if plan.get(spare, 1) < 1 or not over <= set(less):
                continue
            if any(n - (r in less) < self.need[r] for r, n in enumerate(held)):
                continue
            if any(held[r] - 1 > self.room[r] for r in over):
                continue
            kept = {k: n - (k == spare) for k, n in plan.items() if n - (k == spare)}
            if self._pairs_fit(kept):
                self._plan = kept
                return True
        return False

    def _search(
        self, need: list[int], room: list[int], left: int, avail: list[int], chosen: dict[int, int]
    ) -> tuple[bool, bool]:
        """(completed, reached a full count vector that only the pair rules refused)."""
        if self.budget is not None:
            self.budget[0] -= 1
            if self.budget[0] < 0:
                raise SearchTooLong
        if left == 0:
            if any(need):
                return False, False
            fits = self._pairs_fit(chosen)
            return fits, not fits
        have = [0] * len(need)
        open_types: list[int] = []
        for kind, count in enumerate(avail):
            rows = self.rows_of[kind]
            if count > 0 and rows is not None and all(room[r] > 0 for r in rows):
                open_types.append(kind)
                for r in rows:
                    have[r] += count
        if not open_types or (not need and sum(avail[k] for k in open_types) < left):
            return False, False
        for group in self.groups:
            if sum(need[r] for r in group) > left:
                return False, False
            if sum(min(room[r], have[r]) for r in group) < left:
                return False, False
        unmet = [r for r in range(len(need)) if need[r] > 0]
        if any(have[r] < need[r] for r in unmet):
            return False, False
        key = (tuple(need), tuple(room), (left,), tuple(min(a, left) for a in avail))
        if key in self._dead:
            return False, False
        if unmet:
            row = min(unmet, key=lambda r: (have[r] - need[r], r))
            branch = [k for k in open_types if row in (self.rows_of[k] or ())]
        else:
            branch = open_types
        branch.sort(key=lambda k: (-sum(need[r] > 0 for r in self.rows_of[k] or ()), -avail[k], k))
        reached = False
        avail = list(avail)
        for kind in branch:
            rows = self.rows_of[kind] or ()
            next_need, next_room = list(need), list(room)
            for r in rows:
                next_need[r] = max(0, need[r] - 1)
                next_room[r] = room[r] - 1
            avail[kind] -= 1
            chosen[kind] = chosen.get(kind, 0) + 1
            done, deep = self._search(next_need, next_room, left - 1, avail, chosen)
            if done:
                return True, False
            reached = reached or deep
            chosen[kind] -= 1
            avail[kind] = 0  # later branches take none of this type: no count vector comes twice
        if not reached:
            self._dead.add(key)
        return False, reached

    # -- pair rules ------------------------------------------------------------------------------

    def _pairs_fit(self, counts: Mapping[int, int]) -> bool:
        """Can `counts` people of each type be named so that no pair limit is broken?"""
        strata = self.strata
        if not strata.pairs:
            return True
        wanted = {k: n for k, n in counts.items() if n > 0}
        if len(strata.pairs) == 1:
            busy = len(self.used[0])
            if all(
                len(strata.cells[k]) - busy - (strata.base[k] - self.avail[k]) >= self.left
                for k in wanted
            ):
                return True  # enough different employers for everyone: no matching needed
            return self._match(wanted)
        classes: dict[int, list[tuple[PairValues, int]]] = {
            k: [(values, n - self.gone[cell]) for values, cell, n in strata.cells[k]]
            for k in wanted
        }
        todo = [k for k in sorted(wanted) for _ in range(wanted[k])]
        return self._name(todo, 0, 0, classes)

    def _name(
        self,
        todo: list[int],
        place: int,
        first: int,
        classes: dict[int, list[tuple[PairValues, int]]],
    ) -> bool:
        """Exact backtracking over classes of people with equal pair values."""
        if place == len(todo):
            return True
        if self.budget is not None:
            self.budget[0] -= 1
            if self.budget[0] < 0:
                raise SearchTooLong
        cells = classes[todo[place]]
        for i in range(first, len(cells)):
            values, count = cells[i]
            pairs = list(zip(self.used, values, self.limits, strict=True))
            if count <= 0 or any(v and used[v] >= limit for used, v, limit in pairs):
                continue
            for used, value, _ in pairs:
                used[value] += 1 if value else 0
            cells[i] = (values, count - 1)
            same = place + 1 < len(todo) and todo[place + 1] == todo[place]
            fits = self._name(todo, place + 1, i if same else 0, classes)
            cells[i] = (values, count)
            for used, value, _ in pairs:
                used[value] -= 1 if value else 0
            if fits:
                return True
        return False

    def _match(self, wanted: Mapping[int, int]) -> bool:
        """One pair attribute: seats of a type -> values, by augmenting paths with capacities."""
        limit, used = self.limits[0], self.used[0]
        gone = self.gone
        cells: dict[int, dict[str, int]] = {
            kind: {v[0]: n - gone[cell] for v, cell, n in self.strata.cells[kind] if n > gone[cell]}
            for kind in wanted
        }
        flow: Counter[tuple[int, str]] = Counter()
        load: Counter[str] = Counter()

        def augment(kind: int, seen: set[str]) -> bool:
            for value, count in cells[kind].items():
                if value in seen or flow[kind, value] >= count:
                    continue
                seen.add(value)
                if not value or load[value] + used[value] < limit:
                    flow[kind, value] += 1
                    load[value] += 1
                    return True
                for other in cells:
                    if other != kind and flow[other, value] > 0 and augment(other, seen):
                        flow[other, value] -= 1
                        flow[kind, value] += 1
                        return True
            return False

        return all(augment(kind, set()) for kind in wanted for _ in range(wanted[kind]))


def strata_for(
    roster: Sequence[Candidate], spec: PanelSpec, cache: dict[tuple[tuple[str, ...], ...], Strata]
) -> Strata:
    """The strata of a panel's shape, built once per shape."""
    shape = (tuple(sorted(spec.quotas)), tuple(sorted(spec.pair_limits)))
    if shape not in cache:
        cache[shape] = Strata(roster, *shape)
    return cache[shape]


def check_bounds(spec: PanelSpec) -> None:
    """Bounds that no pool could meet (min > max, minima above the seats, maxima below): DomainError."""
    if spec.seats < 1:
        raise refuse(
            "评审组“{p}”的席位数须至少为 1", "panel '{p}' needs at least 1 seat", p=spec.id
        )
    for attribute in sorted(spec.quotas):
        bounds = spec.quotas[attribute]
        for value, (low, high) in sorted(bounds.items()):
            if not 0 <= low <= high:
                raise refuse(
                    "评审组“{p}”属性“{a}”值“{v}”的名额 [{lo}, {hi}] 不成立：须 0 ≤ 下限 ≤ 上限",
                    "panel '{p}', {a} = '{v}': bounds [{lo}, {hi}] must satisfy 0 <= min <= max",
                    p=spec.id, a=attribute, v=value, lo=low, hi=high,
                )  # fmt: skip
        low = sum(b[0] for b in bounds.values())
        high = sum(b[1] for b in bounds.values())
        if low > spec.seats or high < spec.seats:
            raise refuse(
                "评审组“{p}”有 {n} 席，而属性“{a}”的下限合计 {lo}、上限合计 {hi}，无法满足",
                "panel '{p}' has {n} seats, but the minima of {a} add up to {lo} and the maxima to {hi}",
                p=spec.id, n=spec.seats, a=attribute, lo=low, hi=high,
            )  # fmt: skip
    for attribute, limit in sorted(spec.pair_limits.items()):
        if limit < 1:
            raise refuse(
                "评审组“{p}”属性“{a}”的同值人数上限须至少为 1",
                "panel '{p}': the pair limit of {a} must be at least 1",
                p=spec.id, a=attribute,
            )  # fmt: skip
