"""Standard competition ranking (1, 2, 2, 4) with a declared tie ladder.

Without a declared tie rule ranks are arbitrary: in one published funding round 55 of 72 proposals
tie and the printed order is that of the file. Rungs, in the order of the rule:

    unrounded     higher exact total                  module:ID  higher value of that stage
    item:ID       higher panel value of that item     top_item   the item of greatest weight
    spread        smaller variance of valid marks     shared     the rank is shared
    draw          the order of a logged draw (docs/draw-protocol.md, "Order of things")

A rung for which some tied subject has no value is skipped for that tie. Never row order, time or
id. A ladder that ends in `draw` leaves the rank shared until a draw of the tied subjects is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from app.domain.statistics.results import Tie
from app.domain.statistics.rounding import shown
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Text

_RUNG_WORDS: Final[dict[str, Text]] = {
    "unrounded": Text("未取整总分", "unrounded total"),
    "module": Text("阶段 {name} 得分", "value of stage {name}"),
    "item": Text("指标 {name} 得分", "value of item {name}"),
    "top_item": Text("权重最高指标 {name} 得分", "value of the heaviest item {name}"),
    "spread": Text("有效分数离散程度(小者在前)", "spread of the valid marks (smaller first)"),
    "draw": Text("抽签", "a draw by lot"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ladder may look at for one subject."""

    id: str
    group: str | None
    published: Decimal
    unrounded: Fraction
    modules: Mapping[str, Fraction]
    items: Mapping[str, Fraction]
    spread: Fraction | None


@dataclass(frozen=True, slots=True)
class Placing:
    """A rank, and how a tie was settled (None: no tie)."""

    rank: int
    tie: Tie | None


def rank(
    rule: ScoreRule, entries: Sequence[Entry], drawn: Sequence[Sequence[str]] = ()
) -> dict[str, Placing]:
    """Rank the entries, within their groups when the rule says so; independent of their order.

    `drawn`: orders that draws gave, ids best first; the first that holds all of a tie counts.
    """
    within = rule.rank_within == "group"
    groups: dict[str | None, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group if within else None, []).append(entry)
    placings: dict[str, Placing] = {}
    for members in groups.values():
        _rank_group(rule, members, drawn, placings)
    return placings


def _first_key(rule: ScoreRule, entry: Entry) -> Fraction:
    return entry.unrounded if rule.rank_on == "unrounded" else Fraction(entry.published)


def _rank_group(
    rule: ScoreRule,
    members: list[Entry],
    drawn: Sequence[Sequence[str]],
    placings: dict[str, Placing],
) -> None:
    by_value: dict[Fraction, list[Entry]] = {}
    for entry in members:
        by_value.setdefault(_first_key(rule, entry), []).append(entry)
    place = 1
    for value in sorted(by_value, reverse=rule.best == "high"):
        tied = by_value[value]
        used: dict[str, list[str]] = {entry.id: [] for entry in tied}
        for cluster in _climb(rule, tied, 0, used, drawn):
            for entry in cluster:
                tie = _describe(rule, value, entry, tied, cluster, used[entry.id])
                placings[entry.id] = Placing(place, tie)
            place += len(cluster)


def _climb(
    rule: ScoreRule,
    tied: list[Entry],
    rung: int,
    used: dict[str, list[str]],
    drawn: Sequence[Sequence[str]],
) -> list[list[Entry]]:
    """Split a tie by the rungs from `rung` on; clusters come best first."""
    if len(tied) == 1 or rung >= len(rule.ties) or rule.ties[rung] == "shared":
        return [tied]
    top = _top_item(rule, tied)
    order = next((o for o in drawn if {e.id for e in tied} <= set(o)), None)
    values = [_rung_value(rule.ties[rung], entry, top, order) for entry in tied]
    split: dict[Fraction, list[Entry]] = {}
    for entry, value in zip(tied, values, strict=True):
        if value is None:
            return _climb(rule, tied, rung + 1, used, drawn)
        split.setdefault(value, []).append(entry)
    if len(split) > 1:
        for entry in tied:
            used[entry.id].append(rule.ties[rung])
    clusters: list[list[Entry]] = []
    # Of scores the better ones come first; of the spread and of a draw always the smaller.
    scores = rule.ties[rung] not in ("spread", "draw")
    for value in sorted(split, reverse=rule.best == "high" or not scores):
        clusters += _climb(rule, split[value], rung + 1, used, drawn)
    return clusters


def _top_item(rule: ScoreRule, tied: Sequence[Entry]) -> str | None:
    """The item of greatest weight that all of the tied have (classes have forms of their own); of
    several, the first by id. None when there is none."""
    shared_items = [name for name in rule.items if all(name in entry.items for entry in tied)]
    return min(shared_items, key=lambda name: (-rule.items[name].weight, name), default=None)


def _rung_value(
    rung: str, entry: Entry, top: str | None, order: Sequence[str] | None
) -> Fraction | None:
    """What the rung compares, larger first; None when this subject does not have it."""
    kind, _, name = rung.partition(":")
    match kind:
        case "unrounded":
            return entry.unrounded
        case "module":
            return entry.modules.get(name)
        case "item":
            return entry.items.get(name)
        case "top_item":
            return None if top is None else entry.items.get(top)
        case "draw":
            return None if order is None else Fraction(-order.index(entry.id))
        case _:
            return None if entry.spread is None else -entry.spread


def _describe(
    rule: ScoreRule,
    value: Fraction,
    entry: Entry,
    tied: list[Entry],
    cluster: list[Entry],
    rungs: list[str],
) -> Tie | None:
    if len(tied) == 1:
        return None
    others = tuple(sorted(other.id for other in tied if other.id != entry.id))
    shared = tuple(sorted(other.id for other in cluster if other.id != entry.id))
    zh, en = [], []
    for rung in rungs:
        kind, _, name = rung.partition(":")
        words = _RUNG_WORDS[kind].format(name=name or _top_item(rule, tied))
        zh.append(words.zh)
        en.append(words.en)
    tail = Text("", "")
    if rungs:
        tail = Text(f",按{'、'.join(zh)}区分", f"; separated by {', '.join(en)}")
    if shared:
        tail = Text(
            f"{tail.zh};与 {'、'.join(shared)} 名次并列",
            f"{tail.en}; the rank is shared with {', '.join(shared)}",
        )
    text = Text("与 {o} 同为 {v}{tail}。", "Level with {o} at {v}{tail}.").format(
        o=", ".join(others), v=shown(value), tail=tail
    )
    return Tie(others, tuple(rungs), shared, text)
