"""What a request would lead to: strata, feasibility, guards, everybody's chance, both modes.

All of it is a question about a pool that `pool.assess` has judged; nothing is stored here. The same
figures are shown before the draw and frozen with a commitment (docs/draw-protocol.md section 8).
Figures are integers or decimal strings, never floats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

from app.domain.draw import (
    Candidate,
    Exclusion,
    Fairness,
    Relaxation,
    SearchTooLong,
    check_feasible,
    cover,
    drill_keys,
    meetings,
    prepare_lotteries,
    probabilities,
    rehearse,
)
from app.domain.draw.guards import panels_said
from app.domain.draw.lottery import certificate_gap
from app.domain.draw.objects import excluded_by_panel
from app.domain.types import DomainError, Text
from app.draw import messages, pool
from app.draw.guarding import guards
from app.draw.pool import Assessment, load_cap_of
from app.draw.solved import Tables, solved
from app.draw.type_chances import kept, share
from app.draw.wording import in_words, value_words

PROBES = 20  # keys of the first look at a batch: does the search end, are the panels formed at all
NODES = 1_000_000
COVER = Text("估计候补能否补位", "whether reserves could step in")
CHANCES = Text("计算每个人被抽中的机会", "computing everybody's chance")


class Tell(Protocol):
    """Hears of each stage as it begins, and of how far it is, 0 to 1, where that is known."""

    def __call__(self, text: Text, done: float | None = None) -> None: ...


def silent(text: Text, done: float | None = None) -> None:
    """Nobody is waiting to be told."""


def chances(
    found: Assessment,
    load_cap: int,
    *,
    lotteries: Tables | None = None,
    tell: Tell = silent,
    stage: Text = CHANCES,
) -> Fairness:
    """Everybody's probability by expert id; raises DomainError when a lottery admits nobody.

    A batch seats each person more often, so that fewer drill draws give the same precision.
    """
    draws = max(min(200, pool.DRILLS), pool.DRILLS // max(1, len(found.panels)))
    return probabilities(
        found.panels,
        found.roster(),
        found.exclusions(),
        load_cap,
        lotteries=lotteries,
        draws=draws,
        tell=lambda done, _: tell(stage, done),
    )


def relaxations(found: Assessment) -> list[dict[str, Any]]:
    """[] when every panel by itself can be formed, else its smallest relaxations, none twice.

    Each is `{zh, en, panels, basis, changes: [[attribute, value, bound, old, new]]}`, one for all
    panels that the same changes help; no changes means that no change of quotas helps.
    """
    groups: dict[str, list[Relaxation]] = {}
    for way in check_feasible(found.panels, found.roster(), found.exclusions()):
        key = repr((way.basis, way.changes or way.eligible))
        groups.setdefault(key, []).append(way)
    return [_relaxation(ways, found) for ways in groups.values()]


def _relaxation(ways: list[Relaxation], found: Assessment) -> dict[str, Any]:
    way, panels = ways[0], list(dict.fromkeys(way.panel for way in ways))
    text, said = in_words(way.text, found), panels_said(panels)
    return {
        "zh": text.zh.replace(f"评审组“{way.panel}”", said.zh + " " * (len(panels) > 1), 1),
        "en": text.en.replace(f"panel '{way.panel}'", said.en, 1),
        "panels": panels,
        "basis": way.basis,
        "changes": [[c.attribute, c.value, c.bound, c.old, c.new] for c in way.changes],
    }


def summary(
    found: Assessment,
    request: Mapping[str, Any],
    *,
    tell: Tell = silent,
    both_modes: bool = False,
    outside: bool = True,
) -> dict[str, Any]:
    """Pool, exclusions per rule, strata, feasibility, guards and chances as JSON (no names).

    `chances` is None when no draw is possible. `both_modes` also computes the mode that was not
    chosen, so that a clerk sees what the choice means. `outside`: a real draw, which is warned when
    no source is beyond the parties' control. `tell` hears of each stage as it begins.
    """
    tell(Text("检查名额能否满足", "checking that the quotas can be met"))
    stuck = relaxations(found)
    fairness: Fairness | None = None
    tables: Tables = {}
    if not stuck:
        try:
            _probe(found, request)
            tables = tables_of(found, tell)
            tell(CHANCES)
            fairness = chances(found, load_cap_of(request), lotteries=tables, tell=tell)
            if fairness.draws and fairness.short_draws == fairness.draws:
                raise not_together(found, request)
        except DomainError as error:
            fairness = None
            stuck = [{**_pair(error.text), "panels": [], "basis": "none", "changes": []}]
    alerts = guards(found, request, fairness, outside=outside)
    per_rule: dict[str, set[str]] = defaultdict(set)
    for row in found.blocked:
        per_rule[row.rule].add(row.expert)
    return {
        "pool": len(found.experts),
        "panels": [
            {
                "id": panel.id,
                "seats": panel.seats,
                "excluded": len(found.excluded(panel.id)),
                "eligible": len(found.experts) - len(found.excluded(panel.id)),
            }
            for panel in found.panels
        ],
        "strata": _strata(found),
        "rules": [[rule.id, len(per_rule[rule.id])] for rule in found.rules if rule.id in per_rule],
        "warned": [[r.id, found.warnings[r.id]] for r in found.rules if found.warnings[r.id]],
        "unknown": [
            [r.id, found.not_computed[r.id]] for r in found.rules if found.not_computed[r.id]
        ],
        "feasible": not stuck,
        "relaxations": stuck,
        "guards": alerts,
        "chances": None if fairness is None else _chances(found, fairness),
        "meetings": None
        if fairness is None
        else meetings_of(tables, found.roster(), found.exclusions()),
        "modes": _modes(found, request, fairness, tables, tell) if both_modes and fairness else {},
        "cover": None if fairness is None else _cover(found, request, tables, tell),
    }


def _cover(
    found: Assessment, request: Mapping[str, Any], tables: Tables, tell: Tell
) -> dict[str, Any] | None:
    """Shares of the seats that customary reserves would leave empty; None where it was not estimated."""
    keys = cover.drills(len(found.experts), len(found.panels))
    if not keys:
        return None
    tell(COVER)
    known = cover.uncovered(
        found.panels, found.roster(), found.exclusions(), load_cap_of(request), tables,
        drill_keys(keys), lambda done: tell(COVER, done),
    )  # fmt: skip
    return {
        "draws": known.draws,
        "seats": known.seats,
        "reserves": share(known.reserves),
        "few": share(known.few),
        "named": cover.FEW,
    }


def tables_of(found: Assessment, tell: Tell) -> Tables:
    """The tables of the lottery panels in the words of the register, solved once for a question."""
    return solved(
        found,
        lambda: prepare_lotteries(
            found.panels,
            found.roster(),
            found.exclusions(),
            tell=lambda done, phase: tell(phase, done),
        ),
    )


def meetings_of(
    tables: Tables,
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    names: Mapping[str, str] | None = None,
) -> list[list[Any]] | None:
    """`[[panel, [expert id], [expert id], joint share, share if they were independent], ...]`: the pairs
    of lotteries that are furthest from independence, either way; None without a lottery.

    `names`: pseudonym -> expert id, for tables over pseudonyms.
    """
    if not tables:
        return None
    out = excluded_by_panel(exclusions)
    eligible = {p: [c for c in roster if c.id not in out.get(p, ())] for p in tables}

    def ids(keys: Iterable[str]) -> list[str]:
        return sorted(names[key] if names else key for key in keys)

    return [
        [m.panel, ids(m.first), ids(m.second), share(m.together), share(m.apart)]
        for m in meetings(tables, eligible)
    ]


def _probe(found: Assessment, request: Mapping[str, Any]) -> None:
    """Refuse a batch that never comes together, or whose search would not end."""
    if all(panel.mode == "lottery" for panel in found.panels):
        return
    asked = [replace(panel, mode="tickets") for panel in found.panels]
    try:
        results = rehearse(
            asked,
            found.roster(),
            found.exclusions(),
            load_cap_of(request),
            {},
            drill_keys(PROBES),
            NODES,
        )
        if all(any(panel.short for panel in result.panels) for result in results):
            raise not_together(found, request)
    except SearchTooLong as error:
        raise DomainError(messages.TOO_LONG) from error


def not_together(found: Assessment, request: Mapping[str, Any]) -> DomainError:
    """Each panel could be formed, all of them cannot: how many are asked for and how many there are."""
    seats: dict[str, int] = defaultdict(int)
    people: dict[str, set[str]] = defaultdict(set)
    for panel in found.panels:
        eligible = set(found.experts) - found.excluded(panel.id)
        for day in panel.dates:
            seats[day] += panel.seats
            people[day] |= eligible
    day = max(seats, key=lambda d: (seats[d] - len(people[d]), d), default="")
    cap = load_cap_of(request)
    text = Text(
        "各组单独可行，但不能同时组成：{d} 共需 {n} 席，可抽专家 {m} 人，每人当日只能参加一组{c}。"
        "请减少席位、放宽名额，或把一些组安排在另一天。",
        "Each panel could be formed but not all of them together: on {d} there are {n} seats for {m} "
        "eligible people, who sit on one panel a day{c}. Use fewer seats, wider quotas, or another "
        "day for some panels.",
    ).format(
        d=day,
        n=seats.get(day, 0),
        m=len(people.get(day, ())),
        c=Text("，每人最多 {k} 组", ", on {k} panels at most").format(k=cap)
        if cap
        else Text.of(""),
    )
    return DomainError(text)


def _pair(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _strata(found: Assessment) -> list[list[Any]]:
    """[panel, attribute, value, pool, excluded, eligible, least, most] per quota row."""
    rows: list[list[Any]] = []
    for panel in found.panels:
        gone = found.excluded(panel.id)
        for attribute in sorted(panel.quotas):
            for value, (low, high) in panel.quotas[attribute].items():
                people = {k for k, a in found.attributes.items() if a.get(attribute) == value}
                out = len(people & gone)
                rows.append(
                    [panel.id, attribute, value, len(people), out, len(people) - out, low, high]
                )
    return rows


def _chances(found: Assessment, fairness: Fairness) -> dict[str, Any]:
    names = sorted({a for panel in found.panels for a in panel.quotas})
    groups: dict[tuple[str, ...], list[Fraction]] = defaultdict(list)
    for key in fairness.pool:
        vector = tuple(found.attributes[key].get(a, "") for a in names)
        groups[vector].append(fairness.probabilities[key])
    return {
        **_figures(fairness),
        "certified": fairness.certified,
        "attributes": names,
        "groups": [
            [list(vector), len(values), share(sum(values, Fraction(0)) / len(values))]
            for vector, values in sorted(groups.items())
        ],
        **kept(found, fairness),
    }


def _figures(fairness: Fairness) -> dict[str, Any]:
    shares = [fairness.probabilities[key] for key in fairness.pool]
    return {
        "method": fairness.method,
        "draws": fairness.draws,
        "min": share(fairness.minimum),
        "mean": share(sum(shares, Fraction(0)) / max(1, len(shares))),
        "max": share(fairness.maximum),
        "gini": share(fairness.gini),
    }


def _modes(
    found: Assessment,
    request: Mapping[str, Any],
    chosen: Fairness,
    tables: Tables,
    tell: Tell,
) -> dict[str, Any]:
    """Mode -> its figures, or why it cannot be used here."""
    asked = {panel.mode for panel in found.panels}
    out: dict[str, Any] = {}
    for mode in ("lottery", "tickets"):
        if asked == {mode}:
            out[mode] = _figures(chosen) | _certificate(tables)
            continue
        try:
            if mode == "lottery":
                _can_be_lottery(found, request)
            other = replace(found, panels=[replace(p, mode=mode) for p in found.panels])  # type: ignore[arg-type]
            made = tables_of(other, tell)
            stage = Text("试算另一种方式：{m}", "the other mode for comparison: {m}").format(
                m=messages.MODE[mode]
            )
            cap = load_cap_of(request)
            out[mode] = _figures(chances(other, cap, lotteries=made, tell=tell, stage=stage))
            out[mode] |= _certificate(made)
        except DomainError as error:
            out[mode] = _pair(error.text)
    return out


def _can_be_lottery(found: Assessment, request: Mapping[str, Any]) -> None:
    days = [day for panel in found.panels for day in set(panel.dates)]
    if len(days) != len(set(days)) or 0 < load_cap_of(request) < len(found.panels):
        raise DomainError(
            Text(
                "多个组同日或每人场次有上限，各组不能分别作公平抽签",
                "panels that share a day or a load cap cannot be lotteries apart from each other",
            )
        )


def _certificate(tables: Tables) -> dict[str, Any]:
    """Size of the tables and the widest gap between what they give and the proved optimum."""
    if not tables:
        return {}
    gap = max(certificate_gap(table) for table in tables.values())
    return {
        "types": sum(len(table["types"]) for table in tables.values()),
        "rows": sum(len(table["rows"]) for table in tables.values()),
        "gap": tiny(gap),
        "certified": all(table["certified"] == 1 for table in tables.values()),
    }


def tiny(value: Fraction) -> str:
    """A small number as a power of ten: 2.1e-12; "0" for none at all."""
    if value <= 0:
        return "0"
    exponent = 0
    while value < 1 and exponent < 40:
        value, exponent = value * 10, exponent + 1
    tenths = (value.numerator * 20 + value.denominator) // (2 * value.denominator)
    return f"{tenths // 10}.{tenths % 10}e-{exponent}"


__all__ = ["chances", "not_together", "relaxations", "share", "summary", "value_words"]
