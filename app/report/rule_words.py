"""A score rule in sentences, exact enough to redo the scores with a pocket calculator."""

from __future__ import annotations

from app.aggregation.reading import Reading
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Text
from app.report.blocks import listed

_ESTIMATOR = {
    "trimmed_mean": Text(
        "去掉最高分和最低分后取算术平均", "mean after dropping highest and lowest marks"
    ),
    "mean": Text("取算术平均", "arithmetic mean"),
    "median": Text("取中位数", "median"),
    "winsorised": Text("两端以相邻分数代替后取算术平均", "mean after pulling in both ends"),
    "algorithm_a": Text("稳健均值（算法 A）", "robust mean (Algorithm A)"),
}
_RUNG = {
    "unrounded": Text("未取整的综合得分", "the unrounded total"),
    "top_item": Text("权重最高的指标", "the heaviest item"),
    "spread": Text("专家分数离散程度，小者在前", "the smaller spread of marks"),
    "shared": Text("名次并列", "a shared rank"),
    "draw": Text("公开抽签（先承诺、后掷骰）", "a draw by lot, committed before the dice"),
}


def rule_words(reading: Reading) -> list[Text]:
    """One sentence for each part of the rule."""
    rule = ScoreRule.parse(reading.run.rule)
    unit = (
        Text("按每位专家的评分表总分", "On each expert's sheet total")
        if rule.unit == "sheet"
        else Text("逐项按各专家得分", "Item by item")
    )
    found = [
        Text(
            f"{unit.zh}，{_ESTIMATOR[rule.estimator].zh}。",
            f"{unit.en}: {_ESTIMATOR[rule.estimator].en}.",
        )
    ]
    if rule.estimator in ("trimmed_mean", "winsorised"):
        drops = [
            Text(
                f"有效评分表 {start} 份及以上去掉 {rule.drop[start]} 个最高分和 {rule.drop[start]} 个最低分",
                f"from {start} valid sheets drop {rule.drop[start]} highest and {rule.drop[start]} lowest",
            )
            for start in sorted(rule.drop)
        ]
        text = listed(drops, "，", "; ")
        found.append(
            Text(f"{text.zh}；再少则不去。", f"F{text.en[1:]}; with fewer none is dropped.")
        )
    found.append(
        Text(
            f"有效评分表少于 {rule.quorum} 份的不计分。",
            f"Fewer than {rule.quorum} valid sheets give no score.",
        )
    )
    places = rule.rounding["total"]
    if rule.modules:
        parts = [
            Text(f"{reading.titles[n].zh} × {w:f}", f"{reading.titles[n].en} × {w:f}")
            for n, w in rule.modules.items()
        ]
        joined = listed(parts, " ＋ ", " + ")
        found.append(
            Text(
                f"综合得分 ＝ {joined.zh}，四舍五入保留 {places} 位小数，此前各步不取整。",
                f"Total = {joined.en}, rounded half up to {places} decimals; no step before is rounded.",
            )
            if all(rule.rounding[stage] is None for stage in rule.rounding if stage != "total")
            else Text(f"综合得分 ＝ {joined.zh}。", f"Total = {joined.en}.")
        )
    else:
        found.append(
            Text(
                f"综合得分四舍五入保留 {places} 位小数。",
                f"The total is rounded half up to {places} decimals.",
            )
        )
    ladder = []
    for rung in rule.ties:
        kind, _, name = rung.partition(":")
        if kind == "module":
            title = reading.titles.get(name, Text(name, name))
            ladder.append(Text(f"{title.zh}得分", f"the value of {title.en}"))
        elif kind == "item":
            ladder.append(Text(f"指标 {name}", f"item {name}"))
        else:
            ladder.append(_RUNG[kind])
    text = listed(ladder, "、", ", ")
    found.append(
        Text(
            f"得分相同的依次比较：{text.zh}。",
            f"Equal totals are separated by, in order: {text.en}.",
        )
    )
    if rule.rank_within == "group":
        found.append(Text("名次在同一类别内排列。", "Counties are ranked within their class."))
    if rule.places:
        found.append(place_words(reading, rule))
    return found


def place_words(reading: Reading, rule: ScoreRule) -> Text:
    """The places that the ranks give, in one sentence."""
    titles = {row["id"]: Text.of(row["title"]) for row in reading.inputs.get("places", ())}
    parts = []
    for tier in rule.places:
        title = titles.get(tier.id, Text(tier.id, tier.id))
        count = (
            Text("{a} 至 {b} 个", "{a} to {b}").format(a=tier.minimum, b=tier.maximum)
            if tier.minimum
            else Text("至多 {b} 个", "up to {b}").format(b=tier.maximum)
        )
        parts.append(Text(f"{title.zh}：{count.zh}", f"{title.en}: {count.en}"))
    text = listed(parts, "；", "; ")
    if any(tier.backfill for tier in rule.places):
        return Text(f"按名次给出名额：{text.zh}。", f"Places by rank: {text.en}.")
    return Text(
        f"按名次给出名额：{text.zh}；取消资格的不递补。",
        f"Places by rank: {text.en}; nobody moves up for a county that is out.",
    )
