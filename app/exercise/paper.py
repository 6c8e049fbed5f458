"""The rating report of the exercise: the leader's words, everybody's signature, the two papers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation import queries as runs
from app.aggregation.models import Run
from app.exercise.county import NOTICE
from app.exercise.crew import Stage
from app.exercise.opening import round_of
from app.report import operations as reports
from app.report import papers, queries
from app.report.models import Report

TOLD = 20  # counties of a class that the conclusion names
DISSENT = "演练：对矿山治理成效的分值有不同看法，建议下一届把废弃矿山修复单列为一项，不影响本人对结论的签署。"
WORDS = {
    "basis": (
        f"本报告为演练，依据{NOTICE}组织。该通知推荐六个区参加评选，未设评审组和实地考核；评审组、现场陈述和"
        "统一评分由国家评选考核办法提供。专家、数据、材料和分数均为虚构，不具效力。"
    ),
    "procedure": (
        "专家由创建办公室和监督人员共同在系统中抽取：先公布承诺，再分别录入预先印好的骰子点数并出示口令。"
        "综合评审组一名成员不能到会，按登记的事由补抽一人。全体成员在接触材料前签署了回避和保密承诺书。"
    ),
    "qualification": (
        "各部门意见均为通过。平谷区违法占用耕地120亩，但只占新增建设用地占用耕地面积的8%，按规定两个条件须同时满足，"
        "不构成否决，有关部门写明了理由。"
    ),
    "materials": (
        "评审组逐区审阅申报材料和数据。一名专家在丰台区项目上主动回避，未评分；一名专家封存后发现看错一页台账，"
        "说明理由后另起一版更正，两版均保留。"
    ),
    "site": (
        "六个区的代表均作了现场陈述并回答质询，记录由陈述人确认。一个区申请一名专家回避，经办公室核实后驳回并说明理由。"
        "一名专家因身体不适未参加一个区的评分，该席位不计分，也不按零分处理。"
    ),
    "scores": (
        "每个阶段去掉一个最高分和一个最低分后取平均，两个阶段按七比三合成总分，在地区类别内排序。"
        "一名专家给平谷区的分数明显低于其他成员，系统已提示，该分数属于被去掉的最低分；"
        "该专家作了书面说明，监督人员决定保留评分表。"
    ),
    "achievements": (
        "一是存量用地二次开发和临空经济区项目用地全程管理形成了可以推广的流程；二是批次用地供应和闲置土地处置进展明显；"
        "三是生态涵养区把矿山修复与村庄集约用地结合起来，老城区利用地下空间取得实效。"
    ),
    "problems": (
        "部分区的数据台账页码与申报材料不一致；村庄用地的统计口径不统一；公众对创建活动的了解还不够。"
        "建议统一数据口径，逐项附佐证页码，并把公众参与写入下一年度的任务分工。"
    ),
}  # fmt: skip


def write_report(stage: Stage, slug: str, texts: Mapping[str, str] = WORDS) -> str:
    """Drafted and written by a leader, signed by all (one with a dissent), closed; the report's id."""
    with stage.write() as session:
        round_ = round_of(session, slug)
        members = queries.members(session, round_)
        leader = stage.crew.experts[members[0].expert.id]
        run = runs.last_run(session, round_)
        assert run is not None
        report = reports.draft_report(session, leader, round=round_, run=run)
        words = {**texts, "conclusion": conclusion(stage, run)}
        for key, text in words.items():
            reports.save_section(
                session, leader, report=report, key=key, text=text, version=report.version
            )
        reports.submit_for_signing(session, leader, report=report)
        report_id = report.id
    with stage.write() as session:
        report = session.get_one(Report, report_id)
        for place, member in stage.each("report signed", list(enumerate(members))):
            viewer = stage.crew.experts[member.expert.id]
            dissents = place == len(members) - 1
            reports.sign(
                session, viewer, report=report, state="dissent" if dissents else "signed",
                text=DISSENT if dissents else "", signed_name=viewer.name,
            )  # fmt: skip
        reports.close_signing(session, stage.crew["office"], report=report)
    return report_id


def conclusion(stage: Stage, run: Run) -> str:
    """The ranking in a sentence for each class (its first TOLD counties), from the run."""
    rows = run.results["scores"]["subjects"]
    groups: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for code, row in rows.items():
        groups[row["group"]].append(
            (row["rank"], stage.by_code[code].name, str(Decimal(row["total"])))
        )
    parts = []
    for group, name in (("I", "Ⅰ类地区"), ("II", "Ⅱ类地区")):
        ranked = "、".join(
            f"{who}第{rank}名（{total}分）" for rank, who, total in sorted(groups[group])[:TOLD]
        )
        rest = "等" if len(groups[group]) > TOLD else ""
        parts.append(f"{name}：{ranked}{rest}")
    return "；".join(parts) + "。评审组建议创建办公室按上述排序提请审议。本结论为演练，不具效力。"


def print_report(
    stage: Stage, report_id: str, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[Path, Path]:
    """Make the report final with its Chinese paper; both papers as files in the home. `progress`
    hears how many parts of both are done."""
    home = stage.parts.settings.home
    with stage.parts.database.read() as session:
        chinese = papers.report_pdf(
            session, _report(session, report_id), "zh", progress=lambda n, of: progress(n, 2 * of)
        )
    with stage.write() as session:
        reports.finish(
            session, stage.crew["office"], report=_report(session, report_id), pdf=chinese
        )
    with stage.parts.database.read() as session:
        english = papers.report_pdf(
            session,
            _report(session, report_id),
            "en",
            progress=lambda n, of: progress(of + n, 2 * of),
        )
    files = home / "report.pdf", home / "report-en.pdf"
    for file, data in zip(files, (chinese, english), strict=True):
        file.write_bytes(data)
    return files


def _report(session: Session, report_id: str) -> Report:
    return session.scalars(select(Report).where(Report.id == report_id)).one()
