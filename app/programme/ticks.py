"""Rows that a second person ticks and confirms by one button: figures, items given by others.

A tick carries the moment of entry that the page showed, so that nobody confirms what he has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.programme.guards import account_id

MARK = "@"  # between a row's id and the moment of entry; in neither of them
_NOTHING = Text(
    "没有打勾，没有确认任何一项。请逐项核对依据，在相符的一行打勾。",
    "Nothing was ticked, so nothing was confirmed. Compare each line with its source and tick those "
    "that agree.",
)
_CHANGED = Text(
    "{what}在您打开本页之后被改过。没有确认任何一项；请核对新的内容，重新打勾。",
    "{what} was changed after you had opened the page. Nothing was confirmed; look at what stands "
    "there now and tick again.",
)
_CONFIRMED = Text(
    "{what}已由他人确认。没有确认任何一项；请重新打勾。",
    "{what} is confirmed already. Nothing was confirmed now; tick the others again.",
)
_SAME_PERSON = Text(
    "{what}由您录入，不能由您确认。没有确认任何一项；请由另一人核对后确认。",
    "You entered {what} yourself and cannot confirm it. Nothing was confirmed; another person compares "
    "it with its source and confirms.",
)


class Entered(Protocol):
    """What two people stand behind: one entered it, another confirms."""

    id: str
    entered_by: str | None
    entered_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None


Row = TypeVar("Row", bound=Entered)


def tick_of(row: Entered) -> str:
    """The value of a row's tick box: its id and the moment of entry that the page shows."""
    return f"{row.id}{MARK}{row.entered_at.isoformat()}"


def ticked(
    actor: Viewer | None,
    ticks: Sequence[str],
    rows: Mapping[str, Row],
    unknown: Text,
    name: Callable[[Row], Text],
) -> list[Row]:
    """The ticked rows, each of which `actor` may confirm as he saw it; writes nothing.

    `rows` are all that could be ticked, by id; NotFound(`unknown`) for any other. All or nothing:
    DomainError when nothing is ticked, Conflict when one was changed or confirmed since, Forbidden for
    who entered one of them; `name` says which. A tick without a moment is taken as seen.
    """
    if not ticks:
        raise DomainError(_NOTHING)
    found = []
    for tick in dict.fromkeys(ticks):
        key, _, seen = tick.partition(MARK)
        row = rows.get(key)
        if row is None:
            raise NotFound(unknown)
        if account_id(actor) is None or row.entered_by == account_id(actor):
            raise Forbidden(_SAME_PERSON.format(what=name(row)))
        if seen and seen != row.entered_at.isoformat():
            raise Conflict(_CHANGED.format(what=name(row)))
        if row.confirmed_at is not None:
            raise Conflict(_CONFIRMED.format(what=name(row)))
        if row not in found:
            found.append(row)
    return found
