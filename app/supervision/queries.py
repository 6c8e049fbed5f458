"""The ledger as a list: what was recorded, when, by whom. Sealed entries stay sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.models import Account, RoleGrant
from app.ledger.models import Event, SignedHead

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it may be shown: never the opening of a sealed one."""

    seq: int
    kind: str
    at: str
    actor: str
    data: dict[str, Any]
    rows: int
    leaf: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of entries, newest first; pages count from 1."""

    lines: list[Line]
    number: int
    size: int
    total: int


def entries(session: Session, *, number: int = 1) -> Page:
    """A page of the ledger with three queries, whatever its length."""
    total = session.scalar(select(func.count()).select_from(Event)) or 0
    last = max(1, -(-total // PAGE))
    number = min(max(1, number), last)
    rows = list(
        session.scalars(
            select(Event).order_by(Event.seq.desc()).offset((number - 1) * PAGE).limit(PAGE)
        )
    )
    bodies = [json.loads(row.payload) for row in rows]
    actors = {body.get("actor") for body in bodies} - {None}
    names: dict[str, str] = {}
    for account in session.scalars(select(Account).where(Account.id.in_(actors))):
        names[account.id] = account.person.name
    lines = [
        Line(
            row.seq,
            body["kind"],
            body.get("at", ""),
            names.get(body.get("actor") or "", ""),
            body.get("data", {}),
            len(body.get("rows", ())),
            row.leaf.hex(),
        )
        for row, body in zip(rows, bodies, strict=True)
    ]
    return Page(lines, number, PAGE, total)


def checkpoints(session: Session, limit: int = 10) -> list[SignedHead]:
    """The latest signed heads."""
    return list(session.scalars(select(SignedHead).order_by(SignedHead.size.desc()).limit(limit)))


def role_history(session: Session) -> list[tuple[RoleGrant, str]]:
    """Every grant of a role with the name of its holder, latest first."""
    rows = session.execute(
        select(RoleGrant, Account)
        .join(Account, Account.person_id == RoleGrant.person_id)
        .order_by(RoleGrant.since.desc())
    )
    return [(grant, account.person.name) for grant, account in rows]
