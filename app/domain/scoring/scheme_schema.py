"""The strict schema of a scheme (`scoring_forms/schemes/*.yaml`): one activity as its notice sets it.

A scheme names its stages, forms, vetoes, quotas, honours and how parts are put together; what the
notice leaves open is listed under `settings` with `status: default`, to be confirmed by an
administrator. Unknown keys are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.scoring.expressions import Kind
from app.domain.scoring.scale_schema import ITEM_STATUSES, read_expression
from app.domain.scoring.schema import (
    Fact,
    Figure,
    Source,
    read_facts,
    read_figures,
    read_sources,
)
from app.domain.scoring.scheme_parts import (
    Agency,
    Aggregation,
    Basis,
    Candidate,
    Component,
    Cycle,
    Guidance,
    Honour,
    HonourState,
    PublicNotice,
    Quota,
    QuotaStep,
    RegionClass,
    Setting,
    Stage,
    Supply,
    Transition,
    Veto,
    Window,
)
from app.domain.scoring.yaml_source import Fields, Problem, check, read_yaml
from app.domain.types import Text

SCHEME_SCHEMA = "mingjian-scheme/1"


@dataclass(frozen=True, slots=True)
class Scheme:
    id: str
    edition: str
    title: Text
    authority: Text
    basis: Basis
    parents: tuple[Text, ...]
    subjects: tuple[str, ...]
    levels: tuple[str, ...]
    cycle: Cycle | None
    notes: tuple[Text, ...]
    supplies: tuple[Supply, ...]
    stages: tuple[Stage, ...]
    region_classes: tuple[RegionClass, ...]
    candidates: tuple[Candidate, ...]
    guidance: tuple[Guidance, ...]
    agencies: tuple[Agency, ...]
    quotas: tuple[Quota, ...]
    honours: tuple[Honour, ...]
    states: tuple[HonourState, ...]
    transitions: tuple[Transition, ...]
    figures: tuple[Figure, ...]
    facts: tuple[Fact, ...]
    vetoes: tuple[Veto, ...]
    aggregation: Aggregation | None
    settings: tuple[Setting, ...]
    forms: tuple[str, ...]
    sources: tuple[Source, ...]


def parse_scheme(text: str) -> Scheme:
    """The scheme in a YAML text. Raises SchemaError listing every defect with line and path."""
    problems: list[Problem] = []
    fields = Fields(read_yaml(text), problems)
    fields.choice("schema", (SCHEME_SCHEMA,))
    figures, facts = read_figures(fields), read_facts(fields)
    names: dict[str, Kind] = {figure.name: "num" for figure in figures}
    names.update({fact.name: "bool" for fact in facts})
    cycle = fields.optional_child("cycle")
    aggregation = fields.optional_child("aggregation")
    scheme = Scheme(
        id=fields.text("id"),
        edition=fields.text("edition"),
        title=fields.pair("title"),
        authority=fields.pair("authority"),
        basis=_basis(fields.child("basis")),
        parents=fields.pairs("parents"),
        subjects=fields.words("subjects", required=True),
        levels=fields.words("levels", required=True),
        cycle=_cycle(cycle) if cycle else None,
        notes=fields.pairs("notes"),
        supplies=tuple(_supply(f) for f in fields.children("supplies")),
        stages=tuple(_stage(f) for f in fields.children("stages", required=True)),
        region_classes=tuple(_region_class(f) for f in fields.children("region_classes")),
        candidates=tuple(_candidate(f) for f in fields.children("candidates")),
        guidance=tuple(_guidance(f) for f in fields.children("guidance")),
        agencies=tuple(_agency(f) for f in fields.children("agencies")),
        quotas=tuple(_quota(f) for f in fields.children("quotas")),
        honours=tuple(_honour(f) for f in fields.children("honours")),
        states=tuple(_state(f) for f in fields.children("states")),
        transitions=tuple(_transition(f) for f in fields.children("transitions")),
        figures=figures,
        facts=facts,
        vetoes=tuple(_veto(f, names) for f in fields.children("vetoes")),
        aggregation=_aggregation(aggregation) if aggregation else None,
        settings=tuple(_setting(f) for f in fields.children("settings")),
        forms=fields.words("forms", required=True),
        sources=read_sources(fields),
    )
    fields.end()
    check(problems)
    return scheme


def _status(fields: Fields) -> str:
    return fields.choice("status", ITEM_STATUSES)


def _basis(f: Fields) -> Basis:
    basis = Basis(
        f.pair("document"),
        f.optional_text("number"),
        f.optional_text("date"),
        f.text("trace"),
        f.optional_pair("note"),
    )
    f.end()
    return basis


def _cycle(f: Fields) -> Cycle:
    cycle = Cycle(
        f.integer("years"),
        f.optional_integer("batches"),
        f.optional_integer("commendations"),
        f.optional_pair("assessed"),
        _status(f),
        f.text("trace"),
    )
    f.end()
    return cycle


def _supply(f: Fields) -> Supply:
    supply = Supply(
        f.text("scheme"),
        f.words("parts", required=True),
        f.pair("note"),
        f.text("trace"),
        f.line,
    )
    f.end()
    return supply


def _stage(f: Fields) -> Stage:
    window, notice = f.optional_child("window"), f.optional_child("public_notice")
    stage = Stage(
        id=f.text("id"),
        title=f.pair("title"),
        by=f.pairs("by"),
        forms=f.words("forms"),
        steps=f.pairs("steps"),
        outputs=f.pairs("outputs"),
        optional=f.flag("optional"),
        supplied_by=f.optional_text("supplied_by"),
        window=_window(window) if window else None,
        public_notice=_public_notice(notice) if notice else None,
        note=f.optional_pair("note"),
        status=_status(f),
        trace=f.text("trace"),
        line=f.line,
    )
    f.end()
    return stage


def _window(f: Fields) -> Window:
    window = Window(f.optional_text("start"), f.optional_text("end"), f.pair("text"), _status(f))
    f.end()
    return window


def _public_notice(f: Fields) -> PublicNotice:
    notice = PublicNotice(
        f.optional_integer("working_days"),
        _status(f),
        f.pairs("channels"),
        f.flag("phone"),
        f.flag("email"),
    )
    f.end()
    return notice


def _region_class(f: Fields) -> RegionClass:
    entry = RegionClass(f.text("id"), f.pair("title"), f.text("form"), f.text("trace"), f.line)
    f.end()
    return entry


def _candidate(f: Fields) -> Candidate:
    entry = Candidate(f.pair("name"), f.text("code"), f.optional_text("region_class"), f.line)
    f.end()
    return entry


def _guidance(f: Fields) -> Guidance:
    entry = Guidance(f.pairs("by"), f.words("subjects", required=True), f.text("trace"), f.line)
    f.end()
    return entry


def _agency(f: Fields) -> Agency:
    entry = Agency(f.pair("name"), f.pair("duty"), f.text("trace"))
    f.end()
    return entry


def _quota(f: Fields) -> Quota:
    quota = Quota(
        id=f.text("id"),
        title=f.pair("title"),
        kind=f.choice("kind", ("cap", "range", "share", "ladder")),
        minimum=f.optional_integer("min"),
        maximum=f.optional_integer("max"),
        share=f.optional_number("share"),
        steps=tuple(_quota_step(step) for step in f.children("steps")),
        status=_status(f),
        source=f.optional_text("source"),
        trace=f.optional_text("trace"),
        line=f.line,
    )
    f.end()
    return quota


def _quota_step(f: Fields) -> QuotaStep:
    step = QuotaStep(f.optional_integer("below"), f.integer("counties"), f.integer("prefectures"))
    f.end()
    return step


def _honour(f: Fields) -> Honour:
    entry = Honour(
        f.text("id"),
        f.pair("title"),
        f.pair("given_to"),
        f.optional_integer("valid_years"),
        f.text("trace"),
    )
    f.end()
    return entry


def _state(f: Fields) -> HonourState:
    entry = HonourState(f.text("id"), f.pair("title"))
    f.end()
    return entry


def _transition(f: Fields) -> Transition:
    entry = Transition(
        f.text("event"),
        f.pair("title"),
        f.words("to", required=True),
        f.optional_integer("months"),
        f.optional_pair("note"),
        f.text("trace"),
        f.line,
    )
    f.end()
    return entry


def _veto(f: Fields, names: dict[str, Kind]) -> Veto:
    veto = Veto(
        id=f.text("id"),
        title=f.pair("title"),
        expression=read_expression(f, "expression", names, "bool"),
        window=f.optional_pair("window"),
        decided_by=f.pairs("decided_by"),
        decided_by_status=f.choice("decided_by_status", ITEM_STATUSES, "default"),
        status=_status(f),
        source=f.optional_text("source"),
        trace=f.optional_text("trace"),
        note=f.optional_pair("note"),
        line=f.line,
    )
    f.end()
    return veto


def _setting(f: Fields) -> Setting:
    entry = Setting(
        f.text("id"),
        f.text("value"),
        f.pair("title"),
        f.optional_pair("note"),
        _status(f),
        f.text("trace"),
    )
    f.end()
    return entry


def _aggregation(f: Fields) -> Aggregation:
    components = []
    for entry in f.children("components", required=True):
        components.append(
            Component(
                entry.text("id"),
                entry.pair("title"),
                entry.words("forms", required=True),
                entry.number("weight"),
                entry.choice("method", ("trimmed_mean", "mean", "median", "given")),
                entry.line,
            )
        )
        entry.end()
    aggregation = Aggregation(
        components=tuple(components),
        bonus_form=f.optional_text("bonus_form"),
        decimals=f.integer("decimals"),
        tie_break=f.words("tie_break", required=True),
        rank_within=f.words("rank_within"),
        status=_status(f),
        line=f.line,
    )
    f.end()
    return aggregation
