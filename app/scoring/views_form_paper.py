"""A form on paper before it is used: the same sheet as a sitting's, of nobody and marked as a specimen."""

from __future__ import annotations

from flask import Blueprint, Response

from app import clock
from app.domain.types import DomainError, Text
from app.programme import form_editing
from app.programme.forms_form_editing import FormTextForm
from app.programme.views_form_editing import uploaded_text
from app.scoring import paper_forms
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db, finish

blueprint = Blueprint("form_paper", __name__)

_NOT_YET = Text(
    "这张表还有错误，不能排成纸质表；请回到编写页检查。没有保存任何内容。",
    "The form still has errors and cannot be set on paper; check it on the page where it is written. "
    "Nothing was saved.",
)


@blueprint.post("/forms/paper")
@allow("office", "admin")
def preview() -> Response:
    """The form of the text sent, as a PDF; nothing is kept."""
    form = FormTextForm()
    form.validate()
    found = form_editing.checked(
        db(), uploaded_text(form), dict.fromkeys(form.no.data or (), False)
    )
    if found.form is None or found.instrument is None:
        raise DomainError(_NOT_YET)
    data = paper_forms.preview_data(found.instrument, found.form.stage, language())
    finish(keep=False)  # typst takes its time: not with a transaction held open
    made = Response(paper_forms.blank_pdf(data, clock.now()), mimetype="application/pdf")
    made.headers["Content-Disposition"] = f'inline; filename="{found.form.id}-specimen.pdf"'
    return made
