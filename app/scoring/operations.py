"""A sheet's life: begun, saved at every change, sealed, corrected as a new version.

Every save is one sealed ledger entry of fixed shape, so that nobody reads activity off the ledger.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.canonical import digest
from app.domain.scoring.sheets import check_sheet, sheet_items, sheet_points
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.draw import disclosure
from app.draw.models import Seat
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.programme.models import CaseFile
from app.scoring import cases, queries
from app.scoring.entries import merged
from app.scoring.models import CaseSheet, Filled, Sheet

FilledT = TypeVar("FilledT", bound=Filled)

_NOT_OPEN = Text(
    "现在不能评分：{why}。已保存的内容都在。",
    "Scoring is not open: {why_en}. Everything saved is kept.",
)


def _closed(why: str, why_en: str) -> Conflict:
    return Conflict(_NOT_OPEN.format(why=why, why_en=why_en))


def _must_be_open(sitting: Sitting) -> None:
    if sitting.phase == "closed":
        raise _closed("本次评分已结束", "this sitting is over")
    if sitting.phase != "scoring":
        raise _closed("评分尚未开放", "the office has not opened it yet")


def start_sheet(session: Session, actor: Viewer, *, sitting: Sitting) -> Sheet:
    """Begin a sheet, or return the one begun: an active seat, declared, present, scoring open."""
    seat = _ready(session, actor, sitting)
    found = queries.live_sheet(session, sitting, seat)
    if found is not None:
        return found
    sheet = _new_sheet(session, sitting, seat)
    append(session, actor, "sheet.begun", sealed=True, sheet=sheet.id)
    return sheet


def start_case_sheet(
    session: Session, actor: Viewer, *, sitting: Sitting, case: CaseFile
) -> CaseSheet:
    """Begin the sheet of one sampled case file, or return the one begun. Refused to a member who
    stands aside from the county or is absent."""
    seat = _ready(session, actor, sitting)
    if case.subject_id != sitting.subject_id or not case.sampled:
        raise NotFound(queries.ABSENT)
    found = cases.live_sheet(session, case, seat)
    if found is not None:
        return found
    whole = queries.live_sheet(session, sitting, seat)
    if whole is not None and whole.state in ("recused", "absent"):
        raise _closed("您对本县不评分", "you do not score this county")
    version, instrument = instrument_for(
        session, sitting.panel.round, sitting.subject, cases.CASEFILE
    )
    sheet = CaseSheet(
        case_file=case,
        case_file_id=case.id,
        sitting=sitting,
        sitting_id=sitting.id,
        seat=seat,
        seat_id=seat.id,
        form_version_id=version.id,
        instrument=instrument,
        instrument_digest=instrument["digest"],
        entries={},
        saved_at=clock.now(),
    )
    session.add(sheet)
    session.flush()
    append(session, actor, "sheet.begun", sealed=True, sheet=sheet.id)
    return sheet


def _ready(session: Session, actor: Viewer, sitting: Sitting) -> Seat:
    """The actor's seat, when he may score this county now."""
    actor.require("expert")
    _must_be_open(sitting)
    seat = panels.own_seat(session, actor, sitting.panel)
    if seat is None:
        raise Forbidden(Text("您不是本组成员。", "You do not sit on this panel."))
    if not panels.has_declared(session, sitting.panel, seat):
        raise _closed(
            "请先签署两份承诺书（声明有利害关系的不能评分）",
            "sign both declarations first (a declared conflict stops scoring)",
        )
    if seat.id not in panels.attendance(session, sitting):
        raise _closed("请先签到", "sign in to the sitting first")
    return seat


def _new_sheet(session: Session, sitting: Sitting, seat: Seat) -> Sheet:
    version, instrument = instrument_for(
        session, sitting.panel.round, sitting.subject, sitting.panel.stage
    )
    sheet = Sheet(
        sitting=sitting,
        sitting_id=sitting.id,
        seat=seat,
        seat_id=seat.id,
        form_version_id=version.id,
        instrument=instrument,
        instrument_digest=instrument["digest"],
        entries={},
        saved_at=clock.now(),
    )
    session.add(sheet)
    session.flush()
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
    try:
        sheet.entries = merged(sheet_items(sheet.instrument), sheet.entries, changes)
    except KeyError as error:
        raise DomainError(
            Text(
                "评分表上没有这一项：{i}。未保存。", "No such item: {i}. Nothing was saved."
            ).format(i=str(error.args[0])[:40])
        ) from error
    sheet.version += 1
    sheet.saved_at = clock.now()
    append(session, actor, "sheet.saved", sealed=True, sheet=sheet.id, version=sheet.version)
    return sheet


def _own_draft(session: Session, actor: Viewer, sheet: Filled) -> None:
    queries.must_be_own(session, actor, sheet)
    if sheet.state != "draft":
        raise Conflict(
            Text(
                "评分表已封存，不能直接修改。如需更正，请写明理由另起一版。",
                "The sheet is sealed and does not change. To correct it, start a new version with "
                "a reason.",
            )
        )
    _must_be_open(sheet.sitting)


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
    problems = check_sheet(sheet.instrument, sheet.entries)
    if problems:
        raise DomainError(
            Text(
                "还有 {n} 处未完成，没有封存：{first}",
                "{n} things are unfinished and nothing was sealed: {first}",
            ).format(n=len(problems), first=problems[0].text)
        )
    if signed_name.strip() != actor.name:
        raise DomainError(
            Text(
                "签名须与您的姓名（{name}）一致。没有封存，内容都在。",
                "The signature must be your name ({name}). Nothing was sealed; all is kept.",
            ).format(name=actor.name),
            field="signed_name",
        )
    cases.must_be_reviewed(session, sheet)
    previous = session.get(type(sheet), sheet.supersedes_id) if sheet.supersedes_id else None
    if previous:
        previous.state = "superseded"
    sheet.state = "sealed"
    sheet.sealed_at = clock.now()
    sheet.marked = sheet_points(sheet.instrument, sheet.entries).marked
    entry = append(
        session,
        actor,
        "sheet.sealed",
        sealed=True,
        sheet=sheet.id,
        entries=digest(sheet.entries),
        instrument=sheet.instrument_digest,
    )
    sheet.receipt_seq = entry.seq
    sheet.receipt = receipt_code(entry.leaf)
    session.flush()
    return sheet


def receipt_code(leaf: bytes) -> str:
    """Twelve letters of the leaf hash (60 bits), in threes of four: to read out and to compare."""
    text = base64.b32encode(leaf[:8]).decode()[:12]
    return "-".join(text[i : i + 4] for i in range(0, 12, 4))


def correct(session: Session, actor: Viewer, *, sheet: Filled, reason: str) -> Filled:
    """A new version of a sealed sheet, with a reason. The sealed one counts until the new one is
    sealed; both are kept."""
    own = queries.own_sheet(session, actor, sheet.id)
    _must_be_open(sheet.sitting)
    if own.state != "sealed":
        raise Conflict(Text("只有已封存的表可以更正。", "Only a sealed sheet can be corrected."))
    if len(reason.strip()) < 5:
        raise DomainError(
            Text(
                "请写明更正理由（至少 5 个字）。原表未变。",
                "State the reason (5 characters or more). The sheet is unchanged.",
            ),
            field="reason",
        )
    live = queries.live_version(session, sheet)
    if live is not None and live.id != sheet.id:
        return live
    about = {"case_file_id": sheet.case_file_id} if isinstance(sheet, CaseSheet) else {}
    new: Filled = type(sheet)(
        **about,
        sitting=sheet.sitting,
        sitting_id=sheet.sitting_id,
        seat=sheet.seat,
        seat_id=sheet.seat_id,
        form_version_id=sheet.form_version_id,
        instrument=sheet.instrument,
        instrument_digest=sheet.instrument_digest,
        entries=dict(sheet.entries),
        revision=sheet.revision + 1,
        supersedes_id=sheet.id,
        reason=reason.strip(),
        saved_at=clock.now(),
    )
    session.add(new)
    session.flush()
    append(session, actor, "sheet.correction_begun", sealed=True, sheet=new.id)
    return new


def recuse(session: Session, actor: Viewer, *, sitting: Sitting, reason: str) -> Sheet:
    """An expert stands aside from one county. It is a state with a reason, never a mark."""
    actor.require("expert")
    seat = panels.own_seat(session, actor, sitting.panel)
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
    _must_be_open(sitting)
    if len(reason.strip()) < 2:
        raise DomainError(
            Text("请写明理由。没有任何改动。", "State the reason. Nothing was changed."),
            field="reason",
        )
    sheet = queries.live_sheet(session, sitting, seat)
    if sheet is not None and sheet.state != "draft":
        raise Conflict(Text("这张表已经定稿。", "This sheet is final already."))
    if sheet is not None and sheet.supersedes_id:
        raise Conflict(
            Text(
                "这张表正在更正，封存的一版仍然有效。没有任何改动。",
                "This sheet is being corrected and its sealed version counts. Nothing was changed.",
            )
        )
    sheet = sheet or _new_sheet(session, sitting, seat)
    sheet.state, sheet.reason, sheet.sealed_at = state, reason.strip(), clock.now()
    sheet.version += 1
    append(session, actor, f"sheet.{state}", sealed=True, sheet=sheet.id)
    return sheet


def close_scoring(session: Session, actor: Viewer, *, sitting: Sitting) -> None:
    """End the sitting once every active seat has a final sheet; who is missing is named. Where a
    correction was begun and not sealed, the sealed version stays the one that counts."""
    actor.require("office")
    _must_be_open(sitting)
    waiting = queries.unfinished(session, sitting)
    if waiting:
        names = "、".join(disclosure.shown_names(session, waiting))
        raise Conflict(
            Text(
                "还不能结束，以下成员未封存：{names}。没有任何改动。",
                "It cannot end yet; these members have not sealed: {names}. Nothing was changed.",
            ).format(names=names)
        )
    sitting.phase, sitting.closed_at = "closed", clock.now()
    append(session, actor, "sitting.closed", sitting=sitting.id)
