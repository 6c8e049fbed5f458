"""Shape of the panel forms' input; the rules are in `operations`."""

from __future__ import annotations

from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.directory.forms import choices
from app.domain.types import Text
from app.panel.declarations import CONFLICTS
from app.panel.statements import IDENTITY, UNCONFIRMED
from app.ui.forms import Form, IntegerField, needed

CHOOSE = Text("请选择", "Choose")


class ScheduleForm(Form):
    on = DateField(Text("日期", "Date"), validators=[needed()])
    place = StringField(Text("地点", "Place"), validators=[Optional(), Length(max=200)])


class SecrecyForm(Form):
    signed_name = StringField(
        Text("签名（请输入本人姓名）", "Signature (type your own name)"),
        validators=[needed(), Length(max=60)],
    )


class ConflictForm(SecrecyForm):
    """One yes or no for each item; nothing is ticked beforehand."""


for _key, _text in CONFLICTS.items():
    setattr(
        ConflictForm,
        f"q_{_key}",
        SelectField(
            _text,
            choices=choices(
                {"": CHOOSE, "no": Text("否", "No"), "yes": Text("是", "Yes")},
            ),
            validators=[needed()],
        ),
    )


class OpenStatementForm(Form):
    presenter_name = StringField(
        Text("陈述人姓名", "Presenter's name"), validators=[needed(), Length(max=60)]
    )
    presenter_post = StringField(Text("职务", "Post"), validators=[needed(), Length(max=100)])
    proxy = StringField(
        Text("委托书编号（非主要负责人陈述时）", "Proxy letter no. (when not the head)"),
        validators=[Optional(), Length(max=100)],
    )
    identity = SelectField(
        Text("身份核对", "Identity"),
        choices=choices({"": CHOOSE, **IDENTITY}),
        validators=[Optional()],
    )
    challenge_minutes = IntegerField(
        Text("申请回避的时间（分钟）", "Time for challenges (minutes)"),
        description=Text(
            "从公布名单起算；留空则到陈述结束为止。",
            "From the moment the names are told; empty: to the end of the statement.",
        ),
        validators=[Optional()],
        default=10,
    )


class OutlineForm(Form):
    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    outline = TextAreaField(
        Text("陈述内容", "Statement"), validators=[Optional(), Length(max=20000)]
    )


class StatementForm(OutlineForm):
    questions = TextAreaField(
        Text("质询与回答", "Questions and answers"), validators=[Optional(), Length(max=20000)]
    )


class CloseStatementForm(Form):
    """Without the representative's confirmation the office says why."""

    unconfirmed = SelectField(
        Text("未确认的原因", "Why it is not confirmed"),
        choices=choices({"": CHOOSE, **UNCONFIRMED}),
        validators=[Optional()],
    )
    note = TextAreaField(
        Text("情况说明", "What happened"), validators=[Optional(), Length(max=2000)]
    )
