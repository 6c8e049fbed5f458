"""The shape of what a supervisor types: a head from paper, to be kept on the list."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length

from app.domain.types import Text
from app.ui.forms import Form, needed


class KeepForm(Form):
    head = StringField(
        Text("账本头", "Head"),
        description=Text("形如 mj1:条数:64位十六进制", "as mj1:SIZE:64 hex digits"),
        validators=[needed(), Length(max=2000)],
    )
    source = StringField(
        Text("印在哪里", "Where it is printed"),
        description=Text("例如：5 月 3 日抽取记录表第 1 页", "for instance: slip of 3 May, page 1"),
        validators=[needed(), Length(max=200)],
    )
