"""A tablet's operations come in: one transaction for all of them (docs/sync-protocol.md sections 4, 5).

Each is checked against its log (replay, gap, another's id), judged, and kept with a receipt; what
cannot stand is kept too and says why. The order of the rules is the order of `_judge`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Tablet
from app.accounts.viewer import Viewer
from app.domain.field.logs import End
from app.domain.field.operations import Malformed, Operation, moment, parse
from app.domain.types import Conflict, DomainError, Text
from app.field import branches, late, recorder, settle, unlocks
from app.field.batches import store_batch
from app.field.models import FieldOp
from app.field.ops import SHORTEST_REASON, Taken, apply, second
from app.field.places import Place, find_place, reload, state_of
from app.panel import recusals, votes
from app.scoring import operations as scoring

MAX_OPERATIONS = 200
MAX_BYTES = 512 * 1024

_NOT_YOURS = Text(
    "这张表不属于您在本组的席位。", "This sheet does not belong to a seat of yours on the panel."
)
_STOPPED = Text(
    "您已声明利害关系，本表已停止。", "You declared a conflict of interest: this sheet has stopped."
)
_CLOSED = Text("本次评分已结束。", "This sitting is over.")
_REVOKED = Text("这台平板已在此之前撤销。", "The tablet had been revoked before this was entered.")
_REASON = Text("请写明利害关系。", "Say what the conflict is.")


Read = Operation | Malformed


def read_all(raw: Sequence[Any]) -> list[Read]:
    """Every operation parsed and its hash checked, up to the first that is malformed. Needs no
    database, so that nobody waits for it."""
    found: list[Read] = []
    for given in raw:
        try:
            found.append(parse(given))
        except Malformed as error:
            found.append(error)
            break
    return found


class Push:
    """One call of one account's tablet. `run` once; the caller commits."""

    def __init__(
        self, session: Session, actor: Viewer, tablet: Tablet, *, imported_by: str | None = None
    ) -> None:
        self.session, self.actor, self.tablet = session, actor, tablet
        self.imported_by = imported_by
        self.now: datetime = clock.now()
        self.places: dict[str, Place | None] = {}
        self.ends: dict[str, End] = {}
        self.closes: dict[str, datetime | None] = {}  # sitting id -> its closing time
        self.answers: list[dict[str, Any] | None] = []
        self.pending: list[Taken] = []
        self.fresh: dict[str, int] = {}  # operation id -> its place among the answers
        self.checked: set[str] = set()  # sheets without anything that waits as late
        self.statements: dict[str, recorder.Desk | None] = {}

    def run(self, raw: Sequence[Any], ready: Sequence[Read] | None = None) -> dict[str, Any]:
        """Take every operation up to the first that does not fit; the whole answer. `ready` is what
        `read_all` made of `raw` before the transaction began."""
        stored = self._stored(raw)
        stopped = None
        for given, read in zip(raw, read_all(raw) if ready is None else ready, strict=False):
            stopped = self._one(given, read, stored)
            if stopped is not None:
                break
        self.flush()
        answer: dict[str, Any] = {
            "v": 1,
            "server_time": second(self.now),
            "receipts": [told for told in self.answers if told is not None],
            "sheets": self._sheets(),
        }
        if stopped is not None:
            answer["stopped"] = stopped
        return answer

    def _stored(self, raw: Sequence[Any]) -> dict[str, FieldOp]:
        ids = [g["id"] for g in raw if isinstance(g, dict) and isinstance(g.get("id"), str)]
        rows = self.session.scalars(select(FieldOp).where(FieldOp.id.in_(ids))) if ids else ()
        return {row.id: row for row in rows}

    def _one(self, given: Any, op: Read, stored: dict[str, FieldOp]) -> dict[str, Any] | None:
        """Take one operation; what stops the batch, or None."""
        if isinstance(op, Malformed):
            return _stop("malformed", given, reason=str(op))
        if op.tablet != self.tablet.id:
            return _stop("malformed", given, reason="another tablet's")
        if op.id in self.fresh:
            self.flush()
            said = self.answers[self.fresh[op.id]]
            if said is None or said["hash"] != op.hash:
                return _stop("key_reuse", given)
            self.answers.append({**said, "replayed": True})
            return None
        known = stored.get(op.id)
        if known is not None:
            if known.hash != op.hash or known.tablet_id != op.tablet:
                return _stop("key_reuse", given)
            self.answers.append({**json.loads(known.receipt), "replayed": True})
            self._place(op.sheet)
            return None
        end = self._end(op.sheet)
        if not end.follows(op):
            return _stop("gap", given, sheet=op.sheet, expect=end.seq + 1, have=end.hash)
        self.ends[op.sheet] = end.after(op)
        self._take(self._judge(op))
        return None

    def _end(self, key: str) -> End:
        """Where the tablet's log of a sheet stands."""
        if key not in self.ends:
            row = self.session.execute(
                select(FieldOp.seq, FieldOp.hash)
                .where(FieldOp.tablet_id == self.tablet.id, FieldOp.sheet_key == key)
                .order_by(FieldOp.seq.desc())
                .limit(1)
            ).first()
            self.ends[key] = End(*row) if row is not None else End()
        return self.ends[key]

    def _place(self, key: str) -> Place | None:
        if key not in self.places:
            self.places[key] = find_place(self.session, self.actor, key)
        return self.places[key]

    def _take(self, taken: Taken) -> None:
        taken.slot = len(self.answers)
        self.answers.append(None)
        self.fresh[taken.op.id] = taken.slot
        self.pending.append(taken)
        if taken.seals:
            self.flush()

    def flush(self) -> None:
        """Keep what is pending as one batch. Whatever records itself comes after this."""
        if not self.pending:
            return
        taken, self.pending = self.pending, []
        receipts = store_batch(
            self.session, self.actor, self.tablet.id, taken, self.now, self.imported_by
        )
        for row, told in zip(taken, receipts, strict=True):
            self.answers[row.slot] = told

    def _judge(self, op: Operation) -> Taken:
        """The rules of sections 4 to 6, in their order."""
        if op.of_statement:
            return self._statement(op)
        place = self._place(op.sheet)
        if place is None:
            return Taken(op, "refused", "not_yours", _NOT_YOURS)
        taken = self._on_sheet(op, place)
        if taken.sheet is None:
            taken.sheet, taken.rev = place.sheet, place.rev
        return taken

    def _on_sheet(self, op: Operation, place: Place) -> Taken:
        gone = self.tablet.revoked_at
        if gone is not None and moment(op.at) >= gone:
            return Taken(op, "refused", "not_yours", _REVOKED)
        if op.kind == "conflict":
            return self._conflict(op, place)
        if place.stopped or (place.sheet is not None and place.sheet.state == "recused"):
            return Taken(op, "refused", "stopped", _STOPPED)
        closed = self._ended(place)
        finished = place.sheet is not None and place.sheet.state == "sealed"
        if closed is not None and finished and moment(op.at) >= closed:
            return Taken(op, "refused", "closed", _CLOSED)
        if op.kind == "unlock" and not unlocks.opens(self.session, place.sitting, op):
            return Taken(op, "refused", "invalid", unlocks.WRONG)
        if not place.held_by(self.tablet.id):
            return branches.lay_beside(self.session, place, op, self.now)
        taken = self._on_active(op, place, closed is not None)
        if taken.status != "refused" and place.hold is None:
            place.give(self.session, self.tablet.id)
        return taken

    def _ended(self, place: Place) -> datetime | None:
        """When scoring ended, asked once for each sitting of the call."""
        sitting = place.sitting
        if sitting.id not in self.closes:
            self.closes[sitting.id] = votes.closing_time(self.session, sitting)
        closes = self.closes[sitting.id]
        place.timed = closes is not None
        if sitting.closed_at is not None:
            return sitting.closed_at
        return closes if closes is not None and closes <= self.now else None

    def _on_active(self, op: Operation, place: Place, closed: bool) -> Taken:
        if closed and place.seat.trainee:
            return Taken(op, "refused", "closed")  # nobody waits for it, nobody has to decide
        if closed:
            late.note(self.session, self.actor, place, op, self.now)
            return Taken(op, "held", "late")
        if op.kind == "unlock":
            place.unlocked = True
        if place.waiting:
            self.flush()
            settle.settle_place(self.session, self.actor, self.actor, place)
        why_not = place.why_not(self.session) if place.sheet is None else None
        if place.waiting or place.sitting.phase != "scoring" or why_not is not None:
            if place.unlocked:
                place.held += 1
                return Taken(op, "held", "statement")
            return Taken(op, "refused", "closed", why_not or place.why_not(self.session))
        self._in_time(place)
        if op.kind == "seal":
            self.flush()  # its leaf is its own
        if op.kind == "withdraw" and place.sealing is not None:
            self.flush()
            settle.void_seal(self.session, self.actor, place, self.now)
            return Taken(op, "accepted")
        return apply(self.session, self.actor, place, op)

    def _in_time(self, place: Place) -> None:
        """What came after a closing time that the panel has since moved was in time; asked once."""
        if not place.timed or place.key in self.checked:
            return
        self.checked.add(place.key)
        row = late.undecided(self.session, self.actor, place.key, self.tablet.id)
        if row is not None:
            self.flush()
            late.in_time(self.session, self.actor, place, row)

    def _conflict(self, op: Operation, place: Place) -> Taken:
        """Declared on the spot: goes to the supervisor and the office like every late link, and the
        sheet stops as a recusal where it can still stop."""
        reason = str(op.fields["reason"]).strip()
        if len(reason) < SHORTEST_REASON:
            return Taken(op, "refused", "invalid", _REASON)
        self.flush()
        with suppress(Conflict):  # declared before, and still undecided: the office knows
            recusals.stand_aside(
                self.session,
                self.actor,
                sitting=place.sitting,
                seat=place.seat,
                kind="other",
                evidence=reason[:2000],
            )
        with suppress(DomainError):  # not open, or final already: the declaration stands by itself
            scoring.recuse(self.session, self.actor, sitting=place.sitting, reason=reason[:2000])
        reload(self.session, self.actor, place)
        place.stopped = True
        return Taken(op, "accepted")

    def _statement(self, op: Operation) -> Taken:
        if op.sheet not in self.statements:
            self.statements[op.sheet] = recorder.find_desk(self.session, self.actor, op.sitting)
        desk = self.statements[op.sheet]
        if desk is None:
            return Taken(op, "refused", "not_yours", _NOT_YOURS)
        gone = self.tablet.revoked_at
        if gone is not None and moment(op.at) >= gone:
            return Taken(op, "refused", "not_yours", _REVOKED)
        self.flush()
        return recorder.apply(self.session, self.actor, desk, op)

    def _sheets(self) -> dict[str, Any]:
        told = {
            key: state_of(self.session, self.actor, place)
            for key, place in self.places.items()
            if place is not None
        }
        return told | {
            key: recorder.state_of(self.session, desk)
            for key, desk in self.statements.items()
            if desk is not None
        }


def _stop(code: str, given: Any, **more: Any) -> dict[str, Any]:
    shown = given.get("id") if isinstance(given, dict) else None
    return {"code": code, "id": shown if isinstance(shown, str) else None, **more}
