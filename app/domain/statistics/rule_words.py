"""A score rule part by part in plain words, the difference of two rules, and what a rule does to an
example: so that who puts a rule on record reads what it says, not how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.places import Tier
from app.domain.statistics.results import SubjectScore
from app.domain.statistics.rounding import STAGES
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.rule_values import canonical
from app.domain.statistics.scores import score_round
from app.domain.types import Text

_FULL_WIDTH: Final = str.maketrans(",:;()", "，：；（）")
EXAMPLE: Final = tuple(map(Decimal, ("62", "78", "80", "81", "83", "85", "96")))

_ESTIMATOR = {
    "trimmed_mean": Text("去掉两端后取算术平均", "mean after dropping both ends"),
    "mean": Text("算术平均", "arithmetic mean"),
    "median": Text("中位数", "median"),
    "winsorised": Text("两端以相邻分数代替后取平均", "mean after pulling in both ends"),
    "algorithm_a": Text("稳健均值（算法 A）", "robust mean (Algorithm A)"),
}
_UNIT = {
    "sheet": Text("每位专家的评分表总分", "each expert's sheet total"),
    "item": Text("逐项指标", "each item by itself"),
}
_STAGE = {
    "item": Text("指标得分", "value of an item"),
    "product": Text("指标得分乘权重", "item times weight"),
    "section": Text("各部分合计", "sum of a section"),
    "sheet": Text("评分表合计", "sum of a sheet"),
    "module": Text("阶段得分", "value of a stage"),
    "weighted": Text("阶段得分乘权重", "stage times weight"),
    "total": Text("综合得分", "total"),
}
_RUNG = {
    "unrounded": Text("未取整的得分", "the unrounded total"),
    "top_item": Text("权重最高的指标", "the heaviest item"),
    "spread": Text("分数离散较小者在前", "the smaller spread"),
    "shared": Text("名次并列", "a shared rank"),
    "draw": Text("公开抽签", "a logged draw"),
}
_FLAG = {
    "practical": Text(
        "提示：最小偏差（占满分）", "flags: smallest deviation (share of full marks)"
    ),
    "full_mark": Text("提示：满分", "flags: full mark"),
    "amber": Text("提示：留意界限", "flags: limit to look"),
    "red": Text("提示：复核界限", "flags: limit to review"),
    "deviation": Text("提示：偏离其他人平均的比例", "flags: share off the others' mean"),
}
_NONE = Text("无", "none")
_CHANGED = Text("{what}：原为 {a}，改为 {b}", "{what}: was {a}, becomes {b}")
_NEW = Text("{what}：新增，{b}", "{what}: new, {b}")
_GONE = Text("{what}：取消，原为 {a}", "{what}: gone, was {a}")

Titles = Mapping[str, Text]


def parts(rule: ScoreRule, titles: Titles | None = None) -> dict[str, tuple[Text, Text]]:
    """Key -> (what it is, what the rule says), in reading order. `titles` names stages and tiers."""
    known = titles or {}
    found: dict[str, tuple[Text, Text]] = {
        "estimator": (Text("合成方法", "estimator"), _ESTIMATOR[rule.estimator]),
        "trim.unit": (Text("计算对象", "computed on"), _UNIT[rule.unit]),
        "trim.drop": (Text("去极值", "dropped"), _drops(rule)),
        "quorum": (
            Text("最少有效分数", "quorum"),
            Text("{n} 个", "{n} marks").format(n=rule.quorum),
        ),
    }
    for name, weight in rule.modules.items():
        found[f"modules.{name}"] = (
            _named(Text("阶段 {n} 的权重", "weight of stage {n}"), known.get(name, _own(name))),
            _own(canonical(weight)),
        )
    for name, item in rule.items.items():
        value = _own(canonical(item.weight))
        if item.section is not None:
            value = Text("{w}，属于 {s}", "{w}, in section {s}").format(w=value, s=item.section)
        found[f"items.{name}"] = (
            _named(Text("指标 {n} 的权重", "weight of item {n}"), _own(name)),
            value,
        )
    for name, part in rule.sections.items():
        bounds = [Text("权重 {w}", "weight {w}").format(w=canonical(part.weight))]
        if part.cap is not None:
            bounds.append(Text("上限 {v}", "cap {v}").format(v=canonical(part.cap)))
        if part.floor is not None:
            bounds.append(Text("最低要求 {v}", "floor {v}").format(v=canonical(part.floor)))
        found[f"sections.{name}"] = (
            _named(Text("部分 {n}", "section {n}"), _own(name)),
            _listed(bounds),
        )
    for stage in STAGES:
        places = rule.rounding[stage]
        found[f"rounding.{stage}"] = (
            _named(Text("取整：{n}", "rounding of the {n}"), _STAGE[stage]),
            Text("不取整", "not rounded")
            if places is None
            else Text("四舍五入，{p} 位小数", "half up, {p} decimals").format(p=places),
        )
    for name, amount in rule.adjust.items():
        found[f"adjust.{name}"] = (
            _named(Text("{n} 的加减分", "adjustment of {n}"), _own(name)),
            _own(canonical(amount)),
        )
    cap, line = rule.bonus_cap, rule.pass_line
    found["bonus_cap"] = (
        Text("加分上限", "bonus cap"),
        _NONE if cap is None else _own(canonical(cap)),
    )
    found["pass_line"] = (
        Text("合格线", "pass line"),
        _NONE if line is None else _own(canonical(line)),
    )
    found["rank_on"] = (
        Text("排名依据", "ranked on"),
        {"published": Text("公布的得分", "the published total"), "unrounded": _RUNG["unrounded"]}[
            rule.rank_on
        ],
    )
    found["best"] = (
        Text("排名次序", "ranked with"),
        Text("低分在前", "the lowest first")
        if rule.best == "low"
        else Text("高分在前", "the highest first"),
    )
    found["rank_within"] = (
        Text("排名范围", "ranked within"),
        Text("同一类别", "each class") if rule.rank_within else Text("全部区县", "all counties"),
    )
    found["ties"] = (
        Text("得分相同依次比较", "ties are broken by"),
        _listed([_rung(r, known) for r in rule.ties]),
    )
    found["top"] = (
        Text("入选线", "cut line"),
        _NONE if rule.top is None else Text("前 {n} 名", "the first {n}").format(n=rule.top),
    )
    for position, tier in enumerate(rule.places, start=1):
        found[f"places.{tier.id}"] = (
            _named(Text("名额 {n}", "places {n}"), known.get(tier.id, _own(tier.id))),
            Text("第 {i} 档，{v}", "tier {i}, {v}").format(i=position, v=_tier(tier)),
        )
    for name, value_ in rule.flags.to_json().items():
        found[f"flags.{name}"] = (_FLAG[name], _NONE if value_ is None else _own(value_))
    return found


def differences(before: ScoreRule, after: ScoreRule, titles: Titles | None = None) -> list[Text]:
    """What `after` changes against `before`, one sentence a part; empty: the same rule.

    Two rules with the same sentences have the same digest: everything that enters it is a part."""
    old, new = parts(before, titles), parts(after, titles)
    found = []
    for key in dict.fromkeys([*new, *old]):
        if key not in old:
            found.append(_NEW.format(what=new[key][0], b=new[key][1]))
        elif key not in new:
            found.append(_GONE.format(what=old[key][0], a=old[key][1]))
        elif old[key][1] != new[key][1]:
            found.append(_CHANGED.format(what=new[key][0], a=old[key][1], b=new[key][1]))
    return found


def example(rule: ScoreRule, marks: Sequence[Decimal]) -> SubjectScore:
    """One county's total from one mark an expert, under the rule's estimator, drops, quorum and last
    rounding; weights, sections and adjustments have nothing to work on in one mark."""
    bare = replace(rule, modules={}, items={}, sections={}, adjust={}, places=(), ties=("shared",))
    sheets = {
        str(number): Sheet(
            total=None if rule.unit == "item" else mark,
            items={"*": mark} if rule.unit == "item" else {},
        )
        for number, mark in enumerate(marks, start=1)
    }
    made = score_round(bare, [SubjectMarks("1", {"*": StageMarks(sheets=sheets)})]).subjects["1"]
    return replace(
        made,
        reason=None if made.reason is None else _as_example(made.reason),
        steps=tuple(replace(step, text=_as_example(step.text)) for step in made.steps),
    )


def _as_example(text: Text) -> Text:
    """A line of arithmetic without the names that an example has not, Chinese with its punctuation."""
    zh, en = text.zh, text.en
    for names in (
        ("阶段 * 指标 *", "Stage *, item *"),
        ("阶段 * ", "Stage *, "),
        ("阶段 *", "Stage *"),
    ):
        zh = zh.replace(names[0], "示例 " if names[0].endswith(" ") else "示例")
        en = en.replace(names[1], "Example, " if names[1].endswith(", ") else "Example")
    return Text(zh.translate(_FULL_WIDTH), en)


def _own(value: str) -> Text:
    return Text(value, value)


def _named(text: Text, name: Text) -> Text:
    return text.format(n=name)


def _listed(texts: Sequence[Text]) -> Text:
    return Text("、".join(x.zh for x in texts), ", ".join(x.en for x in texts))


def _drops(rule: ScoreRule) -> Text:
    steps = [
        Text("{k} 个起两端各 {g} 个", "from {k} marks {g} at each end").format(k=k, g=rule.drop[k])
        for k in sorted(rule.drop)
    ]
    table = _listed(steps) if steps else Text("不去", "nothing")
    if rule.estimator in ("trimmed_mean", "winsorised"):
        return table
    return Text("不去（{t}，不使用）", "nothing ({t}: not used)").format(t=table)


def _rung(rung: str, titles: Titles) -> Text:
    kind, _, name = rung.partition(":")
    if kind == "module":
        return _named(
            Text("阶段 {n} 的得分", "the value of stage {n}"), titles.get(name, _own(name))
        )
    return _named(Text("指标 {n}", "item {n}"), _own(name)) if kind == "item" else _RUNG[kind]


def _tier(tier: Tier) -> Text:
    parts_ = [Text("至多 {n} 个", "up to {n}").format(n=tier.maximum)]
    if tier.minimum:
        parts_.append(Text("至少 {n} 个", "at least {n}").format(n=tier.minimum))
    if tier.group is not None:
        parts_.append(Text("只限 {g}", "{g} only").format(g=tier.group))
    if tier.line is not None:
        parts_.append(Text("得分不低于 {l}", "from {l} points").format(l=canonical(tier.line)))
    if tier.backfill:
        parts_.append(Text("依次递补", "others move up"))
    if tier.below_minimum == "fill":
        parts_.append(Text("不足最少数时补足", "filled up to the minimum"))
    return _listed(parts_)
