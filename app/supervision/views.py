"""The supervision room: anomalies first, then the ledger, its checks, and who may do what."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for

from app.accounts.viewer import ROLE_TEXT
from app.documents.qr import qr_svg
from app.domain.types import DomainError, Text
from app.draw.progress import Tell, watched
from app.ledger import prove
from app.panel import trainees
from app.supervision import (  # noqa: F401  (views_*: each adds its pages to the blueprint)
    anomalies,
    explain,
    queries,
    verification,
    views_draws,
    views_heads,
)
from app.supervision.pages import KINDS, blueprint
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import database, db, home, keys, me, store

__all__ = ["blueprint"]


@blueprint.get("")
@allow("supervisor")
def index() -> Any:
    """Everything out of the ordinary, most severe first."""
    kind = request.args.get("kind", "")
    kept = verification.last(home())
    made = anomalies.overview(db(), me(), kept, kind if kind in KINDS else None)
    return render_template(
        "supervision/index.html", view=made, trainees=trainees.of_rounds(db(), me())
    )


@blueprint.post("/check")
@allow("supervisor", "admin")
def check() -> Any:
    """Verify everything now, watched while it runs; what it finds is kept with its time."""
    reading, key_ring, files, place, viewer = database(), keys(), store(), home(), me()
    room = "supervision.index" if viewer.role == "supervisor" else "supervision.doctor"
    target = url_for(room)

    def work(tell: Tell) -> str:
        with reading.read() as session:
            made = verification.everything(session, key_ring, files, viewer.name, tell)
        verification.keep(place, made)
        return target

    if request.form.get("follow"):
        return watched(work, title=_CHECKING, back=target, drill=False)
    work(lambda _: None)
    flash(say("已全部核验，结果见下。", "Everything was verified; see the result below."), "done")
    return redirect(target)


_CHECKING = Text("全部重新核验", "Verifying everything")
HEAD_REASONS = {  # why a head was signed; what the command line wrote stands for itself
    "draw": Text("抽取", "Draw"),
    "report": Text("报告签署", "Report signed"),
    "report-final": Text("报告定稿", "Report final"),
    "archive": Text("归档", "Archive"),
}


@blueprint.get("/ledger")
@allow("supervisor", "admin")
def ledger() -> Any:
    """The head as text and QR, the signed heads, the entries, who held which role."""
    head = str(prove.head(db()))
    return render_template(
        "supervision/ledger.html",
        head=head,
        qr=qr_svg(head),
        public_key=keys().public.hex(),
        checkpoints=queries.checkpoints(db()),
        page=queries.entries(db(), number=request.args.get("page", 1, type=int)),
        roles=queries.role_history(db()),
        role_text=ROLE_TEXT,
        reasons=HEAD_REASONS,
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
    """Every invariant by name, as the last full verification found it."""
    return render_template(
        "supervision/doctor.html", kept=verification.last(home()), now=prove.head(db())
    )


@blueprint.get("/permissions")
@allow("supervisor", "admin")
def permissions() -> Any:
    """Every page and every role, from the declarations of the access check itself."""
    search, sort = request.args.get("q", ""), request.args.get("sort", "endpoint")
    return render_template(
        "supervision/permissions.html",
        pages=explain.pages(current_app, search=search, sort=sort),
        roles=explain.ORDER,
        role_text=ROLE_TEXT,
        search=search,
    )


@blueprint.get("/why")
@allow("supervisor")
def why() -> Any:
    """Why one person may, or may not, open one page."""
    account, endpoint = request.args.get("account", ""), request.args.get("page", "")
    person = explain.standing(db(), me(), account) if account else None
    return render_template(
        "supervision/why.html",
        accounts=explain.accounts(db(), me()),
        pages=explain.pages(current_app),
        account=account,
        endpoint=endpoint,
        person=person,
        verdict=explain.verdict(current_app, person, endpoint) if person and endpoint else None,
        may=[p for p in explain.pages(current_app) if person.role and p.may(person.role)]
        if person
        else [],
        role_text=ROLE_TEXT,
    )
