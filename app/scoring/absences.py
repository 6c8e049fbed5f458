"""Taking back an absence that the office recorded by mistake; nothing of it is erased."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, NotNow, Text
from app.draw.models import Seat
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Sitting
from app.scoring.models import AbsenceUndone, Sheet
from app.scoring.queries import live_sheet


def undo_absence(
    session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat, reason: str
) -> Sheet:
    """The member is there after all: the sheet becomes a draft again, with the marks that it held.

    Only while scoring is open, and for a member who has signed in and declared: a draft is what
    lets him score, and those two steps come before it for everybody. The reason of the absence and
    that of its undoing are both kept.
    """
    actor.require("office")
    if sitting.phase != "scoring":
        raise NotNow(
            Text(
                "只有在评分期间才能撤销缺席记录。没有任何改动。",
                "An absence can be undone only while scoring is open. Nothing was changed.",
            )
        )
    sheet = live_sheet(session, sitting, seat)
    if sheet is None or sheet.state != "absent" or not seat.active:
        raise NotNow(
            Text(
                "该席位没有缺席记录。没有任何改动。",
                "This seat is not recorded as absent. Nothing was changed.",
            )
        )
    if len(reason.strip()) < 5:
        raise DomainError(
            Text(
                "请写明撤销理由（至少 5 个字）。缺席记录未变。",
                "State why it is undone (5 characters or more). The absence still stands.",
            ),
            field="reason",
        )
    if seat.id not in panels.attendance(session, sitting):
        raise DomainError(
            Text(
                "该成员尚未签到：请先在会议页为其签到，再撤销。缺席记录未变。",
                "This member has not signed in: sign them in on the sitting's page first. The "
                "absence still stands.",
            ),
            field="reason",
        )
    if not panels.has_declared(session, sitting.panel, seat):
        raise DomainError(
            Text(
                "该成员尚未签署两份承诺书（或已声明利害关系），不能评分。缺席记录未变。",
                "This member has not signed both declarations (or declared a conflict) and cannot "
                "score. The absence still stands.",
            ),
            field="reason",
        )
    take_back(session, actor, sheet, reason.strip())
    return sheet


def take_back(session: Session, actor: Viewer, sheet: Sheet, reason: str) -> None:
    """The absence goes on record as undone, with its own reason kept beside; the sheet is a draft
    again. Who may, and when, is for the caller to say."""
    session.add(
        AbsenceUndone(
            sheet_id=sheet.id,
            absence_reason=sheet.reason,
            absent_at=sheet.sealed_at or sheet.saved_at,
            reason=reason,
            undone_by=actor.id,
            undone_at=clock.now(),
        )
    )
    sheet.state, sheet.reason, sheet.sealed_at = "draft", "", None
    sheet.version += 1
    append(session, actor, "sheet.absence_undone", sealed=True, sheet=sheet.id)


def undone(session: Session, viewer: Viewer, sitting: Sitting) -> list[AbsenceUndone]:
    """Absences of a sitting that were taken back, oldest first; to the office and the supervisor."""
    if viewer.role not in panels.OVERSEERS:
        return []
    return list(
        session.scalars(
            select(AbsenceUndone)
            .join(Sheet, AbsenceUndone.sheet_id == Sheet.id)
            .where(Sheet.sitting_id == sitting.id)
            .order_by(AbsenceUndone.undone_at)
        )
    )
