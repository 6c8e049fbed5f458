"""Figures behind formula, band and survey items, and behind vetoes: two people for each number.

Whoever enters a figure does not confirm it. A figure that is missing or not confirmed blocks a
computation by name; it is never taken as zero.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.expressions import MissingValue
from app.domain.scoring.formulas import computed_items
from app.domain.scoring.measures import check_figure, decimal_of
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger.append import append
from app.programme.guards import account_id, require, while_live, words
from app.programme.instruments import RECHECK, compiled, pin_for, pinned_stages
from app.programme.models import Figure, Round, Subject
from app.programme.scheme import scheme_of
from app.programme.ticks import ticked

YEARS = range(1990, 2101)
RUNNING = ("declared", "qualified")  # status of a county that is neither vetoed nor withdrawn
GATE = "veto"  # the item of a figure that only a veto reads

_NO_KEY = Text(
    "没有指标数据“{key}”。没有保存；请从表中已声明的数据项中选择。",
    "No form declares the figure “{key}”. Nothing was saved; choose one that a form declares.",
)
_NOT_A_NUMBER = Text(
    "“{value}”不是普通十进制数。没有保存；请只填数字，例如 1234.5。",
    "“{value}” is not a plain decimal number. Nothing was saved; write digits only, as in 1234.5.",
)
_UNIT = Text(
    "{title}的单位应为“{unit}”，不是“{given}”。没有保存；请换算后填写。",
    "The unit of {title} is “{unit}”, not “{given}”. Nothing was saved; convert the value first.",
)
_YEAR = Text(
    "年份须在 {low} 至 {high} 之间。没有保存。",
    "The year must be between {low} and {high}. Nothing was saved.",
)
_CHANGED = Text(
    "{title}刚被他人改为 {value}。您的数值没有保存；请核对后再填。",
    "Somebody else has just set {title} to {value}. Your value was not saved; check and enter it "
    "again.",
)
_SAME_PERSON = Text(
    "录入人不能确认自己录入的数据。没有改动；请由另一人核对原始资料后确认。",
    "Whoever entered a figure cannot confirm it. Nothing was changed; another person compares it "
    "with the source and confirms.",
)
_CONFIRMED = Text(
    "该数据已由他人确认。没有改动。", "This figure is confirmed already. Nothing was changed."
)
_NO_FIGURE = Text("没有这项数据。", "There is no such figure.")


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A figure that the round's forms or vetoes read: unit and limits (inclusive)."""

    key: str
    title: Text
    unit: Text
    minimum: Decimal | None
    maximum: Decimal | None
    integer: bool
    stages: tuple[str, ...]

    def declared(self) -> dict[str, Any]:
        """As `check_figure` of the scoring domain takes it."""
        return {
            "title": {"zh": self.title.zh, "en": self.title.en},
            "minimum": None if self.minimum is None else format(self.minimum, "f"),
            "maximum": None if self.maximum is None else format(self.maximum, "f"),
            "integer": self.integer,
        }


class MissingFigureOf(NamedTuple):
    """A figure still to be entered: for which county, and which item needs it."""

    subject: Subject
    key: str
    item: str


def needs(round_: Round, subject: Subject) -> list[tuple[str, str, dict[str, Any]]]:
    """(stage, item id, figure of the instrument) for every figure that a county's forms read."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for stage in pinned_stages(round_):
        pin = pin_for(round_, stage, subject.region_class)
        if pin is None:
            continue
        try:
            instrument = compiled(round_, subject, pin.form_version)
        except MissingValue:
            continue  # an unanswered fact; the opening refuses it by name
        for item in computed_items(instrument):
            found.extend((stage, str(item["id"]), figure) for figure in item["scale"]["figures"])
    return found


def figure_catalogue(round_: Round) -> dict[str, FigureSpec]:
    """Every figure of the round by key: the forms' first, then those that only vetoes read."""
    found: dict[str, FigureSpec] = {}
    for subject in round_.subjects:
        for stage, _, figure in needs(round_, subject):
            known = found.get(figure["name"])
            stages = (*known.stages, stage) if known else (stage,)
            found[figure["name"]] = FigureSpec(
                key=figure["name"],
                title=Text.of(figure["title"]),
                unit=Text.of(figure["unit"]),
                minimum=decimal_of(figure["minimum"]),
                maximum=decimal_of(figure["maximum"]),
                integer=bool(figure["integer"]),
                stages=tuple(dict.fromkeys(stages)),
            )
    scheme = scheme_of(round_)
    read = {n for veto in scheme.vetoes if veto.expression for n in veto.expression.names}
    for entry in scheme.figures:
        if entry.name in read and entry.name not in found:
            found[entry.name] = FigureSpec(
                entry.name,
                entry.title,
                entry.unit,
                entry.minimum,
                entry.maximum,
                entry.integer,
                (GATE,),
            )
    return found


def parse_number(value: str | int | Decimal) -> Decimal:
    """A typed number: full-width digits and thousands commas are understood, exponents are not."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value).strip().replace("\u2212", "-")
        if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", text):
            text = text.replace(",", "")
        number = decimal_of(text)
    else:
        number = decimal_of(value)
    if number is None:
        raise DomainError(_NOT_A_NUMBER.format(value=str(value)[:40]), field="value")
    return number


def checked(
    catalogue: Mapping[str, FigureSpec],
    key: str,
    value: str | int | Decimal,
    unit: str,
    year: int | None,
    source: str,
) -> tuple[FigureSpec, Decimal, int | None, str]:
    """One figure's parts against its declaration; DomainError with the field that is wrong."""
    spec = catalogue.get(key.strip())
    if spec is None:
        raise DomainError(_NO_KEY.format(key=key), field="key")
    number = parse_number(value)
    try:
        number = check_figure(spec.declared(), number, spec.key)
    except DomainError as error:
        raise DomainError(error.text, field="value") from error
    given = unit.strip()
    if given and given not in (spec.unit.zh, spec.unit.en):
        text = _UNIT.format(title=spec.title, unit=spec.unit, given=given)
        raise DomainError(text, field="unit")
    if year is not None and year not in YEARS:
        raise DomainError(_YEAR.format(low=YEARS[0], high=YEARS[-1]), field="year")
    return spec, number, year, words(source, Text("来源", "Source"), "source")


def enter_figure(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    key: str,
    value: str | int | Decimal,
    unit: str,
    year: int | None,
    source: str,
    *,
    seen: str | None = None,
    catalogue: Mapping[str, FigureSpec] | None = None,
) -> Figure:
    """Enter or correct a figure; a correction has to be confirmed anew.

    `unit` may be empty: it is then the declared one. `seen` is the value that the form showed ("" for
    none); Conflict when another value stands there by now. `catalogue` is the round's, when the caller
    has it: finding it compiles the forms of every county.
    """
    require(actor, "office")
    while_live(subject.round)
    catalogue = figure_catalogue(subject.round) if catalogue is None else catalogue
    spec, number, year, source = checked(catalogue, key, value, unit, year, source)
    figure = session.scalar(
        select(Figure).where(Figure.subject_id == subject.id, Figure.key == spec.key)
    )
    if seen is not None and seen != ("" if figure is None else format(figure.value, "f")):
        now = "—" if figure is None else format(figure.value, "f")
        raise Conflict(_CHANGED.format(title=spec.title, value=now), field="value")
    if figure is None:
        figure = Figure(key=spec.key)
        subject.figures.append(figure)
    figure.value, figure.unit, figure.year, figure.source = number, spec.unit.zh, year, source
    figure.entered_by, figure.entered_at = account_id(actor), clock.now()
    figure.confirmed_by = figure.confirmed_at = None
    session.flush()
    append(session, actor, "figure.enter", subject=subject.id, key=spec.key)
    return figure


def confirm_figure(session: Session, actor: Viewer | None, figure: Figure) -> Figure:
    """A second person has compared the figure with its source. Forbidden for who entered it."""
    require(actor, "office")
    subject = session.get_one(Subject, figure.subject_id)
    while_live(subject.round)
    if figure.confirmed_at is not None:
        raise Conflict(_CONFIRMED)
    if account_id(actor) is None or figure.entered_by == account_id(actor):
        raise Forbidden(_SAME_PERSON)
    figure.confirmed_by, figure.confirmed_at = account_id(actor), clock.now()
    append(session, actor, "figure.confirm", subject=subject.id, key=figure.key)
    return figure


def confirm_figures(
    session: Session, actor: Viewer | None, round_: Round, ticks: Sequence[str]
) -> list[Figure]:
    """Confirm every ticked figure of the round (`ticks.tick_of`), or none; each as by `confirm_figure`."""
    require(actor, "office")
    while_live(round_)
    rows = {
        figure.id: figure for row in figures_of(session, round_).values() for figure in row.values()
    }
    counties = {subject.id: subject.name for subject in round_.subjects}

    def name(figure: Figure) -> Text:
        spec = figure_catalogue(round_).get(figure.key)
        title = spec.title if spec else Text(figure.key, figure.key)
        return Text("“{c} {t}”", "“{c}: {t}”").format(c=counties[figure.subject_id], t=title)

    chosen = ticked(actor, ticks, rows, _NO_FIGURE, name)
    return [confirm_figure(session, actor, figure) for figure in chosen]


def figures_of(
    session: Session, round_: Round, subjects: Sequence[Subject] | None = None
) -> dict[str, dict[str, Figure]]:
    """Subject id -> key -> figure in one query, for the whole round or the counties given."""
    group = round_.subjects if subjects is None else subjects
    found: dict[str, dict[str, Figure]] = {subject.id: {} for subject in group}
    wanted = select(Figure).order_by(Figure.key)
    if subjects is None:
        wanted = wanted.join(Subject, Subject.id == Figure.subject_id)
        wanted = wanted.where(Subject.round_id == round_.id)
    else:
        wanted = wanted.where(Figure.subject_id.in_(list(found)))
    for figure in session.scalars(wanted):
        found[figure.subject_id][figure.key] = figure
    return found


def missing_figures(session: Session, round_: Round) -> list[MissingFigureOf]:
    """Every figure that this round's result needs and nobody has entered, in the forms' order.

    Counties that were vetoed or withdrew need none. What only a veto reads is not listed: there a
    signed opinion decides; nor what the later re-check reads.
    """
    return missing_of(round_, figures_of(session, round_))


def missing_of(round_: Round, have: Mapping[str, Container[str]]) -> list[MissingFigureOf]:
    """As `missing_figures`, from the keys of the figures at hand by subject id."""
    return [
        MissingFigureOf(subject, figure["name"], item)
        for subject in in_running(round_)
        for stage, item, figure in needs(round_, subject)
        if stage != RECHECK and figure["name"] not in have[subject.id]
    ]


def unconfirmed_figures(session: Session, round_: Round) -> list[Figure]:
    """Figures that were entered and still wait for the second person."""
    return [
        figure
        for row in figures_of(session, round_).values()
        for figure in row.values()
        if figure.confirmed_at is None
    ]


def in_running(round_: Round) -> list[Subject]:
    """Counties that are neither vetoed nor withdrawn."""
    return [s for s in round_.subjects if s.status in RUNNING]
