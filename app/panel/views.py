"""Panels, sittings, declarations, statements: thin over `operations`."""

from __future__ import annotations

import json
from typing import Any

from flask import flash, g, redirect, render_template, request, send_file, url_for

from app.accounts.operations import entry_link
from app.documents.qr import qr_svg
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.draw.queries_order import statements_orders
from app.draw.views_names import who
from app.panel import (
    operations,
    queries,
    together,
    trainees,
    views_challenges,  # noqa: F401  (adds its pages to the blueprint)
    views_papers,  # noqa: F401
    views_recordings,  # noqa: F401
    views_statement,
    views_trainees,  # noqa: F401
    views_votes,  # noqa: F401
)
from app.panel.declarations import CONFLICTS, WORDS
from app.panel.forms import (
    CloseStatementForm,
    ConflictForm,
    OpenStatementForm,
    OutlineForm,
    ScheduleForm,
    SecrecyForm,
    StatementForm,
)
from app.panel.forms_statement import SignForm
from app.panel.room import (
    at_several,
    back_to,
    blueprint,
    show_sitting,
    the_seat,
    the_sitting,
)
from app.ui.access import allow
from app.ui.forms import NEEDED
from app.ui.language import say
from app.ui.request import db, me, settings, store

__all__ = ["blueprint"]
_NAME_OR_HAND = Text("请输入陈述人姓名或手写签名。", "Type the presenter's name or sign by hand.")


@blueprint.get("/panels")
@allow("office", "supervisor", "expert")
def index(slug: str) -> Any:
    """Panels of the round."""
    panels = queries.panels(db(), me(), g.round)
    known = statements_orders(db(), g.round)
    drawn = {row.id: known.get((row.draw_id, row.code)) for row in panels}
    return render_template(
        "panel/index.html",
        panels=panels,
        drawn=drawn,
        sittings={row.id: queries.in_order(row, drawn[row.id]) for row in panels},
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
    queries.with_statements(db(), panel)
    seat = queries.working_seat(db(), me(), panel) if me().role == "expert" else None
    declared = queries.declared(db(), panel)
    drawn = queries.statements_order(db(), panel)
    return render_template(
        "panel/show.html",
        panel=panel,
        drawn=drawn,
        sittings=queries.in_order(panel, drawn),
        steps=together.steps(panel) if me().role == "office" else [],
        seats=queries.seats(db(), panel) if me().role != "expert" else [],
        own=seat,
        trainees=trainees.of_panel(db(), me(), panel),
        own_declared=declared.get(seat.id, {}) if seat else {},
        declared=declared if me().role != "expert" else {},
    )


@blueprint.post("/panels/<panel_id>/leader")
@allow("office")
def leader(slug: str, panel_id: str) -> Any:
    """Name the leader."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    seat = the_seat(panel, request.form.get("seat", ""))
    operations.set_leader(db(), me(), panel=panel, seat=seat)
    flash(say("组长已确定。", "The leader is named."), "done")
    return redirect(url_for("panel.show", slug=slug, panel_id=panel_id))


@blueprint.post("/panels/<panel_id>/sittings/open")
@allow("office")
def open_sittings(slug: str, panel_id: str) -> Any:
    """Begin several sittings, or none."""
    return at_several(
        slug,
        panel_id,
        operations.open_sitting,
        "{n} 场会议已开始，可以签到。",
        "{n} sittings have begun; sign in.",
    )


@blueprint.post("/panels/<panel_id>/sittings/scoring")
@allow("office")
def open_scoring_of(slug: str, panel_id: str) -> Any:
    """Unlock scoring for all members at several sittings, or at none."""
    return at_several(
        slug,
        panel_id,
        operations.open_scoring,
        "{n} 场会议已向全体成员开放评分。",
        "Scoring is open to all members at {n} sittings.",
    )


@blueprint.post("/panels/<panel_id>/link")
@allow("office")
def link(slug: str, panel_id: str) -> Any:
    """The check-in desk: a code that binds one member's tablet, once, within ten minutes; as QR for
    the field application, as letters to type, and as a link for a browser without it."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    seat = the_seat(panel, request.form.get("seat", ""), trainee=True)
    expert = seat.expert
    token = entry_link(db(), me(), person=expert.person, login=expert.number.lower())
    home = settings().public_url
    link = f"{home}{url_for('field.shell')}#{token}"
    return render_template(
        "panel/link.html",
        panel=panel,
        name=who(seat),
        link=link,
        qr=qr_svg(link),
        code=token,
        enter=home + url_for("accounts.enter", token=token),
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
        "panel/declare.html", panel=panel, kind=kind, form=form, pledge=WORDS[kind], keys=CONFLICTS
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.get("/sittings/<sitting_id>")
@allow("office", "supervisor", "expert", "presenter")
def sitting(slug: str, sitting_id: str) -> Any:
    """A sitting as it stands, with the next step for this viewer."""
    return show_sitting(the_sitting(sitting_id))


@blueprint.post("/sittings/<sitting_id>/schedule")
@allow("office")
def schedule(slug: str, sitting_id: str) -> Any:
    """Day and place."""
    found = the_sitting(sitting_id)
    form = ScheduleForm()
    if not form.validate_on_submit():
        return show_sitting(found, 422)
    operations.schedule(db(), me(), sitting=found, on=form.on.data, place=form.place.data or "")
    return back_to(slug, sitting_id, "日程已保存。", "The schedule is saved.")


@blueprint.post("/sittings/<sitting_id>/open")
@allow("office")
def open_sitting(slug: str, sitting_id: str) -> Any:
    """Begin the sitting."""
    operations.open_sitting(db(), me(), sitting=the_sitting(sitting_id))
    return back_to(slug, sitting_id, "会议已开始，可以签到。", "The sitting has begun; sign in.")


@blueprint.post("/sittings/<sitting_id>/sign-in")
@allow("office", "expert")
def sign_in(slug: str, sitting_id: str) -> Any:
    """Sign an expert in."""
    found = the_sitting(sitting_id)
    seat = the_seat(found.panel, request.form.get("seat", ""), trainee=True)
    operations.sign_in(db(), me(), sitting=found, seat=seat)
    return back_to(slug, sitting_id, "已签到。", "Signed in.")


@blueprint.post("/sittings/<sitting_id>/sign-in-day")
@allow("office", "expert")
def sign_in_day(slug: str, sitting_id: str) -> Any:
    """Sign an expert in at all sittings of the same table."""
    found = the_sitting(sitting_id)
    seat = the_seat(found.panel, request.form.get("seat", ""), trainee=True)
    new = operations.sign_in_day(db(), me(), sitting=found, seat=seat)
    return back_to(
        slug, sitting_id, f"已签到：{len(new)} 场会议。", f"Signed in (sittings: {len(new)})."
    )


@blueprint.post("/sittings/<sitting_id>/statement/open")
@allow("office")
def open_statement(slug: str, sitting_id: str) -> Any:
    """Open the statement."""
    found = the_sitting(sitting_id)
    form = OpenStatementForm()
    if form.validate_on_submit():
        operations.open_statement(
            db(),
            me(),
            sitting=found,
            presenter_name=form.presenter_name.data,
            presenter_post=form.presenter_post.data,
            proxy=form.proxy.data or "",
            identity=form.identity.data or "",
            challenge_minutes=form.challenge_minutes.data,
        )
        return back_to(
            slug,
            sitting_id,
            "陈述开始，专家名单已向县（市）方公布。",
            "The statement has begun; the county now sees who is on the panel.",
        )
    return show_sitting(found, 422, open_form=form)


@blueprint.post("/sittings/<sitting_id>/statement")
@allow("office", "presenter")
def save_statement(slug: str, sitting_id: str) -> Any:
    """Save the record of the statement."""
    found = the_sitting(sitting_id)
    form = StatementForm() if me().role == "office" else OutlineForm()
    if not form.validate_on_submit():
        return show_sitting(found, 422, statement_form=form)
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
        return show_sitting(found, 409, statement_form=form, theirs=theirs)
    return back_to(slug, sitting_id, "陈述记录已保存。", "The record is saved.")


@blueprint.post("/sittings/<sitting_id>/statement/confirm")
@allow("office", "presenter")
def confirm_statement(slug: str, sitting_id: str) -> Any:
    """The presenter confirms the record: in his own account, or by his signature on the office's
    device."""
    found = the_sitting(sitting_id)
    form = SignForm()
    if not form.validate_on_submit():
        return views_statement.show_room(found, 422, sign_form=form)
    named, drawn = form.signed_name.data or "", form.signature.data or ""
    if "signed_name" in request.form and not named.strip() and not drawn:
        form.signed_name.errors = [_NAME_OR_HAND]
        return views_statement.show_room(found, 422, sign_form=form)
    try:
        signature = json.loads(drawn or "[]")
        operations.confirm_statement(
            db(),
            me(),
            sitting=found,
            version=form.version.data,
            signed_name=named,
            signature=signature,
        )
    except (ValueError, RecursionError):
        form.signature.errors = [NEEDED]
        return views_statement.show_room(found, 422, sign_form=form)
    except (Conflict, Forbidden):
        raise
    except DomainError as error:
        form.refuse(error, "signed_name")
        return views_statement.show_room(found, 422, sign_form=form)
    return back_to(slug, sitting_id, "陈述记录已确认。", "The record is confirmed.")


@blueprint.post("/sittings/<sitting_id>/statement/close")
@allow("office")
def close_statement(slug: str, sitting_id: str) -> Any:
    """Close the statement, confirmed or with the reason why it is not. Scoring opens with it, to all
    members at once, where nothing stands against that."""
    found = the_sitting(sitting_id)
    form = CloseStatementForm()
    if not form.validate_on_submit():
        return show_sitting(found, 422, close_form=form)
    try:
        operations.close_statement(
            db(),
            me(),
            sitting=found,
            unconfirmed=form.unconfirmed.data or "",
            note=form.note.data or "",
        )
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "unconfirmed")
        return show_sitting(found, 422, close_form=form)
    try:
        operations.open_scoring(db(), me(), sitting=found)
    except DomainError as error:  # the statement is closed all the same; the page has the button
        zh, en = error.text.zh, error.text.en
        return back_to(
            slug,
            sitting_id,
            f"陈述已结束，评分尚未开放。{zh}",
            f"Closed; scoring is not open. {en}",
        )
    return back_to(
        slug,
        sitting_id,
        "陈述已结束，已向全体成员同时开放评分。",
        "The statement is closed and scoring is open to all members at once.",
    )


@blueprint.post("/sittings/<sitting_id>/scoring")
@allow("office")
def open_scoring(slug: str, sitting_id: str) -> Any:
    """Unlock scoring for all at once."""
    operations.open_scoring(db(), me(), sitting=the_sitting(sitting_id))
    return back_to(slug, sitting_id, "已向全体成员开放评分。", "Scoring is open to all members.")


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
