"""What must always hold for sheets."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.scoring.sheets import check_sheet, sheet_points
from app.domain.types import Text
from app.draw.models import Seat
from app.draw.supplements import root_of
from app.ledger.models import Event, Secret
from app.scoring.models import CaseSheet, Filled, GivenMark, Sheet
from app.scoring.models_paper import PaperSheet
from app.scoring.operations import receipt_code


def sealed_sheets_stand(session: Session) -> list[Text]:
    """A sealed sheet is complete, adds up to what was stored, and its receipt's leaf covers it."""
    faults = []
    for sheet in _sealed(session):
        if check_sheet(sheet.instrument, sheet.entries):
            faults.append(
                Text(f"评分表 {sheet.id}：封存但不完整", f"sheet {sheet.id}: sealed, incomplete")
            )
        elif sheet_points(sheet.instrument, sheet.entries).marked != sheet.marked:
            faults.append(
                Text(
                    f"评分表 {sheet.id}：存储的合计与重算不符",
                    f"sheet {sheet.id}: the stored sum differs from the marks",
                )
            )
        event = session.get(Event, sheet.receipt_seq) if sheet.receipt_seq is not None else None
        secret = session.get(Secret, sheet.receipt_seq) if event else None
        names = json.loads(secret.body)["data"].get("sheet") if secret else None
        if event is None or receipt_code(event.leaf) != sheet.receipt or names != sheet.id:
            faults.append(
                Text(
                    f"评分表 {sheet.id}：回执与账本不符",
                    f"sheet {sheet.id}: its receipt does not fit the ledger",
                )
            )
    return faults


def _sealed(session: Session) -> list[Filled]:
    kinds: tuple[type[Sheet] | type[CaseSheet], ...] = (Sheet, CaseSheet)
    states = ("sealed", "superseded")
    return [row for k in kinds for row in session.scalars(select(k).where(k.state.in_(states)))]


def one_live_case_sheet(session: Session) -> list[Text]:
    """At most one sealed sheet for a seat and a case file, and only of sampled files of the county."""
    rows = session.execute(
        select(CaseSheet.case_file_id, CaseSheet.seat_id)
        .where(CaseSheet.state == "sealed")
        .group_by(CaseSheet.case_file_id, CaseSheet.seat_id)
        .having(func.count() > 1)
    )
    twice = Text("案卷 {c} 席位 {s}：有多张有效评查表", "case {c}, seat {s}: more than one sheet")
    faults = [twice.format(c=case, s=seat) for case, seat in rows]
    stray = Text(
        "评查表 {i}：案卷未抽中或属于他县", "case sheet {i}: of no sampled file of the county"
    )
    return faults + [
        stray.format(i=sheet.id)
        for sheet in session.scalars(select(CaseSheet))
        if not sheet.case_file.sampled or sheet.case_file.subject_id != sheet.sitting.subject_id
    ]


def two_people_for_what_is_given(session: Session) -> list[Text]:
    """Whoever confirmed an entry did not make it, and it has evidence."""
    same = Text("登记 {i} 的录入人与确认人相同", "entry {i} was confirmed by who entered it")
    bare = Text("登记 {i} 没有依据", "entry {i} has no evidence")
    faults = []
    for mark in session.scalars(select(GivenMark)):
        if mark.confirmed_at is not None and mark.confirmed_by == mark.entered_by:
            faults.append(same.format(i=mark.item))
        awards = mark.entry.get("value", {}).get("awards") if mark.place == "bonus" else None
        if awards != [] and not mark.materials and not mark.evidence:
            faults.append(bare.format(i=mark.item))
    return faults


def one_live_sheet(session: Session) -> list[Text]:
    """At most one sealed sheet for a seat and a county."""
    rows = session.execute(
        select(Sheet.sitting_id, Sheet.seat_id)
        .where(Sheet.state.in_(("sealed", "recused", "absent")))
        .group_by(Sheet.sitting_id, Sheet.seat_id)
        .having(func.count() > 1)
    )
    return [
        Text(
            f"会议 {sitting} 席位 {seat}：有多张有效评分表",
            f"sitting {sitting}, seat {seat}: more than one counting sheet",
        )
        for sitting, seat in rows
    ]


def sheets_belong(session: Session) -> list[Text]:
    """A sheet's seat belongs to its sitting's panel."""
    return [
        Text(
            f"评分表 {sheet.id}：席位不属于该组", f"sheet {sheet.id}: its seat is of another panel"
        )
        for sheet in session.scalars(select(Sheet).join(Seat, Sheet.seat_id == Seat.id))
        if (root_of(sheet.seat.draw), sheet.seat.panel)
        != (sheet.sitting.panel.draw_id, sheet.sitting.panel.code)
    ]


def paper_stands(session: Session) -> list[Text]:
    """A sheet from paper holds what two different clerks settled, and its scan is stored."""
    store = session.info["store"]
    faults = []
    for row in session.scalars(select(PaperSheet).where(PaperSheet.sealed_at.is_not(None))):
        kind = CaseSheet if "/" in row.key else Sheet
        sheet = session.get(kind, row.sheet_id)
        whole = sheet is not None and sheet.entries == row.settled
        two = None not in (row.first_by, row.second_by) and row.first_by != row.second_by
        if not (whole and two and row.scan_sha256 and store.has(row.scan_sha256)):
            faults.append(
                Text(
                    f"纸质评分表 {row.id}：与封存的表、两位录入人或扫描件不符",
                    f"paper sheet {row.id}: does not fit its sealed sheet, its two clerks or its scan",
                )
            )
    return faults


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("sealed sheets are complete, add up, and match their receipts", sealed_sheets_stand),
    ("one counting sheet per seat and county", one_live_sheet),
    ("sheets belong to their panel", sheets_belong),
    ("one counting sheet per seat and sampled case file", one_live_case_sheet),
    ("a sheet from paper is what two clerks settled, with its scan", paper_stands),
    ("two people and evidence for what no expert gives", two_people_for_what_is_given),
)
