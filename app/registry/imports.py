"""Experts from a spreadsheet: checked whole, shown first, then entered whole or not at all.

Every error is named by row and column. Rows that fit somebody already in the pool are never entered
twice: what they state otherwise is shown field by field, and changes what was agreed to. Nobody is
removed by being absent from the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.documents.tables import read_table
from app.domain.types import Conflict, DomainError, Text
from app.registry import columns, import_changes, mapping, operations, words
from app.registry.import_reading import NEW, SKIP, Reading
from app.registry.import_report import SHOWN, ImportReport, Line, Problem
from app.registry.models import Expert

__all__ = ["ALL", "MAX_ROWS", "NEW", "SKIP", "ImportReport", "Problem", "import_experts"]

MAX_ROWS = 20_000
ALL = "all"  # every difference is agreed to

_EMPTY = Text(
    "文件里没有专家。没有导入任何人；请从第二行起每行填写一人。",
    "There is no expert in the file. Nobody was imported; fill in one a row from the second row.",
)
_REFUSED = Text(
    "文件有 {n} 处错误，没有导入任何人。第一处：第 {row} 行“{column}”：{text}。请改正后重新上传。",
    "The file has {n} errors and nobody was imported. The first: row {row}, {column}: {text}. "
    "Correct it and upload again.",
)
_NOBODY_NEW = Text(
    "文件中的人都已在库中，没有导入任何人。",
    "Everybody in the file is in the pool already; nobody was imported.",
)
_ASKED = Text(
    "第 {row} 行的“{name}”是库中哪一位还没有回答（共 {n} 行）。没有导入任何人，也没有改动。",
    "Row {row}: it is not said yet who “{name}” is in the pool ({n} such rows). Nobody was imported "
    "and nothing changed.",
)
_STALE = Text(
    "第 {row} 行“{name}”的记录在您查看之后被别人修改。没有导入任何人，也没有改动；请重新试读。",
    "Row {row}: the record of “{name}” was changed by somebody after you saw it. Nobody was imported "
    "and nothing changed; make the dry run again.",
)
_STALE_SOME = Text(
    "库中的记录在您查看之后被别人修改。没有导入任何人，也没有改动；请重新试读。",
    "Records of the pool were changed by somebody after you saw them. Nobody was imported and nothing "
    "changed; make the dry run again.",
)


def import_experts(
    session: Session,
    actor: Viewer | None,
    data: bytes,
    filename: str,
    *,
    dry_run: bool,
    new_employers: bool = False,
    screening_document: str = "",
    given_columns: Mapping[str, str] | None = None,
    answers: Mapping[int, str] | None = None,
    accept: Collection[str] | str = (),
) -> ImportReport:
    """Read an XLSX or CSV file of experts (UTF-8 or GBK).

    A dry run writes nothing and reports rows ready, duplicates with what differs, questions, errors
    and unknown employers. A real one enters every row that is no duplicate and the differences in
    `accept` (`Update.key`, or ALL) in one transaction, or, when a single cell is wrong or a question
    open, raises DomainError and writes nothing.

    With `new_employers` unknown ones are created; `screening_document` admits those who have
    consented (see `operations.enrol`). `given_columns` is field -> head where the heads do not say
    it (see `mapping.choose`); `answers` is row -> number, `new` or `skip`, None asks nothing.
    """
    if actor is not None:
        actor.require("keeper")
    table = read_table(data, filename, max_rows=MAX_ROWS, score=columns.known_heads)
    heads = mapping.choose(session, table.headers, given_columns)
    lines = [
        Line(number, {name: record[head] for name, head in heads.items()})
        for number, record in table.records()
    ]
    lines = [line for line in lines if any(line.values.values())]
    if not lines:
        raise DomainError(_EMPTY, field="file")
    report = ImportReport(filename, hashlib.sha256(data).hexdigest(), rows=len(lines))
    report.columns, report.notices = heads, table.notices
    report.ignored = [head for head in table.headers if head not in heads.values()]
    work = Reading(session, report, new_employers=new_employers or dry_run, answers=answers)
    candidates = [made for line in lines if (made := work.take(line)) is not None]
    import_changes.note_differences(session, report, work.differing)
    report.problems.sort(key=lambda problem: problem.row)
    if dry_run:
        return report
    _refuse(report)
    agreed = _agreed(report, accept)
    if not candidates and not agreed:
        raise DomainError(_NOBODY_NEW, field="file")
    if candidates:
        experts = operations.enrol(
            session,
            actor,
            [made() for made in candidates],
            file_hash=report.file_hash,
            screening_document=screening_document,
        )
        report.created = len(experts)
    if agreed:
        pairs = []
        for key, values in agreed:
            expert = session.get(Expert, key)
            assert expert is not None  # read a moment ago, and never deleted
            pairs.append((expert, values))
        report.updated = operations.update_from_file(
            session, actor, pairs, file_hash=report.file_hash
        )
    return report


def _refuse(report: ImportReport) -> None:
    if report.problems:
        first = report.problems[0]
        raise DomainError(
            _REFUSED.format(
                n=len(report.problems),
                row=first.row,
                column=words.FIELD[first.column],
                text=first.text,
            ),
            field="file",
        )
    waiting = report.open_questions
    if waiting:
        text = _ASKED.format(row=waiting[0].row, name=waiting[0].name, n=len(waiting))
        raise DomainError(text, field="file")


def _agreed(
    report: ImportReport, accept: Collection[str] | str
) -> list[tuple[str, dict[str, Any]]]:
    """Expert id -> what is to be written; Conflict when what was agreed to is no longer what was seen."""
    found, known = [], set()
    for row in report.updates[: None if accept == ALL else SHOWN]:
        update = row.update
        assert update is not None
        names = [c.field for c in update.changes if accept == ALL or update.key(c) in accept]
        known |= {update.key(c) for c in update.changes}
        if names:
            found.append((update.expert_id, {name: update.values[name] for name in names}))
    if accept != ALL and (gone := set(accept) - known):
        heads = [key.split(":")[0] for key in gone]
        row_number = min((int(head) for head in heads if head.isdecimal()), default=0)
        name = next((d.name for d in report.duplicates if d.row == row_number), None)
        if name is None:
            raise Conflict(_STALE_SOME, field="file")
        raise Conflict(_STALE.format(row=row_number, name=name), field="file")
    return found
