"""Operations that were waiting on the server when their author was recorded as absent. They belong to
nobody's page any more: the supervisor sees what is held, for whom and why, and decides, with a reason.

Accepted, the absence is withdrawn and they are applied as if it had never stood; set aside, they are
kept for ever without effect. Either way the expert is told (docs/sync-protocol.md section 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.accounts.viewer import Viewer
from app.domain.field.operations import moment
from app.domain.types import DomainError, NotNow, Text
from app.draw.models import Seat
from app.field.batches import store_outcomes
from app.field.decisions import one_of, reason_of
from app.field.models import FieldOp, HeldDecision
from app.field.models_desk import Reminder
from app.field.ops import Taken
from app.field.places import Place, find_place, latest_outcomes, operation_of
from app.field.settle import apply_rows
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from app.registry.models import Expert
from app.scoring import absences
from app.scoring.models import Sheet

SET_ASIDE = "set_aside"
ABSENT = Text(
    "没有这条待处理内容，或它不对您开放。",
    "There is nothing held here, or it is not open to you.",
)
_ENDED = Text(
    "本届已结束，不能再计入。没有任何改动；可不予采用，内容照样留存。",
    "The round has ended, so nothing more can count. Nothing was changed; set it aside, it is kept.",
)
_GONE = Text(
    "该席位已不在本组，不能计入。没有任何改动；可不予采用，内容照样留存。",
    "The seat is no longer on the panel, so this cannot count. Nothing was changed; set it aside, it "
    "is kept.",
)
_UNDECLARED = Text(
    "该成员没有签署两份承诺书，或声明了利害关系，不能计入。没有任何改动。",
    "This member has not signed both declarations, or declared a conflict, so nothing of his can "
    "count. Nothing was changed.",
)
_OPEN_END = Text(
    "会议已结束，而这些内容里没有完整的封存，计入后评分表仍未封存。没有任何改动；可不予采用，内容照样留存。",
    "The sitting is over and there is no complete seal among these, so the sheet would stay unsealed. "
    "Nothing was changed; set it aside, it is kept.",
)
_TOLD = {
    "accepted": Text(
        "监督人员撤销了您在 {c} 的缺席记录，平板上传的 {n} 项操作已计入。理由：{r}。请打开评分表核对。",
        "The supervisor withdrew your absence at {c}, and {n} operations from your tablet count now. "
        "Reason: {r}. Please open the sheet and check it.",
    ),
    SET_ASIDE: Text(
        "您在 {c} 被记为缺席，平板上传的 {n} 项操作经监督人员决定不予采用，内容永久留存。理由：{r}。",
        "You were recorded as absent at {c}. The supervisor set aside the {n} operations from your "
        "tablet; they are kept for ever. Reason: {r}.",
    ),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What is held for one absent member at one sitting. Counts and times, never a mark."""

    sheet: Sheet  # the absence
    sitting: Sitting
    seat: Seat
    account_id: str
    ops: tuple[FieldOp, ...]
    statement: int  # of them waiting for the statement
    media: int  # seals that wait for photos

    @property
    def count(self) -> int:
        return len(self.ops)

    @property
    def first_at(self) -> datetime:
        return min(moment(operation_of(op).at) for op in self.ops)

    @property
    def last_at(self) -> datetime:
        return max(moment(operation_of(op).at) for op in self.ops)


def held_sheets(session: Session, viewer: Viewer, round_: Round | None = None) -> list[Held]:
    """What is held for absent members, of one round or of all, in order of sitting and seat; to
    office and supervisor. Three queries whatever the number."""
    viewer.require("office", "supervisor")
    query = (
        select(Sheet, Account.id)
        .join(Seat, Seat.id == Sheet.seat_id)
        .join(Expert, Expert.id == Seat.expert_id)
        .join(Account, Account.person_id == Expert.person_id)
        .join(Sitting, Sitting.id == Sheet.sitting_id)
        .where(
            Sheet.state == "absent",
            select(FieldOp.id)
            .where(
                FieldOp.status == "held",
                FieldOp.account_id == Account.id,
                func.substr(FieldOp.sheet_key, 1, 16) == Sheet.sitting_id,
            )
            .exists(),
        )
        .order_by(Sitting.on, Sitting.position, Seat.number, Sheet.id)
    )
    if round_ is not None:
        query = query.join(Panel, Panel.id == Sitting.panel_id).where(Panel.round_id == round_.id)
    found = session.execute(query).all()
    waiting = _waiting(session, [account for _, account in found])
    made = []
    for sheet, account in found:
        rows = waiting.get((account, sheet.sitting_id), [])
        if rows:
            media = sum(why == "media" for _, why in rows)
            ops = tuple(op for op, _ in rows)
            made.append(
                Held(sheet, sheet.sitting, sheet.seat, account, ops, len(rows) - media, media)
            )
    return made


def _waiting(
    session: Session, accounts: Sequence[str]
) -> dict[tuple[str, str], list[tuple[FieldOp, str]]]:
    """(account, sitting) -> its operations that wait for a statement or for photos, in order."""
    if not accounts:
        return {}
    rows = session.scalars(
        select(FieldOp)
        .where(FieldOp.status == "held", FieldOp.account_id.in_(set(accounts)))
        .order_by(FieldOp.leaf, FieldOp.position)
    ).all()
    now = latest_outcomes(session, [row.id for row in rows])
    found: dict[tuple[str, str], list[tuple[FieldOp, str]]] = defaultdict(list)
    for row in rows:
        status, why = now.get(row.id, (row.status, row.why))
        if status == "held" and why in ("statement", "media"):
            found[row.account_id, row.sheet_key.partition("/")[0]].append((row, why))
    return found


def held_sheet(session: Session, viewer: Viewer, round_: Round, sheet_id: str) -> Held:
    """One of them, by the sheet of the absence; NotFound."""
    rows = held_sheets(session, viewer, round_)
    return one_of(rows, sheet_id, lambda row: row.sheet.id, ABSENT)


def decisions(session: Session, viewer: Viewer, round_: Round) -> list[HeldDecision]:
    """What was decided in a round, latest first; to office and supervisor."""
    viewer.require("office", "supervisor")
    return list(
        session.scalars(
            select(HeldDecision)
            .join(Sitting, Sitting.id == HeldDecision.sitting_id)
            .join(Panel, Panel.id == Sitting.panel_id)
            .where(Panel.round_id == round_.id)
            .order_by(HeldDecision.decided_at.desc(), HeldDecision.id)
        )
    )


def decide(
    session: Session, actor: Viewer, *, held: Held, accepted: bool, reason: str
) -> HeldDecision:
    """The supervisor's word, once: `accepted` withdraws the absence and applies what is held."""
    actor.require("supervisor")
    given = reason_of(reason)
    now, why = clock.now(), held.sheet.reason
    if accepted:
        _accept(session, actor, held, given)
    else:
        taken = [Taken(operation_of(row), "refused", SET_ASIDE) for row in held.ops]
        store_outcomes(session, actor, taken, now)
    decision = "accepted" if accepted else SET_ASIDE
    row = HeldDecision(
        sitting_id=held.sitting.id,
        seat_id=held.seat.id,
        account_id=held.account_id,
        count=held.count,
        first_at=held.first_at,
        last_at=held.last_at,
        absence_reason=why,
        decision=decision,
        reason=given,
        decided_by=actor.id,
        decided_at=now,
    )
    session.add(row)
    session.add(_told(actor, held, _TOLD[decision], given, now))
    session.flush()
    append(session, actor, "held.decided", held=row.id, decision=decision)
    return row


def _told(actor: Viewer, held: Held, words: Text, reason: str, now: datetime) -> Reminder:
    """What the expert finds on his first page and in his package until he has seen it."""
    said = words.format(c=held.sitting.subject.name, n=held.count, r=reason)
    return Reminder(
        panel_id=held.sitting.panel_id,
        seat_id=held.seat.id,
        account_id=held.account_id,
        words={"zh": said.zh, "en": said.en},
        sent_by=actor.id,
        sent_at=now,
    )


def _accept(session: Session, actor: Viewer, held: Held, reason: str) -> None:
    sitting = held.sitting
    owner = viewer_of(session, session.get_one(Account, held.account_id))
    if sitting.panel.round.phase != "open":
        raise NotNow(_ENDED)
    if owner is None or not held.seat.active:
        raise NotNow(_GONE)
    if not panels.has_declared(session, sitting.panel, held.seat):
        raise NotNow(_UNDECLARED)
    over = sitting.phase == "closed"
    absences.take_back(session, actor, held.sheet, reason)
    whole: Place | None = None
    # Case files come before the county's own sheet, whose seal needs theirs.
    for key in sorted({op.sheet_key for op in held.ops}, key=lambda key: (-len(key), key)):
        place = find_place(session, owner, key)
        if place is None:
            raise NotNow(_GONE)
        rows, place.waiting = place.waiting, []
        _seal_that_waited(session, actor, owner, place)
        apply_rows(session, actor, owner, place, rows, late=over)
        whole = place if "/" not in key else whole
    if over and (whole is None or whole.sheet is None or whole.sheet.state != "sealed"):
        raise DomainError(_OPEN_END, field="reason")


def _seal_that_waited(session: Session, actor: Viewer, owner: Viewer, place: Place) -> None:
    """A seal whose photos have come in the meantime comes about now; else it goes on waiting."""
    op = place.sealing
    if op is None or place.missing(session, [str(sha) for sha in op.fields["media"]]):
        return
    place.sealing = None
    rows = [session.get_one(FieldOp, op.id)]
    apply_rows(session, actor, owner, place, rows, late=place.sitting.phase == "closed")
