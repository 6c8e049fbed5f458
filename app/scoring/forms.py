"""Shape of the scoring forms' input; marks themselves are checked by the instrument."""

from __future__ import annotations

from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from app.domain.types import Text
from app.ui.forms import Form, needed


class SealForm(Form):
    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    signed_name = StringField(
        Text("签名（请输入本人姓名）", "Signature (type your own name)"),
        validators=[needed(), Length(max=60)],
    )


class ReasonForm(Form):
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class AbsenceForm(ReasonForm):
    seat = SelectField(Text("席位", "Seat"), validators=[needed()])
