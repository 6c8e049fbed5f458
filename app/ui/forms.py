"""What every form shares: messages of the reader's language, and texts as pairs."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import FileField
from wtforms import IntegerField as _IntegerField
from wtforms.validators import DataRequired, StopValidation

from app.domain.types import Text
from app.ui.language import language

LARGEST = 2**31 - 1
NEEDED = Text("请填写这一项。", "Please fill this in.")


class Form(FlaskForm):  # type: ignore[misc]
    """Base of all forms; WTForms' own messages come in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        @property
        def locales(self) -> tuple[str, ...]:
            return ("en",) if language() == "en" else ("zh",)

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Fields of the request, and its files for those fields alone that take one: a file sent
            under the name of a text is no text."""
            if formdata is not _Auto:
                return formdata
            if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
                return None
            files = [
                (name, file)
                for name, file in request.files.items(multi=True)
                if isinstance(form._fields.get(name), FileField)
            ]
            return CombinedMultiDict((MultiDict(files), request.form)) if files else request.form

    def refuse(self, error: Any, default: str | None = None) -> None:
        """Put a DomainError beside the field that it names, else on top of the form."""
        g.refused = error
        name = error.field or default
        if name and name in self:
            self[name].errors = [*self[name].errors, error.text]
        else:
            self.form_errors: list[Any] = [*self.form_errors, error.text]


class IntegerField(_IntegerField):
    """A whole number that database and arithmetic can hold; a longer one is no number."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and abs(self.data) > LARGEST:
            self.data = None
            raise ValueError(self.gettext("Not a valid integer value."))


def needed() -> DataRequired:
    """A field that must not stay empty."""
    return DataRequired(message=NEEDED)  # type: ignore[arg-type]


def same_as(other: str, message: Text) -> Any:
    """Validator: equal to another field."""

    def check(form: Form, field: Any) -> None:
        if field.data != form[other].data:
            raise StopValidation(message)

    return check
