"""Rows of an expert file held against the pool and against each other: who is new, whom a row fits,
and where only a person can say who is meant.

Look-ups are made once for the whole file: organisations, places, and the people of the pool by
number, keyed index and name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.directory import identity
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation, Person
from app.domain.types import DomainError, Text
from app.keys import Keys
from app.registry import columns, import_changes, messages, queries
from app.registry.columns import (
    READ_DISCIPLINE,
    READ_KIND,
    READ_RANK,
    READ_SOURCE,
    REQUIRED,
    rank_of_title,
    read_day,
    read_start,
)
from app.registry.import_report import (
    Duplicate,
    ImportReport,
    Line,
    Option,
    Problem,
    Question,
    Ready,
)
from app.registry.models import Expert
from app.registry.operations import Candidate

NEW, SKIP = "new", "skip"  # answers beside an expert's number

_MISSING = Text("不能为空", "must not be empty")
_EXAMPLE = Text("这是模板中的示例，请删去这一行", "this is the template's example; delete the row")
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
_NUMBER = Text("库中没有编号为“{value}”的专家", "no expert of the pool has the number “{value}”")
_ANSWER = Text("“{value}”不在可选的编号之中", "“{value}” is not one of the numbers to choose from")
_SEVERAL = Text("库中有多位同名专家", "several experts of the pool bear this name")
_MOVED = Text("库中有同名专家，单位不同", "an expert of this name has another employer")
_OTHER_ID = Text(
    "库中有姓名和单位相同、身份证号不同的专家",
    "an expert of this name and employer has another identity number",
)
_PHONE_OF = Text(
    "电话与 {number} 相同而姓名不同，没有改动；请在该专家页面上核对",
    "the phone is that of {number}, who has another name; nothing is changed, check it on his page",
)


@dataclass(frozen=True)
class Held:
    """Somebody of the pool as the look-ups know him; `number` "" for staff who are no experts."""

    expert_id: str
    number: str
    status: str
    name: str
    id_index: str | None
    employers: list[str]


class Reading:
    """Checks lines one after another. `answers`: row -> number, `new` or `skip`; None does not ask
    and takes a namesake with another employer for somebody new."""

    def __init__(
        self,
        session: Session,
        report: ImportReport,
        *,
        new_employers: bool,
        answers: Mapping[int, str] | None,
    ) -> None:
        self.session, self.report, self.new_employers = session, report, new_employers
        self.answers = answers
        self.keys: Keys = session.info["keys"]
        self.today = clock.today(str(session.info["settings"].timezone))
        self.organisations = directory_queries.organisations_by_key(session)
        self.created: dict[str, Organisation] = {}
        self.places = directory_queries.Places(session)
        self.by_number: dict[str, Held] = {}
        self.by_id: dict[str, Held] = {}
        self.by_phone: dict[str, Held] = {}
        self.by_name: dict[str, list[Held]] = defaultdict(list)
        self._load_pool()
        self.rows_by_id: dict[str, int] = {}
        self.rows_by_phone: dict[str, int] = {}
        self.rows_by_name: dict[tuple[str, str], int] = {}
        self.rows_by_expert: dict[str, int] = {}
        self.differing: list[import_changes.Stated] = []

    def _load_pool(self) -> None:
        posts: dict[str, list[str]] = defaultdict(list)
        rows = select(Employment.person_id, Organisation.name).join(Organisation)
        for person, employer in self.session.execute(rows.order_by(Employment.until.is_not(None))):
            posts[person].append(employer)
        people = (
            select(
                Person.id, Person.name, Person.id_index, Person.phone_index,
                Expert.id, Expert.number, Expert.status,
            )
            .outerjoin(Expert, Expert.person_id == Person.id)
            .where(Person.merged_into.is_(None))
        )  # fmt: skip
        for person, name, id_index, phone_index, key, number, status in self.session.execute(
            people
        ):
            held = Held(key or "", number or "", status or "", name, id_index, posts[person])
            if id_index:
                self.by_id[id_index] = held
            if number is None:
                continue  # staff may share an office phone with an expert
            self.by_number[number] = held
            self.by_name[name].append(held)
            if phone_index:
                self.by_phone[phone_index] = held
        merged = select(Expert.number, Expert.id).where(Expert.merged_into.is_not(None))
        staying = {held.expert_id: held for held in self.by_number.values()}
        heirs = queries.heirs(self.session)
        for number, key in self.session.execute(merged):
            self.by_number[number] = staying[heirs[key]]

    def take(self, line: Line) -> Callable[[], Candidate] | None:
        """A maker of the candidate, or None when the line is wrong, a duplicate or a question."""
        if columns.is_example(line.values):
            self.report.problems.append(Problem(line.row, "name", _EXAMPLE))
            return None
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
        stated = line.parse("expert", self._stated)
        answer = (self.answers or {}).get(line.row, "")
        self.report.problems.extend(line.problems)
        if line.problems or name is None:
            return None
        values = line.values
        post = " ".join(part for part in (values.get("department"), values.get("post")) if part)
        specialties = [s for s in re.split(r"[;；、,，]\s*", values.get("specialties", "")) if s]

        def organisation() -> Organisation:
            return self.organisations.get(key) or self._employer(key, employer, source, region)

        said = import_changes.Stated(
            line.row, "", values, organisation, name=name, employer=employer, post=post,
            id_number=number, phone=phone, birth_date=born, specialties=specialties,
            region_code=region, facts=facts, known_employer=known is not None,
        )  # fmt: skip
        if self._known(line.row, said, key, stated, answer):
            return None
        self._note(line, name, employer, known, facts)

        def make() -> Candidate:
            return Candidate(
                name=name,
                organisation=organisation(),
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
        line: Line,
        name: str,
        employer: str,
        known: Organisation | None,
        facts: dict[str, Any],
    ) -> None:
        if known is None and employer not in self.report.new_employers:
            self.report.new_employers.append(employer)
        if warning := identity.name_warning(name):
            self.report.warnings.append(Problem(line.row, "name", warning))
        self.report.ready.append(
            Ready(
                line.row, name, employer, facts["title"], bool(facts["consent_on"]), known is None,
                bool(line.values.get("nominated_by")),
            )
        )  # fmt: skip

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

    # ---------- who is meant

    def _known(
        self, row: int, said: import_changes.Stated, key: str, stated: Held | None, answer: str
    ) -> bool:
        """Whether the row is settled here: it fits somebody, repeats a row, or has to be asked."""
        number, phone = said.id_number, said.phone
        id_index = self.keys.blind_index("id|" + number) if number else None
        phone_index = self.keys.blind_index("phone|" + phone) if phone else None
        if self._repeats(row, said.name, key, id_index, phone_index):
            return True
        if stated is not None:
            return self._fits(row, said, stated, messages.SAME_NUMBER)
        if id_index in self.by_id:
            return self._fits(row, said, self.by_id[str(id_index)], messages.SAME_ID)
        asked = self._asked(said.name, key, id_index)
        if asked is not None and self.answers is not None:
            why, options = asked
            if answer not in ("", NEW, SKIP, *(held.number for held in options)):
                text = _ANSWER.format(value=answer)
                self.report.problems.append(Problem(row, "expert", text))
                return True
            self._ask(row, said, why, options, answer)
            if answer == NEW:
                return False
            if answer and answer != SKIP:
                return self._fits(row, said, self.by_number[answer], why)
            return True
        same = [held for held in self.by_name[said.name] if self._works_at(held, key)]
        if same:
            return self._fits(row, said, same[0], messages.SAME_NAME, ask=len(same) > 1)
        if phone_index in self.by_phone:
            held = self.by_phone[str(phone_index)]
            if held.name == said.name:
                return self._fits(row, said, held, messages.SAME_PHONE)
            why = messages.SAME_PHONE if self.answers is None else _PHONE_OF
            why = why.format(number=held.number)
            self.report.duplicates.append(Duplicate(row, said.name, why, held.number, held.status))
            return True
        return False

    def _asked(self, name: str, key: str, id_index: str | None) -> tuple[Text, list[Held]] | None:
        """Why it is not certain whom a name means, and the people; None when it is."""
        named = self.by_name[name]
        if not named:
            return None
        same = [held for held in named if self._works_at(held, key)]
        if len(same) > 1 or (not same and len(named) > 1):
            return _SEVERAL, named
        if same:
            other = id_index and same[0].id_index and id_index != same[0].id_index
            return (_OTHER_ID, same) if other else None
        if id_index and named[0].id_index and id_index != named[0].id_index:
            return None  # two numbers are two people
        return _MOVED, named

    def _works_at(self, held: Held, key: str) -> bool:
        return any(directory_queries.organisation_key(name) == key for name in held.employers)

    def _ask(
        self, row: int, said: import_changes.Stated, why: Text, held: list[Held], answer: str
    ) -> None:
        options = tuple(
            Option(h.number, h.status, h.employers[0] if h.employers else "") for h in held
        )
        self.report.questions.append(Question(row, said.name, said.employer, why, options, answer))

    def _fits(
        self, row: int, said: import_changes.Stated, held: Held, why: Text, *, ask: bool = False
    ) -> bool:
        """Note whom the row fits; what differs is worked out for all rows at once. Nothing is
        changed from a file of somebody barred, or where several people are meant."""
        earlier = self.rows_by_expert.setdefault(held.expert_id, row)
        again = held.expert_id != "" and earlier != row
        if again and self.answers is not None:
            why = messages.SAME_ROW.format(row=earlier)
        self.report.duplicates.append(Duplicate(row, said.name, why, held.number, held.status))
        if held.number and held.status != "barred" and not ask and not again:
            said.expert_id = held.expert_id
            self.differing.append(said)
        return True

    def _repeats(
        self, row: int, name: str, key: str, id_index: str | None, phone_index: str | None
    ) -> bool:
        tests: tuple[tuple[Any, dict[Any, int]], ...] = (
            (id_index, self.rows_by_id),
            ((name, key), self.rows_by_name),
            (phone_index, self.rows_by_phone),
        )
        for value, rows in tests:
            if value is not None and value in rows:
                text = messages.SAME_ROW.format(row=rows[value])
                self.report.duplicates.append(Duplicate(row, name, text))
                return True
        for value, rows in tests:
            if value is not None:
                rows[value] = row
        return False

    # ---------- cells

    def _stated(self, value: str) -> Held | None:
        """The expert of a number such as E0001; another number (a running one) means nothing."""
        plain = identity.narrow(value).upper()
        if not re.fullmatch(r"E\d{4,}", plain):
            return None
        if plain not in self.by_number:
            raise DomainError(_NUMBER.format(value=value))
        return self.by_number[plain]

    def _born(self, line: Line, number: str | None) -> date | None:
        stated = line.parse("birth_date", read_day)
        try:
            born = identity.birth_date_of(number, stated)
            return identity.check_birth_date(born, self.today)
        except DomainError as error:
            line.fail(error.field or "birth_date", error.text)
            return None

    def _rank(self, line: Line) -> int | None:
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
