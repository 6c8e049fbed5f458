"""Shape of the forms around standing aside; the rules are in `challenges` and `recusals`."""

from __future__ import annotations

from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.registry.words import LINK
from app.ui.forms import Form, needed


class ChallengeForm(Form):
    seat = SelectField(Text("申请回避的专家", "Expert"), validators=[needed()])
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class OfficeChallengeForm(ChallengeForm):
    on_behalf_of = StringField(
        Text("提出人（县、市方代表姓名和职务）", "Asked by (the county's representative)"),
        validators=[needed(), Length(max=200)],
    )


class AnswerForm(Form):
    answer = TextAreaField(
        Text("专家的答复", "The expert's answer"), validators=[needed(), Length(max=2000)]
    )


class ChallengeDecisionForm(Form):
    upheld = SelectField(
        Text("决定", "Decision"),
        choices=choices(
            {
                "": Text("请选择", "Choose"),
                "upheld": Text("同意，该专家回避", "Upheld: the expert stands aside"),
                "dismissed": Text("不同意", "Dismissed"),
            }
        ),
        validators=[needed()],
    )
    reason = TextAreaField(
        Text("理由（告知县、市方）", "Reason (told to the county)"),
        validators=[needed(), Length(max=2000)],
    )


_ABOUT_COUNTIES = {
    code: text
    for code, text in LINK.items()
    if code.partition(":")[0]
    in ("kin", "dispute", "drafting", "consulting", "earlier_stage", "other")
}


class StandAsideForm(Form):
    """The expert for himself: which link, and what it is."""

    kind = SelectField(
        Text("关系", "Link"),
        choices=choices({"": Text("请选择", "Choose"), **_ABOUT_COUNTIES}),
        validators=[needed()],
    )
    evidence = TextAreaField(
        Text("具体情况", "What it is"), validators=[needed(), Length(max=2000)]
    )


class ToldForm(StandAsideForm):
    """The office for an expert who told it, by telephone or in the room."""

    seat = SelectField(Text("专家", "Expert"), validators=[needed()])
    told = StringField(
        Text("何时、如何得知", "When and how it was told"),
        description=Text(
            "例如：11月20日上午电话告知。", "For example: by telephone on 20 November."
        ),
        validators=[Optional(), Length(max=200)],
    )
