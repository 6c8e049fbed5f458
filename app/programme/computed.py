"""Points that the system computes from figures, for all counties of a class together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.domain.scoring.formulas import (
    ClassPoints,
    MissingFigure,
    compute_class,
    computed_items,
    needs_class,
)
from app.domain.scoring.formulas import missing_figures as missing_in
from app.domain.scoring.measures import half_up, plain
from app.domain.types import DomainError, Text
from app.programme.figures import figures_of, in_running
from app.programme.instruments import compiled, pin_for
from app.programme.models import Figure, Round, Subject

_UNCONFIRMED = Text(
    "有 {n} 项数据尚未由第二人确认，未计算：{list}。确认后重算。",
    "{n} figure(s) are not confirmed by a second person, nothing computed: {list}. Confirm them "
    "and compute again.",
)
_OF_A_CLASS = Text("{how}；取值 {low} 至 {high}", "{how}; values from {low} to {high}")


def computed_points(
    session: Session, round_: Round, stage: str, *, without: Collection[str] = ()
) -> dict[str, dict[str, dict[str, Any]]]:
    """Subject id -> item id -> `{points, explanation, inputs, maximum, frame}` of a stage's computed
    items.

    `points` is a Decimal rounded at the item stage, or None where the item does not apply;
    `explanation` a Text; `inputs` a list of `{key, title, value, unit, year, source}`; `frame` how
    the class was put on a scale that compares it, else None. Counties
    that were vetoed or withdrew, or are named in `without`, take no part, also not in the class's lowest and highest value.
    Raises MissingFigure naming every county and figure, DomainError for unconfirmed figures.
    """
    subjects = [
        subject
        for subject in in_running(round_)
        if subject.id not in without and pin_for(round_, stage, subject.region_class) is not None
    ]
    return _of_stage(round_, stage, subjects, figures_of(session, round_))


def computed_points_of(
    session: Session, round_: Round, stage: str, subject: Subject
) -> dict[str, dict[str, Any]]:
    """Item id -> row, as `computed_points`, for one county: its class is read and computed only
    where one of the form's scales compares the class."""
    group = _compared(round_, stage, subject)
    if not group:
        return {}
    have = figures_of(session, round_, group)
    return _of_stage(round_, stage, group, have)[subject.id]


def computed_points_each(
    session: Session, round_: Round, stage: str, subjects: Collection[Subject]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Subject id -> what `computed_points_of` gives, in one query for all of them; a county with a
    missing or unconfirmed figure has no rows instead of stopping the others."""
    have = figures_of(session, round_)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for subject in subjects:
        group = _compared(round_, stage, subject)
        try:
            rows = _of_stage(round_, stage, group, have).get(subject.id, {}) if group else {}
        except DomainError:  # said by name to the office, which has to fill it in
            rows = {}
        found[subject.id] = rows
    return found


def _compared(round_: Round, stage: str, subject: Subject) -> list[Subject]:
    """The county, with its class where a scale of its form compares the class; none without a form."""
    pin = pin_for(round_, stage, subject.region_class)
    if pin is None:
        return []
    if not needs_class(compiled(round_, subject, pin.form_version)):
        return [subject]
    same = [s for s in in_running(round_) if s.region_class == subject.region_class]
    return same if subject in same else [*same, subject]


def survey_score(session: Session, round_: Round, subject: Subject) -> Decimal | None:
    """A county's points on the survey form (0 to the form's total); None without such a form.

    Raises like `computed_points`, for this county alone.
    """
    if pin_for(round_, "survey", subject.region_class) is None:
        return None
    have = figures_of(session, round_, [subject])
    items = _of_stage(round_, "survey", [subject], have)[subject.id]
    return sum((row["points"] for row in items.values() if row["points"] is not None), Decimal(0))


def _of_stage(
    round_: Round,
    stage: str,
    subjects: list[Subject],
    have: dict[str, dict[str, Figure]],
) -> dict[str, dict[str, dict[str, Any]]]:
    instruments = {}
    for subject in subjects:
        pin = pin_for(round_, stage, subject.region_class)
        assert pin is not None  # the caller chose subjects that have one
        instruments[subject.id] = compiled(round_, subject, pin.form_version)
    names = {subject.id: subject.name for subject in subjects}
    values = {
        subject.id: {key: figure.value for key, figure in have[subject.id].items()}
        for subject in subjects
    }
    missing = missing_in(instruments, values)
    if missing:
        raise MissingFigure(
            tuple(
                replace(m, subject=_both(names[m.subject]), title=_with_key(m.title, m.figure))
                for m in missing
            )
        )
    _all_confirmed(instruments, have, names)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for cls in dict.fromkeys(subject.region_class for subject in subjects):
        group = [subject for subject in subjects if subject.region_class == cls]
        points = compute_class({s.id: instruments[s.id] for s in group}, values)
        for subject in group:
            found[subject.id] = {
                item["id"]: _row(subject, item, points, have[subject.id])
                for item in computed_items(instruments[subject.id])
            }
    return found


def _both(name: Text) -> str:
    return name.zh if name.zh == name.en else f"{name.zh} {name.en}"


def _with_key(title: Text, key: str) -> Text:
    return Text("{t}（{k}）", "{t} ({k})").format(t=title, k=key)


def _all_confirmed(
    instruments: dict[str, dict[str, Any]],
    have: dict[str, dict[str, Figure]],
    names: dict[str, Text],
) -> None:
    open_ = list(
        dict.fromkeys(
            (subject_id, figure["name"], figure["title"]["zh"], figure["title"]["en"])
            for subject_id, instrument in instruments.items()
            for item in computed_items(instrument)
            for figure in item["scale"]["figures"]
            if have[subject_id][figure["name"]].confirmed_at is None
        )
    )
    if open_:
        listed = Text(
            "；".join(f"{names[s].zh}：{zh}（{key}）" for s, key, zh, _ in open_),
            "; ".join(f"{names[s].en}: {en} ({key})" for s, key, _, en in open_),
        )
        raise DomainError(_UNCONFIRMED.format(n=len(open_), list=listed), field=open_[0][1])


def _row(
    subject: Subject, item: dict[str, Any], points: ClassPoints, have: dict[str, Figure]
) -> dict[str, Any]:
    given, frame = points.points[subject.id][item["id"]], points.frames[item["id"]]
    how = Text("{w}（{n}）", "{w} ({n})").format(w=given.working, n=frame.note)
    if frame.low is not None and frame.high is not None and frame.method == "minmax_in_class":
        low, high = (plain(half_up(bound, 6)) for bound in (frame.low, frame.high))
        how = _OF_A_CLASS.format(how=how, low=low, high=high)
    inputs = [
        {
            "key": figure["name"],
            "title": Text.of(figure["title"]),
            "value": have[figure["name"]].value,
            "unit": Text.of(figure["unit"]),
            "year": have[figure["name"]].year,
            "source": have[figure["name"]].source,
        }
        for figure in item["scale"]["figures"]
    ]
    return {
        "points": given.points,
        "explanation": how,
        "inputs": inputs,
        "maximum": given.maximum,
        "frame": frame if item["scale"].get("normalise") == "minmax_in_class" else None,
    }
