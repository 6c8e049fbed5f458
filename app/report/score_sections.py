"""Sections six and nine of a rating report: composite scores, agreement, ranking."""

from __future__ import annotations

from typing import Any

from app.aggregation.diagnostics_drawings import A_PAGE
from app.aggregation.flags_read import checked
from app.aggregation.run_drawings import caterpillars, dots
from app.domain.types import Text
from app.report.blocks import NOTHING, Block, charts, listing, note, paragraph, table
from app.report.check_sections import check_blocks
from app.report.flag_sections import meeting_blocks, note_blocks
from app.report.source import Source, class_title

_DOTS = 24  # counties to a chart of marks, which has taller rows


def scores(s: Source) -> list[Block]:
    """Composite table, agreement of every panel, charts of the marks."""
    reading = s.reading
    columns: list[tuple[Any, str, Any]] = [(Text("县（市、区）", "County"), "left", 2)]
    weighted = bool(reading.run.rule["modules"])
    for stage in reading.stages:
        title = reading.titles[stage["id"]]
        columns.append((title, "right", 2))
        if weighted:
            columns.append((Text(f"× {stage['weight']}", f"× {stage['weight']}"), "right", 2))
    adjusted = any(place.adjust for place in reading.ranking())
    if adjusted:
        columns.append((Text("加减分", "Adjustment"), "right", 1))
    columns.append((Text("综合得分", "Total"), "right", 2))
    rows = []
    for place in sorted(reading.ranking(), key=lambda p: list(reading.names).index(p.id)):
        cells: list[Any] = [place.name]
        for value, part in zip(place.stages, place.weighted, strict=True):
            cells.append(value or NOTHING)
            if weighted:
                cells.append(part or NOTHING)
        if adjusted:
            cells.append(format(place.adjust, "f"))
        total = NOTHING if place.total is None else format(place.total, "f")
        rows.append([*cells, {"text": total, "bold": True}])
    made: list[Block] = [table(Text("得分汇总", "Composite scores"), columns, rows)]
    if reading.inputs["uncounted"]:
        made.append(
            note(
                Text(
                    "本方案有加分表，本届没有登记加分，综合得分不含加分。",
                    "The scheme has a bonus form; no bonus was recorded, so no total holds one.",
                )
            )
        )
    bonuses = reading.bonuses()
    if bonuses:
        made.append(
            table(
                Text("加分情形及依据", "Bonuses and their evidence"),
                [
                    (Text("县（市、区）", "County"), "left", 2),
                    (Text("情形", "Case"), "left", 4),
                    (Text("级别", "Level"), "left", 1),
                    (Text("分值", "Points"), "right", 1),
                    (Text("文件", "Document"), "left", 3),
                ],
                [
                    [
                        row.name,
                        a.title,
                        a.level,
                        a.points if a.counted else Text("不重复计", "not twice"),
                        f"{a.document} {a.sha256[:12]}",
                    ]
                    for row in bonuses
                    for a in row.awards
                ],
            )
        )
    for agreed in reading.agreement():
        made.append(
            {
                "kind": "agreement",
                "caption": Text(
                    f"{agreed.title.zh}评分者一致性（全部有效评分，未去高低分）",
                    f"{agreed.title.en}: agreement between experts (all valid marks, nothing dropped)",
                ),
                "rows": [
                    {
                        "name": name,
                        "value": value,
                        "n": str(agreed.n),
                        "k": str(agreed.k),
                        "reading": words,
                        **({"low": low, "high": high} if low and high else {}),
                    }
                    for name, value, low, high, words in agreed.rows
                ],
                "note": Text(
                    "信度按双向随机、绝对一致模型，区间为 McGraw 与 Wong（1996），有缺评的按方差分量模拟；W 为 Kendall 协同系数（同分校正）。",
                    "Reliability: two-way random model, absolute agreement; intervals of McGraw and Wong "
                    "(1996), simulated from the variance components where marks are missing. W: Kendall's concordance, corrected for ties.",
                ),
            }
        )
        made.append(
            paragraph(
                Text(
                    f"{agreed.title.zh}：{agreed.words.zh}", f"{agreed.title.en}: {agreed.words.en}"
                )
            )
        )
        made += [note(words) for words in agreed.basis]
    made += meeting_blocks(s) + note_blocks(s)
    for number, (stage, panel, title) in enumerate(reading.panels(), 1):
        made += charts(
            dots(reading, stage["id"], panel, s.language, _DOTS),
            Text(f"图 {number}　{title.zh}评分分布", f"Figure {number}: marks, {title.en}"),
            Text(
                f"{title.zh}各县评分分布与计入均值", f"{title.en}: marks and counted mean by county"
            ),
        )
    made.append(paragraph(_observed(len(reading.flags()), len(checked(reading)[0]))))
    return made


def _observed(flags: int, silent: int) -> Text:
    """How many observations there are, and how many times a rule could not look."""
    text = Text("没有需要提示的评分。", "No mark called for an observation.")
    if flags:
        text = Text(
            "评分提示 {n} 条，见附件 5；提示只供复核，不影响得分。",
            "{n} observation(s), annex 5; they are advice and no score depends on them.",
        ).format(n=flags)
    elif silent:
        text = Text(
            "能够判断的规则没有发现需要提示的评分。",
            "No rule that could look found a mark to point out.",
        )
    if not silent:
        return text
    more = Text(
        "另有 {n} 项规则因数据不足没有判断，见附件 5。",
        " {n} check(s) had not enough data to judge, annex 5.",
    ).format(n=silent)
    return Text(text.zh + more.zh, text.en + more.en)


def conclusion(s: Source) -> list[Block]:
    """The ranking with its bands, how ties were settled, who has no score and why."""
    reading = s.reading
    ranking = reading.ranking()
    within = reading.run.rule["rank_within"] == "group"
    columns: list[tuple[Any, str, Any]] = []
    if within:
        columns.append((Text("类别", "Class"), "left", "auto"))
    columns += [
        (Text("名次", "Rank"), "center", "auto"),
        (Text("县（市、区）", "County"), "left", 2),
        (Text("综合得分", "Total"), "right", 1),
        (Text("90% 区间", "90% band"), "center", 2),
        (Text("名次区间", "Rank interval"), "center", 1),
    ]
    rows, remarks = [], []
    for place in ranking:
        cells: list[Any] = [class_title(s, place.id) if place.group else NOTHING] if within else []
        band, interval = place.band, place.interval
        out = place.status == "disqualified"
        cells += [
            _OUT if out else place.rank or NOTHING,
            place.name,
            {"text": NOTHING if place.total is None else format(place.total, "f"), "bold": True},
            Text(f"{band[0]} 至 {band[1]}", f"{band[0]} to {band[1]}") if band else NOTHING,
            _interval(interval),
        ]
        rows.append(cells)
        for remark in (place.reason, place.tie):
            if remark:
                remarks.append(
                    Text(f"{place.name.zh}：{remark.zh}", f"{place.name.en}: {remark.en}")
                )
    sure = reading.results["uncertainty"]
    made = [
        table(
            Text("综合得分与排序", "Total scores and ranking"),
            columns,
            rows,
            Text(
                "90% 区间由缩尾方差（Yuen 1974）得出；名次区间由 {n} 次模拟得出，种子 {s}。二者说明把握大小，不改变名次，详见附件 11。",
                "The 90 % band rests on the winsorised variance (Yuen 1974), the rank interval on {n} "
                "simulated draws, seed {s}. They say how sure a rank is and change none; see annex 11.",
            ).format(n=sure["draws"], s=sure["seed"]),
        )
    ]
    remarks += [
        Text(
            f"并列名次由抽签确定：{' → '.join(n.zh for n in tie.names)}（承诺值 {tie.commitment}）",
            f"Settled by draw: {' → '.join(n.en for n in tie.names)} (commitment {tie.commitment})",
        )
        for tie in reading.tie_draws()
    ]
    if remarks:
        made.append(listing(remarks))
    made += check_blocks(reading)
    number = len(reading.panels()) + 1
    made += charts(
        caterpillars(reading, s.language, A_PAGE),
        Text(f"图 {number}　综合得分与区间", f"Figure {number}: total scores and bands"),
        Text("综合得分与 90% 区间", "Total scores with 90 % bands"),
    )
    return made


_OUT = Text("取消资格", "out")


def _interval(bounds: tuple[int, int] | None) -> Text:
    if bounds is None:
        return NOTHING
    low, high = bounds
    return Text(str(low), str(low)) if low == high else Text(f"{low} 至 {high}", f"{low} to {high}")
