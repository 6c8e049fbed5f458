"""Flags on screen: all of them for the supervisor, by seat for the office, an expert's own to explain."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app.aggregation import flags, flags_read, queries
from app.aggregation.forms_flags import DecideForm, ExplainForm
from app.aggregation.models import Run
from app.aggregation.pages import blueprint
from app.domain.types import DomainError
from app.programme.queries import names_of
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/runs/<int:number>/flags")
@allow("office", "supervisor")
def flags_of_run(slug: str, number: int) -> Any:
    """The flags of one run with what was said and decided, the undecided and graver first."""
    return _board(queries.run(db(), me(), g.round, number))


def _board(run: Run, **refused: Any) -> Any:
    found = flags_read.board(db(), me(), run)
    people = {row.by for one in (*found.rows, *found.earlier) for row in one.decisions}
    forms = {
        row.flag.id: DecideForm(formdata=None, prefix=f"{row.flag.id}-")
        for row in (*found.rows, *found.earlier)
    }
    last = queries.last_run(db(), g.round)
    page = render_template(
        "aggregation/flags.html",
        board=found,
        run=run,
        latest=last is not None and last.id == run.id,
        forms=forms | refused,
        names=names_of(db(), people),
        outcomes=flags_read.OUTCOME,
    )
    return page, 422 if refused else 200


@blueprint.post("/flags/<flag_id>/decide")
@allow("supervisor")
def decide_flag(slug: str, flag_id: str) -> Any:
    """Keep the mark, ask for a calibration meeting, or leave the sheet out of the next run."""
    flag = flags.flag_by_id(db(), g.round, flag_id)
    form = DecideForm(prefix=f"{flag.id}-")
    last = queries.last_run(db(), g.round)
    if form.validate_on_submit():
        try:
            made = flags.decide(
                db(), me(), flag=flag,
                outcome=form.outcome.data or "", reason=form.reason.data or "",
            )  # fmt: skip
        except DomainError as error:
            if error.field is None:
                raise
            form.refuse(error)
        else:
            done = (
                say(
                    "已决定剔除。评分表保持封存，下一次汇总起不再计入。",
                    "Decided. The sheet stays sealed and does not count from the next run on.",
                )
                if made.outcome == "exclude"
                else say("已决定。", "Decided.")
            )
            flash(done, "done")
            number = last.number if last is not None else flag.run.number
            return redirect(url_for("aggregation.flags_of_run", slug=slug, number=number))
    shown = flag.run if last is None or flag.run_id == last.id else last
    return _board(shown, **{flag.id: form})


@blueprint.get("/flags/own")
@allow("expert")
def own_flags(slug: str) -> Any:
    """The flags of the viewer's own marks in the latest run."""
    return _own()


def _own(flag_id: str = "", refused: ExplainForm | None = None) -> Any:
    rows = flags_read.own(db(), me(), g.round)
    forms = {
        row.flag.id: refused if refused and flag_id in row.ids else ExplainForm(formdata=None)
        for row in rows
        if row.answer is None
    }
    page = render_template("aggregation/own_flags.html", rows=rows, forms=forms)
    return page, 422 if refused else 200


@blueprint.post("/flags/<flag_id>/explain")
@allow("expert")
def explain_flag(slug: str, flag_id: str) -> Any:
    """An expert's explanation, once."""
    flag = flags.flag_by_id(db(), g.round, flag_id)
    form = ExplainForm()
    typed = form.validate_on_submit()
    try:
        flags.explain(db(), me(), flag=flag, text=form.text.data or "")
    except DomainError as error:
        if error.field is None:
            raise
        if typed:
            form.refuse(error)
        return _own(flag.id, form)
    flash(say("您的说明已记录。", "Your explanation is on record."), "done")
    return redirect(url_for("aggregation.own_flags", slug=slug))
