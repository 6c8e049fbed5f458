"""Lint of the scoring library: what a form or scheme gets wrong beyond its schema.

Unknown names, sums, zero denominators, small classes, duplicate ids, missing English, unreachable
bands, conditions, vetoes and weights; each finding says file, line, what is wrong and how to fix it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from app.domain.scoring.lint_findings import Finding, Findings, unused_names
from app.domain.scoring.lint_scales import lint_scale
from app.domain.scoring.lint_schemes import lint_scheme
from app.domain.scoring.measures import plain
from app.domain.scoring.scale_schema import Bands, Formula, PassFail, Survey, VetoOpinion
from app.domain.scoring.schema import FORM_SCHEMA, WHOLE_FORM, Form, Indicator, parse_form
from app.domain.scoring.scheme_schema import SCHEME_SCHEMA, Scheme, parse_scheme
from app.domain.scoring.yaml_source import Fields, SchemaError, read_yaml
from app.domain.types import Text

_ZERO = Decimal(0)
_PLACES = Decimal("0.01")


def lint_files(files: Mapping[str, str]) -> list[Finding]:
    """Findings over file name -> YAML text, checked one by one and against each other."""
    collected = {name: Findings(name) for name in files}
    forms: dict[str, tuple[str, Form]] = {}
    schemes: dict[str, tuple[str, Scheme]] = {}
    for name, text in files.items():
        parsed = _parse(collected[name], text)
        if isinstance(parsed, Form):
            _register(collected[name], forms, name, parsed, parsed.id)
        elif isinstance(parsed, Scheme):
            _register(collected[name], schemes, name, parsed, parsed.id)
    known_forms = {form_id: form for form_id, (_, form) in forms.items()}
    known_schemes = {scheme_id: scheme for scheme_id, (_, scheme) in schemes.items()}
    for name, form in forms.values():
        lint_form(collected[name], form, known_forms)
    for name, scheme in schemes.values():
        lint_scheme(collected[name], scheme, known_forms, known_schemes)
    found = [finding for findings in collected.values() for finding in findings.entries]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.code))


def _parse(findings: Findings, text: str) -> Form | Scheme | None:
    try:
        schema = Fields(read_yaml(text), []).choice("schema", (FORM_SCHEMA, SCHEME_SCHEMA))
        if schema == FORM_SCHEMA:
            return parse_form(text)
        if schema == SCHEME_SCHEMA:
            return parse_scheme(text)
        what = Text("没有可识别的 schema", "no known schema")
        fix = Text(
            f"首行写 schema: {FORM_SCHEMA} 或 {SCHEME_SCHEMA}",
            f"start with schema: {FORM_SCHEMA} or {SCHEME_SCHEMA}",
        )
        findings.error(1, "schema", "schema", what, fix)
    except SchemaError as error:
        for problem in error.problems:
            findings.error(problem.line, problem.code, problem.path, problem.what, problem.fix)
    return None


_Parsed = TypeVar("_Parsed", Form, Scheme)


def _register(
    findings: Findings,
    known: dict[str, tuple[str, _Parsed]],
    name: str,
    entry: _Parsed,
    entry_id: str,
) -> None:
    if entry_id in known:
        what = Text("编号 {i} 与 {f} 重复", "id {i} is also used by {f}")
        filled = what.format(i=entry_id, f=known[entry_id][0])
        findings.error(1, "duplicate-id", "id", filled, Text("改编号", "change the id"))
        return
    known[entry_id] = (name, entry)
    if name.rsplit("/", 1)[-1] != f"{entry_id}.yaml":
        what = Text("文件名与编号 {i} 不符", "the file is not named after its id {i}")
        fix = Text("文件名改为 {i}.yaml", "name the file {i}.yaml").format(i=entry_id)
        findings.warning(1, "file-name", "id", what.format(i=entry_id), fix)


def lint_form(findings: Findings, form: Form, forms: Mapping[str, Form]) -> None:
    """Report the defects of one form. `forms`: all forms by id, for references between them."""
    findings.duplicates([(s.id, s.line) for s in form.sections], "sections")
    findings.duplicates([(entry.id, entry.line) for entry in form.indicators], "indicators")
    findings.duplicates(
        [(figure.name, figure.line) for figure in form.figures]
        + [(fact.name, fact.line) for fact in form.facts],
        "figures",
    )
    for entry in form.indicators:
        lint_scale(findings, form, entry)
        _indicator(findings, form, entry)
    _sections(findings, form)
    _sums(findings, form)
    _names(findings, form, forms)
    _sources(findings, form)


def _indicator(findings: Findings, form: Form, entry: Indicator) -> None:
    where = f"indicators[{entry.id}]"
    sections = {section.id for section in form.sections} or {WHOLE_FORM}
    if entry.section not in sections:
        what = Text("没有这一部分：{s}", "no such section: {s}").format(s=entry.section)
        fix = Text("写上已声明的部分", "name a declared section")
        findings.error(entry.line, "unknown-section", where, what, fix)
    if entry.maximum is not None and entry.maximum != entry.maximum.quantize(_PLACES):
        what = Text("满分超过两位小数", "the maximum has more than 2 decimals")
        findings.error(entry.line, "decimals", where, what, Text("取两位小数", "use 2 decimals"))
    if entry.applies_if is not None:
        facts = {fact.name for fact in form.facts}
        if not entry.applies_if.names <= facts:
            _not_a_fact(findings, entry.line, where)


def _not_a_fact(findings: Findings, line: int, where: str) -> None:
    what = Text("applies_if 只能用 facts 中声明的属性", "applies_if reads declared facts only")
    fix = Text("改用是/否属性", "declare a yes/no fact and use it")
    findings.error(line, "applies-if", where, what, fix)


def _sections(findings: Findings, form: Form) -> None:
    by_id = {section.id: section for section in form.sections}
    for section in form.sections:
        where = f"sections[{section.id}]"
        target = section.else_move_points_to
        if (section.applies_if is None) != (target is None):
            what = Text(
                "applies_if 与 else_move_points_to 须同时写，否则分值会消失",
                "applies_if and else_move_points_to go together, or the points would vanish",
            )
            fix = Text("写明分值移到哪一部分", "name the section that takes the points")
            findings.error(section.line, "moved-points", where, what, fix)
        if target is not None and (
            target not in by_id or target == section.id or by_id[target].applies_if is not None
        ):
            what = Text("分值不能移到 {t}", "the points cannot go to {t}").format(t=target)
            fix = Text("移到总是适用的部分", "move them to a section that always applies")
            findings.error(section.line, "moved-points", where, what, fix)
        if section.applies_if is not None:
            facts = {fact.name for fact in form.facts}
            if not section.applies_if.names <= facts:
                _not_a_fact(findings, section.line, where)
        if section.min_share is not None and not 0 < section.min_share <= 1:
            what = Text("最低得分率须在 0 与 1 之间", "the section floor must be between 0 and 1")
            fix = Text("例如 0.75", "for example 0.75")
            findings.error(section.line, "section-floor", where, what, fix)
        elif section.min_share is not None:
            # Sheets show it, but no total, rank or place goes by it: a form must not promise one.
            what = Text(
                "最低得分率只在评分表上判断，汇总、名次和名额都不按它处理",
                "a section floor is judged on the sheet alone; no total, rank or place goes by it",
            )
            fix = Text(
                "删去 min_share；须作门槛的，改为资格审查或实地查验的判定项",
                "remove min_share; make a gate an item of the qualification check or the check on site",
            )
            findings.error(section.line, "section-floor", where, what, fix)


def _sums(findings: Findings, form: Form) -> None:
    if form.kind in ("check", "veto", "bonus"):
        if form.total is not None:
            what = Text("这类表没有总分", "a form of this kind has no total")
            findings.error(1, "points-sum", "total", what, Text("删去 total", "remove total"))
        if form.kind != "bonus" and any(
            not isinstance(entry.scale, (PassFail, VetoOpinion)) for entry in form.indicators
        ):
            what = Text("审查表只能有判定项", "a check form has judgements only")
            fix = Text("改 kind: score", "use kind: score")
            findings.error(1, "kind", "kind", what, fix)
        return
    total = form.total
    if total is None:
        what = Text("计分表缺少总分", "a scored form needs its total")
        findings.error(1, "points-sum", "total", what, Text("写 total", "write total"))
        return
    for section in form.sections:
        inside = [e.maximum or _ZERO for e in form.indicators if e.section == section.id]
        _sum(findings, section.line, f"sections[{section.id}]", inside, section.maximum)
    parts = [section.maximum for section in form.sections]
    if not form.sections:
        parts = [entry.maximum or _ZERO for entry in form.indicators]
    _sum(findings, 1, "total", parts, total)
    if form.pass_line is not None and not 0 < form.pass_line.value <= total:
        what = Text("及格线超出总分", "the pass line is outside the total")
        findings.error(1, "pass-line", "pass_line", what, Text("修改数值", "change the value"))


def _sum(findings: Findings, line: int, where: str, parts: list[Decimal], stated: Decimal) -> None:
    found = sum(parts, _ZERO)
    if found != stated:
        what = Text("合计 {f}，应为 {s}", "the parts sum to {f}, stated is {s}")
        fix = Text("修改各项满分或合计", "change the maxima or the stated sum")
        filled = what.format(f=plain(found), s=plain(stated))
        findings.error(line, "points-sum", where, filled, fix)


def _names(findings: Findings, form: Form, forms: Mapping[str, Form]) -> None:
    used: set[str] = set()
    for entry in form.indicators:
        used |= entry.applies_if.names if entry.applies_if else set()
        if isinstance(entry.scale, (Bands, Formula, Survey)):
            used |= entry.scale.measure.expression.names
            guard = entry.scale.measure.valid_if
            used |= guard.names if guard else set()
        if isinstance(entry.scale, Survey):
            used.add(entry.scale.sample_figure)
    for section in form.sections:
        used |= section.applies_if.names if section.applies_if else set()
    unused_names(findings, (*form.figures, *form.facts), used)
    for figure in form.figures:
        if figure.from_form is not None and figure.from_form not in forms:
            what = Text("没有这张表：{f}", "no such form: {f}").format(f=figure.from_form)
            fix = Text("改正表的编号", "correct the form id")
            findings.error(figure.line, "unknown-form", f"figures.{figure.name}", what, fix)
    _sub_form_figures(findings, form)


def _sub_form_figures(findings: Findings, form: Form) -> None:
    """What comes from an expert's own sub-form sheets is not mixed with the county's figures, nor
    compared within a class: it differs from expert to expert."""
    derived = {figure.name for figure in form.figures if figure.from_form is not None}
    known = {figure.name for figure in form.figures}
    for entry in form.indicators:
        if not isinstance(entry.scale, (Bands, Formula, Survey)):
            continue
        read = entry.scale.measure.expression.names & known
        in_class = isinstance(entry.scale, Formula) and entry.scale.normalise == "minmax_in_class"
        if read & derived and (read - derived or in_class or entry.scorer != "formula"):
            what = Text(
                "{f} 来自专家自己的子表，不能与其他数据混用、不能在类内标准化，计分人须为 formula",
                "{f} comes from each expert's sub-form: it cannot be mixed with other figures or "
                "normalised within a class, and its scorer is formula",
            ).format(f=", ".join(sorted(read & derived)))
            fix = Text("单列一项", "give it an item of its own")
            findings.error(entry.line, "mixed-figures", f"indicators[{entry.id}]", what, fix)


def _sources(findings: Findings, form: Form) -> None:
    known = {source.id for source in form.sources}
    used: set[str] = set()
    for entry in form.indicators:
        where = f"indicators[{entry.id}]"
        for source in (entry.source, entry.modelled_on):
            if source is not None:
                used.add(source)
            if source is not None and source not in known:
                what = Text("没有这个来源：{s}", "no such source: {s}").format(s=source)
                fix = Text("在 sources 中声明", "declare it under sources")
                findings.error(entry.line, "unknown-source", where, what, fix)
        if entry.status.startswith("found") and entry.source is None:
            what = Text("found 须有 source", "status found needs a source")
            fix = Text("写明公开副本的来源", "name the public copy")
            findings.error(entry.line, "unknown-source", where, what, fix)
    for source in known - used:
        what = Text("来源未被引用：{s}", "source never used: {s}").format(s=source)
        fix = Text("删去", "remove it")
        findings.warning(1, "unused-source", f"sources.{source}", what, fix)
