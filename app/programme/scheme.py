"""The scheme, the draw rules and the score rule that a round copies in when it is made.

The copy is complete: what the library says later changes nothing of a round that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.domain.draw.rules_set import RuleSet
from app.domain.scoring.library import library_path, read_files, read_text
from app.domain.scoring.lint_schemes import experts_methods
from app.domain.scoring.schema import Form
from app.domain.scoring.scheme_parts import RegionClass
from app.domain.scoring.scheme_schema import Scheme, parse_scheme
from app.domain.scoring.yaml_source import LOADER
from app.domain.statistics.estimators import ESTIMATORS
from app.domain.statistics.rounding import plain
from app.domain.statistics.rule import ScoreRule
from app.domain.types import DomainError, Text
from app.programme.models import Round
from app.programme.versions import parsed_form

_NO_SCHEME = Text(
    "评分表库中没有方案“{id}”。没有创建任何内容；可用：{known}。",
    "The library has no scheme “{id}”. Nothing was made; there are: {known}.",
)
_NOT_YAML = Text(
    "规则文件 {f} 不是有效的 YAML。没有创建任何内容；请改正后重试。",
    "The rule file {f} is not valid YAML. Nothing was made; correct it and try again.",
)


_METHODS = Text(
    "方案“{id}”各部分的计分方法不同（{m}），而一届只有一种计分方法。没有创建任何内容；请改为同一种。",
    "The components of the scheme “{id}” have different methods ({m}), but a round has one. Nothing "
    "was made; write one method for all.",
)
_FLOOR = Text(
    "评分表“{f}”给“{s}”设了最低得分率，而汇总、名次和名额都不按它处理。没有创建任何内容；请从表中删去，"
    "须作门槛的改为判定项。",
    "The form “{f}” sets a floor for “{s}”, but no total, rank or place goes by it. Nothing was made; "
    "remove it from the form, and make a gate an item of a check.",
)

# Rungs of a scheme file in the words of the statistics.
_RUNGS = {
    "unrounded_total": "unrounded",
    "heaviest_item": "top_item",
    "smaller_spread": "spread",
    "shared_rank": "shared",
    "joint_decision": "shared",
    "logged_draw": "draw",
}


@lru_cache(maxsize=64)
def parsed_scheme(source: str) -> Scheme:
    """The scheme in a YAML text. Raises SchemaError."""
    return parse_scheme(source)


def library_schemes(path: Path | None = None) -> dict[str, tuple[Scheme, str]]:
    """Scheme id -> the scheme and its YAML text, from the library or the directory `path`."""
    texts = [text for name, text in read_files(path).items() if name.startswith("schemes/")]
    found = {parsed_scheme(text).id: (parsed_scheme(text), text) for text in texts}
    return dict(sorted(found.items()))


def copied_scheme(scheme_id: str, path: Path | None = None) -> dict[str, Any]:
    """What `Round.scheme` holds: `{id, edition, title, source}`, the source being the YAML text."""
    known = library_schemes(path)
    if scheme_id not in known:
        listed = ", ".join(known)
        raise DomainError(_NO_SCHEME.format(id=scheme_id, known=listed), field="scheme_id")
    scheme, source = known[scheme_id]
    return {
        "id": scheme.id,
        "edition": scheme.edition,
        "title": {"zh": scheme.title.zh, "en": scheme.title.en},
        "source": source,
    }


def scheme_of(round_: Round) -> Scheme:
    """The round's scheme, from its own copy."""
    return parsed_scheme(str(round_.scheme["source"]))


def rules_of(round_: Round) -> RuleSet:
    """The round's pool, conflict and draw rules."""
    return RuleSet.load(round_.rules)


def score_rule_of(round_: Round) -> ScoreRule:
    """The round's rule from marks to result."""
    return ScoreRule.parse(round_.score_rule)


def library_forms(path: Path | None = None) -> dict[str, Form]:
    """Form id -> form, from the library or the directory `path`."""
    texts = [text for name, text in read_files(path).items() if name.startswith("forms/")]
    return {form.id: form for form in map(parsed_form, texts)}


@lru_cache(maxsize=8)
def _rules_in(source: str) -> RuleSet:
    return RuleSet.load(yaml.load(source, Loader=LOADER))


def standard_rules(overrides: Mapping[str, Any] | None = None, path: Path | None = None) -> RuleSet:
    """The library's `rules.yaml` with a round's overrides. Raises DomainError."""
    file = (path or library_path()) / "rules.yaml"
    try:
        rules = _rules_in(read_text(file))
    except yaml.YAMLError as error:
        raise DomainError(_NOT_YAML.format(f=file.name)) from error
    return rules.with_overrides(overrides) if overrides else rules


def score_rule_from(scheme: Scheme, forms: Mapping[str, Form] | None = None) -> ScoreRule:
    """The score rule that a scheme's `aggregation` amounts to; the product's default without one.

    Components become modules with their weights; a component named in the tie ladder is a rung. A
    joint decision is for people: the computed ladder ends in a shared rank. With `forms`, a rule
    that breaks ties by the heaviest item lists the components' items, weight = maximum x the
    component's weight; totals are those of the sheets, so the list moves no score. A rule has one
    estimator for all modules and no floors of single sheets: what asks for more raises DomainError.
    """
    rule = scheme.aggregation
    if rule is None:
        return ScoreRule.parse({})
    modules = {component.id: str(component.weight) for component in rule.components}
    rungs = ["unrounded"]
    for name in rule.tie_break:
        rung = f"module:{name}" if name in modules else _RUNGS.get(name, name)
        if rung not in rungs:
            rungs.append(rung)
    methods = sorted(experts_methods(rule))
    if len(methods) > 1:
        raise DomainError(_METHODS.format(id=scheme.id, m=", ".join(methods)), field="scheme_id")
    for form_id in sorted({name for part in rule.components for name in part.forms}):
        for section in forms[form_id].sections if forms and form_id in forms else ():
            if section.min_share is not None:
                raise DomainError(_FLOOR.format(f=form_id, s=section.title), field="scheme_id")
    items = {
        entry.id: {"weight": plain(entry.maximum * component.weight)}
        for component in rule.components
        if component.method in ESTIMATORS and "top_item" in rungs
        for form_id in component.forms
        if forms is not None and form_id in forms
        for entry in forms[form_id].indicators
        if entry.maximum
    }
    places = [{k: v for k, v in tier.items() if k != "title"} for tier in tiers_of(scheme)]
    return ScoreRule.parse(
        {
            **({"places": places} if places else {}),
            "items": items,
            "estimator": methods[0] if methods else "trimmed_mean",
            "modules": modules,
            "rounding": {"total": rule.decimals},
            "ties": rungs,
            "rank_within": "group" if rule.rank_within else None,
        }
    )


def tiers_of(scheme: Scheme) -> list[dict[str, Any]]:
    """The scheme's places by rank as a score rule takes them, each with its title.

    A cap named as an honour takes the next ranks of the one ranking; a cap named as a kind of unit
    (S3 二: one county, one industrial cluster) the first ranks of that kind. A range of nominations
    (S4 二(一): three to five a province) is a tier where the setting `places_of` names it. Nobody
    moves up into the place of a unit that is out, unless the setting `backfill` says so.
    """
    said = {setting.id: setting.value for setting in scheme.settings}
    honours = {honour.id: honour.title for honour in scheme.honours}
    found: list[dict[str, Any]] = []
    for quota in scheme.quotas:
        title, group = honours.get(quota.id), None
        if quota.kind == "range" and said.get("places_of") == quota.id:
            title = quota.title
        elif quota.kind != "cap":
            continue
        elif title is None and quota.id in scheme.subjects:
            title, group = quota.title, quota.id
        if title is None or quota.maximum is None:
            continue
        tier: dict[str, Any] = {"id": quota.id, "title": title, "max": quota.maximum}
        tier |= {"min": quota.minimum} if quota.minimum else {}
        tier |= {"group": group} if group else {}
        tier |= {"backfill": True} if said.get("backfill", "none") != "none" else {}
        found.append(tier)
    return found


def class_of(scheme: Scheme, class_id: str) -> RegionClass | None:
    """The region class of a scheme by its id."""
    return next((entry for entry in scheme.region_classes if entry.id == class_id), None)
