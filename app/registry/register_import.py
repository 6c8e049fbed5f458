"""Lists for the registers from a spreadsheet: heads of counties, contractors, former and side posts,
links of experts, places lived in. Checked whole, shown first, entered whole or not at all.

Every error is named by row and column. A link that is imported still waits for the supervisor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.accounts.viewer import Viewer
from app.directory import identity
from app.directory import queries as directory_queries
from app.directory.models import Organisation, Person
from app.documents.tables import read_table
from app.domain.types import Conflict, DomainError, Text
from app.ledger.append import append
from app.registry import messages, operations, words
from app.registry.columns import read_day, read_start
from app.registry.imports import Problem
from app.registry.models import Expert
from app.registry.models_registers import CountyHead

MAX_ROWS = 5_000


@dataclass(frozen=True)
class Layout:
    """The columns of one list, the required ones, and who may enter it."""

    title: Text
    columns: tuple[str, ...]
    required: tuple[str, ...]
    roles: tuple[str, ...]
    example: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = {
    "heads": Layout(
        words.REGISTER["heads"],
        ("county", "name", "post", "begin", "until", "basis"),
        ("county", "name", "post", "basis"),
        ("keeper", "office"),
        ("湖北省武汉市江岸区", "示例甲", "区长（虚构示例，请删除）", "2011-03-01", "", "示例任职文件"),
    ),
    "contractors": Layout(
        words.REGISTER["contractors"],
        ("county", "organisation", "work", "begin", "until", "basis"),
        ("county", "work", "basis"),
        ("keeper", "office"),
        ("湖北省武汉市江岸区", "示例公司", "编写申报材料（虚构示例，请删除）", "2012-03-01", "2012-08-31",
         "示例合同"),
    ),
    "posts": Layout(
        Text("专家任职与兼职经历", "Former and side posts of experts"),
        ("expert", "organisation", "post", "relation", "begin", "until", "basis"),
        ("expert", "organisation", "relation", "basis"),
        ("keeper",),
        ("E0001", "示例大学", "讲师（虚构示例，请删除）", "任职", "2001-09-01", "2009-08-31", "示例履历表"),
    ),
    "interests": Layout(
        Text("专家利害关系", "Links of experts"),
        ("expert", "link", "county", "organisation", "other", "begin", "until", "evidence"),
        ("expert", "link", "evidence"),
        ("keeper", "office"),
        ("E0001", "参与前一阶段考核", "湖北省武汉市江岸区", "", "", "2012-03-01", "2012-04-30",
         "省级考核名单（虚构示例，请删除）"),
    ),
    "residences": Layout(
        Text("专家出生地与居住地", "Birthplaces and residences of experts"),
        ("expert", "place_kind", "county", "begin", "until", "basis"),
        ("expert", "place_kind", "county", "basis"),
        ("keeper",),
        ("E0001", "居住地", "湖北省武汉市江岸区", "2001-09-01", "2009-08-31", "本人声明（虚构示例，请删除）"),
    ),
}  # fmt: skip

_MISSING = Text("不能为空", "must not be empty")
_PLACE = Text("没有叫“{value}”的地区，或有多个", "no region, or several, are called “{value}”")
_EXPERT = Text("库中没有编号为“{value}”的专家", "no expert of the pool has the number “{value}”")
_BODY = Text(
    "没有名为“{value}”的单位；请先在“单位”中建立",
    "there is no organisation “{value}”; create it under “Organisations” first",
)
_CODE = Text("“{value}”无效，可填：{known}", "“{value}” is not valid; use one of: {known}")
_HEAD = Text(
    "该县（市）没有登记叫“{value}”的负责人；请先登记负责人",
    "the county has no head called “{value}” on record; enter the head first",
)
_EMPTY = Text("文件里没有内容。没有登记任何一条。", "The file is empty. Nothing was entered.")
_COLUMNS = Text(
    "缺少列：{columns}。没有登记任何一条；请使用模板，第一行写列名。",
    "Columns are missing: {columns}. Nothing was entered; use the template, column names in the "
    "first row.",
)
_REFUSED = Text(
    "文件有 {n} 处错误，没有登记任何一条。第一处：第 {row} 行“{column}”：{text}。",
    "The file has {n} errors and nothing was entered. The first: row {row}, {column}: {text}.",
)


@dataclass
class RegisterReport:
    """What a list holds: rows ready as they will read, rows there already, errors by cell."""

    filename: str
    file_hash: str
    rows: int = 0
    ready: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Reader:
    """Look-ups made once for the whole file, and one row turned into keyword values."""

    def __init__(self, session: Session) -> None:
        self.places = directory_queries.Places(session)
        self.bodies = directory_queries.organisations_by_key(session)
        self.experts = {
            row.number: row
            for row in session.scalars(
                select(Expert).options(joinedload(Expert.person).selectinload(Person.employments))
            )
        }
        self.heads = {
            (row.region_code, row.name): row
            for row in session.scalars(select(CountyHead).where(CountyHead.struck_at.is_(None)))
        }

    def county(self, value: str) -> str:
        code = self.places.code(value)
        if code is None:
            raise DomainError(_PLACE.format(value=value))
        return code

    def expert(self, value: str) -> Expert:
        found = self.experts.get(identity.narrow(value).upper())
        if found is None:
            raise DomainError(_EXPERT.format(value=value))
        return found

    def organisation(self, value: str) -> Organisation:
        found = self.bodies.get(directory_queries.organisation_key(value))
        if found is None:
            raise DomainError(_BODY.format(value=value))
        return found


def _code(table: Mapping[str, Text]) -> Callable[[str], str]:
    known = {code: code for code in table} | {text.zh: code for code, text in table.items()}
    known |= {text.en.lower(): code for code, text in table.items()}

    def read(value: str) -> str:
        plain = identity.narrow(value)
        code = known.get(plain) or known.get(plain.lower())
        if code is None:
            names = Text(
                "、".join(t.zh for t in table.values()), ", ".join(t.en for t in table.values())
            )
            raise DomainError(_CODE.format(value=value, known=names))
        return code

    return read


def import_register(
    session: Session,
    actor: Viewer | None,
    kind: str,
    data: bytes,
    filename: str,
    *,
    dry_run: bool,
) -> RegisterReport:
    """Read an XLSX or CSV list of `kind` (a key of LAYOUTS).

    A dry run writes nothing. A real one enters every row that is not there already, in one ledger
    event for the file, or raises DomainError naming the first error and enters nothing.
    """
    layout = LAYOUTS[kind]
    if actor is not None:
        actor.require(*layout.roles)
    table = read_table(data, filename, max_rows=MAX_ROWS)
    heads = _columns(layout, table.headers)
    report = RegisterReport(filename, hashlib.sha256(data).hexdigest())
    reader = _Reader(session)
    made: list[tuple[int, dict[str, Any]]] = []
    for number, record in table.records():
        cells = {name: record[head].strip() for name, head in heads.items()}
        if not any(cells.values()):
            continue
        report.rows += 1
        values = _row(kind, layout, reader, number, cells, report)
        if values is not None:
            made.append((number, values))
            report.ready.append((number, tuple(cells.get(c, "") for c in layout.columns)))
    if not report.rows:
        raise DomainError(_EMPTY, field="file")
    if dry_run:
        return report
    if report.problems:
        first = report.problems[0]
        raise DomainError(
            _REFUSED.format(
                n=len(report.problems), row=first.row, column=words.FIELD[first.column],
                text=first.text,
            ),
            field="file",
        )  # fmt: skip
    for number, values in made:
        try:
            _enter(session, actor, kind, values)
        except Conflict:
            report.repeated.append(number)
        except DomainError as error:
            raise DomainError(
                _REFUSED.format(
                    n=1, row=number, column=words.FIELD.get(error.field or "", Text("行", "row")),
                    text=error.text,
                ),
                field="file",
            ) from error  # fmt: skip
    append(
        session, actor, "register.imported", register=kind, file=report.file_hash,
        entries=len(made) - len(report.repeated),
    )  # fmt: skip
    return report


def _columns(layout: Layout, headers: tuple[str, ...]) -> dict[str, str]:
    def plain(text: str) -> str:
        return (
            identity.narrow(text)
            .lower()
            .rstrip("*")
            .replace(" ", "")
            .replace("（", "(")
            .split("(")[0]
        )

    known = {plain(words.FIELD[c].zh): c for c in layout.columns}
    known |= {plain(words.FIELD[c].en): c for c in layout.columns} | {c: c for c in layout.columns}
    found = {known[plain(head)]: head for head in headers if plain(head) in known}
    missing = [words.FIELD[c] for c in layout.required if c not in found]
    if missing:
        both = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
        raise DomainError(_COLUMNS.format(columns=both), field="file")
    return found


def _row(
    kind: str, layout: Layout, reader: _Reader, number: int, cells: Mapping[str, str],
    report: RegisterReport,
) -> dict[str, Any] | None:  # fmt: skip
    readers: dict[str, Callable[[str], Any]] = {
        "county": reader.county, "expert": reader.expert, "organisation": reader.organisation,
        "begin": read_start, "until": read_day, "relation": _code(words.RELATION),
        "link": _code(words.LINK), "place_kind": _code(words.PLACE),
    }  # fmt: skip
    values: dict[str, Any] = {}
    wrong: list[Problem] = []
    for column in layout.columns:
        text = cells.get(column, "")
        if not text:
            if column in layout.required:
                wrong.append(Problem(number, column, _MISSING))
            values[column] = None
            continue
        try:
            values[column] = readers.get(column, str)(text)
        except DomainError as error:
            wrong.append(Problem(number, column, error.text))
    if not wrong:
        if values["begin"] and values["until"] and values["until"] < values["begin"]:
            wrong.append(Problem(number, "until", messages.DATES))
        if kind == "interests":
            _other(reader, number, values, wrong)
    report.problems += wrong
    return None if wrong else values


def _other(reader: _Reader, number: int, values: dict[str, Any], wrong: list[Problem]) -> None:
    """The other side of a link: another expert, or with a county a head of it."""
    link, _, detail = str(values["link"]).partition(":")
    values["kind"], values["detail"] = link, detail or None
    other = values.pop("other")
    values |= {"head": None, "other_expert": None, "other_name": ""}
    if other and values["county"] and link == "kin":
        values["head"] = reader.heads.get((values["county"], other))
        if values["head"] is None:
            wrong.append(Problem(number, "other", _HEAD.format(value=other)))
    elif other:
        values["other_expert"] = reader.experts.get(identity.narrow(other).upper())
        values["other_name"] = "" if values["other_expert"] else other
    if not (values["county"] or values["organisation"] or other):
        wrong.append(Problem(number, "county", messages.TARGET))


def _enter(session: Session, actor: Viewer | None, kind: str, values: dict[str, Any]) -> None:
    dated = {"since": values["begin"], "until": values["until"]}
    if kind == "heads":
        operations.add_head(
            session, actor, region_code=values["county"], name=values["name"], post=values["post"],
            basis=values["basis"], note=False, **dated,
        )  # fmt: skip
    elif kind == "contractors":
        operations.add_contractor(
            session, actor, region_code=values["county"], organisation=values["organisation"],
            work=values["work"], basis=values["basis"], note=False, **dated,
        )  # fmt: skip
    elif kind == "posts":
        operations.add_former_post(
            session, actor, expert=values["expert"], organisation=values["organisation"],
            relation=values["relation"], post=values["post"] or "", basis=values["basis"],
            note=False, **dated,
        )  # fmt: skip
    elif kind == "residences":
        operations.add_residence(
            session, actor, expert=values["expert"], kind=values["place_kind"],
            region_code=values["county"], basis=values["basis"], note=False, **dated,
        )  # fmt: skip
    else:
        operations.declare_interest(
            session, actor, expert=values["expert"], kind=values["kind"], detail=values["detail"],
            side="office", evidence=values["evidence"], region_code=values["county"],
            organisation=values["organisation"], head=values["head"],
            other_expert=values["other_expert"], other_name=values["other_name"], **dated,
        )  # fmt: skip


def template_table(kind: str) -> tuple[list[str], list[list[str]]]:
    """Heads in Chinese, required ones marked, and one plainly invented row."""
    layout = LAYOUTS[kind]
    heads = [words.FIELD[c].zh + ("*" if c in layout.required else "") for c in layout.columns]
    return heads, [list(layout.example)]


__all__ = ["LAYOUTS", "RegisterReport", "import_register", "template_table"]
