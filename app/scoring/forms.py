"""Shape of the scoring forms' input; marks themselves are checked by the instrument."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from app.domain.types import Text
from app.ui.forms import NEEDED, Form, needed


class SealForm(Form):
    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    signed_name = StringField(
        Text("签名（请输入本人姓名）", "Signature (type your own name)"),
        validators=[needed(), Length(max=60)],
    )


class ReasonForm(Form):
    reason = TextAreaField(Text("理由", "Reason"), validators=[needed(), Length(max=2000)])


class AbsenceForm(ReasonForm):
    seat = SelectField(Text("席位", "Seat"), validators=[needed()])


class GivenForm(Form):
    """The evidence of an entry; its item's own fields are read by `app.scoring.entries`."""

    seen = HiddenField()
    materials = SelectMultipleField(Text("依据的材料", "Documents behind it"))
    evidence = TextAreaField(
        Text("依据", "Evidence"),
        description=Text(
            "文号、网址或案卷；选了材料的可以不写。",
            "A document number, an address or a case; not needed when a document is chosen.",
        ),
        validators=[Length(max=4000)],
    )


class PaperForm(Form):
    """A clerk's reading, or his word on it; the items' own fields are read by `app.scoring.entries`."""


class ScanForm(Form):
    file = FileField(
        Text(
            "签名纸质表的扫描件（PDF、PNG 或 JPEG）", "Scan of the signed paper (PDF, PNG or JPEG)"
        ),
        validators=[FileRequired(message=NEEDED)],
    )


class PaperReasonForm(ReasonForm):
    """Why the paper is not used."""


class ObjectionForm(Form):
    objection = TextAreaField(
        Text("哪里读错了", "What was read wrongly"), validators=[needed(), Length(max=2000)]
    )
