"""What the supervisor decides about an expert's objection to how his paper sheet was read."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, NotFound, NotNow
from app.ledger.append import append
from app.scoring import changes
from app.scoring import paper_messages as messages
from app.scoring.models import Filled
from app.scoring.models_paper import PaperSheet
from app.scoring.paper import sheet_of


def decide_objection(
    session: Session, actor: Viewer, *, paper: PaperSheet, upheld: bool, reason: str
) -> None:
    """The supervisor's word on an objection, once. Upheld, the sealed sheet is withdrawn: its next
    version begins and two clerks enter the paper again (or the expert corrects it himself, while
    scoring is open); dismissed, it stands. Objection and decision are shown with the sheet for good."""
    actor.require("supervisor")
    if paper.objected_at is None or paper.sealed_at is None:
        raise NotFound(messages.ABSENT)
    if paper.objection_decision is not None:
        raise Conflict(messages.DECIDED_BEFORE)
    if len(reason.strip()) < 5:
        raise DomainError(messages.REASON, field="reason")
    if upheld and paper.sitting.panel.round.phase != "open":
        raise NotNow(messages.ENDED)
    paper.objection_decision = "upheld" if upheld else "dismissed"
    paper.objection_reason = reason.strip()[:2000]
    paper.objection_decided_by, paper.objection_decided_at = actor.id, clock.now()
    sheet = sheet_of(session, paper)
    # The expert may have corrected it, or begun to: then that version takes its place.
    if upheld and sheet.state == "sealed" and not _corrected(session, sheet):
        changes.next_version(session, sheet, reason)
    append(session, actor, "paper.objection_decided", sealed=True, paper=paper.id)


def _corrected(session: Session, sheet: Filled) -> bool:
    kind = type(sheet)
    next_one = select(kind.id).where(kind.supersedes_id == sheet.id)
    return session.scalar(next_one.limit(1)) is not None
