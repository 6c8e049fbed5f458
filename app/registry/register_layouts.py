"""The lists that can be imported: their columns, who may enter them, and an invented example row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.types import Text
from app.registry import words


@dataclass(frozen=True)
class Layout:
    """The columns of one list, the required ones, and who may enter it."""

    title: Text
    columns: tuple[str, ...]
    required: tuple[str, ...]
    roles: tuple[str, ...]
    example: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = {
    "heads": Layout(
        words.REGISTER["heads"],
        ("county", "name", "post", "begin", "until", "basis"),
        ("county", "name", "post", "basis"),
        ("keeper", "office"),
        ("湖北省武汉市江岸区", "示例甲", "区长（虚构示例，请删除）", "2011-03-01", "", "示例任职文件"),
    ),
    "contractors": Layout(
        words.REGISTER["contractors"],
        ("county", "organisation", "work", "begin", "until", "basis"),
        ("county", "work", "basis"),
        ("keeper", "office"),
        ("湖北省武汉市江岸区", "示例公司", "编写申报材料（虚构示例，请删除）", "2012-03-01", "2012-08-31",
         "示例合同"),
    ),
    "posts": Layout(
        Text("专家任职与兼职经历", "Former and side posts of experts"),
        ("expert", "organisation", "post", "relation", "begin", "until", "basis"),
        ("expert", "organisation", "relation", "basis"),
        ("keeper",),
        ("E0001", "示例大学", "讲师（虚构示例，请删除）", "任职", "2001-09-01", "2009-08-31", "示例履历表"),
    ),
    "interests": Layout(
        Text("专家利害关系", "Links of experts"),
        ("expert", "link", "county", "organisation", "other", "begin", "until", "evidence"),
        ("expert", "link", "evidence"),
        ("keeper", "office"),
        ("E0001", "参与前一阶段考核", "湖北省武汉市江岸区", "", "", "2012-03-01", "2012-04-30",
         "省级考核名单（虚构示例，请删除）"),
    ),
    "engagements": Layout(
        words.REGISTER["engagements"],
        ("expert", "round_name", "county", "begin", "until", "basis"),
        ("expert", "round_name", "begin", "basis"),
        ("keeper",),
        ("E0001", "2011年度评选（虚构示例，请删除）", "湖北省武汉市江岸区", "2011-09-05", "2011-09-06",
         "示例评审组名单"),
    ),
    "sanctions": Layout(
        Text("专家处理记录", "Sanctions of experts"),
        ("expert", "sanction", "begin", "until", "evidence", "decided_by"),
        ("expert", "sanction", "begin", "evidence", "decided_by"),
        ("keeper",),
        ("E0001", "通报批评", "2011-10-08", "", "无故缺席（虚构示例，请删除）", "示例办公室〔2011〕8号"),
    ),
    "residences": Layout(
        Text("专家出生地与居住地", "Birthplaces and residences of experts"),
        ("expert", "place_kind", "county", "begin", "until", "basis"),
        ("expert", "place_kind", "county", "basis"),
        ("keeper",),
        ("E0001", "居住地", "湖北省武汉市江岸区", "2001-09-01", "2009-08-31", "本人声明（虚构示例，请删除）"),
    ),
}  # fmt: skip

# Heads that offices use for a column, beside its name in both languages.
ALIASES = {
    "编号": "expert", "专家": "expert", "姓名": "expert", "专家姓名": "expert", "年度": "round_name",
    "届": "round_name", "评选年度": "round_name", "区县": "county", "评审日期": "begin", "日期": "begin",
    "开始日期": "begin", "起": "begin", "结束日期": "until", "止": "until", "处理种类": "sanction",
    "处分": "sanction", "原因": "evidence", "理由": "evidence", "事由": "evidence", "文号": "decided_by",
}  # fmt: skip
SANCTION_WORDS = {
    "批评": "criticism", "通报": "criticism", "警告": "criticism", "暂停": "suspension",
    "取消资格": "bar", "除名": "bar", "终身取消资格": "bar", "永久除名": "bar",
}  # fmt: skip
