"""Declarations of interest with their decision, and an expert's own page."""

from __future__ import annotations

from typing import Any

from flask import (
    flash,
    redirect,
    render_template,
    request,
    url_for,
)

from app.directory import queries as directory
from app.domain.types import Conflict, DomainError, Text
from app.registry import forms, operations, queries, words
from app.registry import queries_registers as registers
from app.registry.forms_registers import (
    CorrectionForm,
    ProposeForm,
    ResidenceForm,
    SeveralForm,
    StatementForm,
)
from app.registry.operations.declarations import needs_keeper
from app.registry.pages import (
    blueprint,
    declare,
    employers,
    of_form,
)
from app.ui.access import allow
from app.ui.forms import Form
from app.ui.language import say
from app.ui.request import db, keys, me


@blueprint.get("/pool/interests")
@allow("supervisor", "office", "keeper")
def interests() -> Any:
    """Declarations of interest; the supervisor decides."""
    return _interests()


def _interests(refused: tuple[str, Form] | None = None) -> Any:
    """The list; `refused` is (row id, or "several", and the form that came back)."""
    wanted = request.args.get("status", "declared")
    page = request.args.get("page", 1, type=int)
    found = queries.interests(db(), me(), status="" if wanted == "all" else wanted, page=page)
    rows = [row for row, _ in found.rows]
    empty: type[Form] = forms.DecisionForm if me().role == "supervisor" else ProposeForm
    given = {
        row.id: refused[1]
        if refused and refused[0] == row.id
        else empty(formdata=None, prefix=row.id)
        for row in rows
    }
    page_text = render_template(
        "registry/interests.html",
        found=found,
        wanted=wanted,
        forms=given,
        several=refused[1]
        if refused and refused[0] == "several"
        else SeveralForm(formdata=None, prefix="several"),
        codes=words,
        needs_keeper=needs_keeper,
        may_read={row.id: registers.may_read(me(), row) for row in rows},
        regions=directory.region_names(db(), [row.region_code for row in rows]),
        experts=queries.expert_names(db(), [row.other_expert_id for row in rows]),
        accounts=queries.account_names(
            db(), [who for row in rows for who in (row.decided_by, row.proposed_by)]
        ),
    )
    return page_text, 422 if refused else 200


@blueprint.post("/pool/interests/decide")
@allow("supervisor")
def decide_several() -> Any:
    """One decision on everything that is ticked."""
    form = SeveralForm(prefix="several")
    if form.validate_on_submit():
        rows = [queries.interest(db(), me(), key) for key in request.form.getlist("rows")]
        try:
            count = operations.decide_interests(
                db(), me(), interests=rows, decision=form.decision.data, reason=form.reason.data
            )
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say("{n} 条决定已记录。", "{n} decisions were recorded.", n=count), "ok")
            return redirect(url_for("registry.interests"))
    return _interests(("several", form))


@blueprint.post("/pool/interests/<interest_id>/propose")
@allow("keeper")
def propose_interest(interest_id: str) -> Any:
    """The keeper's decision on another link (C-05), which the supervisor confirms."""
    row = queries.interest(db(), me(), interest_id)
    form = ProposeForm(prefix=row.id)
    if form.validate_on_submit():
        operations.propose_interest(
            db(), me(), interest=row, decision=form.decision.data, reason=form.reason.data
        )
        flash(say("已记录，等待监督人员确认。", "Recorded; the supervisor confirms it."), "ok")
        return redirect(url_for("registry.interests"))
    return _interests((row.id, form))


@blueprint.post("/pool/interests/<interest_id>/decide")
@allow("supervisor")
def decide_interest(interest_id: str) -> Any:
    """Uphold or dismiss, with a reason."""
    row = queries.interest(db(), me(), interest_id)
    form = forms.DecisionForm(prefix=row.id)
    if form.validate_on_submit():
        operations.decide_interest(
            db(), me(), interest=row, decision=form.decision.data, reason=form.reason.data
        )
        flash(say("决定已记录。", "The decision was recorded."), "ok")
        return redirect(url_for("registry.interests"))
    return _interests((row.id, form))


@blueprint.get("/me/expert")
@allow("expert")
def own() -> Any:
    """Everything held about oneself (PIPL art. 45), one's own phone in clear."""
    return own_page()


def own_page(**filled: Form) -> Any:
    """One's own record; `filled` are forms that were refused."""
    expert = queries.own_expert(db(), me())
    person = expert.person
    past = registers.past_panels(db(), expert.id)
    page = render_template(
        "registry/own.html",
        expert=expert,
        person=person,
        phone=keys().decrypt(person.phone) if person.phone else "",
        id_number=keys().decrypt(person.id_number) if person.id_number else "",
        birth_date=directory.birth_date(person, keys()),
        posts=list(reversed(person.employments)),
        past=past,
        former=directory.former_values(db(), person),
        clear=lambda row: directory.clear_former(row, keys()),
        regions=directory.region_names(
            db(),
            [
                expert.region_code,
                *(row.region_code for row in expert.interests),
                *(row.region_code for row in expert.residences),
                *(row.region_code for row in past),
            ],
        ),
        # Whether the other one is in the pool is not the expert's to know.
        experts={
            row.other_expert_id: say("另一位专家", "another expert")
            for row in expert.interests
            if row.other_expert_id
        },
        employers=employers(),
        corrections=registers.own_corrections(db(), expert.id),
        wanted=lambda row: registers.wanted_text(me(), row, keys()),
        correction_form=filled.get("correction")
        or CorrectionForm(formdata=None, prefix="correction"),
        interest_form=filled.get("interest")
        or forms.InterestForm(formdata=None, prefix="interest"),
        residence_form=filled.get("residence") or ResidenceForm(formdata=None, prefix="residence"),
        statement_form=filled.get("statement") or StatementForm(formdata=None, prefix="statement"),
        absence_form=filled.get("absence") or forms.AbsenceForm(formdata=None, prefix="absence"),
        codes=words,
    )
    return page, 422 if filled else 200


@blueprint.post("/me/expert/consent")
@allow("expert")
def own_consent() -> Any:
    """Consent to being in the pool."""
    operations.record_consent(db(), me(), expert=queries.own_expert(db(), me()))
    flash(say("同意书已签署。", "Your consent was recorded."), "ok")
    return redirect(url_for("registry.own"))


@blueprint.post("/me/expert/interest")
@allow("expert")
def own_interest() -> Any:
    """Declare a conflict of interest."""
    form = forms.InterestForm(prefix="interest")
    if form.validate_on_submit():
        try:
            declare(queries.own_expert(db(), me()), form, "expert")
        except DomainError as error:
            form.refuse(of_form(error))
        else:
            flash(say("已申报；决定之前您回避。", "Declared; you stay out until decided."), "ok")
            return redirect(url_for("registry.own"))
    return own_page(interest=form)


@blueprint.post("/me/expert/interest/<interest_id>/withdraw")
@allow("expert")
def withdraw_interest(interest_id: str) -> Any:
    """Take back one's own declaration before it is decided."""
    row = queries.interest(db(), me(), interest_id)
    operations.withdraw_interest(
        db(), me(), interest=row, reason=str(say(Text("本人撤回", "withdrawn")))
    )
    flash(say("申报已撤回。", "The declaration was withdrawn."), "ok")
    return redirect(url_for("registry.own"))


@blueprint.post("/me/expert/absence")
@allow("expert")
def own_absence() -> Any:
    """Say on which days one cannot come."""
    form = forms.AbsenceForm(prefix="absence")
    if form.validate_on_submit():
        try:
            operations.add_absence(
                db(),
                me(),
                expert=queries.own_expert(db(), me()),
                since=form.since.data,
                until=form.until.data,
                reason=form.reason.data or "",
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("请假已登记。", "The absence was recorded."), "ok")
            return redirect(url_for("registry.own"))
    return own_page(absence=form)


@blueprint.post("/me/expert/absence/<absence_id>/cancel")
@allow("expert")
def cancel_absence(absence_id: str) -> Any:
    """Take an absence back."""
    operations.cancel_absence(
        db(), me(), expert=queries.own_expert(db(), me()), absence_id=absence_id
    )
    flash(say("请假已取消。", "The absence was cancelled."), "ok")
    return redirect(url_for("registry.own"))
