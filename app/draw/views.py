"""The pages of the draw. The office acts, the supervisor cosigns and reads, nobody else comes in."""

from __future__ import annotations

from app.draw import (  # noqa: F401  (each module adds its pages to the blueprint)
    views_calls,
    views_ceremony,
    views_dice,
    views_hall,
    views_merging,
    views_names,
    views_order,
    views_release,
    views_request,
    views_rules,
    views_verifiers,
    views_what_if,
    views_work,
)
from app.draw.refusals_watch import watch
from app.draw.room import blueprint
from app.draw.views_verifiers import verifiers
from app.draw.views_what_if import pool_blueprint

watch(blueprint)

__all__ = ["blueprint", "pool_blueprint", "verifiers"]
