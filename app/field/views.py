"""The shell of the field application: static files without personal data, and the sign of life.

The files come from `app/static/field`; they are served below `/field` so that the service worker's
scope covers the application and nothing else of the site.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, current_app, request, send_from_directory

from app.field import (  # noqa: F401  (they add their pages)
    views_board,
    views_decisions,
    views_desk,
    views_media,
    views_office,
    views_pack,
    views_push,
    views_tablets,
)
from app.field.pages import blueprint, desk
from app.field.shell import parts, service_worker_source
from app.ui.access import public

__all__ = ["blueprint", "desk"]


def _shell(name: str, mimetype: str) -> Any:
    return send_from_directory(f"{current_app.static_folder}/field", name, mimetype=mimetype)


@blueprint.get("")
@public
def shell() -> Any:
    """The application's one page."""
    return _shell("index.html", "text/html")


@blueprint.get("/sw.js")
@public
def service_worker() -> Any:
    """The service worker; its scope is exactly `/field`."""
    source = service_worker_source(Path(current_app.static_folder or ""))
    response = Response(source, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/field"
    return response


@blueprint.get("/<any(first, rest, recorder):name>.part")
@public
def part(name: str) -> Any:
    """One of the three parts in which a tablet fetches the application."""
    found = parts(Path(current_app.static_folder or ""))[name]
    response = Response(found.body, mimetype="text/plain")
    response.set_etag(found.sha256)
    return response.make_conditional(request)


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> Any:
    """What the browser needs to install the application."""
    return _shell("manifest.webmanifest", "application/manifest+json")


@blueprint.get("/api/ping")
@public
def ping() -> Any:
    """204: the server is there. It asks the database nothing."""
    return "", 204
