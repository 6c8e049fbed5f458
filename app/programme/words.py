"""Codes of forms, rounds and counties in the words that a reader sees."""

from __future__ import annotations

import re

from app.domain.scoring.scale_schema import Scale
from app.domain.types import Text

# Where an indicator's wording comes from; the address of a public copy is never shown.
ORIGIN_TEXT = {
    "seed": Text("见于通知原文", "in the notice"),
    "found": Text("见于公开副本", "found in a public copy"),
    "found_modified": Text("见于公开副本，已改动", "found in a public copy, modified"),
    "found_scaled": Text("见于公开副本，分值已折算", "found in a public copy, points scaled"),
    "found_partial": Text("见于公开副本，原文不全", "found in a public copy, incomplete"),
    "reconstructed": Text("按通知文义重拟", "reconstructed from the notice"),
    "default": Text("默认值", "a default"),
}
TO_CONFIRM = Text("待确认", "To confirm")
# What a question that the notice leaves open is set to; further codes stand for themselves.
SETTING_TEXT = {
    "or": Text("或", "or"),
    "none": Text("无", "none"),
    "any": Text("一张即可", "any one"),
    "all": Text("全部", "all"),
    "majority": Text("过半数", "a majority"),
    "logged_draw": Text("抽签", "by a draw"),
    "shared_rank": Text("并列", "a shared rank"),
    "highest_per_document": Text("每份文件取最高一档", "the highest of each document"),
    "other_scheme": Text("另行加分", "in another assessment"),
    "province": Text("省", "a province"),
    "cpl_city": Text("计划单列市", "a city listed separately"),
    "industrial_cluster": Text("产业集聚区", "that of industrial clusters"),
}
SUBJECT_TEXT = {
    "declared": Text("已申报", "Declared"),
    "qualified": Text("资格通过", "Qualified"),
    "vetoed": Text("一票否决", "Vetoed"),
    "withdrawn": Text("已退出", "Withdrawn"),
}
SUBJECT_KIND = {"declared": "waits", "qualified": "ok", "vetoed": "wrong", "withdrawn": "struck"}
VERDICT_TEXT = {"pass": Text("通过", "Pass"), "veto": Text("否决", "Veto")}
SCALE_TEXT = {
    "points": Text("直接打分", "Direct points"),
    "grade": Text("分档打分", "Graded"),
    "checklist": Text("得分项累加", "Additive ticks"),
    "deduct": Text("扣分", "Deductions"),
    "bands": Text("分段计分", "Value bands"),
    "formula": Text("公式计算", "Formula"),
    "survey": Text("第三方测评", "Third-party survey"),
    "passfail": Text("达标判定", "Pass or fail"),
    "veto": Text("一票否决", "Veto"),
    "passfail_points": Text("有则得分", "All or nothing"),
    "checklist_deduct": Text("得分项加扣分", "Ticks less deductions"),
    "grade_table": Text("对照等次得分", "Grade table"),
    "bonus": Text("加分", "Bonus"),
}
_SCALES = {
    "direct_points": "points",
    "pass_fail": "passfail",
    "pass_fail_points": "passfail_points",
    "veto_opinion": "veto",
}
_NOTICES = {
    "S0": Text("2015年评选考核办法", "National measures 2015"),
    "S1": Text("北京2012年通知", "Beijing notice 2012"),
    "S2": Text("江苏2022年方案", "Jiangsu plan 2022"),
    "S3": Text("漯河2010年方案", "Luohe plan 2010"),
    "S4": Text("2008年依法行政考核通知", "Rule-of-law notice 2008"),
}


def trace_text(trace: str | None) -> Text:
    """A trace such as "S0 §16(一)" with the notice's name in place of its number."""
    if not trace:
        return Text("—", "—")

    def named(language: str) -> str:
        return re.sub(
            r"\bS[0-4]\b", lambda found: _NOTICES[found.group()].get(language) + " ", trace
        ).replace("  ", " ")

    return Text(named("zh").strip(), named("en").strip())


def scale_text(scale: Scale) -> Text:
    """The scale of an indicator in words."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", type(scale).__name__).lower()
    return SCALE_TEXT[_SCALES.get(snake, snake)]


def origin_text(status: str) -> Text:
    """The origin of a wording in words."""
    return ORIGIN_TEXT.get(status, Text(status, status))


def setting_text(value: str) -> Text:
    """What an open question is set to, in words."""
    return SETTING_TEXT.get(value, Text(value, value))
