"""The supervisor's pages about what tablets sent too late, and what is held for a member who was recorded
as absent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError, Text
from app.field import held, late
from app.field.forms_office import HeldForm, LateForm
from app.field.pages import desk
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

_LATE = (
    Text("已接受，评分表计入。", "Accepted: the sheet counts."),
    Text("已拒绝，内容留存。", "Refused; everything is kept."),
)
_HELD = (
    Text(
        "缺席记录已撤销，内容已计入；已通知本人。",
        "The absence is withdrawn and everything counts; the expert is told.",
    ),
    Text(
        "不予采用，内容永久留存；已通知本人。",
        "Set aside and kept for ever; the expert is told.",
    ),
)


@desk.route("/r/<slug>/late/<late_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def late_sheet(slug: str, late_id: str) -> Any:
    """One late sheet with both times; the supervisor accepts or refuses it."""
    row = late.late_sheet(db(), me(), g.round, late_id)
    return _decision(
        slug, "field/late.html", row, LateForm(), partial(late.decide, late=row), _LATE
    )


@desk.route("/r/<slug>/held/<sheet_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def held_sheet(slug: str, sheet_id: str) -> Any:
    """What is held, for whom and why; the supervisor lets it count or sets it aside."""
    row = held.held_sheet(db(), me(), g.round, sheet_id)
    return _decision(
        slug, "field/held.html", row, HeldForm(), partial(held.decide, held=row), _HELD
    )


def _decision(
    slug: str,
    template: str,
    row: Any,
    form: LateForm | HeldForm,
    decide: Callable[..., Any],
    told: tuple[Text, Text],
) -> Any:
    """The page of one row; a POST is the supervisor's word. `told`: when it was accepted, when not."""
    if request.method == "POST":
        me().require("supervisor")
    if form.validate_on_submit():
        accepted = form.decision.data == "accepted"
        try:
            decide(db(), me(), accepted=accepted, reason=form.reason.data or "")
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say(told[0] if accepted else told[1]), "done")
            return redirect(url_for("field_desk.waiting", slug=slug))
    page = render_template(template, row=row, form=form)
    return page, 422 if request.method == "POST" else 200
