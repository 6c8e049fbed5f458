"""What waits once scoring has ended: the panel's report (S0 art. 16(4)), explanations, decisions on
flags, a release to confirm, a released result.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import corrections, flags_read, releases
from app.aggregation.queries import last_run
from app.domain.types import Text
from app.home.wait import Wait
from app.panel import queries as panels
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from app.report.operations import DUE_WORKDAYS
from app.report.queries import last_report

_TO_AGGREGATE = Text(
    "您是评审组组长：评分已于 {d} 全部结束，应由您组织起草评审报告。须先由创建办公室汇总，汇总后即可起草",
    "You lead a panel: scoring ended on {d} and the review report is expected of you. The programme "
    "office has to aggregate first; then you can begin it",
)
_TO_DRAFT = Text(
    "您是评审组组长：评分已于 {d} 全部结束并已汇总，请起草评审报告；自起草之日起 {n} 个工作日内完成",
    "You lead a panel: scoring ended on {d} and is aggregated. Begin the review report; it is due {n} "
    "working days after you begin",
)
_TO_WRITE = Text(
    "您是评审组组长：评分已于 {d} 全部结束，评审报告正在起草，请补充意见并送签；时限 {due} 24:00",
    "You lead a panel: scoring ended on {d} and the review report is being drafted. Add your words and "
    "send it for signing; due by the end of {due}",
)


def leader_report_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """The report that is expected of a panel's leader from the close of the round's last sitting until
    it is sent for signing: what, since when, by when, and who has to act first."""
    found = []
    rounds = {
        panel.round_id: panel.round
        for panel in panels.own_panels(session, viewer)
        if panel.leader_seat_id is not None and panel.round.phase == "open"
        and (seat := panels.own_seat(session, viewer, panel)) is not None
        and seat.id == panel.leader_seat_id
    }  # fmt: skip
    zone = ZoneInfo(session.info["settings"].timezone)
    for round_ in rounds.values():
        ended = _scoring_ended(session, round_)
        if ended is None:
            continue
        run, report = last_run(session, round_), last_report(session, round_)
        at, day = {"slug": round_.slug}, ended.astimezone(zone).date()
        if run is None:
            found.append(Wait(_TO_AGGREGATE.format(d=day), "report.index", at, round_))
        elif report is None or report.run_id != run.id:
            text = _TO_DRAFT.format(d=day, n=DUE_WORKDAYS)
            found.append(Wait(text, "report.index", at, round_))
        elif report.state == "drafting":
            due = (report.due_at - timedelta(seconds=1)).astimezone(zone).date()  # ends at 24:00
            text = _TO_WRITE.format(d=day, due=due)
            found.append(Wait(text, "report.show", {**at, "number": report.number}, round_))
    return found


def _scoring_ended(session: Session, round_: Round) -> datetime | None:
    """When the last sitting of a round was closed; None while one is not."""
    times = session.scalars(
        select(Sitting.closed_at)
        .join(Panel, Sitting.panel_id == Panel.id)
        .where(Panel.round_id == round_.id)
    ).all()
    closed = [time for time in times if time is not None]
    return max(closed) if closed and len(closed) == len(times) else None


def expert_flag_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """An expert's own marks that he is asked to explain."""
    text = Text("条评分提示请您书面说明", "flags of your own marks ask for an explanation")
    return [
        Wait(text, "aggregation.own_flags", {"slug": round_.slug}, round_, n)
        for round_, n in flags_read.to_explain(session, viewer)
    ]


def flag_waits(session: Session) -> list[Wait]:
    """Amber and red flags on which no supervisor has decided."""
    text = Text("条评分提示待您决定", "flags await your decision")
    return [
        Wait(text, "aggregation.flags_of_run", {"slug": round_.slug, "number": number}, round_, n)
        for round_, number, n in flags_read.to_decide(session)
    ]


def release_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """What a second person confirms: a proposed release of the latest run, corrections after totals."""
    text = Text("向区县发布结果待您确认", "A release to the counties waits for your confirmation")
    found = [
        Wait(text, "aggregation.release", {"slug": round_.slug, "number": number}, round_)
        for round_, number in releases.to_confirm(session, viewer)
    ]
    return found + correction_waits(session, viewer)


def correction_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Corrections after totals, for everybody who may confirm them."""
    text = Text("汇总之后的更正待您确认", "A correction after totals waits for your confirmation")
    return [
        Wait(text, "aggregation.corrections_of_round", {"slug": round_.slug}, round_)
        for round_ in corrections.to_confirm(session, viewer)
    ]


def presenter_result_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """A presenter's own result, once it is released."""
    text = Text("本县评审结果已发布", "The result of your county is released")
    return [
        Wait(text, "aggregation.county_result", {"slug": round_.slug}, round_)
        for round_ in releases.seen_rounds(session, viewer)
    ]
