"""Making the exercise's round: counties, forms, materials, figures, qualification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.directory import queries as directory_queries
from app.directory.models import Person
from app.documents.pdf import render_pdf
from app.domain.types import Text
from app.exercise.county import (
    BUREAU,
    CLASS_BASIS,
    GUIDANCE_BASIS,
    NOTICE,
    NOTICE_TITLE,
    SOURCE,
    YEAR,
    District,
)
from app.exercise.crew import Stage
from app.programme import operations as programme
from app.programme.models import Figure, FormVersion, Round, Subject
from app.programme.qualification import subject_state

SCHEME = "beijing-2012-2nd"
NOTE = Text(
    f"演练。依据{NOTICE}《{NOTICE_TITLE}》组织：六个区及其地区类别、指导分工取自该通知；该通知未设评审组和实地考核，"
    "这两个环节由国家评选考核办法（2015年）提供。专家、数据、材料、分数均为虚构，结果不具效力。",
    "Exercise, built on the Beijing notice of 2012 (no. 485): the six districts with their classes and "
    "the division of guidance are the notice's; panel and site stage, which it does not name, are "
    "supplied by the national measures of 2015. Experts, figures, materials and marks are invented; "
    "the result has no effect.",
)
# The recorded decision that the place rule does not bind employers of central level.
EXEMPTION = {
    "decided_by": "演练创建活动办公室（虚构会议纪要第1号）",
    "reason": {
        "zh": "中央级单位不隶属参评地区，其专家不因单位驻地在北京而回避地域；其他回避情形照常适用。",
        "en": "Employers of central level do not belong to the region under review, so their experts "
        "are not kept out for the employer's seat in Beijing; every other conflict still counts.",
    },
}
DEPARTMENTS = {
    "Q01": "办公厅",
    "Q02": "国家土地总督察办公室",
    "Q03": "耕地保护司",
    "Q04": "矿产资源储量司",
    "Q05": "执法监察局",
    "Q06": "省级主管部门",
    "Q08": "创建活动办公室",
}


def round_of(session: Session, slug: str) -> Round:
    """The round, loaded in this transaction."""
    return session.scalars(select(Round).where(Round.slug == slug)).one()


def sign_forms(stage: Stage, *, leave: str | None = None) -> int:
    """The administrator signs every version of the library but the one that waits for him."""
    signed = 0
    with stage.write() as session:
        for version in session.scalars(select(FormVersion).order_by(FormVersion.form_id)):
            if version.form_id != leave and version.signed_at is None:
                programme.sign_form_version(session, stage.crew["admin"], version)
                signed += 1
    return signed


def make_round(
    stage: Stage, slug: str, title_zh: str, title_en: str, *, days: int, scheme: str = SCHEME,
    note: Text = NOTE, class_basis: Mapping[str, str] = CLASS_BASIS,
) -> str:  # fmt: skip
    """A drill round on the stage's counties (by default the Beijing scheme on all six districts),
    forms fixed; reviews `days` from today."""
    office = stage.crew["office"]
    today = clock.today(stage.parts.settings.timezone)
    overrides = {"central_exempt": {**EXEMPTION, "on": (today - timedelta(days=30)).isoformat()}}
    with stage.write() as session:
        made = programme.create_round(
            session, office, slug=slug, scheme_id=scheme, title_zh=title_zh, title_en=title_en,
            kind="drill", review_on=today + timedelta(days=days), note=note.zh, note_en=note.en,
            rule_overrides=overrides,
        )  # fmt: skip
        for district in stage.each("counties", stage.districts):
            facts = {"has_mines": district.has_mines, "is_prefecture": False}
            programme.add_subject(
                session, office, made, region_code=district.code,
                region_class=district.region_class, class_basis=class_basis[district.region_class],
                facts=facts,
            )  # fmt: skip
        programme.pin_latest(session, office, made)
        session.flush()
        session.expire_all()
        _presenters_and_guides(stage, session, made)
        programme.open_round(session, office, made)
        return made.id


def _presenters_and_guides(stage: Stage, session: Session, made: Round) -> None:
    known = directory_queries.organisations_by_key(session)
    office = stage.crew["office"]

    for subject, district in pairs(stage, made):
        person = session.get_one(Person, stage.crew.presenter(district.code).person_id)
        programme.set_presenter(session, office, subject, person)
        for name in district.guides:
            guide = known[directory_queries.organisation_key(BUREAU + name)]
            programme.set_guidance(session, office, made, subject, guide, GUIDANCE_BASIS)


def pairs(stage: Stage, made: Round) -> list[tuple[Subject, District]]:
    """The counties of a round with what the exercise invents about them."""
    return [(subject, stage.by_code[subject.region_code]) for subject in made.subjects]


# ---------- materials


def _paper(district: District, title: str, paragraphs: list[str], moment: Any) -> bytes:
    data = {
        "title": f"{district.name}{title}",
        "number": "演练材料（内容虚构）",
        "drill": True,
        "language": "zh",
        "paragraphs": paragraphs,
        "signatures": [{"role": "演练经办人（虚构）", "name": ""}],
        "issuer": f"演练：{district.name}创建工作机构（虚构）",
    }
    return render_pdf("letter", data, published_at=moment)


def papers(district: District, moment: Any) -> list[tuple[str, tuple[str, ...], bytes]]:
    """(file name, items it supports, PDF) of a district: two invented documents."""
    body = [
        f"本材料为演练而编写，内容虚构，与{district.name}实际情况无关。",
        f"一、创建工作机构已成立，专人负责，经费列入预算。主题：{district.theme}。",
        "二、各项数据由一人录入、另一人对照原始资料确认，来源均注明“演练数据”。",
    ]
    model = [
        f"本材料为演练而编写，内容虚构，与{district.name}实际情况无关。",
        f"典型做法：{district.theme}。",
        "推广情况：印发制度文件，组织现场观摩，形成可复制的工作流程。",
    ]
    return [
        (f"{district.name}申报表（演练材料）.pdf", ("C1", "C3", "C4"),
         _paper(district, "申报表（演练材料）", body, moment)),
        (f"{district.name}典型经验（演练材料）.pdf", ("D1", "D3", "D5", "F4"),
         _paper(district, "节约集约用地典型经验（演练材料）", model, moment)),
    ]  # fmt: skip


def file_materials(stage: Stage, slug: str) -> int:
    """Each presenter files the documents of his own county."""
    moment = clock.now()
    made = [
        (district, papers(district, moment))
        for district in stage.each("materials written", stage.districts)
    ]
    filed = 0
    with stage.write() as session:
        round_ = round_of(session, slug)
        subjects = {subject.region_code: subject for subject in round_.subjects}
        for district, documents in stage.each("materials filed", made):
            for name, items, data in documents:
                programme.upload_material(
                    session, stage.crew.presenter(district.code), subjects[district.code], data, name,
                    items,
                )  # fmt: skip
                filed += 1
    return filed


# ---------- figures and qualification


def enter_figures(stage: Stage, slug: str) -> int:
    """One clerk enters every figure, another confirms it."""
    with stage.write() as session:
        for subject, district in pairs(stage, round_of(session, slug)):
            for key, value in district.figures.items():
                programme.enter_figure(
                    session, stage.crew["office"], subject, key, value, "", YEAR, SOURCE
                )
    return confirm_figures(stage, slug)


def confirm_figures(stage: Stage, slug: str) -> int:
    """Another clerk confirms every figure of the round; how many."""
    with stage.write() as session:
        ids = [subject.id for subject in round_of(session, slug).subjects]
        figures = session.scalars(select(Figure).where(Figure.subject_id.in_(ids))).all()
        for figure in stage.each("figures confirmed", figures):
            programme.confirm_figure(session, stage.crew["office2"], figure)
    return len(figures)


def qualify(stage: Stage, slug: str) -> int:
    """Every department signs its opinion, all pass; how many counties are qualified."""
    office = stage.crew["office"]
    with stage.write() as session:
        counties = pairs(stage, round_of(session, slug))
        for subject, district in stage.each("qualification", counties):
            for entry in subject_state(session, subject).items:
                item = str(entry.item["id"])
                reason = "演练：经核对材料，未发现不符合情形。"
                if item in ("Q03", "Q05") and district.code == "110117":
                    reason = "演练：违法占用耕地120亩，但只占新增建设用地占用耕地面积的8%，两个条件未同时满足，不构成否决。"
                programme.record_opinion(
                    session, office, subject, item, DEPARTMENTS[item], "pass", (), reason,
                    "演练材料", signer=f"{DEPARTMENTS[item]}（演练签署）",
                )  # fmt: skip
            programme.conclude_qualification(session, office, subject)
        return sum(subject.status == "qualified" for subject in round_of(session, slug).subjects)
