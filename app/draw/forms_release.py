"""The shape of what is typed about a second draw."""

from __future__ import annotations

from wtforms import PasswordField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.domain.types import Text
from app.ui.forms import NEEDED, Form, needed


class AskSecondForm(Form):
    reason = TextAreaField(
        Text("申请理由", "Reason"),
        validators=[needed(), Length(max=2000)],
        description=Text(
            "写明本届为何取消、为何必须再抽一次，依据的文件。",
            "Say why the round was cancelled, why there must be another draw, and by which document.",
        ),
    )


class DecideSecondForm(Form):
    decision = RadioField(
        Text("决定", "Decision"),
        choices=[
            ("release", Text("放行一次", "Release one draw")),
            ("refuse", Text("不予放行", "Refuse")),
        ],
        validators=[InputRequired(message=NEEDED)],  # type: ignore[arg-type]
    )
    answer = TextAreaField(Text("意见", "Grounds"), validators=[needed(), Length(max=2000)])
    password = PasswordField(
        Text("本人密码", "Your own password"), validators=[needed(), Length(max=200)]
    )
