"""The history of the leader's words: each save of a section against the one before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.domain.types import Text
from app.report import queries
from app.report.models import Report, Revision

# A word of letters and digits, or any one other character: a hanzi is compared by itself.
_TOKEN = re.compile(r"[A-Za-z0-9]+|.", re.DOTALL)
_LEADER = Text("评审组组长", "panel leader")

Part = tuple[Literal["same", "added", "gone"], str]


@dataclass(frozen=True, slots=True)
class Saved:
    """One save: the report's version after it, the section, the writer's seat (never a name), and
    what changed."""

    version: int
    key: str
    at: datetime
    by: Text
    parts: tuple[Part, ...]
    carried: bool


def history(session: Session, report: Report) -> list[Saved]:
    """Every save of a report that the caller may read, the latest first. What a report took over from
    the one that it follows is what its first save of a section is held against."""
    rows = session.scalars(
        select(Revision).where(Revision.report_id == report.id).order_by(Revision.version)
    ).all()
    accounts = {row.by for row in rows}
    people = dict(
        session.execute(select(Account.id, Account.person_id).where(Account.id.in_(accounts))).all()
    )
    seats = {m.expert.person_id: m.places for m in queries.members(session, report.round)}
    earlier = queries.report_before(session, report)
    latest = dict(earlier.sections) if earlier is not None else {}
    touched: set[str] = set()
    found = []
    for row in rows:
        before = latest.get(row.key, "")
        found.append(
            Saved(
                row.version,
                row.key,
                row.at,
                seats.get(people.get(row.by, ""), _LEADER),
                difference(before, row.text),
                bool(before) and row.key not in touched,
            )
        )
        latest[row.key] = row.text
        touched.add(row.key)
    return found[::-1]


def difference(before: str, after: str) -> tuple[Part, ...]:
    """What stayed, came and went, word by word (hanzi by hanzi), in reading order."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    made: list[Part] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            made.append(("same", "".join(old[a:b])))
            continue
        if b > a:
            made.append(("gone", "".join(old[a:b])))
        if d > c:
            made.append(("added", "".join(new[c:d])))
    return tuple(made)
