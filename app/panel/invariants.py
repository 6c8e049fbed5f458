"""What must always hold between panels, sittings and statements."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw.models import TRAINEE_ACT, Seat
from app.ledger.models import Event
from app.ledger.receipts import receipt_code
from app.panel.models import Panel, Sitting, Statement
from app.panel.models_statement import Recording, StatementFile
from app.panel.models_trainees import Trainee
from app.panel.statements import UNCONFIRMED


def leaders_sit(session: Session) -> list[Text]:
    """A leader holds an active seat of the panel that he leads."""
    return [
        Text(
            f"专家组 {panel.code}：组长席位已失效，请改选组长",
            f"panel {panel.code}: its leader's seat is no longer active; name another",
        )
        for panel in session.scalars(select(Panel).where(Panel.leader_seat_id.is_not(None)))
        if panel.leader is None or not panel.leader.active
    ]


def scoring_after_statement(session: Session) -> list[Text]:
    """No scoring before the statement is closed (S0 art. 16(3))."""
    rows = session.execute(
        select(Sitting, Statement)
        .outerjoin(Statement, Statement.sitting_id == Sitting.id)
        .where(Sitting.with_statement, Sitting.scoring_opened_at.is_not(None))
    )
    return [
        Text(
            f"会议 {sitting.id}：陈述未结束就开放了评分",
            f"sitting {sitting.id}: scoring was opened before the statement was closed",
        )
        for sitting, statement in rows
        if statement is None
        or statement.closed_at is None
        or sitting.scoring_opened_at is None
        or statement.closed_at > sitting.scoring_opened_at
    ]


def confirmed_or_explained(session: Session) -> list[Text]:
    """A statement's reason for the missing confirmation is a known one, and stands alone."""
    rows = session.scalars(select(Statement).where(Statement.unconfirmed.is_not(None)))
    return [
        Text(
            f"会议 {row.sitting_id}：陈述记录的确认情况自相矛盾",
            f"sitting {row.sitting_id}: the confirmation of its statement contradicts itself",
        )
        for row in rows
        if row.unconfirmed not in UNCONFIRMED or row.confirmed_at or row.closed_at is None
    ]


def recordings_agreed_to_and_kept(session: Session) -> list[Text]:
    """A recording has the presenter's consent, and its bytes are in the store (whether they are still
    the same, the store's own check says); so are the files of the statement."""
    store = session.info["store"]
    found = []
    for row in session.scalars(select(Recording)):
        if row.statement.consent_at is None:
            found.append(
                Text(
                    f"录音 {row.sha256[:12]}：没有同意录音的登记",
                    f"recording {row.sha256[:12]}: no consent is on record",
                )
            )
    kept = [
        *session.scalars(select(Recording.sha256)),
        *session.scalars(select(StatementFile.sha256)),
    ]
    found += [
        Text(
            f"陈述文件 {sha[:12]} 不在存储中",
            f"the statement's file {sha[:12]} is not in the store",
        )
        for sha in sorted(set(kept))
        if not store.has(sha)
    ]
    return found


def receipts_fit_their_leaves(session: Session) -> list[Text]:
    """The receipt of a closed statement is that of the ledger entry that closed it."""
    rows = session.execute(
        select(Statement, Event)
        .outerjoin(Event, Event.seq == Statement.receipt_seq)
        .where(Statement.receipt.is_not(None))
    )
    return [
        Text(
            f"会议 {row.sitting_id}：陈述回执与账本不符",
            f"sitting {row.sitting_id}: the receipt of its statement does not fit the ledger",
        )
        for row, event in rows
        if event is None
        or receipt_code(event.leaf) != row.receipt
        or json.loads(event.payload)["data"].get("sitting") != row.sitting_id
    ]


def trainees_never_count(session: Session) -> list[Text]:
    """A seat that no act drew is a trainee's, is not active and leads no panel; and a trainee has one."""
    known = dict(session.execute(select(Trainee.seat_id, Trainee.panel_id)).all())
    of_no_act = {
        seat.id: seat
        for seat in session.scalars(
            select(Seat).where(or_(Seat.act <= TRAINEE_ACT, Seat.id.in_(known)))
        )
    }
    leading = set(
        session.scalars(select(Panel.leader_seat_id).where(Panel.leader_seat_id.is_not(None)))
    )
    return [
        Text(
            f"席位 {key}：见习席位与见习安排不符，或计入了结果",
            f"seat {key}: a trainee's seat that counts, or that no appointment stands for",
        )
        for key, seat in sorted(of_no_act.items())
        if key not in known or not seat.trainee or seat.active or key in leading
    ]


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("panel leaders hold an active seat", leaders_sit),
    ("trainees never count", trainees_never_count),
    ("scoring opens after the statement", scoring_after_statement),
    ("an unconfirmed statement says why", confirmed_or_explained),
    ("recordings are agreed to and kept", recordings_agreed_to_and_kept),
    ("receipts of statements fit the ledger", receipts_fit_their_leaves),
)
