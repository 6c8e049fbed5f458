"""What waits outside the experts' main sheets: vetoes to confirm, given items, lists of case files, case-file
sheets."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.home.wait import Wait, count_of
from app.programme.casefiles import case_states
from app.programme.models import Opinion, Round, Subject
from app.report.models import Report
from app.scoring.cases import work_read
from app.scoring.given import GivenItem, given_of
from app.scoring.queries import Duty

_RUNNING = ("declared", "qualified")


def opinion_waits(session: Session, viewer: Viewer, round_: Round) -> list[Wait]:
    """For the office: vetoes that another clerk recorded, to be compared with the signed paper."""
    n = count_of(
        session,
        select(Opinion.id)
        .join(Subject, Opinion.subject_id == Subject.id)
        .where(
            Subject.round_id == round_.id,
            Subject.status == "declared",
            Opinion.verdict == "veto",
            Opinion.confirmed_at.is_(None),
            or_(Opinion.recorded_by.is_(None), Opinion.recorded_by != viewer.id),
        ),
    )
    text = Text(
        "份否决意见待第二人与原件核对",
        "veto opinions await a second person's look at the signed paper",
    )
    at = {"slug": round_.slug}
    return [Wait(text, "programme.qualification", at, round_, n)] if n else []


def entry_waits(session: Session, viewer: Viewer, round_: Round) -> list[Wait]:
    """For the office in an open round without a final report: items that no expert gives, and lists
    of case files. What is entered after that report changes nothing in it."""
    reported = select(Report.id).where(Report.round_id == round_.id, Report.state == "final")
    if round_.phase != "open" or session.scalar(reported.limit(1)) is not None:
        return []
    running = [s for s in round_.subjects if s.status in _RUNNING]
    given = given_of(session, round_, running)
    rows = [row for found in given.values() if not any(map(_strikes, found)) for row in found]
    missing = sum(row.awaited for row in rows)
    waiting = sum(
        1
        for row in rows
        if row.mark is not None and not row.confirmed and row.mark.entered_by != viewer.id
    )
    states = [s for s in case_states(session, round_) if s.subject.status in _RUNNING]
    unclosed = sum(1 for state in states if state.closing is None)
    undrawn = sum(1 for state in states if state.closing is not None and not state.drawn)
    listed = (
        (missing, "scoring.given_round", Text(
            "个非专家评定项目待登记", "non-expert items still to be entered",
        )),
        (waiting, "scoring.given_round", Text(
            "个已登记项目待第二人确认", "entered items await confirmation by a second person",
        )),
        (unclosed, "programme.cases", Text(
            "个区县的案卷清单待封闭", "lists of case files still to be closed",
        )),
        (undrawn, "programme.cases", Text(
            "个区县的案卷待抽取", "lists of case files closed and still to be sampled",
        )),
    )  # fmt: skip
    return [Wait(what, where, {"slug": round_.slug}, round_, n) for n, where, what in listed if n]


def _strikes(row: GivenItem) -> bool:
    """A confirmed veto takes the county out: nothing more is awaited of it."""
    return row.is_veto and row.confirmed and bool(row.points and row.points.outcome == "veto")


def case_sheet_waits(session: Session, duty: Duty) -> list[Wait]:
    """For an expert: the case files of a county in scoring whose sheets he has not sealed."""
    sitting = duty.sitting
    if sitting.phase != "scoring" or (duty.sheet is not None and duty.sheet.state != "draft"):
        return []
    work = work_read(session, sitting, duty.seat)
    if work is None or not work.open:
        return []
    round_ = sitting.panel.round
    words = Text("份案卷评查表待封存：{c}", "case-file sheets to seal: {c}")
    return [
        Wait(
            words.format(c=sitting.subject.name),
            "scoring.index",
            {"slug": round_.slug},
            round_,
            len(work.open),
        )
    ]
