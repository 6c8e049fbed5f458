"""Working days of the People's Republic of China, for deadlines "within N working days".

Days off and make-up Saturdays come from the State Council's yearly notices as `chinesecalendar`
carries them (2004 to the last announced year). A year without a notice is counted Monday to Friday
and says so, because a paper must not promise a date that nobody has announced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

from app.domain.types import DomainError, Text

_POSITIVE = Text("工作日天数须为正整数。", "The number of working days must be positive.")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a period. `provisional`: a year without an official calendar was touched."""

    day: date
    provisional: bool


def is_workday(day: date) -> tuple[bool, bool]:
    """(whether people work on `day`, whether that is announced and not a guess)."""
    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < 5, False


def last_day(start: date, days: int, *, count_start: bool = False) -> Deadline:
    """The day on which `days` working days from `start` are full.

    Counted from the day after `start` (Civil Code art. 201) unless `count_start`, the practice of
    public notices. Raises DomainError for fewer than one day.
    """
    if days < 1:
        raise DomainError(_POSITIVE, field="days")
    day = start if count_start else start + timedelta(days=1)
    provisional = False
    while True:
        works, announced = is_workday(day)
        provisional = provisional or not announced
        days -= works
        if days == 0:
            return Deadline(day, provisional)
        day += timedelta(days=1)
