"""Short ways to write marks in these tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks

VECTORS = Path(__file__).parents[2] / "vectors"


def vector(name: str) -> dict[str, Any]:
    """One published answer of tests/vectors/statistics.json."""
    found = json.loads((VECTORS / "statistics.json").read_text(encoding="utf-8"))["vectors"]
    return next(entry for entry in found if entry["id"] == name)


def panel(*totals: str | None) -> StageMarks:
    """A panel whose experts E1, E2, ... gave these sheet totals; None is an absent expert."""
    from app.domain.statistics.missing import State

    return StageMarks(
        sheets={
            f"E{number}": Sheet(State.ABSENT) if total is None else Sheet(total=Decimal(total))
            for number, total in enumerate(totals, start=1)
        }
    )


def by_item(**items: list[str | None]) -> StageMarks:
    """A panel whose experts E1, E2, ... gave these marks per item."""
    size = max(len(marks) for marks in items.values())
    return StageMarks(
        sheets={
            f"E{number + 1}": Sheet(
                items={
                    item: None if marks[number] is None else Decimal(marks[number])
                    for item, marks in items.items()
                }
            )
            for number in range(size)
        }
    )


def subject(name: str, stage: StageMarks, **more: Any) -> SubjectMarks:
    """A subject with one stage called desk."""
    return SubjectMarks(name, {"desk": stage}, **more)


def columns(table: Mapping[str, Any], key: str) -> list[list[Any]]:
    """Rows of `table[key]` turned into columns."""
    return [list(row) for row in zip(*table[key], strict=True)]
