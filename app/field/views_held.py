"""The supervisor's page about what is held for a member who was recorded as absent."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.field import held
from app.field.forms_office import HeldForm
from app.field.pages import desk
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@desk.route("/r/<slug>/held/<sheet_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def held_sheet(slug: str, sheet_id: str) -> Any:
    """What is held, for whom and why; the supervisor lets it count or sets it aside."""
    row = held.held_sheet(db(), me(), g.round, sheet_id)
    form = HeldForm()
    if request.method == "POST":
        me().require("supervisor")
    if form.validate_on_submit():
        accepted = form.decision.data == "accepted"
        try:
            held.decide(db(), me(), held=row, accepted=accepted, reason=form.reason.data or "")
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say(
                    "缺席记录已撤销，内容已计入；已通知本人。",
                    "The absence is withdrawn and everything counts; the expert is told.",
                )
                if accepted
                else say(
                    "不予采用，内容永久留存；已通知本人。",
                    "Set aside and kept for ever; the expert is told.",
                ),
                "done",
            )
            return redirect(url_for("field_desk.waiting", slug=slug))
    page = render_template("field/held.html", row=row, form=form)
    return page, 422 if request.method == "POST" else 200
