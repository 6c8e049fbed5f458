"""Mode L: the fair lottery (docs/draw-protocol.md section 7).

Leximin over the quota polytope of types, solved as linear programs (the objective of Flanigan et
al., Nature 596, 2021), then decomposed into integer panels and rounded to 2^40 lots. Solver output
is floating point and differs between machines: that is why the table is committed before the seed,
and why the certificate is checked with fractions and needs no solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.domain.types import Text

from .objects import LOTS, Candidate, Exclusion, PanelSpec, excluded_by_panel, refuse
from .quotas import check_bounds

GAP = Fraction(1, 1 << 30)
MAX_TYPES = 2_000  # classes; measured limits stand in docs/draw-protocol.md
SECONDS = 60.0  # that the solver may take for one panel
LIFT = 0.05  # pairs further from independence than this are drawn apart, or together, if possible
APART_SECONDS = 3.0  # for that
SMALL = 3  # people in a type whose pairs are looked at
Row = tuple[str, str, int, int]
Progress = Callable[[float, Text], None]
CHANCES = Text("计算公平的机会", "making chances as even as the quotas allow")
PANELS = Text("把机会写成整组的签", "writing the chances as lots of whole panels")
BEST_MIX = Text("求整组能达到的最公平机会", "finding the fairest mix of whole panels")
APART = Text("拆开总是同组或从不同组的人", "loosening pairs that meet too often or never")
DONE = Text("抽签表已生成", "the lottery table is ready")
OF_PANEL = Text("评审组 {p} 的公平抽签表：{what}", "lottery of panel {p}: {what}")


@dataclass(frozen=True, slots=True)
class Lottery:
    """A committed table and what it gives everybody."""

    document: dict[str, Any]

    def probability(self, facts: Mapping[str, str]) -> Fraction:
        """The exact chance of a person with these facts."""
        vector = [facts.get(a, "") for a in self.document["attributes"]]
        for (_, _, values), p in zip(
            self.document["types"], table_probabilities(self.document), strict=True
        ):
            if values == vector:
                return p
        return Fraction(0)

    @property
    def certified(self) -> bool:
        """See `holds`."""
        return holds(self.document)


def quota_rows(panel: PanelSpec, vectors: Sequence[tuple[str, ...]]) -> list[Row]:
    """Quota rows of the polytope; a pair limit is a row [0, k] for each value that occurs."""
    rows: dict[tuple[str, str], tuple[int, int]] = {}
    for attribute, values in panel.quotas.items():
        for value, bounds in values.items():
            rows[attribute, value] = bounds
    attributes = lottery_attributes(panel)
    for attribute, limit in panel.pair_limits.items():
        place = attributes.index(attribute)
        for value in {v[place] for v in vectors} - {""}:
            low, high = rows.get((attribute, value), (0, limit))
            rows[attribute, value] = (low, min(high, limit))
    return [(a, v, low, high) for (a, v), (low, high) in sorted(rows.items())]


def lottery_attributes(panel: PanelSpec) -> list[str]:
    """The attributes that make up a type of this panel."""
    return sorted(set(panel.quotas) | set(panel.pair_limits))


def prepare_lottery(
    panel: PanelSpec,
    eligible: Sequence[Candidate],
    *,
    tell: Progress | None = None,
    seconds: float = SECONDS,
) -> Lottery:
    """The table of one panel over its eligible people.

    `tell(done, phase)` hears how far it is, 0 to 1. DomainError if no panel meets the rules, if
    there are more than MAX_TYPES types, or if the solver needs more than `seconds`.
    """
    # The solver loads here and only here: everything else of a draw is standard library.
    from .leximin import OutOfTime

    attributes, vectors, sizes, rows = _question(panel, eligible)
    members = [
        [i for i, v in enumerate(vectors) if v[attributes.index(a)] == value]
        for a, value, _, _ in rows
    ]
    bounds = [(low, high) for _, _, low, high in rows]
    end = time.monotonic() + seconds
    try:
        solved = _solve(
            sizes, members, bounds, panel.seats, lambda: end - time.monotonic(),
            tell or (lambda _done, _phase: None),
        )  # fmt: skip
    except OutOfTime:
        raise refuse(
            "评审组“{p}”有 {n} 种类型，{s} 秒内没有算出公平抽签表，请改用 tickets",
            "panel '{p}' has {n} types and its lottery was not found in {s} seconds: use tickets",
            p=panel.id, n=len(vectors), s=round(seconds),
        ) from None  # fmt: skip
    if solved is None:
        raise refuse(
            "评审组“{p}”的名额在可抽专家中无法满足",
            "no panel of the eligible people meets the quotas of '{p}'",
            p=panel.id,
        )
    tables = []
    for shares in solved[1:]:
        document: dict[str, Any] = {
            "attributes": attributes,
            "certificate": solved[0],
            "panel": panel.id,
            "quota_rows": [[*row] for row in rows],
            "rows": _lots(shares),
            "seats": panel.seats,
            "types": [[f"T{i}", sizes[i - 1], list(v)] for i, v in enumerate(vectors, 1)],
        }
        document["certified"] = 1 if holds(document) else 0
        tables.append(document)
    first, loosened = tables
    chosen = loosened if _as_good(loosened, first) else first
    if not _rows_hold(chosen):
        raise refuse(
            "求解器给出的评审组不满足名额，“{p}”的抽签表没有生成；请改用 tickets",
            "the solver gave a panel that breaks the quotas, so '{p}' has no table: use tickets",
            p=panel.id,
        )
    if tell is not None:
        tell(1.0, DONE)
    return Lottery(chosen)


def _question(
    panel: PanelSpec, eligible: Sequence[Candidate]
) -> tuple[list[str], list[tuple[str, ...]], list[int], list[Row]]:
    """(attributes, type vectors, their sizes, quota rows); DomainError where no lottery is possible."""
    check_bounds(panel)
    attributes = lottery_attributes(panel)
    counts: dict[tuple[str, ...], int] = {}
    for candidate in eligible:
        vector = tuple(candidate.facts.get(a, "") for a in attributes)
        counts[vector] = counts.get(vector, 0) + 1
    vectors = sorted(counts)
    if len(vectors) > MAX_TYPES:
        raise refuse(
            "评审组“{p}”有 {n} 种类型，超过公平抽签的上限 {m}，请改用 tickets",
            "panel '{p}' has {n} types, more than the {m} a lottery takes: use tickets",
            p=panel.id, n=len(vectors), m=MAX_TYPES,
        )  # fmt: skip
    for attribute in panel.quotas:
        place = attributes.index(attribute)
        for vector in vectors:
            if vector[place] not in panel.quotas[attribute]:
                raise refuse(
                    "评审组“{p}”的名额没有列出属性“{a}”的值“{v}”，而有可抽专家属于该值",
                    "panel '{p}' lists no quota for {a} = '{v}', but eligible people have that value",
                    p=panel.id, a=attribute, v=vector[place],
                )  # fmt: skip
    sizes = [counts[v] for v in vectors]
    return attributes, vectors, sizes, quota_rows(panel, vectors)


def fits(table: Mapping[str, Any], panel: PanelSpec, eligible: Sequence[Candidate]) -> bool:
    """Is this a whole table of this panel and these people, whoever made it? Types, quotas, rows,
    lots and certificate are held against them; how it was found does not matter."""
    attributes, vectors, sizes, rows = _question(panel, eligible)
    types = [
        [f"T{n}", size, list(v)] for n, (v, size) in enumerate(zip(vectors, sizes, strict=True), 1)
    ]
    asked = (panel.id, panel.seats, attributes, types, [list(row) for row in rows])
    shown = tuple(table[k] for k in ("panel", "seats", "attributes", "types", "quota_rows"))
    lots = [row[0] for row in table["rows"]]
    return (
        shown == asked
        and sum(lots) == LOTS
        and min(lots) > 0
        and _rows_hold(table)
        and table["certified"] == int(holds(table))
    )


def prepare_lotteries(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    *,
    tell: Progress | None = None,
    made: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Panel id -> table document, for every lottery panel; `tell` hears how far all of them are.

    A table of `made` is taken if it fits its panel, else solved anew. DomainError as for
    `prepare_lottery`.
    """
    out = excluded_by_panel(exclusions)
    wanted = [panel for panel in panels if panel.mode == "lottery"]
    tables: dict[str, dict[str, Any]] = {}
    for place, panel in enumerate(wanted):
        gone = out.get(panel.id, set())

        def heard(done: float, phase: Text, place: int = place, name: str = panel.id) -> None:
            if tell is not None:
                tell((place + done) / len(wanted), OF_PANEL.format(p=name, what=phase))

        eligible = [c for c in roster if c.id not in gone]
        known = (made or {}).get(panel.id)
        if known is not None and fits(known, panel, eligible):
            tables[panel.id] = dict(known)
        else:
            tables[panel.id] = prepare_lottery(panel, eligible, tell=heard).document
    return tables


def _solve(
    sizes: Sequence[int],
    members: Sequence[Sequence[int]],
    bounds: Sequence[tuple[int, int]],
    seats: int,
    left: Callable[[], float],
    tell: Progress,
) -> tuple[list[dict[str, Any]], dict[tuple[int, ...], float], dict[tuple[int, ...], float]] | None:
    """(certificate, shares of whole panels, the same with pairs loosened); None: no panel at all."""
    from .leximin import decompose, hull_leximin, leximin
    from .together import spread

    levels = leximin(sizes, members, bounds, seats, left, lambda x: tell(0.2 * x, CHANCES))
    if levels is None:
        return None
    target, certificate = levels
    shares = decompose(
        target, sizes, members, bounds, seats, left, lambda x: tell(0.2 + 0.5 * x, PANELS)
    )
    if shares is None:
        # The linear optimum is not a mix of whole panels: take the best mix there is.
        shares = hull_leximin(
            sizes, members, bounds, seats, left, lambda x: tell(0.2 + 0.5 * x, BEST_MIX)
        )
        if shares is None:
            return None
    tell(0.7, APART)
    small = [t for t, size in enumerate(sizes) if size <= SMALL]
    stop = max(left() - APART_SECONDS, 0.0)  # who has a table keeps it
    loosened = spread(shares, sizes, members, bounds, seats, small, LIFT, lambda: left() - stop)
    return certificate, shares, loosened


def _as_good(other: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """May `other` stand for `table`: rules kept, as certified, and nobody's chance changed?"""
    return (
        _rows_hold(other)
        and other["certified"] == table["certified"]
        and all(
            abs(p - q) <= GAP
            for p, q in zip(table_probabilities(other), table_probabilities(table), strict=True)
        )
    )


def _rows_hold(document: Mapping[str, Any]) -> bool:
    """A solver is not trusted: every row of the table is held against the rules before it is used."""
    places = {a: i for i, a in enumerate(document["attributes"])}
    for _, counts in document["rows"]:
        fits = sum(n for _, n in counts) == document["seats"] and all(
            0 < n <= document["types"][i][1] for i, n in counts
        )
        for attribute, value, low, high in document["quota_rows"]:
            drawn = sum(n for i, n in counts if document["types"][i][2][places[attribute]] == value)
            fits = fits and low <= drawn <= high
        if not fits:
            return False
    return True


def _lots(shares: Mapping[tuple[int, ...], float]) -> list[list[Any]]:
    """Largest remainders to exactly 2^40 lots; rows sorted by their dense counts."""
    total = sum(shares.values())
    exact = {panel: share / total * LOTS for panel, share in shares.items() if share > 0}
    lots = {panel: int(value) for panel, value in exact.items()}
    short = LOTS - sum(lots.values())
    by_remainder = sorted(exact, key=lambda p: (lots[p] - exact[p], p))
    for place in range(abs(short)):
        lots[by_remainder[place % len(by_remainder)]] += 1 if short > 0 else -1
    return [
        [lots[panel], [[i, n] for i, n in enumerate(panel) if n]]
        for panel in sorted(lots)
        if lots[panel] > 0
    ]


def table_probabilities(document: Mapping[str, Any]) -> list[Fraction]:
    """Exact chance of one member of each type, in the order of `types`."""
    totals = [0] * len(document["types"])
    for lots, counts in document["rows"]:
        for index, count in counts:
            totals[index] += lots * count
    return [
        Fraction(total, LOTS * size)
        for total, (_, size, _) in zip(totals, document["types"], strict=True)
    ]


def level_bound(
    document: Mapping[str, Any], level: Mapping[str, Any], chances: Sequence[Fraction]
) -> tuple[Fraction, Fraction]:
    """(exact upper bound, achieved minimum) of one leximin level, by weak duality.

    With weights w on the free types, v on the types settled before, u - l on the quota rows and m on
    the seats, every mix of panels that keeps the settled chances has
    sum(w) * z + sum(v * settled) <= sum_r max(u*max, -l*min) + m * seats + sum_t max(0, slack_t).
    """
    types, rows = document["types"], document["quota_rows"]
    free = dict(map(tuple, level["free"]))
    settled = dict(map(tuple, level["settled"]))
    dual = dict(map(tuple, level["rows"]))
    total = level["seats"] * document["seats"]
    price = [level["seats"]] * len(types)
    places = {a: i for i, a in enumerate(document["attributes"])}
    for index, amount in dual.items():
        attribute, value, low, high = rows[index]
        total += amount * (high if amount > 0 else low)
        for t, (_, _, values) in enumerate(types):
            if values[places[attribute]] == value:
                price[t] += amount
    for t, (_, size, _) in enumerate(types):
        total += max(0, free.get(t, 0) + settled.get(t, 0) - size * price[t])
    before = set(level["before"])
    achieved = min(chances[t] for t in range(len(types)) if t not in before)
    weight = sum(free.values())
    if weight <= 0 or min([*free.values(), *settled.values()]) < 0:
        return Fraction(1), achieved  # no multipliers: a chance is at most 1
    known = sum((settled[t] * chances[t] for t in settled), Fraction(0))
    return (total - known) / weight, achieved


def holds(document: Mapping[str, Any]) -> bool:
    """Whether the certificate proves the whole table: its levels follow each other, name every type (or
    end in one without free types), and each is within 2^-30 of its exact upper bound. What the
    solver left out at the end is not proved, however good it is."""
    named: set[int] = set()
    everything = len(document["types"])
    levels = document["certificate"]
    for level in levels:
        if set(level["before"]) != named or len(named) == everything:
            return False
        named |= {t for t, _ in level["free"]}
        if not level["free"] and level is not levels[-1]:
            return False
    whole = len(named) == everything or bool(levels) and not levels[-1]["free"]
    return whole and certificate_gap(document) <= GAP


def certificate_gap(document: Mapping[str, Any]) -> Fraction:
    """The largest distance between a level's exact upper bound and what the table achieves."""
    chances = table_probabilities(document)
    gap = Fraction(0)
    for level in document["certificate"]:
        bound, achieved = level_bound(document, level, chances)
        gap = max(gap, bound - achieved)
    return gap
