"""Shape of the run form; the rules are in `operations`."""

from __future__ import annotations

from wtforms import TextAreaField
from wtforms.validators import Length, Optional

from app.domain.types import Text
from app.ui.forms import Form


class RunForm(Form):
    note = TextAreaField(
        Text("说明（重新汇总时必填：为什么）", "Note (required when computed again: why)"),
        validators=[Optional(), Length(max=2000)],
    )
