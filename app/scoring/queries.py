"""Reading sheets. Nobody sees another expert's marks, counts or order before sealing; the leader
sees sealed or not sealed; the office sees item counts; supervisor and administrator no marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from app.accounts.viewer import Viewer
from app.domain.scoring.sheets import check_sheet, sheet_items, sheet_points
from app.domain.types import DomainError, NotFound, Text
from app.draw.models import Seat
from app.panel import queries as panels
from app.panel.models import Attendance, Panel, Sitting
from app.programme.computed import computed_points_of
from app.registry.models import Expert
from app.scoring import cases, given
from app.scoring.models import CaseSheet, Filled, Sheet

ABSENT = Text(
    "没有找到这张评分表，或者它不对您开放。", "There is no such sheet, or it is not open to you."
)
LIVE = ("draft", "sealed", "recused", "absent")
FINAL = ("sealed", "recused", "absent")


@dataclass(frozen=True, slots=True)
class Duty:
    """One county that the viewer has to score: the sitting, his seat, his live sheet if begun."""

    sitting: Sitting
    seat: Seat
    sheet: Sheet | None
    signed_in: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one seat is. Counts are None for whoever may not see them."""

    seat: Seat
    state: str
    done: int | None
    total: int | None
    cases: tuple[int, int] | None = None  # case-file sheets sealed, and how many there are


def live_sheet(session: Session, sitting: Sitting, seat: Seat) -> Sheet | None:
    """The latest revision that is not superseded. Its sitting and seat are in the session already, so
    they are not joined again."""
    return session.scalar(
        select(Sheet)
        .options(lazyload(Sheet.sitting), lazyload(Sheet.seat))
        .where(Sheet.sitting_id == sitting.id, Sheet.seat_id == seat.id, Sheet.state.in_(LIVE))
        .order_by(Sheet.revision.desc())
        .limit(1)
    )


def duties(session: Session, viewer: Viewer) -> list[Duty]:
    """What the viewer has to score, in every round, by day and order."""
    found = []
    for panel in panels.own_panels(session, viewer):
        seat = panels.working_seat(session, viewer, panel)
        if seat is None:
            continue
        sheets: dict[str, Sheet] = {}
        for sheet in session.scalars(
            select(Sheet)
            .where(Sheet.seat_id == seat.id, Sheet.state.in_(LIVE))
            .order_by(Sheet.revision)
        ):
            sheets[sheet.sitting_id] = sheet
        present = set(
            session.scalars(select(Attendance.sitting_id).where(Attendance.seat_id == seat.id))
        )
        found += [Duty(s, seat, sheets.get(s.id), s.id in present) for s in panel.sittings]
    return found


def live_version(session: Session, sheet: Filled) -> Filled | None:
    """The latest revision of what `sheet` is a revision of."""
    if isinstance(sheet, CaseSheet):
        return cases.live_sheet(session, sheet.case_file, sheet.seat)
    return live_sheet(session, sheet.sitting, sheet.seat)


def own_sheet(session: Session, viewer: Viewer, sheet_id: str) -> Filled:
    """The viewer's own sheet on his seat, of a county or of a case file; NotFound for everybody
    else, whatever the role."""
    kinds: tuple[type[Sheet] | type[CaseSheet], ...] = (Sheet, CaseSheet)
    for kind in kinds:
        sheet: Filled | None = session.scalar(
            select(kind)
            .join(Seat, kind.seat_id == Seat.id)
            .join(Expert, Seat.expert_id == Expert.id)
            .where(
                kind.id == sheet_id,
                Expert.person_id == viewer.person_id,
                panels.at_work(),
            )
        )
        if sheet is not None and viewer.role == "expert":
            return sheet
    raise NotFound(ABSENT)


def must_be_own(session: Session, viewer: Viewer, sheet: Filled) -> None:
    """NotFound unless `own_sheet` would give this sheet, which is at hand: a save happens at every
    change, and reading the row again with its instrument would take a quarter of its time."""
    seat = session.scalar(
        select(Seat.id)
        .join(Expert, Seat.expert_id == Expert.id)
        .where(
            Seat.id == sheet.seat_id,
            Expert.person_id == viewer.person_id,
            panels.at_work(),
        )
    )
    if seat is None or viewer.role != "expert":
        raise NotFound(ABSENT)


def standing(sheet: Filled) -> dict[str, Any]:
    """A sheet as its own expert sees it: points so far, and what keeps it from being sealed."""
    return standing_of(sheet.instrument, sheet.entries)


def standing_of(instrument: dict[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
    """As `standing`, of entries that are no sheet's yet."""
    points = sheet_points(instrument, entries)
    problems = check_sheet(instrument, entries)
    own = sheet_items(instrument)
    by_item: dict[str, list[Text]] = {}
    for problem in problems:
        by_item.setdefault(problem.item_id, []).append(problem.text)
    applying = [item for item in own if item["applies"]]
    return {
        "items": own,
        "points": points.items,
        "marked": points.marked,
        "maximum": points.marked_maximum,
        "problems": by_item,
        "missing": sum(1 for p in problems if p.code == "missing"),
        "wrong": sum(1 for p in problems if p.code != "missing"),
        "done": sum(1 for item in applying if item["id"] not in by_item),
        "total": len(applying),
    }


def computed_beside(session: Session, sheet: Filled) -> list[dict[str, Any]]:
    """The items of a sheet that its expert does not fill in, with their points and what is behind
    them: figures, the expert's own case-file sheets, or what somebody else gave and a second person
    confirmed. Without points while something is missing or unconfirmed."""
    own = {item["id"] for item in sheet_items(sheet.instrument)}
    others = [i for i in sheet.instrument["items"] if i["applies"] and i["id"] not in own]
    if not others:
        return []
    panel, subject = sheet.sitting.panel, sheet.sitting.subject
    try:
        found = dict(computed_points_of(session, panel.round, panel.stage, subject))
    except DomainError:  # said by name to the office, which has to fill it in
        found = {}
    found |= cases.rows_beside(session, sheet)
    found |= given.rows_beside(session, subject, panel.stage)
    return [{"item": item, **found.get(item["id"], {})} for item in others]


def progress(session: Session, viewer: Viewer, sitting: Sitting) -> list[Progress]:
    """State of every seat of a sitting. The office sees item counts, the leader only whether a
    sheet is sealed, and nobody any mark."""
    panel = sitting.panel
    own = panels.own_seat(session, viewer, panel) if viewer.role == "expert" else None
    leads = own is not None and panel.leader_seat_id == own.id
    if viewer.role not in ("office", "supervisor") and not leads:
        raise NotFound(ABSENT)
    latest = {  # of each seat the last, for later revisions come later
        sheet.seat_id: sheet
        for sheet in session.scalars(
            select(Sheet)
            .options(lazyload(Sheet.sitting), lazyload(Sheet.seat))
            .where(Sheet.sitting_id == sitting.id, Sheet.state.in_(LIVE))
            .order_by(Sheet.revision)
        )
    }
    rows = []
    for seat in panels.seats(session, panel):
        sheet = latest.get(seat.id)
        state = sheet.state if sheet else "not_begun"
        if viewer.role == "office":
            count = standing(sheet) if sheet else None
            work = cases.work_read(session, sitting, seat)
            rows.append(
                Progress(
                    seat,
                    state,
                    count["done"] if count else 0,
                    count["total"] if count else None,
                    (len(work.files) - len(work.open), len(work.files)) if work else None,
                )
            )
        else:
            shown = state if state in FINAL else "unsealed"
            rows.append(Progress(seat, shown, None, None))
    return rows


def sealed_sheets(session: Session, round_id: str) -> list[Sheet]:
    """Every counting sheet of a round: sealed, recused or absent, on an active seat."""
    return list(
        session.scalars(
            select(Sheet)
            .join(Seat, Sheet.seat_id == Seat.id)
            .join(Sitting, Sheet.sitting_id == Sitting.id)
            .where(
                Sitting.panel.has(round_id=round_id),
                Seat.state != "removed",
                Sheet.state.in_(FINAL),
            )
            .order_by(Sitting.position, Seat.number)
        )
    )


def unfinished(session: Session, sitting: Sitting) -> list[Seat]:
    """Active seats without a final sheet; a correction that is under way leaves the old one."""
    done = set(
        session.scalars(
            select(Sheet.seat_id).where(Sheet.sitting_id == sitting.id, Sheet.state.in_(FINAL))
        )
    )
    return [seat for seat in panels.seats(session, sitting.panel) if seat.id not in done]


def to_close(session: Session, panel: Panel, sittings: list[Sitting]) -> list[Sitting]:
    """Of a panel's sittings, those in scoring at which nobody is `unfinished`: two queries, or none."""
    scoring = [sitting for sitting in sittings if sitting.phase == "scoring"]
    if not scoring:
        return []
    active = {seat.id for seat in panels.seats(session, panel)}
    final = session.execute(
        select(Sheet.sitting_id, Sheet.seat_id).where(
            Sheet.sitting_id.in_([row.id for row in scoring]), Sheet.state.in_(FINAL)
        )
    )
    done = {(sitting_id, seat_id) for sitting_id, seat_id in final}
    return [row for row in scoring if all((row.id, seat) in done for seat in active)]
