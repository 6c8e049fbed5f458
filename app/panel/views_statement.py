"""The statement room: one page for everybody who is in it, the agenda on the wall, attachments,
bookmarks. What changes the sitting's phase stays on the sitting's own page."""

from __future__ import annotations

import math
from typing import Any

from flask import jsonify, render_template, request, send_file

from app import clock
from app.domain.types import DomainError
from app.draw.views_names import who
from app.panel import agenda, attachments, bookmarks, operations, queries, recordings, timeline
from app.panel.forms import OutlineForm, StatementForm
from app.panel.forms_statement import (
    AttachForm,
    BookmarkForm,
    ConsentForm,
    ExchangeForm,
    SignForm,
)
from app.panel.room import back_to, blueprint, the_sitting
from app.panel.statements import CONSENT, IDENTITY, UNCONFIRMED
from app.programme.instruments import instrument_for
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, me, store

INSIDE = ("office", "supervisor", "expert", "presenter")


def items_of(sitting: Any) -> list[tuple[str, str]]:
    """(id, "id title") of the items of the sitting's form that experts judge, in the reader's language."""
    panel = sitting.panel
    try:
        _, instrument = instrument_for(db(), panel.round, sitting.subject, panel.stage)
    except DomainError:
        return []
    return [
        (item["id"], f"{item['id']} {item['title'][language()]}")
        for item in instrument["items"]
        if item["applies"]
    ]


def show_room(found: Any, status: int = 200, **forms: Any) -> Any:
    """The room as this viewer may see it; `forms` are those that came back with errors."""
    viewer = me()
    statement = queries.statement(db(), found)
    running = statement is not None and statement.closed_at is None
    seats = []
    if viewer.role != "expert" and (viewer.role != "presenter" or statement is not None):
        seats = queries.seats(db(), found.panel)
    own = queries.own_seat(db(), viewer, found.panel) if viewer.role == "expert" else None
    heard = recordings.recordings(db(), statement)
    marked = bookmarks.bookmarks(db(), viewer, found, heard)
    record_form = None
    if running and viewer.role in ("office", "presenter"):
        kind = StatementForm if viewer.role == "office" else OutlineForm
        record_form = kind(obj=statement, formdata=None)
    bookmark_form = forms.get("bookmark_form") or BookmarkForm(formdata=None)
    bookmark_form.item.choices = [("", "—"), *items_of(found)] if own else []
    left = None
    if running and statement is not None and statement.challenge_until is not None:
        left = max(math.ceil((statement.challenge_until - clock.now()).total_seconds()), 0)
    page = render_template(
        "panel/statement_room.html",
        sitting=found,
        panel=found.panel,
        statement=statement,
        running=running,
        seats=[(seat, who(seat, statement is not None)) for seat in seats],
        agenda=agenda.shown(db(), found),
        consent_words=CONSENT,
        identity=IDENTITY,
        unconfirmed=UNCONFIRMED,
        kinds=attachments.KINDS,
        marks=recordings.MARKS,
        files=attachments.files(db(), viewer, statement),
        heard=heard,
        listeners=recordings.listeners(db(), viewer, statement),
        may_listen=viewer.role != "expert"
        or (own is not None and queries.has_declared(db(), found.panel, own)),
        own=own,
        marked=marked,
        timeline=timeline.timeline(db(), found, statement, heard),
        left=left,
        record_form=record_form,
        bookmark_form=bookmark_form,
        consent_form=forms.get("consent_form") or ConsentForm(formdata=None),
        exchange_form=forms.get("exchange_form") or ExchangeForm(formdata=None),
        attach_form=forms.get("attach_form") or AttachForm(formdata=None),
        sign_form=forms.get("sign_form")
        or (SignForm(formdata=None, version=statement.version) if statement else None),
    )
    return page, status


@blueprint.get("/sittings/<sitting_id>/room")
@allow(*INSIDE)
def room(slug: str, sitting_id: str) -> Any:
    """The statement room."""
    return show_room(the_sitting(sitting_id))


@blueprint.get("/sittings/<sitting_id>/wall")
@allow("office", "supervisor")
def wall(slug: str, sitting_id: str) -> Any:
    """The agenda for the projector."""
    found = the_sitting(sitting_id)
    return render_template(
        "panel/statement_wall.html", sitting=found, agenda=agenda.shown(db(), found)
    )


@blueprint.get("/sittings/<sitting_id>/agenda")
@allow(*INSIDE)
def agenda_state(slug: str, sitting_id: str) -> Any:
    """The agenda as it stands, with the server's time."""
    return jsonify(agenda.shown(db(), the_sitting(sitting_id)))


@blueprint.post("/sittings/<sitting_id>/agenda")
@allow("office")
def move_agenda(slug: str, sitting_id: str) -> Any:
    """One tap of the recorder; the answer is the agenda as it stands then."""
    found = the_sitting(sitting_id)
    sent = request.get_json(silent=True)
    body = sent if isinstance(sent, dict) else {}
    version, position = body.get("version"), body.get("position")
    agenda.act(
        db(),
        me(),
        sitting=found,
        what=str(body.get("do", "")),
        version=version if type(version) is int else -1,
        position=position if type(position) is int else None,
    )
    return jsonify(agenda.shown(db(), found))


@blueprint.post("/sittings/<sitting_id>/statement/consent")
@allow("office", "presenter")
def consent(slug: str, sitting_id: str) -> Any:
    """The presenter agrees to being recorded."""
    found = the_sitting(sitting_id)
    form = ConsentForm()
    if not form.validate_on_submit():
        return show_room(found, 422, consent_form=form)
    operations.consent(db(), me(), sitting=found)
    return back_to(slug, sitting_id, "已登记同意录音。", "The consent is on record.", "panel.room")


@blueprint.post("/sittings/<sitting_id>/statement/exchange")
@allow("office")
def exchange(slug: str, sitting_id: str) -> Any:
    """One question with its answer."""
    found = the_sitting(sitting_id)
    form = ExchangeForm()
    if not form.validate_on_submit():
        return show_room(found, 422, exchange_form=form)
    operations.add_exchange(
        db(),
        me(),
        sitting=found,
        asked_by=form.asked_by.data or "",
        question=form.question.data or "",
        answer=form.answer.data or "",
    )
    return back_to(slug, sitting_id, "问答已记录。", "Written down.", "panel.room")


@blueprint.post("/sittings/<sitting_id>/statement/files")
@allow("office", "presenter")
def attach(slug: str, sitting_id: str) -> Any:
    """A proxy letter's scan or a document that was shown."""
    found = the_sitting(sitting_id)
    form = AttachForm()
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    if not form.validate_on_submit():
        return show_room(found, 422, attach_form=form)
    try:
        attachments.attach(
            db(),
            me(),
            sitting=found,
            kind=form.kind.data,
            data=data,
            filename=(sent.filename or "") if sent is not None else "",
        )
    except DomainError as error:
        form.refuse(error, "file")
        return show_room(found, 422, attach_form=form)
    return back_to(slug, sitting_id, "文件已保存。", "The file is kept.", "panel.room")


@blueprint.get("/sittings/<sitting_id>/statement/files/<file_id>")
@allow(*INSIDE)
def statement_file(slug: str, sitting_id: str, file_id: str) -> Any:
    """One of the statement's files, as a download."""
    row = attachments.file(db(), me(), the_sitting(sitting_id), file_id)
    response = send_file(
        store().open(row.sha256), mimetype=row.mime, as_attachment=True, download_name=row.name
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@blueprint.post("/sittings/<sitting_id>/bookmarks")
@allow("expert")
def bookmark(slug: str, sitting_id: str) -> Any:
    """An expert marks this moment."""
    found = the_sitting(sitting_id)
    form = BookmarkForm()
    if not form.validate_on_submit():
        return show_room(found, 422, bookmark_form=form)
    item = form.item.data or ""
    bookmarks.add_bookmark(
        db(),
        me(),
        sitting=found,
        item=item if item in dict(items_of(found)) else "",
        words=form.words.data or "",
    )
    return back_to(
        slug, sitting_id, "已标记，只有您看得到。", "Marked; only you see it.", "panel.room"
    )
