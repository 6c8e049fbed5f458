"""Shape of a score form's text on screen; what it says is checked in `form_editing`."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField, SelectMultipleField, TextAreaField
from wtforms.validators import Length, Optional

from app.domain.types import Text
from app.programme.form_editing import MOST_CHARACTERS
from app.ui.forms import Form


class FormTextForm(Form):
    file = FileField(
        Text("评分表文件（YAML）", "Form file (YAML)"),
        description=Text(
            "选了文件就以文件为准；格式见随产品提供的 scoring_forms/README.md。",
            "A chosen file goes before the text; the format is in scoring_forms/README.md.",
        ),
    )
    text = TextAreaField(
        Text("或在此粘贴、修改", "Or paste and edit it here"),
        validators=[Optional(), Length(max=MOST_CHARACTERS)],
    )
    no = SelectMultipleField(
        Text("预览时当作“否”的属性", "Properties taken as “no” in the preview"),
        validators=[Optional()],
        validate_choice=False,
    )
    seen = HiddenField()  # SHA-256 of the text that was checked
