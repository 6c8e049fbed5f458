"""Shape of the forms around trainees; the rules are in `trainees`."""

from __future__ import annotations

from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from app.domain.types import Text
from app.ui.forms import Form, needed


class TraineeForm(Form):
    number = StringField(
        Text("专家编号", "Expert's number"),
        description=Text(
            "候选或在库专家的编号，如 E0123；本届有席位的专家不能见习。",
            "Of a candidate or an expert in the pool, such as E0123; nobody with a seat in this round.",
        ),
        validators=[needed(), Length(max=40)],
    )
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])


class EndForm(Form):
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])
