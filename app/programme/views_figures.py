"""Figures: counties by figures, entering, confirming by a second person, import from a table."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Container, Sequence
from typing import Any

from flask import flash, g, redirect, request, send_file, url_for

from app.directory.queries import Page
from app.documents.sheets import Sheet, write_xlsx
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.programme import operations, queries, table_columns
from app.programme.figure_import import COLUMNS, HEADS, MAX_ROWS, template_rows
from app.programme.forms import CHOOSE_FILE, FigureFileForm, FigureForm
from app.programme.models import Subject
from app.programme.pages import blueprint, page, the_round, the_subject
from app.programme.ticks import tick_of
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT_ONCE = 12  # counties beside each other; more are on further pages
KEEP = 1024 * 1024  # a checked table up to this size travels with the page
_TITLE = Text("导入数据表", "Import a table of figures")
_DAMAGED = Text(
    "检查过的文件已不完整，请重新选择。没有录入任何数据。",
    "The checked file did not arrive whole; choose it again. Nothing was entered.",
)


@blueprint.route("/r/<slug>/figures", methods=["GET", "POST"])
@allow("office", "supervisor")
def figures(slug: str) -> Any:
    """Counties by figures: missing ones are marked; what waits is ticked by a second person, who confirms
    all that he ticked or none."""
    if request.method == "GET":
        return figures_page()
    try:
        done = operations.confirm_figures(db(), me(), the_round(), request.form.getlist("tick"))
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        g.refused = error
        return figures_page(error.text), 409 if isinstance(error, Conflict) else 422
    flash(say("已确认 {n} 项。", "{n} figure(s) confirmed.", n=len(done)), "ok")
    kept: dict[str, Any] = {
        key: request.args[key] for key in ("q", "show", "page") if key in request.args
    }
    return redirect(url_for("programme.figures", slug=slug, **kept))


def figures_page(problem: Text | None = None) -> str:
    """Counties by figures, `AT_ONCE` counties a page; `problem` is why the ticks were not confirmed."""
    round_ = the_round()
    have = queries.figures_of(db(), round_)
    missing = queries.missing_figures(db(), round_)
    unconfirmed = queries.unconfirmed_figures(db(), round_)
    shown = _counties_shown(
        round_.subjects, {m.subject.id for m in missing}, {f.subject_id for f in unconfirmed}
    )
    people = {
        account
        for subject in shown.rows
        for figure in have[subject.id].values()
        for account in (figure.entered_by, figure.confirmed_by)
    }
    return page(
        "figures",
        catalogue=queries.figure_catalogue(round_),
        have=have,
        shown=shown,
        lacking={(entry.subject.id, entry.key) for entry in missing},
        missing=missing,
        unconfirmed=unconfirmed,
        names=queries.names_of(db(), people),
        viewer_id=me().id,
        tick_of=tick_of,
        problem=problem,
    )


def _counties_shown(
    subjects: Sequence[Subject], lacking: Container[str], waiting: Container[str]
) -> Page[Subject]:
    """The counties that the page's filters ask for: by name or code, with something missing or waiting."""
    term = request.args.get("q", "").strip().casefold()
    wanted = {"missing": lacking, "waiting": waiting}.get(request.args.get("show", ""))
    rows = [
        row
        for row in subjects
        if (wanted is None or row.id in wanted)
        and term in f"{row.name.zh} {row.name.en} {row.region_code}".casefold()
    ]
    number = min(max(1, request.args.get("page", 1, type=int)), max(1, -(-len(rows) // AT_ONCE)))
    return Page(rows[(number - 1) * AT_ONCE : number * AT_ONCE], len(rows), number, AT_ONCE)


@blueprint.route("/r/<slug>/counties/<subject_id>/figures", methods=["GET", "POST"])
@allow("office")
def enter(slug: str, subject_id: str) -> Any:
    """Enter or correct one figure of a county; `?key=` chooses it."""
    round_, subject = the_round(), the_subject(subject_id)
    catalogue = queries.figure_catalogue(round_)
    have = queries.figures_of(db(), round_)[subject.id]
    form = FigureForm()
    form.key.choices = [
        (key, say("{t}（{u}）", "{t} ({u})", t=spec.title, u=spec.unit))
        for key, spec in catalogue.items()
    ]
    if not form.is_submitted():
        form.key.data = request.args.get("key") or next(iter(catalogue), None)
        now = have.get(form.key.data or "")
        form.seen.data = format(now.value, "f") if now else ""
        if now:
            form.value.data, form.year.data = format(now.value, "f"), now.year
            form.source.data = now.source
    if form.validate_on_submit():
        # A figure other than the one that the page was opened for was not shown: nothing to compare.
        shown = form.key.data == request.args.get("key")
        try:
            operations.enter_figure(
                db(),
                me(),
                subject,
                form.key.data,
                form.value.data,
                form.unit.data or "",
                form.year.data,
                form.source.data,
                seen=form.seen.data or "" if shown else None,
            )
        except DomainError as error:
            form.refuse(error, "value")
        else:
            flash(say("已录入，等待另一人确认。", "Entered; another person confirms it."), "ok")
            return redirect(url_for("programme.figures", slug=slug))
    return page("figure", form=form, subject=subject), 422 if form.errors else 200


@blueprint.route("/r/<slug>/figures/import", methods=["GET", "POST"])
@allow("office")
def figure_file(slug: str) -> Any:
    """Check a table of figures, then enter it whole."""
    form = FigureFileForm()
    plan, name, data, chosen = None, "", b"", False
    if form.validate_on_submit():
        try:
            data, name = table_columns.came_back() or uploaded(form)
            chosen = table_columns.keep_choice(HEADS, data, name, max_rows=MAX_ROWS)
            if request.form.get("do") == "enter":
                done = operations.import_figures(db(), me(), the_round(), data, name)
                n = len(done.changes)
                flash(say("已录入 {n} 项数据。", "{n} figure(s) entered.", n=n), "ok")
                return redirect(url_for("programme.figures", slug=slug))
            plan = operations.plan_figures(db(), me(), the_round(), data, name)
            fits = len(data) <= KEEP
            form.again.data = base64.b64encode(data).decode() if fits else ""
            form.name.data = name
        except DomainError as error:
            if table_columns.asks(error):
                return table_columns.ask(
                    HEADS, data, name, error, max_rows=MAX_ROWS, endpoint="programme.figure_file",
                    slug=slug, title=_TITLE,
                )  # fmt: skip
            form.refuse(error, "file")
    shown = page("figure_file", form=form, plan=plan, columns=COLUMNS, name=name)
    # With columns just chosen the answer is no refusal, so that they are remembered whatever the rows.
    return shown, 422 if form.errors or (plan and plan.problems and not chosen) else 200


@blueprint.get("/r/<slug>/figures/template.xlsx")
@allow("office")
def figure_template(slug: str) -> Any:
    """The table to fill in: a line for each figure that is still missing."""
    heads, rows = template_rows(db(), the_round())
    buffer = io.BytesIO()
    write_xlsx(buffer, [Sheet("figures", heads, rows, [16, 40, 14, 12, 10, 40])])
    buffer.seek(0)
    return send_file(buffer, mimetype=XLSX, as_attachment=True, download_name="figures.xlsx")


def uploaded(form: Any) -> tuple[bytes, str]:
    """The chosen file, or the one that was checked just before."""
    if form.file.data:
        return form.file.data.read(), form.file.data.filename or ""
    if not form.again.data:
        raise DomainError(CHOOSE_FILE, field="file")
    try:
        return base64.b64decode(form.again.data, validate=True), form.name.data or ""
    except binascii.Error as error:
        raise DomainError(_DAMAGED, field="file") from error
