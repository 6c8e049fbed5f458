"""The annexes of a rating report: members, draw record, arithmetic, every item, observations, digests,
single sheets, declarations, coefficients, statements, how sure the ranks are, corrections after totals; in the supervisor's edition how the experts mark."""

from __future__ import annotations

from typing import Any

from app.aggregation.flags_read import checked
from app.domain.types import Text
from app.programme.instruments import stage_text
from app.registry.words import DISCIPLINE
from app.report.annex_corrections import TITLE as CORRECTIONS
from app.report.annex_corrections import corrections_after_totals
from app.report.annex_ranks import TITLE as RANKS
from app.report.annex_ranks import rank_certainty
from app.report.annex_raters import TITLE as RATERS
from app.report.annex_raters import how_experts_mark
from app.report.annex_sheets import agreement_in_full, declarations
from app.report.annex_single import TITLE as SHEETS
from app.report.annex_single import single_sheets
from app.report.annex_statements import statements
from app.report.blocks import (
    NOTHING,
    Block,
    facts,
    heading,
    item_marks,
    listing,
    local,
    note,
    paragraph,
    table,
)
from app.report.flag_sections import deviations
from app.report.source import Source

_FROM_PAPER = Text("专家 {n}：{w}", "expert {n}: {w}")
_HIDDEN = Text("（定稿后印出）", "(printed when final)")
_NONE_WHERE_JUDGED = Text(
    "能够判断的规则没有发现；下列规则数据不足，没有判断。",
    "The rules that could look found nothing; those below had not enough data.",
)
_GRAVE = {
    "red": Text("请复核", "review"),
    "amber": Text("请留意", "look"),
    "info": Text("提示", "note"),
}


def annexes(s: Source) -> list[dict[str, Any]]:
    """Title and blocks of each annex, in order."""
    return [
        {"title": Text("评审组成员名单", "Members of the panels"), "blocks": [_members(s)]},
        {"title": Text("专家抽取记录", "Record of the draws"), "blocks": _draws(s)},
        {"title": Text("各县得分计算过程", "Arithmetic by county"), "blocks": _arithmetic(s)},
        {"title": Text("分项评分", "Marks item by item"), "blocks": _items(s)},
        {
            "title": Text("评分提示", "Observations"),
            "blocks": [*_flags(s), *deviations(s)],
        },
        {"title": Text("规则与数据摘要", "Digests of rule and data"), "blocks": [_digests(s)]},
        {"title": SHEETS, "blocks": single_sheets(s)},
        {"title": Text("承诺书", "Declarations"), "blocks": declarations(s)},
        {"title": Text("一致性系数", "Coefficients of agreement"), "blocks": agreement_in_full(s)},
        {"title": Text("现场陈述", "Statements"), "blocks": statements(s)},
        {"title": RANKS, "blocks": rank_certainty(s)},
        {"title": CORRECTIONS, "blocks": corrections_after_totals(s)},
        *([{"title": RATERS, "blocks": how_experts_mark(s)}] if s.overseer else []),
    ]


def _members(s: Source) -> Block:
    rows = [
        [
            member.places,
            member.name if s.named else _HIDDEN,
            member.employer or NOTHING if s.named else _HIDDEN,
            member.expert.title,
            DISCIPLINE[member.expert.discipline],
            Text("组长", "leader") if member.leads else NOTHING,
        ]
        for member in s.members
    ]
    return table(
        Text(
            "成员及席位号（各表中的专家号即席位号）", "Members by seat (the numbers in every table)"
        ),
        [
            (Text("席位", "Seat"), "left", 3),
            (Text("姓名", "Name"), "left", 2),
            (Text("单位", "Employer"), "left", 3),
            (Text("职称", "Title"), "left", "auto"),
            (Text("专业", "Discipline"), "left", "auto"),
            (Text("职责", "Duty"), "center", "auto"),
        ],
        rows,
    )


def _draws(s: Source) -> list[Block]:
    made: list[Block] = []
    kind = {"real": Text("正式", "real"), "drill": Text("演练", "drill")}
    for draw in s.draws:
        made.append(heading(stage_text(draw.stage)))
        acts = [act for act in draw.acts if act.completed_at]
        made.append(
            facts(
                [
                    (
                        Text("性质与次数", "Kind and attempt"),
                        Text("{k}，第 {n} 次", "{k}, attempt {n}").format(
                            k=kind[draw.kind], n=draw.attempt
                        ),
                    ),
                    (Text("抽取时间", "Drawn at"), local(draw.drawn_at, s.zone)),
                    (Text("承诺值", "Commitment"), _breakable(draw.commitment_hash)),
                    (Text("抽取密钥", "Key"), _breakable(draw.key)),
                    (Text("抽取记录 SHA-256", "Transcript"), _breakable(draw.transcript_sha256)),
                    (Text("补抽", "Replacement acts"), str(len(acts))),
                ]
            )
        )
    made.append(
        note(
            Text(
                "任何人可凭抽取记录用独立核验程序重算抽取结果。",
                "Anybody can compute the draws again from the transcripts with the verifier.",
            )
        )
    )
    return made


def _breakable(value: str | None) -> Any:
    """A hash in a table cell: the template lets it break anywhere."""
    return {"hash": value} if value else NOTHING


def _arithmetic(s: Source) -> list[Block]:
    made: list[Block] = []
    for key, name in s.reading.names.items():
        made.append(heading(name))
        made.append(
            {"kind": "arithmetic", "lines": [{"text": line} for line in s.reading.arithmetic(key)]}
        )
    made.append(
        note(
            Text(
                "方括号内为专家席位号；“…”表示无限小数，计算时未取整。",
                "In brackets: the expert's seat. “…” marks an endless decimal, which was not rounded.",
            )
        )
    )
    return made


def _items(s: Source) -> list[Block]:
    made: list[Block] = [
        paragraph(
            Text(
                "系统按已确认数据计算的指标对各专家相同。每列之和即该专家的评分表总分；均值为计入专家的均值。",
                "Items computed from confirmed figures are the same for every expert. A column adds up to "
                "the expert's sheet total; the mean is that of the counted experts.",
            )
        )
    ]
    for key, name in s.reading.names.items():
        for stage in s.reading.stages:
            raters, items = s.reading.items(key, stage["id"])
            if not items:
                continue
            title = s.reading.titles[stage["id"]]
            made.append(
                item_marks(
                    Text(f"{name.zh} {title.zh}分项评分", f"{name.en}, {title.en}: items"),
                    raters,
                    items,
                    _dropped(s, key, stage["id"]),
                )
            )
            sheets = s.reading.counties[key]["stages"][stage["id"]].get("sheets", {})
            papers = [
                (label, Text.of(row["paper"])) for label, row in sheets.items() if "paper" in row
            ]
            if papers:
                made.append(listing([_FROM_PAPER.format(n=n, w=w) for n, w in papers]))
    return made


def _dropped(s: Source, key: str, stage: str) -> dict[str, frozenset[str]]:
    """Item -> experts whose points do not count there; with whole sheets the same for every item."""
    items = s.reading.scores[key]["stages"][stage]["items"]
    return {name: frozenset(row["dropped"]) for name, row in items.items()}


def _flags(s: Source) -> list[Block]:
    lines = []
    for level, text, rate in s.reading.flags():
        lines.append(
            Text(
                f"〔{_GRAVE[level].zh}〕{text.zh}{rate.zh if rate else ''}",
                f"[{_GRAVE[level].en}] {text.en}{' ' + rate.en if rate else ''}",
            )
        )
    silent, _ = checked(s.reading)
    made: list[Block] = []
    if lines:
        made.append(listing(lines))
    elif silent:
        made.append(paragraph(_NONE_WHERE_JUDGED))
    else:
        made.append(paragraph(Text("无。", "None.")))
    if silent:
        columns: list[tuple[Any, str, Any]] = [
            (Text("规则", "Rule"), "left", 3),
            (Text("阶段", "Stage"), "left", 2),
            (Text("原因", "Why"), "left", 5),
        ]
        title = Text("数据不足、没有判断的规则", "Rules without enough data")
        made.append(table(title, columns, [[row.title, row.stage, row.reason] for row in silent]))
    return made


def _digests(s: Source) -> Block:
    run = s.report.run
    return facts(
        [
            (Text("计分规则", "Score rule"), _breakable(run.rule_digest)),
            (Text("汇总输入", "Inputs of the run"), _breakable(run.inputs_digest)),
            (Text("汇总结果", "Results of the run"), _breakable(run.results_digest)),
        ]
    )
