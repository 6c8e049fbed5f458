"""What the panel's steps check alike: a refusal that says why, and the statement under way."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.types import Conflict, NotNow, Text
from app.panel import queries
from app.panel.models import Sitting, Statement

_STATE = Text(
    "现在不能{what}：{why}。没有任何改动。", "Cannot {what_en} now: {why_en}. Nothing was changed."
)


def refuse(what: str, what_en: str, why: str, why_en: str) -> NotNow:
    """A step out of order: what, and why not now. For the caller to raise."""
    words = _STATE.format(what=what, what_en=what_en, why=why, why_en=why_en)
    return NotNow(words, what=Text(what, what_en))


def changed(what: str, what_en: str, why: str, why_en: str) -> Conflict:
    """What the page showed has changed since: what, and how. For the caller to raise."""
    return Conflict(_STATE.format(what=what, what_en=what_en, why=why, why_en=why_en))


def running_statement(session: Session, sitting: Sitting) -> Statement:
    """The statement while it can still change; Conflict before it is opened and once closed."""
    row = queries.statement(session, sitting)
    if row is None or row.closed_at is not None or sitting.phase != "statement":
        raise refuse("修改陈述", "change the statement", "陈述未在进行", "it is not open")
    return row
