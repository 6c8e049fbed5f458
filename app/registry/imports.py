"""Experts from a spreadsheet: checked whole, shown first, then entered whole or not at all.

Every error is named by row and column. Rows that fit somebody already in the pool are never
entered twice: they are shown with whom they fit, and skipped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import identity
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation, Person
from app.documents.tables import read_table
from app.domain.types import DomainError, Text
from app.keys import Keys
from app.registry import messages, operations, words
from app.registry.columns import (
    READ_DISCIPLINE,
    READ_KIND,
    READ_RANK,
    READ_SOURCE,
    REQUIRED,
    find_columns,
    rank_of_title,
    read_day,
    read_start,
)
from app.registry.models import Expert
from app.registry.operations import Candidate

MAX_ROWS = 20_000

_EMPTY = Text(
    "文件里没有专家。没有导入任何人；请从第二行起每行填写一人。",
    "There is no expert in the file. Nobody was imported; fill in one a row from the second row.",
)
_MISSING = Text("不能为空", "must not be empty")
_NOT_YEAR = Text("“{value}”不是 1950 年至今的年份", "“{value}” is no year from 1950 to now")
_FUTURE = Text("日期晚于今天", "the date lies after today")
_RANK = Text(
    "由职称“{value}”看不出级别，请在“职称级别”列填写",
    "the rank does not follow from the title “{value}”; fill in the column title_rank",
)
_PLACE = Text("没有叫“{value}”的地区，或有多个", "no region, or several, are called “{value}”")
_LONG = Text("超过 200 个字符", "longer than 200 characters")
_EMPLOYER = Text(
    "没有名为“{value}”的单位；请核对名称，或在导入时勾选“新建不认识的单位”",
    "there is no organisation “{value}”; check the name, or tick “create unknown employers”",
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


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell; `row` as the spreadsheet counts."""

    row: int
    column: str
    text: Text


@dataclass(frozen=True)
class Duplicate:
    """A row that fits somebody in the pool (`number`, `status`) or an earlier row (number "")."""

    row: int
    name: str
    why: Text
    number: str = ""
    status: str = ""


@dataclass(frozen=True)
class Ready:
    """A row that can be entered; personal data only masked."""

    row: int
    name: str
    employer: str
    title: str
    consented: bool
    new_employer: bool


@dataclass
class ImportReport:
    """What a file holds. `created` is 0 for a dry run."""

    filename: str
    file_hash: str
    rows: int = 0
    ready: list[Ready] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    new_employers: list[str] = field(default_factory=list)
    created: int = 0


@dataclass
class _Line:
    """One row on its way: values by field, problems as they are met."""

    row: int
    values: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def fail(self, column: str, text: Text) -> None:
        self.problems.append(Problem(self.row, column, text))

    def parse(self, column: str, reader: Callable[[str], Any]) -> Any:
        """The cell through `reader`, None when empty or wrong (then it is noted)."""
        value = self.values.get(column, "")
        if not value:
            return None
        try:
            return reader(value)
        except DomainError as error:
            self.fail(column, error.text)
            return None


def import_experts(
    session: Session,
    actor: Viewer | None,
    data: bytes,
    filename: str,
    *,
    dry_run: bool,
    new_employers: bool = False,
    screening_document: str = "",
) -> ImportReport:
    """Read an XLSX or CSV file of experts (UTF-8 or GBK).

    A dry run writes nothing and reports rows ready, duplicates, errors and unknown employers.
    A real one enters every row that is no duplicate in one ledger event, or, when a single cell is
    wrong, raises DomainError and enters nobody. With `new_employers` unknown ones are created;
    `screening_document` admits those who have consented (see `operations.enrol`).
    """
    if actor is not None:
        actor.require("keeper")
    table = read_table(data, filename, max_rows=MAX_ROWS)
    heads = find_columns(table.headers)
    lines = [
        _Line(number, {name: record[head] for name, head in heads.items()})
        for number, record in table.records()
    ]
    lines = [line for line in lines if any(line.values.values())]
    if not lines:
        raise DomainError(_EMPTY, field="file")
    report = ImportReport(filename, hashlib.sha256(data).hexdigest(), rows=len(lines))
    work = _Reading(session, report, new_employers=new_employers or dry_run)
    candidates = [made for line in lines if (made := work.take(line)) is not None]
    report.problems.sort(key=lambda problem: problem.row)
    if dry_run:
        return report
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
    if not candidates:
        raise DomainError(_NOBODY_NEW, field="file")
    experts = operations.enrol(
        session,
        actor,
        [made() for made in candidates],
        file_hash=report.file_hash,
        screening_document=screening_document,
    )
    report.created = len(experts)
    return report


class _Reading:
    """Checks lines one after another against the database and against each other.

    Look-ups are made once for all: organisations, places, and the people of the pool by keyed
    index and by name.
    """

    def __init__(self, session: Session, report: ImportReport, *, new_employers: bool) -> None:
        self.session, self.report, self.new_employers = session, report, new_employers
        self.keys: Keys = session.info["keys"]
        self.today = clock.today(str(session.info["settings"].timezone))
        self.organisations = directory_queries.organisations_by_key(session)
        self.created: dict[str, Organisation] = {}
        self.places = directory_queries.Places(session)
        self.by_id: dict[str, tuple[str, str]] = {}
        self.by_phone: dict[str, tuple[str, str]] = {}
        self.by_name: dict[tuple[str, str], tuple[str, str]] = {}
        self._load_pool()
        self.rows_by_id: dict[str, int] = {}
        self.rows_by_phone: dict[str, int] = {}
        self.rows_by_name: dict[tuple[str, str], int] = {}

    def _load_pool(self) -> None:
        pool: dict[str, tuple[str, str]] = {}
        names: dict[str, str] = {}
        people = select(
            Person.id,
            Person.name,
            Person.id_index,
            Person.phone_index,
            Expert.number,
            Expert.status,
        ).outerjoin(Expert, Expert.person_id == Person.id)
        for key, name, id_index, phone_index, number, status in self.session.execute(people):
            if id_index:
                self.by_id[id_index] = (number or "", status or "")
            if number is None:
                continue  # staff may share an office phone with an expert
            pool[key], names[key] = (number, status), name
            if phone_index:
                self.by_phone[phone_index] = pool[key]
        posts = select(Employment.person_id, Organisation.name).join(Organisation)
        for key, employer in self.session.execute(posts):
            if key in pool:
                place = directory_queries.organisation_key(employer)
                self.by_name[names[key], place] = pool[key]

    def take(self, line: _Line) -> Callable[[], Candidate] | None:
        """A maker of the candidate, or None when the line is wrong or a duplicate."""
        for column in REQUIRED:
            if not line.values.get(column):
                line.fail(column, _MISSING)
        for column, value in line.values.items():
            if len(value) > 200 and column not in ("note", "specialties"):
                line.fail(column, _LONG)
        name = line.parse("name", identity.clean_name)
        number = line.parse("id_number", identity.clean_id_number)
        phone = line.parse("phone", identity.clean_phone)
        born = self._born(line, number)
        source = line.parse("source", READ_SOURCE)
        region = line.parse("region", self._place)
        facts = {
            "title": line.values.get("title", ""),
            "title_rank": self._rank(line),
            "kind": line.parse("kind", READ_KIND),
            "discipline": line.parse("discipline", READ_DISCIPLINE),
            "source": source,
            "career_start": line.parse("career_start", self._year),
            "since": line.parse("since", read_start),
            "consent_on": line.parse("consent_at", self._past),
            "verified_on": line.parse("verified_on", self._past),
        }
        employer = identity.narrow(line.values.get("employer", ""))
        key = directory_queries.organisation_key(employer)
        known = self.organisations.get(key)
        if known is None and employer and not self.new_employers:
            line.fail("employer", _EMPLOYER.format(value=employer))
        self.report.problems.extend(line.problems)
        if line.problems or name is None:
            return None
        if self._duplicate(line.row, name, key, number, phone):
            return None
        self._note(line, name, employer, key, known, facts)
        values = line.values
        post = " ".join(part for part in (values.get("department"), values.get("post")) if part)
        specialties = [s for s in re.split(r"[;；、,，]\s*", values.get("specialties", "")) if s]

        def make() -> Candidate:
            organisation = self.organisations.get(key) or self._employer(
                key, employer, source, region
            )
            return Candidate(
                name=name,
                organisation=organisation,
                post=post,
                id_number=number,
                phone=phone,
                birth_date=born,
                specialties=specialties,
                region_code=region,
                nominated_by=values.get("nominated_by", ""),
                note=values.get("note", ""),
                **facts,
            )

        return make

    def _note(
        self,
        line: _Line,
        name: str,
        employer: str,
        key: str,
        known: Organisation | None,
        facts: dict[str, Any],
    ) -> None:
        if known is None and employer not in self.report.new_employers:
            self.report.new_employers.append(employer)
        if warning := identity.name_warning(name):
            self.report.warnings.append(Problem(line.row, "name", warning))
        self.report.ready.append(
            Ready(
                line.row, name, employer, facts["title"], bool(facts["consent_on"]), known is None
            )
        )

    def _employer(self, key: str, name: str, kind: str, region: str | None) -> Organisation:
        if key not in self.created:
            self.created[key] = directory.prepare_organisation(
                self.session,
                name=name,
                kind=kind,
                region_code=region,
                source=self.report.filename[:200],
            )
        return self.created[key]

    def _duplicate(
        self, row: int, name: str, key: str, number: str | None, phone: str | None
    ) -> bool:
        id_index = self.keys.blind_index("id|" + number) if number else None
        phone_index = self.keys.blind_index("phone|" + phone) if phone else None
        tests: tuple[tuple[Any, dict[Any, tuple[str, str]], dict[Any, int], Text], ...] = (
            (id_index, self.by_id, self.rows_by_id, messages.SAME_ID),
            ((name, key), self.by_name, self.rows_by_name, messages.SAME_NAME),
            (phone_index, self.by_phone, self.rows_by_phone, messages.SAME_PHONE),
        )
        for value, pool, rows, why in tests:
            if value is not None and value in pool:
                held, status = pool[value]
                self.report.duplicates.append(Duplicate(row, name, why, held, status))
                return True
            if value is not None and value in rows:
                text = messages.SAME_ROW.format(row=rows[value])
                self.report.duplicates.append(Duplicate(row, name, text))
                return True
        for value, _pool, rows, _why in tests:
            if value is not None:
                rows[value] = row
        return False

    def _born(self, line: _Line, number: str | None) -> date | None:
        stated = line.parse("birth_date", read_day)
        try:
            born = identity.birth_date_of(number, stated)
            return identity.check_birth_date(born, self.today)
        except DomainError as error:
            line.fail(error.field or "birth_date", error.text)
            return None

    def _rank(self, line: _Line) -> int | None:
        if line.values.get("title_rank"):
            rank: int | None = line.parse("title_rank", READ_RANK)
            return rank
        title = line.values.get("title", "")
        rank = rank_of_title(title)
        if rank is None and title:
            line.fail("title_rank", _RANK.format(value=title))
        return rank

    def _place(self, value: str) -> str:
        code = self.places.code(value)
        if code is None:
            raise DomainError(_PLACE.format(value=value))
        return code

    def _year(self, value: str) -> int:
        match = re.match(r"(\d{4})(?:年|[-/.]|$)", identity.narrow(value))
        if match is None or not 1950 <= int(match[1]) <= self.today.year:
            raise DomainError(_NOT_YEAR.format(value=value))
        return int(match[1])

    def _past(self, value: str) -> date:
        day = read_day(value)
        if day > self.today:
            raise DomainError(_FUTURE)
        return day
