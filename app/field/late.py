"""Late, offline: operations that arrived after the close of the panel, whatever their tablet's clock
says. The supervisor has both times before him and accepts or refuses, with a reason
(docs/sync-protocol.md section 4).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.accounts.viewer import Viewer
from app.domain.field.operations import Operation, moment
from app.domain.types import Conflict, DomainError, NotNow, Text
from app.field.batches import store_outcomes
from app.field.decisions import one_of, reason_of
from app.field.models import FieldOp, LateSheet
from app.field.ops import Taken
from app.field.places import Place, find_place, latest_outcomes, operation_of
from app.field.settle import apply_rows
from app.ledger.append import append
from app.panel import votes
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from app.scoring import absences
from app.scoring.models import Sheet

ABSENT = Text(
    "没有这条迟到记录，或它不对您开放。", "There is no such late sheet, or it is not open to you."
)
_DONE = Text("这条迟到记录已处理。", "This late sheet has been decided.")
_GONE = Text(
    "该席位已不在本组，不能接受。没有任何改动。",
    "The seat is no longer on the panel, so this cannot be accepted. Nothing was changed.",
)
_ENDED = Text(
    "本届已结束，不能再接受迟到的评分表。没有任何改动。",
    "The round has ended: no late sheet can be accepted. Nothing was changed.",
)
_OPEN_END = Text(
    "接受后评分表仍未封存（{why}），不能接受。没有任何改动；可等其余内容传到，或予以拒绝。",
    "The sheet would still not be sealed ({why}), so it cannot be accepted. Nothing was changed: "
    "wait for the rest, or refuse it.",
)
_MOVED = Text("全组表决延长了截止时间", "the panel voted for a later closing time")
_NO_SEAL = Text("没有封存操作", "there is no seal among them")
_MEDIA = Text("照片没有传齐", "its photos have not all arrived")


def undecided(session: Session, owner: Viewer, key: str, tablet: str) -> LateSheet | None:
    """The record of what one tablet sent late for one sheet, while nobody has decided it."""
    return session.scalar(
        select(LateSheet).where(
            LateSheet.account_id == owner.id,
            LateSheet.key == key,
            LateSheet.tablet_id == tablet,
            LateSheet.decision.is_(None),
        )
    )


def note(session: Session, owner: Viewer, place: Place, op: Operation, now: datetime) -> LateSheet:
    """Put one late operation on the undecided record of its sheet."""
    row = undecided(session, owner, place.key, op.tablet)
    at = moment(op.at)
    closed = votes.ended_at(session, place.sitting)
    assert closed is not None
    if row is None:
        row = LateSheet(
            sitting_id=place.sitting.id,
            seat_id=place.seat.id,
            key=place.key,
            account_id=owner.id,
            tablet_id=op.tablet,
            count=0,
            first_at=at,
            last_at=at,
            closed_at=closed,
            arrived_at=now,
        )
        session.add(row)
    row.count += 1
    row.first_at, row.last_at = min(row.first_at, at), max(row.last_at, at)
    row.arrived_at = now
    session.flush()
    return row


def late_sheets(session: Session, viewer: Viewer, round_: Round) -> list[LateSheet]:
    """Late sheets of a round, undecided ones first, then the latest; to office and supervisor."""
    viewer.require("office", "supervisor")
    return list(
        session.scalars(
            select(LateSheet)
            .join(Sitting, Sitting.id == LateSheet.sitting_id)
            .join(Panel, Panel.id == Sitting.panel_id)
            .where(Panel.round_id == round_.id)
            .order_by(LateSheet.decision.is_not(None), LateSheet.arrived_at.desc(), LateSheet.id)
        )
    )


def late_sheet(session: Session, viewer: Viewer, round_: Round, late_id: str) -> LateSheet:
    """One of them; NotFound."""
    return one_of(late_sheets(session, viewer, round_), late_id, lambda row: row.id, ABSENT)


def _held(session: Session, row: LateSheet) -> list[FieldOp]:
    """The operations that the record is about, in the order of the tablet's log."""
    rows = session.scalars(
        select(FieldOp)
        .where(
            FieldOp.account_id == row.account_id,
            FieldOp.sheet_key == row.key,
            FieldOp.tablet_id == row.tablet_id,
            FieldOp.status == "held",
        )
        .order_by(FieldOp.seq)
    ).all()
    now = latest_outcomes(session, [op.id for op in rows])
    return [op for op in rows if now.get(op.id, (op.status, op.why)) == ("held", "late")]


def decide(
    session: Session, actor: Viewer, *, late: LateSheet, accepted: bool, reason: str
) -> None:
    """The supervisor's word. Accepted operations are applied as if they had come in time, and the
    sheet must be sealed after them; refused ones stay stored without effect."""
    actor.require("supervisor")
    if late.decision is not None:
        raise Conflict(_DONE)
    given = reason_of(reason)
    rows = _held(session, late)
    if accepted:
        if late.sitting.panel.round.phase != "open":
            raise NotNow(_ENDED)
        _accept(session, actor, late, rows)
    late.decision = "accepted" if accepted else "refused"
    late.reason = given
    late.decided_by, late.decided_at = actor.id, clock.now()
    if not accepted and rows:
        taken = [Taken(operation_of(row), "refused", "closed") for row in rows]
        store_outcomes(session, actor, taken, clock.now())
    append(session, actor, "late_sheet.decided", late=late.id, decision=late.decision)


def in_time(session: Session, owner: Viewer, place: Place, row: LateSheet) -> None:
    """The panel has moved the closing time, so what had come after the former one counts, in its
    order and before what comes now. Nobody has to decide it."""
    apply_rows(session, owner, owner, place, _held(session, row))
    row.decision, row.decided_at = "accepted", clock.now()
    row.reason = f"{_MOVED.zh} / {_MOVED.en}"
    append(session, owner, "late_sheet.decided", late=row.id, decision=row.decision)


def _accept(session: Session, actor: Viewer, late: LateSheet, rows: list[FieldOp]) -> None:
    owner = viewer_of(session, session.get_one(Account, late.account_id))
    place = find_place(session, owner, late.key) if owner is not None else None
    if owner is None or place is None:
        raise NotNow(_GONE)
    sheet = place.sheet
    if isinstance(sheet, Sheet) and sheet.state == "absent":
        absences.take_back(session, actor, sheet, "late, offline")
    done = apply_rows(session, actor, owner, place, rows, late=True)
    if place.sheet is None or place.sheet.state != "sealed":
        wrong = next((t.text for t in done if t.op.kind == "seal" and t.text), None)
        why = _MEDIA if place.sealing is not None else wrong or _NO_SEAL
        raise DomainError(_OPEN_END.format(why=why), field="reason")
