"""Case files: registering, from a table, closing the list, and the sample with its arithmetic."""

from __future__ import annotations

import base64
from typing import Any

from flask import flash, redirect, request, url_for

from app.domain.types import Conflict, DomainError, Text
from app.programme import case_import, casefiles, table_columns
from app.programme.forms import CaseFileTableForm, CaseForm, ReasonForm, SampleForm
from app.programme.pages import blueprint, page, the_round, the_subject
from app.programme.queries import names_of
from app.programme.views_figures import KEEP, uploaded
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

_TITLE = Text("导入案卷表", "Import case files")


@blueprint.get("/r/<slug>/cases")
@allow("office", "supervisor")
def cases(slug: str) -> Any:
    """Every county: case files by type, and whether the list is closed and sampled."""
    return page("cases", states=casefiles.case_states(db(), the_round()))


@blueprint.route("/r/<slug>/cases/import", methods=["GET", "POST"])
@allow("office")
def case_table(slug: str) -> Any:
    """Check a table of case files, or register it whole."""
    form = CaseFileTableForm()
    plan, name, data, chosen = None, "", b"", False
    heads, rows = case_import.HEADS, case_import.MAX_ROWS
    if form.validate_on_submit():
        try:
            data, name = table_columns.came_back() or _given(form)
            chosen = table_columns.keep_choice(heads, data, name, max_rows=rows)
            plan = case_import.plan_cases(db(), me(), the_round(), data, name)
            form.again.data = base64.b64encode(data).decode() if len(data) <= KEEP else ""
            form.name.data = name
            if request.form.get("do") == "enter" and not plan.problems:
                case_import.import_cases(db(), me(), the_round(), data, name)
                n = len(plan.rows)
                flash(say("已登记 {n} 件案卷。", "{n} case file(s) registered.", n=n), "ok")
                return redirect(url_for("programme.cases", slug=slug))
        except DomainError as error:
            if table_columns.asks(error):
                return table_columns.ask(
                    heads, data, name, error, max_rows=rows, endpoint="programme.case_table",
                    slug=slug, title=_TITLE,
                )  # fmt: skip
            form.refuse(error, "file")
    kinds: dict[str, Text] = {}
    for state in casefiles.case_states(db(), the_round()) if plan else ():
        kinds |= casefiles.kind_titles(state.instrument)
    shown = page("case_table", form=form, plan=plan, columns=case_import.COLUMNS, kinds=kinds)
    # With columns just chosen the answer is no refusal, so that they are remembered whatever the rows.
    return shown, 422 if form.errors or (plan and plan.problems and not chosen) else 200


def _given(form: CaseFileTableForm) -> tuple[bytes, str]:
    """The chosen file, else what was pasted, else the file that was checked just before."""
    if not form.file.data and (form.pasted.data or "").strip():
        return form.pasted.data.encode(), say("粘贴的表格", "the pasted table")
    return uploaded(form)


@blueprint.route("/r/<slug>/cases/<subject_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def case_list(slug: str, subject_id: str) -> Any:
    """One county's case files; the office registers one more."""
    subject = the_subject(subject_id)
    state = casefiles.case_state(db(), subject)
    form = CaseForm()
    form.kind.choices = list(casefiles.kind_titles(state.instrument).items())
    if form.is_submitted():
        me().require("office")
    if form.validate_on_submit():
        try:
            casefiles.add_case(
                db(),
                me(),
                subject,
                kind=form.kind.data,
                number=form.number.data,
                title=form.title.data,
                on=form.on.data,
            )
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "number")
        else:
            flash(say("已登记。", "Registered."), "ok")
            return redirect(url_for("programme.case_list", slug=slug, subject_id=subject_id))
    return _list_page(state, form, SampleForm(formdata=None)), 422 if form.errors else 200


def _list_page(state: casefiles.CaseState, form: CaseForm, sample: SampleForm) -> str:
    closing = state.closing
    people = {row.entered_by for row in state.files}
    if closing is not None:
        people |= {closing.closed_by, closing.drawn_by}
    kinds = casefiles.kind_titles(state.instrument)
    key = state.key
    return page(
        "case_list",
        state=state,
        subject=state.subject,
        kinds=kinds,
        rules={rule["type"]: rule["count"] for rule in state.instrument["repeat"]["sample"]},
        form=form,
        sample=sample,
        key=key,
        order={kind: casefiles.ticket_order(state, kind, key) for kind in kinds} if key else {},
        names=names_of(db(), people),
    )


@blueprint.post("/r/<slug>/cases/<subject_id>/close")
@allow("office")
def close_cases(slug: str, subject_id: str) -> Any:
    """Freeze a county's list."""
    casefiles.close_list(db(), me(), the_subject(subject_id))
    flash(
        say("清单已封闭，摘要已写入账本。", "The list is closed; its digest is in the ledger."),
        "ok",
    )
    return redirect(url_for("programme.case_list", slug=slug, subject_id=subject_id))


@blueprint.post("/r/<slug>/cases/<subject_id>/sample")
@allow("office")
def sample_cases(slug: str, subject_id: str) -> Any:
    """A drill's sample by a typed seed; in a real round only a list of which all files are reviewed."""
    subject = the_subject(subject_id)
    state = casefiles.case_state(db(), subject)
    form = SampleForm()
    if subject.round.kind == "real" and not form.seed.data:
        casefiles.take_all(db(), me(), subject)
        flash(say("案卷全部评查。", "All case files are reviewed."), "ok")
        return redirect(url_for("programme.case_list", slug=slug, subject_id=subject_id))
    if form.validate_on_submit():
        try:
            casefiles.draw_sample(
                db(), me(), subject, seed=form.seed.data, seed_source=form.seed_source.data
            )
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("案卷已抽取。", "The sample is drawn."), "ok")
            return redirect(url_for("programme.case_list", slug=slug, subject_id=subject_id))
    blank = CaseForm(formdata=None)
    blank.kind.choices = list(casefiles.kind_titles(state.instrument).items())
    return _list_page(state, blank, form), 422


@blueprint.route("/r/<slug>/case-files/<case_id>/withdraw", methods=["GET", "POST"])
@allow("office")
def withdraw_case(slug: str, case_id: str) -> Any:
    """Take a case file off an open list, with the reason."""
    case = casefiles.case_by_id(db(), the_round(), case_id)
    subject = the_subject(case.subject_id)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            casefiles.withdraw_case(db(), me(), case, form.reason.data)
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say("已从清单中撤下，记录保留。", "Removed from the list; the record is kept."),
                "ok",
            )
            return redirect(url_for("programme.case_list", slug=slug, subject_id=subject.id))
    return page("case_withdraw", form=form, case=case, subject=subject), 422 if form.errors else 200
