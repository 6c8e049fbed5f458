"""Working days: the dates of the notices, a make-up Saturday, a year without a calendar."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.types import DomainError
from app.domain.workdays import is_workday, last_day


@pytest.mark.parametrize(
    ("start", "count_start", "end"),
    [
        (date(2016, 6, 13), True, date(2016, 6, 17)),  # the third round's notice, 13 to 17 June
        (date(2016, 6, 13), False, date(2016, 6, 20)),
        (date(2026, 9, 28), False, date(2026, 10, 10)),  # ends on a make-up Saturday
        (date(2012, 9, 24), False, date(2012, 9, 29)),  # so does this one
    ],
)
def test_five_working_days(start: date, count_start: bool, end: date) -> None:
    found = last_day(start, 5, count_start=count_start)
    assert (found.day, found.provisional) == (end, False)


def test_a_year_without_a_calendar_is_a_guess_and_says_so() -> None:
    assert is_workday(date(2099, 1, 2)) == (True, False)
    found = last_day(date(2099, 1, 1), 5)
    assert (found.day, found.provisional) == (date(2099, 1, 8), True)


def test_no_days_is_no_deadline() -> None:
    with pytest.raises(DomainError):
        last_day(date(2026, 9, 28), 0)
