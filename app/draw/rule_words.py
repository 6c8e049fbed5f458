"""A rule's parameters in words, for those who read the rules and do not write the files.

The codes are those of `scoring_forms/rules`; a code without a word stands for itself. Beside a
field that takes codes, `known` says what each of them means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.domain.draw.rules_conflict import ENGAGEMENT_WORDS, KIN_WORDS
from app.domain.draw.rules_place import LEVEL_WORDS, TIE_WORDS
from app.domain.draw.rules_pool import ROLE_WORDS, SANCTION_WORDS, STATUS_WORDS
from app.domain.types import Text
from app.draw import messages
from app.registry import words

_RELATION = {
    "employed": Text("任职", "employed"),
    "director": Text("董事", "director"),
    "supervisor": Text("监事", "on the supervisory board"),
    "adviser": Text("顾问", "adviser"),
    "shareholder": Text("持股或控制", "shareholder"),
}
_TIE = {
    "coauthor": TIE_WORDS["coauthor"],
    "teacher": Text("对方为师", "teacher"),
    "student": Text("对方为生", "student"),
    "mutual": TIE_WORDS["mutual"],
}
_REASON = {
    "adding": Text("登记、汇总差错", "entering or adding up"),
    "out_of_range": Text("分数超出范围", "mark outside its range"),
    "objective_unequal": Text("客观指标评分不一致", "objective item marked unequally"),
    "abnormal": Text("分数畸高或畸低", "abnormally high or low mark"),
}
_POLICY = {
    "act": Text("重新补抽", "a new draw"),
    "reserves": Text("候补递补", "reserves step in"),
}
_KIND = {
    code: Text(name.zh, name.en.lower()) for code, name in words.KIND.items()
}  # of an expert, D-04
_TITLES = {str(rank): name for rank, name in words.TITLE_RANK.items()}
_BOOLEAN = {"true": Text("是", "yes"), "false": Text("否", "no")}
# Parameter -> the words of its codes. `relations` are kin in one rule and posts in the others.
WORDS: Mapping[str, Mapping[str, Text]] = {
    "relations": {**_RELATION, **KIN_WORDS},
    "contractor_relations": _RELATION,
    "kinds": {**ENGAGEMENT_WORDS, **_TIE, **_KIND},
    "apart": _TIE,
    "roles": ROLE_WORDS,
    "statuses": STATUS_WORDS,
    "permanent_kinds": SANCTION_WORDS,
    "causes": {
        code: Text(name.zh, name.en[0].lower() + name.en[1:])
        for code, name in messages.CAUSE.items()
    },
    "reasons": _REASON,
    "policy": _POLICY,
    "level": LEVEL_WORDS,
    "min_title": _TITLES,
    "mid_title": _TITLES,
    "senior_title": _TITLES,
}
_CODE = re.compile(r"\b(?:True|False|[a-z]+(?:_[a-z]+)*)\b")


def _one(name: str, value: Any) -> Text:
    if isinstance(value, bool):
        return _BOOLEAN[str(value).lower()]
    return WORDS.get(name, {}).get(str(value), Text(str(value), str(value)))


def said(name: str, value: Any) -> Text | None:
    """The value of parameter `name` in words; None when it is better shown as it stands."""
    if isinstance(value, list):
        if any(isinstance(part, Mapping) for part in value):
            return None
        parts = [_one(name, part) for part in value]
        return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))
    return _one(name, value)


def floor(name: str, kept: Text) -> Text:
    """What a law keeps of parameter `name`, its codes in words."""
    known = {**WORDS.get(name, {}), "True": _BOOLEAN["true"], "False": _BOOLEAN["false"]}

    def words_of(lang: str) -> str:
        return _CODE.sub(
            lambda found: known[found[0]].get(lang) if found[0] in known else found[0],
            kept.get(lang),
        )

    return Text(words_of("zh").replace(", ", "、"), words_of("en"))


def known(name: str, value: Any) -> Text | None:
    """What the codes in a field mean: those that stand there, or all where it takes one of several.

    None where the field holds no codes.
    """
    table = WORDS.get(name)
    if table is None or isinstance(value, bool):
        return None
    codes = [str(part) for part in value] if isinstance(value, list) else list(table)
    pairs = [(code, table[code]) for code in codes if code in table]
    if not pairs:
        return None
    return Text(
        "；".join(f"{code}：{text.zh}" for code, text in pairs),
        "; ".join(f"{code}: {text.en}" for code, text in pairs),
    )
