"""Which rules a round may not switch off or weaken, because a law or the measures say so.

Measures of 2015 art. 34, 38 and 40(4); Bidding Law art. 37 and 44; its implementing Regulation
art. 46, 48, 49 and 53; Regulation for implementing the Government Procurement Law art. 9;
Government Procurement Law art. 42. Rules that rest on practice, on a recalled source or on a
default of ours stay free: a scheme decides, with a recorded reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.draw.rules_set import Rule
from app.domain.types import DomainError, Text

Kept = tuple[Callable[[Any], bool], Text]


def _at_least(low: int) -> Kept:
    return (lambda value: int(value) >= low, Text(f"不得少于 {low}", f"at least {low}"))


def _holds(*codes: str) -> Kept:
    names = ", ".join(codes)
    return (
        lambda value: set(codes) <= set(value),
        Text(f"须包含 {names}", f"must hold {names}"),
    )


def _within(*codes: str) -> Kept:
    names = ", ".join(codes)
    return (
        lambda value: bool(value) and set(value) <= set(codes),
        Text(f"只能取自 {names}", f"only of {names}"),
    )


def _is(wanted: Any) -> Kept:
    return (lambda value: value == wanted, Text(f"固定为 {wanted}", f"fixed at {wanted}"))


BINDING: Mapping[str, Mapping[str, Kept]] = {
    "P-05": {"statuses": _within("active")},
    "P-07": {"permanent_kinds": _holds("major_deviation", "fraud", "leak", "removal")},
    "P-09": {"roles": _holds("keeper", "operator", "office")},
    "P-10": {},
    "C-01": {"years": _at_least(3)},
    "C-02": {"years": _at_least(3), "relations": _holds("director", "supervisor")},
    "C-03": {"years": _at_least(3), "contractor_relations": _holds("shareholder")},
    "C-04": {"relations": _holds("spouse", "direct", "collateral", "in_law")},
    "C-05": {},
    "C-06": {"roles": _holds("supervisor")},
    "C-12": {},
    "D-01": {},
    "D-02": {},
    "D-03": {"size": _at_least(5), "odd": _is(True)},
    "D-04": {
        "numerator": _is(2),
        "denominator": _is(3),
        "kinds": _within("technical", "economic"),
    },
    "D-09": {},
    "D-10": {"causes": _within("recusal", "absence", "health", "left_post")},
    "D-14": {},
    "D-17": {},
    "D-19": {"years": _at_least(15)},
    "S-01": {},
    "S-02": {},
    "S-05": {},
    "A-03": {},
}
"""Rule id -> what a parameter must keep; the effect of each of these stays `block`."""

_EFFECT = Text(
    "{id} 出自法律、法规或评选考核办法（{source}），效力须为“排除”，不能改为提示或停用。没有任何改动。",
    "{id} rests on a law, a regulation or the measures ({source}): it keeps blocking and cannot be "
    "weakened or switched off. Nothing was changed.",
)
_PARAM = Text(
    "{id} 的参数 {name} {wanted}（{source}）。没有任何改动。",
    "{id}: the parameter {name} is {wanted} ({source}). Nothing was changed.",
)


def binding(rule_id: str) -> bool:
    """Whether a law keeps this rule in force."""
    return rule_id in BINDING


def refuse_weaker(rule: Rule) -> None:
    """DomainError when `rule`, as it is to become, gives away what its source demands."""
    floors = BINDING.get(rule.id)
    if floors is None:
        return
    if rule.effect != "block":
        raise DomainError(_EFFECT.format(id=rule.id, source=rule.source), field="effect")
    for name, (keeps, wanted) in floors.items():
        if not keeps(rule.params[name]):
            raise DomainError(
                _PARAM.format(id=rule.id, name=name, wanted=wanted, source=rule.source),
                field=f"param_{name}",
            )
