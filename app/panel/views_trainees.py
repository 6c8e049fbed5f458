"""Who sits along on a panel in training: appointed and ended here."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.panel import queries, trainees
from app.panel.forms_trainees import EndForm, TraineeForm
from app.panel.room import blueprint
from app.registry.queries import account_names
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.route("/panels/<panel_id>/trainees", methods=["GET", "POST"])
@allow("office", "supervisor")
def trainee_list(slug: str, panel_id: str) -> Any:
    """The panel's trainees, with reasons and times; the office appoints another one."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    form = TraineeForm()
    if form.is_submitted():
        me().require("office")
    if form.validate_on_submit():
        try:
            trainees.appoint(
                db(), me(), panel=panel, number=form.number.data, reason=form.reason.data
            )
        except (Conflict, Forbidden):
            raise
        except DomainError as error:
            form.refuse(error, "number")
        else:
            flash(
                say(
                    "见习已安排，监督人员可见。请为见习人员出示二维码登录平板。",
                    "Appointed; the supervisor sees it. Show the trainee the QR code for a tablet.",
                ),
                "done",
            )
            return redirect(url_for("panel.trainee_list", slug=slug, panel_id=panel_id))
    return _page(panel, form, 422 if form.is_submitted() else 200)


def _page(panel: Any, form: TraineeForm, status: int, ending: Any = None) -> Any:
    rows = trainees.of_panel(db(), me(), panel)
    return render_template(
        "panel/trainees.html",
        panel=panel,
        rows=rows,
        declared=queries.declared(db(), panel),
        names=account_names(db(), [who for r in rows for who in (r.appointed_by, r.ended_by)]),
        open=all(row.scoring_opened_at is None for row in panel.sittings),
        form=form,
        ending=ending or (None, EndForm(formdata=None)),
    ), status


@blueprint.post("/panels/<panel_id>/trainees/<trainee_id>/end")
@allow("office", "expert")
def end_trainee(slug: str, panel_id: str, trainee_id: str) -> Any:
    """He sits along no more, by the office or by himself."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    row = trainees.one(db(), me(), panel, trainee_id)
    form = EndForm()
    if form.validate_on_submit():
        try:
            trainees.end(db(), me(), trainee=row, reason=form.reason.data)
        except (Conflict, Forbidden, NotFound):
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say(
                    "见习已结束；已封存的表留存，不计入任何结果。",
                    "The training has ended; what was sealed is kept and counts nowhere.",
                ),
                "done",
            )
            if me().role == "expert":
                return redirect(url_for("home.index"))
            return redirect(url_for("panel.trainee_list", slug=slug, panel_id=panel_id))
    if me().role == "expert":
        flash(say("请写明理由，见习尚未结束。", "State the reason; nothing has ended."), "wrong")
        return redirect(url_for("panel.show", slug=slug, panel_id=panel_id))
    return _page(panel, TraineeForm(formdata=None), 422, (trainee_id, form))
