"""Experts from a file: upload and dry run, which column holds what, who is meant, confirm."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import after_this_request, flash, redirect, render_template, request, url_for

from app.documents.tables import read_table
from app.domain.types import Conflict, DomainError, Text
from app.registry import columns, forms, imports, mapping, words
from app.registry.columns import ColumnsUnknown
from app.registry.columns_page import carried_columns, chosen_columns, columns_page
from app.registry.import_report import SHOWN
from app.registry.pages import blueprint
from app.registry.uploads import GONE, Uploads
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, home, keys, me

_TITLE = Text("导入专家", "Import experts")


@blueprint.route("/pool/import", methods=["GET", "POST"])
@allow("keeper")
def import_file() -> Any:
    """Upload and dry run. The file is kept encrypted, so that confirming needs no second upload."""
    form = forms.ImportForm()
    if not form.validate_on_submit():
        page = render_template("registry/import.html", form=form)
        return page, 422 if form.errors else 200
    data, filename = form.file.data.read(), form.file.data.filename or "experts"
    try:
        report = imports.import_experts(db(), me(), data, filename, dry_run=True, answers={})
    except ColumnsUnknown as error:
        return _columns_page(data, filename, _uploads().keep(data), error)
    except DomainError as error:
        form.refuse(error, "file")
        return render_template("registry/import.html", form=form), 422
    return _report(report, _uploads().keep(data))


@blueprint.post("/pool/import/again")
@allow("keeper")
def import_again() -> Any:
    """The same file once more: with columns set by hand (remembered for its headings), or with what
    was answered about namesakes. Without either, the page where columns are set."""
    form = forms.AgainForm()
    if not form.validate_on_submit():
        raise DomainError(GONE)
    token, filename = form.upload.data, form.filename.data
    data = _uploads().read(token)
    chosen = chosen_columns(mapping.EXPERTS)
    answers = _answers()
    if not chosen and not answers and "asked" not in request.form:
        return _columns_page(data, filename, token, None)
    try:
        if chosen:
            headers = read_table(
                data, filename, max_rows=imports.MAX_ROWS, score=columns.known_heads
            ).headers
            mapping.remember(db(), me(), headers, chosen)
        report = imports.import_experts(
            db(), me(), data, filename, dry_run=True, answers=answers,
            given_columns=chosen or carried_columns(form.columns.data),
        )  # fmt: skip
    except (ColumnsUnknown, DomainError) as error:
        if isinstance(error, ColumnsUnknown) or error.field == "columns":
            return _columns_page(data, filename, token, error)
        upload = forms.ImportForm(formdata=None)
        upload.refuse(error, "file")
        return render_template("registry/import.html", form=upload), 422
    return _report(report, token)


@blueprint.post("/pool/import/confirm")
@allow("keeper")
def import_confirm() -> Any:
    """Enter the file that was shown, with the changes that are ticked: whole or not at all."""
    form = forms.ConfirmForm()
    if not form.validate_on_submit():
        raise DomainError(GONE)
    data, ticked = _uploads().read(form.upload.data), set(request.form.getlist("change"))
    given, answers = carried_columns(form.columns.data), _answers()
    try:
        report = imports.import_experts(
            db(),
            me(),
            data,
            form.filename.data,
            dry_run=False,
            new_employers=form.new_employers.data,
            screening_document=form.screening_document.data or "",
            given_columns=given,
            answers=answers,
            accept=ticked,
        )
    except DomainError as error:
        if error.field != "file":  # refused while writing: nothing of it may be read again here
            raise
        report = imports.import_experts(
            db(), me(), data, form.filename.data, dry_run=True, given_columns=given, answers=answers
        )
        form.refuse(DomainError(error.text))
        page = _report(report, form.upload.data, form, ticked)
        return page, 409 if isinstance(error, Conflict) else 422
    token = form.upload.data

    @after_this_request
    def _done(response: Any) -> Any:
        if response.status_code < 400:  # runs after the commit
            _uploads().forget(token)
        return response

    flash(
        say(
            "已导入 {n} 人，跳过 {m} 个重复。",
            "Experts imported: {n}; duplicates skipped: {m}.",
            n=report.created,
            m=len(report.duplicates) - report.updated,
        ),
        "ok",
    )
    if report.updated:
        changed = say(
            "已更新 {n} 人，原值保留。",
            "Experts updated: {n}; former values are kept.",
            n=report.updated,
        )
        flash(changed, "ok")
    return redirect(url_for("registry.index"))


def _report(
    report: imports.ImportReport,
    token: str,
    refused: forms.ConfirmForm | None = None,
    ticked: set[str] | None = None,
) -> str:
    """What the file holds; `refused` is the confirmation that came back, with what was ticked."""
    confirm = refused or forms.ConfirmForm(
        formdata=None,
        data={
            "upload": token,
            "filename": report.filename,
            "columns": json.dumps(report.columns, ensure_ascii=False),
        },
    )
    return render_template(
        "registry/import.html",
        form=forms.ImportForm(formdata=None),
        report=report,
        confirm=confirm,
        codes=words,
        shown=SHOWN,
        ticked=ticked,
    )


def _columns_page(data: bytes, filename: str, token: str, error: DomainError | None) -> Any:
    return columns_page(
        read_table(data, filename, max_rows=imports.MAX_ROWS, score=columns.known_heads),
        mapping.EXPERTS,
        filename=filename,
        token=token,
        error=error,
        again=url_for("registry.import_again"),
        back=url_for("registry.import_file"),
        title=_TITLE,
    )


def _answers() -> dict[int, str]:
    """Row -> the number, `new` or `skip` that was answered."""
    return {
        int(found[1]): value
        for name, value in request.form.items()
        if value and (found := re.fullmatch(r"answer-(\d{1,7})", name))
    }


def _uploads() -> Uploads:
    return Uploads(home(), keys())
