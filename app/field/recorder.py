"""The recorder's own log: who is there, the statement opened, written down and closed, also without
signal (docs/sync-protocol.md section 6). Each step is the panel room's own, with its ledger entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.field.operations import STATEMENT, Operation
from app.domain.types import Conflict, DomainError, Text
from app.draw.models import Seat
from app.field import filing, unlocks
from app.field.models import FieldOp
from app.field.ops import Refused, Taken, second
from app.field.settle import settle_sitting
from app.panel import operations as panels
from app.panel import queries
from app.panel.guards import running_statement
from app.panel.models import Sitting
from app.panel.statements import write_confirmation

_STALE = Text(
    "另一人在网页上改过陈述记录，您的文字没有覆盖它，仍在平板上。请对照后再写。",
    "Somebody has changed the record on the server's page since. Yours did not overwrite it and is "
    "kept on the tablet: compare the two and write again.",
)
_SEAT = Text("该席位不在本组。", "That seat is not on this panel.")
_NAME = Text(
    "请写明确认人的姓名，或选择未确认的原因。",
    "Give the name of who confirmed the record, or why nobody did.",
)


@dataclass
class Desk:
    """A sitting as its recorder has it; `version` is the record's after this log's last word."""

    sitting: Sitting
    version: int


def find_desk(session: Session, viewer: Viewer, sitting_id: str) -> Desk | None:
    """The viewer's desk at a sitting; None unless he is its recorder."""
    sitting = session.get(Sitting, sitting_id)
    if sitting is None or viewer.role != "office" or sitting.panel.recorder_id != viewer.id:
        return None
    last = session.scalar(
        select(FieldOp.rev)
        .where(
            FieldOp.account_id == viewer.id,
            FieldOp.sheet_key == STATEMENT + sitting_id,
            FieldOp.status == "accepted",
            FieldOp.kind.in_(("open", "write")),
        )
        .order_by(FieldOp.leaf.desc(), FieldOp.position.desc())
        .limit(1)
    )
    return Desk(sitting, last or 0)


def apply(session: Session, actor: Viewer, desk: Desk, op: Operation) -> Taken:
    """One step of the recorder's log. The caller has kept what came before it."""
    try:
        _apply(session, actor, desk, op)
        taken = Taken(op, "accepted")
    except Refused as refusal:
        taken = Taken(op, "refused", refusal.why, refusal.text)
    except Conflict as error:
        taken = Taken(op, "refused", "closed", error.text)
    except DomainError as error:
        taken = Taken(op, "refused", "invalid", error.text)
    row = queries.statement(session, desk.sitting)
    taken.rev = row.version if row is not None else 0
    if taken.status == "accepted" and op.kind in ("open", "write"):
        desk.version = taken.rev
    return taken


def _apply(session: Session, actor: Viewer, desk: Desk, op: Operation) -> None:
    sitting, fields = desk.sitting, op.fields
    if op.kind in ("attend", "open") and sitting.phase == "planned":
        panels.open_sitting(session, actor, sitting=sitting)
    match op.kind:
        case "attend":
            seat = session.get(Seat, str(fields["seat"]))
            if seat is None:
                raise Refused("invalid", _SEAT)
            panels.sign_in(session, actor, sitting=sitting, seat=seat)
            if sitting.phase == "scoring":
                settle_sitting(session, actor, sitting)
        case "open":
            panels.open_statement(
                session,
                actor,
                sitting=sitting,
                presenter_name=str(fields["name"])[:200],
                presenter_post=str(fields["post"])[:200],
                proxy=str(fields["proxy"] or "")[:200],
                identity=str(fields["identity"] or ""),
            )
            filing.file_papers(session, actor, sitting)
        case "write":
            _write(session, actor, desk, op)
        case "mark":
            row = queries.statement(session, sitting)
            if row is not None:  # one from before the opening stays in the log alone
                filing.add_mark(session, actor, row, op)
        case "attach":
            filing.file_papers(session, actor, sitting, fields)
        case "close":
            _close(session, actor, desk, op)


def _write(session: Session, actor: Viewer, desk: Desk, op: Operation) -> None:
    """Over the words that this log wrote last, or that the tablet says it has seen since (`base`)."""
    part, text = str(op.fields["part"]), str(op.fields["text"])
    row = running_statement(session, desk.sitting)
    if row.version != max(desk.version, op.base, 1):
        raise Refused("stale", _STALE)
    panels.record_statement(
        session,
        actor,
        sitting=desk.sitting,
        outline=text if part == "outline" else row.outline,
        questions=text if part == "questions" else None,
        version=row.version,
    )


def _close(session: Session, actor: Viewer, desk: Desk, op: Operation) -> None:
    """Closed with the representative's confirmation on the recorder's tablet, or with the reason why
    there is none; then scoring opens where it may."""
    sitting, fields = desk.sitting, op.fields
    if not unlocks.opens(session, sitting, op):
        raise Refused("invalid", unlocks.WRONG)
    row = running_statement(session, sitting)
    name = str(fields["confirmed_name"] or "").strip()
    unconfirmed = str(fields["unconfirmed"] or "")
    if bool(name) == bool(unconfirmed):
        raise Refused("invalid", _NAME)
    if name and row.outline and row.confirmed_at is None:
        write_confirmation(
            session, actor, row, name=name[:200], strokes=fields["signature"], on_tablet=True
        )
    panels.close_statement(
        session,
        actor,
        sitting=sitting,
        unconfirmed="" if row.confirmed_at is not None else unconfirmed,
        note=str(fields["note"] or "")[:2000],
    )
    try:
        panels.open_scoring(session, actor, sitting=sitting)
    except DomainError:
        return  # below the quorum, or a member to be replaced: the office opens it, told why there


def state_of(session: Session, desk: Desk) -> dict[str, Any]:
    """A statement as answers tell it: `rev` is the version of its record."""
    row = queries.statement(session, desk.sitting)
    closed = row.closed_at if row is not None else None
    return {
        "rev": row.version if row is not None else 0,
        "state": desk.sitting.phase,
        "confirmed": row is not None and row.confirmed_at is not None,
        "closed_at": second(closed) if closed is not None else None,
    }
