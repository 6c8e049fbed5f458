"""What must always hold for reports."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.domain.types import Text

INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = ()
