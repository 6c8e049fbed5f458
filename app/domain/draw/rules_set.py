"""The rule set of a draw: which rules apply, how strictly, with which parameters. Rules are data.

`RuleSet.load` takes the mapping of `scoring_forms/rules.yaml` (or what a draw stored) and accepts
nothing that it does not know: an unknown rule, key or parameter, or a rule left out, is refused,
since each of them would let an expert pass unseen. A scheme changes rules by `with_overrides`; the
digest (SHA-256 over RFC 8785 JSON) stands in the commitment of every draw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, cast, get_args

from app.domain.draw.rules_schema import LATER, SPECS, Params, RuleSpec, Scope, Where
from app.domain.types import DomainError, Text

Effect = Literal["block", "warn", "info", "off"]
WhenMissing = Literal["report", "block"]

_RULE_KEYS = {
    "id",
    "where",
    "title",
    "source",
    "confirm",
    "effect",
    "computed",
    "when_missing",
    "alternative_to",
    "settled_at",
    "computed_from",
    "params",
}
_OVERRIDE_KEYS = {"effect", "computed", "when_missing", "params"}


def _refuse(zh: str, en: str, field_name: str) -> DomainError:
    return DomainError(
        Text(f"规则集未采用：{zh}", f"The rule set was not used: {en}"),
        field=field_name,
    )


def _text(value: object, where: str) -> Text:
    if (
        not isinstance(value, Mapping)
        or set(value) != {"zh", "en"}
        or not all(isinstance(part, str) and part.strip() for part in value.values())
    ):
        raise _refuse(
            f"{where} 须有中英文两项（zh、en）。",
            f"{where} needs both zh and en.",
            where,
        )
    return Text(value["zh"].strip(), value["en"].strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralExemption:
    """The recorded decision that employers at central level are exempt from the place rule."""

    decided_by: str
    on: date
    reason: Text

    @classmethod
    def of(cls, value: object) -> CentralExemption:
        """From `{decided_by, on, reason: {zh, en}}`; DomainError when anything is missing."""
        # YAML 1.1 reads an unquoted key `on` as the boolean True.
        parts = (
            {("on" if key is True else key): item for key, item in value.items()}
            if isinstance(value, Mapping)
            else {}
        )
        if set(parts) != {"decided_by", "on", "reason"}:
            raise _refuse(
                "中央单位豁免须写明 decided_by、on、reason。",
                "central_exempt needs decided_by, on and reason.",
                "central_exempt",
            )
        decided_by, day = parts["decided_by"], parts["on"]
        if not isinstance(decided_by, str) or not decided_by.strip():
            raise _refuse(
                "中央单位豁免须写明由谁决定。",
                "central_exempt: who decided?",
                "central_exempt",
            )
        try:
            on = day if type(day) is date else date.fromisoformat(cast(str, day))
        except (TypeError, ValueError):
            raise _refuse(
                f"中央单位豁免的日期“{day}”不是 YYYY-MM-DD。",
                f"central_exempt: {day!r} is not a date YYYY-MM-DD.",
                "central_exempt",
            ) from None
        reason = _text(parts["reason"], "central_exempt.reason")
        return cls(decided_by=decided_by.strip(), on=on, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as this scheme runs it. `params` are plain JSON values, see rules_schema."""

    id: str
    where: Where
    scope: Scope
    title: Text
    source: Text
    confirm: bool
    effect: Effect
    computed: bool
    when_missing: WhenMissing
    settled_at: Text | None
    alternative_to: str | None
    computed_from: Text | None
    params: Params = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Every rule of the catalogue, in its order; one that does not apply has the effect `off`.

    A set stored before the rules on scoring were listed holds those of `LATER` not.
    """

    id: str
    title: Text
    rules: tuple[Rule, ...]
    central_exempt: CentralExemption | None = None

    @classmethod
    def load(cls, mapping: Mapping[str, Any]) -> RuleSet:
        """From `{id, title, central_exempt?, rules: [...]}`; DomainError names what is wrong."""
        if not isinstance(mapping, Mapping):
            raise _refuse("内容不是键值表。", "it is not a mapping.", "rules")
        extra = set(mapping) - {"id", "title", "central_exempt", "rules"}
        if extra:
            names = ", ".join(sorted(map(str, extra)))
            raise _refuse(f"不认识的项 {names}。", f"unknown keys {names}.", "rules")
        if not isinstance(mapping.get("id"), str) or not isinstance(mapping.get("rules"), list):
            raise _refuse("缺少 id 或 rules。", "id or rules is missing.", "rules")
        found: dict[str, Rule] = {}
        for row in mapping["rules"]:
            rule = _rule(row)
            if rule.id in found:
                raise _refuse(f"{rule.id} 重复。", f"{rule.id} stands twice.", rule.id)
            found[rule.id] = rule
        absent = [rule_id for rule_id in SPECS if rule_id not in found and rule_id not in LATER]
        if absent:
            names = ", ".join(absent)
            raise _refuse(
                f'缺少规则 {names}；不用的规则请写 effect: "off"。',
                f'rules {names} are missing; give a rule you do not use the effect "off".',
                absent[0],
            )
        exempt = mapping.get("central_exempt")
        return cls(
            id=mapping["id"],
            title=_text(mapping.get("title"), "title"),
            rules=tuple(found[rule_id] for rule_id in SPECS if rule_id in found),
            central_exempt=None if exempt is None else CentralExemption.of(exempt),
        )

    def __getitem__(self, rule_id: str) -> Rule:
        """The rule, so that others read its parameters: `rules["D-03"].params["size"]`."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise _refuse(f"没有规则 {rule_id}。", f"there is no rule {rule_id}.", rule_id)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def with_overrides(self, overrides: Mapping[str, Any]) -> RuleSet:
        """This set as a scheme changes it; the receiver stays as it is.

        `overrides` = `{id?, central_exempt?, rules?: {rule id: {effect?, computed?, when_missing?,
        params?}}}`; params are merged by name. `central_exempt: null` takes the exemption away.
        The result is validated like a loaded set.
        """
        extra = set(overrides) - {"id", "central_exempt", "rules"}
        if extra:
            names = ", ".join(sorted(map(str, extra)))
            raise _refuse(f"不认识的项 {names}。", f"unknown keys {names}.", "overrides")
        mapping = self.as_mapping()
        rows = {row["id"]: row for row in mapping["rules"]}
        for rule_id, changes in (overrides.get("rules") or {}).items():
            if rule_id not in rows:
                raise _refuse(
                    f"没有规则 {rule_id}。",
                    f"there is no rule {rule_id}.",
                    str(rule_id),
                )
            unknown = set(changes) - _OVERRIDE_KEYS
            if unknown:
                names = ", ".join(sorted(map(str, unknown)))
                raise _refuse(
                    f"{rule_id} 不能改 {names}。",
                    f"{rule_id}: {names} cannot be changed.",
                    rule_id,
                )
            params = rows[rule_id]["params"] | dict(changes.get("params") or {})
            rows[rule_id].update(changes, params=params)
        mapping["id"] = overrides.get("id", self.id)
        if "central_exempt" in overrides:
            mapping["central_exempt"] = overrides["central_exempt"]
        return RuleSet.load(mapping)

    def as_mapping(self) -> dict[str, Any]:
        """Plain JSON values; `load` gives back an equal set. This is what a draw stores."""
        exempt = self.central_exempt
        return {
            "id": self.id,
            "title": {"zh": self.title.zh, "en": self.title.en},
            "central_exempt": None
            if exempt is None
            else {
                "decided_by": exempt.decided_by,
                "on": exempt.on.isoformat(),
                "reason": {"zh": exempt.reason.zh, "en": exempt.reason.en},
            },
            "rules": [_row(rule) for rule in self.rules],
        }

    def digest(self) -> str:
        """SHA-256 over the RFC 8785 form of `as_mapping`, lower-case hex."""
        # Keys are ASCII and numbers are small integers, for which these options give RFC 8785.
        canonical = json.dumps(
            self.as_mapping(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _row(rule: Rule) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": rule.id,
        "where": rule.where,
        "title": {"zh": rule.title.zh, "en": rule.title.en},
        "source": {"zh": rule.source.zh, "en": rule.source.en},
        "confirm": rule.confirm,
        "effect": rule.effect,
        "computed": rule.computed,
        "when_missing": rule.when_missing,
        "params": json.loads(json.dumps(rule.params)),
    }
    if rule.alternative_to is not None:
        row["alternative_to"] = rule.alternative_to
    if rule.computed_from is not None:
        row["computed_from"] = {"zh": rule.computed_from.zh, "en": rule.computed_from.en}
    if rule.settled_at is not None:
        row["settled_at"] = {"zh": rule.settled_at.zh, "en": rule.settled_at.en}
    return row


def _rule(row: object) -> Rule:
    rule_id = row.get("id") if isinstance(row, Mapping) else None
    spec = SPECS.get(rule_id) if isinstance(rule_id, str) else None
    if not isinstance(row, Mapping) or spec is None or not isinstance(rule_id, str):
        raise _refuse(f"没有规则 {rule_id}。", f"there is no rule {rule_id}.", str(rule_id))
    unknown = set(row) - _RULE_KEYS
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise _refuse(
            f"{rule_id} 有不认识的项 {names}。",
            f"{rule_id}: unknown keys {names}.",
            rule_id,
        )
    _agrees(rule_id, spec, row)
    effect = _code(rule_id, "effect", row.get("effect"), Effect)
    when_missing = _code(rule_id, "when_missing", row.get("when_missing", "report"), WhenMissing)
    return Rule(
        id=rule_id,
        where=spec.where,
        scope=spec.scope,
        title=_text(row.get("title"), f"{rule_id}.title"),
        source=_text(row.get("source"), f"{rule_id}.source"),
        confirm=_flag(rule_id, "confirm", row.get("confirm", False)),
        effect=cast(Effect, effect),
        computed=_flag(rule_id, "computed", row.get("computed")),
        when_missing=cast(WhenMissing, when_missing),
        settled_at=_text(row["settled_at"], f"{rule_id}.settled_at")
        if row.get("settled_at") is not None
        else None,
        alternative_to=spec.alternative_to,
        computed_from=_text(row["computed_from"], f"{rule_id}.computed_from")
        if row.get("computed_from") is not None
        else None,
        params=spec.read(rule_id, row.get("params") or {}),
    )


def _agrees(rule_id: str, spec: RuleSpec, row: Mapping[str, Any]) -> None:
    """What a file says about a rule's nature must be what the engine does with it."""
    if row.get("where") != spec.where or row.get("alternative_to") != spec.alternative_to:
        raise _refuse(
            f"{rule_id} 的 where 或 alternative_to 与引擎不符。",
            f"{rule_id}: where or alternative_to is not what the engine knows.",
            rule_id,
        )
    if spec.scope != "person" and row.get("computed") is not False:
        raise _refuse(
            f"{rule_id} 约束的不是个人，不能由本引擎计算（computed: false）。",
            f"{rule_id} does not bind a person; this engine cannot compute it (computed: false).",
            rule_id,
        )
    if row.get("computed") is False and row.get("settled_at") is None:
        raise _refuse(
            f"{rule_id} 不计算，须以 settled_at 写明在何处落实。",
            f"{rule_id} is not computed; say in settled_at where it is settled.",
            rule_id,
        )


def _code(rule_id: str, name: str, value: object, codes: object) -> str:
    if not isinstance(value, str) or value not in get_args(codes):
        allowed = ", ".join(get_args(codes))
        raise _refuse(
            f"{rule_id} 的 {name} 须为 {allowed}（off 在 YAML 中须加引号）。",
            f'{rule_id}: {name} must be one of {allowed} (quote "off" in YAML).',
            rule_id,
        )
    return value


def _flag(rule_id: str, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(
            f"{rule_id} 的 {name} 须为 true 或 false。",
            f"{rule_id}: {name} must be true or false.",
            rule_id,
        )
    return value
