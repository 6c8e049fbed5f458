"""Shape of the scoring forms' input; marks themselves are checked by the instrument."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    HiddenField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.validators import Length

from app.directory.forms import choices
from app.domain.types import Text
from app.ui.forms import NEEDED, Form, needed


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


class GivenLinesForm(Form):
    """The basis of every line of a county's form that has none of its own; the lines' own fields are
    read by `app.scoring.entries`."""

    basis = TextAreaField(
        Text("依据", "Basis"),
        description=Text(
            "文号、网址或案卷。用于每一行没有另写依据的；某一行不同的，写在该行。",
            "A document number, an address or a case. It stands for every line without a basis of its "
            "own; where a line has another, write it there.",
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


class DecisionForm(ReasonForm):
    """The supervisor's word on an objection."""

    decision = SelectField(
        Text("决定", "Decision"),
        choices=choices(
            {
                "": Text("请选择", "Choose"),
                "upheld": Text("异议成立：撤回，重新录入", "Upheld: withdrawn and entered again"),
                "dismissed": Text("异议不成立：维持", "Dismissed: the sheet stands"),
            }
        ),
        validators=[needed()],
    )


class ObjectionForm(Form):
    objection = TextAreaField(
        Text("哪里读错了", "What was read wrongly"), validators=[needed(), Length(max=2000)]
    )
