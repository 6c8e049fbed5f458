"""Closing time and its extension by vote, on the sitting's page."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from wtforms import DateTimeLocalField, TextAreaField
from wtforms.validators import Length

from app import clock
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.panel import queries, votes
from app.panel.room import blueprint, the_sitting
from app.ui.access import allow
from app.ui.forms import Form, needed
from app.ui.language import say
from app.ui.request import db, me, settings


class ClosingForm(Form):
    """A closing time and why."""

    closes_at = DateTimeLocalField(
        Text("截止时间", "Closing time"), format=["%Y-%m-%dT%H:%M"], validators=[needed()]
    )
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


@blueprint.route("/sittings/<sitting_id>/closing", methods=["GET", "POST"])
@allow("office", "supervisor", "expert")
def closing(slug: str, sitting_id: str) -> Any:
    """The closing time, every proposal with its votes, and the next step for this viewer."""
    found = the_sitting(sitting_id)
    form = ClosingForm()
    if request.method == "POST":
        me().require("office")
    if form.validate_on_submit():
        at = form.closes_at.data.replace(tzinfo=ZoneInfo(settings().timezone))
        try:
            made = votes.propose(
                db(), me(), sitting=found, closes_at=at, reason=form.reason.data or ""
            )
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "closes_at")
        else:
            if made.state == "set":
                flash(say("截止时间已定。", "The closing time is set."), "done")
            else:
                flash(say("已提交全组表决。", "Put to the panel's vote."), "done")
            return redirect(url_for("panel.closing", slug=slug, sitting_id=sitting_id))
    own = queries.own_seat(db(), me(), found.panel) if me().role == "expert" else None
    page = render_template(
        "panel/closing.html",
        sitting=found,
        rows=votes.extensions(db(), found),
        closes=votes.closing_time(db(), found),
        now=clock.now(),
        tally=votes.tally,
        own=own,
        form=form,
    )
    return page, 422 if request.method == "POST" else 200


@blueprint.post("/sittings/<sitting_id>/closing/vote")
@allow("expert")
def vote(slug: str, sitting_id: str) -> Any:
    """A member's vote on a proposal."""
    found = the_sitting(sitting_id)
    answer = request.form.get("answer")
    if answer not in ("yes", "no"):
        raise NotFound(queries.ABSENT)
    votes.vote(
        db(),
        me(),
        sitting=found,
        extension_id=request.form.get("extension", ""),
        yes=answer == "yes",
    )
    flash(say("您的表决已记入。", "Your vote is recorded."), "done")
    return redirect(url_for("panel.closing", slug=slug, sitting_id=sitting_id))


@blueprint.app_context_processor
def _closing() -> dict[str, Any]:
    """`closing_of(sitting)` and `open_vote(sitting)` for the pages of a sitting."""

    def open_vote(sitting: Any) -> Any:
        now = clock.now()
        rows = votes.extensions(db(), sitting)
        return next((r for r in rows if r.state == "open" and r.closes_at > now), None)

    return {"closing_of": lambda sitting: votes.closing_time(db(), sitting), "open_vote": open_vote}
