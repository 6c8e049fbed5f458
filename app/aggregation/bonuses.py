"""The bonuses of a stored run with the documents behind them, for pages and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class Award:
    """One bonus award with its document; `points` as the ladder says. Not `counted`: the same
    document counts once already, at its highest level."""

    item: str
    title: Text
    level: Text
    points: str
    counted: bool
    document: str
    sha256: str
    evidence: str


@dataclass(frozen=True, slots=True)
class BonusRow:
    """The bonus of one county: what counted, and every award."""

    id: str
    name: Text
    points: str
    awards: tuple[Award, ...]


def bonus_rows(counties: Mapping[str, Mapping[str, Any]]) -> list[BonusRow]:
    """Counties with a recorded bonus, in their order. `counties`: a run's stored rows by id."""
    return [
        BonusRow(
            key,
            Text.of(row["name"]),
            row["bonus"]["points"],
            tuple(
                Award(
                    award["item"],
                    Text.of(award["title"]),
                    Text.of(award["level"]),
                    award["points"],
                    award["counted"],
                    award["document"],
                    award["sha256"],
                    award["evidence"],
                )
                for award in row["bonus"]["awards"]
            ),
        )
        for key, row in counties.items()
        if "bonus" in row
    ]
