"""A recorder's part of the package: the statements to record, each with who sits there and the secret
that opens the sheets without signal (docs/sync-protocol.md section 6). Nobody else gets that secret.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.accounts.viewer import Viewer
from app.draw.disclosure import shown_names
from app.draw.models import Seat
from app.draw.supplements import sits_on
from app.field.heads import head, moment
from app.field.unlocks import secret_in, unlocks_of
from app.panel.agenda import steps_of
from app.panel.models import Attendance, Panel, Sitting, Statement
from app.programme.models import Round


def statements(session: Session, viewer: Viewer) -> list[dict[str, Any]]:
    """The duties of a panel's recorder: every county with a statement that is not over."""
    sittings = session.scalars(
        select(Sitting)
        .join(Panel, Sitting.panel_id == Panel.id)
        .where(
            Panel.recorder_id == viewer.id,
            Sitting.with_statement.is_(True),
            Sitting.phase != "closed",
        )
        .options(selectinload(Sitting.panel).selectinload(Panel.round).selectinload(Round.pins))
        .order_by(Sitting.on, Sitting.position, Sitting.id)
    ).all()
    ids = [sitting.id for sitting in sittings]
    seats = _seats(session, sorted({sitting.panel_id for sitting in sittings}))
    here = {
        (row.sitting_id, row.seat_id)
        for row in session.scalars(select(Attendance).where(Attendance.sitting_id.in_(ids)))
    }
    opened = {
        row.sitting_id: row
        for row in session.scalars(select(Statement).where(Statement.sitting_id.in_(ids)))
    }
    unlocks = unlocks_of(session, ids)
    found = []
    for sitting in sittings:
        unlock = unlocks.get(sitting.id)
        found.append(
            {
                **head(sitting, None),
                "key": f"statement/{sitting.id}",
                "kind": "statement",
                "case": None,
                "unlock_hash": unlock.sha256 if unlock else None,
                "unlock_secret": secret_in(session, unlock) if unlock else None,
                "instrument": None,
                "computed": [],
                "to_confirm": [],
                "materials": [],
                "sheet": None,
                "ready": None,
                "seats": [
                    {**seat, "present": (sitting.id, seat["id"]) in here}
                    for seat in seats.get(sitting.panel_id, [])
                ],
                "statement": _statement(opened.get(sitting.id)),
                "steps": steps_of(session, sitting),
            }
        )
    return found


def _seats(session: Session, panel_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Panel id -> its active seats, named as the draw lets the office name them."""
    rows = session.execute(
        select(Panel.id, Seat)
        .select_from(Panel)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .where(Panel.id.in_(panel_ids), Seat.state != "removed")
        .options(selectinload(Seat.draw))
        .order_by(Seat.number)
    ).all()
    names = shown_names(session, [seat for _, seat in rows])
    found: dict[str, list[dict[str, Any]]] = {}
    for (panel_id, seat), name in zip(rows, names, strict=True):
        found.setdefault(panel_id, []).append({"id": seat.id, "number": seat.number, "name": name})
    return found


def _statement(row: Statement | None) -> dict[str, Any] | None:
    """What the server has of the statement already."""
    if row is None:
        return None
    return {
        "rev": row.version,
        "name": row.presenter_name,
        "post": row.presenter_post,
        "proxy": row.proxy,
        "identity": row.identity,
        "outline": row.outline,
        "questions": row.questions,
        "opened_at": moment(row.opened_at),
        "closed_at": moment(row.closed_at),
    }
