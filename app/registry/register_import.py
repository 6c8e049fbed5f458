"""Lists for the registers from a spreadsheet: heads of counties, contractors, former and side posts,
links of experts, places lived in, past panels, sanctions. Checked whole, shown first, entered whole or not at all.

Every error is named by row and column. A link that is imported still waits for the supervisor.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.accounts.viewer import Viewer
from app.directory import identity
from app.directory import queries as directory_queries
from app.directory.models import Organisation, Person
from app.documents.tables import Table, read_table
from app.domain.types import Conflict, DomainError, Text
from app.ledger.append import append
from app.registry import mapping, messages, operations, words
from app.registry.columns import EXAMPLE_MARK, read_day, read_start
from app.registry.import_report import Problem
from app.registry.models import Expert
from app.registry.models_registers import CountyHead
from app.registry.register_layouts import ALIASES, LAYOUTS, SANCTION_WORDS, Layout

MAX_ROWS = 5_000


_MISSING = Text("不能为空", "must not be empty")
_PLACE = Text("没有叫“{value}”的地区，或有多个", "no region, or several, are called “{value}”")
_EXPERT = Text(
    "库中没有编号或姓名为“{value}”的专家", "no expert of the pool has the number or name “{value}”"
)
_NAMESAKES = Text(
    "库中有 {n} 位“{value}”（{numbers}），请填写编号",
    "{n} experts are called “{value}” ({numbers}); write the number",
)
_EXAMPLE = Text("这是模板中的示例，请删去这一行", "this is the template's example; delete the row")
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
    "缺少列：{columns}。没有登记任何一条；请使用模板，或指明这些内容在哪一列。",
    "Columns are missing: {columns}. Nothing was entered; use the template, or say which columns "
    "hold these.",
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
    columns: dict[str, str] = field(default_factory=dict)  # column -> the file's head
    notices: tuple[Text, ...] = ()


class _Reader:
    """Look-ups made once for the whole file, and one row turned into keyword values."""

    def __init__(self, session: Session) -> None:
        self.places = directory_queries.Places(session)
        self.bodies = directory_queries.organisations_by_key(session)
        self.experts = {
            row.number: row
            for row in session.scalars(
                select(Expert).options(
                    joinedload(Expert.person).selectinload(Person.employments),
                    selectinload(Expert.sanctions),
                )
            )
        }
        self.by_id = {row.id: row for row in self.experts.values()}
        self.named: dict[str, list[Expert]] = defaultdict(list)
        for row in self.experts.values():
            if row.merged_into is None:
                self.named[row.person.name].append(row)
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
        """By number, or by a name that only one bears; who was merged is who he was merged into."""
        found = self.experts.get(identity.narrow(value).upper())
        if found is not None:
            return self.by_id.get(found.merged_into or "", found)
        named = self.named.get(identity.clean_name(value), [])
        if len(named) == 1:
            return named[0]
        if named:
            known = sorted(row.number for row in named)
            numbers = Text("、".join(known), ", ".join(known))
            raise DomainError(_NAMESAKES.format(n=len(named), value=value, numbers=numbers))
        raise DomainError(_EXPERT.format(value=value))

    def organisation(self, value: str) -> Organisation:
        found = self.bodies.get(directory_queries.organisation_key(value))
        if found is None:
            raise DomainError(_BODY.format(value=value))
        return found


def _code(
    table: Mapping[str, Text], others: Mapping[str, str] | None = None
) -> Callable[[str], str]:
    known = {code: code for code in table} | dict(others or {})
    known |= {identity.narrow(text.zh): code for code, text in table.items()}
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
    given_columns: Mapping[str, str] | None = None,
) -> RegisterReport:
    """Read an XLSX or CSV list of `kind` (a key of LAYOUTS), its columns as given, as remembered for
    its headings or as they are named; ColumnsUnknown when a required one is none of these.

    A dry run writes nothing. A real one enters every row that is not there already, in one ledger
    event for the file, or raises DomainError naming the first error and enters nothing.
    """
    layout = LAYOUTS[kind]
    if actor is not None:
        actor.require(*layout.roles)
    table = table_of(kind, data, filename)
    heads = mapping.choose(session, table.headers, given_columns, heads_of(kind))
    report = RegisterReport(
        filename, hashlib.sha256(data).hexdigest(), columns=heads, notices=table.notices
    )
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
    if kind == "sanctions":  # nothing can be entered after a bar for ever
        made.sort(key=lambda item: (item[1]["sanction"] == "bar", item[0]))
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
        session, actor, "register.imported", sealed=kind == "sanctions", register=kind,
        file=report.file_hash, entries=len(made) - len(report.repeated),
    )  # fmt: skip
    return report


def _plain(text: str) -> str:
    narrow = identity.narrow(text).lower().rstrip("*").replace(" ", "")
    return narrow.replace("（", "(").split("(")[0]


def _names(layout: Layout) -> dict[str, str]:
    """Every usual name of a column -> the column."""
    known = {_plain(words.FIELD[c].zh): c for c in layout.columns}
    known |= {_plain(words.FIELD[c].en): c for c in layout.columns} | {c: c for c in layout.columns}
    return known | {_plain(alias): c for alias, c in ALIASES.items() if c in layout.columns}


def _found(layout: Layout, headers: Sequence[str]) -> dict[str, str]:
    """Column -> the head that names it."""
    known = _names(layout)
    return {known[_plain(head)]: head for head in headers if _plain(head) in known}


def table_of(kind: str, data: bytes, filename: str) -> Table:
    """The list as a table, its heads found by how many of them are known."""
    layout = LAYOUTS[kind]
    return read_table(
        data, filename, max_rows=MAX_ROWS, score=lambda cells: len(_found(layout, cells))
    )


def heads_of(kind: str) -> mapping.Heads:
    """What the columns of this list are, for choosing and remembering them."""
    layout = LAYOUTS[kind]

    def require_all(found: Iterable[str], headers: Iterable[str]) -> None:
        held = set(found)
        missing = [words.FIELD[c] for c in layout.required if c not in held]
        if missing:
            both = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
            raise mapping.ColumnsUnknown(_COLUMNS.format(columns=both), headers)

    def find(headers: Iterable[str]) -> dict[str, str]:
        every = list(headers)
        found = _found(layout, every)
        require_all(found, every)
        return found

    def field_of(head: str) -> str | None:
        return next(iter(_found(layout, [head])), None)

    def field_like(head: str, taken: Iterable[str]) -> str | None:
        gone, plain = set(taken), _plain(head)
        names = sorted(_names(layout).items(), key=lambda pair: -len(pair[0]))
        return next((c for name, c in names if name in plain and c not in gone), None)

    return mapping.Heads(
        f"register:{kind}", layout.columns, layout.required, words.FIELD, layout.roles, find, require_all,
        field_of, field_like,
    )  # fmt: skip


def _row(
    kind: str, layout: Layout, reader: _Reader, number: int, cells: Mapping[str, str],
    report: RegisterReport,
) -> dict[str, Any] | None:  # fmt: skip
    readers: dict[str, Callable[[str], Any]] = {
        "county": reader.county, "expert": reader.expert, "organisation": reader.organisation,
        "begin": read_start, "until": read_day, "relation": _code(words.RELATION),
        "link": _code(words.LINK), "place_kind": _code(words.PLACE), "sanction": _code(words.SANCTION, SANCTION_WORDS),
    }  # fmt: skip
    values: dict[str, Any] = {}
    wrong: list[Problem] = []
    if any(EXAMPLE_MARK in text for text in cells.values()):
        report.problems.append(Problem(number, layout.columns[0], _EXAMPLE))
        return None
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
        elif kind == "sanctions":
            _standing(number, values, wrong)
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


def _standing(number: int, values: dict[str, Any], wrong: list[Problem]) -> None:
    """Nothing follows a bar for ever, and a bar has no end."""
    if values["sanction"] == "bar" and values["until"]:
        wrong.append(Problem(number, "until", messages.FOR_EVER))
    expert = values["expert"]
    if expert.status == "barred" and not operations.same_sanction(
        expert, values["sanction"], values["begin"]
    ):
        text = messages.BARRED.format(name=expert.person.name)
        wrong.append(Problem(number, "expert", text))


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
    elif kind == "engagements":
        operations.add_past_panel(
            session, actor, expert=values["expert"], round_name=values["round_name"],
            region_code=values["county"], basis=values["basis"], note=False, **dated,
        )  # fmt: skip
    elif kind == "sanctions":
        operations.sanction(
            session, actor, expert=values["expert"], kind=values["sanction"],
            reason=values["evidence"], decided_by=values["decided_by"], note=False, **dated,
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


__all__ = [
    "LAYOUTS",
    "RegisterReport",
    "heads_of",
    "import_register",
    "table_of",
    "template_table",
]
