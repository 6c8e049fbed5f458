"""Case files from a table (XLSX, CSV or pasted cells): checked row by row, all or nothing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.ledger.append import append
from app.programme.casefiles import CaseState, add_case, case_states, checked_case
from app.programme.guards import require, while_live
from app.programme.models import Round, Subject
from app.programme.table_lines import (
    NO_COUNTY,
    TWICE,
    Problem,
    county_named,
    read_lines,
    refuse_all,
    table_heads,
)

MAX_ROWS = 5_000
COLUMNS = {
    "county": Text("区县", "County"),
    "kind": Text("类型", "Type"),
    "number": Text("案卷号", "Number"),
    "title": Text("案卷名称", "Title"),
    "on": Text("日期", "Date"),
}
_NO_COLUMN = Text(
    "表中没有这些列：{columns}。没有登记任何案卷；请使用：区县、类型、案卷号、案卷名称、日期。",
    "The table lacks the columns {columns}. Nothing was registered; use: county, type, number, "
    "title, date.",
)
HEADS = table_heads("case files", COLUMNS, tuple(COLUMNS), _NO_COLUMN)
_EMPTY = Text("表中没有数据行。没有登记。", "The table has no rows. Nothing was registered.")
_CLOSED = Text("{c}的清单已封闭", "the list of {c} is closed")
_KNOWN = Text("该案卷已登记", "this case file is registered already")
_DATE = Text("日期“{d}”应写作 2008-03-15", "the date “{d}” should be written 2008-03-15")
_REFUSED = Text(
    "表中有 {n} 处错误，没有登记任何案卷。第一处：第 {row} 行“{column}”：{text}",
    "The table has {n} error(s), so nothing was registered. The first: row {row}, {column}: {text}",
)


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One good row."""

    row: int
    subject: Subject
    kind: str
    number: str
    title: str
    on: date


@dataclass(frozen=True, slots=True)
class CasePlan:
    """What an import would do. It does nothing while there is a problem."""

    file_hash: str
    rows: tuple[PlannedCase, ...]
    problems: tuple[Problem, ...]


def plan_cases(
    session: Session, actor: Viewer | None, round_: Round, data: bytes, filename: str
) -> CasePlan:
    """The dry run: say row by row what would be registered. Raises DomainError when it is no table."""
    require(actor, "office")
    lines = read_lines(session, data, filename, HEADS, max_rows=MAX_ROWS, empty=_EMPTY)
    states = {state.subject.id: state for state in case_states(session, round_)}
    rows: list[PlannedCase] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str], int] = {}
    for number, line in lines:
        planned = _planned(round_, states, number, line)
        if isinstance(planned, Problem):
            problems.append(planned)
            continue
        place = (planned.subject.id, planned.number)
        if place in first:
            problems.append(Problem(number, "number", TWICE.format(row=first[place])))
            continue
        first[place] = number
        rows.append(planned)
    return CasePlan(hashlib.sha256(data).hexdigest(), tuple(rows), tuple(problems))


def import_cases(
    session: Session, actor: Viewer | None, round_: Round, data: bytes, filename: str
) -> CasePlan:
    """Register a whole table. DomainError naming the first wrong cell; nothing is registered then."""
    while_live(round_)
    plan = plan_cases(session, actor, round_, data, filename)
    refuse_all(plan.problems, COLUMNS, _REFUSED)
    for row in plan.rows:
        add_case(
            session, actor, row.subject,
            kind=row.kind, number=row.number, title=row.title, on=row.on,
        )  # fmt: skip
    append(
        session, actor, "casefile.import",
        round=round_.id, file=plan.file_hash, rows=len(plan.rows),
    )  # fmt: skip
    return plan


def _planned(
    round_: Round, states: dict[str, CaseState], number: int, line: dict[str, str]
) -> PlannedCase | Problem:
    try:
        subject = county_named(round_, line["county"])
    except DomainError as error:
        return Problem(number, "county", error.text)
    if subject.id not in states:
        return Problem(number, "county", NO_COUNTY.format(name=line["county"]))
    state = states[subject.id]
    if state.closing is not None:
        return Problem(number, "county", _CLOSED.format(c=subject.name))
    day = re.sub(r"[年月/.]", "-", unicodedata.normalize("NFKC", line["on"])).rstrip("日")
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", day)
    try:
        on = date(*map(int, found.groups())) if found else None
    except ValueError:
        on = None
    if on is None:
        return Problem(number, "on", _DATE.format(d=line["on"]))
    try:
        kind, case, title = checked_case(
            state.instrument, line["kind"], line["number"], line["title"], on
        )
    except DomainError as error:
        return Problem(number, error.field if error.field in COLUMNS else "number", error.text)
    if any(row.number == case for row in state.live):
        return Problem(number, "number", _KNOWN)
    return PlannedCase(number, subject, kind, case, title, on)
