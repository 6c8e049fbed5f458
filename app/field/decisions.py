"""What the supervisor's decisions about tablets' operations have in common, whether they came late or were
held for an absent member: one row out of those that stand open, and a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.domain.types import DomainError, NotFound, Text
from app.scoring.changes import SHORTEST_REASON

RowT = TypeVar("RowT")
_REASON = Text(
    "请写明理由（至少 {n} 个字）。没有任何改动。",
    "State the reason ({n} characters or more). Nothing was changed.",
)


def one_of(rows: Iterable[RowT], wanted: str, id_of: Callable[[RowT], str], absent: Text) -> RowT:
    """The row with this id; NotFound with `absent`."""
    for row in rows:
        if id_of(row) == wanted:
            return row
    raise NotFound(absent)


def reason_of(typed: str) -> str:
    """The reason of a decision, without blanks around it; DomainError when it is too short."""
    reason = typed.strip()
    if len(reason) < SHORTEST_REASON:
        raise DomainError(_REASON.format(n=SHORTEST_REASON), field="reason")
    return reason
