"""The shape of a rule's form: its parameters as one field each, read back by the kind of value that
stands there; whether a value may stand is `rules_schema`'s and `rules_binding`'s to say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.directory.forms import choices
from app.domain.draw.rules_set import Rule
from app.domain.types import DomainError, Text
from app.draw import rule_words
from app.ui.forms import Form, needed

EFFECT = {
    "block": Text("排除", "Excludes"),
    "warn": Text("提示", "Warns"),
    "info": Text("说明", "Notes"),
    "off": Text("不启用", "Off"),
}
MISSING = {
    "report": Text("显示“未计算”", "Shown as “not computed”"),
    "block": Text("视为不符合", "Counts as not met"),
}
PARAM = {
    "years": Text("年数", "Years"),
    "months": Text("月数", "Months"),
    "level": Text("范围", "Level"),
    "relations": Text("关系", "Relations"),
    "contractor_relations": Text("与承担单位的关系", "Relations to a contractor"),
    "kinds": Text("种类", "Kinds"),
    "roles": Text("职责", "Roles"),
    "limit": Text("年龄上限", "Age limit"),
    "relaxed": Text(
        "按专业放宽的决定（每行：专业；上限；决定机关；日期；理由）",
        "Decisions by discipline (one a line: discipline; limit; who decided; date; reason)",
    ),
    "min_title": Text("最低职称级别", "Lowest rank of title"),
    "mid_title": Text("中级职称级别", "Rank of a mid-level title"),
    "senior_title": Text("高级职称级别", "Rank of a senior title"),
    "min_reviewers": Text("审核人数", "Reviewers"),
    "statuses": Text("在库状态", "Pool statuses"),
    "min_active": Text("在库人数下限", "Active experts, at least"),
    "permanent_kinds": Text("永久性处理", "Sanctions for ever"),
    "warn_months": Text("提示（月）", "Warns from (months)"),
    "block_months": Text("排除（月）", "Excludes from (months)"),
    "nomination": Text("须有推荐", "Nomination needed"),
    "consent": Text("须有同意书", "Consent needed"),
    "max_per_employer": Text("同一单位最多人数", "Most of one employer"),
    "max_panels": Text("次数上限", "Most panels"),
    "consecutive": Text("不连续两届", "Not twice in a row"),
    "size": Text("人数", "Size"),
    "odd": Text("单数", "Odd"),
    "numerator": Text("分子", "Numerator"),
    "denominator": Text("分母", "Denominator"),
    "working_days": Text("工作日", "Working days"),
    "warn_ratio": Text("提示倍数", "Warns below (times)"),
    "block_ratio": Text("拒绝倍数", "Refuses below (times)"),
    "causes": Text("事由", "Causes"),
    "policy": Text("补抽方式", "How seats are filled again"),
    "apart": Text("不得同组的关系", "Kinds kept apart"),
    "reasons": Text("更正原因", "Reasons of a correction"),
    "reviews": Text("次数", "Reviews"),
    "senior_mark": Text("晋级分数", "Mark to rise"),
    "removal_mark": Text("取消分数", "Mark to be removed"),
}
_TRUE_FALSE = {"true": Text("是", "Yes"), "false": Text("否", "No")}
_NUMBER = Text("请填写整数。没有任何改动。", "Enter a whole number. Nothing was changed.")
_DECISION = Text(
    "每行五项，用分号隔开：专业；上限；决定机关；日期；理由。没有任何改动。",
    "Five parts a line, separated by semicolons: discipline; limit; who decided; date; reason. "
    "Nothing was changed.",
)
_FIELDS = ("discipline", "limit", "decided_by", "date", "reason")


class RuleForm(Form):
    """Effect, what a lack of data means, the parameters, and why."""

    effect = SelectField(Text("效力", "Effect"), choices=choices(EFFECT))
    when_missing = SelectField(Text("没有资料时", "Without data"), choices=choices(MISSING))
    reason = TextAreaField(
        Text("修改理由", "Reason for the change"), validators=[needed(), Length(max=2000)]
    )

    def params(self, rule: Rule) -> dict[str, Any]:
        """The parameters as typed, in the kinds of the present ones."""
        return {
            name: _read(value, self[f"param_{name}"].data or "", f"param_{name}")
            for name, value in rule.params.items()
        }


def rule_form(rule: Rule, submitted: bool) -> RuleForm:
    """A form with a field for each parameter of `rule`, filled with what holds now."""
    fields: dict[str, Any] = {}
    for name, value in rule.params.items():
        label, means = PARAM.get(name, Text(name, name)), rule_words.known(name, value) or ""
        if isinstance(value, bool):
            fields[f"param_{name}"] = SelectField(label, choices=choices(_TRUE_FALSE))
        elif name == "relaxed":
            fields[f"param_{name}"] = TextAreaField(label, validators=[Optional()])
        else:
            fields[f"param_{name}"] = StringField(
                label, description=means, validators=[Optional(), Length(max=500)]
            )
    form: RuleForm = type("OneRuleForm", (RuleForm,), fields)()
    if not submitted:
        form.effect.data, form.when_missing.data = rule.effect, rule.when_missing
        for name, value in rule.params.items():
            form[f"param_{name}"].data = shown(value)
    return form


def shown(value: Any) -> str:
    """A parameter as it stands on a page and in its field."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "\n".join("; ".join(str(row[name]) for name in _FIELDS) for row in value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _read(present: Any, typed: str, field: str) -> Any:
    text = typed.strip()
    if isinstance(present, bool):
        return text == "true"
    if isinstance(present, int):
        if not re.fullmatch(r"\d{1,6}", text):
            raise DomainError(_NUMBER, field=field)
        return int(text)
    if field == "param_relaxed":
        return [_decision(line) for line in text.splitlines() if line.strip()]
    if isinstance(present, list):
        return [part for part in re.split(r"[,，、;；\s]+", text) if part]
    return text


def _decision(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in re.split(r"[;；]", line)]
    if len(parts) != len(_FIELDS) or not parts[1].isdigit() or not all(parts):
        raise DomainError(_DECISION, field="param_relaxed")
    return {**dict(zip(_FIELDS, parts, strict=True)), "limit": int(parts[1])}


class ExemptionForm(Form):
    decided_by = StringField(
        Text("决定机关及文号", "Who decided, and the document"),
        validators=[needed(), Length(max=200)],
    )
    on = DateField(Text("决定日期", "Decided on"), validators=[needed()])
    reason_zh = StringField(
        Text("理由（中文）", "Reason (Chinese)"), validators=[needed(), Length(max=500)]
    )
    reason_en = StringField(
        Text("理由（英文）", "Reason (English)"), validators=[needed(), Length(max=500)]
    )


class EndExemptionForm(Form):
    reason = StringField(Text("理由", "Reason"), validators=[needed(), Length(max=500)])
