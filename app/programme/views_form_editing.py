"""Writing a score form on screen: upload or edit, see what is wrong beside the lines, try it as the tablet
will show it, read the difference, save it as a new version."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for

from app.domain.types import DomainError, Text
from app.programme import form_editing
from app.programme.forms_form_editing import FormTextForm
from app.programme.forms_score_rule import ScoreRuleForm
from app.programme.pages import blueprint, page
from app.programme.versions import form_version, form_versions
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

_NOT_TEXT = Text(
    "文件不是 UTF-8 文本。没有读取；请另存为 UTF-8 后再试。",
    "The file is not UTF-8 text. It was not read; save it as UTF-8 and try again.",
)


@blueprint.route("/forms/write", methods=["GET", "POST"])
@allow("office", "admin")
def write_form() -> Any:
    """A new form, or (`?from=VERSION`) a known one to be changed."""
    form, found, status = FormTextForm(), None, 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                text = uploaded_text(form)
                found = form_editing.checked(db(), text, dict.fromkeys(form.no.data or (), False))
                if request.form.get("do") == "save":
                    version = form_editing.save(db(), me(), found, form.seen.data or "")
                    flash(
                        say("已保存为新版本，待系统管理员确认。", "Saved as a new version; an administrator has yet to confirm it."),
                        "done",
                    )  # fmt: skip
                    return redirect(url_for("programme.form", version_id=version.id))
                status = 422 if found.errors else 200
            except DomainError as error:
                form.refuse(error, "text")
            if found is not None:
                form.text.data, form.seen.data = found.text, found.seen
    elif request.args.get("from"):
        form.text.data = form_version(db(), request.args["from"]).source
    return page("form_write", form=form, found=found, versions=form_versions(db())), status


@blueprint.get("/forms/<version_id>/form.yaml")
@allow("office", "supervisor", "admin")
def form_source(version_id: str) -> Any:
    """A version's text as a file, to be changed elsewhere and given back."""
    version = form_version(db(), version_id)
    made = Response(version.source, mimetype="application/yaml")
    made.headers["Content-Disposition"] = f'attachment; filename="{version.form_id}.yaml"'
    return made


def uploaded_text(form: FormTextForm | ScoreRuleForm) -> str:
    """The uploaded file where there is one, else what stands in the field. DomainError when the file is
    not UTF-8."""
    if not form.file.data:
        return (form.text.data or "").replace("\r\n", "\n")
    data: bytes = form.file.data.read(form_editing.MOST_CHARACTERS * 4)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DomainError(_NOT_TEXT, field="file") from error
