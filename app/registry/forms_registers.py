"""Shape of the registers' forms; the rules are in `operations.registers`."""

from __future__ import annotations

from wtforms import (
    DateField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, Optional

from app.directory.forms import choices
from app.domain.types import Text
from app.registry import words
from app.registry.forms import PLACE
from app.registry.models import CORRECTABLE
from app.ui.forms import Form, needed

_OPEN = Text("仍在继续的不填。", "Empty when it goes on.")


class EntryForm(Form):
    since = DateField(Text("自", "From"), validators=[Optional()])
    until = DateField(Text("至", "Until"), description=_OPEN, validators=[Optional()])
    basis = StringField(
        words.FIELD["basis"],
        description=Text("文件名称、文号。", "Document and number."),
        validators=[needed(), Length(max=200)],
    )


class HeadForm(EntryForm):
    region = StringField(
        words.FIELD["county"], description=PLACE, validators=[needed(), Length(max=100)]
    )
    name = StringField(words.FIELD["name"], validators=[needed(), Length(max=60)])
    post = StringField(words.FIELD["post"], validators=[needed(), Length(max=200)])
    expert = StringField(
        Text("本人也是库中专家时，填编号", "Expert number, when in the pool himself"),
        validators=[Optional(), Length(max=20)],
    )


class ContractorForm(EntryForm):
    region = StringField(
        words.FIELD["county"], description=PLACE, validators=[needed(), Length(max=100)]
    )
    employer = StringField(
        words.FIELD["organisation"],
        description=Text(
            "县（市）说明没有委托任何单位的，留空。",
            "Leave empty when the county has stated that there was none.",
        ),
        validators=[Optional(), Length(max=200)],
    )
    work = StringField(words.FIELD["work"], validators=[needed(), Length(max=200)])


class BodyForm(EntryForm):
    employer = StringField(words.FIELD["organisation"], validators=[needed(), Length(max=200)])


class PastPanelForm(EntryForm):
    expert = StringField(words.FIELD["expert"], validators=[needed(), Length(max=20)])
    round_name = StringField(
        words.FIELD["round_name"],
        description=Text("例如：2011年度评选。", "Such as: the 2011 round."),
        validators=[needed(), Length(max=200)],
    )
    region = StringField(
        words.FIELD["county"], description=PLACE, validators=[Optional(), Length(max=100)]
    )
    since = DateField(Text("评审第一天", "First day of the panel"), validators=[needed()])
    until = DateField(Text("最后一天", "Last day"), validators=[Optional()])


class EndForm(Form):
    until = DateField(Text("最后一天", "Last day"), validators=[needed()])


class StrikeForm(Form):
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])


class HistoryForm(Form):
    """A former employment or a side post, with its document."""

    employer = StringField(words.FIELD["organisation"], validators=[needed(), Length(max=200)])
    relation = SelectField(words.FIELD["relation"], choices=choices(words.RELATION))
    post = StringField(words.FIELD["post"], validators=[Optional(), Length(max=200)])
    since = DateField(Text("自", "From"), validators=[Optional()])
    until = DateField(Text("至", "Until"), description=_OPEN, validators=[Optional()])
    basis = StringField(words.FIELD["basis"], validators=[needed(), Length(max=200)])


class ResidenceForm(Form):
    kind = SelectField(words.FIELD["place_kind"], choices=choices(words.PLACE))
    region = StringField(
        words.FIELD["county"], description=PLACE, validators=[needed(), Length(max=100)]
    )
    since = DateField(Text("自", "From"), validators=[Optional()])
    until = DateField(Text("至", "Until"), description=_OPEN, validators=[Optional()])


class PaperResidenceForm(ResidenceForm):
    basis = StringField(words.FIELD["basis"], validators=[needed(), Length(max=200)])


class StatementForm(Form):
    topics = SelectMultipleField(
        Text("已全部申报的事项", "All declared of"), choices=choices(words.TOPIC)
    )
    signed_name = StringField(
        Text("签名（请输入本人姓名）", "Signature (type your own name)"),
        validators=[needed(), Length(max=60)],
    )


class PaperStatementForm(Form):
    topics = SelectMultipleField(
        Text("已全部申报的事项", "All declared of"), choices=choices(words.TOPIC)
    )
    signed_name = StringField(Text("签名人", "Signed by"), validators=[needed(), Length(max=60)])
    signed_on = DateField(Text("签署日期", "Signed on"), validators=[needed()])
    paper = StringField(Text("书面材料", "Signed paper"), validators=[needed(), Length(max=200)])


class ProposeForm(Form):
    decision = SelectField(
        Text("决定", "Decision"),
        choices=choices({c: words.INTEREST_STATUS[c] for c in ("upheld", "dismissed")}),
    )
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class SeveralForm(ProposeForm):
    """One decision on the rows that are ticked."""

    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class CorrectionForm(Form):
    field = SelectField(
        Text("哪一项有误", "What is wrong"),
        choices=choices({name: words.FIELD[name] for name in CORRECTABLE}),
    )
    wanted = StringField(
        Text("应当是", "What it should be"), validators=[needed(), Length(max=200)]
    )
    explanation = TextAreaField(
        Text("说明和依据", "Explanation and proof"), validators=[needed(), Length(max=2000)]
    )


class AnswerForm(Form):
    decision = SelectField(Text("答复", "Answer"), choices=choices(words.CORRECTION))
    on = DateField(
        Text("自何日起", "Valid from"),
        description=Text(
            "留空为今天；原值保留到前一天。",
            "Empty means today; the former value is kept up to the day before.",
        ),
        validators=[Optional()],
    )
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])
