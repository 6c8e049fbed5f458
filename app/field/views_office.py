"""Pages about what tablets sent: what waits, late sheets, imports, the unlock code, an owner's branch."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app import clock
from app.documents.qr import qr_svg
from app.domain.types import DomainError, NotFound
from app.field import branches, imports, late, settle, unlocks
from app.field.forms_office import ChoiceForm, ImportForm, LateForm
from app.field.pages import desk
from app.field.places import Place, find_place
from app.files.chunks import Chunks
from app.panel import queries as panels
from app.programme.queries import round_by_slug
from app.scoring import holds, queries
from app.scoring import operations as scoring
from app.scoring.models import Filled
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


@desk.route("/r/<slug>/late/<late_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def late_sheet(slug: str, late_id: str) -> Any:
    """One late sheet with both times; the supervisor accepts or refuses it."""
    row = late.late_sheet(db(), me(), g.round, late_id)
    form = LateForm()
    if request.method == "POST":
        me().require("supervisor")
    if form.validate_on_submit():
        accepted = form.decision.data == "accepted"
        try:
            late.decide(db(), me(), late=row, accepted=accepted, reason=form.reason.data or "")
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say("已接受，评分表计入。", "Accepted: the sheet counts.")
                if accepted
                else say("已拒绝，内容留存。", "Refused; everything is kept."),
                "done",
            )
            return redirect(url_for("field_desk.waiting", slug=slug))
    page = render_template("field/late.html", row=row, form=form)
    return page, 422 if request.method == "POST" else 200


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


def _own(sheet_id: str) -> tuple[Filled, Place]:
    """The viewer's own sheet of this round, with what its logs say."""
    sheet = queries.own_sheet(db(), me(), sheet_id)
    place = find_place(db(), me(), holds.key_of(sheet))
    if sheet.sitting.panel.round_id != g.round.id or place is None:
        raise NotFound(queries.ABSENT)
    return sheet, place


@desk.post("/r/<slug>/sheets/<sheet_id>/take-over")
@allow("expert")
def take_here(slug: str, sheet_id: str) -> Any:
    """Go on with a sheet on the server's page instead of the tablet."""
    sheet, place = _own(sheet_id)
    if place.sealing is not None:
        settle.void_seal(db(), me(), place, clock.now(), "taken_over")
    scoring.take_here(db(), me(), sheet=sheet)
    flash(
        say(
            "已改在本页填写，平板变为只读。",
            "You go on here; the tablet becomes read-only.",
        ),
        "done",
    )
    return redirect(url_for("scoring.sheet", slug=slug, sheet_id=sheet_id))


@desk.route("/r/<slug>/sheets/<sheet_id>/branch", methods=["GET", "POST"])
@allow("expert")
def branch(slug: str, sheet_id: str) -> Any:
    """Both columns side by side; the owner picks item by item."""
    sheet, place = _own(sheet_id)
    found = branches.compared(db(), place)
    form = ChoiceForm()
    if form.validate_on_submit() and found:
        first = found[0]
        picks = {row["item"]: request.form.get(f"pick-{row['item']}", "") for row in first["items"]}
        try:
            branches.choose_here(
                db(), me(), place, branch_id=first["id"], picks=picks, reason=form.reason.data or ""
            )
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say("已按您的选择处理。", "Done as you chose."), "done")
            return redirect(url_for("scoring.sheet", slug=slug, sheet_id=sheet_id))
    page = render_template(
        "field/branch.html",
        sheet=sheet,
        found=found,
        form=form,
        items={item["id"]: item for item in sheet.instrument["items"]},
        elsewhere=holds.elsewhere(db(), sheet),
    )
    return page, 422 if request.method == "POST" else 200
