"""What experts ask to be corrected about themselves, and the keeper's answer."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.registry import operations, queries, words
from app.registry import queries_registers as registers
from app.registry.forms_registers import AnswerForm, CorrectionForm
from app.registry.pages import blueprint
from app.registry.views_declarations import own_page
from app.ui.access import allow
from app.ui.forms import Form
from app.ui.language import say
from app.ui.request import db, keys, me


@blueprint.post("/me/expert/correction")
@allow("expert")
def own_correction() -> Any:
    """Ask that a fact be corrected."""
    form = CorrectionForm(prefix="correction")
    if form.validate_on_submit():
        try:
            operations.ask_correction(
                db(), me(), expert=queries.own_expert(db(), me()), field=form.field.data,
                wanted=form.wanted.data, explanation=form.explanation.data,
            )  # fmt: skip
        except DomainError as error:
            form.refuse(error, "wanted")
        else:
            flash(
                say("更正申请已提交，由专家库管理员答复。", "Sent; the pool keeper will answer."),
                "ok",
            )
            return redirect(url_for("registry.own"))
    return own_page(correction=form)


@blueprint.get("/pool/corrections")
@allow("keeper", "supervisor")
def corrections() -> Any:
    """Requests of experts, open ones first."""
    return _list()


def _list(refused: tuple[str, Form] | None = None) -> Any:
    found = registers.corrections(db(), me(), page=request.args.get("page", 1, type=int))
    given = {
        row.id: refused[1]
        if refused and refused[0] == row.id
        else AnswerForm(formdata=None, prefix=row.id)
        for row in found.rows
        if row.decision is None
    }
    page = render_template(
        "registry/corrections.html",
        found=found,
        forms=given,
        experts=queries.expert_names(db(), [row.expert_id for row in found.rows]),
        accounts=queries.account_names(db(), [row.decided_by for row in found.rows]),
        wanted=lambda row: registers.wanted_text(me(), row, keys()),
        codes=words,
    )
    return page, 422 if refused else 200


@blueprint.post("/pool/corrections/<correction_id>")
@allow("keeper")
def answer_correction(correction_id: str) -> Any:
    """Accept or refuse, with a reason."""
    row = registers.correction(db(), me(), correction_id)
    form = AnswerForm(prefix=row.id)
    if form.validate_on_submit():
        try:
            operations.answer_correction(
                db(), me(), correction=row, accept=form.decision.data == "accepted",
                reason=form.reason.data, on=form.on.data,
            )  # fmt: skip
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say("答复已记录。", "The answer was recorded."), "ok")
            return redirect(url_for("registry.corrections"))
    return _list((row.id, form))
