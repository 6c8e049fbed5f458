"""The panel board: one panel's day on one page. Who has declared, signed in, how far each sheet is, what
waits for upload, for a statement, for its owner or for the supervisor. States, counts, times: never a
mark. The number of queries is the same for one sitting and for twelve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account, Tablet
from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.models import Seat
from app.field.models import FieldOp, LateSheet
from app.field.models_desk import Reminder
from app.field.places import latest_outcomes
from app.panel import queries as panels
from app.panel.models import Attendance, Declaration, Panel, Sitting
from app.registry.models import Expert
from app.scoring import cases, queries
from app.scoring.models import CaseSheet, Sheet, SheetHold
from app.scoring.models_paper import PaperSheet

SILENT = timedelta(minutes=10)  # a tablet with an open sheet that says nothing for so long

_UNDECLARED = Text("承诺书未签齐", "declarations not signed")
_CONFLICT = Text("声明了利害关系，须更换", "declared a conflict: to be replaced")
_NOT_IN = Text("{c}：未签到", "{c}: not signed in")
_NOT_BEGUN = Text("{c}：尚未开始评分", "{c}: not begun")
TOGETHER = 3  # from so many counties on, what is the same at each is said once
_MANY = Text("{a}、{b}等 {n} 处", "{a}, {b} and others ({n} in all)")
_UNSEALED = Text("{c}：未封存", "{c}: not sealed")
_UNSEALED_N = Text("{c}：已完成 {k}/{n} 项，未封存", "{c}: {k} of {n} items, not sealed")
_CASES = Text("{c}：案卷评查表已封存 {k}/{n}", "{c}: {k} of {n} case-file sheets sealed")
_STATEMENT = Text("{c}：{n} 项操作等待陈述记录", "{c}: {n} operations wait for the statement")
_MEDIA = Text("{c}：已签名，照片没有传齐", "{c}: signed, photos still to come")
_BRANCH = Text(
    "{c}：两台设备内容不同，待本人选择", "{c}: two devices differ, the owner has to choose"
)
_LATE = Text("{c}：迟到的评分表待监督人员决定", "{c}: a late sheet waits for the supervisor")
_HELD = Text(
    "{c}：记为缺席，平板上传的 {n} 项操作待监督人员决定",
    "{c}: recorded as absent; {n} operations wait for the supervisor",
)
_SILENT = Text(
    "{c}：平板“{t}”已 {m} 分钟没有联系，可能有内容待上传",
    "{c}: tablet “{t}” silent for {m} minutes; it may hold entries",
)
_PAPER = Text("{c}：纸质表录入中", "{c}: being entered from paper")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is missing. `own`: the member himself can do it, so he can be reminded."""

    kind: str  # wrong | waits
    words: Text
    own: bool


@dataclass(slots=True)
class Cell:
    """One member at one sitting. Counts are None for whoever may not see them."""

    state: str = "not_begun"
    signed_in: datetime | None = None
    done: int | None = None
    total: int | None = None
    cases: tuple[int, int] | None = None
    receipt: str | None = None
    sealed_at: datetime | None = None
    tablet: Tablet | None = None
    statement: int = 0  # operations that wait for the statement
    media: bool = False  # signed, but photos have not arrived
    branches: int = 0
    late: LateSheet | None = None
    paper: bool = False  # entered from paper, now or before


@dataclass(slots=True)
class Row:
    """One member on the day."""

    seat: Seat
    account_id: str | None
    declared: int
    conflict: bool
    cells: dict[str, Cell]
    tablets: list[Tablet]
    problems: list[Problem] = field(default_factory=list)
    reminder: Reminder | None = None

    @property
    def own_problems(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.own]


@dataclass(slots=True)
class Board:
    """A panel's day; `rows` start with whoever misses most."""

    panel: Panel
    on: date
    days: list[date]
    sittings: list[Sitting]
    rows: list[Row]
    made_at: datetime

    def count(self, state: str) -> int:
        return sum(cell.state == state for row in self.rows for cell in row.cells.values())

    @property
    def expected(self) -> int:
        return len(self.rows) * len(self.sittings)

    @property
    def final(self) -> int:
        return sum(self.count(state) for state in queries.FINAL)

    @property
    def missing(self) -> list[Row]:
        return [row for row in self.rows if row.problems]

    @property
    def late(self) -> list[LateSheet]:
        found = (cell.late for row in self.rows for cell in row.cells.values())
        return [row for row in found if row is not None]


def board(session: Session, viewer: Viewer, panel: Panel, on: date | None) -> Board:
    """The board of one day, by default of the first that is not over. Office and supervisor only;
    item counts go to the office alone, as on the page of progress."""
    viewer.require("office", "supervisor")
    days = sorted({sitting.on for sitting in panel.sittings})
    if on not in days:
        going = [s.on for s in panel.sittings if s.phase != "closed"]
        on = min(going, default=days[-1] if days else clock.now().date())
    sittings = [s for s in panel.sittings if s.on == on]
    rows = _rows(session, panel, sittings)
    _presence(session, rows, sittings)
    _sheets(session, rows, sittings, counts=viewer.role == "office")
    _waiting(session, rows, sittings)
    _reminders(session, rows, panel)
    now = clock.now()
    for row in rows:
        row.problems = _problems(row, sittings, now)
    rows.sort(key=lambda row: (-len(row.problems), row.seat.number))
    return Board(panel, on, days, sittings, rows, now)


def _rows(session: Session, panel: Panel, sittings: Sequence[Sitting]) -> list[Row]:
    seats = panels.seats(session, panel)
    accounts: dict[str, str] = dict(
        session.execute(
            select(Expert.id, Account.id)
            .join(Account, Account.person_id == Expert.person_id)
            .where(Expert.id.in_([seat.expert_id for seat in seats]))
        ).all()
    )
    tablets: dict[str, list[Tablet]] = defaultdict(list)
    for row in session.scalars(
        select(Tablet)
        .where(Tablet.account_id.in_(list(accounts.values())), Tablet.revoked_at.is_(None))
        .order_by(Tablet.last_seen_at.desc(), Tablet.id)
    ):
        tablets[row.account_id].append(row)
    made = []
    for seat in seats:
        account = accounts.get(seat.expert_id)
        cells = {sitting.id: Cell() for sitting in sittings}
        made.append(Row(seat, account, 0, False, cells, tablets.get(account or "", [])))
    return made


def _presence(session: Session, rows: Sequence[Row], sittings: Sequence[Sitting]) -> None:
    ids = [row.seat.id for row in rows]
    kinds: dict[str, set[str]] = defaultdict(set)
    ticked: set[str] = set()
    for paper in session.scalars(select(Declaration).where(Declaration.seat_id.in_(ids))):
        kinds[paper.seat_id].add(paper.kind)
        if paper.kind == "conflict" and any(bool(a) for a in paper.answers.values()):
            ticked.add(paper.seat_id)
    here = {
        (row.seat_id, row.sitting_id): row.signed_in_at
        for row in session.scalars(
            select(Attendance).where(Attendance.sitting_id.in_([s.id for s in sittings]))
        )
    }
    for row in rows:
        row.declared, row.conflict = len(kinds[row.seat.id]), row.seat.id in ticked
        for sitting_id, cell in row.cells.items():
            cell.signed_in = here.get((row.seat.id, sitting_id))


def _sheets(
    session: Session, rows: Sequence[Row], sittings: Sequence[Sitting], *, counts: bool
) -> None:
    ids = [sitting.id for sitting in sittings]
    by_seat = {row.seat.id: row for row in rows}
    for sheet in session.scalars(
        select(Sheet)
        .where(Sheet.sitting_id.in_(ids), Sheet.state.in_(queries.LIVE))
        .order_by(Sheet.revision)
    ):
        row = by_seat.get(sheet.seat_id)
        if row is None:
            continue
        cell = row.cells[sheet.sitting_id]
        shown = counts or sheet.state in queries.FINAL
        cell.state = sheet.state if shown else "unsealed"
        cell.receipt = sheet.receipt if sheet.state == "sealed" else None
        cell.sealed_at = sheet.sealed_at if sheet.state == "sealed" else None
        if counts and sheet.state == "draft":
            standing = queries.standing(sheet)
            cell.done, cell.total = standing["done"], standing["total"]
    if not counts:
        for row in rows:
            for cell in row.cells.values():
                cell.state = "unsealed" if cell.state == "not_begun" else cell.state
    else:
        _case_sheets(session, by_seat, sittings)


def _case_sheets(session: Session, rows: dict[str, Row], sittings: Sequence[Sitting]) -> None:
    files = cases.sampled_files(session, [sitting.subject for sitting in sittings])
    sealed: dict[tuple[str, str], int] = dict.fromkeys([], 0)
    for sitting_id, seat_id, n in session.execute(
        select(CaseSheet.sitting_id, CaseSheet.seat_id, func.count())
        .where(CaseSheet.sitting_id.in_([s.id for s in sittings]), CaseSheet.state == "sealed")
        .group_by(CaseSheet.sitting_id, CaseSheet.seat_id)
    ):
        sealed[sitting_id, seat_id] = n
    for sitting in sittings:
        of = len(files[sitting.subject_id])
        for row in rows.values():
            if of:
                row.cells[sitting.id].cases = (sealed.get((sitting.id, row.seat.id), 0), of)


def _waiting(session: Session, rows: Sequence[Row], sittings: Sequence[Sitting]) -> None:
    """What came from tablets and does not count yet, whose the sheets are now, and late ones."""
    ids = {sitting.id for sitting in sittings}
    by_account = {row.account_id: row for row in rows if row.account_id}
    by_seat = {row.seat.id: row for row in rows}
    tablets = {tablet.id: tablet for row in rows for tablet in row.tablets}
    held = session.scalars(
        select(FieldOp).where(
            FieldOp.status == "held",
            FieldOp.account_id.in_(list(by_account)),
            func.substr(FieldOp.sheet_key, 1, 16).in_(list(ids)),
        )
    ).all()
    now = latest_outcomes(session, [op.id for op in held] or ["-"])
    for op in held:
        cell = by_account[op.account_id].cells[op.sheet_key[:16]]
        match now.get(op.id, (op.status, op.why)):
            case ("held", "statement"):
                cell.statement += 1
            case ("held", "media"):
                cell.media = True
    for hold in session.scalars(select(SheetHold).where(SheetHold.seat_id.in_(list(by_seat)))):
        if hold.key[:16] in ids:
            cell = by_seat[hold.seat_id].cells[hold.key[:16]]
            cell.branches += hold.branches
            cell.tablet = tablets.get(hold.tablet_id or "") or cell.tablet
    for late in session.scalars(
        select(LateSheet).where(LateSheet.sitting_id.in_(ids), LateSheet.decision.is_(None))
    ):
        if late.seat_id in by_seat:
            by_seat[late.seat_id].cells[late.sitting_id].late = late
    for paper in session.scalars(
        select(PaperSheet).where(PaperSheet.sitting_id.in_(ids), PaperSheet.given_up_at.is_(None))
    ):
        if paper.seat_id in by_seat:
            by_seat[paper.seat_id].cells[paper.sitting_id].paper = True


def _reminders(session: Session, rows: Sequence[Row], panel: Panel) -> None:
    latest = {
        row.seat_id: row
        for row in session.scalars(
            select(Reminder).where(Reminder.panel_id == panel.id).order_by(Reminder.sent_at)
        )
    }
    for row in rows:
        row.reminder = latest.get(row.seat.id)


def _problems(row: Row, sittings: Iterable[Sitting], now: datetime) -> list[Problem]:
    found: list[Problem] = []

    def say(kind: str, words: Text, own: bool, **values: Any) -> None:
        found.append(Problem(kind, words.format(**values), own))

    nothing: dict[Text, list[Text]] = {_NOT_IN: [], _NOT_BEGUN: []}  # the counties of each
    going = [s for s in sittings if s.phase != "closed"]
    if row.conflict:
        say("wrong", _CONFLICT, False)
    elif row.declared < 2 and going:
        say("waits", _UNDECLARED, True)
    for sitting in sittings:
        cell, c = row.cells[sitting.id], sitting.subject.name
        final = cell.state in queries.FINAL
        if sitting.phase in ("open", "statement", "scoring") and not cell.signed_in and not final:
            nothing[_NOT_IN].append(c)
        if sitting.phase == "scoring" and not final:
            if cell.paper:
                say("waits", _PAPER, False, c=c)
            elif cell.done is not None:
                say("waits", _UNSEALED_N, True, c=c, k=cell.done, n=cell.total)
            elif cell.state == "not_begun":
                nothing[_NOT_BEGUN].append(c)
            else:
                say("waits", _UNSEALED, True, c=c)
            if cell.cases and cell.cases[0] < cell.cases[1]:
                say("waits", _CASES, True, c=c, k=cell.cases[0], n=cell.cases[1])
        if cell.state == "absent" and (cell.statement or cell.media):
            say("wrong", _HELD, False, c=c, n=cell.statement + cell.media)
        elif cell.statement:
            say("waits", _STATEMENT, False, c=c, n=cell.statement)
        elif cell.media:
            say("waits", _MEDIA, True, c=c)
        if cell.branches:
            say("wrong", _BRANCH, True, c=c)
        if cell.late:
            say("wrong", _LATE, False, c=c)
        tablet = cell.tablet
        if sitting.phase == "scoring" and tablet and not final:
            quiet = now - tablet.last_seen_at
            if quiet > SILENT:
                say("waits", _SILENT, True, c=c, t=tablet.label, m=int(quiet.total_seconds() // 60))
    for words, counties in nothing.items():
        if len(counties) >= TOGETHER:
            counties = [_MANY.format(a=counties[0], b=counties[1], n=len(counties))]
        for c in counties:
            say("waits", words, True, c=c)
    return found
