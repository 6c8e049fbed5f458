"""One thing that waits for somebody, and how such things are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.programme.models import Round


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing to do: words, where to do it, and the round it belongs to."""

    what: Text
    endpoint: str
    at: dict[str, Any] = field(default_factory=dict)
    round: Round | None = None
    n: int | None = None


def count_of(session: Session, query: Any) -> int:
    """How many rows a query finds."""
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
