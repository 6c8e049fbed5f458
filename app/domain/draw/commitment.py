"""The commitment: everything that decides a draw, fixed before the seed exists.

See docs/draw-protocol.md section 3. The document is closed: reading one back rebuilds the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .lottery import Progress, prepare_lotteries
from .objects import (
    SPEC,
    Candidate,
    Exclusion,
    Kind,
    PanelSpec,
    Party,
    Source,
    check_id,
    leaf_hash,
    refuse,
)
from .quotas import check_bounds
from .roster import (
    exclusion_leaves,
    root_of,
    roster_leaves,
    type_attributes,
    validate_exclusions,
    validate_roster,
)
from .seed import HEX64

# Counts below 5 would point at a person's private life or record.
SUPPRESSED_RULES = frozenset({"kin", "dispute", "discipline"})


@dataclass(frozen=True, slots=True)
class Commitment:
    """`document` is what is hashed, appended and published; `lotteries` the tables it is bound to."""

    document: dict[str, Any]
    lotteries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256(0x00 || JCS(document)), lower-case hex."""
        return leaf_hash(self.document)

    def holds_lotteries(self) -> bool:
        """Are `lotteries` exactly the tables that the document is bound to?"""
        bound = {p["id"]: p["lottery_root"] for p in self.document["panels"] if p["lottery_root"]}
        return bound == {name: leaf_hash(table) for name, table in self.lotteries.items()}

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def load_cap(self) -> int:
        """0 means no cap."""
        return int(self.document["load_cap"])

    @property
    def panels(self) -> tuple[PanelSpec, ...]:
        """The panels as committed (the ids of excluded people are in the exclusions, not here)."""
        out = []
        for panel in self.document["panels"]:
            quotas: dict[str, dict[str, tuple[int, int]]] = {}
            for attribute, value, low, high in panel["quotas"]:
                quotas.setdefault(attribute, {})[value] = (low, high)
            out.append(
                PanelSpec(
                    panel["id"],
                    panel["seats"],
                    tuple(panel["subjects"]),
                    tuple(panel["dates"]),
                    quotas,
                    dict(panel["pair_limits"]),
                    panel["mode"],
                )
            )
        return tuple(out)

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(_source(s) for s in self.document["sources"])

    @property
    def fallbacks(self) -> dict[str, tuple[Source, ...]]:
        """Name of a source -> what is read in its place if it does not come about, in this order."""
        rows = self.document.get("fallbacks", ())
        return {
            name: tuple(_source(s) for s in rows if s["of"] == name)
            for name in dict.fromkeys(str(s["of"]) for s in rows)
        }

    @property
    def parties(self) -> tuple[Party, ...]:
        return tuple(
            Party(p["name"], p["commitment"], p["index"]) for p in self.document["parties"]
        )


def build_commitment(
    *,
    kind: Kind,
    purpose: Mapping[str, str | int],
    attempt: int,
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int | None,
    replacement: str,
    sources: Sequence[Source],
    parties: Sequence[Party],
    rule_set_hash: str,
    previous_head: str,
    suppressed_rules: frozenset[str] = SUPPRESSED_RULES,
    tell: Progress | None = None,
    lotteries: Mapping[str, Mapping[str, Any]] | None = None,
    fallbacks: Mapping[str, Sequence[Source]] | None = None,
) -> Commitment:
    """Check everything and fix it; lottery tables are prepared here, before any seed. `tell` hears
    how far they are. `lotteries` are tables that were prepared before, taken if they fit. `fallbacks`: name
    of a source -> what is read in its place if it does not come about; without any the key is left out.

    `load_cap` None or 0 means none. `rule_set_hash` and `previous_head` may be "" (headless).
    Raises DomainError for anything out of shape, and for a lottery panel whose rules admit nobody.
    """
    if kind not in ("real", "drill") or replacement not in ("act", "reserves") or attempt < 1:
        raise refuse(
            "承诺书的种类、补抽方式或次数无效", "kind, replacement policy or attempt is not valid"
        )
    if (load_cap or 0) < 0:
        raise refuse("每人场次上限不得为负", "the load cap must not be negative")
    _check_panels(panels, load_cap or 0)
    spare = [(of, s) for of, rows in (fallbacks or {}).items() for s in rows]
    _check_seed_plan(sources, parties, spare)
    validate_roster(roster)
    validate_exclusions(exclusions, roster, panels)
    attributes = type_attributes(panels)
    tables = prepare_lotteries(panels, roster, exclusions, tell=tell, made=lotteries)
    counts = Counter(e.rule for e in exclusions)
    document: dict[str, Any] = {
        "attempt": attempt,
        "exclusion_counts": [
            [rule, "<5" if n < 5 and is_suppressed(rule, suppressed_rules) else n]
            for rule, n in sorted(counts.items())
        ],
        "exclusions_root": root_of(exclusion_leaves(exclusions)),
        "kind": kind,
        "load_cap": load_cap or 0,
        "panels": [
            {
                "dates": sorted(set(p.dates)),
                "id": p.id,
                "lottery_root": leaf_hash(tables[p.id]) if p.id in tables else "",
                "mode": p.mode,
                "pair_limits": [[a, k] for a, k in sorted(p.pair_limits.items())],
                "quotas": [
                    [a, v, low, high]
                    for a, values in sorted(p.quotas.items())
                    for v, (low, high) in sorted(values.items())
                ],
                "seats": p.seats,
                "subjects": sorted(set(p.subjects)),
            }
            for p in sorted(panels, key=lambda p: p.id)
        ],
        "parties": [
            {"commitment": p.commitment_hex, "index": p.index, "name": p.name} for p in parties
        ],
        "previous_head": previous_head,
        "purpose": dict(purpose),
        "replacement": replacement,
        "roster_root": root_of(roster_leaves(roster, attributes)),
        "roster_size": len(roster),
        "rule_set": rule_set_hash,
        "sources": [_source_document(s) for s in sources],
        "spec": SPEC,
        "type_attributes": list(attributes),
    }
    if spare:
        document["fallbacks"] = [{**_source_document(s), "of": of} for of, s in spare]
    return Commitment(document, tables)


def _source_document(source: Source) -> dict[str, Any]:
    return {
        "count": source.count,
        "high": source.high,
        "kind": source.kind,
        "low": source.low,
        "name": source.name,
        "when": source.when,
    }


def _source(row: Mapping[str, Any]) -> Source:
    return Source(row["name"], row["kind"], row["count"], row["low"], row["high"], row["when"])


def is_suppressed(rule: str, suppressed: frozenset[str]) -> bool:
    """Does the rule id, or the part before its first "." or "-", name a suppressed rule?"""
    return rule in suppressed or re.split(r"[.-]", rule, maxsplit=1)[0] in suppressed


def _check_panels(panels: Sequence[PanelSpec], load_cap: int) -> None:
    if not panels:
        raise refuse("至少要有一个评审组", "at least one panel is needed")
    ids = [p.id for p in panels]
    for panel in panels:
        check_id(panel.id, "评审组编号", "panel id")
        if panel.mode not in ("tickets", "lottery"):
            raise refuse(
                "评审组“{p}”的抽取方式“{m}”无效，应为 tickets 或 lottery",
                "panel '{p}': mode '{m}' must be tickets or lottery",
                p=panel.id,
                m=panel.mode,
            )
        check_bounds(panel)
        for attribute, values in panel.quotas.items():
            check_id(attribute, "属性编号", "attribute id")
            for value in values:
                check_id(value, "属性值代码", "value code")
        for attribute in panel.pair_limits:
            check_id(attribute, "属性编号", "attribute id")
        if panel.mode == "lottery" and len(panels) > 1:
            shared = any(set(panel.dates) & set(p.dates) for p in panels if p.id != panel.id)
            if shared or 0 < load_cap < len(panels):
                raise refuse(
                    "评审组“{p}”与其他组共用日期或受场次上限约束，不能用公平抽签，请改用 tickets",
                    "panel '{p}' shares dates or a load cap with others: a lottery cannot be used, take tickets",
                    p=panel.id,
                )
    for panel_id, times in Counter(ids).items():
        if times > 1:
            raise refuse("评审组编号“{p}”重复", "panel id '{p}' occurs twice", p=panel_id)
    subjects: set[str] = set()
    for panel in panels:
        if subjects & set(panel.subjects):
            raise refuse(
                "同一评审对象不能由两个评审组承担（评审组“{p}”）",
                "a subject cannot be in two panels (panel '{p}')",
                p=panel.id,
            )
        subjects |= set(panel.subjects)


def _check_seed_plan(
    sources: Sequence[Source], parties: Sequence[Party], spare: Sequence[tuple[str, Source]]
) -> None:
    names = [s.name for s in (*sources, *(s for _, s in spare))] + [p.name for p in parties]
    if not sources or len(set(names)) != len(names):
        raise refuse(
            "至少要有一个种子来源，且来源与各方名称不得重复",
            "at least one seed source is needed, and names of sources and parties must differ",
        )
    for of, fallback in spare:
        if all(source.name != of for source in sources):
            raise refuse(
                "替补来源“{s}”所代替的“{o}”不在来源之列",
                "fallback '{s}' stands in for '{o}', which is no source",
                s=fallback.name,
                o=of,
            )
    for source in (*sources, *(s for _, s in spare)):
        span = source.high - source.low + 1
        if source.kind not in ("sequence", "set") or source.count < 1 or span < 2 or source.low < 0:
            raise refuse(
                "来源“{s}”的类型、个数或范围无效",
                "source '{s}': kind, count or range is not valid",
                s=source.name,
            )
        if source.kind == "set" and source.count > span:
            raise refuse(
                "来源“{s}”的集合大于其范围",
                "source '{s}': the set exceeds its range",
                s=source.name,
            )
    for party in parties:
        if not HEX64.fullmatch(party.commitment_hex) or not 1 <= party.index <= 1 << 20:
            raise refuse(
                "“{p}”的承诺须为 64 位小写十六进制，序号至少为 1",
                "the commitment of '{p}' must be 64 lower-case hex digits with an index of 1 or more",
                p=party.name,
            )
    if len({p.commitment_hex for p in parties}) != len(parties):
        raise refuse("各方的口令链不得相同", "no two parties may share a chain")
