"""One indicator's scale as instrument JSON: decimals as strings, grades as marks, expression trees."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.scoring.expressions import Expression
from app.domain.scoring.measures import plain
from app.domain.scoring.scale_schema import (
    Band,
    Bands,
    Bonus,
    Checklist,
    ChecklistDeduct,
    Deduct,
    DirectPoints,
    Formula,
    Grade,
    GradeTable,
    Measure,
    PassFail,
    PassFailPoints,
    Scale,
    SmallClass,
    Survey,
    Tick,
    VetoOpinion,
)
from app.domain.scoring.schema import Figure, Indicator
from app.domain.scoring.scheme_parts import Veto
from app.domain.types import DomainError, Text


def words_json(text: Text | None) -> dict[str, str] | None:
    """{zh, en}, or None."""
    return None if text is None else {"zh": text.zh, "en": text.en}


def number_json(value: Decimal | None) -> str | None:
    """A decimal as a plain string."""
    return None if value is None else plain(value)


def figure_json(figure: Figure) -> dict[str, Any]:
    """A declared figure with its unit and limits (inclusive)."""
    return {
        "name": figure.name,
        "title": words_json(figure.title),
        "unit": words_json(figure.unit),
        "minimum": number_json(figure.minimum),
        "maximum": number_json(figure.maximum),
        "integer": figure.integer,
        "from_form": figure.from_form,
    }


def expression_json(expression: Expression | None) -> dict[str, Any] | None:
    """The source to show and the tree to evaluate."""
    if expression is None:
        return None
    return {"source": expression.source, "tree": expression.tree}


def is_judgement(scale: Scale) -> bool:
    """Whether the scale gives a verdict instead of points."""
    return isinstance(scale, (PassFail, VetoOpinion))


def minimum_of(entry: Indicator) -> Decimal:
    """The lowest points an indicator can give; negative where deductions pass zero."""
    scale = entry.scale
    if isinstance(scale, DirectPoints):
        return scale.minimum
    if isinstance(scale, (Deduct, ChecklistDeduct)) and scale.floor == "minus_max":
        return -(entry.maximum or Decimal(0))
    return Decimal(0)


def _ticks(ticks: tuple[Tick, ...]) -> list[dict[str, Any]]:
    return [
        {"id": tick.id, "title": words_json(tick.title), "points": plain(tick.points)}
        for tick in ticks
    ]


def _bands(bands: tuple[Band, ...]) -> list[dict[str, Any]]:
    return [
        {
            "ge": number_json(band.ge),
            "gt": number_json(band.gt),
            "lt": number_json(band.lt),
            "le": number_json(band.le),
            "points": plain(band.points),
        }
        for band in bands
    ]


def _measure(measure: Measure, figures: Mapping[str, Figure], *extra: str) -> dict[str, Any]:
    names = set(measure.expression.names) | set(extra)
    if measure.valid_if is not None:
        names |= measure.valid_if.names
    return {
        "expression": expression_json(measure.expression),
        "zero_denominator": measure.zero_denominator,
        "valid_if": expression_json(measure.valid_if),
        "otherwise": measure.otherwise,
        "figures": [figure_json(figures[name]) for name in sorted(names) if name in figures],
    }


def _small_class(small: SmallClass | None) -> dict[str, Any] | None:
    if small is None:
        return None
    return {
        "method": small.method,
        "target": number_json(small.target),
        "bands": _bands(small.bands),
        "status": small.status,
    }


def scale_json(
    entry: Indicator, figures: Mapping[str, Figure], vetoes: tuple[Veto, ...]
) -> dict[str, Any]:
    """The scale of `entry`; the keys by type are those of the dataclasses in scale_schema.py.

    Raises DomainError for a veto the scheme does not define.
    """
    maximum = entry.maximum or Decimal(0)
    match entry.scale:
        case DirectPoints(step=step):
            return {"type": "points", "step": plain(step)}
        case Grade(levels=levels, step=step):
            rows = [
                {
                    "id": level.id,
                    "title": words_json(level.title),
                    "low": plain(level.low * maximum),
                    "high": plain(level.high * maximum),
                    "high_inclusive": level.high_inclusive,
                    "reason": level.reason,
                }
                for level in levels
            ]
            return {"type": "grade", "step": plain(step), "levels": rows}
        case Checklist(items=items, items_status=status):
            return {"type": "checklist", "items": _ticks(items), "items_status": status}
        case Deduct(per_case=per_case, floor=floor):
            return {"type": "deduct", "per_case": plain(per_case), "floor": floor}
        case Bands(measure=measure, bands=bands):
            return {
                "type": "bands",
                **_measure(measure, figures),
                "bands": _bands(bands),
            }
        case Formula() as formula:
            return {
                "type": "formula",
                **_measure(formula.measure, figures),
                "direction": formula.direction,
                "normalise": formula.normalise,
                "target": number_json(formula.target),
                "bands": _bands(formula.bands),
                "small_class": _small_class(formula.small_class),
            }
        case Survey(measure=measure, min_sample=min_sample, sample_figure=sample):
            return {
                "type": "survey",
                **_measure(measure, figures, sample),
                "min_sample": min_sample,
                "sample_figure": sample,
            }
        case PassFail():
            return {"type": "passfail"}
        case PassFailPoints():
            return {"type": "passfail_points"}
        case VetoOpinion(vetoes=ids, assignment_status=status):
            return {
                "type": "veto",
                "vetoes": [_veto(wanted, vetoes) for wanted in ids],
                "assignment_status": status,
            }
        case ChecklistDeduct(items=items, items_status=status, per_case=per_case, floor=floor):
            return {
                "type": "checklist_deduct",
                "items": _ticks(items),
                "items_status": status,
                "per_case": plain(per_case),
                "floor": floor,
            }
        case GradeTable(table=table, factor_for_prior_year=factor):
            return {
                "type": "grade_table",
                "table": _ticks(table),
                "factor_for_prior_year": plain(factor),
            }
        case Bonus(ladder=ladder, cap=cap, stacking=stacking, stacking_status=status):
            return {
                "type": "bonus",
                "ladder": _ticks(ladder),
                "cap": number_json(cap),
                "stacking": stacking,
                "stacking_status": status,
            }


def _veto(wanted: str, vetoes: tuple[Veto, ...]) -> dict[str, Any]:
    for veto in vetoes:
        if veto.id == wanted:
            return {
                "id": veto.id,
                "title": words_json(veto.title),
                "expression": expression_json(veto.expression),
                "window": words_json(veto.window),
                "note": words_json(veto.note),
                "status": veto.status,
            }
    text = Text("方案中没有否决项 {v}", "the scheme defines no veto {v}").format(v=wanted)
    raise DomainError(text, field=wanted)
