"""What changes a sheet, without a ledger entry of its own: the one way, whoever asks.

The pages (`operations`) record each change by itself; the field application records a whole batch of a
tablet's operations as one entry. Both go through here, so the rules are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.sheets import check_sheet, sheet_items, sheet_points
from app.domain.types import DomainError, Forbidden, NotFound, NotNow, Text
from app.draw.models import Seat
from app.panel import queries as panels
from app.panel import votes
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.programme.models import CaseFile
from app.scoring import cases, queries
from app.scoring.entries import merged
from app.scoring.models import CaseSheet, Filled, Sheet

SHORTEST_REASON = 5  # characters, of a withdrawal; the tablets know it too (engine/words.js)
FilledT = TypeVar("FilledT", bound=Filled)

_SCORE = Text("评分", "score")
_NOT_OPEN = Text(
    "现在不能评分：{why}。已保存的内容都在。",
    "Scoring is not open: {why_en}. Everything saved is kept.",
)


class Incomplete(DomainError):
    """A sheet that cannot be sealed because something is missing or wrong."""


def not_open(why: str, why_en: str) -> NotNow:
    """The refusal of a step for which scoring would have to be open. For the caller to raise."""
    return NotNow(_NOT_OPEN.format(why=why, why_en=why_en), what=_SCORE)


def must_be_open(sitting: Sitting) -> None:
    """Conflict unless the members are scoring."""
    if sitting.phase == "closed":
        raise not_open("本次评分已结束", "this sitting is over")
    if sitting.phase != "scoring":
        raise not_open("评分尚未开放", "the office has not opened it yet")


def must_be_in_time(session: Session, sitting: Sitting) -> None:
    """Conflict unless the members are scoring and the closing time lies ahead, by the server's clock."""
    must_be_open(sitting)
    ended = votes.ended_at(session, sitting)
    if ended is not None:
        zone = ZoneInfo(session.info["settings"].timezone)
        shown = ended.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        raise NotNow(votes.TIME_OVER.format(t=shown), what=_SCORE)


def seat_of(session: Session, actor: Viewer, sitting: Sitting) -> Seat:
    """The actor's seat, declared and present: what he needs besides that scoring is open."""
    actor.require("expert")
    seat = panels.working_seat(session, actor, sitting.panel)
    if seat is None:
        raise Forbidden(Text("您不是本组成员。", "You do not sit on this panel."))
    must_be_ready(session, sitting, seat)
    return seat


def must_be_ready(session: Session, sitting: Sitting, seat: Seat) -> None:
    """Conflict unless the member has signed both declarations and signed in."""
    if not panels.has_declared(session, sitting.panel, seat):
        raise not_open(
            "请先签署两份承诺书（声明有利害关系的不能评分）",
            "sign both declarations first (a declared conflict stops scoring)",
        )
    if seat.id not in panels.attendance(session, sitting):
        raise not_open("请先签到", "sign in to the sitting first")


def must_be_sampled(sitting: Sitting, case: CaseFile) -> None:
    """NotFound unless the case file was sampled, of this county."""
    if case.subject_id != sitting.subject_id or not case.sampled:
        raise NotFound(queries.ABSENT)


def must_score(session: Session, sitting: Sitting, seat: Seat) -> None:
    """Conflict for a member who stands aside from the county or is absent."""
    whole = queries.live_sheet(session, sitting, seat)
    if whole is not None and whole.state in ("recused", "absent"):
        raise not_open("您对本县不评分", "you do not score this county")


def place_of(sitting: Sitting, case: CaseFile | None) -> str:
    """The stage whose form a sheet is filled in on."""
    return cases.CASEFILE if case is not None else sitting.panel.stage


def begin(session: Session, sitting: Sitting, seat: Seat, case: CaseFile | None = None) -> Filled:
    """An empty sheet of a county, or of a case file, on the form that is pinned for it."""
    version, instrument = instrument_for(
        session, sitting.panel.round, sitting.subject, place_of(sitting, case)
    )
    common = {
        "sitting": sitting,
        "sitting_id": sitting.id,
        "seat": seat,
        "seat_id": seat.id,
        "form_version_id": version.id,
        "instrument": instrument,
        "instrument_digest": instrument["digest"],
        "entries": {},
        "saved_at": clock.now(),
    }
    sheet: Filled = (
        Sheet(**common)
        if case is None
        else CaseSheet(case_file=case, case_file_id=case.id, **common)
    )
    session.add(sheet)
    session.flush()
    return sheet


def change(sheet: Filled, changes: Mapping[str, Any]) -> None:
    """Put what changed (`ITEM.part` -> value, as typed) on a draft. DomainError: no such item."""
    try:
        sheet.entries = merged(sheet_items(sheet.instrument), sheet.entries, changes)
    except KeyError as error:
        raise DomainError(
            Text(
                "评分表上没有这一项：{i}。未保存。", "No such item: {i}. Nothing was saved."
            ).format(i=str(error.args[0])[:40])
        ) from error
    moved(sheet)


def moved(sheet: Filled) -> None:
    """Count a change of a draft."""
    sheet.version += 1
    sheet.saved_at = clock.now()


def must_be_complete(
    session: Session, sheet: Filled, entries: Mapping[str, Any] | None = None
) -> None:
    """Incomplete, or a Conflict naming case files, unless the sheet can be sealed (with `entries` in
    place of its own)."""
    problems = check_sheet(sheet.instrument, sheet.entries if entries is None else entries)
    if problems:
        raise Incomplete(
            Text(
                "还有 {n} 处未完成，没有封存：{first}",
                "{n} things are unfinished and nothing was sealed: {first}",
            ).format(n=len(problems), first=problems[0].text)
        )
    cases.must_be_reviewed(session, sheet)


def must_be_signed(actor: Viewer, signed_name: str) -> None:
    """DomainError unless the signature is the actor's name."""
    if signed_name.strip() != actor.name:
        raise DomainError(
            Text(
                "签名须与您的姓名（{name}）一致。没有封存，内容都在。",
                "The signature must be your name ({name}). Nothing was sealed; all is kept.",
            ).format(name=actor.name),
            field="signed_name",
        )


def freeze(session: Session, sheet: Filled) -> None:
    """Make a complete draft the sheet that counts; the one that it corrects is superseded."""
    previous = session.get(type(sheet), sheet.supersedes_id) if sheet.supersedes_id else None
    if previous:
        previous.state = "superseded"
    sheet.state = "sealed"
    sheet.sealed_at = clock.now()
    sheet.marked = sheet_points(sheet.instrument, sheet.entries).marked


def next_version(session: Session, sheet: Filled, reason: str) -> Filled:
    """A draft of the next revision of a sealed sheet, with the same entries."""
    if sheet.state != "sealed":
        raise NotNow(Text("只有已封存的表可以更正。", "Only a sealed sheet can be corrected."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise DomainError(
            Text(
                "请写明更正理由（至少 {n} 个字）。原表未变。",
                "State the reason ({n} characters or more). The sheet is unchanged.",
            ).format(n=SHORTEST_REASON),
            field="reason",
        )
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
    return new
