"""A sheet's life without a tablet: begun, saved at every change, sealed, corrected as a new
version. What a step does to a sheet stands in `changes`; here it is allowed and recorded.

Every save is one sealed ledger entry of fixed shape, so that nobody reads activity off the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, Forbidden, NotNow, Text
from app.draw import disclosure
from app.draw.models import Seat
from app.ledger.append import append
from app.ledger.models import Event
from app.ledger.receipts import receipt_code as receipt_code
from app.panel import queries as panels
from app.panel.models import Sitting
from app.programme.models import CaseFile
from app.scoring import cases, changes, holds, queries, reentries
from app.scoring.changes import FilledT
from app.scoring.models import CaseSheet, Filled, Sheet


def start_sheet(session: Session, actor: Viewer, *, sitting: Sitting) -> Sheet:
    """Begin a sheet, or return the one begun: an active seat, declared, present, scoring open."""
    actor.require("expert")
    changes.must_be_in_time(session, sitting)
    seat = changes.seat_of(session, actor, sitting)
    found = queries.live_sheet(session, sitting, seat)
    if found is not None:
        return found
    sheet = changes.begin(session, sitting, seat)
    append(session, actor, "sheet.begun", sealed=True, sheet=sheet.id)
    assert isinstance(sheet, Sheet)
    return sheet


def start_case_sheet(
    session: Session, actor: Viewer, *, sitting: Sitting, case: CaseFile
) -> CaseSheet:
    """Begin the sheet of one sampled case file, or return the one begun. Refused to a member who
    stands aside from the county or is absent."""
    actor.require("expert")
    changes.must_be_in_time(session, sitting)
    seat = changes.seat_of(session, actor, sitting)
    changes.must_be_sampled(sitting, case)
    found = cases.live_sheet(session, case, seat)
    if found is not None:
        return found
    changes.must_score(session, sitting, seat)
    sheet = changes.begin(session, sitting, seat, case)
    append(session, actor, "sheet.begun", sealed=True, sheet=sheet.id)
    assert isinstance(sheet, CaseSheet)
    return sheet


def save_draft(
    session: Session, actor: Viewer, *, sheet: FilledT, changes: Mapping[str, Any], version: int
) -> FilledT:
    """Save what changed (`ITEM.part` -> value, as typed). A save on an older version is refused:
    the caller shows both. Nothing is ever overwritten unseen."""
    _own_draft(session, actor, sheet)
    if version != sheet.version:
        raise Conflict(
            Text(
                "这张表在别处有更新（第 {n} 版）。您的内容没有覆盖它，仍在本机，请选择保留哪一个。",
                "This sheet was saved elsewhere (version {n}). Yours did not overwrite it and is "
                "kept on this device: choose which to keep.",
            ).format(n=sheet.version)
        )
    _change(sheet, changes)
    append(session, actor, "sheet.saved", sealed=True, sheet=sheet.id, version=sheet.version)
    return sheet


_change = changes.change  # `save_draft` has an argument of the module's name


def _own_draft(session: Session, actor: Viewer, sheet: Filled) -> None:
    queries.must_be_own(session, actor, sheet)
    if sheet.state != "draft":
        raise NotNow(
            Text(
                "评分表已封存，不能直接修改。如需更正，请写明理由另起一版。",
                "The sheet is sealed and does not change. To correct it, start a new version with "
                "a reason.",
            )
        )
    changes.must_be_in_time(session, sheet.sitting)
    holds.must_be_here(session, sheet)


def seal(
    session: Session, actor: Viewer, *, sheet: FilledT, version: int, signed_name: str
) -> FilledT:
    """Freeze the sheet: complete, on the version that the expert saw, under his name. The receipt
    code is taken from the ledger leaf that covers the sealed sheet."""
    _own_draft(session, actor, sheet)
    if version != sheet.version:
        raise Conflict(
            Text(
                "您看到的不是最新一版，没有封存。请重新打开后核对。",
                "You were not looking at the latest version, so nothing was sealed. Open it again "
                "and check.",
            )
        )
    changes.must_be_complete(session, sheet)
    changes.must_be_signed(actor, signed_name)
    holds.must_be_whole(session, sheet)
    changes.freeze(session, sheet)
    record_seal(session, actor, sheet)
    return sheet


def record_seal(session: Session, actor: Viewer, sheet: Filled, **data: Any) -> Event:
    """The sealed ledger entry of a seal, whose leaf gives the sheet its receipt code; `data` is
    what a tablet's seal adds. Returns the entry."""
    entry = append(
        session,
        actor,
        "sheet.sealed",
        sealed=True,
        sheet=sheet.id,
        entries=digest(sheet.entries),
        instrument=sheet.instrument_digest,
        **data,
    )
    sheet.receipt_seq = entry.seq
    sheet.receipt = receipt_code(entry.leaf)
    session.flush()
    return entry


def correct(session: Session, actor: Viewer, *, sheet: Filled, reason: str) -> Filled:
    """A new version of a sealed sheet, with a reason. The sealed one counts until the new one is
    sealed; both are kept."""
    own = queries.own_sheet(session, actor, sheet.id)
    changes.must_be_in_time(session, sheet.sitting)
    live = queries.live_version(session, sheet)
    if (
        own.state == "sealed"
        and live is not None
        and live.id != sheet.id
        and len(reason.strip()) > 4
    ):
        return live
    holds.must_be_here(session, own)
    new = changes.next_version(session, own, reason)
    append(session, actor, "sheet.correction_begun", sealed=True, sheet=new.id)
    return new


def recuse(session: Session, actor: Viewer, *, sitting: Sitting, reason: str) -> Sheet:
    """An expert stands aside from one county. It is a state with a reason, never a mark."""
    actor.require("expert")
    seat = panels.working_seat(session, actor, sitting.panel)
    if seat is None:
        raise Forbidden(Text("您不是本组成员。", "You do not sit on this panel."))
    return _final(session, actor, sitting, seat, "recused", reason)


def mark_absent(
    session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat, reason: str
) -> Sheet:
    """The office records that a member does not score this county. Never read as zero."""
    actor.require("office")
    if seat.id not in {row.id for row in panels.seats(session, sitting.panel)}:
        raise DomainError(Text("该席位不在本组。", "That seat is not on this panel."))
    return _final(session, actor, sitting, seat, "absent", reason)


def _final(
    session: Session, actor: Viewer, sitting: Sitting, seat: Seat, state: str, reason: str
) -> Sheet:
    changes.must_be_open(sitting)
    if len(reason.strip()) < 2:
        raise DomainError(
            Text("请写明理由。没有任何改动。", "State the reason. Nothing was changed."),
            field="reason",
        )
    sheet = queries.live_sheet(session, sitting, seat)
    if sheet is not None and sheet.state != "draft":
        raise NotNow(Text("这张表已经定稿。", "This sheet is final already."))
    if sheet is not None and sheet.supersedes_id:
        raise NotNow(
            Text(
                "这张表正在更正，封存的一版仍然有效。没有任何改动。",
                "This sheet is being corrected and its sealed version counts. Nothing was changed.",
            )
        )
    sheet = sheet or _begun(session, sitting, seat)
    sheet.state, sheet.reason, sheet.sealed_at = state, reason.strip(), clock.now()
    sheet.version += 1
    append(session, actor, f"sheet.{state}", sealed=True, sheet=sheet.id)
    return sheet


def _begun(session: Session, sitting: Sitting, seat: Seat) -> Sheet:
    sheet = changes.begin(session, sitting, seat)
    assert isinstance(sheet, Sheet)
    return sheet


def close_scoring(session: Session, actor: Viewer, *, sitting: Sitting) -> None:
    """End the sitting once every active seat has a final sheet; who is missing is named. Where a
    correction was begun and not sealed, the sealed version stays the one that counts."""
    actor.require("office")
    changes.must_be_open(sitting)
    reentries.none_waiting(session, sitting_id=sitting.id)
    waiting = queries.unfinished(session, sitting)
    if waiting:
        names = "、".join(disclosure.shown_names(session, waiting))
        raise NotNow(
            Text(
                "还不能结束，以下成员未封存：{names}。没有任何改动。",
                "It cannot end yet; these members have not sealed: {names}. Nothing was changed.",
            ).format(names=names),
            what=Text("结束会议", "end the sitting"),
        )
    sitting.phase, sitting.closed_at = "closed", clock.now()
    append(session, actor, "sitting.closed", sitting=sitting.id)
