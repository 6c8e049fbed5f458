"""Access by default is denied: every endpoint names who may, or the application does not start.

@blueprint.get("/pool")
@allow("keeper", "office", "supervisor")
def pool(): ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

F = TypeVar("F", bound=Callable[..., Any])
PUBLIC = frozenset({"*"})
ROLES = frozenset({"office", "keeper", "supervisor", "expert", "presenter", "admin"})


def allow(*roles: str) -> Callable[[F], F]:
    """Declare the roles that may call an endpoint."""
    unknown = set(roles) - ROLES
    if unknown or not roles:
        raise ValueError(f"unknown roles: {unknown or 'none named'}")

    def mark(view: F) -> F:
        view.__access__ = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    """Declare an endpoint open to anybody, signed in or not."""
    view.__access__ = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: F) -> F:
    """Declare an endpoint open to every role."""
    view.__access__ = ROLES  # type: ignore[attr-defined]
    return view


def policy(app: Flask, endpoint: str) -> frozenset[str]:
    """Who may call `endpoint`; KeyError when nobody said."""
    view = app.view_functions[endpoint]
    access = getattr(view, "__access__", None)
    if access is None:
        raise KeyError(endpoint)
    return frozenset(access)


def check_all_declared(app: Flask) -> None:
    """Stop the start when an endpoint has no declared access."""
    missing = sorted(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "__access__", None) is None
    )
    if missing:
        raise RuntimeError("endpoints without declared access: " + ", ".join(missing))
