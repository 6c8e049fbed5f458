"""Calibration meetings that a run's agreement, or a flag, led to: on record beside the run."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import NOT_YOURS, Viewer
from app.aggregation import queries
from app.aggregation.flags import LIMIT, own_seats
from app.aggregation.models import Run
from app.aggregation.models_flags import CalibrationMeeting
from app.domain.types import DomainError, Forbidden, NotFound, Text
from app.ledger.append import append
from app.panel.models import Panel
from app.programme.models import Round

_FUTURE = Text(
    "会议日期在今天之后。只登记已经召开的会议；没有任何改动。",
    "The date lies after today. Only a meeting that was held is recorded; nothing was changed.",
)
_SHORT = Text(
    "请写明会议情况（5 至 {n} 个字）。没有任何改动。",
    "Say what the meeting did (5 to {n} characters). Nothing was changed.",
)


def leads(session: Session, viewer: Viewer, round_: Round) -> bool:
    """Whether the viewer leads a panel of the round."""
    seats = own_seats(session, viewer)
    leading = session.scalars(select(Panel.leader_seat_id).where(Panel.round_id == round_.id))
    return bool(seats & set(leading))


def run_for(session: Session, viewer: Viewer, round_: Round, number: int) -> Run:
    """The run beside which the viewer may read or record meetings; NotFound.

    A panel leader reads nothing else of it here."""
    if viewer.role != "expert":
        return queries.run(session, viewer, round_, number)
    found = session.scalar(select(Run).where(Run.round_id == round_.id, Run.number == number))
    if found is None or not leads(session, viewer, round_):
        raise NotFound(queries.ABSENT)
    return found


def of_run(
    session: Session, run: Run, *, before: datetime | None = None
) -> list[CalibrationMeeting]:
    """The meetings recorded for a run, in the order of their days; with `before`, those recorded
    before that moment."""
    found = session.scalars(
        select(CalibrationMeeting)
        .where(CalibrationMeeting.run_id == run.id)
        .order_by(CalibrationMeeting.held_on, CalibrationMeeting.at, CalibrationMeeting.id)
    )
    return [row for row in found if before is None or row.at < before]


def record(
    session: Session, actor: Viewer | None, *, run: Run, held_on: date, note: str
) -> CalibrationMeeting:
    """The office, or the leader of a panel, records that a calibration meeting was held."""
    if actor and actor.role != "office" and not leads(session, actor, run.round):
        raise Forbidden(NOT_YOURS.format(role=actor.role_text))
    if held_on > clock.today(session.info["settings"].timezone):
        raise DomainError(_FUTURE, field="held_on")
    words = note.strip()
    if not 5 <= len(words) <= LIMIT:
        raise DomainError(_SHORT.format(n=LIMIT), field="note")
    made = CalibrationMeeting(
        run_id=run.id,
        held_on=held_on,
        note=words,
        by=actor.id if actor else None,
        at=clock.now(),
    )
    session.add(made)
    session.flush()
    append(session, actor, "meeting.recorded", round=run.round_id, run=run.id, meeting=made.id)
    return made
