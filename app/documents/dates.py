"""Dates as people write them in tables: 2012年9月, 2012/9/1, 二〇一二年九月一日."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from app.domain.types import DomainError, Text

_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
_FULL = str.maketrans(
    {chr(0xFF10 + n): str(n) for n in range(10)}
    | {"．": ".", "／": "/", "－": "-", "—": "-", "–": "-"}
)
_SHAPES = (
    re.compile(
        r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    ),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?"),
    re.compile(r"(\d{4})[-/.](\d{1,2})"),
    re.compile(r"(\d{4})年(\d{1,2})月?"),
    re.compile(r"(\d{4})年?"),
)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the day, the month or only the year; nothing is made up."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def exact(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    def first(self) -> date:
        """The earliest day that it can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    def last(self) -> date:
        """The latest day that it can mean."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def __str__(self) -> str:
        parts = [f"{self.year:04d}", *(f"{p:02d}" for p in (self.month, self.day) if p is not None)]
        return "-".join(parts)


def _chinese_number(words: str) -> str:
    """九 -> 9, 十二 -> 12, 三十一 -> 31; a year is read digit by digit."""
    if "十" in words:
        tens, _, ones = words.partition("十")
        return _DIGITS.get(tens, "1" if not tens else "?") + (
            _DIGITS.get(ones, "0" if not ones else "?")
        )
    return "".join(_DIGITS.get(c, c) for c in words)


def parse_date(text: str, *, field: str | None = None) -> PartialDate:
    """Read a date written year first; raises DomainError for anything else, and for 2月30日.

    A text such as 3/4/2012 is refused: nobody can say whether it means March or April.
    """
    plain = re.sub(r"\s+(?=[年月日号])|(?<=[年月])\s+", "", text.strip().translate(_FULL))
    chinese = re.sub(
        r"[〇零○一二三四五六七八九十]+(?=[年月日号]|$)", lambda m: _chinese_number(m[0]), plain
    )
    for shape in _SHAPES:
        match = shape.fullmatch(chinese)
        if match:
            found = PartialDate(*(int(g) for g in match.groups()))
            try:
                found.first()
            except ValueError:
                break
            if 1900 <= found.year <= 2100:
                return found
            break
    raise DomainError(
        Text(
            f"无法识别日期“{text.strip()[:40]}”。请写成 2012-09-01、2012年9月1日 或 2012年9月。",
            f'The date "{text.strip()[:40]}" cannot be read. Write 2012-09-01, 2012年9月1日 or 2012-09.',
        ),
        field=field,
    )
