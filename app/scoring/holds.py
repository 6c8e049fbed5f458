"""Where a sheet is being filled in: on one tablet, or on the server's pages. One owner, one active
device (docs/sync-protocol.md section 5).

A sheet without a row here is the pages'. The room of the field application lets tablets in and
counts the branches that wait for the owner; the pages only look.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Tablet
from app.domain.types import NotNow, Text
from app.scoring.models import CaseSheet, Filled, SheetHold

_ELSEWHERE = Text(
    "这张表正在平板“{label}”上填写，这里只能查看。要换一台设备，请在那台设备的外业应用里打开这张表，"
    "按“改在这台平板上填写”。没有任何改动。",
    "This sheet is being filled in on the tablet “{label}”; here it is read-only. To go on with "
    "another device, open the sheet in the field app there and press “Go on with this tablet”. "
    "Nothing was changed.",
)
_BRANCH = Text(
    "另一台设备上还有未处理的内容，请先逐项选择保留哪一个。没有封存，内容都在。",
    "Another device holds entries for this sheet: choose item by item first. Nothing was sealed; "
    "all is kept.",
)

_PAPER = Text(
    "这张表正由办公室按纸质评分表录入，这里只能查看。没有任何改动；不用纸质表的，请办公室先放弃录入。",
    "The office is entering this sheet from paper; elsewhere it is read-only. Nothing was changed. If "
    "the paper is not to be used, the office gives it up first.",
)


def key_of(sheet: Filled) -> str:
    """A sheet's name in the field protocol: SITTING, or SITTING/CASE."""
    if isinstance(sheet, CaseSheet):
        return f"{sheet.sitting_id}/{sheet.case_file_id}"
    return sheet.sitting_id


def holder(session: Session, seat_id: str, key: str) -> SheetHold | None:
    """The row that says where a sheet is filled in, if there is one."""
    return session.scalar(
        select(SheetHold).where(SheetHold.seat_id == seat_id, SheetHold.key == key)
    )


def give(session: Session, seat_id: str, key: str, tablet_id: str | None) -> SheetHold:
    """Make one device the active one (None: the server's pages). The caller records it."""
    row = holder(session, seat_id, key)
    if row is None:
        return begin(session, seat_id, key, tablet_id)
    if row.paper_id is not None:
        raise NotNow(_PAPER)
    row.tablet_id, row.since = tablet_id, clock.now()
    session.flush()
    return row


def begin(session: Session, seat_id: str, key: str, tablet_id: str | None) -> SheetHold:
    """The same for a sheet that the caller knows to have no row yet."""
    row = SheetHold(seat_id=seat_id, key=key, tablet_id=tablet_id, since=clock.now())
    session.add(row)
    session.flush()
    return row


def elsewhere(session: Session, sheet: Filled) -> Tablet | None:
    """The tablet that has the sheet; None when it is the pages'."""
    row = holder(session, sheet.seat_id, key_of(sheet))
    return session.get(Tablet, row.tablet_id) if row is not None and row.tablet_id else None


def must_be_here(session: Session, sheet: Filled) -> None:
    """Conflict while a tablet has the sheet, or it is entered from paper."""
    row = holder(session, sheet.seat_id, key_of(sheet))
    if row is not None and row.paper_id is not None:
        raise NotNow(_PAPER)
    tablet = session.get(Tablet, row.tablet_id) if row is not None and row.tablet_id else None
    if tablet is not None:
        raise NotNow(_ELSEWHERE.format(label=tablet.label))


def on_paper(session: Session, sheet: Filled) -> bool:
    """Whether clerks are entering this sheet from paper."""
    row = holder(session, sheet.seat_id, key_of(sheet))
    return row is not None and row.paper_id is not None


def must_be_whole(session: Session, sheet: Filled) -> None:
    """Conflict while entries of another device wait for the owner's choice."""
    if branches(session, sheet):
        raise NotNow(_BRANCH)


def branches(session: Session, sheet: Filled) -> int:
    """How many other devices' entries wait for the owner's choice."""
    row = holder(session, sheet.seat_id, key_of(sheet))
    return row.branches if row is not None else 0
