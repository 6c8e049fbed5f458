"""One expert's sheet as a run keeps it: its total is computed here, once, from the sealed entries."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.scoring.measures import plain
from app.domain.scoring.scales import Points
from app.domain.scoring.sheets import sheet_items, sheet_points
from app.domain.types import NotNow, Text
from app.draw.models import Seat
from app.programme.models import Subject
from app.scoring.models import Sheet

_STATES = {"sealed": "submitted", "recused": "recused", "absent": "absent"}
_AWAITING = Text(
    "还不能汇总：{c} {s} 席位 {n} 的评分表还缺 {items} 的得分。没有任何改动。",
    "It cannot be computed yet: the sheet of {c}, {s}, seat {n} still awaits {items}. Nothing was "
    "changed.",
)


def sheet_row(
    sheet: Sheet,
    seat: Seat,
    stage: Text,
    subject: Subject,
    computed: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The sheet as JSON: state, total, items, what was not applicable, sections that were carried.

    `stage` is the stage's title. Conflict naming the items that are still awaited."""
    made: dict[str, Any] = {
        "state": _STATES[sheet.state],
        "total": None,
        "items": {},
        "not_applicable": [],
        "carried": {},
        "reason": None,
        "sheet": sheet.id,
        "revision": sheet.revision,
        "seat": seat.number,
        "seat_id": seat.id,
        "receipt": sheet.receipt,
        "instrument": sheet.instrument_digest,
    }
    if sheet.state != "sealed":
        return {**made, "reason": {"zh": sheet.reason, "en": sheet.reason}}
    by_id = {item["id"]: item for item in sheet.instrument["items"]}
    own = {item["id"] for item in sheet_items(sheet.instrument)}
    given = {
        name: Points(
            row["points"],
            Decimal(by_id[name]["min"]),
            None if row["maximum"] is None else Decimal(row["maximum"]),
            "not_applicable" if row["points"] is None else "points",
            row["explanation"],
        )
        for name, row in computed.items()
        if name in by_id and by_id[name]["applies"] and name not in own
    }
    points = sheet_points(sheet.instrument, sheet.entries, given)
    if points.total is None:
        awaited = [
            Text.of(by_id[name]["title"]) if name in by_id else Text(name, name)
            for name in points.awaiting
        ]
        raise NotNow(
            _AWAITING.format(
                c=subject.name,
                s=stage,
                n=seat.number,
                items=Text("、".join(t.zh for t in awaited), ", ".join(t.en for t in awaited)),
            )
        )
    return {
        **made,
        "total": plain(points.total),
        "items": {n: plain(p.points) for n, p in points.items.items() if p.points is not None},
        "not_applicable": sorted(
            n for n, p in points.items.items() if p.outcome == "not_applicable"
        ),
        # Sections whose points were carried to their full marks: without it the items do not add up.
        "carried": {
            s.id: {"raw": plain(s.raw), "points": plain(s.points)}
            for s in points.sections
            if s.points is not None and s.points != s.raw
        },
    }
