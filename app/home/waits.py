"""What waits for whom: derived from the rooms' states, never a list that somebody keeps.

Each answer is a few counting queries; nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import releases
from app.aggregation.models import Run
from app.domain.types import Text
from app.draw.models import Draw
from app.draw.supplements import is_supplement
from app.home.wait import Wait, count_of
from app.home.waits_figures import missing_figure_waits
from app.home.waits_first import admin_waits, empty_pool, next_of_round, no_round
from app.home.waits_forms import case_sheet_waits, entry_waits, opinion_waits
from app.home.waits_results import (
    expert_flag_waits,
    leader_report_waits,
    presenter_result_waits,
    release_waits,
)
from app.home.waits_sittings import office_sitting_waits, sign_in_waits
from app.home.waits_supervisor import supervisor_waits
from app.panel import queries as panels
from app.panel import votes
from app.panel.models import Panel, Sitting
from app.programme.instruments import QUALIFICATION
from app.programme.models import Figure, Round, Subject
from app.registry.models import Expert, ExpertCorrection, Interest
from app.registry.queries import due_for_review
from app.report.models import Report, Signature
from app.scoring import queries as sheets
from app.scoring import reentries

LIVE = ("preparing", "open")


def waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Everything that waits for the viewer, most urgent first."""
    return _FOR[viewer.role](session, viewer)


def _rounds(session: Session) -> list[Round]:
    return list(session.scalars(select(Round).where(Round.phase.in_(LIVE)).order_by(Round.slug)))


def _office(session: Session, viewer: Viewer) -> list[Wait]:
    found: list[Wait] = []
    rounds = _rounds(session)
    without_figures = missing_figure_waits(session, rounds)
    for round_ in rounds:
        at = {"slug": round_.slug}
        if round_.phase == "preparing":
            found.append(
                Wait(
                    Text("届次尚未开启：核对后开启", "The round is not open: check and open it"),
                    "programme.show",
                    at,
                    round_,
                )
            )
        n = count_of(
            session,
            select(Subject.id).where(Subject.round_id == round_.id, Subject.status == "declared"),
        )
        if n and any(pin.stage == QUALIFICATION for pin in round_.pins):
            found.append(
                Wait(
                    Text("个县（市、区）待资格审查结论", "counties await a qualification decision"),
                    "programme.qualification",
                    at,
                    round_,
                    n,
                )
            )
        found += opinion_waits(session, viewer, round_)
        found += [without_figures[round_.id]] if round_.id in without_figures else []
        n = count_of(
            session,
            select(Figure.id)
            .join(Subject, Figure.subject_id == Subject.id)
            .where(
                Subject.round_id == round_.id,
                Figure.confirmed_at.is_(None),
                Figure.entered_by != viewer.id,
            ),
        )
        if n:
            found.append(
                Wait(
                    Text("项数据待第二人确认", "figures await a second person"),
                    "programme.figures",
                    at,
                    round_,
                    n,
                )
            )
        found += entry_waits(session, viewer, round_)
        n = len(reentries.waiting(session, round_id=round_.id))
        if n:
            text = Text("张纸质表已撤回，待重新录入", "withdrawn paper sheets to be entered again")
            found.append(Wait(text, "scoring.papers", at, round_, n))
        found += next_of_round(session, round_)
        found += _office_draws(session, round_)
        found += office_sitting_waits(session, round_)
        found += _office_results(session, round_)
    return found + no_round(session) + release_waits(session, viewer)


def _office_draws(session: Session, round_: Round) -> list[Wait]:
    found: list[Wait] = []
    formed = set(session.scalars(select(Panel.draw_id).where(Panel.round_id == round_.id)))
    for draw in session.scalars(
        select(Draw).where(Draw.round_id == round_.id, Draw.state != "aborted")
    ):
        at = {"slug": round_.slug, "draw_id": draw.id}
        text = {
            "draft": Text("抽取申请待承诺", "A draw waits to be committed"),
            "cosigned": Text("抽取已会签：录入骰子并完成", "Cosigned: enter the dice and finish"),
        }.get(draw.state)
        if text:
            found.append(Wait(text, "draw.show", at, round_))
        elif draw.is_order or is_supplement(draw):
            continue  # nobody to call, no panel to form
        elif draw.state == "completed" and draw.id not in formed:
            text = Text("抽取已完成：联系专家并组建专家组", "Drawn: call the experts, form panels")
            found.append(Wait(text, "panel.index", {"slug": round_.slug}, round_))
    return found


def _office_results(session: Session, round_: Round) -> list[Wait]:
    phases = list(
        session.scalars(
            select(Sitting.phase)
            .join(Panel, Sitting.panel_id == Panel.id)
            .where(Panel.round_id == round_.id)
        )
    )
    at = {"slug": round_.slug}
    run = session.scalar(select(Run.id).where(Run.round_id == round_.id).limit(1))
    if phases and all(phase == "closed" for phase in phases) and not run:
        return [
            Wait(
                Text("评分已全部结束：可以汇总", "All sittings are over: aggregate"),
                "aggregation.index",
                at,
                round_,
            )
        ]
    report = session.scalar(
        select(Report).where(Report.round_id == round_.id).order_by(Report.number.desc()).limit(1)
    )
    if run and report is None:
        text = Text("已汇总：起草评审报告", "Aggregated: draft the rating report")
        return [Wait(text, "report.index", at, round_)]
    if report and report.state == "signing":
        text = Text("评审报告签署中", "The report is being signed")
        return [Wait(text, "report.show", {**at, "number": report.number}, round_)]
    if report and report.state == "final" and releases.of_run(session, report.run) is None:
        text = Text("报告已定稿：向区县发布结果", "The report is final: release the results")
        return [Wait(text, "aggregation.release", {**at, "number": report.run.number}, round_)]
    return []


def _keeper(session: Session, viewer: Viewer) -> list[Wait]:
    found = empty_pool(session)
    today = clock.today(session.info["settings"].timezone)
    n = count_of(session, select(ExpertCorrection.id).where(ExpertCorrection.decision.is_(None)))
    if n:
        text = Text("件专家更正申请待您答复", "requests for correction await your answer")
        found.append(Wait(text, "registry.corrections", n=n))
    n = count_of(session, select(Expert.id).where(Expert.status == "candidate"))
    if n:
        found.append(
            Wait(
                Text("名候选专家待筛选", "candidates await screening"),
                "registry.index",
                {"status": "candidate"},
                n=n,
            )
        )
    n = count_of(
        session,
        select(Interest.id).where(
            Interest.status == "declared", Interest.kind == "other", Interest.side != "county",
            Interest.proposed.is_(None),
        ),
    )  # fmt: skip
    if n:
        found.append(
            Wait(
                Text("件其他关系申报待您决定", "declarations of another link await your decision"),
                "registry.interests",
                n=n,
            )
        )
    n = due_for_review(session, today)
    if n:
        found.append(
            Wait(
                Text("名专家到了核实日期", "experts are due for review"),
                "registry.index",
                n=n,
            )
        )
    return found


def _expert(session: Session, viewer: Viewer) -> list[Wait]:
    found = []
    for panel in panels.own_panels(session, viewer):
        seat = panels.working_seat(session, viewer, panel)
        if seat and len(panels.declared(session, panel).get(seat.id, {})) < 2:
            found.append(
                Wait(
                    Text("请签署回避与保密承诺书", "Sign your declarations"),
                    "panel.show",
                    {"slug": panel.round.slug, "panel_id": panel.id},
                    panel.round,
                )
            )
    own_duties = sheets.duties(session, viewer)
    for sitting in votes.to_vote(
        session, [duty.seat.id for duty in own_duties if duty.seat.active]
    ):
        at = {"slug": sitting.panel.round.slug, "sitting_id": sitting.id}
        text = Text("请表决是否延长截止时间：{c}", "Vote on extending the closing time: {c}")
        named = text.format(c=sitting.subject.name)
        found.insert(0, Wait(named, "panel.closing", at, sitting.panel.round))
    signing = sign_in_waits(own_duties)
    for duty in own_duties:
        sitting = duty.sitting
        found += case_sheet_waits(session, duty)
        if sitting.id in signing:
            found += [line for line in (signing[sitting.id],) if line is not None]
        elif sitting.phase == "scoring" and (duty.sheet is None or duty.sheet.state == "draft"):
            found.append(
                Wait(
                    Text("请评分：{c}", "Score: {c}").format(c=sitting.subject.name),
                    "scoring.index",
                    {"slug": sitting.panel.round.slug},
                    sitting.panel.round,
                )
            )
    return [
        *found,
        *leader_report_waits(session, viewer),
        *expert_flag_waits(session, viewer),
        *_reports_to_sign(session, viewer),
    ]


def _reports_to_sign(session: Session, viewer: Viewer) -> list[Wait]:
    rounds = {panel.round_id for panel in panels.own_panels(session, viewer, trainee=False)}
    if not rounds:
        return []
    expert = session.scalar(select(Expert.id).where(Expert.person_id == viewer.person_id))
    signed = select(Signature.report_id).where(Signature.expert_id == expert)
    return [
        Wait(
            Text("请签署评审报告", "Sign the rating report"),
            "report.show",
            {"slug": report.round.slug, "number": report.number},
            report.round,
        )
        for report in session.scalars(
            select(Report).where(
                Report.round_id.in_(rounds),
                Report.state == "signing",
                Report.id.not_in(signed),
            )
        )
    ]


def _presenter(session: Session, viewer: Viewer) -> list[Wait]:
    found = []
    for sitting in panels.sittings_of_presenter(session, viewer):
        statement = panels.statement(session, sitting)
        turn = panels.turn(session, sitting) if sitting.phase in ("planned", "open") else None
        if turn is not None:
            text = Text(
                "陈述顺序已抽定：您第 {n} 个陈述，共 {m} 个", "Drawn by lot: you speak {n} of {m}"
            )
            found.append(
                Wait(
                    text.format(n=turn[0], m=turn[1]),
                    "programme.county",
                    {"slug": sitting.panel.round.slug, "subject_id": sitting.subject_id},
                    sitting.panel.round,
                )
            )
        if sitting.phase == "statement" and statement and statement.closed_at is None:
            text = (
                Text("现场陈述进行中：填写并确认记录", "Your statement: fill in and confirm")
                if statement.confirmed_at is None
                else Text("现场陈述进行中", "Your statement is under way")
            )
            found.append(
                Wait(
                    text,
                    "panel.sitting",
                    {"slug": sitting.panel.round.slug, "sitting_id": sitting.id},
                    sitting.panel.round,
                )
            )
    return found + presenter_result_waits(session, viewer)


_FOR: dict[str, Callable[[Session, Viewer], list[Wait]]] = {
    "office": _office,
    "keeper": _keeper,
    "supervisor": supervisor_waits,
    "expert": _expert,
    "presenter": _presenter,
    "admin": admin_waits,
}
