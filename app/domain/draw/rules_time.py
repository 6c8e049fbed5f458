"""Calendar arithmetic of the look-back windows, and how a period is put into words.

All dates are local calendar dates. Every window is closed at both ends: whoever left an employer
on exactly the day N years before the reference date is still inside it, one day earlier is out.
A missing counterpart day (29 February) becomes the last day of that month (Civil Code art. 202,
to confirm), which makes a window longer by a day, never shorter.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import lru_cache

from app.domain.types import DomainError, Text


@lru_cache(maxsize=4096)
def shift_months(day: date, months: int) -> date:
    """The same day `months` later (earlier when negative), clamped to the end of the month.

    Raises DomainError when the result leaves the years 1 to 9999.
    """
    index = day.year * 12 + (day.month - 1) + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise DomainError(
            Text(
                f"日期 {day} 加 {months} 个月超出历法范围，请改小规则中的年限。",
                f"{day} plus {months} months leaves the calendar; use a smaller window.",
            )
        )
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def window_start(on: date, *, years: int = 0, months: int = 0) -> date:
    """First day of the window that ends on `on` (both days belong to it)."""
    return shift_months(on, -(12 * years + months))


def overlaps(since: date | None, until: date | None, first: date, last: date) -> bool:
    """Whether [since, until] meets [first, last], all days included.

    None is open: an unknown start counts as always, an unknown end as still running.
    """
    return (since is None or since <= last) and (until is None or until >= first)


def age_on(birth: date, on: date) -> int:
    """Completed years of age; a birthday of 29 February falls on the 28th in common years."""
    years = on.year - birth.year
    return years if shift_months(birth, 12 * years) <= on else years - 1


def in_words(since: date | None, until: date | None) -> Text:
    """A period by months, as it stands in a personnel file: 2010-03 至 2011-12."""
    begin = Text(f"{since:%Y-%m}", f"{since:%Y-%m}") if since else Text("起始不详", "unknown start")
    if until is None:
        return Text(f"{begin.zh} 至今", f"{begin.en} to date")
    return Text(f"{begin.zh} 至 {until:%Y-%m}", f"{begin.en} to {until:%Y-%m}")


def iso(day: date | None) -> str | None:
    """The day as evidence, YYYY-MM-DD."""
    return None if day is None else day.isoformat()
