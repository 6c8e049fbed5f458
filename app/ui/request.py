"""What one request works with: its one transaction, its viewer, the installation's parts.

GET reads one snapshot; POST, PUT, PATCH and DELETE write in one transaction that commits when the
answer is below 400 and rolls back otherwise: nothing half done.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.files.store import Store
from app.keys import Keys

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class _RollBack(Exception):
    """Ends a transaction without keeping it."""


def database() -> Database:
    return cast(Database, current_app.extensions["mingjian.db"])


def keys() -> Keys:
    return cast(Keys, current_app.extensions["mingjian.keys"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["mingjian.settings"])


def store() -> Store:
    return cast(Store, current_app.extensions["mingjian.store"])


def home() -> Path:
    return settings().home


def db() -> Session:
    """The request's session, opened at the first call."""
    if "db_session" not in g:
        part = database().read() if request.method in READING else database().write()
        g.db_context = cast(AbstractContextManager[Session], part)
        g.db_session = g.db_context.__enter__()
    return cast(Session, g.db_session)


def me() -> Any:
    """The signed-in viewer; only for endpoints that are not public."""
    return current_user.viewer


def maybe_me() -> Any | None:
    """The viewer, or None when nobody is signed in."""
    return current_user.viewer if current_user.is_authenticated else None


def finish(keep: bool) -> None:
    """Commit (`keep`) or roll back the request's transaction, once."""
    context = g.pop("db_context", None)
    g.pop("db_session", None)
    if context is None:
        return
    if keep:
        context.__exit__(None, None, None)
        return
    with suppress(_RollBack):
        context.__exit__(_RollBack, _RollBack(), None)


class Application(Flask):
    """Flask, with the transaction closed before the answer leaves."""

    def dispatch_request(self) -> ResponseReturnValue:
        try:
            response = self.make_response(super().dispatch_request())
        except BaseException:
            finish(keep=False)
            raise
        finish(keep=response.status_code < 400)
        return response
