"""Case files from a table (XLSX, CSV or pasted cells): checked row by row, all or nothing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.documents.tables import read_table
from app.domain.types import DomainError, Text
from app.ledger.append import append
from app.programme.casefiles import CaseState, add_case, case_states, checked_case
from app.programme.guards import require, while_live
from app.programme.models import Round, Subject

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
_EMPTY = Text("表中没有数据行。没有登记。", "The table has no rows. Nothing was registered.")
_NO_COUNTY = Text("没有参评区县“{name}”", "there is no county “{name}” in this round")
_CLOSED = Text("{c}的清单已封闭", "the list of {c} is closed")
_KNOWN = Text("该案卷已登记", "this case file is registered already")
_TWICE = Text("与第 {row} 行重复", "repeats row {row}")
_DATE = Text("日期“{d}”应写作 2008-03-15", "the date “{d}” should be written 2008-03-15")
_REFUSED = Text(
    "表中有 {n} 处错误，没有登记任何案卷。第一处：第 {row} 行“{column}”：{text}",
    "The table has {n} error(s), so nothing was registered. The first: row {row}, {column}: {text}",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong cell: `row` as the spreadsheet counts, `column` a key of COLUMNS."""

    row: int
    column: str
    text: Text


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
    table = read_table(data, filename, max_rows=MAX_ROWS)
    places = _columns(table.headers)
    states = {state.subject.id: state for state in case_states(session, round_)}
    rows: list[PlannedCase] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str], int] = {}
    lines = [(r.number, {key: r.cells[i] for key, i in places.items()}) for r in table.rows]
    lines = [(number, line) for number, line in lines if any(line.values())]
    if not lines:
        raise DomainError(_EMPTY, field="file")
    for number, line in lines:
        planned = _planned(round_, states, number, line)
        if isinstance(planned, Problem):
            problems.append(planned)
            continue
        place = (planned.subject.id, planned.number)
        if place in first:
            problems.append(Problem(number, "number", _TWICE.format(row=first[place])))
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
    if plan.problems:
        worst = plan.problems[0]
        text = _REFUSED.format(
            n=len(plan.problems), row=worst.row, column=COLUMNS[worst.column], text=worst.text
        )
        raise DomainError(text, field="file")
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


def _head(text: str) -> str:
    return re.sub(r"[\s*:：_]", "", unicodedata.normalize("NFKC", text).lower())


def _columns(headers: tuple[str, ...]) -> dict[str, int]:
    known = {_head(word): key for key, t in COLUMNS.items() for word in (key, t.zh, t.en)}
    found: dict[str, int] = {}
    for index, head in enumerate(headers):
        key = known.get(_head(head))
        if key is not None:
            found.setdefault(key, index)
    missing = [text for key, text in COLUMNS.items() if key not in found]
    if missing:
        listed = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
        raise DomainError(_NO_COLUMN.format(columns=listed), field="file")
    return found


def _planned(
    round_: Round, states: dict[str, CaseState], number: int, line: dict[str, str]
) -> PlannedCase | Problem:
    name = unicodedata.normalize("NFKC", line["county"])
    subject = next(
        (s for s in round_.subjects if name in (s.name_zh, s.name_en, s.region_code)), None
    )
    if subject is None or subject.id not in states:
        return Problem(number, "county", _NO_COUNTY.format(name=name))
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
