"""What a file states otherwise than the pool, person by person and field by field.

An empty cell changes nothing. Numbers are shown masked. A new employer or post begins on the file's
date, else today; the former one is kept with its last day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation, Person
from app.domain.types import Text
from app.keys import Keys
from app.registry import queries, words
from app.registry.import_report import Change, ImportReport, Update
from app.registry.models import Expert

_PORTION = 500  # experts read in one statement
_CODES: Mapping[str, Mapping[Any, Any]] = {
    "title_rank": words.TITLE_RANK,
    "kind": words.KIND,
    "discipline": words.DISCIPLINE,
    "source": words.SOURCE,
}


@dataclass
class Stated:
    """One row as it was read; `cells` the texts as they stood there. `expert_id` whom it fits."""

    row: int
    expert_id: str
    cells: Mapping[str, str]
    organisation: Callable[[], Organisation]
    name: str
    employer: str
    post: str
    id_number: str | None
    phone: str | None
    birth_date: date | None
    specialties: Sequence[str]
    region_code: str | None
    facts: Mapping[str, Any]
    known_employer: bool


def note_differences(session: Session, report: ImportReport, rows: Sequence[Stated]) -> None:
    """Put what differs beside the report's rows that fit an expert."""
    found: dict[int, Update] = {}
    for start in range(0, len(rows), _PORTION):
        part = rows[start : start + _PORTION]
        experts = {
            expert.id: expert
            for expert in session.scalars(
                select(Expert)
                .where(Expert.id.in_([said.expert_id for said in part]))
                .options(
                    selectinload(Expert.person)
                    .selectinload(Person.employments)
                    .joinedload(Employment.organisation)
                )
            )
        }
        updates = [_update(session, said, experts[said.expert_id]) for said in part]
        found |= {u.row: u for u in _places(session, updates) if u.changes}
        for said in part:
            if (
                not said.known_employer
                and "employer" in (found[said.row].values if said.row in found else ())
                and said.employer not in report.new_employers
            ):
                report.new_employers.append(said.employer)
    report.duplicates = [
        replace(row, update=found[row.row]) if row.row in found else row
        for row in report.duplicates
    ]


def _update(session: Session, said: Stated, expert: Expert) -> Update:
    changes: list[Change] = []
    values: dict[str, Any] = {}

    def differs(name: str, old: Any, new: Any, shown: Callable[[Any], Text | str]) -> None:
        if new in (None, "", []) or new == old:
            return
        changes.append(Change(name, shown(old) if old not in (None, "", []) else "", shown(new)))
        values[name] = new

    keys: Keys = session.info["keys"]
    person, facts, cells = expert.person, said.facts, said.cells
    differs("name", person.name, said.name, str)
    _post(said, person, changes, values)
    differs("title", expert.title, facts["title"].strip()[:200], str)
    for name in ("title_rank", "kind", "discipline", "source"):
        if name == "title_rank" and not cells.get(name) and "title" not in values:
            continue  # only read off a title that is the same
        differs(name, getattr(expert, name), facts[name], partial(_word, name))
    differs("specialties", list(expert.specialties), list(said.specialties), "；".join)
    differs("region_code", expert.region_code, said.region_code, str)
    differs("career_start", expert.career_start, facts["career_start"], str)
    for name in ("nominated_by", "note"):
        differs(name, getattr(expert, name), cells.get(name, "").strip(), str)
    phone = keys.decrypt(person.phone) if person.phone else None
    differs("phone", phone, said.phone, lambda text: text[:3] + "****" + text[-4:])
    number = keys.decrypt(person.id_number) if person.id_number else None
    differs("id_number", number, said.id_number, lambda t: t[:4] + "*" * 10 + t[-4:])
    born = directory_queries.birth_date(person, keys)
    if not said.id_number:
        differs("birth_date", born, said.birth_date, lambda _day: "****-**-**")
    if expert.consent_at is None:
        differs("consent_at", None, facts["consent_on"], str)
    if expert.verified_on is None or (facts["verified_on"] or date.min) > expert.verified_on:
        differs("verified_on", expert.verified_on, facts["verified_on"], str)
    return Update(said.row, expert.id, expert.version, tuple(changes), values)


def _post(said: Stated, person: Person, changes: list[Change], values: dict[str, Any]) -> None:
    """One change for employer and post together: the former post ends, another begins."""
    posts = [p for p in queries.present_posts(person) if p.relation == "employed"]
    now = posts[0] if posts else None
    key = directory_queries.organisation_key
    moved = now is None or key(now.organisation.name) != key(said.employer)
    if not moved and (now is None or not said.post or said.post == now.post):
        return
    old = f"{now.organisation.name} {now.post}".strip() if now else ""
    changes.append(Change("employer", old, f"{said.employer} {said.post}".strip()))
    values["employer"] = (said.organisation, said.post, said.facts["since"])


def _word(name: str, code: Any) -> Text:
    text: Text = _CODES[name][code]
    return text


def _places(session: Session, updates: Sequence[Update]) -> list[Update]:
    """The same with regions by name, in one statement."""
    codes = {
        str(code)
        for update in updates
        for change in update.changes
        if change.field == "region_code"
        for code in (change.old, change.new)
        if code
    }
    names = directory_queries.region_names(session, codes)

    def named(change: Change) -> Change:
        if change.field != "region_code":
            return change
        old, new = (names.get(str(code), str(code)) for code in (change.old, change.new))
        return replace(change, old=old, new=new)

    return [replace(update, changes=tuple(map(named, update.changes))) for update in updates]
