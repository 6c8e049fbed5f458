"""A run as files: every mark with what was dropped, every item, and the results (XLSX and CSV)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal

from app.aggregation.corrected import Corrected
from app.aggregation.corrections import CAUSE_TEXT
from app.aggregation.reading import STATE, Reading
from app.documents.sheets import Cell, Sheet, write_csv, write_xlsx
from app.domain.scoring.schema import SCORERS
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
TABS = {
    "results": Text("结果", "Results"),
    "marks": Text("评分", "Marks"),
    "items": Text("指标", "Items"),
    "given": Text("他方评定", "Given by others"),
    "bonus": Text("加分", "Bonuses"),
    "checks": Text("实地查验", "Checks on site"),
    "corrections": Text("汇总后的更正", "Corrections"),
    "arithmetic": Text("计算过程", "Arithmetic"),
    "origin": Text("来源", "Origin"),
}
_OUT = Text(
    "实地查验未通过，取消资格，名额不再增补", "failed the check on site: disqualified, not filled"
)
_SUBMITTED = Text("已提交", "submitted")
_TWICE = Text("同一文件只计一次", "a document counts once")
_FAILED, _PASSED = Text("未通过", "failed"), Text("通过", "passed")
_NOT_APPLICABLE = Text("不适用", "not applicable")
_YES, _DROPPED, _NO = Text("计入", "yes"), Text("去掉", "dropped"), Text("不计", "no")


def both(words: Text | str) -> str:
    """A heading in both languages side by side: whoever opens the file reads one of them."""
    if isinstance(words, str) or words.zh == words.en:
        return str(words)
    return f"{words.zh} {words.en}"


def _sheet(
    name: str, heads: Sequence[Text | str], rows: list[list[Cell]], widths: Sequence[int] = ()
) -> Sheet:
    return Sheet(both(TABS[name]), [both(head) for head in heads], rows, widths)


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
            place.group and reading.group_title(place.group),
            place.rank,
            place.id,
            place.name,
            *place.stages,
            place.adjust,
            place.total,
            place.band[0] if place.band else None,
            place.band[1] if place.band else None,
            _OUT if place.status == "disqualified" else place.reason or place.tie,
        ]
        for place in reading.ranking()
    ]
    return _sheet("results", heads, rows)


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


def bonus_sheet(reading: Reading) -> Sheet | None:
    """One row for every bonus award with the document behind it; None when none was recorded."""
    rows: list[list[Cell]] = [
        [
            county.id,
            county.name,
            Decimal(county.points),
            award.item,
            award.title,
            award.level,
            Decimal(award.points),
            _YES if award.counted else _TWICE,
            award.document,
            award.sha256,
            award.evidence,
        ]
        for county in reading.bonuses()
        for award in county.awards
    ]
    heads = [
        *MARK_HEADS[:2],
        Text("加分合计", "Bonus in all"),
        Text("指标编号", "Item"),
        Text("情形", "Case"),
        Text("级别", "Level"),
        Text("分值", "Points"),
        Text("是否计入", "Counted"),
        Text("文件", "Document"),
        Text("文件 SHA-256", "SHA-256 of the document"),
        Text("依据", "Evidence"),
    ]
    widths = (10, 14, 10, 10, 40, 14, 8, 20, 30, 66, 30)
    return _sheet("bonus", heads, rows, widths) if rows else None


def given_sheet(reading: Reading) -> Sheet | None:
    """One row for every item that neither an expert nor a formula gives; None without any."""
    rows: list[list[Cell]] = []
    for key, county in reading.counties.items():
        for stage in reading.stages:
            part = county["stages"][stage["id"]]
            items = {item["id"]: item for item in part.get("items", ())}
            rows += [
                [
                    key,
                    reading.names[key],
                    reading.titles[stage["id"]],
                    name,
                    Text.of(items[name]["title"]),
                    items[name]["max"] and Decimal(items[name]["max"]),
                    SCORERS[row["by"]],
                    _NOT_APPLICABLE if row["points"] is None else Decimal(row["points"]),
                    Text.of(row["how"]),
                ]
                for name, row in part.get("computed", {}).items()
                if "by" in row and name in items
            ]
    heads = [
        *MARK_HEADS[:3],
        Text("指标编号", "Item"),
        Text("指标", "Title"),
        Text("满分", "Maximum"),
        Text("评定方", "Given by"),
        Text("得分", "Points"),
        Text("说明", "How"),
    ]
    widths = (10, 14, 14, 10, 40, 8, 16, 8, 50)
    return _sheet("given", heads, rows, widths) if rows else None


def check_sheet(reading: Reading) -> Sheet | None:
    """One row for every seat of a check on site; None without a check."""
    rows: list[list[Cell]] = []
    for check in reading.checks():
        for vote in (*check.votes, *check.silent):
            failed = "；".join(f"{item} {reason}".strip() for item, _, reason in vote.failed)
            verdict = STATE[vote.state] if vote.state else _FAILED if vote.failed else _PASSED
            rows.append([check.id, check.name, vote.seat, verdict, failed or None, check.words])
    heads = [
        *MARK_HEADS[:2],
        Text("专家", "Expert"),
        Text("查验结论", "Verdict"),
        Text("未通过的项目及理由", "Items not passed, with reasons"),
        Text("本县结论", "Verdict on the county"),
    ]
    return _sheet("checks", heads, rows, (10, 14, 8, 12, 50, 40)) if rows else None


def correction_sheet(found: Sequence[Corrected]) -> Sheet | None:
    """One row for every value that a correction after totals changed; None without any."""
    rows: list[list[Cell]] = [
        [
            one.row.subject.region_code,
            one.row.subject.name,
            one.number,
            CAUSE_TEXT[one.row.cause],
            one.row.reason,
            one.asked_by,
            one.confirmed_by,
            value.where,
            value.old,
            value.new,
        ]
        for one in found
        for value in one.values
    ]
    heads = [
        *MARK_HEADS[:2],
        Text("汇总次数", "Run"),
        Text("更正原因", "Cause"),
        Text("理由", "Reason"),
        Text("登记", "Entered by"),
        Text("确认", "Confirmed by"),
        Text("项目", "What"),
        Text("更正前", "Before"),
        Text("更正后", "After"),
    ]
    widths = (10, 14, 8, 24, 40, 12, 12, 40, 12, 12)
    return _sheet("corrections", heads, rows, widths) if rows else None


def as_xlsx(reading: Reading, language: str, corrected: Sequence[Corrected] = ()) -> bytes:
    """The workbook: results, marks, items, what others gave, bonuses, checks, corrections after totals,
    arithmetic, origin."""
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
    more = (
        given_sheet(reading),
        bonus_sheet(reading),
        check_sheet(reading),
        correction_sheet(corrected),
    )
    target = io.BytesIO()
    write_xlsx(
        target,
        [
            result_sheet(reading),
            _sheet("marks", MARK_HEADS, mark_rows(reading)),
            _sheet("items", item_heads, item_rows(reading), (10, 14, 14, 10, 40, 8, 8, 10)),
            *(s for s in more if s is not None),
            _sheet(
                "arithmetic",
                [
                    Text("区划代码", "Code"),
                    Text("区县", "County"),
                    Text("步", "Step"),
                    Text("算式", "Arithmetic"),
                ],
                lines,
                (10, 14, 6, 100),
            ),
            _sheet("origin", [Text("项", "Item"), Text("值", "Value")], origin, (20, 70)),
        ],
        language=language,
        created=run.made_at,
    )
    return target.getvalue()


def as_csv(reading: Reading, language: str) -> bytes:
    """The marks, one row each."""
    target = io.BytesIO()
    write_csv(target, [both(head) for head in MARK_HEADS], mark_rows(reading), language=language)
    return target.getvalue()
