"""Shape of the statement room's input; the rules are in `statements`, `attachments` and `bookmarks`."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.directory.forms import choices
from app.domain.types import Text
from app.panel.attachments import KINDS
from app.ui.forms import Form, IntegerField, needed


class ConsentForm(Form):
    agreed = BooleanField(
        Text("陈述人已阅读并同意录音", "The presenter has read this and agrees to be recorded"),
        validators=[needed()],
    )


class ExchangeForm(Form):
    asked_by = StringField(
        Text("提问人（席位或姓名）", "Asked by (seat or name)"),
        validators=[Optional(), Length(max=60)],
    )
    question = TextAreaField(Text("问题", "Question"), validators=[needed(), Length(max=4000)])
    answer = TextAreaField(Text("回答", "Answer"), validators=[Optional(), Length(max=4000)])


class AttachForm(Form):
    kind = SelectField(Text("类别", "Kind"), choices=choices(KINDS))
    file = FileField(
        Text("文件", "File"),
        description=Text(
            "PDF、图片、XLSX、DOCX，最大 50 MB；委托书只收 PDF 或图片。",
            "PDF, pictures, XLSX, DOCX, 50 MB at most; a proxy letter as PDF or picture.",
        ),
    )


class BookmarkForm(Form):
    item = SelectField(
        Text("评分项", "Item"), choices=[], validators=[Optional()], validate_choice=False
    )
    words = StringField(
        Text("备注（可不填）", "A word (optional)"), validators=[Optional(), Length(max=200)]
    )


class SignForm(Form):
    """The county confirms the record: a name, a signature, or both."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    signed_name = StringField(
        Text("陈述人姓名", "The presenter's name"), validators=[Optional(), Length(max=60)]
    )
    signature = HiddenField(validators=[Optional(), Length(max=600_000)])
