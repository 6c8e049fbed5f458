"""The expert's sheets as the server has them, and the office's view of progress. Experts score in the
field application (app/field)."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.scoring.formulas import repeated_items
from app.domain.types import Conflict, DomainError, NotFound
from app.panel import queries as panels
from app.panel import together
from app.panel.models import Panel
from app.panel.room import at_several
from app.scoring import cases, holds, operations, queries
from app.scoring.forms import ReasonForm
from app.scoring.models import CaseSheet
from app.scoring.pages import absence_form, blueprint, progress_page
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

__all__ = ["blueprint"]


def _own(sheet_id: str) -> Any:
    sheet = queries.own_sheet(db(), me(), sheet_id)
    if sheet.sitting.panel.round_id != g.round.id:
        raise NotFound(queries.ABSENT)
    return sheet


@blueprint.get("/sheets")
@allow("expert")
def index(slug: str) -> Any:
    """What the viewer has to score in this round."""
    rows = [d for d in queries.duties(db(), me()) if d.sitting.panel.round_id == g.round.id]
    work = {d.sitting.id: cases.work_read(db(), d.sitting, d.seat) for d in rows}
    return render_template("scoring/index.html", duties=rows, work=work)


@blueprint.get("/sheets/<sheet_id>")
@allow("expert")
def sheet(slug: str, sheet_id: str) -> Any:
    """A sheet as the server has it: what was sealed, with its receipt, or where it is being filled
    in. Experts score in the field application; nothing is changed here."""
    row = _own(sheet_id)
    on_paper = row.state == "draft" and holds.on_paper(db(), row)
    return render_template(
        "scoring/on_paper.html" if on_paper else "scoring/own_sheet.html",
        sheet=row,
        standing=queries.standing(row),
        computed=queries.computed_beside(db(), row),
        work=_work(row),
        tablet=holds.elsewhere(db(), row),
        beside=holds.branches(db(), row),
    )


def _work(row: Any) -> cases.CaseWork | None:
    """The case files that a main sheet reads; None for a sheet that reads none."""
    if isinstance(row, CaseSheet) or not repeated_items(row.instrument):
        return None
    return cases.case_work(db(), row.sitting, row.seat)


@blueprint.route("/sittings/<sitting_id>/recuse", methods=["GET", "POST"])
@allow("expert")
def recuse(slug: str, sitting_id: str) -> Any:
    """Stand aside from one county."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            operations.recuse(db(), me(), sitting=sitting, reason=form.reason.data)
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
            return render_template("scoring/recuse.html", sitting=sitting, form=form), 422
        flash(
            say("已回避，本县不计您的评分。", "You stand aside; no mark of yours counts here."),
            "done",
        )
        return redirect(url_for("scoring.index", slug=slug))
    page = render_template("scoring/recuse.html", sitting=sitting, form=form)
    return page, 422 if form.is_submitted() else 200


@blueprint.route("/sittings/<sitting_id>/progress", methods=["GET", "POST"])
@allow("office", "supervisor", "expert")
def progress(slug: str, sitting_id: str) -> Any:
    """Who has sealed; to the office also item counts. Recording an absence."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    rows = queries.progress(db(), me(), sitting)
    if request.method == "GET":
        return progress_page(sitting, rows)
    me().require("office")
    form = absence_form(rows)
    if form.validate_on_submit():
        seat = next(r.seat for r in rows if r.seat.id == form.seat.data)
        operations.mark_absent(db(), me(), sitting=sitting, seat=seat, reason=form.reason.data)
        flash(say("已记录缺席。", "The absence is recorded."), "done")
        return redirect(url_for("scoring.progress", slug=slug, sitting_id=sitting_id))
    return progress_page(sitting, rows, 422, form=form)


@blueprint.post("/sittings/<sitting_id>/close")
@allow("office")
def close(slug: str, sitting_id: str) -> Any:
    """End the sitting when every sheet is final."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    operations.close_scoring(db(), me(), sitting=sitting)
    flash(say("本次会议已结束。", "The sitting is over."), "done")
    return redirect(url_for("panel.sitting", slug=slug, sitting_id=sitting_id))


@blueprint.post("/panels/<panel_id>/sittings/close")
@allow("office")
def close_sittings(slug: str, panel_id: str) -> Any:
    """End several sittings of a panel, or none."""
    return at_several(
        slug,
        panel_id,
        operations.close_scoring,
        "{n} 场会议已结束。",
        "{n} sittings are over.",
    )


@blueprint.app_template_global("steps_to_close")
def steps_to_close(panel: Panel) -> list[together.Step]:
    """For the panel's page, an earlier room's: its sittings at which every sheet is final, when they
    are two or more."""
    rows = queries.to_close(db(), panel, panel.sittings)
    return [together.Step(together.CLOSE, "scoring.close_sittings", rows)] if len(rows) > 1 else []


from app.scoring import views_absences, views_given, views_paper  # noqa: E402, F401  (they add their pages)
