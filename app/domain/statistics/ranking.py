"""Standard competition ranking (1, 2, 2, 4) with a declared tie ladder.

Without a declared tie rule ranks are arbitrary: in one published funding round 55 of 72 proposals
tie and the printed order is that of the file. Rungs, in the order of the rule:

    unrounded     higher exact total                  module:ID  higher value of that stage
    item:ID       higher panel value of that item     top_item   the item of greatest weight
    spread        smaller variance of valid marks     shared     the rank is shared

A rung for which some tied subject has no value is skipped for that tie. Never row order, time or
id.
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


def rank(rule: ScoreRule, entries: Sequence[Entry]) -> dict[str, Placing]:
    """Rank the entries, within their groups when the rule says so; independent of their order."""
    within = rule.rank_within == "group"
    groups: dict[str | None, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group if within else None, []).append(entry)
    placings: dict[str, Placing] = {}
    for members in groups.values():
        _rank_group(rule, members, placings)
    return placings


def _first_key(rule: ScoreRule, entry: Entry) -> Fraction:
    return entry.unrounded if rule.rank_on == "unrounded" else Fraction(entry.published)


def _rank_group(rule: ScoreRule, members: list[Entry], placings: dict[str, Placing]) -> None:
    by_value: dict[Fraction, list[Entry]] = {}
    for entry in members:
        by_value.setdefault(_first_key(rule, entry), []).append(entry)
    place = 1
    for value in sorted(by_value, reverse=True):
        tied = by_value[value]
        used: dict[str, list[str]] = {entry.id: [] for entry in tied}
        for cluster in _climb(rule, tied, 0, used):
            for entry in cluster:
                tie = _describe(rule, value, entry, tied, cluster, used[entry.id])
                placings[entry.id] = Placing(place, tie)
            place += len(cluster)


def _climb(
    rule: ScoreRule, tied: list[Entry], rung: int, used: dict[str, list[str]]
) -> list[list[Entry]]:
    """Split a tie by the rungs from `rung` on; clusters come best first."""
    if len(tied) == 1 or rung >= len(rule.ties) or rule.ties[rung] == "shared":
        return [tied]
    values = [_rung_value(rule, rule.ties[rung], entry) for entry in tied]
    split: dict[Fraction, list[Entry]] = {}
    for entry, value in zip(tied, values, strict=True):
        if value is None:
            return _climb(rule, tied, rung + 1, used)
        split.setdefault(value, []).append(entry)
    if len(split) > 1:
        for entry in tied:
            used[entry.id].append(rule.ties[rung])
    clusters: list[list[Entry]] = []
    for value in sorted(split, reverse=True):
        clusters += _climb(rule, split[value], rung + 1, used)
    return clusters


def _top_item(rule: ScoreRule) -> str | None:
    """The item of greatest weight; of several, the first by id. None when the rule lists none."""
    return min(rule.items, key=lambda name: (-rule.items[name].weight, name), default=None)


def _rung_value(rule: ScoreRule, rung: str, entry: Entry) -> Fraction | None:
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
            top = _top_item(rule)
            return None if top is None else entry.items.get(top)
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
        words = _RUNG_WORDS[kind].format(name=name or _top_item(rule))
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
