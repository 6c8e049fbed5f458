"""Shape of the office's and the supervisor's input about tablets' sheets."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from app.directory.forms import choices
from app.domain.types import Text
from app.ui.forms import NEEDED, Form, needed


class ImportForm(Form):
    file = FileField(
        Text("平板导出的文件（.mjfield）", "The tablet's export (.mjfield)"),
        validators=[FileRequired(message=NEEDED)],
    )


class LateForm(Form):
    decision = SelectField(
        Text("决定", "Decision"),
        choices=choices(
            {
                "": Text("请选择", "Choose"),
                "accepted": Text("接受：按时计入", "Accept: it counts as if in time"),
                "refused": Text("不接受：只留存，不计入", "Refuse: kept, without effect"),
            }
        ),
        validators=[needed()],
    )
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class HeldForm(Form):
    decision = SelectField(
        Text("决定", "Decision"),
        choices=choices(
            {
                "": Text("请选择", "Choose"),
                "accepted": Text("计入：撤销缺席记录", "Let it count: the absence is withdrawn"),
                "set_aside": Text(
                    "不予采用：缺席不变，内容永久留存", "Set aside: the absence stands, all is kept"
                ),
            }
        ),
        validators=[needed()],
    )
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])
