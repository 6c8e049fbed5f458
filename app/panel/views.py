"""Panels, sittings, declarations, statements: thin over `operations`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, send_file, url_for

from app.accounts.operations import entry_link
from app.documents.qr import qr_svg
from app.domain.types import Conflict, DomainError, NotFound
from app.panel import operations, queries
from app.panel.declarations import CONFLICTS, WORDS
from app.panel.forms import (
    ChallengeForm,
    ConfirmForm,
    ConflictForm,
    DecisionForm,
    OpenStatementForm,
    OutlineForm,
    ScheduleForm,
    SecrecyForm,
    StatementForm,
)
from app.panel.models import Challenge
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me, settings, store

blueprint = Blueprint("panel", __name__, url_prefix="/r/<slug>")


def _sitting(sitting_id: str) -> Any:
    return queries.sitting(db(), me(), g.round, sitting_id)


def _seat(panel: Any, seat_id: str) -> Any:
    for seat in queries.seats(db(), panel):
        if seat.id == seat_id:
            return seat
    raise NotFound(queries.ABSENT)


@blueprint.get("/panels")
@allow("office", "supervisor", "expert")
def index(slug: str) -> Any:
    """Panels of the round."""
    return render_template(
        "panel/index.html",
        panels=queries.panels(db(), me(), g.round),
        to_form=queries.draws_to_form(db(), g.round) if me().role == "office" else [],
    )


@blueprint.post("/draws/<draw_id>/panels")
@allow("office")
def form(slug: str, draw_id: str) -> Any:
    """Make the panels of a completed draw with their sittings."""
    for draw in queries.draws_to_form(db(), g.round):
        if draw.id == draw_id:
            operations.form_panels(db(), me(), draw=draw)
            flash(say("专家组已组建。", "The panels are formed."), "done")
            return redirect(url_for("panel.index", slug=slug))
    raise NotFound(queries.ABSENT)


@blueprint.get("/panels/<panel_id>")
@allow("office", "supervisor", "expert")
def show(slug: str, panel_id: str) -> Any:
    """One panel: members and their declarations (to the office and the supervisor), sittings."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    seat = queries.own_seat(db(), me(), panel) if me().role == "expert" else None
    declared = queries.declared(db(), panel)
    return render_template(
        "panel/show.html",
        panel=panel,
        seats=queries.seats(db(), panel) if me().role != "expert" else [],
        own=seat,
        own_declared=declared.get(seat.id, {}) if seat else {},
        declared=declared if me().role != "expert" else {},
    )


@blueprint.post("/panels/<panel_id>/leader")
@allow("office")
def leader(slug: str, panel_id: str) -> Any:
    """Name the leader."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    seat = _seat(panel, request.form.get("seat", ""))
    operations.set_leader(db(), me(), panel=panel, seat=seat)
    flash(say("组长已确定。", "The leader is named."), "done")
    return redirect(url_for("panel.show", slug=slug, panel_id=panel_id))


@blueprint.post("/panels/<panel_id>/link")
@allow("office")
def link(slug: str, panel_id: str) -> Any:
    """The check-in desk: a QR code that signs one member's tablet in, once, within ten minutes."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    expert = _seat(panel, request.form.get("seat", "")).expert
    token = entry_link(db(), me(), person=expert.person, login=expert.number.lower())
    address = settings().public_url + url_for("accounts.enter", token=token)
    return render_template(
        "panel/link.html", panel=panel, name=expert.person.name, link=address, qr=qr_svg(address)
    )


@blueprint.route("/panels/<panel_id>/declare/<kind>", methods=["GET", "POST"])
@allow("expert")
def declare(slug: str, panel_id: str, kind: str) -> Any:
    """Sign the conflict or the secrecy declaration."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    if kind not in WORDS:
        raise NotFound(queries.ABSENT)
    form = ConflictForm() if kind == "conflict" else SecrecyForm()
    if form.validate_on_submit():
        answers = {}
        if kind == "conflict":
            answers = {key: form[f"q_{key}"].data == "yes" for key in CONFLICTS}
        try:
            operations.sign_declaration(
                db(),
                me(),
                panel=panel,
                kind=kind,
                answers=answers,
                signed_name=form.signed_name.data,
            )
        except DomainError as error:
            form.refuse(error, "signed_name")
        else:
            flash(say("已签署。", "Signed."), "done")
            return redirect(url_for("panel.show", slug=slug, panel_id=panel_id))
    page = render_template(
        "panel/declare.html", panel=panel, kind=kind, form=form, words=WORDS[kind], keys=CONFLICTS
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.get("/sittings/<sitting_id>")
@allow("office", "supervisor", "expert", "presenter")
def sitting(slug: str, sitting_id: str) -> Any:
    """A sitting as it stands, with the next step for this viewer."""
    return _show_sitting(_sitting(sitting_id))


def _show_sitting(found: Any, status: int = 200, **forms: Any) -> Any:
    viewer = me()
    statement = queries.statement(db(), found)
    names_open = found.phase in ("statement", "scoring", "closed")  # names secret until then
    seats = queries.seats(db(), found.panel)
    if viewer.role == "presenter" and not names_open:
        seats = []
    show_form = ScheduleForm(obj=found) if viewer.role == "office" else None
    statement_form = None
    if statement and not statement.closed_at:
        kind = StatementForm if viewer.role == "office" else OutlineForm
        if viewer.role in ("office", "presenter"):
            statement_form = forms.get("statement_form") or kind(obj=statement)
    challenge_form = forms.get("challenge_form") or ChallengeForm()
    challenge_form.seat.choices = [(s.id, f"{s.number}  {s.expert.person.name}") for s in seats]
    own = queries.own_seat(db(), viewer, found.panel) if viewer.role == "expert" else None
    page = render_template(
        "panel/sitting.html",
        sitting=found,
        panel=found.panel,
        statement=statement,
        seats=seats if viewer.role != "expert" else [],
        own=own,
        ready=own is not None and queries.has_declared(db(), found.panel, own),
        attendance=queries.attendance(db(), found),
        declared=queries.declared(db(), found.panel),
        challenges=queries.challenges(db(), found) if viewer.role != "expert" else [],
        schedule_form=show_form,
        open_form=forms.get("open_form") or OpenStatementForm(),
        statement_form=statement_form,
        challenge_form=challenge_form,
        decision_form=DecisionForm(formdata=None),
        deciding=forms.get("deciding"),
        theirs=forms.get("theirs"),
    )
    return page, status


def _back(slug: str, sitting_id: str, zh: str, en: str) -> Any:
    flash(say(zh, en), "done")
    return redirect(url_for("panel.sitting", slug=slug, sitting_id=sitting_id))


@blueprint.post("/sittings/<sitting_id>/schedule")
@allow("office")
def schedule(slug: str, sitting_id: str) -> Any:
    """Day and place."""
    found = _sitting(sitting_id)
    form = ScheduleForm()
    if not form.validate_on_submit():
        return _show_sitting(found, 422)
    operations.schedule(db(), me(), sitting=found, on=form.on.data, place=form.place.data or "")
    return _back(slug, sitting_id, "日程已保存。", "The schedule is saved.")


@blueprint.post("/sittings/<sitting_id>/open")
@allow("office")
def open_sitting(slug: str, sitting_id: str) -> Any:
    """Begin the sitting."""
    operations.open_sitting(db(), me(), sitting=_sitting(sitting_id))
    return _back(slug, sitting_id, "会议已开始，可以签到。", "The sitting has begun; sign in.")


@blueprint.post("/sittings/<sitting_id>/sign-in")
@allow("office", "expert")
def sign_in(slug: str, sitting_id: str) -> Any:
    """Sign an expert in."""
    found = _sitting(sitting_id)
    seat = _seat(found.panel, request.form.get("seat", ""))
    operations.sign_in(db(), me(), sitting=found, seat=seat)
    return _back(slug, sitting_id, "已签到。", "Signed in.")


@blueprint.post("/sittings/<sitting_id>/statement/open")
@allow("office")
def open_statement(slug: str, sitting_id: str) -> Any:
    """Open the statement."""
    found = _sitting(sitting_id)
    form = OpenStatementForm()
    if form.validate_on_submit():
        operations.open_statement(
            db(),
            me(),
            sitting=found,
            presenter_name=form.presenter_name.data,
            presenter_post=form.presenter_post.data,
            proxy=form.proxy.data or "",
        )
        return _back(slug, sitting_id, "陈述开始，计时开始。", "The statement has begun.")
    return _show_sitting(found, 422, open_form=form)


@blueprint.post("/sittings/<sitting_id>/statement")
@allow("office", "presenter")
def save_statement(slug: str, sitting_id: str) -> Any:
    """Save the record of the statement."""
    found = _sitting(sitting_id)
    form = StatementForm() if me().role == "office" else OutlineForm()
    if not form.validate_on_submit():
        return _show_sitting(found, 422, statement_form=form)
    try:
        operations.record_statement(
            db(),
            me(),
            sitting=found,
            outline=form.outline.data or "",
            questions=form.questions.data if "questions" in form else None,
            version=form.version.data,
        )
    except DomainError as error:
        form.refuse(error, "outline")
        theirs = queries.statement(db(), found)
        if theirs is not None:  # shown beside what was typed; saving again is then a choice
            form.version.raw_data = [str(theirs.version)]
        return _show_sitting(found, 409, statement_form=form, theirs=theirs)
    return _back(slug, sitting_id, "陈述记录已保存。", "The record is saved.")


@blueprint.post("/sittings/<sitting_id>/statement/confirm")
@allow("presenter")
def confirm_statement(slug: str, sitting_id: str) -> Any:
    """The presenter confirms the record."""
    found = _sitting(sitting_id)
    form = ConfirmForm()
    if not form.validate_on_submit():
        return _show_sitting(found, 422)
    operations.confirm_statement(db(), me(), sitting=found, version=form.version.data)
    return _back(slug, sitting_id, "陈述记录已确认。", "The record is confirmed.")


@blueprint.post("/sittings/<sitting_id>/statement/close")
@allow("office")
def close_statement(slug: str, sitting_id: str) -> Any:
    """Close the statement."""
    operations.close_statement(db(), me(), sitting=_sitting(sitting_id))
    return _back(slug, sitting_id, "陈述已结束，请无关人员离场。", "Closed; others leave the room.")


@blueprint.post("/sittings/<sitting_id>/challenge")
@allow("presenter")
def challenge(slug: str, sitting_id: str) -> Any:
    """The county challenges an expert."""
    found = _sitting(sitting_id)
    form = ChallengeForm()
    form.seat.choices = [(s.id, "") for s in queries.seats(db(), found.panel)]
    if not form.validate_on_submit():
        return _show_sitting(found, 422, challenge_form=form)
    try:
        operations.challenge(
            db(),
            me(),
            sitting=found,
            seat=_seat(found.panel, form.seat.data),
            reason=form.reason.data,
        )
    except DomainError as error:
        form.refuse(error, "reason")
        return _show_sitting(found, 422, challenge_form=form)
    return _back(slug, sitting_id, "回避申请已提交。", "The challenge is submitted.")


@blueprint.post("/sittings/<sitting_id>/challenge/<challenge_id>")
@allow("office")
def decide(slug: str, sitting_id: str, challenge_id: str) -> Any:
    """Decide a challenge."""
    found = _sitting(sitting_id)
    row = db().get(Challenge, challenge_id)
    form = DecisionForm()
    if row is None or row.sitting_id != found.id:
        raise NotFound(queries.ABSENT)
    if not form.validate_on_submit():
        return _show_sitting(found, 422, deciding=(row.id, form))
    try:
        operations.decide_challenge(
            db(), me(), challenge=row, upheld=form.upheld.data, reason=form.reason.data
        )
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "reason")
        return _show_sitting(found, 422, deciding=(row.id, form))
    return _back(slug, sitting_id, "回避申请已处理。", "The challenge is decided.")


@blueprint.post("/sittings/<sitting_id>/scoring")
@allow("office")
def open_scoring(slug: str, sitting_id: str) -> Any:
    """Unlock scoring for all at once."""
    operations.open_scoring(db(), me(), sitting=_sitting(sitting_id))
    return _back(slug, sitting_id, "已向全体成员开放评分。", "Scoring is open to all members.")


@blueprint.get("/materials/<material_id>/read")
@allow("expert")
def read_material(slug: str, material_id: str) -> Any:
    """A filed document, to an expert seated on its county who has declared."""
    row = queries.material(db(), me(), material_id)
    response = send_file(
        store().open(row.file_sha256),
        mimetype=row.mime,
        as_attachment=True,
        download_name=row.name,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
