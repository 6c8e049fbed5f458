"""Invented marks: decided by SHA-256 of who, where and what, so that they are the same every time.

A mark lies around the county's quality, moved by the expert's severity and a little noise, on the
item's own grid. No random source is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.exercise.people import share

ONE = Decimal(1)
SPAN = Decimal("0.10")  # between the mildest and the most severe expert
LIKING = Decimal("0.11")  # how one expert sees one county, on all its items
NOISE = Decimal("0.09")  # and one item
WHY_LOW = "演练：佐证材料不足，低于合格档。"
WHY_CASES = "演练：个别数据与佐证页码不一致。"


def _centred(*parts: object) -> Decimal:
    """Between -0.5 and 0.5, mostly near 0: the mean of three even shares."""
    total = sum(share(*parts, n) for n in range(3))
    return Decimal(total) / Decimal(30_000) - Decimal("0.5")


def level(expert: str, county: str, item: str, quality: Decimal) -> Decimal:
    """The share of an item's points that an expert (by number) gives a county."""
    severity = (Decimal(share("severity", expert)) / 10_000 - Decimal("0.5")) * SPAN
    seen = _centred(expert, county, "county") * LIKING + _centred(expert, county, item) * NOISE
    return min(ONE, max(Decimal("0.30"), quality + severity + seen))


def changes(
    items: list[dict[str, Any]], expert: str, county: str, quality: Decimal
) -> dict[str, Any]:
    """What the expert types on one sheet: `ITEM.part` -> value, one entry an applicable item."""
    typed: dict[str, Any] = {}
    for item in items:
        if item["applies"]:
            given = level(expert, county, str(item["id"]), quality)
            for part, value in _typed(item, given).items():
                typed[f"{item['id']}.{part}"] = value
    return typed


def _typed(item: Mapping[str, Any], given: Decimal) -> dict[str, Any]:
    scale = item["scale"]
    maximum = Decimal(item["max"])
    match scale["type"]:
        case "grade" | "points":
            mark = _on_grid(maximum * given, Decimal(scale["step"]), maximum)
            low = next((r for r in scale.get("levels", ()) if r["reason"]), None)
            if low is not None and mark < Decimal(low["high"]):
                return {"mark": str(mark), "reason": WHY_LOW}
            return {"mark": str(mark)}
        case "checklist":
            rows = scale["items"]
            ticked = int((Decimal(len(rows)) * given).quantize(ONE, ROUND_HALF_UP))
            return {"ticks": [row["id"] for row in rows[:ticked]]}
        case "deduct":
            cases = int((ONE - given) * 10) // 2
            return {"cases": str(cases), **({"reason": WHY_CASES} if cases else {})}
        case "bands":
            # The site form's sampling check: 20 figures, of which this many agree.
            agree = 20 if given > Decimal("0.84") else 19 if given > Decimal("0.72") else 18
            return {
                f"figure.{figure['name']}": "20" if figure["name"] == "sample_n" else str(agree)
                for figure in scale["figures"]
            }
    raise ValueError(f"the exercise has no marks for a scale of type {scale['type']}")


def _on_grid(value: Decimal, step: Decimal, maximum: Decimal) -> Decimal:
    steps = (value / step).quantize(ONE, ROUND_HALF_UP)
    return min(maximum, steps * step)
