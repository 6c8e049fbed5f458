"""REQUEST.yaml of the headless commands, checked value by value against the roster.

The caller reads the file; this module takes its contents and names file, row, column and panel of the
first thing that is wrong (docs/draw-protocol.md section 12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.types import DomainError

from .objects import (
    Bounds,
    Candidate,
    Exclusion,
    Mode,
    PanelSpec,
    Party,
    Source,
    refuse,
)
from .roster_file import Codebook, RosterTable
from .seed import HEX64

Place = tuple[str | int, ...]
Marks = Mapping[Place, tuple[int, int]]
TOP_KEYS = frozenset(
    ["panels", "mode", "pair_limits", "load_cap", "replacement", "sources", "parties", "dice"]
    + ["accept_high", "accept_zero", "fallbacks"]
)
# Why somebody may be all but certain to be drawn, or may have no chance at all.
HIGH_CHANCE = ("small_pool", "rare_specialty", "legal_requirement")
ZERO_CHANCE = ("not_needed", "legal_requirement")
PANEL_KEYS = frozenset(["id", "seats", "mode", "quotas", "exclude", "subjects", "dates"])
SOURCE_KEYS = frozenset(["name", "kind", "count", "range", "when"])
DEFAULT_DICE = 50


@dataclass(frozen=True)
class ExclusionRequest:
    panel: str
    expert: str
    rule: str
    evidence_hash: str


@dataclass(frozen=True)
class SeedPlan:
    """Where a seed comes from: sources, parties, and source -> what stands in for it."""

    sources: tuple[Source, ...]
    parties: tuple[Party, ...]
    fallbacks: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Request:
    """A draw as asked for in REQUEST.yaml."""

    panels: tuple[PanelSpec, ...]
    exclusions: tuple[ExclusionRequest, ...]
    load_cap: int
    replacement: str
    sources: tuple[Source, ...]
    parties: tuple[Party, ...]
    accepted: Mapping[str, str] = field(default_factory=dict)  # code of a guard -> reason
    fallbacks: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)  # of a source

    def eligible(self, roster: Sequence[Candidate]) -> dict[str, list[Candidate]]:
        """Panel id -> the people of the roster whom nothing excludes from it."""
        gone = {(e.panel, e.expert) for e in self.exclusions}
        return {p.id: [c for c in roster if (p.id, c.id) not in gone] for p in self.panels}

    def exclusion_records(self, salts: Sequence[bytes]) -> list[Exclusion]:
        """The exclusions with fresh salts, one of 16 random bytes each, given by the caller."""
        return [
            Exclusion(e.panel, e.expert, e.rule, e.evidence_hash, "request", salt)
            for e, salt in zip(self.exclusions, salts, strict=True)
        ]


class RequestReader:
    """Reads a REQUEST.yaml document; `marks[path]` is the (line, column) of a value, from 1."""

    def __init__(
        self, data: Any, name: str, marks: Marks, roster: RosterTable, codes: Codebook
    ) -> None:
        self.data, self.name, self.marks = data, name, marks
        self.roster, self.codes = roster, codes

    def bad(self, path: Place, zh: str, en: str, **values: Any) -> DomainError:
        """A refusal at a place of the file; a missing value is placed at what should hold it."""
        known = path
        while known and known not in self.marks:
            known = known[:-1]
        line, column = self.marks.get(known, (1, 1))
        panel = self._panel_at(path)
        return refuse(
            "{f} 第 {l} 行第 {c} 列（{place}"
            + ("，评审组“{panel}”" if panel else "")
            + "）："
            + zh,
            "{f}, row {l}, column {c} ({place}"
            + (", panel '{panel}'" if panel else "")
            + "): "
            + en,
            f=self.name,
            l=line,
            c=column,
            place=".".join(map(str, path)) or "-",
            panel=panel,
            **values,
        )

    def _panel_at(self, path: Place) -> str:
        """The id of the panel that a place belongs to, as it stands in the file; "" outside of one."""
        match path:
            case ("panels", int(place), _, *_):
                panel = self.data["panels"][place]
                named = panel.get("id") if isinstance(panel, dict) else None
                return "" if named is None else str(named)
        return ""

    def read(self) -> Request:
        """The request; DomainError at the first thing that is wrong."""
        top = self._map(self.data, (), TOP_KEYS)
        panels_data = self._list(top.get("panels"), ("panels",))
        if not panels_data:
            raise self.bad(("panels",), "至少要有一个评审组", "at least one panel is needed")
        mode = self._mode(
            top.get("mode", "lottery" if len(panels_data) == 1 else "tickets"), ("mode",)
        )
        limits = self._limits(top.get("pair_limits", {}))
        panels: list[PanelSpec] = []
        exclusions: list[ExclusionRequest] = []
        for n, item in enumerate(panels_data):
            panel, out = self._panel(item, ("panels", n), mode, limits)
            if any(p.id == panel.id for p in panels):
                raise self.bad(
                    ("panels", n, "id"), "评审组编号“{v}”重复", "panel id '{v}' occurs twice",
                    v=self.codes.words(panel.id),
                )  # fmt: skip
            panels.append(panel)
            exclusions += out
        capped = top.get("load_cap") is not None
        cap = self._int(top["load_cap"], ("load_cap",), 1) if capped else 0
        replacement = top.get("replacement", "act")
        if replacement not in ("act", "reserves"):
            raise self.bad(("replacement",), "须为 act 或 reserves", "must be act or reserves")
        return Request(
            tuple(panels),
            tuple(exclusions),
            cap,
            replacement,
            self._sources(top),
            self._parties(top.get("parties", [])),
            self._accepted(top),
            self._fallbacks(top),
        )

    def seed_plan(self) -> SeedPlan:
        """Sources and parties alone; DomainError at the first thing that is wrong."""
        keys = frozenset(["sources", "dice", "parties", "fallbacks"])
        top = self._map(self.data or {}, (), keys)
        parties = self._parties(top.get("parties", []))
        return SeedPlan(self._sources(top), parties, self._fallbacks(top))

    def _accepted(self, top: dict[Any, Any]) -> dict[str, str]:
        """The exceptions from the guards that the request names, each with its coded reason."""
        found: dict[str, str] = {}
        for key, guard, reasons in (
            ("accept_high", "probability_high", HIGH_CHANCE),
            ("accept_zero", "probability_zero", ZERO_CHANCE),
        ):
            if key not in top:
                continue
            if top[key] not in reasons:
                raise self.bad(
                    (key,), "须为 {want} 之一", "must be one of {want}", want=", ".join(reasons)
                )
            found[guard] = str(top[key])
        return found

    def _panel(
        self, item: Any, at: Place, mode: Mode, limits: dict[str, int]
    ) -> tuple[PanelSpec, list[ExclusionRequest]]:
        panel = self._map(item, at, PANEL_KEYS)
        for key in ("id", "seats"):
            if panel.get(key) is None:
                raise self.bad((*at, key), "缺少 {k}", "{k} is missing", k=key)
        name = self.codes.code(str(panel["id"]))
        seats = self._int(panel["seats"], (*at, "seats"), 1)
        exclusions: list[ExclusionRequest] = []
        for n, record in enumerate(self._list(panel.get("exclude") or [], (*at, "exclude"))):
            where = (*at, "exclude", n)
            fields = self._map(record, where, frozenset({"id", "rule", "evidence"}))
            expert = str(fields.get("id") or "")
            if expert not in self.roster.people:
                raise self.bad(
                    (*where, "id"), "名单中没有“{v}”", "the roster has no '{v}'", v=expert
                )
            if not fields.get("rule"):
                raise self.bad((*where, "rule"), "缺少回避规则", "the rule is missing")
            evidence = str(fields.get("evidence") or "")
            exclusions.append(
                ExclusionRequest(
                    name,
                    expert,
                    self.codes.code(str(fields["rule"])),
                    hashlib.sha256(evidence.encode("utf-8")).hexdigest(),
                )
            )
        out = frozenset(e.expert for e in exclusions)
        quotas = self._quotas(panel.get("quotas") or {}, (*at, "quotas"), seats, out, name)
        words = {
            key: tuple(str(v) for v in self._list(panel.get(key) or [], (*at, key)))
            for key in ("subjects", "dates")
        }
        own_mode = self._mode(panel["mode"], (*at, "mode")) if "mode" in panel else mode
        spec = PanelSpec(
            name, seats, words["subjects"], words["dates"], quotas, limits, own_mode, out
        )
        return spec, exclusions

    def _quotas(
        self, data: Any, at: Place, seats: int, out: frozenset[str], panel: str
    ) -> dict[str, dict[str, Bounds]]:
        quotas: dict[str, dict[str, Bounds]] = {}
        for attribute, values in self._map(data, at, None).items():
            here = (*at, attribute)
            column = self._column(attribute, here)
            bounds: dict[str, Bounds] = {}
            for value, pair in self._map(values, here, None).items():
                where = (*here, value)
                if not isinstance(pair, list) or len(pair) != 2:
                    raise self.bad(where, "须为 [下限, 上限]", "must be [min, max]")
                low, high = (self._int(v, (*where, n), 0) for n, v in enumerate(pair))
                if low > high:
                    raise self.bad(
                        where, "下限 {a} 大于上限 {b}", "minimum {a} is above maximum {b}",
                        a=low, b=high,
                    )  # fmt: skip
                bounds[self.codes.code(value)] = (low, high)
            low, high = sum(b[0] for b in bounds.values()), sum(b[1] for b in bounds.values())
            if low > seats or high < seats:
                raise self.bad(
                    here,
                    "席位 {n}，而下限合计 {a}、上限合计 {b}，无法满足",
                    "{n} seats cannot be met: the minima add up to {a}, the maxima to {b}",
                    n=seats, a=low, b=high,
                )  # fmt: skip
            for expert, facts in self.roster.people.items():
                if facts[column] not in bounds and expert not in out:
                    raise refuse(
                        "{f} 第 {r} 行“{c}”列：值“{v}”没有列入 {q} 中评审组“{p}”的名额",
                        "{f}, row {r}, column '{c}': value '{v}' has no quota in {q}, panel '{p}'",
                        f=self.roster.name, r=self.roster.rows[expert], c=attribute,
                        v=self.codes.words(facts[column]), q=self.name, p=self.codes.words(panel),
                    )  # fmt: skip
            quotas[column] = bounds
        return quotas

    def _limits(self, data: Any) -> dict[str, int]:
        return {
            self._column(a, ("pair_limits", a)): self._int(k, ("pair_limits", a), 1)
            for a, k in self._map(data or {}, ("pair_limits",), None).items()
        }

    def _column(self, attribute: str, at: Place) -> str:
        column = self.codes.code(attribute)
        if column not in self.roster.columns:
            raise self.bad(
                at,
                "{r} 没有“{a}”列",
                "{r} has no column '{a}'",
                r=self.roster.name,
                a=attribute,
            )
        return column

    def _sources(self, top: Mapping[str, Any]) -> tuple[Source, ...]:
        if "sources" not in top:
            dice = self._int(top.get("dice", DEFAULT_DICE), ("dice",), 1)
            return (Source("dice", "sequence", dice, 1, 6),)
        if "dice" in top:
            raise self.bad(
                ("dice",), "dice 与 sources 只能选一个", "give dice or sources, not both"
            )
        out: list[Source] = []
        for n, item in enumerate(self._list(top["sources"], ("sources",))):
            fields = self._map(item, ("sources", n), SOURCE_KEYS)
            out.append(self._source(fields, ("sources", n), {s.name for s in out}))
        if not out:
            raise self.bad(("sources",), "至少要有一个来源", "at least one source is needed")
        return tuple(out)

    def _source(self, fields: Mapping[str, Any], at: Place, taken: set[str]) -> Source:
        span = fields.get("range")
        if not fields.get("name") or str(fields["name"]) in taken:
            raise self.bad((*at, "name"), "名称缺少或重复", "the name is missing or repeated")
        if fields.get("kind") not in ("sequence", "set"):
            raise self.bad((*at, "kind"), "须为 sequence 或 set", "must be sequence or set")
        if not isinstance(span, list) or len(span) != 2:
            raise self.bad((*at, "range"), "须为 [最小, 最大]", "must be [low, high]")
        low, high = (self._int(v, (*at, "range", i), 0) for i, v in enumerate(span))
        count = self._int(fields.get("count"), (*at, "count"), 1)
        if low >= high or (fields["kind"] == "set" and count > high - low + 1):
            raise self.bad((*at, "range"), "范围不足", "the range is too small for the source")
        when = str(fields.get("when") or "")
        return Source(str(fields["name"]), fields["kind"], count, low, high, when)

    def _fallbacks(self, top: Mapping[str, Any]) -> dict[str, tuple[Source, ...]]:
        """What is read in the place of a source that does not come about, in the order of the file."""
        if "fallbacks" not in top:
            return {}
        named = {s.name for s in self._sources(top)}
        taken, out = set(named), dict[str, tuple[Source, ...]]()
        rows = self._list(top["fallbacks"], ("fallbacks",))
        if not rows:
            raise self.bad(
                ("fallbacks",), "至少要有一个替补来源", "at least one fallback is needed"
            )
        for n, item in enumerate(rows):
            at: Place = ("fallbacks", n)
            fields = self._map(item, at, SOURCE_KEYS | {"of"})
            of = str(fields.get("of") or "")
            if of not in named:
                raise self.bad(
                    (*at, "of"), "来源中没有“{v}”", "there is no source '{v}'", v=of
                )  # fmt: skip
            source = self._source(fields, at, taken)
            taken.add(source.name)
            out[of] = (*out.get(of, ()), source)
        return out

    def _parties(self, data: Any) -> tuple[Party, ...]:
        out: list[Party] = []
        for n, item in enumerate(self._list(data or [], ("parties",))):
            at: Place = ("parties", n)
            fields = self._map(item, at, frozenset({"name", "commitment", "index"}))
            if not fields.get("name") or any(p.name == str(fields["name"]) for p in out):
                raise self.bad((*at, "name"), "名称缺少或重复", "the name is missing or repeated")
            commitment = str(fields.get("commitment") or "")
            if not HEX64.fullmatch(commitment):
                raise self.bad(
                    (*at, "commitment"),
                    "须为 64 位小写十六进制",
                    "must be 64 lower-case hex digits",
                )
            index = self._int(fields.get("index"), (*at, "index"), 1)
            out.append(Party(str(fields["name"]), commitment, index))
        return tuple(out)

    def _map(self, value: Any, at: Place, keys: frozenset[str] | None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.bad(at, "须为键值对", "must be a mapping")
        for key in value:
            if keys is not None and key not in keys:
                raise self.bad(
                    (*at, key), "未知的键“{k}”，可用：{all}", "unknown key '{k}', known: {all}",
                    k=key, all=", ".join(sorted(keys)),
                )  # fmt: skip
        return value

    def _list(self, value: Any, at: Place) -> list[Any]:
        if not isinstance(value, list):
            raise self.bad(at, "须为列表", "must be a list")
        return value

    def _int(self, value: Any, at: Place, least: int) -> int:
        if type(value) is not int or value < least or value > 10**9:
            raise self.bad(
                at, "须为不小于 {n} 的整数", "must be a whole number of at least {n}", n=least
            )
        return value

    def _mode(self, value: Any, at: Place) -> Mode:
        if value not in ("lottery", "tickets"):
            raise self.bad(at, "须为 lottery 或 tickets", "must be lottery or tickets")
        return "lottery" if value == "lottery" else "tickets"


def parse_request(
    data: Any, name: str, marks: Marks, roster: RosterTable, codes: Codebook
) -> Request:
    """A REQUEST.yaml document, already parsed to mappings with text keys, lists, integers and text."""
    return RequestReader(data, name, marks, roster, codes).read()


def parse_seed_plan(data: Any, name: str, marks: Marks) -> SeedPlan:
    """`sources` or `dice`, `fallbacks` and `parties`, of a request without panels: for an order of things."""
    reader = RequestReader(data, name, marks, RosterTable(name, {}, {}, ()), Codebook())
    return reader.seed_plan()
