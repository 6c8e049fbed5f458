"""What a sheet's key names for one account: sitting, seat, sheet, and what of its logs still waits.

docs/sync-protocol.md sections 2 and 4. One of these serves a whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.field.logs import Attached, Beside, Entries, fold, media_after
from app.domain.field.operations import CHANGES, STATEMENT, Operation, entries_hash, parse
from app.domain.scoring.sheets import sheet_items
from app.domain.types import DomainError, Text
from app.draw.models import Seat
from app.field.media import arrived
from app.field.models import Branch, FieldOp, FieldOutcome, LateSheet
from app.panel import queries as panels
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.programme.models import CaseFile
from app.scoring import cases, changes, holds, queries
from app.scoring.entries import merged
from app.scoring.models import Filled, SheetHold


@dataclass
class Place:
    """One account's sheet, begun or not. `waiting` is held for the statement, `sealing` for media."""

    key: str
    account_id: str
    sitting: Sitting
    seat: Seat
    case: CaseFile | None
    sheet: Filled | None
    hold: SheetHold | None
    stopped: bool = False
    timed: bool = False  # its sitting has a closing time, which may have passed
    ready: bool = False  # asked in this call, and nothing keeps it from being begun
    unlocked: bool = False
    waiting: list[FieldOp] = field(default_factory=list)
    held: int = 0  # more of that kind, out of the batch at hand
    sealing: Operation | None = None
    media: tuple[Attached, ...] | None = None
    instrument: Mapping[str, Any] | None = None

    @property
    def rev(self) -> int:
        return self.sheet.version if self.sheet is not None else 0

    def fits(self, session: Session, form: str) -> bool:
        """Whether an operation was made on the form that this sheet is filled in on."""
        if self.sheet is not None:
            return self.sheet.instrument_digest == form
        return bool(self.compiled(session)["digest"] == form)

    def compiled(self, session: Session) -> Mapping[str, Any]:
        """The instrument, of a sheet that is not begun too. DomainError without one."""
        if self.instrument is None:
            if self.sheet is not None:
                self.instrument = self.sheet.instrument
            else:
                _, self.instrument = instrument_for(
                    session,
                    self.sitting.panel.round,
                    self.sitting.subject,
                    changes.place_of(self.sitting, self.case),
                )
        return self.instrument

    def held_by(self, tablet_id: str) -> bool:
        """Whether this tablet is the active one; so is the first to come to an untouched sheet."""
        if self.hold is not None:
            return self.hold.tablet_id == tablet_id
        sheet = self.sheet
        return sheet is None or (
            not sheet.entries and sheet.revision == 1 and sheet.state in ("draft", "absent")
        )

    def give(self, session: Session, tablet_id: str | None) -> None:
        """Make one device the active one."""
        give = holds.begin if self.hold is None else holds.give
        self.hold = give(session, self.seat.id, self.key, tablet_id)

    def absent(self, session: Session) -> bool:
        """Whether the member was recorded as absent from the county: what waits then is for the
        supervisor to decide, and nothing applies it."""
        whole = self.sheet
        if self.case is not None:
            whole = queries.live_sheet(session, self.sitting, self.seat)
        return whole is not None and whole.state == "absent"

    def why_not(self, session: Session) -> Text | None:
        """What keeps a sheet that is not begun from being begun; None when nothing does."""
        try:
            changes.must_be_open(self.sitting)
            if self.sheet is None:
                changes.must_be_ready(session, self.sitting, self.seat)
                if self.case is not None:
                    changes.must_score(session, self.sitting, self.seat)
        except DomainError as error:
            return error.text
        self.ready = True
        return None

    def attached(self, session: Session) -> tuple[Attached, ...]:
        """What is attached to the sheet now."""
        if self.media is None:
            self.media = attached_to(session, self.sheet)
        return self.media

    def missing(self, session: Session, wanted: Sequence[str]) -> list[str]:
        """Those of `wanted` that have not arrived whole."""
        asked = list(dict.fromkeys(wanted))
        here = arrived(session, self.account_id, asked) if asked else set()
        return [sha for sha in asked if sha not in here]


def find_place(session: Session, viewer: Viewer, key: str) -> Place | None:
    """What `key` names for this viewer; None unless it is his own sheet, on his seat."""
    if viewer.role != "expert" or key.startswith(STATEMENT):
        return None
    sitting_id, _, case_id = key.partition("/")
    sitting = session.get(Sitting, sitting_id)
    seat = panels.working_seat(session, viewer, sitting.panel) if sitting is not None else None
    if sitting is None or seat is None:
        return None
    case = session.get(CaseFile, case_id) if case_id else None
    if case_id and (case is None or not case.sampled or case.subject_id != sitting.subject_id):
        return None
    sheet: Filled | None = (
        cases.live_sheet(session, case, seat)
        if case is not None
        else queries.live_sheet(session, sitting, seat)
    )
    place = Place(key, viewer.id, sitting, seat, case, sheet, holds.holder(session, seat.id, key))
    _load_log(session, viewer.id, place)
    return place


def _load_log(session: Session, account_id: str, place: Place) -> None:
    rows = session.scalars(
        select(FieldOp)
        .where(
            FieldOp.account_id == account_id,
            FieldOp.sheet_key == place.key,
            or_(FieldOp.status == "held", FieldOp.kind.in_(("conflict", "unlock"))),
        )
        .order_by(FieldOp.leaf, FieldOp.position)
    ).all()
    held = [row.id for row in rows if row.status == "held"]
    now = latest_outcomes(session, held)
    place.waiting.clear()
    place.sealing = None
    for row in rows:
        status, why = now.get(row.id, (row.status, row.why))
        if row.kind == "conflict" and status == "accepted":
            place.stopped = True
        if row.kind == "unlock" and status in ("accepted", "held"):
            place.unlocked = True
        if (status, why) == ("held", "statement"):
            place.waiting.append(row)
        elif (status, why) == ("held", "media"):
            place.sealing = operation_of(row)


def reload(session: Session, viewer: Viewer, place: Place) -> None:
    """Read again what an operation of another room, or a settlement, has changed."""
    fresh = find_place(session, viewer, place.key)
    if fresh is not None:
        place.__dict__.update(fresh.__dict__)


def latest_outcomes(session: Session, op_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Operation id -> (status, why) of its latest outcome, where it has one."""
    if not op_ids:
        return {}
    rows = session.scalars(
        select(FieldOutcome)
        .where(FieldOutcome.op_id.in_(op_ids))
        .order_by(FieldOutcome.leaf, FieldOutcome.position)
    )
    return {row.op_id: (row.status, row.why) for row in rows}


def operation_of(row: FieldOp) -> Operation:
    """The operation that a row keeps."""
    return parse(json.loads(row.body))


def applied_to(
    session: Session, sheet_id: str, kinds: frozenset[str] = CHANGES
) -> list[tuple[FieldOp, int]]:
    """The accepted changes on one revision of a sheet, of these kinds, in the order of their
    application, each with the sheet's `rev` after it."""
    direct = session.scalars(
        select(FieldOp).where(
            FieldOp.sheet_id == sheet_id, FieldOp.status == "accepted", FieldOp.kind.in_(kinds)
        )
    )
    found = [(row.leaf, 0, row.position, row, row.rev) for row in direct]
    later = session.execute(
        select(FieldOutcome, FieldOp)
        .join(FieldOp, FieldOp.id == FieldOutcome.op_id)
        .where(
            FieldOutcome.sheet_id == sheet_id,
            FieldOutcome.status == "accepted",
            FieldOp.kind.in_(kinds),
        )
    )
    found += [(o.leaf, 1, o.position, row, o.rev) for o, row in later]
    return [(row, rev) for *_, row, rev in sorted(found, key=lambda r: r[:3])]


def branches_named(session: Session, rows: Sequence[FieldOp]) -> dict[str, Beside]:
    """The branches that `choose` operations among `rows` resolve."""
    ids = [str(operation_of(r).fields["branch"]) for r in rows if r.kind == "choose"]
    if not ids:
        return {}
    return {
        row.id: Beside(row.entries, tuple((a, b) for a, b in row.media))
        for row in session.scalars(select(Branch).where(Branch.id.in_(ids)))
    }


def entries_at(session: Session, sheet: Filled, rev: int) -> Entries | None:
    """A sheet's entries when its `rev` was `rev`; None where a save on the server's page, which is
    no operation, lies before."""
    changed = [(row, at) for row, at in applied_to(session, sheet.id) if at <= rev]
    if [at for _, at in changed] != list(range(1, rev + 1)):
        return None
    start: Entries = {}
    if sheet.supersedes_id:
        start = session.get_one(type(sheet), sheet.supersedes_id).entries
    rows = [row for row, _ in changed]
    return fold(
        start,
        ((row.kind, operation_of(row).fields) for row in rows),
        merger(sheet.instrument),
        branches_named(session, rows),
    )


def merger(instrument: Mapping[str, Any]) -> Any:
    """How one change goes into entries of this form."""
    items = sheet_items(instrument)
    return lambda entries, typed: merged(items, entries, typed)


def attached_to(
    session: Session, sheet: Filled | None, rev: int | None = None
) -> tuple[Attached, ...]:
    """What is attached to a sheet, its earlier revisions included; with `rev`, as it was then."""
    newest = sheet
    chain: list[Filled] = []
    while sheet is not None:
        chain.append(sheet)
        sheet = session.get(type(sheet), sheet.supersedes_id) if sheet.supersedes_id else None
    found: tuple[Attached, ...] = ()
    for revision in reversed(chain):
        rows = [
            row
            for row, at in applied_to(session, revision.id, CHANGES - {"set"})
            if rev is None or revision is not newest or at <= rev
        ]
        beside = branches_named(session, rows)
        for row in rows:
            fields = operation_of(row).fields
            found = media_after(found, row.kind, fields, beside.get(str(fields.get("branch"))))
    return found


def state_of(session: Session, viewer: Viewer, place: Place) -> dict[str, Any]:
    """A sheet as answers tell it (section 4)."""
    sheet, hold = place.sheet, place.hold
    wanted = [sha for _, sha in place.attached(session)] if sheet is not None else []
    late = None
    if place.timed or place.sitting.phase == "closed":
        decision = session.execute(
            select(LateSheet.decision)
            .where(LateSheet.account_id == viewer.id, LateSheet.key == place.key)
            .order_by(LateSheet.arrived_at.desc(), LateSheet.id)
            .limit(1)
        ).first()
        late = (decision[0] or "waiting") if decision else None
    return {
        "rev": place.rev,
        "revision": sheet.revision if sheet is not None else 0,
        "state": sheet.state if sheet is not None else "none",
        "active_tablet": hold.tablet_id if hold is not None else None,
        "media": [list(pair) for pair in place.attached(session)] if sheet is not None else [],
        "media_pending": place.missing(session, wanted),
        "receipt": sheet.receipt if sheet is not None else None,
        "sealed_at": _second(sheet.sealed_at) if sheet is not None and sheet.sealed_at else None,
        "branch": hold is not None and hold.branches > 0,
        "late": late,
        "pending": len(place.waiting) + place.held,
        "entries_hash": entries_hash(sheet.entries if sheet is not None else {}),
    }


def _second(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
