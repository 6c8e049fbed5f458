"""The shape of calls and removals."""

from __future__ import annotations

from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.domain.types import Text
from app.draw import messages
from app.ui.forms import Form, needed


class ContactForm(Form):
    channel = SelectField(Text("方式", "Channel"), choices=list(messages.CHANNEL.items()))
    outcome = SelectField(Text("结果", "Outcome"), choices=list(messages.OUTCOME.items()))
    reason = SelectField(
        Text("理由", "Reason"), choices=[("", Text("无", "none")), *messages.DECLINE.items()]
    )
    note = StringField(Text("备注", "Note"), validators=[Optional(), Length(max=500)])


class RemovalForm(Form):
    """Which seats leave is a list of ticks in the table; cause and evidence hold for them all."""

    reason = SelectField(Text("事由（D-10）", "Cause (D-10)"), choices=list(messages.CAUSE.items()))
    evidence = TextAreaField(Text("依据", "Evidence"), validators=[needed(), Length(max=2000)])
