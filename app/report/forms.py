"""Shape of the report's forms; the rules are in `operations`."""

from __future__ import annotations

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.report.sections import SIGNED
from app.ui.forms import Form, needed


class SectionForm(Form):
    version = HiddenField(validators=[needed()])
    text = TextAreaField(Text("组长撰写", "The leader's words"), validators=[Optional()])


class SignForm(Form):
    state = RadioField(Text("签署", "Signature"), choices=choices(SIGNED), validators=[needed()])
    text = TextAreaField(
        Text("不同意见或理由", "Dissent or reason"),
        description=Text(
            "附不同意见或拒绝签字时必填，会印入报告。",
            "Required with a dissent or a refusal; it is printed in the report.",
        ),
        validators=[Optional(), Length(max=5000)],
    )
    signed_name = StringField(
        Text("签名（请输入本人姓名）", "Signature (type your own name)"),
        validators=[needed(), Length(max=60)],
    )


class RefusalForm(Form):
    expert = HiddenField(validators=[needed()])
    text = TextAreaField(
        Text("拒绝签字的情况", "The refusal"), validators=[needed(), Length(max=5000)]
    )
