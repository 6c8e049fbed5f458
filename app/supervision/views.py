"""The supervisor's pages: the ledger, its check, the invariants, who held which role."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from app.documents.qr import qr_svg
from app.domain.types import DomainError
from app.ledger import prove
from app.supervision import queries
from app.supervision.doctor import examine
from app.ui.access import allow
from app.ui.request import db, keys, store

blueprint = Blueprint("supervision", __name__, url_prefix="/supervision")


@blueprint.get("")
@allow("supervisor", "admin")
def index() -> Any:
    """The head as text and QR, the signed heads, the latest entries."""
    head = str(prove.head(db()))
    number = request.args.get("page", "1")
    return render_template(
        "supervision/index.html",
        head=head,
        qr=qr_svg(head),
        public_key=keys().public.hex(),
        checkpoints=queries.checkpoints(db()),
        page=queries.entries(db(), number=int(number) if number.isdigit() else 1),
        roles=queries.role_history(db()),
    )


@blueprint.get("/verify")
@allow("supervisor", "admin")
def verify() -> Any:
    """Rebuild the ledger and hold every row against it; with `head`, against a printed head too."""
    printed, problem = None, None
    typed = request.args.get("head", "").strip()
    if typed:
        try:
            printed = prove.TreeHead.parse(typed)
        except DomainError as error:
            problem = error.text
    report = prove.verify(db(), keys(), printed) if problem is None else None
    page = render_template("supervision/verify.html", report=report, typed=typed, problem=problem)
    return page, 422 if problem else 200


@blueprint.get("/doctor")
@allow("supervisor", "admin")
def doctor() -> Any:
    """Every invariant over live data, by name."""
    return render_template("supervision/doctor.html", checks=list(examine(db(), keys(), store())))
