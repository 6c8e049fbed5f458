"""What reading a file of experts finds: rows that are new, rows that fit somebody and what differs,
questions that only a person can answer, and every error by row and column.

Personal data stand here as a page may show them, masked; what an update would write is kept apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.types import DomainError, Text

SHOWN = 500  # people whose differences a page shows, and so the most that one file changes


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell; `row` as the spreadsheet counts."""

    row: int
    column: str
    text: Text


@dataclass(frozen=True)
class Change:
    """One fact that the file states otherwise than the pool; both as they may be shown."""

    field: str
    old: Text | str
    new: Text | str


@dataclass(frozen=True)
class Update:
    """A row that fits an expert and differs from him. `values` by field is what would be written."""

    row: int
    expert_id: str
    version: int
    changes: tuple[Change, ...]
    values: Mapping[str, Any] = field(repr=False)

    def key(self, change: Change) -> str:
        """How a form names this change; the version tells whether somebody was faster."""
        return f"{self.row}:{change.field}:{self.version}"


@dataclass(frozen=True)
class Duplicate:
    """A row that fits somebody in the pool (`number`, `status`) or an earlier row (number ""), with
    what differs, if anything may be changed from a file."""

    row: int
    name: str
    why: Text
    number: str = ""
    status: str = ""
    update: Update | None = None


@dataclass(frozen=True)
class Option:
    """Somebody in the pool whom a row may mean."""

    number: str
    status: str
    employer: str


@dataclass(frozen=True)
class Question:
    """A row that may mean one of several people, or somebody new; `answer` as given so far."""

    row: int
    name: str
    employer: str
    why: Text
    options: tuple[Option, ...]
    answer: str = ""


@dataclass(frozen=True)
class Ready:
    """A row that can be entered; personal data only masked."""

    row: int
    name: str
    employer: str
    title: str
    consented: bool
    new_employer: bool
    nominated: bool = True


@dataclass
class ImportReport:
    """What a file holds. `created` and `updated` (people) are 0 for a dry run.

    `columns`: field -> the head that it was read from; `ignored`: heads that no field was read from.
    """

    filename: str
    file_hash: str
    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    notices: tuple[Text, ...] = ()
    ready: list[Ready] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    new_employers: list[str] = field(default_factory=list)
    created: int = 0
    updated: int = 0

    @property
    def updates(self) -> list[Duplicate]:
        """Rows that differ from the expert whom they fit."""
        return [row for row in self.duplicates if row.update is not None]

    @property
    def skipped(self) -> list[Duplicate]:
        """Rows that fit somebody and change nothing."""
        return [row for row in self.duplicates if row.update is None]

    @property
    def open_questions(self) -> list[Question]:
        return [question for question in self.questions if not question.answer]


@dataclass
class Line:
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
