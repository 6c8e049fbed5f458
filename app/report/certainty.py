"""How sure the ranks are, as a report prints it: the figures of the diagnostics pages, kept once.

They are computed by `Diagnosis.certainty` with the seeds of the run, and kept with the report when it goes
to signing: what the members sign does not move with a later version of a library. Before that a draft
computes them each time it is printed. Floats are kept as their shortest text, which reads back exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.diagnostics import Certainty, Cut, Rater, Sure
from app.aggregation.diagnostics_queries import diagnosis_of
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.domain.statistics.sensitivity import LeftOut, OtherRule, WeightSensitivity
from app.domain.types import Text
from app.report.models import RankFigures, Report


def figures(session: Session, run: Run) -> dict[str, Any]:
    """JSON of the certainty of a run at the cut line of its rule; `stale` alone where the stored
    scores do not come out again. Slow in large rounds (seconds): keep it out of a write."""
    looked = diagnosis_of(session, run)
    if looked.stale is not None:
        return {"stale": _pair(looked.stale)}
    found = looked.certainty(looked.cut())
    return {
        "cut": {
            "top": found.cut.top,
            "origin": found.cut.origin,
            "edges": list(found.cut.edges),
            "most": found.cut.most,
        },
        "reason": _pair(found.reason),
        "draws": found.draws,
        "seed": found.seed,
        "rows": {
            row.place.id: {
                "chance": _said(row.chance),
                "standing": row.standing,
                "weights": _said(row.weights),
                "weights_interval": row.weights_interval and list(row.weights_interval),
                "shadow": row.shadow,
                "crosses": row.crosses,
            }
            for row in found.rows
        },
        "weights": {
            "draws": found.weights.draws,
            "seed": found.weights.seed,
            "same_list": _said(found.weights.same_list),
            "reason": _pair(found.weights.reason),
        },
        "left_out": [
            {
                "rater": rater.key,
                "seats": list(rater.seats),
                "places": [[stage, label] for stage, _, label in rater.places],
                "subjects": one.subjects,
                "into": list(one.into),
                "out": list(one.out),
                "largest_shift": one.largest_shift,
            }
            for rater, one in found.left_out
        ],
        "others": [
            {
                "name": other.name,
                "title": _pair(other.title),
                "ranks": dict(other.ranks),
                "into": list(other.into),
                "out": list(other.out),
                "largest_shift": other.largest_shift,
                "reason": _pair(other.reason),
            }
            for other in found.others
        ],
    }


def kept(session: Session, report: Report) -> dict[str, Any]:
    """The figures that a report keeps, or those that it would keep now."""
    row = session.scalar(select(RankFigures).where(RankFigures.report_id == report.id))
    return row.figures if row is not None else figures(session, report.run)


def restored(reading: Reading, stored: Mapping[str, Any]) -> Certainty | Text:
    """The figures as the pages have them; a Text says why there are none."""
    if "stale" in stored:
        return Text.of(stored["stale"])
    cut = stored["cut"]
    rows = tuple(
        Sure(
            place,
            _number(row["chance"]),
            row["standing"],
            _number(row["weights"]),
            row["weights_interval"] and tuple(row["weights_interval"]),
            row["shadow"],
            row["crosses"],
        )
        for place in reading.ranking()
        if (row := stored["rows"].get(place.id)) is not None
    )
    weights = stored["weights"]
    return Certainty(
        Cut(cut["top"], cut["origin"], tuple(cut["edges"]), cut["most"]),
        rows,
        _text(stored["reason"]),
        stored["draws"],
        stored["seed"],
        WeightSensitivity(
            {},
            weights["draws"],
            weights["seed"],
            _number(weights["same_list"]),
            _text(weights["reason"]),
        ),
        tuple((_rater(reading, row), _left_out(row)) for row in stored["left_out"]),
        tuple(
            OtherRule(
                row["name"],
                Text.of(row["title"]),
                row["ranks"],
                tuple(row["into"]),
                tuple(row["out"]),
                row["largest_shift"],
                _text(row["reason"]),
            )
            for row in stored["others"]
        ),
    )


def _rater(reading: Reading, row: Mapping[str, Any]) -> Rater:
    places = tuple((stage, reading.titles[stage], label) for stage, label in row["places"])
    return Rater(row["rater"], tuple(row["seats"]), places)


def _left_out(row: Mapping[str, Any]) -> LeftOut:
    into, out = tuple(row["into"]), tuple(row["out"])
    return LeftOut(row["rater"], row["subjects"], into, out, row["largest_shift"])


def _pair(text: Text | None) -> dict[str, str] | None:
    return None if text is None else {"zh": text.zh, "en": text.en}


def _text(stored: Mapping[str, str] | None) -> Text | None:
    return None if stored is None else Text.of(stored)


def _said(value: float | None) -> str | None:
    return None if value is None else repr(float(value))


def _number(value: str | None) -> float | None:
    return None if value is None else float(value)
