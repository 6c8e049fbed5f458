"""The registers behind the recusal rules: heads of counties, contractors, supervising bodies; lists
from a file; and what an expert states, with former posts and places lived in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import after_this_request, flash, redirect, render_template, request, url_for

from app.directory import queries as directory
from app.domain.types import DomainError, NotFound, Text
from app.registry import (
    forms,
    mapping,
    messages,
    operations,
    queries,
    queries_registers,
    words,
)
from app.registry import forms_registers as shapes
from app.registry.columns_page import carried_columns, chosen_columns, columns_page
from app.registry.pages import (
    blueprint,
    employer_named,
    employers,
    of_form,
    place_named,
)
from app.registry.register_import import (
    LAYOUTS,
    heads_of,
    import_register,
    table_of,
    template_table,
)
from app.registry.uploads import GONE, Uploads
from app.registry.views_declarations import own_page
from app.registry.views_pool import sheet_file
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, home, keys, me

READERS = ("keeper", "office", "supervisor")
SHAPES: dict[str, type[shapes.EntryForm]] = {
    "heads": shapes.HeadForm,
    "contractors": shapes.ContractorForm,
    "supervisors": shapes.BodyForm,
    "engagements": shapes.PastPanelForm,
}
KEEPERS_OWN = ("engagements",)  # the office, which draws, does not say who has sat before


@blueprint.get("/registers")
@allow("keeper", "office", "supervisor")
def registers() -> Any:
    """What is recorded for the recusal rules, and the lists that can be imported."""
    return render_template(
        "registry/registers.html",
        counts=queries_registers.counts(db(), me()),
        layouts={k: v for k, v in LAYOUTS.items() if me().role in v.roles},
        codes=words,
    )


@blueprint.route("/registers/<register>", methods=["GET", "POST"])
@allow("keeper", "office", "supervisor")
def register(register: str) -> Any:
    """One register; keeper and office add to it."""
    if register not in SHAPES:
        raise NotFound(messages.NO_ENTRY)
    form = SHAPES[register]()
    if form.is_submitted():
        me().require(*_writers(register))
    if form.validate_on_submit():
        try:
            _add(register, form)
        except DomainError as error:
            form.refuse(of_form(error))
        else:
            flash(say("已登记。", "Recorded."), "ok")
            return redirect(url_for("registry.register", register=register))
    return _register(register, form)


def _writers(register: str) -> tuple[str, ...]:
    return ("keeper",) if register in KEEPERS_OWN else ("keeper", "office")


def _add(register: str, form: Any) -> None:
    dated = {"since": form.since.data, "until": form.until.data, "basis": form.basis.data}
    if register == "supervisors":
        operations.add_supervising_body(
            db(), me(), organisation=employer_named(form.employer.data), **dated
        )
        return
    code = place_named(form.region.data) or ""
    if register == "engagements":
        operations.add_past_panel(
            db(), me(), expert=queries.expert_numbered(db(), me(), form.expert.data, "expert"),
            round_name=form.round_name.data, region_code=code or None, **dated,
        )  # fmt: skip
    elif register == "heads":
        number = (form.expert.data or "").strip()
        operations.add_head(
            db(), me(), region_code=code, name=form.name.data, post=form.post.data,
            expert=queries.expert_numbered(db(), me(), number, "expert") if number else None, **dated,
        )  # fmt: skip
    else:
        operations.add_contractor(
            db(), me(), region_code=code, work=form.work.data,
            organisation=employer_named(form.employer.data) if form.employer.data else None,
            **dated,
        )  # fmt: skip


def _register(register: str, form: Any, **refused: Any) -> Any:
    found = queries_registers.entries(
        db(),
        me(),
        register,
        search=request.args.get("q", ""),
        page=request.args.get("page", 1, type=int),
    )
    people = {row.recorded_by for row in found.rows} | {row.struck_by for row in found.rows}
    page = render_template(
        "registry/register.html",
        register=register,
        found=found,
        form=form,
        writes=me().role in _writers(register),
        importable=register in LAYOUTS and me().role in LAYOUTS[register].roles,
        employers=employers() if register not in ("heads", "engagements") else [],
        experts=queries.expert_names(db(), [getattr(r, "expert_id", None) for r in found.rows]),
        names=directory.region_names(db(), [getattr(r, "region_code", None) for r in found.rows]),
        accounts=queries.account_names(db(), people),
        codes=words,
        end_form=refused.get("end") or shapes.EndForm(formdata=None),
        strike_form=refused.get("strike") or shapes.StrikeForm(formdata=None),
    )
    return page, 422 if form.errors or refused else 200


@blueprint.post("/registers/<register>/<entry_id>/<change>")
@allow("keeper", "office")
def change_entry(register: str, entry_id: str, change: str) -> Any:
    """End an entry on its last day, or strike out what was entered wrongly."""
    me().require(*_writers(register))
    entry = queries_registers.entry(db(), me(), register, entry_id)
    if change == "end":
        form: Any = shapes.EndForm()
    elif change == "strike":
        form = shapes.StrikeForm()
    else:
        raise NotFound(messages.NO_ENTRY)
    if form.validate_on_submit():
        if change == "end":
            operations.end_entry(db(), me(), entry=entry, until=form.until.data)
        else:
            operations.strike_entry(db(), me(), entry=entry, reason=form.reason.data)
        flash(say("已记录。", "Recorded."), "ok")
        return redirect(url_for("registry.register", register=register))
    return _register(register, SHAPES[register](formdata=None), **{change: form})


@blueprint.route("/registers/import/<kind>", methods=["GET", "POST"])
@allow("keeper", "office")
def import_list(kind: str) -> Any:
    """A dry run of a list; nothing is written."""
    layout = _layout(kind)
    form = forms.ImportForm()
    given: dict[str, Any] = {"form": form, "kind": kind, "layout": layout, "codes": words}
    if not form.validate_on_submit():
        return render_template("registry/register_import.html", **given), (
            422 if form.errors else 200
        )
    data, filename = form.file.data.read(), form.file.data.filename or kind
    return _dry_run(kind, data, filename, None, None)


@blueprint.post("/registers/import/<kind>/again")
@allow("keeper", "office")
def list_again(kind: str) -> Any:
    """The same file once more with columns set by hand, which are remembered for its headings; without
    any, the page where they are set."""
    _layout(kind)
    form = forms.AgainForm()
    if not form.validate_on_submit():
        raise DomainError(GONE)
    token, filename = form.upload.data, form.filename.data
    data, heads = Uploads(home(), keys()).read(token), heads_of(kind)
    chosen = chosen_columns(heads)
    if not chosen and "asked" not in request.form:
        return _columns_page(kind, data, filename, token, None)
    try:
        if chosen:
            headers = table_of(kind, data, filename).headers
            mapping.remember(db(), me(), headers, chosen, heads)
    except DomainError as error:
        return _columns_page(kind, data, filename, token, error)
    return _dry_run(kind, data, filename, token, chosen or None)


def _dry_run(
    kind: str, data: bytes, filename: str, token: str | None, chosen: dict[str, str] | None
) -> Any:
    """What the list holds; without a `token` the file is new and kept for the confirmation."""
    form = forms.ImportForm(formdata=None)
    given: dict[str, Any] = {"form": form, "kind": kind, "layout": _layout(kind), "codes": words}
    kept = Uploads(home(), keys())
    try:
        report = import_register(
            db(), me(), kind, data, filename, dry_run=True, given_columns=chosen
        )
    except mapping.ColumnsUnknown as error:
        return _columns_page(kind, data, filename, token or kept.keep(data), error)
    except DomainError as error:
        form.refuse(error, "file")
        return render_template("registry/register_import.html", **given), 422
    confirm = forms.AgainForm(
        formdata=None,
        data={
            "upload": token or kept.keep(data), "filename": filename,
            "columns": json.dumps(report.columns, ensure_ascii=False),
        },
    )  # fmt: skip
    return render_template("registry/register_import.html", **given, report=report, confirm=confirm)


def _columns_page(
    kind: str, data: bytes, filename: str, token: str, error: DomainError | None
) -> Any:
    return columns_page(
        table_of(kind, data, filename),
        heads_of(kind),
        filename=filename,
        token=token,
        error=error,
        again=url_for("registry.list_again", kind=kind),
        back=url_for("registry.import_list", kind=kind),
        title=LAYOUTS[kind].title,
    )


@blueprint.post("/registers/import/<kind>/confirm")
@allow("keeper", "office")
def confirm_list(kind: str) -> Any:
    """Enter the list that was shown, whole or not at all."""
    _layout(kind)
    form = forms.AgainForm()
    if not form.validate_on_submit():
        raise DomainError(GONE)
    kept, token = Uploads(home(), keys()), form.upload.data
    report = import_register(
        db(), me(), kind, kept.read(token), form.filename.data, dry_run=False,
        given_columns=carried_columns(form.columns.data),
    )  # fmt: skip

    @after_this_request
    def _done(response: Any) -> Any:
        if response.status_code < 400:  # runs after the commit
            kept.forget(token)
        return response

    flash(
        say(
            "已登记 {n} 条，{m} 条原已登记，跳过。",
            "Entries recorded: {n}; there already and skipped: {m}.",
            n=report.rows - len(report.repeated),
            m=len(report.repeated),
        ),
        "ok",
    )
    if kind == "interests":
        return redirect(url_for("registry.interests"))
    if kind in SHAPES:
        return redirect(url_for("registry.register", register=kind))
    return redirect(url_for("registry.registers"))


@blueprint.get("/registers/import/<kind>/template.xlsx")
@allow("keeper", "office")
def list_template(kind: str) -> Any:
    """The template of a list."""
    _layout(kind)
    heads, rows = template_table(kind)
    return sheet_file([heads, *rows], f"{kind}.xlsx")


def _layout(kind: str) -> Any:
    if kind not in LAYOUTS:
        raise NotFound(messages.NO_ENTRY)
    me().require(*LAYOUTS[kind].roles)
    return LAYOUTS[kind]


# ---------- an expert's own entries


@blueprint.post("/me/expert/residence")
@allow("expert")
def own_residence() -> Any:
    """Say where one was born or has lived; optional."""
    return _own_entry(
        "residence", shapes.ResidenceForm(prefix="residence"),
        lambda expert, form: operations.add_residence(
            db(), me(), expert=expert, kind=form.kind.data,
            region_code=place_named(form.region.data) or "", since=form.since.data,
            until=form.until.data,
        ),
    )  # fmt: skip


@blueprint.post("/me/expert/residence/<entry_id>/strike")
@allow("expert")
def strike_residence(entry_id: str) -> Any:
    """Take a place back."""
    operations.strike_residence(
        db(), me(), expert=queries.own_expert(db(), me()), entry_id=entry_id, reason="本人撤回"
    )
    flash(say("已撤回。", "Taken back."), "ok")
    return redirect(url_for("registry.own"))


@blueprint.post("/me/expert/statement")
@allow("expert")
def own_statement() -> Any:
    """State that all ties of some topics are declared."""
    return _own_entry(
        "statement", shapes.StatementForm(prefix="statement"),
        lambda expert, form: operations.state_ties(
            db(), me(), expert=expert, topics=form.topics.data or [],
            signed_name=form.signed_name.data,
        ),
    )  # fmt: skip


def _own_entry(name: str, form: Any, work: Callable[[Any, Any], object]) -> Any:
    if form.validate_on_submit():
        try:
            work(queries.own_expert(db(), me()), form)
        except DomainError as error:
            form.refuse(of_form(error))
        else:
            flash(say(Text("已记录。", "Recorded.")), "ok")
            return redirect(url_for("registry.own"))
    return own_page(**{name: form})
