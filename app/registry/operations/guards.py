"""Checks and small steps that the pool's operations share: who may, in whose case, what is a valid
fact, and what every change of an expert's row leaves behind.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import queries as directory_queries
from app.domain.types import DomainError, Forbidden, NotNow, Text
from app.registry import messages, words
from app.registry.models import DISCIPLINES, KINDS, SOURCES, Expert

CONSENT_VERSION = "2026-1"


def year_later(day: date) -> date:
    """The same day next year; 29 February becomes 28."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def check_facts(
    today: date,
    *,
    title: str,
    title_rank: int,
    kind: str,
    discipline: str,
    source: str,
    career_start: int | None,
) -> None:
    """Facts of an expert are whole and of known codes; DomainError names the field."""
    if not title.strip():
        raise DomainError(messages.TITLE, field="title")
    check_code("title_rank", title_rank, tuple(words.TITLE_RANK))
    check_code("kind", kind, KINDS)
    check_code("discipline", discipline, DISCIPLINES)
    check_code("source", source, SOURCES)
    if career_start is not None and not 1950 <= career_start <= today.year:
        raise DomainError(messages.YEAR, field="career_start")


def check_code(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """`value` is one of `allowed`."""
    if value not in allowed:
        label = words.FIELD.get(name, Text(name, name))
        raise DomainError(messages.CODE.format(value=value, field=label), field=name)


def check_region(session: Session, code: str) -> None:
    """The code is known."""
    if directory_queries.region(session, code) is None:
        raise DomainError(messages.REGION.format(code=code), field="region_code")


def reason_given(reason: str) -> str:
    """The reason, stripped; DomainError when there is none."""
    if not reason.strip():
        raise DomainError(messages.REASON, field="reason")
    return reason.strip()


def set_status(session: Session, expert: Expert, status: str, reason: str) -> None:
    """A new status from today."""
    expert.status = status
    expert.status_since = clock.today(zone_of(session))
    expert.status_reason = reason


def status_text(expert: Expert) -> Text:
    """Why the present status does not allow it."""
    return messages.WRONG_STATUS.format(name=expert.person.name, status=words.STATUS[expert.status])


def touch(actor: Viewer | None, expert: Expert) -> None:
    """The row changed: a new version, by whom and when."""
    expert.version += 1
    expert.edited_by = actor.id if actor else None
    expert.edited_at = clock.now()


def may(actor: Viewer | None, *roles: str) -> None:
    """The actor holds one of `roles`; None is the command line."""
    if actor is not None:
        actor.require(*roles)


def not_own(actor: Viewer | None, expert: Expert) -> None:
    """Nobody acts in his own case."""
    if actor is not None and actor.person_id == expert.person_id:
        raise Forbidden(messages.OWN_CASE)


def not_merged(expert: Expert) -> None:
    """Nothing is entered under a record that was merged into another."""
    if expert.merged_into is not None:
        raise NotNow(messages.MERGED.format(number=expert.number))


def zone_of(session: Session) -> str:
    """The office's time zone."""
    return str(session.info["settings"].timezone)


def at_noon(session: Session, day: date) -> datetime:
    """A paper bears a day only; noon keeps it the same day in every nearby zone."""
    return datetime.combine(day, time(12), ZoneInfo(zone_of(session)))
