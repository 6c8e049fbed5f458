"""Watching the pages of a draw: a refused request leaves its record once its transaction is undone.

Counted is what somebody signed in (or the holder of an observer's link) asked for and did not get,
for whatever reason. A forged request (no valid CSRF token) is nobody's attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import TooManyRequests

from app.domain.types import DomainError
from app.draw import refusals
from app.ui.request import READING, database, db, finish, maybe_me

log = logging.getLogger("mingjian")


def watch(blueprint: Blueprint, *endpoints: str) -> None:
    """Keep the refusals of a blueprint's requests that write; of `endpoints` alone, if any are named."""

    def watched() -> bool:
        return request.method not in READING and (not endpoints or _act() in endpoints)

    @blueprint.before_request
    def _door() -> None:
        viewer = maybe_me()
        if watched() and viewer is not None:
            close_to(viewer.id)

    @blueprint.after_request
    def _keep(response: Response) -> Response:
        if watched() and response.status_code >= 400:
            _record(response.status_code)
        return response


def close_to(who: str) -> None:
    """TooManyRequests for an account, or an observer's link, that has had its hundred."""
    if refusals.turned_away(db(), who):
        g.turned_away = True
        raise TooManyRequests


def keeper() -> Callable[[DomainError], None]:
    """For work that goes on beside the answer, which is 200 by then: a function that keeps its refusal."""
    viewer, act, part, at = maybe_me(), _act(), database(), dict(request.view_args or {})

    def keep(error: DomainError) -> None:
        with part.write() as session:
            refusals.record(
                session, viewer, act=act, reason=refusals.reason_of(error, 409),
                draw_id=at.get("draw_id"), slug=at.get("slug"),
            )  # fmt: skip

    return keep


def _act() -> str:
    return str(request.endpoint).rpartition(".")[2]


def _record(status: int) -> None:
    viewer, (link, of) = maybe_me(), g.get("observer_link", (None, None))
    if g.get("forged") or (viewer is None and link is None):
        return
    at: dict[str, Any] = dict(request.view_args or {})
    reason = "limit" if g.get("turned_away") else refusals.reason_of(g.get("refused"), status)
    finish(keep=False)
    try:
        with database().write() as session:
            refusals.record(
                session,
                viewer if link is None else None,
                act=_act(),
                reason=reason,
                draw_id=of or at.get("draw_id"),
                slug=at.get("slug"),
                link_id=link,
            )
    except (DBAPIError, OSError, DomainError):
        log.exception("a refused attempt could not be recorded: %s %s", _act(), reason)
