"""The rule that turns marks into a result: data, strictly checked, with a digest.

The digest (SHA-256 of the RFC 8785 JSON of the whole rule, defaults filled in) is published before
scoring opens, so that nobody can choose a trimming or a tie rule after seeing the marks. The source
notices ask only for "综合评定" and a ranking by score; everything below is therefore a setting.

Keys, all optional: `estimator trim quorum items rounding adjust ties top` and, for rounds with
several stages, `modules bonus_cap rank_on rank_within pass_line flags`, for sections
`sections` (weight, cap, floor), for what a rank gives `places`, and `best: low` where a low score wins
(grants scored from 1, exceptional, to 9). Keys that came later appear in the
digest only where a rule uses them, so that an older rule keeps its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import rfc8785

from app.domain.statistics.estimators import ESTIMATORS, SPLITS_INTO_ITEMS
from app.domain.statistics.places import Tier, read_tiers
from app.domain.statistics.rounding import STAGES, plain
from app.domain.statistics.rule_values import (
    bad,
    canonical,
    choice,
    decimal,
    is_null,
    mapping,
    whole,
)

DEFAULT_DROP: Final[dict[int, int]] = {5: 1, 11: 2}
_RUNGS = ("unrounded", "top_item", "spread", "shared", "draw")
_LAST = ("shared", "draw")  # what a ladder ends in: a shared rank, or a logged draw
_KEYS = (
    *("estimator", "trim", "quorum", "items", "rounding", "adjust", "ties", "top"),
    *("modules", "bonus_cap", "rank_on", "rank_within", "pass_line", "flags"),
    *("sections", "places", "best"),
)


@dataclass(frozen=True, slots=True)
class ItemRule:
    """Weight of an item, and the section that its product is added to."""

    weight: Decimal = Decimal(1)
    section: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value; the weight is a string."""
        return {"weight": canonical(self.weight), "section": self.section}


@dataclass(frozen=True, slots=True)
class SectionRule:
    """What happens to the sum of a section: cap, then weight, then rounding at `section`.

    `floor` is a gate on the panel's value of the section (before its weight): a subject below keeps
    total and rank, but no place goes to it.
    """

    weight: Decimal = Decimal(1)
    cap: Decimal | None = None
    floor: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON value; decimals are strings."""
        return {
            "weight": canonical(self.weight),
            "cap": None if self.cap is None else canonical(self.cap),
            "floor": None if self.floor is None else canonical(self.floor),
        }


@dataclass(frozen=True, slots=True)
class FlagLimits:
    """When a mark is pointed out. Advice only: a flag never changes a score.

    `practical` is the smallest deviation worth a person's time, as a share of `full_mark` (None:
    the largest mark given), so that tight panels do not flag trivia; `amber` and `red` are
    standardised residuals; `deviation` is the customary +-20 % from the mean of the others.
    """

    practical: Decimal = Decimal("0.10")
    full_mark: Decimal | None = None
    amber: Decimal = Decimal(3)
    red: Decimal = Decimal(4)
    deviation: Decimal = Decimal("0.20")

    def to_json(self) -> dict[str, Any]:
        """JSON value; decimals are strings."""
        return {
            "practical": canonical(self.practical),
            "full_mark": None if self.full_mark is None else canonical(self.full_mark),
            "amber": canonical(self.amber),
            "red": canonical(self.red),
            "deviation": canonical(self.deviation),
        }


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A complete rule. Build it with `ScoreRule.parse`; the constructor does not check."""

    estimator: str = "trimmed_mean"
    unit: str = "sheet"
    drop: Mapping[int, int] = field(default_factory=lambda: dict(DEFAULT_DROP))
    quorum: int = 5
    items: Mapping[str, ItemRule] = field(default_factory=dict)
    rounding: Mapping[str, int | None] = field(
        default_factory=lambda: {stage: 2 if stage == "total" else None for stage in STAGES}
    )
    adjust: Mapping[str, Decimal] = field(default_factory=dict)
    ties: tuple[str, ...] = ("unrounded", "top_item", "spread", "shared")
    top: int | None = None
    modules: Mapping[str, Decimal] = field(default_factory=dict)
    bonus_cap: Decimal | None = None
    rank_on: str = "published"
    rank_within: str | None = None
    pass_line: Decimal | None = None
    flags: FlagLimits = field(default_factory=FlagLimits)
    sections: Mapping[str, SectionRule] = field(default_factory=dict)
    places: tuple[Tier, ...] = ()
    best: str = "high"

    @classmethod
    def parse(cls, data: Mapping[str, Any] | None) -> ScoreRule:
        """A rule from YAML or JSON data.

        Unknown keys, floats and contradictions are refused with a DomainError whose `field` is the
        key. Numbers may be strings, so that "0.10" is exactly what was typed.
        """
        given = mapping({} if data is None else data, "rule", _KEYS)
        values: dict[str, Any] = {}
        if "estimator" in given:
            values["estimator"] = choice(given["estimator"], "estimator", ESTIMATORS)
        if "trim" in given:
            trim = mapping(given["trim"], "trim", ("unit", "drop"))
            if "unit" in trim:
                values["unit"] = choice(trim["unit"], "trim.unit", ("sheet", "item"))
            if "drop" in trim:
                values["drop"] = _drop_table(trim["drop"])
        if "quorum" in given:
            values["quorum"] = whole(given["quorum"], "quorum", 1, 1000)
        if "items" in given:
            values["items"] = _items(given["items"])
        values["rounding"] = _rounding(given.get("rounding", {}), values.get("unit", "sheet"))
        if "modules" in given:
            values["modules"] = _modules(given["modules"])
        if "adjust" in given:
            adjust = mapping(given["adjust"], "adjust")
            values["adjust"] = {s: decimal(v, f"adjust.{s}") for s, v in adjust.items()}
        for name in ("bonus_cap", "pass_line"):
            if not is_null(given.get(name)):
                values[name] = decimal(given[name], name)
        if values.get("bonus_cap", Decimal(0)) < 0:
            raise bad("bonus_cap", "不能为负数。", "cannot be negative.")
        if not is_null(given.get("top")):
            values["top"] = whole(given["top"], "top", 1, 100_000)
        if "rank_on" in given:
            values["rank_on"] = choice(given["rank_on"], "rank_on", ("published", "unrounded"))
        if not is_null(given.get("rank_within")):
            values["rank_within"] = choice(given["rank_within"], "rank_within", ("group",))
        if "flags" in given:
            values["flags"] = _flags(given["flags"])
        if "sections" in given:
            values["sections"] = _sections(given["sections"], values.get("items", {}))
        if "places" in given:
            values["places"] = read_tiers(given["places"])
        if "best" in given:
            values["best"] = choice(given["best"], "best", ("high", "low"))
        rule = cls(**values)
        lines = [rule.pass_line, *(tier.line for tier in rule.places)]
        if rule.best == "low" and any(line is not None for line in lines):
            raise bad(
                "best",
                "低分为优时不能再设 pass_line 或名额的 line(它们要求不低于)。",
                "low cannot go with a pass_line or a line of places: both ask for at least so many points.",
            )
        splits = rule.unit == "item" or rule.estimator in SPLITS_INTO_ITEMS
        if not splits and any(part.floor is not None for part in rule.sections.values()):
            raise bad(
                "sections",
                "{e} 按评分表合成时没有各部分的得分,不能设最低要求。",
                "{e} by sheet gives no values of sections, so none can have a floor.",
                e=rule.estimator,
            )
        for subject, amount in rule.adjust.items():
            rule.check_adjust(subject, amount)
        ties = given.get("ties", _default_ties(rule))
        return cls(**values, ties=_ties(ties, rule))

    def check_adjust(self, subject: str, amount: Decimal) -> None:
        """Refuse an adjustment finer than the published total: it would force a second rounding."""
        places = self.rounding["total"]
        exponent = amount.normalize().as_tuple().exponent
        if places is not None and isinstance(exponent, int) and -exponent > places:
            raise bad(
                f"adjust.{subject}",
                "{amount} 的小数位多于公布总分的 {places} 位。",
                "{amount} has more decimals than the {places} of the published total.",
                amount=plain(amount),
                places=places,
            )

    def to_json(self) -> dict[str, Any]:
        """The whole rule with defaults; decimals are strings in one canonical spelling."""
        cap, line = self.bonus_cap, self.pass_line
        return {
            "estimator": self.estimator,
            "trim": {
                "unit": self.unit,
                "drop": {str(start): self.drop[start] for start in sorted(self.drop)},
            },
            "quorum": self.quorum,
            "items": {name: item.to_json() for name, item in self.items.items()},
            "rounding": {stage: self.rounding[stage] for stage in STAGES},
            "adjust": {name: canonical(amount) for name, amount in self.adjust.items()},
            "ties": list(self.ties),
            "top": self.top,
            "modules": {name: canonical(weight) for name, weight in self.modules.items()},
            "bonus_cap": None if cap is None else canonical(cap),
            "rank_on": self.rank_on,
            "rank_within": self.rank_within,
            "pass_line": None if line is None else canonical(line),
            "flags": self.flags.to_json(),
            **(
                {"sections": {name: part.to_json() for name, part in self.sections.items()}}
                if self.sections
                else {}
            ),
            **({"places": [tier.to_json() for tier in self.places]} if self.places else {}),
            **({"best": self.best} if self.best != "high" else {}),
        }

    def digest(self) -> str:
        """Hex SHA-256 of the RFC 8785 form of `to_json()`."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()


def _drop_table(value: Any) -> dict[int, int]:
    table: dict[int, int] = {}
    for start, count in mapping(value, "trim.drop").items():
        first = whole(start, f"trim.drop.{start}", 1, 1000)
        drop = whole(count, f"trim.drop.{start}", 0, 500)
        if 2 * drop >= first:
            raise bad(
                f"trim.drop.{start}",
                "{first} 个分数两端各去掉 {drop} 个后没有剩余。",
                "nothing is left of {first} marks after dropping {drop} at each end.",
                first=first,
                drop=drop,
            )
        if first in table:
            raise bad(f"trim.drop.{start}", "重复。", "appears twice.")
        table[first] = drop
    return table


def _items(value: Any) -> dict[str, ItemRule]:
    items: dict[str, ItemRule] = {}
    for name, entry in mapping(value, "items").items():
        parts = mapping({} if is_null(entry) else entry, f"items.{name}", ("weight", "section"))
        weight = decimal(parts.get("weight", 1), f"items.{name}.weight")
        section = None if is_null(parts.get("section")) else str(parts["section"])
        items[name] = ItemRule(weight, section)
    return items


def _sections(value: Any, items: Mapping[str, ItemRule]) -> dict[str, SectionRule]:
    known = {entry.section for entry in items.values()}
    sections: dict[str, SectionRule] = {}
    for name, entry in mapping(value, "sections").items():
        key = f"sections.{name}"
        if name not in known:
            raise bad(key, "没有指标属于这一部分。", "no item belongs to this section.")
        parts = mapping({} if is_null(entry) else entry, key, ("weight", "cap", "floor"))
        given = {n: decimal(v, f"{key}.{n}") for n, v in parts.items() if not is_null(v)}
        if given.get("weight", Decimal(1)) <= 0:
            raise bad(f"{key}.weight", "权重须为正数。", "the weight must be positive.")
        if "cap" in given and given.get("floor", given["cap"]) > given["cap"]:
            raise bad(f"{key}.floor", "高于上限。", "is above the cap.")
        sections[name] = SectionRule(**given)
    return sections


def _rounding(value: Any, unit: str) -> dict[str, int | None]:
    given = mapping(value, "rounding", STAGES)
    # A stage that the unit of trimming never passes would be ignored in silence; refuse it.
    never = "item" if unit == "sheet" else "sheet"
    if not is_null(given.get(never)):
        raise bad(
            f"rounding.{never}",
            "按 {unit} 去极值时没有这一环节。",
            "this stage does not occur when trimming by {unit}.",
            unit=unit,
        )
    rounding: dict[str, int | None] = dict.fromkeys(STAGES)
    rounding["total"] = 2
    for stage, places in given.items():
        rounding[stage] = None if is_null(places) else whole(places, f"rounding.{stage}", 0, 10)
    return rounding


def _modules(value: Any) -> dict[str, Decimal]:
    modules = {n: decimal(w, f"modules.{n}") for n, w in mapping(value, "modules").items()}
    for name, weight in modules.items():
        if weight <= 0:
            raise bad(f"modules.{name}", "权重须为正数。", "the weight must be positive.")
    # Shares of one total, or parts that are simply added (a technical score and a component score).
    added = all(weight == 1 for weight in modules.values())
    if modules and not added and sum(modules.values()) != 1:
        raise bad(
            "modules",
            "权重之和为 {total},应为 1;各阶段直接相加的,权重均写 1。",
            "the weights add up to {total}, not to 1; stages that are simply added have weight 1 each.",
            total=plain(sum(modules.values(), Decimal(0))),
        )
    return modules


def _flags(value: Any) -> FlagLimits:
    names = ("practical", "full_mark", "amber", "red", "deviation")
    given = mapping(value, "flags", names)
    limits = {n: decimal(v, f"flags.{n}") for n, v in given.items() if not is_null(v)}
    for name, limit in limits.items():
        if limit <= 0:
            raise bad(f"flags.{name}", "须为正数。", "must be positive.")
    return FlagLimits(**limits)


def _default_ties(rule: ScoreRule) -> list[str]:
    """Unrounded, then the site stage when there is one, then the heaviest item, then spread."""
    site = ["module:site"] if "site" in rule.modules else []
    return ["unrounded", *site, "top_item", "spread", "shared"]


def _ties(value: Any, rule: ScoreRule) -> tuple[str, ...]:
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise bad("ties", "应为列表。", "must be a list.")
    rungs = [str(rung) for rung in value]
    for rung in rungs:
        kind, _, name = rung.partition(":")
        known = rung in _RUNGS or (kind in ("item", "module") and name)
        if kind == "item" and rule.items:
            known = known and name.rpartition("/")[2] in rule.items
        if kind == "module":
            known = known and name in rule.modules
        if not known:
            raise bad(
                "ties",
                "未知的并列规则 {rung}(可用:unrounded、module:阶段、item:指标、top_item、spread、shared、draw)。",
                "unknown rung {rung} (known: unrounded, module:STAGE, item:ITEM, top_item, spread, shared, draw).",
                rung=rung,
            )
    if len(set(rungs)) < len(rungs):
        raise bad("ties", "有重复项。", "lists a rung twice.")
    for last in _LAST:
        if last in rungs[:-1]:
            raise bad("ties", "{r} 须在最后。", "{r} must come last.", r=last)
    return tuple(rungs if rungs and rungs[-1] in _LAST else [*rungs, "shared"])
