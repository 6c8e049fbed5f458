"""What is asked of a draw, checked before anything else looks at it.

The composition rules of `scoring_forms/rules.yaml` are applied here: D-03 (odd, five or more), D-04
(technical and economic experts, two thirds or more), D-05, D-12 and C-10 (one employer); Bidding
Law art. 37, S0 art. 34(2). The result is plain JSON, stored in `Draw.request`. Every refusal names
the field of the form that it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.draw import check_values
from app.domain.draw.request import HIGH_CHANCE as HIGH_CHANCE
from app.domain.draw.request import ZERO_CHANCE as ZERO_CHANCE
from app.domain.draw.rules_set import Rule, RuleSet
from app.domain.types import DomainError, Text
from app.draw import messages
from app.draw.batches import covered, lotteries_alone, refuse
from app.draw.sources import checked_fallbacks, checked_sources, in_words
from app.draw.sources import source_of as source_of
from app.draw.wording import value_words
from app.programme.instruments import panel_stages
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
# Why a panel is drawn in its mode; the first is the one taken when none is named.
MODE_REASONS: Mapping[str, tuple[str, ...]] = {
    "lottery": ("fairest", "small_strata"),
    "tickets": ("practice", "batch", "pairs", "slow"),
}
_PANEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PANEL_KEYS = {"id", "seats", "subjects", "quotas", "pair_limits", "mode", "mode_reason", "dates"}


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
    accept_zero: str | None = None,
    known: Mapping[str, Collection[str]] | None = None,
    fallbacks: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The request as JSON, defaults filled in. Raises DomainError naming the field.

    `panels`: `{id, seats, subjects?, quotas?: {attribute: {value: [min, max]}}, pair_limits?:
    {attribute: k}, mode?, mode_reason?, dates?: [YYYY-MM-DD]}`; one panel takes all counties,
    several name theirs. `fixed` are the printed values of a drill's sources. `known` are the values
    that open attributes (employer, region) may take; without it they are not checked.
    """
    known_stages = panel_stages(round_) or STAGES
    if stage not in known_stages:
        listed = ", ".join(known_stages)
        raise refuse("stage", f"阶段须为 {listed} 之一。", f"The stage is one of {listed}.")
    open_ = {s.id for s in round_.subjects if s.status in ("declared", "qualified")}
    wanted = list(dict.fromkeys(subject_ids))
    if not wanted or any(key not in open_ for key in wanted):
        raise refuse(
            "subjects",
            "请选择本届中未被否决、未退出的区县。",
            "Choose counties of this round that are neither vetoed nor withdrawn.",
        )
    if not panels:
        raise refuse("panels", "至少要有一个评审组。", "At least one panel is needed.")
    ids = [str(panel.get("id")) for panel in panels]
    twice = next((key for key in ids if ids.count(key) > 1), None)
    if twice is not None:
        raise refuse(
            "panels", "评审组编号“{p}”出现两次。", "The panel id '{p}' occurs twice.", p=twice
        )
    shaped = [
        _named_panel(panel, wanted if len(panels) == 1 else None, rules, known or {}, len(panels))
        for panel in panels
    ]
    covered(known_subjects=known_names(round_), shaped=shaped, wanted=wanted)
    for panel in shaped:
        panel["dates"] = panel["own_dates"] or [round_.review_on.isoformat()]
    if isinstance(load_cap, bool) or not 0 <= load_cap <= 1000:
        raise refuse("load_cap", "场次上限无效。", "The load cap is not valid.")
    policy = replacement or str(rules["D-12"].params["policy"])
    if policy not in ("act", "reserves"):
        raise refuse("replacement", "补抽方式无效。", "The replacement policy is not valid.")
    if accept_high is not None and accept_high not in HIGH_CHANCE:
        raise refuse("accept_high", "理由代码无效。", "The reason code is not valid.")
    if accept_zero is not None and accept_zero not in ZERO_CHANCE:
        raise refuse("accept_zero", "理由代码无效。", "The reason code is not valid.")
    lotteries_alone(shaped, load_cap)
    places = checked_sources(sources)
    drill = round_.kind != "real"
    return {
        "subjects": wanted,
        "panels": shaped,
        "load_cap": load_cap,
        "replacement": policy,
        "sources": places,
        "fixed": checked_fixed(fixed or {}, places, drill),
        "parties": checked_parties(parties, drill),
        "accept_high": accept_high,
        "accept_zero": accept_zero,
        **({"fallbacks": checked_fallbacks(fallbacks, places)} if fallbacks else {}),
    }


def asked_again(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `checked_request`, but for round, rules and stage, that gave `stored`."""
    return {
        "subject_ids": stored["subjects"],
        "panels": [
            {k: v for k, v in p.items() if k in _PANEL_KEYS} | {"dates": p.get("own_dates", ())}
            for p in stored["panels"]
        ],
        "load_cap": stored["load_cap"],
        "replacement": stored["replacement"],
        "sources": stored["sources"],
        "parties": stored["parties"],
        "fixed": stored["fixed"],
        "accept_high": stored["accept_high"],
        "accept_zero": stored.get("accept_zero"),
        "fallbacks": stored.get("fallbacks", ()),
    }


def known_names(round_: Round) -> dict[str, Text]:
    return {subject.id: subject.name for subject in round_.subjects}


def _named_panel(
    panel: Mapping[str, Any],
    everything: list[str] | None,
    rules: RuleSet,
    known: Mapping[str, Collection[str]],
    panels: int,
) -> dict[str, Any]:
    """One panel checked; in a batch the refusal says which panel it is about."""
    try:
        return _panel(panel, everything, rules, known, panels)
    except DomainError as error:
        if panels == 1:
            raise
        text = Text("评审组“{p}”：{t}", "Panel '{p}': {t}").format(p=panel.get("id"), t=error.text)
        raise DomainError(text, field=error.field) from error


def _panel(
    panel: Mapping[str, Any],
    everything: list[str] | None,
    rules: RuleSet,
    known: Mapping[str, Collection[str]],
    panels: int,
) -> dict[str, Any]:
    panel_id, seats = panel.get("id"), panel.get("seats")
    if set(panel) - _PANEL_KEYS:
        raise refuse(
            "panels",
            "评审组的项目只限 {keys}。",
            "A panel has the keys {keys} and no other.",
            keys=", ".join(sorted(_PANEL_KEYS)),
        )
    if not isinstance(panel_id, str) or not _PANEL.fullmatch(panel_id):
        raise refuse(
            "panels",
            "评审组编号只能用字母、数字、点、下划线和连字符，如 P1。",
            "A panel id is made of letters, digits, dots, underscores and hyphens, such as P1.",
        )
    if isinstance(seats, bool) or not isinstance(seats, int) or not 1 <= seats <= 99:
        raise refuse("seats", "席位须为 1 至 99。", "The number of seats is between 1 and 99.")
    _size(seats, rules)
    mode = panel.get("mode", "tickets")
    if mode not in ("tickets", "lottery"):
        raise refuse("mode", "抽取方式无效。", "The mode is not valid.")
    reason = panel.get("mode_reason") or (
        "batch" if panels > 1 and mode == "tickets" else MODE_REASONS[mode][0]
    )
    if reason not in MODE_REASONS[mode]:
        raise refuse(
            "mode_reason",
            "所选理由不适用于这种抽取方式。",
            "The reason does not fit the mode of the draw.",
        )
    limits = dict(panel.get("pair_limits") or {})
    if set(limits) - {"employer", "region"} or not all(
        isinstance(k, int) and not isinstance(k, bool) and k >= 1 for k in limits.values()
    ):
        raise refuse(
            "pair_limits",
            "同值人数限制只用于单位和地区，且至少为 1。",
            "Pair limits are for employer and region, and at least 1.",
        )
    c10 = rules["C-10"]
    most = int(c10.params["max_per_employer"])
    if c10.effect == "block":
        if limits.get("employer", most) > most:
            raise refuse(
                "pair_limits",
                "规则 C-10：同一单位最多 {k} 人。",
                "Rule C-10: {k} of one employer at most.",
                k=most,
            )
        limits.setdefault("employer", most)
    quotas = _quotas(panel.get("quotas") or {}, seats, known)
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
        "mode_reason": reason,
        "own_dates": _dates(panel.get("dates") or ()),
    }


def _dates(given: Sequence[Any]) -> list[str]:
    try:
        return sorted({date.fromisoformat(str(day)).isoformat() for day in given})
    except ValueError as error:
        raise refuse(
            "panels", "评审日期须写成 2012-11-20。", "A date is written 2012-11-20."
        ) from error


def _size(seats: int, rules: RuleSet) -> None:
    for rule in (rules["D-03"], rules["D-05"]):
        if rule.effect != "block":
            continue
        least = int(rule.params["size"])
        if seats < least or (rule.params.get("odd", True) and seats % 2 == 0):
            raise refuse(
                "seats",
                "规则 {rule}：评审组须为 {least} 人以上单数，现为 {seats} 人。",
                "Rule {rule}: a panel is an odd number of {least} or more, not {seats}.",
                rule=rule.id,
                least=least,
                seats=seats,
            )


def _quotas(
    quotas: Mapping[str, Any], seats: int, known: Mapping[str, Collection[str]]
) -> dict[str, dict[str, list[int]]]:
    """Bounds per attribute and value; values of a closed list that are not named are free."""
    out: dict[str, dict[str, list[int]]] = {}
    for attribute, rows in quotas.items():
        if attribute not in ATTRIBUTES or not isinstance(rows, Mapping):
            raise refuse("quotas", "没有属性“{a}”。", "There is no attribute '{a}'.", a=attribute)
        bounds = {value: [0, seats] for value in VALUES.get(attribute, ())}
        for value, pair in rows.items():
            listed = VALUES.get(attribute) or known.get(attribute)
            if listed is not None and value not in listed:
                raise refuse(
                    "quotas",
                    "属性“{a}”没有值“{v}”。",
                    "{a} has no value “{v}”.",
                    a=messages.ATTRIBUTE[attribute],
                    v=value,
                )
            bounds[str(value)] = _bounds(attribute, value, pair, seats)
        if attribute in VALUES and sum(high for _, high in bounds.values()) < seats:
            raise refuse(
                "quotas",
                "“{a}”的上限合计不足席位数 {n}，评审组坐不满。",
                "{a}: the maxima add up to less than the seats ({n}), so the panel cannot be filled.",
                a=messages.ATTRIBUTE[attribute],
                n=seats,
            )
        if sum(low for low, _ in bounds.values()) > seats:
            raise refuse(
                "quotas",
                "“{a}”的下限合计超过席位数 {n}。",
                "{a}: the minima add up to more than the seats ({n}).",
                a=messages.ATTRIBUTE[attribute],
                n=seats,
            )
        out[attribute] = bounds
    return out


def _named(attribute: str, value: str) -> Text:
    """A row of the quotas in words; an employer, whose name is not at hand, as such."""
    name = messages.ATTRIBUTE[attribute]
    if attribute == "employer":
        return name
    return Text("{a}：{v}", "{a}, {v}").format(a=name, v=value_words(attribute, value))


def _bounds(attribute: str, value: str, pair: Any, seats: int) -> list[int]:
    try:
        low, high = (int(n) for n in pair)
    except (TypeError, ValueError):
        low, high = 1, 0
    if not 0 <= low <= high or low > seats:
        raise refuse(
            f"min_{attribute}_{value}" if attribute in VALUES else "quotas",
            "“{w}”的下限须不大于上限和席位数 {n}。",
            "{w}: the minimum is at most the maximum and the number of seats, {n}.",
            w=_named(attribute, value),
            n=seats,
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
        raise refuse(
            "quotas",
            "规则 D-04：技术、经济类专家不少于三分之二，其他类别最多 {n} 人。",
            "Rule D-04: two thirds or more are technical or economic, so others are {n} at most.",
            n=others,
        )
    for kind in rest:
        out[kind][1] = min(out[kind][1], others)
    return out


def checked_fixed(
    fixed: Mapping[str, Sequence[int]], sources: Sequence[Mapping[str, Any]], drill: bool
) -> dict[str, list[int]]:
    """The printed values of a drill's sources; DomainError for a real draw."""
    if fixed and not drill:
        raise refuse(
            "fixed",
            "正式抽取不得预先给定随机数值。",
            "A real draw has no values fixed beforehand.",
        )
    by_name = {row["name"]: row for row in sources}
    if set(fixed) - set(by_name):
        raise refuse("fixed", "预定数值的来源不存在。", "Fixed values name an unknown source.")
    checked = {}
    for name, values in fixed.items():
        with in_words(name):
            checked[name] = check_values(list(values), source_of(by_name[name]))
    return checked


def checked_parties(parties: Sequence[str], drill: bool) -> list[str]:
    """Who reveals codes: office and supervisor at least in a real draw. DomainError otherwise."""
    named = list(dict.fromkeys(parties)) or ([] if drill else ["office", "supervisor"])
    if set(named) - set(PARTIES):
        raise refuse("parties", "没有这一方。", "There is no such party.")
    if not drill and not {"office", "supervisor"} <= set(named):
        raise refuse(
            "parties",
            "正式抽取至少由创建办公室和监督人员两方出示口令。",
            "A real draw has codes of two parties at least: office and supervisor.",
        )
    return named
