"""Runs on screen: start one, read one, take it away as a file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import abort, flash, g, redirect, render_template, send_file, url_for
from markupsafe import Markup

from app.aggregation import (
    corrections,
    exports,
    holds,
    meetings,
    operations,
    queries,
    run_drawings,
    ties,
)
from app.aggregation.comparison import compare
from app.aggregation.corrected import changed_values, corrected_until
from app.aggregation.flags_read import checked
from app.aggregation.forms import RunForm
from app.aggregation.pages import blueprint
from app.aggregation.reading import Reading
from app.domain.types import DomainError, Language
from app.draw.forms_order import OrderForm
from app.draw.refusals_watch import watch
from app.draw.room_order import drafted, order_form
from app.programme.queries import names_of
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import db, me

__all__ = ["blueprint"]  # the whole room's, for the factory
watch(blueprint, "settle_tie")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.route("/runs", methods=["GET", "POST"])
@allow("office", "supervisor")
def index(slug: str) -> Any:
    """Every run of the round; the office starts one."""
    form = RunForm()
    status = 200
    if form.is_submitted():
        me().require("office")
        status = 422
        if form.validate():
            try:
                made = operations.run(db(), me(), round=g.round, note=form.note.data or "")
            except DomainError as error:
                form.refuse(error, "note")
            else:
                flash(say("汇总完成。", "The run is made."), "done")
                return redirect(url_for("aggregation.show", slug=slug, number=made.number))
    rows = queries.runs(db(), me(), g.round)
    names = names_of(db(), {row.made_by for row in rows})
    return render_template("aggregation/index.html", runs=rows, names=names, form=form), status


@blueprint.get("/runs/<int:number>")
@allow("office", "supervisor")
def show(slug: str, number: int) -> Any:
    """One run with every mark, the arithmetic, the agreement and the flags."""
    run = queries.run(db(), me(), g.round, number)
    reading = Reading(run)
    chosen: Language = "en" if language() == "en" else "zh"
    dots = [
        (title, Markup(run_drawings.dots(reading, stage["id"], panel, chosen)[0]))  # our own SVG
        for stage, panel, title in reading.panels()
    ]
    before = queries.run(db(), me(), g.round, number - 1) if number > 1 else None
    taken = corrections.of_run(db(), run)
    names = names_of(
        db(), {run.made_by, *(who for row in taken for who in (row.asked_by, row.confirmed_by))}
    )
    return render_template(
        "aggregation/show.html",
        run=run,
        reading=reading,
        silent=checked(reading)[0],
        comparison=compare(before, run) if before is not None else None,
        meetings=meetings.of_run(db(), run),
        ranking=reading.ranking(),
        dots=dots,
        caterpillar=Markup(run_drawings.caterpillars(reading, chosen)[0]),
        open_ties=ties.standings(db(), g.round, run),
        held=[(holds.what(row), row.reason) for row in holds.open_of(db(), run)],
        taken=taken,
        changed={
            row.id: list(changed_values(before, run, row.subject.region_code))
            for row in taken
            if before is not None
        },
        latest=run.id == getattr(queries.last_run(db(), g.round), "id", None),
        names=names,
        causes=corrections.CAUSE_TEXT,
        made_by=names.get(run.made_by or "", ""),
    )


@blueprint.route("/runs/<int:number>/ties/<int:tie>", methods=["GET", "POST"])
@allow("office")
def settle_tie(slug: str, number: int, tie: int) -> Any:
    """Ask for the draw that settles a tie which this run left open: a draft."""
    run = queries.run(db(), me(), g.round, number)
    wanted = ties.wanted_tie(g.round, run, tie)
    form = OrderForm()
    if form.validate_on_submit():
        try:
            draw = ties.settle_by_draw(db(), me(), run=run, number=tie, **form.randomness(g.round))
        except DomainError as error:
            form.refuse(error, "dice")
        else:
            return drafted(slug, draw.id)
    return order_form(wanted, form)


@blueprint.get("/runs/<int:number>/export.<kind>")
@allow("office", "supervisor")
def export(slug: str, number: int, kind: str) -> Any:
    """The run as a workbook, or its marks as CSV."""
    if kind not in ("xlsx", "csv"):
        abort(404)
    run = queries.run(db(), me(), g.round, number)
    if kind == "xlsx":
        data = exports.as_xlsx(Reading(run), language(), corrected_until(db(), run))
    else:
        data = exports.as_csv(Reading(run), language())
    return send_file(
        BytesIO(data),
        mimetype=XLSX if kind == "xlsx" else "text/csv",
        as_attachment=True,
        download_name=f"{slug}-run-{number}.{kind}",
    )


# Further pages of the room, on the same blueprint.
from app.aggregation import views_diagnostics, views_flags, views_holds, views_release  # noqa: E402, F401
