"""Paper sheets whose reading an expert objected to, with the supervisor's leave: the sealed sheet is
withdrawn and waits to be entered again. Until it is, the panel does not close and nothing is aggregated
over it.
"""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.types import NotNow, Text
from app.panel.models import Panel, Sitting
from app.scoring.models import CaseSheet, Filled, Sheet
from app.scoring.models_paper import PaperSheet

WAITING = Text(
    "还有 {n} 张纸质评分表经监督人员同意异议后撤回，等待重新录入。没有任何改动。",
    "{n} paper sheets were withdrawn after an objection that the supervisor upheld and wait to be "
    "entered again. Nothing was changed.",
)


def waiting(
    session: Session, *, round_id: str | None = None, sitting_id: str | None = None
) -> list[PaperSheet]:
    """Those that wait, of a round, of a sitting, or of all; oldest decision first."""
    still = or_(
        select(Sheet.id).where(Sheet.id == PaperSheet.sheet_id, Sheet.state == "sealed").exists(),
        select(CaseSheet.id)
        .where(CaseSheet.id == PaperSheet.sheet_id, CaseSheet.state == "sealed")
        .exists(),
    )
    query = (
        select(PaperSheet)
        .join(Sitting, Sitting.id == PaperSheet.sitting_id)
        .join(Panel, Panel.id == Sitting.panel_id)
        .where(PaperSheet.objection_decision == "upheld", still)
        .order_by(PaperSheet.objection_decided_at, PaperSheet.id)
    )
    if round_id is not None:
        query = query.where(Panel.round_id == round_id)
    if sitting_id is not None:
        query = query.where(PaperSheet.sitting_id == sitting_id)
    return list(session.scalars(query))


def none_waiting(
    session: Session, *, round_id: str | None = None, sitting_id: str | None = None
) -> None:
    """Conflict while one waits."""
    found = waiting(session, round_id=round_id, sitting_id=sitting_id)
    if found:
        raise NotNow(WAITING.format(n=len(found)))


def withdrawn(session: Session, sheet: Filled | None) -> bool:
    """Whether a draft takes the place of a sheet that was withdrawn so, and is untouched."""
    if sheet is None or sheet.state != "draft" or not sheet.supersedes_id or sheet.version:
        return False
    return (
        session.scalar(
            select(PaperSheet.id).where(
                PaperSheet.sheet_id == sheet.supersedes_id,
                PaperSheet.objection_decision == "upheld",
            )
        )
        is not None
    )
