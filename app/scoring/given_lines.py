"""One county's given items as one form: every open line at once, and every tick of the second person.

The rules for each line are those of `given`; several lines are entered or confirmed together or not at
all, each with its own ledger entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Text
from app.programme.guards import require
from app.programme.models import Subject
from app.programme.ticks import ticked
from app.scoring import given
from app.scoring.entries import entry_of
from app.scoring.given import GivenItem
from app.scoring.models import GivenMark

Key = tuple[str, str]  # place and item
ON_ITS_OWN = ("bonus",)  # needs more than a line holds: a document for every award

_ALL_OR_NONE = Text(
    "有 {n} 行不能登记，因此一行也没有登记。请改正标出的行，再登记一次；您填写的内容都在。",
    "{n} line(s) cannot stand, so none was entered. Correct those marked below and record again; all "
    "that you typed is still here.",
)
_NOTHING = Text(
    "还没有填写任何一行。没有登记。请至少填写一行。",
    "No line is filled in, so nothing was entered. Fill in at least one.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed in one line: the item's fields, and a basis of its own ("" for the common one)."""

    fields: Mapping[str, Any]
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot stand; `field` is "basis" when that is what is missing."""

    text: Text
    field: str


class LinesRefused(DomainError):
    """Some lines cannot stand, so none was entered."""

    def __init__(self, faults: Mapping[Key, Fault]) -> None:
        super().__init__(_ALL_OR_NONE.format(n=len(faults)))
        self.faults = faults


def fits_line(row: GivenItem) -> bool:
    """Whether the item can be given in a line of its county's form."""
    return row.item["scale"]["type"] not in ON_ITS_OWN


def enter_lines(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    lines: Mapping[Key, Line],
    *,
    basis: str,
) -> list[GivenMark]:
    """Enter every line that is filled in, or none (LinesRefused); a line left empty stays open.

    `basis` is the evidence of each line that has none of its own. A line that somebody else entered
    meanwhile is refused: corrections are made on the item's own page, over what stands there.
    """
    require(actor, "office")
    given.while_open(subject)
    filed = given.filed_of(session, subject)
    faults: dict[Key, Fault] = {}
    ready = []
    for row in given.given_of(session, subject.round, [subject])[subject.id]:
        key = (row.place, row.id)
        line = lines.get(key)
        if line is None or not fits_line(row) or not filled(row, line):
            continue
        try:
            if row.mark is not None:
                raise Conflict(given.CHANGED)
            words = line.basis.strip() or basis
            ready.append((row, given.checked(session, row, line.fields, (), words, filed)))
        except DomainError as error:
            faults[key] = Fault(error.text, "basis" if error.field == "evidence" else "")
    if faults:
        raise LinesRefused(faults)
    if not ready:
        raise DomainError(_NOTHING)
    return [given.write(session, actor, row, what) for row, what in ready]


def filled(row: GivenItem, line: Line) -> bool:
    """Whether anything was typed in a line, right or wrong."""
    return entry_of(row.item, line.fields) is not None or bool(line.basis.strip())


def confirm_lines(
    session: Session, actor: Viewer | None, subject: Subject, ticks: Sequence[str]
) -> list[GivenMark]:
    """Confirm every ticked entry of the county (`ticks.tick_of`), or none; each as by
    `given.confirm_given`."""
    require(actor, "office")
    given.while_open(subject)
    items = given.given_of(session, subject.round, [subject])[subject.id]
    marks = {row.mark.id: row.mark for row in items if row.mark is not None}
    titles = {row.mark.id: row.title for row in items if row.mark is not None}

    def name(mark: GivenMark) -> Text:
        return Text("“{i} {t}”", "“{i} {t}”").format(i=mark.item, t=titles[mark.id])

    chosen = ticked(actor, ticks, marks, given.NO_ITEM, name)
    return [given.confirm_given(session, actor, mark) for mark in chosen]
