"""What is asked of a draw, checked before anything else looks at it.

The composition rules of `scoring_forms/rules.yaml` are applied here: D-03 (odd, five or more), D-04
(technical and economic experts, two thirds or more), D-05, D-12 and C-10 (one employer); Bidding
Law art. 37, S0 art. 34(2). The result is plain JSON, stored in `Draw.request`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.draw import Source, check_values
from app.domain.draw.rules_set import Rule, RuleSet
from app.domain.types import DomainError, Text
from app.programme.models import Round
from app.registry.models import DISCIPLINES, KINDS, SOURCES

STAGES = ("desk", "site")
ATTRIBUTES = ("kind", "discipline", "source", "employer", "region")
VALUES: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "discipline": DISCIPLINES,
    "source": SOURCES,
}
PARTIES = ("office", "supervisor", "observer")
# Why somebody may be all but certain to be drawn; the cosigner is the second person to accept it.
HIGH_CHANCE = ("small_pool", "rare_specialty", "legal_requirement")
DICE = {"name": "dice", "kind": "sequence", "count": 50, "low": 1, "high": 6, "when": ""}
_PANEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PANEL_KEYS = {"id", "seats", "subjects", "quotas", "pair_limits", "mode"}


def _refuse(field: str, zh: str, en: str, **values: Any) -> DomainError:
    text = Text(zh + "没有保存。", en + " Nothing was saved.").format(**values)
    return DomainError(text, field=field)


def checked_request(
    round_: Round,
    rules: RuleSet,
    *,
    stage: str,
    subject_ids: Sequence[str],
    panels: Sequence[Mapping[str, Any]],
    load_cap: int = 0,
    replacement: str | None = None,
    sources: Sequence[Mapping[str, Any]] = (),
    parties: Sequence[str] = (),
    fixed: Mapping[str, Sequence[int]] | None = None,
    accept_high: str | None = None,
) -> dict[str, Any]:
    """The request as JSON, defaults filled in. Raises DomainError naming the field.

    `panels`: `{id, seats, subjects?, quotas?: {attribute: {value: [min, max]}}, pair_limits?:
    {attribute: k}, mode?}`; one panel takes all counties, several name theirs. `fixed` are the
    printed values of a drill's sources.
    """
    if stage not in STAGES:
        raise _refuse("stage", "阶段须为 desk 或 site。", "The stage is desk or site.")
    known = {s.id: s for s in round_.subjects if s.status in ("declared", "qualified")}
    wanted = list(dict.fromkeys(subject_ids))
    if not wanted or any(key not in known for key in wanted):
        raise _refuse(
            "subjects",
            "请选择本届中未被否决、未退出的区县。",
            "Choose counties of this round that are neither vetoed nor withdrawn.",
        )
    shaped = [_panel(panel, wanted if len(panels) == 1 else None, rules) for panel in panels]
    covered = [subject for panel in shaped for subject in panel["subjects"]]
    if sorted(covered) != sorted(wanted):
        raise _refuse(
            "subjects",
            "每个区县须恰好由一个评审组承担。",
            "Each county belongs to exactly one panel.",
        )
    if len({panel["id"] for panel in shaped}) != len(shaped):
        raise _refuse("panels", "评审组编号重复。", "A panel id occurs twice.")
    if isinstance(load_cap, bool) or not 0 <= load_cap <= 1000:
        raise _refuse("load_cap", "场次上限无效。", "The load cap is not valid.")
    policy = replacement or str(rules["D-12"].params["policy"])
    if policy not in ("act", "reserves"):
        raise _refuse("replacement", "补抽方式无效。", "The replacement policy is not valid.")
    if accept_high is not None and accept_high not in HIGH_CHANCE:
        raise _refuse("accept_high", "理由代码无效。", "The reason code is not valid.")
    places = [_source(source) for source in (sources or (DICE,))]
    drill = round_.kind != "real"
    return {
        "subjects": wanted,
        "panels": [{**p, "dates": [round_.review_on.isoformat()]} for p in shaped],
        "load_cap": load_cap,
        "replacement": policy,
        "sources": places,
        "fixed": _fixed(fixed or {}, places, drill),
        "parties": _parties(parties, drill),
        "accept_high": accept_high,
    }


def _panel(
    panel: Mapping[str, Any], everything: list[str] | None, rules: RuleSet
) -> dict[str, Any]:
    panel_id, seats = panel.get("id"), panel.get("seats")
    if set(panel) - _PANEL_KEYS or not isinstance(panel_id, str) or not _PANEL.fullmatch(panel_id):
        raise _refuse(
            "panels",
            "评审组编号只能用字母、数字、点、下划线和连字符；项目只限 {keys}。",
            "A panel id is made of letters, digits, dots, underscores and hyphens; keys are {keys}.",
            keys=", ".join(sorted(_PANEL_KEYS)),
        )
    if isinstance(seats, bool) or not isinstance(seats, int) or not 1 <= seats <= 99:
        raise _refuse("seats", "席位数无效。", "The number of seats is not valid.")
    _size(seats, rules)
    mode = panel.get("mode", "tickets")
    if mode not in ("tickets", "lottery"):
        raise _refuse("mode", "抽取方式无效。", "The mode is not valid.")
    limits = dict(panel.get("pair_limits") or {})
    if set(limits) - {"employer", "region"} or not all(
        isinstance(k, int) and not isinstance(k, bool) and k >= 1 for k in limits.values()
    ):
        raise _refuse(
            "pair_limits",
            "同值人数限制只用于单位和地区，且至少为 1。",
            "Pair limits are for employer and region, and at least 1.",
        )
    c10 = rules["C-10"]
    most = int(c10.params["max_per_employer"])
    if c10.effect == "block":
        if limits.get("employer", most) > most:
            raise _refuse(
                "pair_limits",
                "规则 C-10：同一单位最多 {k} 人。",
                "Rule C-10: {k} of one employer at most.",
                k=most,
            )
        limits.setdefault("employer", most)
    quotas = _quotas(panel.get("quotas") or {}, seats)
    d04 = rules["D-04"]
    if d04.effect == "block":
        quotas["kind"] = _two_thirds(quotas.get("kind", {}), seats, d04)
    subjects = list(dict.fromkeys(panel.get("subjects") or everything or ()))
    return {
        "id": panel_id,
        "seats": seats,
        "subjects": subjects,
        "quotas": quotas,
        "pair_limits": limits,
        "mode": mode,
    }


def _size(seats: int, rules: RuleSet) -> None:
    for rule in (rules["D-03"], rules["D-05"]):
        if rule.effect != "block":
            continue
        least = int(rule.params["size"])
        if seats < least or (rule.params.get("odd", True) and seats % 2 == 0):
            raise _refuse(
                "seats",
                "规则 {rule}：评审组须为 {least} 人以上单数，现为 {seats} 人。",
                "Rule {rule}: a panel is an odd number of {least} or more, not {seats}.",
                rule=rule.id,
                least=least,
                seats=seats,
            )


def _quotas(quotas: Mapping[str, Any], seats: int) -> dict[str, dict[str, list[int]]]:
    """Bounds per attribute and value; values of a closed list that are not named are free."""
    out: dict[str, dict[str, list[int]]] = {}
    for attribute, rows in quotas.items():
        if attribute not in ATTRIBUTES or not isinstance(rows, Mapping):
            raise _refuse("quotas", "没有属性“{a}”。", "There is no attribute '{a}'.", a=attribute)
        bounds = {value: [0, seats] for value in VALUES.get(attribute, ())}
        for value, pair in rows.items():
            if attribute in VALUES and value not in VALUES[attribute]:
                raise _refuse(
                    "quotas",
                    "属性“{a}”没有值“{v}”。",
                    "The attribute '{a}' has no value '{v}'.",
                    a=attribute,
                    v=value,
                )
            bounds[str(value)] = _bounds(attribute, value, pair, seats)
        if sum(low for low, _ in bounds.values()) > seats:
            raise _refuse(
                "quotas",
                "“{a}”的下限合计超过席位数 {n}。",
                "The minima of '{a}' add up to more than {n} seats.",
                a=attribute,
                n=seats,
            )
        out[attribute] = bounds
    return out


def _bounds(attribute: str, value: str, pair: Any, seats: int) -> list[int]:
    try:
        low, high = (int(n) for n in pair)
    except (TypeError, ValueError):
        low, high = 1, 0
    if not 0 <= low <= high:
        raise _refuse(
            "quotas",
            "“{a} = {v}”的下限、上限无效。",
            "The bounds of {a} = {v} are not valid.",
            a=attribute,
            v=value,
        )
    return [low, min(high, seats)]


def _two_thirds(rows: Mapping[str, list[int]], seats: int, rule: Rule) -> dict[str, list[int]]:
    """D-04 as a ceiling on the other kind, which leaves the balance inside the two thirds free; when
    one kind alone must make up the two thirds, as its minimum."""
    top, bottom = int(rule.params["numerator"]), int(rule.params["denominator"])
    others = seats - -(-seats * top // bottom)
    out = {kind: list(rows.get(kind, [0, seats])) for kind in KINDS}
    rest = [kind for kind in KINDS if kind not in rule.params["kinds"]]
    if len(rest) == len(KINDS) - 1:
        (only,) = set(KINDS) - set(rest)
        out[only][0] = max(out[only][0], seats - others)
        out[only][1] = max(out[only])
    if sum(out[kind][0] for kind in rest) > others:
        raise _refuse(
            "quotas",
            "规则 D-04：技术、经济类专家不少于三分之二，其他类别最多 {n} 人。",
            "Rule D-04: two thirds or more are technical or economic, so others are {n} at most.",
            n=others,
        )
    for kind in rest:
        out[kind][1] = min(out[kind][1], others)
    return out


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    row = {**DICE, **source}
    numbers = [row["count"], row["low"], row["high"]]
    if (
        set(row) != set(DICE)
        or not _PANEL.fullmatch(str(row["name"]))
        or row["kind"] not in ("sequence", "set")
        or any(isinstance(n, bool) or not isinstance(n, int) for n in numbers)
        or not (1 <= row["count"] <= 1000 and 0 <= row["low"] < row["high"])
    ):
        raise _refuse("sources", "随机来源无效。", "A source of randomness is not valid.")
    return row


def source_of(row: Mapping[str, Any]) -> Source:
    """A stored source as the engine's."""
    return Source(row["name"], row["kind"], row["count"], row["low"], row["high"], row["when"])


def _fixed(
    fixed: Mapping[str, Sequence[int]], sources: Sequence[Mapping[str, Any]], drill: bool
) -> dict[str, list[int]]:
    if fixed and not drill:
        raise _refuse(
            "fixed",
            "正式抽取不得预先给定随机数值。",
            "A real draw has no values fixed beforehand.",
        )
    by_name = {row["name"]: row for row in sources}
    if set(fixed) - set(by_name):
        raise _refuse("fixed", "预定数值的来源不存在。", "Fixed values name an unknown source.")
    return {
        name: check_values(list(values), source_of(by_name[name])) for name, values in fixed.items()
    }


def _parties(parties: Sequence[str], drill: bool) -> list[str]:
    named = list(dict.fromkeys(parties)) or ([] if drill else ["office", "supervisor"])
    if set(named) - set(PARTIES):
        raise _refuse("parties", "没有这一方。", "There is no such party.")
    if not drill and not {"office", "supervisor"} <= set(named):
        raise _refuse(
            "parties",
            "正式抽取至少由创建办公室和监督人员两方出示口令。",
            "A real draw has codes of two parties at least: office and supervisor.",
        )
    return named
