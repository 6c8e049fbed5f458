"""The panel board and reminders."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for

from app.accounts.devices import device
from app.domain.types import Conflict, NotFound
from app.field import board as boards
from app.field import closing_votes, reminders
from app.field.pages import MALFORMED, blueprint, desk, json_body, refused
from app.panel import queries as panels
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me, settings


def day_of(text: str | None) -> date | None:
    """A date in the address; None for anything else."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


@desk.get("/r/<slug>/panels/<panel_id>/board")
@allow("office", "supervisor")
def board(slug: str, panel_id: str) -> Any:
    """One panel's day. The page asks for itself again and takes over what changed."""
    panel = panels.panel(db(), me(), g.round, panel_id)
    made = boards.board(db(), me(), panel, day_of(request.args.get("on")))
    return render_template(
        "field/board.html",
        board=made,
        panel=panel,
        asks={row.seat.id: reminders.words_for(panel, made.on, row) for row in made.rows},
        device=device,
        home=settings().public_url,
    )


@desk.post("/r/<slug>/panels/<panel_id>/remind")
@allow("office")
def remind(slug: str, panel_id: str) -> Any:
    """Remind one member of what the board says of him."""
    panel = panels.panel(db(), me(), g.round, panel_id)
    on = day_of(request.form.get("on"))
    reminders.remind(db(), me(), panel=panel, on=on, seat_id=request.form.get("seat", ""))
    flash(say("提醒已发到专家的首页和平板。", "Sent to the expert's page and tablet."), "done")
    return redirect(url_for("field_desk.board", slug=slug, panel_id=panel_id, on=on))


@desk.post("/reminders/<reminder_id>/seen")
@allow("expert")
def reminder_seen(reminder_id: str) -> Any:
    """The member has read it, on his first page."""
    reminders.seen(db(), me(), reminder_id)
    return redirect(url_for("home.index"))


@blueprint.post("/api/reminders/<reminder_id>/seen")
@allow("expert")
def told_seen(reminder_id: str) -> Any:
    """The member has read it, on his tablet."""
    try:
        reminders.seen(db(), me(), reminder_id)
    except NotFound as error:
        return refused(404, "absent", error.text)
    return jsonify(reminders=reminders.told(db(), me()))


@blueprint.post("/api/votes/<extension_id>")
@allow("expert")
def cast_vote(extension_id: str) -> Any:
    """A member's vote on a later closing time, on his tablet."""
    answer = (json_body() or {}).get("answer")
    if answer not in ("yes", "no"):
        return refused(422, "invalid", MALFORMED)
    try:
        closing_votes.cast(db(), me(), extension_id, yes=answer == "yes")
    except NotFound as error:
        return refused(404, "absent", error.text)
    except Conflict as error:
        return refused(409, "conflict", error.text)
    return jsonify(votes=closing_votes.told(db(), me()))


@desk.app_context_processor
def _reminders() -> dict[str, Any]:
    """`own_reminders()` for an expert's first page."""
    return {"own_reminders": lambda: reminders.unseen(db(), me())}
