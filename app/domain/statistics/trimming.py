"""Drop the highest and the lowest by an integer count of the marks present.

A share ("cut 10 %") is unsafe on a panel: int(0.1 x 9) is 0 and nobody is dropped, silently (scipy
issues 15630, 25757). The count comes from a table such as {5: 1, 11: 2}: from 5 marks present drop
one at each end, from 11 two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.statistics.rounding import plain
from app.domain.types import DomainError, Text


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Marks of one unit split by trimming; every part runs in the order (mark, rater id)."""

    low: tuple[tuple[str, Decimal], ...]
    kept: tuple[tuple[str, Decimal], ...]
    high: tuple[tuple[str, Decimal], ...]

    @property
    def present(self) -> int:
        """How many marks there were."""
        return len(self.low) + len(self.kept) + len(self.high)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Raters whose marks do not count, sorted."""
        return tuple(sorted(rater for rater, _ in self.low + self.high))

    def to_json(self) -> dict[str, object]:
        """JSON value; marks are strings."""
        return {
            part: [[rater, plain(mark)] for rater, mark in getattr(self, part)]
            for part in ("low", "kept", "high")
        }


def drop_count(table: Mapping[int, int], present: int) -> int:
    """How many marks fall at each end when `present` marks are there; 0 below the table."""
    steps = [start for start in table if start <= present]
    return table[max(steps)] if steps else 0


def trim(marks: Mapping[str, Decimal], count: int) -> Trimmed:
    """Drop `count` marks at each end.

    Marks are put in the order (mark, rater id) and the first and last `count` fall. So of several
    equal extremes one copy falls: of equal lowest marks that of the first rater id, of equal
    highest marks that of the last. The mean is the same whichever copy falls; the rule only makes
    the record say whose mark was struck.
    """
    if count < 0 or 2 * count >= max(len(marks), 1):
        raise DomainError(
            Text(
                "{n} 个分数不能两端各去掉 {count} 个。",
                "{n} marks cannot lose {count} at each end.",
            ).format(n=len(marks), count=count)
        )
    ordered = sorted(marks.items(), key=lambda pair: (pair[1], pair[0]))
    end = len(ordered) - count
    return Trimmed(tuple(ordered[:count]), tuple(ordered[count:end]), tuple(ordered[end:]))
