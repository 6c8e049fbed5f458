"""Releasing a run to the counties, what a county then reads, and meetings held because of a run."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app.aggregation import county, holds, meetings, queries, releases
from app.aggregation.forms_flags import MeetingForm
from app.aggregation.pages import blueprint
from app.domain.types import DomainError
from app.programme.queries import names_of
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/runs/<int:number>/release")
@allow("office", "supervisor")
def release(slug: str, number: int) -> Any:
    """Exactly what each county would read of this run, and the two steps that show it."""
    run = queries.run(db(), me(), g.round, number)
    row = releases.of_run(db(), run)
    shown = releases.confirmed(db(), g.round)
    people = {who for r in [row, *shown] if r for who in (r.proposed_by, r.confirmed_by)}
    last = queries.last_run(db(), g.round)
    return render_template(
        "aggregation/release.html",
        run=run,
        row=row,
        shown=shown,
        held=[(holds.what(row), row.reason) for row in holds.open_of(db(), run)],
        latest=last is not None and last.id == run.id,
        counties=county.results_of(db(), run, [r["id"] for r in run.inputs["subjects"]]),
        names=names_of(db(), people),
    )


@blueprint.post("/runs/<int:number>/release")
@allow("office")
def propose_release(slug: str, number: int) -> Any:
    """The office proposes; nobody sees anything yet."""
    releases.propose(db(), me(), run=queries.run(db(), me(), g.round, number))
    flash(say("已提出发布，等待另一人确认。", "Proposed. Somebody else now confirms."), "done")
    return redirect(url_for("aggregation.release", slug=slug, number=number))


@blueprint.post("/runs/<int:number>/release/confirm")
@allow("office", "supervisor")
def confirm_release(slug: str, number: int) -> Any:
    """Somebody else confirms; from now on the counties see it."""
    releases.confirm(db(), me(), run=queries.run(db(), me(), g.round, number))
    flash(say("已发布，各区县可以查看本县结果。", "Released: each county sees its own."), "done")
    return redirect(url_for("aggregation.release", slug=slug, number=number))


@blueprint.get("/result")
@allow("presenter")
def county_result(slug: str) -> Any:
    """A presenter's own county in the run that was released."""
    return render_template("aggregation/county.html", shown=county.own_result(db(), me(), g.round))


@blueprint.route("/runs/<int:number>/meetings", methods=["GET", "POST"])
@allow("office", "supervisor", "expert")
def meetings_of_run(slug: str, number: int) -> Any:
    """Calibration meetings beside a run; the office or a panel leader records one."""
    run = meetings.run_for(db(), me(), g.round, number)
    form = MeetingForm()
    status = 200
    if form.is_submitted():
        me().require("office", "expert")
        status = 422
        if form.validate():
            try:
                meetings.record(
                    db(), me(), run=run, held_on=form.held_on.data, note=form.note.data or ""
                )
            except DomainError as error:
                form.refuse(error, "note")
            else:
                flash(say("会议已登记。", "The meeting is recorded."), "done")
                where = "aggregation.meetings_of_run"
                return redirect(url_for(where, slug=slug, number=number))
    rows = meetings.of_run(db(), run)
    page = render_template(
        "aggregation/meetings.html",
        run=run,
        rows=rows,
        form=form,
        names=names_of(db(), {row.by for row in rows}),
    )
    return page, status
