"""Acts after the draw: removals, and substitutes nobody could know before (section 9).

Policy `act`: removals of a call round are fixed first, then every party reveals its next code.
Policy `reserves`: substitutes follow from the first act and are known to everyone present.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .commitment import Commitment
from .objects import Candidate, Exclusion, PanelSpec, Result, excluded_by_panel, leaf_hash, refuse
from .seed import replacement_key
from .tickets import ticket


@dataclass(frozen=True, slots=True)
class Removal:
    """One member who leaves a seat: coded reason, hash of the evidence, UTC seconds."""

    panel: str
    expert: str
    reason: str
    evidence_hash: str = ""
    when: int = 0

    def document(self) -> dict[str, Any]:
        """The JSON form inside an act."""
        return {
            "evidence": self.evidence_hash,
            "expert": self.expert,
            "panel": self.panel,
            "reason": self.reason,
            "when": self.when,
        }


@dataclass(frozen=True, slots=True)
class Fill:
    """What became of one vacancy; `how` is type, swap or none (expert and ticket then "")."""

    panel: str
    seat: int
    leaver: str
    expert: str
    ticket: str
    how: str


@dataclass(frozen=True, slots=True)
class ReplacementResult:
    """One act. `occupants[panel]` are the last people of each seat, `vacant` seats stand empty."""

    document: dict[str, Any]
    fills: tuple[Fill, ...]
    occupants: Mapping[str, tuple[str, ...]]
    vacant: frozenset[tuple[str, int]]
    removed: frozenset[str]

    @property
    def hash(self) -> str:
        """What the next act names as the one before it."""
        return leaf_hash(self.document)

    @property
    def key(self) -> str:
        return str(self.document["key"])

    def members(self, panel: str) -> list[str]:
        """Who sits on a panel now, in seat order."""
        return [e for n, e in enumerate(self.occupants[panel], 1) if (panel, n) not in self.vacant]


def result_document(commitment: Commitment, key: str, result: Result) -> dict[str, Any]:
    """The published result of act 1; its leaf hash is what act 2 names as the act before it."""
    return {
        "commitment": commitment.hash,
        "key": key,
        "kind": commitment.kind,
        "order": list(result.order),
        "panels": [p.document() for p in result.panels],
        "restarts": list(result.restarts),
    }


def removal_record(act: int, previous: str, removals: Sequence[Removal]) -> dict[str, Any]:
    """What is fixed and cosigned before the codes of an act are revealed."""
    return {
        "act": act,
        "previous": previous,
        "removals": [r.document() for r in sorted(removals, key=lambda r: (r.panel, r.expert))],
    }


def previous_hash(
    commitment: Commitment, key: str, result_so_far: Result | ReplacementResult
) -> str:
    """The hash that a removal record names: of the result of act 1, or of the act before."""
    if isinstance(result_so_far, Result):
        return leaf_hash(result_document(commitment, key, result_so_far))
    return result_so_far.hash


def replace(
    commitment: Commitment,
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    key: str,
    result_so_far: Result | ReplacementResult,
    removals: Sequence[Removal],
    codes_r: Mapping[str, str],
    act: int,
) -> ReplacementResult:
    """Fill the vacancies of act `act` (2, 3, ...) after `result_so_far`.

    `key` is the DRAWKEY. Each vacancy in seat order goes to the lowest ticket among the eligible,
    unseated, never-removed people of the leaver's type; failing these, among those whose swap keeps
    every bound and pair rule; failing these, the seat stays vacant. Leavers whose seat is not yet
    filled count as seated for the rules. Raises DomainError for a wrong act number, code or removal.
    """
    before = _standing(result_so_far)
    expected = 2 if isinstance(result_so_far, Result) else result_so_far.document["act"] + 1
    if act != expected or not removals:
        raise refuse(
            "补抽须为第 {n} 次且至少有一名离席者",
            "the next act is number {n} and needs at least one removal",
            n=expected,
        )
    record = removal_record(act, previous_hash(commitment, key, result_so_far), removals)
    removal_hash = leaf_hash(record)
    reserves = commitment.document["replacement"] == "reserves"
    if reserves:
        if codes_r:
            raise refuse("候补方式不出示口令", "the reserves policy takes no codes")
        act_key, number = key, 1
    else:
        act_key = replacement_key(
            key, commitment.hash, commitment.kind, commitment.parties, codes_r, act, removal_hash
        )
        number = act
    occupants = {p: list(seats) for p, seats in before[0].items()}
    vacant, removed = set(before[1]), set(before[2])
    open_seats: list[tuple[str, int]] = []
    for removal in removals:
        seats = occupants.get(removal.panel, [])
        place = seats.index(removal.expert) + 1 if removal.expert in seats else 0
        if not place or (removal.panel, place) in vacant or (removal.panel, place) in open_seats:
            raise refuse(
                "“{e}”不在评审组“{p}”就座，不能离席",
                "'{e}' holds no seat on panel '{p}' and cannot be removed",
                e=removal.expert,
                p=removal.panel,
            )
        open_seats.append((removal.panel, place))
    vacant |= set(open_seats)
    removed |= {r.expert for r in removals}
    out = excluded_by_panel(exclusions)
    specs = {p.id: p for p in commitment.panels}
    facts = {c.id: c.facts for c in roster}
    fills: list[Fill] = []
    for panel_id, place in sorted(open_seats):
        spec, seats = specs[panel_id], occupants[panel_id]
        barred = out.get(panel_id, set()) | removed | set(seats)
        barred |= _busy(spec, specs, occupants, vacant, commitment.load_cap)
        chosen = _choose(spec, seats, place, facts, barred, act_key, number)
        fills.append(Fill(panel_id, place, seats[place - 1], *chosen))
        if chosen[0]:
            seats[place - 1] = chosen[0]
            vacant.discard((panel_id, place))
    document = {
        **record,
        "codes": [[p.name, codes_r[p.name]] for p in commitment.parties] if not reserves else [],
        "fills": [[f.panel, f.seat, f.leaver, f.expert, f.ticket, f.how] for f in fills],
        "key": act_key,
        "removal_hash": removal_hash,
    }
    return ReplacementResult(
        document,
        tuple(fills),
        {p: tuple(s) for p, s in occupants.items()},
        frozenset(vacant),
        frozenset(removed),
    )


def _standing(
    result: Result | ReplacementResult,
) -> tuple[Mapping[str, Sequence[str]], frozenset[tuple[str, int]], frozenset[str]]:
    if isinstance(result, Result):
        seats = {p.id: [s.expert for s in p.seats] for p in result.panels}
        return seats, frozenset(), frozenset()
    return result.occupants, result.vacant, result.removed


def _busy(
    spec: PanelSpec,
    specs: Mapping[str, PanelSpec],
    occupants: Mapping[str, Sequence[str]],
    vacant: set[tuple[str, int]],
    load_cap: int,
) -> set[str]:
    """People at their load cap, or sitting elsewhere on one of this panel's dates."""
    loads: Counter[str] = Counter()
    busy: set[str] = set()
    for panel_id, seats in occupants.items():
        active = [e for n, e in enumerate(seats, 1) if (panel_id, n) not in vacant]
        loads.update(active)
        if panel_id != spec.id and set(specs[panel_id].dates) & set(spec.dates):
            busy |= set(active)
    return busy | {e for e, n in loads.items() if load_cap and n >= load_cap}


@dataclass(frozen=True, slots=True)
class Keeps:
    """Whether a newcomer in one seat keeps the pair limits, and the quota rows, of a panel."""

    pairs: Callable[[Mapping[str, str]], bool]
    quotas: Callable[[Mapping[str, str]], bool]


def stepping_in(
    spec: PanelSpec, seats: Sequence[str], place: int, facts: Mapping[str, Mapping[str, str]]
) -> tuple[Callable[[Mapping[str, str]], bool], Keeps]:
    """(is somebody of the leaver's type?, what he must keep) for the seat `place` (from 1); the others
    are the last people of the other seats."""
    leaver = facts[seats[place - 1]]
    others = [facts[e] for n, e in enumerate(seats, 1) if n != place]
    attributes = sorted(spec.quotas)

    def same_type(person: Mapping[str, str]) -> bool:
        return all(person.get(a, "") == leaver.get(a, "") for a in attributes)

    def pairs_hold(person: Mapping[str, str]) -> bool:
        return all(
            not person.get(a) or sum(o.get(a) == person[a] for o in others) < limit
            for a, limit in spec.pair_limits.items()
        )

    def quotas_hold(person: Mapping[str, str]) -> bool:
        for a in attributes:
            old, new = leaver.get(a, ""), person.get(a, "")
            if old == new:
                continue
            if new not in spec.quotas[a] or old not in spec.quotas[a]:
                return False
            kept = sum(o.get(a) == old for o in others)
            gained = sum(o.get(a) == new for o in others) + 1
            if kept < spec.quotas[a][old][0] or gained > spec.quotas[a][new][1]:
                return False
        return True

    return same_type, Keeps(pairs_hold, quotas_hold)


def _choose(
    spec: PanelSpec,
    seats: Sequence[str],
    place: int,
    facts: Mapping[str, Mapping[str, str]],
    barred: set[str],
    key: str,
    number: int,
) -> tuple[str, str, str]:
    """(expert, ticket, how) for one vacancy."""
    same_type, keeps = stepping_in(spec, seats, place, facts)
    free = [e for e in facts if e not in barred and keeps.pairs(facts[e])]
    same = [e for e in free if same_type(facts[e])]
    for how, people in (("type", same), ("swap", free)):
        if how == "swap":
            people = [e for e in people if keeps.quotas(facts[e])]
        if people:
            drawn = min((ticket(key, spec.id, number, e), e) for e in people)
            return drawn[1], drawn[0], how
    return "", "", "none"
