"""The annex on how sure the ranks are: bands with the cut line, chances, weights, experts left out, other
rules. The figures are those of the diagnostics pages (see certainty.py).

Who is pivotal and the ranking freed of severity are for the supervisor alone, as on the pages; the paper
that everybody signs has only how many experts are pivotal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.aggregation.diagnostics import SHADOW_RULE, Certainty
from app.aggregation.diagnostics_drawings import (
    A_PAGE,
    caterpillars_with_cut,
    chances,
    class_name,
    intervals_with_cut,
)
from app.aggregation.diagnostics_queries import names_of_raters
from app.aggregation.diagnostics_words import changed_list, said_text
from app.documents.charts import STANDING
from app.documents.charts_ranks import percent
from app.domain.statistics.sensitivity import OtherRule
from app.domain.types import Language, Text
from app.report import certainty
from app.report.blocks import NOTHING, Block, charts, facts, listed, note, paragraph, table
from app.report.source import Source

TITLE = Text("名次的把握", "How sure the ranks are")
_ORIGIN = {
    "rule": Text("前 {k} 名是规则的名额。", "The first {k} are the rule's places."),
    "asked": Text(
        "前 {k} 名是选定的试算，不是规则的名额。", "The first {k} is a choice, not the rule's."
    ),
    "supposed": Text(
        "本届规则没有名额，按前 {k} 名试算。",
        "The rule gives no number of places; shown for the first {k}.",
    ),
}
_HOW = Text(
    "名次由少数专家的评分得出。概率由 {n} 次模拟得出（种子 {s}），每次重抽专家宽严和评分误差，同组所评区县一起变动。本附件只说明把握大小，正式名次不因此改变。",
    "A rank comes from the marks of a few experts. Chances come from {n} simulated draws (seed {s}) of the "
    "experts' severity and the error of the marks; counties of one panel move together. This annex says how "
    "sure each rank is and changes none.",
)
_WITHIN = Text("名次和名额在每类之内。", " Ranks and places are within each class.")
_UNDEFINED = Text("没有概率。无定义：{r}", "No chances. Not defined: {r}")
_GROUPS = {"in": "≥95%", "borderline": "5–95%", "out": "≤5%"}
_COUNTED = Text("{n} 个：{l}", "{n}: {l}")
_EDGE = Text(
    "临界的区县，入选与否靠这几张评分表说不清：可请会议复核材料，或按规则议定。",
    "For the borderline counties these sheets do not settle who is in: the meeting may look at their "
    "materials again, or decide as the rule says.",
)
_CATERPILLAR = Text(
    "综合得分、90% 区间与入选线（横向虚线）；菱形涂满为稳入，半满为临界，空心为稳出",
    "Totals, 90 % bands and the cut line (dashed, across); diamonds: solid certain in, half borderline, "
    "hollow certain out",
)
_INTERVALS = Text(
    "90% 名次区间与入选线（虚线）；菱形为正式名次",
    "90 % rank intervals and the cut line (dashed); diamonds: official ranks",
)
_CHANCES = Text("进入前 {k} 名的概率", "Chance to be among the first {k}")
_WEIGHTS = Text(
    "权重稍有不同：各指标和阶段的权重随机变动约 10%，共 {n} 次（种子 {s}），名单与正式名单相同的占 {p}。",
    "Slightly other weights: weights of items and stages moved by about 10 % at random, {n} times (seed "
    "{s}); the list is the official one in {p} of them.",
)
_NO_WEIGHTS = Text("权重稍有不同：无定义，{r}", "Slightly other weights: not defined. {r}")
_PIVOTAL = Text(
    "少一位专家：{n} 位专家中有 {p} 位是关键专家，去掉其中一位重算，名单就会改变。",
    "One expert fewer: {p} of {n} experts are pivotal; without one of them the list would change.",
)
_NOT_PIVOTAL = Text(
    "少一位专家：逐一去掉 {n} 位专家重算，名单都不变。",
    "One expert fewer: leaving out each of the {n} experts in turn, the list stays.",
)
_NOBODY = Text("少一位专家：没有可去掉的专家。", "One expert fewer: there is nobody to leave out.")
_FOR_SUPERVISOR = Text(
    "是哪几位，只印在监督人员用本上。关键不等于有错：得分相近时总有人关键。",
    "Who they are is printed in the supervisor's edition alone. Pivotal is not wrong: where counties are "
    "close somebody always is.",
)
_LOOK = Text(
    "关键不等于有错：得分相近时总有人关键。请复核其评分依据，不得要求改分。",
    "Pivotal is not wrong: where counties are close somebody always is. Look at the reasons on the "
    "sheets; ask nobody for other marks.",
)
_FROZEN = Text(
    "规则在评分前已公布并锁定，不得按试算结果更换。",
    "The rule was published and frozen before scoring; it is not changed after a look at these tables.",
)
_NOT_APPLICABLE = Text("不适用：{r}", "Does not apply: {r}")


def rank_certainty(s: Source) -> list[Block]:
    """Everything that the diagnostics page on ranks shows, as blocks."""
    found = certainty.restored(s.reading, certainty.kept(s.session, s.report))
    if isinstance(found, Text):
        return [paragraph(found)]
    within = s.reading.run.rule["rank_within"] == "group"
    k = found.cut.top
    words = [_HOW.format(n=found.draws, s=found.seed), _ORIGIN[found.cut.origin].format(k=k)]
    made = [paragraph(listed(words, "", " "))]
    if within:
        made[0] = paragraph(Text(made[0]["text"].zh + _WITHIN.zh, made[0]["text"].en + _WITHIN.en))
    if found.reason is not None:
        made.append(paragraph(_UNDEFINED.format(r=found.reason)))
    elif found.rows:
        made += _groups(found)
    made += _charts(s, found)
    made.append(_counties(s, found, within))
    if found.weights.same_list is not None:
        w = found.weights
        made.append(paragraph(_WEIGHTS.format(n=w.draws, s=w.seed, p=percent(w.same_list or 0.0))))
    elif found.weights.reason is not None:
        made.append(paragraph(_NO_WEIGHTS.format(r=said_text(found.weights.reason))))
    made += _experts(s, found)
    others = [o for o in found.others if s.overseer or o.name != SHADOW_RULE]
    if others:
        made.append(_rules(s, others, k))
        applied = [o for o in others if o.reason is None]
        if applied:
            made.append(_ranks(s, found, applied))
    made.append(note(_FROZEN))
    return made


def _groups(found: Certainty) -> list[Block]:
    """Certain in, borderline, certain out, by name."""
    rows: list[tuple[Text, Text]] = []
    for standing, limit in _GROUPS.items():
        inside = [row.place.name for row in found.rows if row.standing == standing]
        name = STANDING[standing]
        names = _COUNTED.format(n=len(inside), l=listed(inside)) if inside else Text("0 个", "0")
        rows.append((Text(f"{name.zh}（{limit}）", f"{name.en} ({limit})"), names))
    made = [facts(rows)]
    if any(row.standing == "borderline" for row in found.rows):
        made.append(paragraph(_EDGE))
    return made


def _charts(s: Source, found: Certainty) -> list[Block]:
    """The three drawings, a page's worth of counties to each."""
    made = charts(caterpillars_with_cut(s.reading, found, s.language), _CATERPILLAR)
    last = max((row.place.interval[1] for row in found.rows if row.place.interval), default=1)

    def intervals(part: Certainty, language: Language) -> str | None:
        return intervals_with_cut(s.reading, part, language, last)

    def bars(part: Certainty, language: Language) -> str | None:
        return chances(s.reading, part, language)

    kinds: list[tuple[Callable[[Certainty, Language], str | None], Text]] = [
        (intervals, _INTERVALS),
        (bars, _CHANCES.format(k=found.cut.top)),
    ]
    for draw, words in kinds:
        parts = (found.rows[at : at + A_PAGE] for at in range(0, len(found.rows), A_PAGE))
        drawn = [draw(replace(found, rows=rows), s.language) for rows in parts]
        made += charts([svg for svg in drawn if svg is not None], words)
    return made


def _counties(s: Source, found: Certainty, within: bool) -> Block:
    columns: list[tuple[Any, str, Any]] = [(Text("县（市、区）", "County"), "left", 3)]
    if within:
        columns.append((Text("类别", "Class"), "left", "auto"))
    columns += [
        (Text("名次", "Rank"), "center", "auto"),
        (Text("综合得分", "Total"), "right", "auto"),
        (Text("90% 名次区间", "90 % ranks"), "center", 2),
        (Text("前 {k} 名概率", "P(first {k})").format(k=found.cut.top), "right", 2),
        (Text("分组", "Group"), "center", 2),
        (Text("权重变动时", "Other weights"), "right", 2),
    ]
    if s.overseer:
        columns.append((Text("影子名次", "Shadow rank"), "right", 2))
    rows: list[list[Any]] = []
    for row in found.rows:
        place = row.place
        cells: list[Any] = [place.name]
        if within:
            cells.append(class_name(s.reading, place.group))
        weights = NOTHING if row.weights is None else _same(percent(row.weights))
        if row.weights_interval:
            span = _span(row.weights_interval)
            weights = Text(f"{weights.zh}（{span}）", f"{weights.en} ({span})")
        cells += [
            place.rank or NOTHING,
            NOTHING if place.total is None else format(place.total, "f"),
            _span(place.interval) if place.interval else NOTHING,
            NOTHING if row.chance is None else percent(row.chance),
            STANDING[row.standing] if row.standing else NOTHING,
            weights,
        ]
        if s.overseer:
            crosses = Text(" 越线", " crosses") if row.crosses else Text("", "")
            shadow = NOTHING if row.shadow is None else _same(str(row.shadow))
            cells.append(Text(shadow.zh + crosses.zh, shadow.en + crosses.en))
        rows.append(cells)
    caption = Text("逐个区县的名次把握", "How sure each rank is")
    foot = Text(
        "“权重变动时”：各权重变动约 10% 时进入前 {k} 名的概率，括号内为 90% 名次区间。",
        "Other weights: chance to be among the first {k} when weights move by about 10 %, with the 90 % "
        "interval of the rank.",
    ).format(k=found.cut.top)
    return table(caption, columns, rows, foot)


def _experts(s: Source, found: Certainty) -> list[Block]:
    """What leaving one expert out does; who, in the supervisor's edition alone."""
    pivotal = found.pivotal
    if not found.left_out:
        return [paragraph(_NOBODY)]
    if not pivotal:
        return [paragraph(_NOT_PIVOTAL.format(n=len(found.left_out)))]
    made = [paragraph(_PIVOTAL.format(n=len(found.left_out), p=len(pivotal)))]
    if not s.overseer:
        return [*made, note(_FOR_SUPERVISOR)]
    names = names_of_raters(s.session, [rater for rater, _ in pivotal])
    columns: list[tuple[Any, str, Any]] = [
        (Text("专家", "Expert"), "left", 2),
        (Text("席位", "Seats"), "left", 3),
        (Text("去掉后的名单", "The list without"), "left", 4),
        (Text("名次最大变动", "Largest shift"), "right", "auto"),
    ]
    rows = [
        [
            names.get(rater.key, NOTHING),
            rater.title,
            changed_list(s.reading, one),
            str(one.largest_shift),
        ]
        for rater, one in pivotal
    ]
    return [*made, table(Text("关键专家", "Pivotal experts"), columns, rows), note(_LOOK)]


def _rules(s: Source, others: list[OtherRule], k: int) -> Block:
    columns: list[tuple[Any, str, Any]] = [
        (Text("规则", "Rule"), "left", 3),
        (Text("前 {k} 名的名单", "List of the first {k}").format(k=k), "left", 5),
        (Text("名次最大变动", "Largest shift"), "right", "auto"),
    ]
    rows: list[list[Any]] = []
    for other in others:
        if other.reason is not None:
            why = _NOT_APPLICABLE.format(r=said_text(other.reason, s.reading))
            rows.append([said_text(other.title), why, NOTHING])
            continue
        rows.append(
            [said_text(other.title), changed_list(s.reading, other), str(other.largest_shift)]
        )
    caption = Text(
        "换一种规则（试算，正式规则不变）", "Under another rule (what if; the official rule stands)"
    )
    return table(caption, columns, rows)


def _ranks(s: Source, found: Certainty, others: list[OtherRule]) -> Block:
    """Each county's rank under every rule that applies, those that differ in bold."""
    titles = [said_text(other.title) for other in others]
    columns: list[tuple[Any, str, Any]] = [
        (Text("县（市、区）", "County"), "left", 10),
        (Text("正式名次", "Official"), "center", "auto"),
        # No word of a head may run into its neighbour.
        *((title, "center", max(map(len, [*title.en.split(), " " * 6]))) for title in titles),
    ]
    rows: list[list[Any]] = []
    for row in found.rows:
        official = int((row.place.rank or "0").rstrip("="))
        cells: list[Any] = [row.place.name, row.place.rank or NOTHING]
        for other in others:
            rank = other.ranks.get(row.place.id)
            shown = NOTHING if rank is None else str(rank)
            cells.append(shown if rank in (None, official) else {"text": shown, "bold": True})
        rows.append(cells)
    caption = Text("各规则下的名次（不同的加粗）", "Ranks under each rule (bold where other)")
    return table(caption, columns, rows)


def _span(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return str(low) if low == high else f"{low}–{high}"


def _same(text: str) -> Text:
    return Text(text, text)
