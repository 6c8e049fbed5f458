"""The strict schema of a score form (`scoring_forms/forms/*.yaml`).

A form is data so that an office can change a criterion without a programmer; every indicator keeps
where its wording comes from (`status`, `trace`), because the national indicator annex named in
article 8 of the 2015 measures is public only in parts. Unknown keys are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.scoring.expressions import Expression, Kind
from app.domain.scoring.scale_schema import (
    ITEM_STATUSES,
    Bonus,
    PassFail,
    Scale,
    VetoOpinion,
    read_expression,
    read_scale,
)
from app.domain.scoring.yaml_source import Fields, Problem, check, read_yaml
from app.domain.types import Text

FORM_SCHEMA = "mingjian-form/1"
KINDS = ("score", "check", "veto", "import", "bonus")
SCORERS: dict[str, Text] = {
    "expert": Text("专家", "Expert"),
    "survey": Text("第三方机构", "Third-party survey body"),
    "formula": Text("系统计算", "Computed by the system"),
    "office": Text("创建办", "Programme office"),
    "department": Text("司局/职能部门", "Department"),
    "upper_level": Text("上级主管部门", "Higher-level authority"),
    "self": Text("自评", "Self-assessment"),
}
WHOLE_FORM = "all"
"""Id of the one section that a form without sections is given."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number the form reads: its meaning, unit and limits (both inclusive)."""

    name: str
    title: Text
    unit: Text
    minimum: Decimal | None
    maximum: Decimal | None
    integer: bool
    from_form: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A yes/no property of a subject, such as whether it has mines."""

    name: str
    title: Text
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Text
    maximum: Decimal
    applies_if: Expression | None
    else_move_points_to: str | None
    min_share: Decimal | None
    line: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """One criterion. `maximum` is None only for judgements without points and open-ended bonuses."""

    id: str
    section: str
    title: Text
    maximum: Decimal | None
    scale: Scale
    scorer: str
    evidence: Text | None
    guidance: Text | None
    note: Text | None
    status: str
    trace: str | None
    source: str | None
    modelled_on: str | None
    applies_if: Expression | None
    not_applicable: str
    line: int

    @property
    def maximum_status(self) -> str:
        """The notices give no points, so a maximum not found in a real sheet is a default."""
        return self.status if self.status.startswith("found") else "default"


@dataclass(frozen=True, slots=True)
class Step:
    """A planned part of a site visit with its minutes."""

    title: Text
    minutes: int
    hard_limit: bool


@dataclass(frozen=True, slots=True)
class SampleRule:
    """How many files of a type are drawn for a repeated sub-form."""

    type: str
    title: Text
    count: int


@dataclass(frozen=True, slots=True)
class Repeat:
    per: str
    title: Text
    sample: tuple[SampleRule, ...]
    status: str


@dataclass(frozen=True, slots=True)
class PassLine:
    value: Decimal
    status: str
    note: Text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a public copy was found. Provenance for this file only: never shown with its address."""

    id: str
    url: str
    what: str


@dataclass(frozen=True, slots=True)
class Form:
    id: str
    edition: str
    title: Text
    stage: str
    kind: str
    total: Decimal | None
    region_class: str | None
    filled_by: str | None
    offline: bool
    unlock: str | None
    on_fail: str | None
    not_applicable: str
    trace: str
    note: Text | None
    pass_line: PassLine | None
    repeat: Repeat | None
    steps: tuple[Step, ...]
    steps_status: str | None
    columns: tuple[str, ...]
    figures: tuple[Figure, ...]
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    indicators: tuple[Indicator, ...]
    sources: tuple[Source, ...]

    @property
    def place(self) -> str:
        """Where a round keeps this form: its stage, unless it stands beside a score sheet of the
        same stage. Vetoes are one gate whatever the notice calls the step; bonuses, sub-forms of
        one sheet a case file and self-checks are places of their own."""
        if self.kind == "veto":
            return "qualification"
        if self.kind == "bonus":
            return "bonus"
        if self.repeat is not None:
            return "casefile"
        if self.kind == "check" and all(entry.scorer == "self" for entry in self.indicators):
            return "selfcheck"
        return self.stage

    @property
    def names(self) -> dict[str, Kind]:
        """Every name an expression of this form may use, with its type."""
        kinds: dict[str, Kind] = {figure.name: "num" for figure in self.figures}
        kinds.update({fact.name: "bool" for fact in self.facts})
        return kinds


def parse_form(text: str) -> Form:
    """The form in a YAML text. Raises SchemaError listing every defect with line and path."""
    problems: list[Problem] = []
    fields = Fields(read_yaml(text), problems)
    fields.choice("schema", (FORM_SCHEMA,))
    figures, facts = read_figures(fields), read_facts(fields)
    names: dict[str, Kind] = {figure.name: "num" for figure in figures}
    names.update({fact.name: "bool" for fact in facts})
    form_na = fields.choice("not_applicable", ("allowed", "refused"), "allowed")
    form = Form(
        id=fields.text("id"),
        edition=fields.text("edition"),
        title=fields.pair("title"),
        stage=fields.text("stage"),
        kind=fields.choice("kind", KINDS),
        total=fields.optional_number("total"),
        region_class=fields.optional_text("region_class"),
        filled_by=fields.optional_choice("filled_by", SCORERS),
        offline=fields.flag("offline"),
        unlock=fields.optional_choice("unlock", ("after_statement_closed",)),
        on_fail=fields.optional_choice("on_fail", ("disqualify_no_backfill",)),
        not_applicable=form_na,
        trace=fields.text("trace"),
        note=fields.optional_pair("note"),
        pass_line=_pass_line(fields),
        repeat=_repeat(fields),
        steps=_steps(fields),
        steps_status=fields.optional_choice("steps_status", ITEM_STATUSES),
        columns=fields.words("columns"),
        figures=figures,
        facts=facts,
        sections=tuple(_section(entry, names) for entry in fields.children("sections")),
        indicators=tuple(
            _indicator(entry, names, form_na)
            for entry in fields.children("indicators", required=True)
        ),
        sources=read_sources(fields),
    )
    fields.end()
    check(problems)
    return form


def read_figures(fields: Fields) -> tuple[Figure, ...]:
    """The declared numbers; zero is the lower limit unless `signed: true`."""
    figures = []
    for name, entry in fields.named_children("figures"):
        signed = entry.flag("signed")
        figures.append(
            Figure(
                name,
                entry.pair("title"),
                entry.pair("unit"),
                entry.optional_number("min") if signed else entry.number("min", Decimal(0)),
                entry.optional_number("max"),
                entry.flag("integer"),
                entry.optional_text("from_form"),
                entry.line,
            )
        )
        entry.end()
    return tuple(figures)


def read_facts(fields: Fields) -> tuple[Fact, ...]:
    """The declared yes/no properties."""
    facts = []
    for name, entry in fields.named_children("facts"):
        facts.append(Fact(name, entry.pair("title"), entry.line))
        entry.end()
    return tuple(facts)


def read_sources(fields: Fields) -> tuple[Source, ...]:
    """Public copies, as provenance."""
    sources = []
    for name, entry in fields.named_children("sources"):
        sources.append(Source(name, entry.text("url"), entry.text("what")))
        entry.end()
    return tuple(sources)


def _section(fields: Fields, names: dict[str, Kind]) -> Section:
    section = Section(
        id=fields.text("id"),
        title=fields.pair("title"),
        maximum=fields.number("max"),
        applies_if=read_expression(fields, "applies_if", names, "bool"),
        else_move_points_to=fields.optional_text("else_move_points_to"),
        min_share=fields.optional_number("min_share"),
        line=fields.line,
    )
    fields.end()
    return section


def _indicator(fields: Fields, names: dict[str, Kind], form_na: str) -> Indicator:
    scale = read_scale(fields.child("scale"), names)
    judgement = isinstance(scale, (PassFail, VetoOpinion))
    default_na = "refused" if isinstance(scale, VetoOpinion) else form_na
    indicator = Indicator(
        id=fields.text("id"),
        section=fields.text("section", required=False, default=WHOLE_FORM),
        title=fields.pair("title"),
        maximum=None
        if judgement
        else fields.optional_number("max")
        if isinstance(scale, Bonus)
        else fields.number("max"),
        scale=scale,
        scorer=fields.choice("scorer", SCORERS),
        evidence=fields.optional_pair("evidence"),
        guidance=fields.optional_pair("guidance"),
        note=fields.optional_pair("note"),
        status=fields.choice("status", ITEM_STATUSES),
        trace=fields.optional_text("trace"),
        source=fields.optional_text("source"),
        modelled_on=fields.optional_text("modelled_on"),
        applies_if=read_expression(fields, "applies_if", names, "bool"),
        not_applicable=fields.choice("not_applicable", ("allowed", "refused"), default_na),
        line=fields.line,
    )
    if indicator.trace is None and indicator.source is None:
        what = Text("没有 trace 或 source", "neither trace nor source")
        fix = Text("写明出自哪份通知的哪一条", "name the notice and article it comes from")
        fields.report(fields.source, "trace", what, fix)
    fields.end()
    return indicator


def _pass_line(fields: Fields) -> PassLine | None:
    entry = fields.optional_child("pass_line")
    if entry is None:
        return None
    line = PassLine(
        entry.number("value"), entry.choice("status", ITEM_STATUSES), entry.pair("note")
    )
    entry.end()
    return line


def _steps(fields: Fields) -> tuple[Step, ...]:
    steps = []
    for entry in fields.children("steps"):
        steps.append(Step(entry.pair("title"), entry.integer("minutes"), entry.flag("hard_limit")))
        entry.end()
    return tuple(steps)


def _repeat(fields: Fields) -> Repeat | None:
    entry = fields.optional_child("repeat")
    if entry is None:
        return None
    sample = []
    for rule in entry.children("sample", required=True):
        sample.append(SampleRule(rule.text("type"), rule.pair("title"), rule.integer("count")))
        rule.end()
    repeat = Repeat(
        entry.text("per"),
        entry.pair("title"),
        tuple(sample),
        entry.choice("status", ITEM_STATUSES),
    )
    entry.end()
    return repeat
