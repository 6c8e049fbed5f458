"""The check-in desk of a panel's day: who came, whose identity was checked, which tablet he bound, which
spare tablet he was lent and gave back, and the sheet to sign in and out on paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.documents.pdf import render_pdf
from app.domain.types import Conflict, DomainError, NotFound, NotNow, Text
from app.draw.models import Seat
from app.field.board import Board, Row, board
from app.field.models_desk import DeskEntry
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Panel

NO_DAY = Text("本组这一天没有会议。", "The panel has no sitting on that day.")
_CHECKED = Text("身份已核对。没有改动。", "The identity is checked already. Nothing was changed.")
_UNCHECKED = Text(
    "请先核对身份，再借出备用平板。没有改动。",
    "Check the identity before a spare tablet is lent. Nothing was changed.",
)
_NUMBER = Text(
    "请写明备用平板的编号。没有借出。", "State the number of the spare tablet. Nothing was lent."
)
_LENT = Text(
    "备用平板“{n}”已借给别人，或此人已借一台。没有借出。",
    "Spare tablet “{n}” is with somebody, or this person has one. Nothing was lent.",
)
_NOT_LENT = Text("没有借出的备用平板。没有改动。", "No spare tablet is out. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Place:
    """One member at the desk: his row of the board, and what the desk did."""

    row: Row
    entry: DeskEntry | None

    @property
    def has_spare(self) -> bool:
        return bool(self.entry and self.entry.lent_at and not self.entry.returned_at)


def places(
    session: Session, viewer: Viewer, panel: Panel, on: date | None
) -> tuple[Board, list[Place]]:
    """Everybody of a panel's day in seat order; a fixed number of queries."""
    made = board(session, viewer, panel, on)
    entries = {
        entry.seat_id: entry
        for entry in session.scalars(
            select(DeskEntry).where(DeskEntry.panel_id == panel.id, DeskEntry.on == made.on)
        )
    }
    rows = sorted(made.rows, key=lambda row: row.seat.number)
    return made, [Place(row, entries.get(row.seat.id)) for row in rows]


def _entry(session: Session, panel: Panel, seat_id: str, on: date) -> DeskEntry:
    """The member's entry of the day, or a new one that is not kept yet."""
    if seat_id not in {seat.id for seat in panels.seats(session, panel)}:
        raise NotFound(panels.ABSENT)
    if on not in {sitting.on for sitting in panel.sittings}:
        raise DomainError(NO_DAY)
    found = session.scalar(
        select(DeskEntry).where(
            DeskEntry.panel_id == panel.id, DeskEntry.seat_id == seat_id, DeskEntry.on == on
        )
    )
    if found is None:
        found = DeskEntry(panel_id=panel.id, seat_id=seat_id, on=on)
    return found


def check_identity(
    session: Session, actor: Viewer, *, panel: Panel, seat_id: str, on: date
) -> DeskEntry:
    """Somebody of the office has looked at the member's identity paper."""
    actor.require("office")
    entry = _entry(session, panel, seat_id, on)
    if entry.checked_at is not None:
        raise Conflict(_CHECKED)
    session.add(entry)
    entry.checked_by, entry.checked_at = actor.id, clock.now()
    append(session, actor, "desk.identity_checked", sealed=True, panel=panel.id)
    return entry


def lend(
    session: Session, actor: Viewer, *, panel: Panel, seat_id: str, on: date, number: str
) -> DeskEntry:
    """Hand a spare tablet over, by the number on it, to a member whose identity was checked. He binds
    it with a code of his own, like every tablet."""
    actor.require("office")
    entry = _entry(session, panel, seat_id, on)
    number = " ".join(number.split())[:60]
    if not number:
        raise DomainError(_NUMBER, field="number")
    if entry.checked_at is None:
        raise NotNow(_UNCHECKED)
    out = session.scalar(
        select(DeskEntry.id).where(
            DeskEntry.spare == number,
            DeskEntry.lent_at.is_not(None),
            DeskEntry.returned_at.is_(None),
        )
    )
    if out is not None or (entry.lent_at is not None and entry.returned_at is None):
        raise Conflict(_LENT.format(n=number))
    entry.spare, entry.lent_by, entry.lent_at = number, actor.id, clock.now()
    entry.returned_by = entry.returned_at = None
    append(session, actor, "desk.spare_lent", sealed=True, panel=panel.id)
    return entry


def take_back(
    session: Session, actor: Viewer, *, panel: Panel, seat_id: str, on: date
) -> DeskEntry:
    """The spare tablet is back."""
    actor.require("office")
    entry = _entry(session, panel, seat_id, on)
    if entry.lent_at is None or entry.returned_at is not None:
        raise NotNow(_NOT_LENT)
    entry.returned_by, entry.returned_at = actor.id, clock.now()
    append(session, actor, "desk.spare_returned", sealed=True, panel=panel.id)
    return entry


def list_data(panel: Panel, on: date, rows: list[tuple[Seat, str, DeskEntry | None]], language: str) -> dict[str, Any]:  # fmt: skip
    """The sign-in and sign-out sheet of the day as data of the paper `list`."""
    return {
        "title": Text("签到签退表", "Sign-in and sign-out sheet"),
        "subtitle": Text(
            f"{panel.round.title.zh}　{panel.code} 组　{on}",
            f"{panel.round.title.en}, panel {panel.code}, {on}",
        ),
        "language": language,
        "drill": panel.round.drill,
        "orientation": "landscape",
        "columns": [
            {"title": Text("席位", "Seat"), "width": "auto", "align": "right"},
            {"title": Text("姓名", "Name"), "width": 2},
            {"title": Text("身份已核对", "Identity checked"), "width": 1, "align": "center"},
            {"title": Text("签到签名", "Signature, in"), "width": 3},
            {"title": Text("时间", "Time"), "width": 1},
            {"title": Text("备用平板", "Spare tablet"), "width": 2},
            {"title": Text("签退签名", "Signature, out"), "width": 3},
            {"title": Text("时间", "Time"), "width": 1},
        ],
        "rows": [
            [
                str(seat.number),
                name,
                "√" if entry is not None and entry.checked_at else "",
                "",
                "",
                entry.spare if entry is not None and entry.lent_at else "",
                "",
                "",
            ]
            for seat, name, entry in rows
        ],
        "row_height_mm": 13,
        "notes": [
            Text(
                "离开前请确认平板显示“全部已回执”，归还备用平板，再签退。",
                "Before leaving: the tablet says that all is receipted, a spare tablet is handed back, then sign out.",
            )
        ],
        "signatures": [],
    }


def list_pdf(data: dict[str, Any], made_at: datetime) -> bytes:
    """The PDF of `list_data`."""
    return render_pdf("list", data, published_at=made_at)
