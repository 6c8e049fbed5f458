"""Scales that compare a class: kept with a run, so that the next one can show what moved and why.

Min-max within a class depends on who is in it. When the set of counties changes, the whole class is put
on a new scale; old and new stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.domain.scoring.formulas import ClassPoints, Frame
from app.domain.scoring.measures import plain
from app.domain.scoring.refreeze import refrozen
from app.domain.scoring.scales import Points
from app.domain.types import Text
from app.programme.models import Round

_NOTHING = Text("", "")


def frames_of(
    subjects: Sequence[Mapping[str, Any]],
    round_: Round,
    computed: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]],
) -> dict[str, Any]:
    """`{"frames": [{stage, class, members, items}]}`, or nothing where no item compares a class.

    `subjects`: the stored counties; `computed`: stage -> subject id -> item -> row. An item's frame is
    `{method, count, low, high}`, numbers as strings; a class too small for its scale has another method.
    """
    classes = {s.id: s.region_class for s in round_.subjects}
    codes = {row["subject"]: row["id"] for row in subjects}
    made = []
    for stage, rows in computed.items():
        for name in sorted({classes[subject] for subject in rows}):
            members = [subject for subject in rows if classes[subject] == name]
            items: dict[str, Any] = {}
            for subject in members:
                for item, row in rows[subject].items():
                    frame = row.get("frame")
                    if frame is not None:
                        items[item] = {
                            "method": frame.method,
                            "count": frame.count,
                            "low": _plain(frame.low),
                            "high": _plain(frame.high),
                        }
            if items:
                listed = sorted(codes[subject] for subject in members)
                made.append({"stage": stage, "class": name, "members": listed, "items": items})
    return {"frames": made} if made else {}


def refrozen_since(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What moved on each class-wise scale from one run's inputs to the next's: `{stage, class, left,
    came, changes}`; empty where nothing did, or where the earlier run kept no scales."""
    old = {(row["stage"], row["class"]): row for row in before.get("frames", ())}
    found = []
    for row in after.get("frames", ()):
        was = old.get((row["stage"], row["class"]))
        if was is None:
            continue
        change = refrozen(_points(before, was), _points(after, row))
        if change.needed:
            found.append({"stage": row["stage"], "class": row["class"], **change.to_json()})
    return found


def _points(inputs: Mapping[str, Any], row: Mapping[str, Any]) -> ClassPoints:
    frames = {item: _frame(item, stored) for item, stored in row["items"].items()}
    return ClassPoints(dict(_members(inputs, row)), {}, frames)


def _members(
    inputs: Mapping[str, Any], row: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Points]]]:
    for county in inputs["subjects"]:
        if county["id"] in row["members"]:
            part = county["stages"][row["stage"]].get("computed", {})
            yield (
                county["id"],
                {
                    item: Points(
                        None if given["points"] is None else Decimal(given["points"]),
                        Decimal(0),
                        None,
                        "not_applicable" if given["points"] is None else "points",
                        _NOTHING,
                    )
                    for item, given in part.items()
                    if item in row["items"]
                },
            )


def _frame(item: str, stored: Mapping[str, Any]) -> Frame:
    low, high = (
        None if stored[bound] is None else Decimal(stored[bound]) for bound in ("low", "high")
    )
    return Frame(item, stored["method"], stored["count"], low, high, _NOTHING)


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
