"""Shape of a rule file on screen; what it says is checked in `score_rules`."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.domain.statistics.rule_file import MOST_CHARACTERS
from app.domain.types import Text
from app.ui.forms import Form


class ScoreRuleForm(Form):
    file = FileField(
        Text("规则文件（YAML）", "Rule file (YAML)"),
        description=Text(
            "与 mingjian aggregate --rule 使用的文件相同；选了文件就以文件为准。",
            "The same file that mingjian aggregate --rule takes; a chosen file goes before the text.",
        ),
    )
    text = TextAreaField(
        Text("或在此粘贴、修改", "Or paste and edit it here"),
        validators=[Optional(), Length(max=MOST_CHARACTERS)],
    )
    example = StringField(
        Text("示例：各专家的分数", "Example: one mark of each expert"),
        description=Text(
            "用这些分数比较现行规则和新规则的结果。",
            "The present rule and the new one are compared on these marks.",
        ),
        validators=[Optional(), Length(max=300)],
    )
    reason = TextAreaField(
        Text("理由和依据", "Reason and legal basis"),
        description=Text("记录时必填。", "Needed to put it on record."),
        validators=[Optional(), Length(max=2000)],
    )
    seen = HiddenField()  # digest of the rule that was checked
