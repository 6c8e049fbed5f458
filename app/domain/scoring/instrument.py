"""Compile a form to the instrument: the one JSON that the server and the tablet both read.

The instrument holds items, limits, texts in both languages, rules and expression trees; conditions
are resolved for one subject and points of sections that do not apply are moved. Its digest is
SHA-256 over RFC 8785 JSON. Decimals travel as strings, so no reader turns them into floats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import rfc8785

from app.domain.scoring.expressions import Expression, evaluate_truth
from app.domain.scoring.instrument_scales import (
    expression_json,
    is_judgement,
    minimum_of,
    number_json,
    scale_json,
    words_json,
)
from app.domain.scoring.measures import plain
from app.domain.scoring.schema import (
    SCORERS,
    WHOLE_FORM,
    Fact,
    Figure,
    Form,
    Indicator,
    Section,
)
from app.domain.scoring.scheme_parts import Veto
from app.domain.types import DomainError, Text

INSTRUMENT_FORMAT = "mingjian-instrument/1"
ITEM_PLACES = 2
SECTION_PLACES = 2
FOUND_IN_COPY = Text("见于公开副本", "found in a public copy")
WHOLE_FORM_TITLE = Text("全表", "Whole form")


@dataclass(frozen=True, slots=True)
class FormContext:
    """What a form is compiled for: the subject's facts by name and the scheme's vetoes."""

    facts: Mapping[str, bool] = field(default_factory=dict)
    vetoes: tuple[Veto, ...] = ()


def compile_form(form: Form, context: FormContext | None = None) -> dict[str, Any]:
    """The instrument JSON of `form` for one subject, with its `digest`.

    Raises MissingValue naming a fact that a condition needs and the context lacks, and DomainError
    for a veto that the scheme does not define. `form_digest` is the same for all subjects.
    """
    context = context or FormContext()
    unknown = sorted(set(context.facts) - {fact.name for fact in form.facts})
    facts = {name: value for name, value in context.facts.items() if name not in unknown}
    figures = {figure.name: figure for figure in form.figures}
    items = [_item(form, entry, figures, context.vetoes, facts) for entry in form.indicators]
    instrument: dict[str, Any] = {
        "format": INSTRUMENT_FORMAT,
        "form": form.id,
        "edition": form.edition,
        "title": words_json(form.title),
        "stage": form.stage,
        "kind": form.kind,
        "region_class": form.region_class,
        "filled_by": form.filled_by,
        "total": number_json(form.total),
        "rounding": {"item": ITEM_PLACES, "section": SECTION_PLACES, "mode": "half_up"},
        "offline": form.offline,
        "unlock": form.unlock,
        "on_fail": form.on_fail,
        "note": words_json(form.note),
        "trace": form.trace,
        "pass_line": None
        if form.pass_line is None
        else {
            "value": plain(form.pass_line.value),
            "status": form.pass_line.status,
            "note": words_json(form.pass_line.note),
        },
        "repeat": None
        if form.repeat is None
        else {
            "per": form.repeat.per,
            "title": words_json(form.repeat.title),
            "sample": [
                {
                    "type": rule.type,
                    "title": words_json(rule.title),
                    "count": rule.count,
                }
                for rule in form.repeat.sample
            ],
            "status": form.repeat.status,
        },
        "steps": [
            {
                "title": words_json(step.title),
                "minutes": step.minutes,
                "hard_limit": step.hard_limit,
            }
            for step in form.steps
        ],
        "steps_status": form.steps_status,
        "columns": list(form.columns),
        "facts_asked": [_fact(fact) for fact in form.facts],
        "scorers": {name: words_json(text) for name, text in SCORERS.items()},
        "form_digest": form_digest(form),
        "facts": facts,
        "sections": _sections(form, items, facts),
        "items": items,
    }
    instrument["digest"] = digest(instrument)
    return instrument


def digest(value: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the RFC 8785 form of a JSON object, its own `digest` left out."""
    body = {key: entry for key, entry in value.items() if key != "digest"}
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def form_digest(form: Form) -> str:
    """Hex SHA-256 over everything a form says, whichever subject it is used for.

    Line numbers and addresses of public copies stay out: moving a line does not make a new version.
    """
    return hashlib.sha256(rfc8785.dumps(_canonical(form))).hexdigest()


def _canonical(value: object) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [_canonical(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _canonical(entry) for key, entry in value.items()}
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is None:
        return value
    kept = {name: _canonical(getattr(value, name)) for name in slots if name not in _NOT_CONTENT}
    return {"is": type(value).__name__, **kept}


_NOT_CONTENT = ("line", "sources")


def _fact(fact: Fact) -> dict[str, Any]:
    return {"name": fact.name, "title": words_json(fact.title)}


def _applies(condition: Expression | None, facts: Mapping[str, bool]) -> bool:
    return condition is None or evaluate_truth(condition.tree, facts)


def _item(
    form: Form,
    entry: Indicator,
    figures: Mapping[str, Figure],
    vetoes: tuple[Veto, ...],
    facts: Mapping[str, bool],
) -> dict[str, Any]:
    section = next((part for part in form.sections if part.id == entry.section), None)
    in_force = section is None or _applies(section.applies_if, facts)
    return {
        "id": entry.id,
        "section": entry.section,
        "title": words_json(entry.title),
        "min": plain(minimum_of(entry)),
        "max": "0" if is_judgement(entry.scale) else number_json(entry.maximum),
        "places": ITEM_PLACES,
        "scale": scale_json(entry, figures, vetoes),
        "scorer": entry.scorer,
        "evidence": words_json(entry.evidence),
        "guidance": words_json(entry.guidance),
        "note": words_json(entry.note),
        "status": entry.status,
        "max_status": entry.maximum_status,
        "to_confirm": entry.status in ("default", "reconstructed")
        or (entry.maximum_status == "default" and not is_judgement(entry.scale)),
        "trace": entry.trace,
        "provenance": words_json(FOUND_IN_COPY) if entry.source else None,
        "applies": in_force and _applies(entry.applies_if, facts),
        "applies_if": expression_json(entry.applies_if),
        "not_applicable": entry.not_applicable,
    }


def _sections(
    form: Form, items: list[dict[str, Any]], facts: Mapping[str, bool]
) -> list[dict[str, Any]]:
    """Sections with the points they can give; `moved_in` lists what other sections hand over."""
    if not form.sections:
        total = form.total or Decimal(0)
        whole = Section(WHOLE_FORM, WHOLE_FORM_TITLE, total, None, None, None, 0)
        return [_section(whole, True)]
    rows = {
        section.id: _section(section, _applies(section.applies_if, facts))
        for section in form.sections
    }
    for section in form.sections:
        row = rows[section.id]
        if row["applies"] or section.else_move_points_to is None:
            continue
        target = rows[section.else_move_points_to]
        if not target["applies"]:
            text = Text(
                "部分 {a} 的分值要移入 {b}，而 {b} 也不适用",
                "section {a} hands its points to {b}, which does not apply either",
            )
            raise DomainError(text.format(a=section.id, b=section.else_move_points_to))
        target["moved_in"].append({"from": section.id, "max": row["max"]})
        target["effective_max"] = plain(Decimal(target["effective_max"]) + section.maximum)
        row["effective_max"] = "0"
    return list(rows.values())


def _section(section: Section, applies: bool) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": words_json(section.title),
        "max": plain(section.maximum),
        "effective_max": plain(section.maximum) if applies else "0",
        "applies": applies,
        "applies_if": expression_json(section.applies_if),
        "moves_to": section.else_move_points_to,
        "moved_in": [],
        "min_share": number_json(section.min_share),
    }
