"""Shape of what is typed beside a flag, a meeting and a release; the rules are in the operations."""

from __future__ import annotations

from wtforms import DateField, RadioField, TextAreaField
from wtforms.validators import Length

from app.aggregation.flags import LIMIT
from app.aggregation.flags_read import OUTCOME
from app.directory.forms import choices
from app.domain.types import Text
from app.ui.forms import Form, needed


class ExplainForm(Form):
    text = TextAreaField(
        Text("书面说明", "Your explanation"), validators=[needed(), Length(max=LIMIT)]
    )


class DecideForm(Form):
    outcome = RadioField(
        Text("决定", "Decision"), choices=choices({**OUTCOME}), validators=[needed()]
    )
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=LIMIT)])


class MeetingForm(Form):
    held_on = DateField(Text("会议日期", "Date of the meeting"), validators=[needed()])
    note = TextAreaField(
        Text("记录（议了什么、结论）", "Note (what was discussed and concluded)"),
        validators=[needed(), Length(max=LIMIT)],
    )
