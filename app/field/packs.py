"""The package: all that a tablet needs without signal, in one answer (docs/sync-protocol.md section 2).

It is read in a fixed number of queries, however many counties an expert has, and holds nothing of any
other expert: no mark, no name, no count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.formulas import repeated_items
from app.domain.scoring.measures import plain
from app.domain.scoring.sheets import sheet_items
from app.domain.types import DomainError, Text
from app.draw.models import Seat
from app.draw.supplements import sits_on
from app.field import closing_votes, duties_recorder, readiness, reminders
from app.field.heads import both, head, moment
from app.field.phrases import PHRASES
from app.field.unlocks import unlocks_of
from app.panel import votes
from app.panel.models import Attendance, Declaration, Panel, Sitting
from app.panel.queries import at_work
from app.programme.casefiles import CaseState, case_states
from app.programme.computed import computed_points_each
from app.programme.instruments import awaiting, compiled, pin_for
from app.programme.models import FormVersion, Material, Round
from app.registry.models import Expert
from app.scoring import cases, given
from app.scoring.models import CaseSheet, Filled, Sheet, SheetHold
from app.scoring.queries import LIVE

MaterialUrl = Callable[[str, str], str]  # (slug, material id) -> address


@dataclass(slots=True)
class Read:
    """Everything that the duties of one expert are made of."""

    seats: dict[str, Seat]  # panel id -> the own seat
    sittings: list[Sitting]
    declared: dict[str, dict[str, Declaration]]  # panel id -> kind -> signed
    present: set[str]  # sitting ids
    sheets: dict[str, Sheet] = field(default_factory=dict)  # sitting id -> live
    case_sheets: dict[str, list[CaseSheet]] = field(default_factory=dict)  # sitting id -> all
    case_states: dict[str, CaseState] = field(default_factory=dict)  # subject id -> case files
    computed: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    materials: dict[str, list[Material]] = field(default_factory=dict)  # subject id -> filed
    unlocks: dict[str, str] = field(default_factory=dict)  # sitting id -> hash
    holds: dict[str, SheetHold] = field(default_factory=dict)  # key -> where it is filled in
    closes: dict[str, datetime] = field(default_factory=dict)  # sitting id -> closing time


def pack(session: Session, viewer: Viewer, tablet_id: str, url: MaterialUrl) -> dict[str, Any]:
    """The package of one tablet; `csrf` is for the view to add. An expert gets his counties and
    case files, a recorder the statements to record, a presenter nothing to fill in."""
    viewer.require("expert", "presenter", "office")
    instruments: dict[str, Any] = {}
    duties: list[dict[str, Any]] = []
    if viewer.role == "expert":
        duties = _duties(session, viewer, instruments, url)
    elif viewer.role == "office":
        duties = duties_recorder.statements(session, viewer)
    return {
        "v": 1,
        "tablet": tablet_id,
        "account": viewer.id,
        "name": viewer.name,
        "server_time": moment(clock.now()),
        "duties": duties,
        "instruments": instruments,
        "phrases": [both(text) for text in PHRASES],
        "reminders": reminders.told(session, viewer),
        "votes": closing_votes.told(session, viewer),
    }


def _duties(
    session: Session, viewer: Viewer, instruments: dict[str, Any], url: MaterialUrl
) -> list[dict[str, Any]]:
    read = _read(session, viewer)
    found: list[dict[str, Any]] = []
    for sitting in read.sittings:
        instrument = _instrument(sitting, read.sheets.get(sitting.id))
        if instrument is None:
            continue  # a fact is open or no form is fixed: the office is told by name
        instruments[instrument["digest"]] = instrument
        found.append(_county(read, sitting, instrument, url))
        for case, row in _case_work(read, sitting, instrument):
            form = row.instrument if row else read.case_states[sitting.subject_id].instrument
            instruments[form["digest"]] = form
            found.append(_case(read, sitting, form, case, row, url))
    _say_to_confirm(session, found, instruments)
    return found


def _say_to_confirm(
    session: Session, duties: Iterable[dict[str, Any]], instruments: Mapping[str, dict[str, Any]]
) -> None:
    """Each duty's `to_confirm`: the items of its form that are a default or reconstructed, until an
    administrator has signed that version. Beside the instrument, whose digest a signature leaves."""
    forms = {instrument["form_digest"] for instrument in instruments.values()}
    signed = set(
        session.scalars(
            select(FormVersion.digest).where(
                FormVersion.digest.in_(forms), FormVersion.signed_at.is_not(None)
            )
        )
    )
    for duty in duties:
        instrument = instruments[duty["instrument"]]
        settled = instrument["form_digest"] in signed
        duty["to_confirm"] = [] if settled else awaiting(instrument)


def _read(session: Session, viewer: Viewer) -> Read:
    """All rows, each kind in one query."""
    seated = session.execute(
        select(Panel, Seat)
        .select_from(Panel)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .join(Expert, Seat.expert_id == Expert.id)
        .where(Expert.person_id == viewer.person_id, at_work())
        .order_by(Seat.act)  # a trainee who was drawn later sits on the drawn seat
        .options(
            selectinload(Panel.round).selectinload(Round.subjects),
            selectinload(Panel.round).selectinload(Round.pins),
        )
    ).all()
    panels = [panel for panel, _ in seated]
    seats = {panel.id: seat for panel, seat in seated}
    seat_ids = [seat.id for seat in seats.values()]
    sittings = session.scalars(
        select(Sitting)
        .where(Sitting.panel_id.in_(list(seats)))
        .order_by(Sitting.on, Sitting.position, Sitting.id)
    ).all()
    declared: dict[str, dict[str, Declaration]] = defaultdict(dict)
    for row in session.scalars(select(Declaration).where(Declaration.seat_id.in_(seat_ids))):
        declared[row.panel_id][row.kind] = row
    present = session.scalars(select(Attendance.sitting_id).where(Attendance.seat_id.in_(seat_ids)))
    read = Read(seats, list(sittings), declared, set(present))
    for sheet in session.scalars(
        select(Sheet)
        .where(Sheet.seat_id.in_(seat_ids), Sheet.state.in_(LIVE))
        .order_by(Sheet.revision)
    ):
        read.sheets[sheet.sitting_id] = sheet
    _read_cases(session, read, panels, seat_ids)
    _read_beside(session, read)
    unlocks = unlocks_of(session, [sitting.id for sitting in sittings])
    read.closes = votes.closing_times(session, [sitting.id for sitting in sittings])
    read.unlocks = {key: row.sha256 for key, row in unlocks.items()}
    holds = session.scalars(select(SheetHold).where(SheetHold.seat_id.in_(seat_ids)))
    read.holds = {row.key: row for row in holds}
    return read


def _read_cases(session: Session, read: Read, panels: Iterable[Panel], seat_ids: list[str]) -> None:
    for row in session.scalars(
        select(CaseSheet).where(CaseSheet.seat_id.in_(seat_ids)).order_by(CaseSheet.revision)
    ):
        read.case_sheets.setdefault(row.sitting_id, []).append(row)
    for round_ in {panel.round_id: panel.round for panel in panels}.values():
        if any(pin.stage == cases.CASEFILE for pin in round_.pins):
            for state in case_states(session, round_):
                read.case_states[state.subject.id] = state


def _read_beside(session: Session, read: Read) -> None:
    """What stands beside the marks, for the counties whose materials the viewer may see (C-13)."""
    open_ = [s for s in read.sittings if readiness.has_declared(read.declared[s.panel_id])]
    for row in session.scalars(
        select(Material)
        .where(
            Material.subject_id.in_([s.subject_id for s in open_]),
            Material.withdrawn_at.is_(None),
        )
        .order_by(Material.name, Material.id)
    ):
        read.materials.setdefault(row.subject_id, []).append(row)
    groups: dict[tuple[str, str], list[Sitting]] = defaultdict(list)
    for sitting in open_:
        groups[sitting.panel.round_id, sitting.panel.stage].append(sitting)
    for (_, stage), sittings in groups.items():
        round_ = sittings[0].panel.round
        subjects = list({s.subject_id: s.subject for s in sittings}.values())
        points = computed_points_each(session, round_, stage, subjects)
        theirs = given.given_of(session, round_, subjects)
        for sitting in sittings:
            key = sitting.subject_id
            read.computed[stage, key] = {**points[key], **given.rows_of(theirs[key], stage)}


def _instrument(sitting: Sitting, sheet: Sheet | None) -> dict[str, Any] | None:
    """The sheet's own instrument, or the one that it will be begun on."""
    if sheet is not None:
        return sheet.instrument
    panel, subject = sitting.panel, sitting.subject
    pin = pin_for(panel.round, panel.stage, subject.region_class)
    if pin is None:
        return None
    try:
        return compiled(panel.round, subject, pin.form_version)
    except DomainError:
        return None


def _work(read: Read, sitting: Sitting, instrument: Mapping[str, Any]) -> cases.CaseWork | None:
    state = read.case_states.get(sitting.subject_id)
    if state is None or not repeated_items(instrument):
        return None
    return cases.work_of(state, read.case_sheets.get(sitting.id, []))


def _case_work(
    read: Read, sitting: Sitting, instrument: Mapping[str, Any]
) -> tuple[tuple[Any, CaseSheet | None], ...]:
    """The sampled case files with the live sheet of each, once both declarations are signed."""
    work = _work(read, sitting, instrument)
    if work is None or not readiness.has_declared(read.declared[sitting.panel_id]):
        return ()
    return work.files


def _duty(read: Read, sitting: Sitting, key: str, sheet: Filled | None) -> dict[str, Any]:
    """The part that counties and case files share."""
    return {
        **head(sitting, read.seats[sitting.panel_id].number, read.closes.get(sitting.id)),
        "key": key,
        "unlock_hash": read.unlocks.get(sitting.id),
        "sheet": None if sheet is None else _sheet(sheet, read.holds.get(key)),
        "ready": readiness.shown(
            sitting,
            declared=read.declared[sitting.panel_id],
            present=sitting.id in read.present,
            state=read.sheets[sitting.id].state if sitting.id in read.sheets else None,
        ),
    }


def _county(
    read: Read, sitting: Sitting, instrument: dict[str, Any], url: MaterialUrl
) -> dict[str, Any]:
    return {
        **_duty(read, sitting, sitting.id, read.sheets.get(sitting.id)),
        "kind": "sheet",
        "case": None,
        "instrument": instrument["digest"],
        "computed": _computed(read, sitting, instrument),
        "materials": _materials(read, sitting, url),
    }


def _case(
    read: Read,
    sitting: Sitting,
    instrument: dict[str, Any],
    case: Any,
    row: CaseSheet | None,
    url: MaterialUrl,
) -> dict[str, Any]:
    kinds = {rule["type"]: rule["title"] for rule in instrument["repeat"]["sample"]}
    title = Text.of(kinds[case.kind])
    return {
        **_duty(read, sitting, f"{sitting.id}/{case.id}", row),
        "kind": "case",
        "case": {"id": case.id, "number": case.number, "title": case.title, "kind": both(title)},
        "instrument": instrument["digest"],
        "computed": [],
        "materials": _materials(read, sitting, url),
    }


def _computed(read: Read, sitting: Sitting, instrument: dict[str, Any]) -> list[dict[str, Any]]:
    """The items that the expert does not fill in; without points while something is missing."""
    if not readiness.has_declared(read.declared[sitting.panel_id]):
        return []
    rows = dict(read.computed.get((sitting.panel.stage, sitting.subject_id), {}))
    if repeated_items(instrument):
        rows |= cases.rows_of(instrument, _work(read, sitting, instrument))
    own = {item["id"] for item in sheet_items(instrument)}
    found = []
    for item in instrument["items"]:
        if item["applies"] and item["id"] not in own:
            row = rows.get(item["id"], {})
            points, words = row.get("points"), row.get("explanation")
            found.append(
                {
                    "item": item["id"],
                    "points": None if points is None else plain(points),
                    "words": both(words if words is not None else readiness.NO_POINTS),
                    "inputs": [_figure(figure) for figure in row.get("inputs", [])],
                }
            )
    return found


def _figure(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A figure behind computed points; its source is as typed, or the title of a form."""
    source = figure["source"]
    return {
        "title": both(figure["title"]),
        "value": plain(figure["value"]),
        "unit": both(figure["unit"]),
        "year": figure["year"],
        "source": both(source) if isinstance(source, Text) else source,
    }


def _materials(read: Read, sitting: Sitting, url: MaterialUrl) -> list[dict[str, Any]]:
    """Filed documents, once for each item that they support."""
    return [
        {
            "id": row.id,
            "item": item,
            "title": row.name,
            "mime": row.mime,
            "size": row.size,
            "sha256": row.file_sha256,
            "url": url(sitting.panel.round.slug, row.id),
        }
        for row in read.materials.get(sitting.subject_id, [])
        for item in ([str(i) for i in row.items] or [""])
    ]


def _sheet(sheet: Filled, hold: SheetHold | None) -> dict[str, Any]:
    return {
        "id": sheet.id,
        "rev": sheet.version,
        "revision": sheet.revision,
        "state": sheet.state,
        "entries": sheet.entries,
        "active_tablet": hold.tablet_id if hold is not None else None,
        "sealed_at": moment(sheet.sealed_at),
        "receipt": sheet.receipt,
        "branch": hold is not None and hold.branches > 0,
    }
