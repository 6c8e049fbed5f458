"""What a rank gives: tiers and quotas as data, without anybody being moved up in silence.

    {id: model, max: 10}, {id: advanced, max: 10}       the first ten, the next ten (Jiangsu)
    {id: county, max: 1, group: county}, ...            the first of each kind (Luohe)
    {id: province, min: 3, max: 5, line: "80"}          three to five, of those that reach the line

Tiers without a group follow one another down the one ranking. A subject that is out (vetoed after
ranking, failed its check, below a section's floor) keeps its rank and its place stays empty, unless the
tier says `backfill`. A shared rank across the edge of a tier is nobody's place: a committee or a logged
draw decides. Fewer than the minimum is said, and filled up from below the line only where the tier says
`below_minimum: fill`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from app.domain.statistics.rounding import plain
from app.domain.statistics.rule_values import (
    bad,
    canonical,
    choice,
    decimal,
    is_null,
    mapping,
    whole,
)
from app.domain.statistics.trace import text_json
from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class Tier:
    """At least `minimum`, at most `maximum` places, of `group` alone or of the whole ranking."""

    id: str
    maximum: int
    minimum: int = 0
    group: str | None = None
    line: Decimal | None = None
    backfill: bool = False
    below_minimum: Literal["short", "fill"] = "short"

    def to_json(self) -> dict[str, Any]:
        """JSON value; the line is a string."""
        return {
            "id": self.id,
            "max": self.maximum,
            "min": self.minimum,
            "group": self.group,
            "line": None if self.line is None else canonical(self.line),
            "backfill": self.backfill,
            "below_minimum": self.below_minimum,
        }


def read_tiers(value: Any) -> tuple[Tier, ...]:
    """Tiers from YAML or JSON data. Raises DomainError naming the key."""
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise bad("places", "应为列表。", "must be a list.")
    tiers: list[Tier] = []
    for number, entry in enumerate(value):
        key = f"places.{number}"
        keys = ("id", "max", "min", "group", "line", "backfill", "below_minimum")
        given = mapping(entry, key, keys)
        name = given.get("id")
        if not isinstance(name, str) or not name or name in {tier.id for tier in tiers}:
            raise bad(f"{key}.id", "缺少或重复。", "is missing or appears twice.")
        maximum = whole(given.get("max"), f"{key}.max", 1, 100_000)
        minimum = whole(given.get("min", 0), f"{key}.min", 0, 100_000)
        if minimum > maximum:
            raise bad(f"{key}.min", "大于 max。", "is larger than max.")
        below = choice(given.get("below_minimum", "short"), f"{key}.below_minimum", ("short", "fill"))  # fmt: skip
        backfill = given.get("backfill", False)
        if backfill not in (True, False, "true", "false"):
            raise bad(f"{key}.backfill", "应为 true 或 false。", "must be true or false.")
        tiers.append(
            Tier(
                name,
                maximum,
                minimum,
                None if is_null(given.get("group")) else str(given["group"]),
                None if is_null(given.get("line")) else decimal(given["line"], f"{key}.line"),
                backfill in (True, "true"),
                "fill" if below == "fill" else "short",
            )
        )
    return tuple(tiers)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One subject as the tiers see it."""

    id: str
    rank: int
    group: str | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class Given:
    """One tier filled: `winners` best first; `left_empty` are subjects that are out and whose place
    nobody takes; `open_` share a rank across the edge; `below_line` had the rank, but not the points."""

    tier: Tier
    winners: tuple[str, ...]
    left_empty: tuple[str, ...]
    open_: tuple[str, ...]
    below_line: tuple[str, ...]
    filled: tuple[str, ...]

    @property
    def text(self) -> Text:
        """What came of the tier in one sentence."""
        return _words(self)

    @property
    def short(self) -> bool:
        """Whether fewer than the minimum were found."""
        return len(self.winners) + len(self.open_) < self.tier.minimum

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "tier": self.tier.to_json(),
            "winners": list(self.winners),
            "left_empty": list(self.left_empty),
            "open": list(self.open_),
            "below_line": list(self.below_line),
            "filled": list(self.filled),
            "short": self.short,
            "text": text_json(self.text),
        }


def give(
    tiers: Sequence[Tier], ranked: Sequence[Ranked], out: Collection[str] = ()
) -> tuple[Given, ...]:
    """Fill every tier from a standard competition ranking (1, 2, 2, 4); the order of rows is free.

    Within a tier that names a group, places are counted among the group's own ranks.
    """
    made: list[Given] = []
    used = 0
    for tier in tiers:
        rows = [row for row in ranked if tier.group is None or row.group == tier.group]
        start = 0 if tier.group is not None else used
        if tier.group is None:
            used += tier.maximum
        made.append(_fill(tier, rows, start, out))
    return tuple(made)


def _fill(tier: Tier, rows: list[Ranked], start: int, out: Collection[str]) -> Given:
    if tier.backfill:
        rows = [row for row in rows if row.id not in out]
    ranks = _competition(rows)
    size = Counter(ranks.values())
    first, last = start + 1, start + tier.maximum
    winners, empty, crossing, below = [], [], [], []
    for row in sorted(rows, key=lambda r: (ranks[r.id], r.id)):
        low = ranks[row.id]
        high = low + size[low] - 1  # the places that a shared rank takes up
        if first <= low and high <= last:
            if row.id in out:
                empty.append(row.id)
            elif tier.line is not None and row.total < tier.line:
                below.append(row.id)
            else:
                winners.append(row.id)
        elif low <= last and high >= first and row.id not in out:
            crossing.append(row.id)
    filled: list[str] = []
    if tier.below_minimum == "fill":
        # By rank; a shared rank is taken whole or not at all.
        for rank in sorted({ranks[name] for name in below}):
            together = [name for name in below if ranks[name] == rank]
            if len(winners) + len(crossing) + len(filled) + len(together) > tier.minimum:
                break
            filled += together
    below = [name for name in below if name not in filled]
    return Given(
        tier, (*winners, *filled), tuple(empty), tuple(crossing), tuple(below), tuple(filled)
    )  # fmt: skip


def _competition(rows: list[Ranked]) -> dict[str, int]:
    """Ranks among these rows alone, ties as in the ranking given."""
    order = Counter(row.rank for row in rows)
    place, start = {}, 1
    for rank in sorted(order):
        place[rank] = start
        start += order[rank]
    return {row.id: place[row.rank] for row in rows}


def _words(given: Given) -> Text:
    tier = given.tier
    zh = [f"{tier.id}:名额 {tier.maximum} 个,给出 {len(given.winners)} 个"]
    en = [f"{tier.id}: {len(given.winners)} of {tier.maximum} places given"]
    if given.left_empty:
        names = ", ".join(given.left_empty)
        zh.append(f"{names} 已取消资格,名额空缺,不递补")
        en.append(f"{names} out, the place stays empty")
    if given.open_:
        names = ", ".join(given.open_)
        zh.append(f"{names} 名次并列跨越界线,待议定或抽签")
        en.append(f"{names} share a rank across the line: for the committee or a draw")
    if given.below_line and tier.line is not None:
        names, line = ", ".join(given.below_line), plain(tier.line)
        zh.append(f"{names} 未达 {line} 分")
        en.append(f"{names} below {line} points")
    if given.filled:
        names = ", ".join(given.filled)
        zh.append(f"为满足最少 {tier.minimum} 个,按名次补入 {names}")
        en.append(f"{names} taken in by rank to reach the minimum of {tier.minimum}")
    elif given.short:
        zh.append(f"不足最少 {tier.minimum} 个")
        en.append(f"fewer than the minimum of {tier.minimum}")
    return Text(";".join(zh) + "。", "; ".join(en) + ".")
