"""Lint of a scheme: references, weights, quotas, small classes, vetoes, honours."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.domain.scoring.lint_findings import Findings, unused_names
from app.domain.scoring.measures import plain
from app.domain.scoring.scale_schema import Formula, VetoOpinion
from app.domain.scoring.schema import Form
from app.domain.scoring.scheme_parts import Aggregation, Quota, Veto
from app.domain.scoring.scheme_schema import Scheme
from app.domain.types import Text

SMALLEST_CLASS = 3
_QUOTA_NEEDS = {"cap": ("maximum",), "range": ("minimum", "maximum"), "share": ("share",)}


def lint_scheme(
    findings: Findings,
    scheme: Scheme,
    forms: Mapping[str, Form],
    schemes: Mapping[str, Scheme],
) -> None:
    """Report the defects of one scheme against all forms and schemes, by id."""
    findings.duplicates([(stage.id, stage.line) for stage in scheme.stages], "stages")
    findings.duplicates([(veto.id, veto.line) for veto in scheme.vetoes], "vetoes")
    findings.duplicates([(quota.id, quota.line) for quota in scheme.quotas], "quotas")
    findings.duplicates([(entry.id, entry.line) for entry in scheme.region_classes], "classes")
    _forms(findings, scheme, forms)
    _weights(findings, scheme)
    _vetoes(findings, scheme, forms)
    _classes(findings, scheme, forms)
    _supplies(findings, scheme, schemes)
    _quotas(findings, scheme)
    states = {state.id for state in scheme.states}
    for transition in scheme.transitions:
        for target in transition.to:
            if target not in states:
                where = f"transitions.{transition.event}"
                _unknown(findings, transition.line, "unknown-state", where, target)


def _unknown(findings: Findings, line: int, code: str, where: str, name: str) -> None:
    what = Text("没有 {n}", "there is no {n}").format(n=name)
    fix = Text("改正编号或补上声明", "correct the id or declare it")
    findings.error(line, code, where, what, fix)


def _forms(findings: Findings, scheme: Scheme, forms: Mapping[str, Form]) -> None:
    for form_id in scheme.forms:
        if form_id not in forms:
            _unknown(findings, 1, "unknown-form", "forms", form_id)
    uses = [(f"stages[{s.id}]", s.line, f) for s in scheme.stages for f in s.forms]
    uses += [(f"region_classes[{c.id}]", c.line, c.form) for c in scheme.region_classes]
    rule = scheme.aggregation
    if rule is not None:
        uses += [(f"aggregation[{c.id}]", c.line, f) for c in rule.components for f in c.forms]
        if rule.bonus_form is not None:
            uses.append(("aggregation.bonus_form", rule.line, rule.bonus_form))
    for where, line, form_id in uses:
        if form_id not in scheme.forms:
            _unknown(findings, line, "unknown-form", where, form_id)


def experts_methods(rule: Aggregation) -> set[str]:
    """How the experts' marks of the components are put together; `given` parts have no marks."""
    return {component.method for component in rule.components} - {"given"}


def _weights(findings: Findings, scheme: Scheme) -> None:
    rule = scheme.aggregation
    if rule is None:
        return
    findings.duplicates([(c.id, c.line) for c in rule.components], "aggregation.components")
    methods = sorted(experts_methods(rule))
    if len(methods) > 1:
        what = Text(
            "各部分的计分方法不同（{m}），而一届只有一种计分方法",
            "the components have different methods ({m}), but a round has one",
        ).format(m=", ".join(methods))
        fix = Text(
            "除 given 外各部分写同一 method",
            "write one method for all components except given ones",
        )
        findings.error(rule.line, "methods", "aggregation", what, fix)
    total = sum((component.weight for component in rule.components), Decimal(0))
    if total != 1 or any(component.weight <= 0 for component in rule.components):
        what = Text("权重合计 {t}，应为 1", "the weights sum to {t}, not to 1").format(
            t=plain(total)
        )
        fix = Text("修改权重", "change the weights")
        findings.error(rule.line, "weights", "aggregation", what, fix)


def _vetoes(findings: Findings, scheme: Scheme, forms: Mapping[str, Form]) -> None:
    known = {veto.id for veto in scheme.vetoes}
    for form_id in scheme.forms:
        for entry in forms[form_id].indicators if form_id in forms else ():
            for veto in entry.scale.vetoes if isinstance(entry.scale, VetoOpinion) else ():
                if veto not in known:
                    _unknown(findings, 1, "unknown-veto", f"forms.{form_id}[{entry.id}]", veto)
    used = {name for veto in scheme.vetoes if veto.expression for name in veto.expression.names}
    sources = {source.id for source in scheme.sources}
    unused_names(findings, (*scheme.figures, *scheme.facts), used)
    items: tuple[Veto | Quota, ...] = (*scheme.vetoes, *scheme.quotas)
    for item in items:
        if item.source is not None and item.source not in sources:
            _unknown(findings, item.line, "unknown-source", item.id, item.source)
        if item.source is None and (item.trace is None or item.status.startswith("found")):
            what = Text("缺少出处", "where it comes from is missing")
            fix = Text("写 trace 或 source", "write trace or source")
            findings.error(item.line, "trace", item.id, what, fix)


def _classes(findings: Findings, scheme: Scheme, forms: Mapping[str, Form]) -> None:
    classes = {entry.id: entry for entry in scheme.region_classes}
    names = {candidate.name.zh for candidate in scheme.candidates}
    for candidate in scheme.candidates:
        if candidate.region_class is not None and candidate.region_class not in classes:
            _unknown(
                findings, candidate.line, "unknown-class", "candidates", candidate.region_class
            )
    for pair in scheme.guidance:
        for subject in pair.subjects:
            if subject not in names:
                _unknown(findings, pair.line, "unknown-subject", "guidance", subject)
    for entry in scheme.region_classes:
        size = sum(candidate.region_class == entry.id for candidate in scheme.candidates)
        form = forms.get(entry.form)
        if not 0 < size < SMALLEST_CLASS or form is None:
            continue
        bare = [
            indicator.id
            for indicator in form.indicators
            if isinstance(indicator.scale, Formula)
            and indicator.scale.normalise == "minmax_in_class"
            and indicator.scale.small_class is None
        ]
        if bare:
            what = Text(
                "{c} 只有 {n} 个对象，而 {f} 的 {i} 用极差标准化",
                "class {c} has {n} subject(s), but {i} of {f} uses min-max",
            ).format(c=entry.id, n=size, f=entry.form, i=", ".join(bare))
            fix = Text("在这些指标写 small_class", "write small_class on these indicators")
            findings.error(entry.line, "small-class", f"region_classes[{entry.id}]", what, fix)


def _supplies(findings: Findings, scheme: Scheme, schemes: Mapping[str, Scheme]) -> None:
    for supply in scheme.supplies:
        if supply.scheme not in schemes:
            _unknown(findings, supply.line, "unknown-scheme", "supplies", supply.scheme)
    supplied = {supply.scheme for supply in scheme.supplies}
    for stage in scheme.stages:
        if stage.supplied_by is not None and stage.supplied_by not in supplied:
            where = f"stages[{stage.id}]"
            _unknown(findings, stage.line, "unknown-scheme", where, stage.supplied_by)


def _quotas(findings: Findings, scheme: Scheme) -> None:
    for quota in scheme.quotas:
        missing = [n for n in _QUOTA_NEEDS.get(quota.kind, ()) if getattr(quota, n) is None]
        low, high = quota.minimum, quota.maximum
        upside_down = low is not None and high is not None and low > high
        ladder = [step.below for step in quota.steps]
        bounds = [below for below in ladder[:-1] if below is not None]
        broken = quota.kind == "ladder" and (
            not ladder
            or ladder[-1] is not None
            or len(bounds) != len(ladder) - 1
            or bounds != sorted(set(bounds))
        )
        if missing or upside_down or broken:
            what = Text("名额规定不完整或自相矛盾", "the quota is incomplete or contradicts itself")
            fix = Text(
                "cap 写 max；range 写 min、max；share 写 share；ladder 的 steps 以无 below 的一档收尾",
                "cap: max; range: min and max; share: share; ladder: steps ending without below",
            )
            findings.error(quota.line, "quota", f"quotas[{quota.id}]", what, fix)
