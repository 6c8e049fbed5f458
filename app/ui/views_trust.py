"""The office's certificate: how a tablet installs it, and the files. Open to anybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, render_template

from app import certificates
from app.domain.types import DomainError
from app.ui.access import public
from app.ui.request import settings

blueprint = Blueprint("trust", __name__)


@blueprint.get("/trust")
@public
def page() -> Any:
    """Steps for each kind of device, and the fingerprint to compare with the sheet of paper."""
    known = certificates.last(settings().tls)
    return render_template(
        "trust/index.html",
        known=known,
        lines=certificates.grouped(known.fingerprint) if known else [],
        address=settings().public_url,
    )


@blueprint.get("/trust/<name>")
@public
def file(name: str) -> Any:
    """The authority's certificate in one of three forms; never a key."""
    try:
        content, kind = certificates.downloads(settings().tls)[name]
    except (DomainError, KeyError):
        abort(404)
    return Response(content, mimetype=kind)
