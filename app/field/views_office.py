"""Pages about what tablets sent: what waits, imports, the unlock code, an owner's branch."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.documents.qr import qr_svg
from app.domain.types import DomainError
from app.field import branches, held, imports, late, settle, unlocks
from app.field.forms_office import ImportForm
from app.field.pages import desk
from app.files.chunks import Chunks
from app.panel import queries as panels
from app.programme.queries import round_by_slug
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import database, db, finish, me, store


@desk.get("/r/<slug>/field")
@allow("office", "supervisor")
def waiting(slug: str) -> Any:
    """What came from tablets and waits: for a statement, for the supervisor, for an owner."""
    sittings = [s for panel in panels.panels(db(), me(), g.round) for s in panel.sittings]
    ids = [sitting.id for sitting in sittings]
    return render_template(
        "field/waiting.html",
        sittings=sittings,
        statement=settle.waiting_for_statement(db(), ids),
        branches=branches.open_by_sitting(db(), ids),
        late=late.late_sheets(db(), me(), g.round),
        held=held.held_sheets(db(), me(), g.round),
        held_decisions=held.decisions(db(), me(), g.round),
    )


@desk.post("/r/<slug>/sittings/<sitting_id>/settle")
@allow("office")
def settle_sitting(slug: str, sitting_id: str) -> Any:
    """Try again to apply what waits for a statement: a member has signed in since."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    count = settle.settle_sitting(db(), me(), sitting)
    if count:
        flash(say("已生效 {n} 项操作。", "{n} operations now count.", n=count), "done")
    else:
        flash(
            say(
                "还不能生效：须已开放评分，且成员已签到并签署承诺书。",
                "Not yet: scoring must be open and the member signed in, with both declarations.",
            ),
            "wrong",
        )
    return redirect(url_for("field_desk.waiting", slug=slug))


@desk.get("/r/<slug>/sittings/<sitting_id>/unlock")
@allow("office")
def unlock_code(slug: str, sitting_id: str) -> Any:
    """The code that opens the sheets without signal: to the recorder, the statement closed."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    secret = unlocks.shown_secret(db(), me(), sitting)
    return render_template("field/unlock.html", sitting=sitting, secret=secret, qr=qr_svg(secret))


@desk.route("/r/<slug>/field/import", methods=["GET", "POST"])
@allow("office")
def import_package(slug: str) -> Any:
    """Load a tablet's export file. The files are kept first, outside of the transaction."""
    form = ImportForm()
    done = None
    if form.validate_on_submit():
        finish(keep=False)  # checking photos takes its time: not with the write lock held
        try:
            package = imports.read_package(form.file.data.read())
            with database().read() as reading:
                _, owner = imports.owner_of(reading, package)
            kept = imports.keep_media(Chunks(store()), owner, package)
            with database().write() as writing:
                tablet, owner = imports.owner_of(writing, package)
                done = imports.load(writing, me(), package, tablet, owner, kept)
        except DomainError as error:
            error.field = "file"
            form.refuse(error, "file")
        g.round = round_by_slug(db(), me(), slug)
    page = render_template("field/import.html", form=form, done=done)
    return page, 422 if request.method == "POST" and done is None else 200
