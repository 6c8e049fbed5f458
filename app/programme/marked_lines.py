"""The lines of a text that have remarks, with their neighbours, as a page shows them beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

AROUND = 2  # lines shown on either side of a line with a remark


class Remark(Protocol):
    """What is said of one line; line 1 is the first."""

    @property
    def line(self) -> int: ...


R = TypeVar("R", bound=Remark)


@dataclass(frozen=True, slots=True)
class Line(Generic[R]):
    """A line of the text with its remarks; `gap` when lines before it were left out."""

    number: int
    text: str
    remarks: tuple[R, ...]
    gap: bool


def marked_lines(text: str, remarks: Iterable[R]) -> list[Line[R]]:
    """The lines with remarks and those around them; a remark outside the text stands at its nearest line."""
    rows = text.splitlines() or [""]
    at: dict[int, list[R]] = {}
    for remark in remarks:
        at.setdefault(max(1, min(remark.line, len(rows))), []).append(remark)
    shown = sorted(
        {line for n in at for line in range(max(1, n - AROUND), min(len(rows), n + AROUND) + 1)}
    )
    return [
        Line(n, rows[n - 1], tuple(at.get(n, ())), n > before + 1)
        for before, n in zip([0, *shown], shown, strict=False)
    ]
