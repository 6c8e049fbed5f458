"""The pages of the draw. The office acts, the supervisor cosigns and reads, nobody else comes in."""

from __future__ import annotations

from app.draw import (  # noqa: F401  (each module adds its pages to the blueprint)
    views_calls,
    views_ceremony,
    views_request,
)
from app.draw.room import blueprint

__all__ = ["blueprint"]
