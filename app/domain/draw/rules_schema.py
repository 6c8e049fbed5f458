"""The closed catalogue of pool, conflict and draw rules: what each binds and which parameters it has.

A rule of scope `person` is judged by this engine from an expert's facts; `panel` rules bind the
composition of a panel and `act` rules the conduct of the draw, and neither can be judged from one
expert, so the engine lists them as not computed and the rule's `settled_at` says where they are
settled. Every parameter must be given: a default hidden in code would not be in the digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.domain.draw.rules_facts import EngagementKind, Relation, TieKind
from app.domain.types import DomainError, Text

Where = Literal["pool", "coi", "draw", "score", "after"]
Scope = Literal["person", "panel", "act"]
Params = Mapping[str, Any]
"""Parameter name -> int, bool, str, list of str, or (P-03) list of recorded decisions."""

Shape = tuple[Callable[[Any], bool], Text]


def _whole(low: int, high: int = 100_000) -> Shape:
    return (
        lambda value: type(value) is int and low <= value <= high,
        Text(f"{low} 至 {high} 的整数", f"a whole number from {low} to {high}"),
    )


def _one_of(*codes: str) -> Shape:
    names = ", ".join(codes)
    return (
        lambda value: isinstance(value, str) and value in codes,
        Text(f"{names} 之一", f"one of {names}"),
    )


def _some_of(*codes: str) -> Shape:
    names = ", ".join(codes)
    return (
        lambda value: (
            isinstance(value, list)
            and all(isinstance(item, str) and item in codes for item in value)
            and len(set(value)) == len(value)
        ),
        Text(f"取自 {names} 的列表", f"a list drawn from {names}"),
    )


def _is_words(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, str) and item.strip() for item in value)
        and len(set(value)) == len(value)
    )


_DECISION = {"discipline", "limit", "decided_by", "date", "reason"}


def _is_decisions(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, Mapping)
        and set(item) == _DECISION
        and type(item["limit"]) is int
        and all(isinstance(item[key], str) and item[key] for key in _DECISION - {"limit"})
        for item in value
    )


FLAG: Shape = (
    lambda value: isinstance(value, bool),
    Text("true 或 false", "true or false"),
)
WORDS: Shape = (_is_words, Text("不重复的代码列表", "a list of codes without repeats"))
DECISIONS: Shape = (
    _is_decisions,
    Text(
        "决定列表：discipline、limit、decided_by、date（加引号）、reason",
        "a list of decisions: discipline, limit, decided_by, date (quoted), reason",
    ),
)
YEARS = _whole(0, 100)
COUNT = _whole(0)
MONTHS = _whole(0, 1200)
RANK = _whole(0, 4)
LEVEL = _one_of("county", "prefecture", "province")
LEVELS = ("county", "prefecture", "province")


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """`ascending` names two parameters of which the first must be the smaller."""

    where: Where
    scope: Scope
    params: Mapping[str, Shape]
    alternative_to: str | None = None
    ascending: tuple[str, str] | None = None

    def read(self, rule_id: str, given: Any) -> Params:
        """The parameters, checked; DomainError names the first that is wrong."""
        if not isinstance(given, Mapping) or set(given) != set(self.params):
            names = set(given) if isinstance(given, Mapping) else set()
            wrong = ", ".join(sorted(map(str, names ^ set(self.params)))) or str(given)
            raise self._error(rule_id, Text(f"参数不符：{wrong}", f"wrong parameters: {wrong}"))
        for name, (fits, wanted) in self.params.items():
            if not fits(given[name]):
                raise self._error(
                    rule_id,
                    Text(
                        f"参数 {name} 须为{wanted.zh}，现为 {given[name]!r}",
                        f"parameter {name} must be {wanted.en}, not {given[name]!r}",
                    ),
                )
        if self.ascending is not None and not given[self.ascending[0]] < given[self.ascending[1]]:
            first, second = self.ascending
            raise self._error(
                rule_id,
                Text(f"{first} 须小于 {second}", f"{first} must be below {second}"),
            )
        return {name: deepcopy(given[name]) for name in sorted(self.params)}

    @staticmethod
    def _error(rule_id: str, text: Text) -> DomainError:
        return DomainError(
            Text(
                f"规则集未采用：{rule_id} {text.zh}。",
                f"The rule set was not used: {rule_id}: {text.en}.",
            ),
            field=rule_id,
        )


def _person(where: Where, **params: Shape) -> RuleSpec:
    return RuleSpec(where, "person", params)


def _panel(where: Where, **params: Shape) -> RuleSpec:
    return RuleSpec(where, "panel", params)


def _act(where: Where, **params: Shape) -> RuleSpec:
    return RuleSpec(where, "act", params)


RELATIONS = _some_of(*get_args(Relation))
TIES = _some_of(*get_args(TieKind))

SPECS: Mapping[str, RuleSpec] = {
    "P-01": _person("pool", years=YEARS, min_title=RANK),
    "P-02": RuleSpec(
        "pool",
        "person",
        {"years": YEARS, "mid_title": RANK, "senior_title": RANK},
        alternative_to="P-01",
    ),
    "P-03": _person("pool", limit=YEARS, relaxed=DECISIONS),
    "P-04": _person("pool", nomination=FLAG, consent=FLAG),
    "P-05": _person("pool", min_reviewers=COUNT, statuses=WORDS),
    "P-06": _act("pool", min_active=COUNT),
    "P-07": _person("pool", years=YEARS, permanent_kinds=WORDS),
    "P-08": RuleSpec(
        "pool",
        "person",
        {"warn_months": MONTHS, "block_months": MONTHS},
        ascending=("warn_months", "block_months"),
    ),
    "P-09": _person("pool", roles=WORDS),
    "P-10": _act("pool"),
    "C-01": _person("coi", years=YEARS),
    "C-02": _person("coi", years=YEARS, relations=RELATIONS),
    "C-03": _person("coi", years=YEARS, contractor_relations=RELATIONS),
    "C-04": _person("coi", relations=_some_of("spouse", "direct", "collateral", "in_law")),
    "C-05": _person("coi"),
    "C-06": _person("coi", years=YEARS, roles=WORDS),
    "C-07": _person("coi", years=YEARS, kinds=_some_of(*get_args(EngagementKind))),
    "C-08": _person("coi", years=YEARS),
    "C-09": _person("coi", years=YEARS, level=LEVEL),
    "C-10": _panel("coi", max_per_employer=_whole(1)),
    "C-11": _person("coi", years=YEARS, level=LEVEL),
    "C-12": _person("coi"),
    "C-13": _act("coi"),
    "C-14": _person("coi", years=YEARS),
    "C-15": _person("coi", years=YEARS),
    "C-16": _person("coi", years=YEARS, kinds=TIES, apart=TIES),
    "D-01": _act("draw"),
    "D-02": _act("draw"),
    "D-03": _panel("draw", size=_whole(1), odd=FLAG),
    "D-04": _panel(
        "draw",
        numerator=_whole(0),
        denominator=_whole(1),
        kinds=_some_of("technical", "economic", "management"),
    ),
    "D-05": _panel("draw", size=_whole(1)),
    "D-06": _act("draw", working_days=COUNT),
    "D-07": RuleSpec(
        "draw",
        "act",
        {"block_ratio": _whole(1), "warn_ratio": _whole(1)},
        ascending=("block_ratio", "warn_ratio"),
    ),
    "D-08": _act("draw"),
    "D-09": _act("draw"),
    "D-10": _act("draw", causes=WORDS),
    "D-11": _panel("draw"),
    "D-12": _act("draw", policy=_one_of("act", "reserves")),
    "D-13": _act("draw"),
    "D-14": _act("draw"),
    "D-15": _person("draw", months=MONTHS, max_panels=COUNT, consecutive=FLAG),
    "D-16": _person("draw"),
    "D-17": _act("draw"),
    "D-18": _act("draw"),
    "D-19": _act("draw", years=COUNT),
    "D-20": _act("draw", numerator=_whole(0), denominator=_whole(1)),
    "S-01": _act("score"),
    "S-02": _act("score"),
    "S-03": _act("score", reasons=WORDS),
    "S-04": _act("score"),
    "S-05": _act("score"),
    "A-01": _act("after", working_days=COUNT),
    "A-02": _act("after", years=YEARS, reviews=COUNT, senior_mark=COUNT, removal_mark=COUNT),
    "A-03": _act("after"),
    "A-04": _act("after"),
}
"""Rule id -> what it is, in the order in which findings are listed."""

LATER = frozenset(rule_id for rule_id in SPECS if rule_id[0] in "SA")
"""Rules on scoring and its aftermath, which sets stored before they were listed do not hold. None of
them decides on a person, so that leaving one out lets nobody pass unseen."""
