"""A supervisor's notes and holds beside a run, and corrections after totals."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app.aggregation import corrections, holds, queries
from app.aggregation.forms_holds import CorrectionForm, HoldForm, LiftForm
from app.aggregation.pages import blueprint
from app.domain.types import DomainError, Text
from app.programme.queries import names_of
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.route("/runs/<int:number>/holds", methods=["GET", "POST"])
@allow("office", "supervisor")
def holds_of_run(slug: str, number: int) -> Any:
    """What supervisors noted or hold; a supervisor adds one."""
    run = queries.run(db(), me(), g.round, number)
    form, status = HoldForm(), 200
    form.subject.choices = [
        ("", holds.WHOLE), *((r["subject"], Text.of(r["name"])) for r in run.inputs["subjects"])
    ]  # fmt: skip
    if form.is_submitted():
        me().require("supervisor")
        status = 422
        if form.validate():
            try:
                holds.place(
                    db(), me(), run=run, kind=form.kind.data,
                    subject_id=form.subject.data or None, reason=form.reason.data or "",
                )  # fmt: skip
            except DomainError as error:
                form.refuse(error, "reason")
            else:
                flash(say("已记录。", "It is on record."), "done")
                return redirect(url_for("aggregation.holds_of_run", slug=slug, number=number))
    return _holds(run, form), status


def _holds(run: Any, form: HoldForm | None, lifting: tuple[str, LiftForm] | None = None) -> str:
    rows = holds.of_round(db(), g.round)
    last = queries.last_run(db(), g.round)
    people = {who for row in rows for who in (row.placed_by, row.lifted_by)}
    return render_template(
        "aggregation/holds.html",
        run=run,
        rows=rows,
        what=holds.what,
        binding={row.id for row in holds.open_of(db(), run)},
        latest=last is not None and last.id == run.id,
        form=form,
        lifting=lifting,
        lift_form=LiftForm(formdata=None),
        names=names_of(db(), people),
    )


@blueprint.post("/runs/<int:number>/holds/<hold_id>/lift")
@allow("supervisor")
def lift_hold(slug: str, number: int, hold_id: str) -> Any:
    """A supervisor lifts a hold with a reason."""
    run = queries.run(db(), me(), g.round, number)
    row, form = holds.one(db(), g.round, hold_id), LiftForm()
    if form.validate():
        try:
            holds.lift(db(), me(), row=row, reason=form.reason.data or "")
        except DomainError as error:
            if error.field is None:
                raise
            form.refuse(error, "reason")
        else:
            flash(say("暂缓已解除。", "The hold is lifted."), "done")
            return redirect(url_for("aggregation.holds_of_run", slug=slug, number=number))
    return _holds(run, None, (row.id, form)), 422


@blueprint.route("/runs/corrections", methods=["GET", "POST"])
@allow("office", "supervisor")
def corrections_of_round(slug: str) -> Any:
    """Corrections after totals: the office asks for one, somebody else confirms it."""
    form, status = CorrectionForm(), 200
    form.subject.choices = [(s.id, s.name) for s in g.round.subjects]
    if form.is_submitted():
        me().require("office")
        status = 422
        if form.validate():
            try:
                corrections.ask(
                    db(), me(), round=g.round, subject_id=form.subject.data or "",
                    cause=form.cause.data or "", reason=form.reason.data or "",
                )  # fmt: skip
            except DomainError as error:
                form.refuse(error, "subject")
            else:
                flash(
                    say("已登记，等待另一人确认。", "Entered; somebody else confirms it."), "done"
                )
                return redirect(url_for("aggregation.corrections_of_round", slug=slug))
    rows = corrections.of_round(db(), g.round)
    runs = {run.id: run.number for run in queries.runs(db(), me(), g.round)}
    people = {who for row in rows for who in (row.asked_by, row.confirmed_by)}
    page = render_template(
        "aggregation/corrections.html",
        rows=rows,
        runs=runs,
        causes=corrections.CAUSE_TEXT,
        source=corrections.SOURCE,
        form=form,
        names=names_of(db(), people),
    )
    return page, status


@blueprint.post("/runs/corrections/<correction_id>/confirm")
@allow("office", "supervisor")
def confirm_correction(slug: str, correction_id: str) -> Any:
    """A second person confirms a correction."""
    corrections.confirm(db(), me(), row=corrections.one(db(), g.round, correction_id))
    flash(say("更正已确认，可以重新汇总。", "Confirmed; the next run takes it."), "done")
    return redirect(url_for("aggregation.corrections_of_round", slug=slug))
