"""The scale types a form may use, one strict dataclass each, and how they are read from YAML.

A scale says how an entry becomes points. `scoring_forms/README.md` shows one example of each.
Values are exact Decimals; shares are between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.domain.scoring.expressions import (
    Expression,
    ExpressionError,
    Kind,
    compile_expression,
)
from app.domain.scoring.yaml_source import Fields
from app.domain.types import Text

ZERO_RESULTS = ("full", "zero", "not_applicable")
ITEM_STATUSES = (
    "seed",
    "found",
    "found_modified",
    "found_scaled",
    "found_partial",
    "reconstructed",
    "default",
)
ZERO = Decimal(0)
HALF = Decimal("0.5")
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of a checklist or one row of a grade table."""

    id: str
    title: Text
    points: Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """One grade: shares of the item's maximum, `low` inclusive, `high` inclusive only at the top."""

    id: str
    title: Text
    low: Decimal
    high: Decimal
    high_inclusive: bool
    reason: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Points for a value inside all the limits given; bands are tried in order, first match wins."""

    ge: Decimal | None
    gt: Decimal | None
    lt: Decimal | None
    le: Decimal | None
    points: Decimal

    def holds(self, value: Decimal) -> bool:
        """Whether `value` lies in the band; ge and le are inclusive."""
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.lt is None or value < self.lt)
            and (self.le is None or value <= self.le)
        )


@dataclass(frozen=True, slots=True)
class SmallClass:
    """What replaces min-max when fewer than 3 subjects, or no spread, make it 0/0."""

    method: Literal["target_ratio", "bands"]
    target: Decimal | None
    bands: tuple[Band, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Measure:
    """An expression over declared figures, with what to do when it has no usable value.

    `valid_if` false gives `otherwise`; a zero denominator gives `zero_denominator`.
    """

    expression: Expression
    zero_denominator: str | None
    valid_if: Expression | None
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class DirectPoints:
    minimum: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True)
class Grade:
    levels: tuple[Level, ...]
    step: Decimal


@dataclass(frozen=True, slots=True)
class Checklist:
    items: tuple[Tick, ...]
    items_status: str


@dataclass(frozen=True, slots=True)
class Deduct:
    per_case: Decimal
    floor: Literal["zero", "minus_max"]


@dataclass(frozen=True, slots=True)
class Bands:
    measure: Measure
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    measure: Measure
    direction: Literal["up", "down"]
    normalise: Literal["minmax_in_class", "target_ratio", "bands"]
    target: Decimal | None
    bands: tuple[Band, ...]
    small_class: SmallClass | None


@dataclass(frozen=True, slots=True)
class Survey:
    measure: Measure
    min_sample: int
    sample_figure: str


@dataclass(frozen=True, slots=True)
class PassFail:
    pass


@dataclass(frozen=True, slots=True)
class VetoOpinion:
    vetoes: tuple[str, ...]
    assignment_status: str


@dataclass(frozen=True, slots=True)
class PassFailPoints:
    pass


@dataclass(frozen=True, slots=True)
class ChecklistDeduct:
    items: tuple[Tick, ...]
    items_status: str
    per_case: Decimal
    floor: Literal["zero", "minus_max"]


@dataclass(frozen=True, slots=True)
class GradeTable:
    table: tuple[Tick, ...]
    factor_for_prior_year: Decimal


@dataclass(frozen=True, slots=True)
class Bonus:
    ladder: tuple[Tick, ...]
    cap: Decimal | None
    stacking: Literal["highest_per_document", "every_award"]
    stacking_status: str


Scale = (
    DirectPoints
    | Grade
    | Checklist
    | Deduct
    | Bands
    | Formula
    | Survey
    | PassFail
    | VetoOpinion
    | PassFailPoints
    | ChecklistDeduct
    | GradeTable
    | Bonus
)
Names = Mapping[str, Kind]

DEFAULT_LEVELS = (
    Level("excellent", Text("优秀", "Excellent"), Decimal("0.90"), Decimal(1), True, False),
    Level("good", Text("良好", "Good"), Decimal("0.75"), Decimal("0.90"), False, False),
    Level("fair", Text("一般", "Fair"), Decimal("0.60"), Decimal("0.75"), False, False),
    Level("poor", Text("较差", "Poor"), ZERO, Decimal("0.60"), False, True),
)


def read_scale(fields: Fields, names: Names) -> Scale:
    """The scale of one indicator. `names`: the figures and facts the form declares."""
    kind = fields.choice("type", SCALE_TYPES)
    reader = _READERS.get(kind)
    scale: Scale = reader(fields, names) if reader else PassFail()
    if reader:
        fields.end()
    return scale


def read_expression(fields: Fields, key: str, names: Names, want: Kind) -> Expression | None:
    """The expression under `key`, or None when absent; a refused one is reported."""
    source = fields.optional_text(key)
    if source is None:
        return None
    try:
        return compile_expression(source, names, want)
    except ExpressionError as error:
        fix = Text(
            "声明名称，或按 README 改写",
            "declare the name or rewrite it as README.md says",
        )
        fields.report(fields.at(key), "expression", error.text, fix)
        return None


_PLACEHOLDER = Expression("0", {"num": "0"}, "num", frozenset(), False)


def _measure(fields: Fields, names: Names) -> Measure:
    if not fields.has("expression"):
        fields.text("expression")
    expression = read_expression(fields, "expression", names, "num") or _PLACEHOLDER
    valid_if = read_expression(fields, "valid_if", names, "bool")
    zero = fields.optional_choice("zero_denominator", ZERO_RESULTS)
    otherwise = fields.optional_choice("otherwise", ZERO_RESULTS)
    if fields.has("valid_if") != fields.has("otherwise"):
        what = Text("valid_if 与 otherwise 须同时写", "valid_if and otherwise go together")
        fields.report(fields.source, "valid-if", what)
    return Measure(expression, zero, valid_if, otherwise)


def _ticks(fields: Fields, key: str) -> tuple[Tick, ...]:
    ticks = []
    for entry in fields.children(key, required=True):
        ticks.append(Tick(entry.text("id"), entry.pair("title"), entry.number("points")))
        entry.end()
    return tuple(ticks)


def _bands(fields: Fields, key: str, required: bool) -> tuple[Band, ...]:
    bands = []
    for entry in fields.children(key, required=required):
        band = Band(
            ge=entry.optional_number("ge"),
            gt=entry.optional_number("gt"),
            lt=entry.optional_number("lt"),
            le=entry.optional_number("le"),
            points=entry.number("points"),
        )
        if (band.ge, band.gt, band.lt, band.le) == (None, None, None, None):
            what = Text("分段没有界限", "a band without a limit")
            entry.report(entry.source, "band", what)
        bands.append(band)
        entry.end()
    return tuple(bands)


def _grade(fields: Fields, names: Names) -> Grade:
    levels = []
    for entry in fields.children("levels"):
        levels.append(
            Level(
                entry.text("id"),
                entry.pair("title"),
                entry.number("low"),
                entry.number("high"),
                entry.flag("high_inclusive"),
                entry.flag("reason"),
            )
        )
        entry.end()
    return Grade(tuple(levels) or DEFAULT_LEVELS, fields.number("step", TENTH))


def _floor(fields: Fields) -> Literal["zero", "minus_max"]:
    chosen = fields.choice("floor", ("zero", "minus_max"))
    return "minus_max" if chosen == "minus_max" else "zero"


def _formula(fields: Fields, names: Names) -> Formula:
    direction = fields.choice("direction", ("up", "down"))
    normalise = fields.choice("normalise", ("minmax_in_class", "target_ratio", "bands"))
    small = None
    small_fields = fields.optional_child("small_class")
    if small_fields is not None:
        method = small_fields.choice("method", ("target_ratio", "bands"))
        small = SmallClass(
            "bands" if method == "bands" else "target_ratio",
            small_fields.optional_number("target"),
            _bands(small_fields, "bands", method == "bands"),
            small_fields.choice("status", ITEM_STATUSES),
        )
        small_fields.end()
    return Formula(
        _measure(fields, names),
        "down" if direction == "down" else "up",
        "bands"
        if normalise == "bands"
        else ("target_ratio" if normalise == "target_ratio" else "minmax_in_class"),
        fields.optional_number("target"),
        _bands(fields, "bands", normalise == "bands"),
        small,
    )


def _bonus(fields: Fields, names: Names) -> Bonus:
    stacking = fields.choice("stacking", ("highest_per_document", "every_award"))
    return Bonus(
        _ticks(fields, "ladder"),
        fields.optional_number("cap"),
        "every_award" if stacking == "every_award" else "highest_per_document",
        fields.choice("stacking_status", ITEM_STATUSES),
    )


_READERS: dict[str, Callable[[Fields, Names], Scale]] = {
    "points": lambda f, n: DirectPoints(f.number("min", ZERO), f.number("step", HALF)),
    "grade": _grade,
    "checklist": lambda f, n: Checklist(
        _ticks(f, "items"), f.choice("items_status", ITEM_STATUSES)
    ),
    "deduct": lambda f, n: Deduct(f.number("per_case"), _floor(f)),
    "bands": lambda f, n: Bands(_measure(f, n), _bands(f, "bands", True)),
    "formula": _formula,
    "survey": lambda f, n: Survey(_measure(f, n), f.integer("min_sample"), f.text("sample_figure")),
    "passfail": lambda f, n: PassFail(),
    "veto": lambda f, n: VetoOpinion(
        f.words("vetoes", required=True), f.choice("assignment_status", ITEM_STATUSES)
    ),
    "passfail_points": lambda f, n: PassFailPoints(),
    "checklist_deduct": lambda f, n: ChecklistDeduct(
        _ticks(f, "items"),
        f.choice("items_status", ITEM_STATUSES),
        f.number("per_case"),
        _floor(f),
    ),
    "grade_table": lambda f, n: GradeTable(
        _ticks(f, "table"), f.number("factor_for_prior_year", Decimal(1))
    ),
    "bonus": _bonus,
}
SCALE_TYPES = tuple(_READERS)
