"""Shape of the directory's forms; the rules are in `operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from app.directory.words import CHANGE_KIND, ORGANISATION_KIND
from app.domain.types import Text
from app.ui.forms import Form, needed


def choices(table: Mapping[Any, Text]) -> list[SelectChoice]:
    """The options of a select: code and what it is called."""
    return [SelectChoice(value=code, label=text) for code, text in table.items()]


class ChangeForm(Form):
    on = DateField(Text("生效日期", "In force from"), validators=[needed()])
    kind = SelectField(Text("种类", "Kind"), choices=choices(CHANGE_KIND))
    old = StringField(
        Text("原区划", "Former units"),
        description=Text(
            "代码，多个用分号隔开；库中没有的写成“500105 江北区 市辖区”。",
            "Codes, separated by semicolons; for one not known write “500105 江北区 市辖区”.",
        ),
        validators=[needed(), Length(max=500)],
    )
    new = StringField(
        Text("新区划", "New units"),
        description=Text("写法同上；撤销时留空。", "In the same way; empty for an abolition."),
        validators=[Optional(), Length(max=500)],
    )
    source = StringField(
        Text("来源（文号）", "Source (document)"), validators=[needed(), Length(max=200)]
    )
    note = TextAreaField(Text("说明", "Note"), validators=[Optional(), Length(max=1000)])


class OrganisationForm(Form):
    name = StringField(Text("单位名称", "Name"), validators=[needed(), Length(max=200)])
    kind = SelectField(Text("类别", "Kind"), choices=choices(ORGANISATION_KIND))
    parent = StringField(
        Text("上级单位", "Superior body"),
        description=Text(
            "从列表中选择；没有上级则留空。回避规则会沿上级查找。",
            "Choose from the list, or leave empty. Recusal rules follow the superiors.",
        ),
        validators=[Optional(), Length(max=200)],
    )
    place = StringField(
        Text("所在地", "Place"),
        description=Text(
            "行政区划名称或六位代码，例如 湖北省武汉市。",
            "Name or six-digit code of the region, such as 湖北省武汉市.",
        ),
        validators=[Optional(), Length(max=100)],
    )
    central = BooleanField(
        Text("中央部门或全国性科研机构所属", "Run by a ministry or a national academy")
    )
