"""A run as files: every mark with what was dropped, every item, and the results (XLSX and CSV)."""

from __future__ import annotations

import io
from decimal import Decimal

from app.aggregation.reading import Reading
from app.documents.sheets import Cell, Sheet, write_csv, write_xlsx
from app.domain.types import Text

MARK_HEADS = (
    Text("区划代码", "Code"),
    Text("区县", "County"),
    Text("阶段", "Stage"),
    Text("专家", "Expert"),
    Text("状态", "State"),
    Text("总分", "Sheet total"),
    Text("是否计入", "Counted"),
    Text("理由", "Reason"),
)
_SUBMITTED = Text("已提交", "submitted")
_YES, _DROPPED, _NO = Text("计入", "yes"), Text("去掉", "dropped"), Text("不计", "no")


def mark_rows(reading: Reading) -> list[list[Cell]]:
    """One row for every expert and county: absences are words, never zero."""
    return [
        [
            row.id,
            row.name,
            title,
            mark.rater,
            mark.state or _SUBMITTED,
            mark.value,
            _NO if mark.value is None else _DROPPED if mark.dropped else _YES,
            mark.reason,
        ]
        for stage, panel, title in reading.panels()
        for row in reading.rows(stage["id"], panel)
        for mark in row.marks
    ]


def result_sheet(reading: Reading) -> Sheet:
    """The ranking."""
    stages = [reading.titles[stage["id"]] for stage in reading.stages]
    heads = [
        Text("类别", "Class"),
        Text("名次", "Rank"),
        Text("区划代码", "Code"),
        Text("区县", "County"),
        *stages,
        Text("加减分", "Adjustment"),
        Text("综合得分", "Total"),
        Text("90% 下限", "90% low"),
        Text("90% 上限", "90% high"),
        Text("说明", "Remark"),
    ]
    rows: list[list[Cell]] = [
        [
            place.group,
            place.rank,
            place.id,
            place.name,
            *place.stages,
            place.adjust,
            place.total,
            place.band[0] if place.band else None,
            place.band[1] if place.band else None,
            place.reason or place.tie,
        ]
        for place in reading.ranking()
    ]
    return Sheet(Text("结果", "Results").zh, heads, rows)


def item_rows(reading: Reading) -> list[list[Cell]]:
    """One row for every county, stage, item and expert."""
    found: list[list[Cell]] = []
    for key, name in reading.names.items():
        for stage in reading.stages:
            raters, items = reading.items(key, stage["id"])
            for item in items:
                for rater, points in zip(raters, item.points, strict=True):
                    number = None if points in (None, "N/A") else Decimal(points or "0")
                    found.append(
                        [
                            key,
                            name,
                            reading.titles[stage["id"]],
                            item.id,
                            item.title,
                            item.maximum and Decimal(item.maximum),
                            rater,
                            points if points == "N/A" else number,
                        ]
                    )
    return found


def as_xlsx(reading: Reading, language: str) -> bytes:
    """The workbook: results, marks, items, arithmetic, origin."""
    run = reading.run
    item_heads = [
        Text("区划代码", "Code"),
        Text("区县", "County"),
        Text("阶段", "Stage"),
        Text("指标编号", "Item"),
        Text("指标", "Title"),
        Text("满分", "Maximum"),
        Text("专家", "Expert"),
        Text("得分", "Points"),
    ]
    lines: list[list[Cell]] = [
        [key, name, number, line]
        for key, name in reading.names.items()
        for number, line in enumerate(reading.arithmetic(key), 1)
    ]
    origin: list[list[Cell]] = [
        [Text("届次", "Round"), run.round.title],
        [Text("汇总次数", "Run"), run.number],
        [Text("规则摘要", "Rule digest"), run.rule_digest],
        [Text("输入摘要", "Digest of the inputs"), run.inputs_digest],
        [Text("结果摘要", "Digest of the results"), run.results_digest],
    ]
    target = io.BytesIO()
    write_xlsx(
        target,
        [
            result_sheet(reading),
            Sheet("评分", MARK_HEADS, mark_rows(reading)),
            Sheet("指标", item_heads, item_rows(reading), (10, 14, 14, 10, 40, 8, 8, 10)),
            Sheet(
                "计算过程",
                [
                    Text("区划代码", "Code"),
                    Text("区县", "County"),
                    Text("步", "Step"),
                    Text("算式", "Arithmetic"),
                ],
                lines,
                (10, 14, 6, 100),
            ),
            Sheet("来源", [Text("项", "Item"), Text("值", "Value")], origin, (20, 70)),
        ],
        language=language,
        created=run.made_at,
    )
    return target.getvalue()


def as_csv(reading: Reading, language: str) -> bytes:
    """The marks, one row each."""
    target = io.BytesIO()
    write_csv(target, MARK_HEADS, mark_rows(reading), language=language)
    return target.getvalue()
