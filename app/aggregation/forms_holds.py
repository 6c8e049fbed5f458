"""Shape of a supervisor's note or hold, and of a correction after totals."""

from __future__ import annotations

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import Length, Optional

from app.aggregation.corrections import CAUSE_TEXT
from app.directory.forms import choices
from app.domain.types import Text
from app.ui.forms import Form, needed

LIMIT = 2000
KIND_TEXT = {
    "hold": Text(
        "暂缓：解除前不能发布，也不能定稿", "Hold: neither released nor final until it is lifted"
    ),
    "note": Text("意见：只记录，不影响办理", "Note: kept on record, stops nothing"),
}


class HoldForm(Form):
    subject = SelectField(Text("对象", "About"), validators=[Optional()])
    kind = RadioField(Text("性质", "Kind"), choices=choices(KIND_TEXT), validators=[needed()])
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=LIMIT)])


class LiftForm(Form):
    reason = TextAreaField(
        Text("解除理由", "Why it is lifted"), validators=[needed(), Length(max=LIMIT)]
    )


class CorrectionForm(Form):
    subject = SelectField(Text("区县", "County"), validators=[needed()])
    cause = RadioField(Text("原因", "Cause"), choices=choices(CAUSE_TEXT), validators=[needed()])
    reason = TextAreaField(
        Text(
            "理由（哪项、原来是什么、依据）", "Reason (which item, what it was, on what evidence)"
        ),
        validators=[needed(), Length(max=LIMIT)],
    )
