"""What every form shares: messages of the reader's language, and texts as pairs."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_wtf import FlaskForm
from wtforms.validators import DataRequired, StopValidation

from app.domain.types import Text
from app.ui.language import language

NEEDED = Text("请填写这一项。", "Please fill this in.")


class Form(FlaskForm):  # type: ignore[misc]
    """Base of all forms; WTForms' own messages come in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        @property
        def locales(self) -> tuple[str, ...]:
            return ("en",) if language() == "en" else ("zh",)

    def refuse(self, error: Any, default: str | None = None) -> None:
        """Put a DomainError beside the field that it names, else on top of the form."""
        g.refused = error
        name = error.field or default
        if name and name in self:
            self[name].errors = [*self[name].errors, error.text]
        else:
            self.form_errors: list[Any] = [*self.form_errors, error.text]


def needed() -> DataRequired:
    """A field that must not stay empty."""
    return DataRequired(message=NEEDED)  # type: ignore[arg-type]


def same_as(other: str, message: Text) -> Any:
    """Validator: equal to another field."""

    def check(form: Form, field: Any) -> None:
        if field.data != form[other].data:
            raise StopValidation(message)

    return check
