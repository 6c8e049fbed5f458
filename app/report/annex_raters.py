"""The annex on how the experts mark, in the supervisor's edition alone: severity, consistency, drift, and
Mandel's h and k, as on the diagnostics page. By seat, without names."""

from __future__ import annotations

from typing import Any

from app.aggregation.diagnostics import StageRaters
from app.aggregation.diagnostics_drawings import forest, mandel_chart
from app.aggregation.diagnostics_queries import diagnosis_of
from app.aggregation.diagnostics_words import (
    consistency_words,
    drift_words,
    said_text,
    severity_words,
)
from app.domain.types import Text
from app.report.blocks import Block, charts, heading, note, paragraph, table
from app.report.source import Source

TITLE = Text("专家评分特征", "How the experts mark")
_NO_FAULT = Text(
    "偏严或偏宽不是过错，去掉最高最低分已部分抵消。本附件只供监督人员决定是否复核，不影响得分，不向区县公布。",
    "To be strict or lenient is no fault, and trimming takes part of it out. For the supervisor alone, to "
    "decide whether to look again; no score depends on it and no county sees it.",
)
_APART = Text(
    "因此不列宽严：分不清是专家严还是区县弱。",
    "Severity is therefore not listed: strict experts and weak counties look the same.",
)
_FOREST = Text(
    "{s}：各专家宽严与 95% 界限（实心方块：界限不含零）",
    "{s}: severity with 95 % limits (filled square: the limits leave zero out)",
)
_MANDEL = {
    "h": Text(
        "{s}：曼德尔 h，平均水平偏离其他专家的程度（虚线为 5% 和 1% 界限）",
        "{s}: Mandel's h, how far a level is from the others (dashed: 5 % and 1 % limits)",
    ),
    "k": Text(
        "{s}：曼德尔 k，评分离散程度（虚线为 5% 和 1% 界限）",
        "{s}: Mandel's k, scatter (dashed: 5 % and 1 % limits)",
    ),
}
_UNDEFINED = Text("无定义：{r}", "Not defined: {r}")
_NO_MANDEL = Text("曼德尔 h 与 k 无定义：{r}", "Mandel's h and k are not defined: {r}")


def how_experts_mark(s: Source) -> list[Block]:
    """Every panel stage; one sentence where the run does not come out again."""
    looked = diagnosis_of(s.session, s.report.run)
    if looked.stale is not None:
        return [paragraph(looked.stale)]
    made = [paragraph(_NO_FAULT)]
    for stage in looked.all_raters():
        made += [heading(stage.title), *_stage(s, stage)]
    return made


def _stage(s: Source, stage: StageRaters) -> list[Block]:
    found = stage.found
    if found.reason is not None:
        return [paragraph(_UNDEFINED.format(r=said_text(found.reason)))]
    made: list[Block] = [note(said_text(found.graph))]
    if found.connected:
        made += charts([forest(stage, s.language)], _FOREST.format(s=stage.title))
    else:
        made.append(note(_APART))
    columns: list[tuple[Any, str, Any]] = [
        (Text("专家", "Expert"), "center", "auto"),
        (Text("评分表", "Sheets"), "right", "auto"),
        (Text("宽严", "Severity"), "left", 3),
        (Text("一致性", "Consistency"), "left", 3),
        (Text("漂移", "Drift"), "left", 3),
    ]
    rows = [
        [
            label,
            str(report.subjects),
            severity_words(report.severity),
            consistency_words(report.consistency),
            drift_words(report.drift),
        ]
        for _, label, report in stage.raters
    ]
    if not found.connected:
        columns.pop(2)
        rows = [[*row[:2], *row[3:]] for row in rows]
    made.append(table(Text("{s}：各专家", "{s}: each expert").format(s=stage.title), columns, rows))
    if isinstance(found.mandel, Text):
        made.append(paragraph(_NO_MANDEL.format(r=said_text(found.mandel))))
        return made
    h, k = mandel_chart(stage, "h", s.language), mandel_chart(stage, "k", s.language)
    for which, svg in (("h", h), ("k", k)):
        if svg is not None:
            made += charts([svg], _MANDEL[which].format(s=stage.title))
    return made
