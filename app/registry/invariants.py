"""What always holds of the pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from app.accounts.models import RoleGrant
from app.directory.models import Person
from app.domain.types import Text
from app.registry import queries
from app.registry.models import Absence, Expert, Interest, Sanction, Screening
from app.registry.operations import REVIEWERS_NEEDED


def _say(rows: Iterable[Expert], zh: str, en: str) -> list[Text]:
    return [Text(f"{row.number}：{zh}。", f"{row.number}: {en}.") for row in rows]


def active_consented(session: Session) -> list[Text]:
    """Everybody active or suspended has consented and has an admission day (S0 art. 34(2))."""
    rows = session.scalars(
        select(Expert).where(
            Expert.status.in_(("active", "suspended")),
            or_(Expert.consent_at.is_(None), Expert.admitted_on.is_(None)),
        )
    )
    return _say(rows, "在库而无同意书或入库日期", "in the pool without consent or admission day")


def active_screened(session: Session) -> list[Text]:
    """Everybody active was passed by two reviewers or stands on a screening document
    (S0 art. 34(1))."""
    rows = session.scalars(
        select(Expert)
        .where(Expert.status == "active", Expert.screening_document == "")
        .options(selectinload(Expert.screenings))
    )
    short = [
        row
        for row in rows
        if list(queries.verdicts(row.screenings).values()).count("pass") < REVIEWERS_NEEDED
    ]
    return _say(short, "在库而没有两名审核人通过", "active without two reviewers who passed")


def barred_for_ever(session: Session) -> list[Text]:
    """A bar has no end, and whoever has one is barred; nobody else is (S0 art. 40(4))."""
    bar = exists().where(Sanction.expert_id == Expert.id, Sanction.kind == "bar")
    rows = session.scalars(select(Expert).where((Expert.status == "barred") != bar))
    broken = _say(rows, "状态与永久除名记录不符", "status and bar do not fit")
    ended = session.scalars(
        select(Expert)
        .join(Sanction, Sanction.expert_id == Expert.id)
        .where(Sanction.kind == "bar", Sanction.until.is_not(None))
    )
    return broken + _say(ended, "永久除名有结束日期", "a bar for ever has an end")


def dates_in_order(session: Session) -> list[Text]:
    """Sanctions, absences and interests do not end before they begin."""
    broken = []
    for model in (Sanction, Absence, Interest):
        rows = session.scalars(
            select(Expert)
            .join(model, model.expert_id == Expert.id)
            .where(model.until < model.since)
        )
        broken += _say(rows, "有日期颠倒的记录", f"dates out of order in {model.__tablename__}")
    return broken


def decisions_whole(session: Session) -> list[Text]:
    """A decided declaration names who, when and why; a pending one does not."""
    rows = session.scalars(
        select(Expert)
        .join(Interest, Interest.expert_id == Expert.id)
        .where(
            or_(
                (Interest.status == "declared") & Interest.decided_at.is_not(None),
                (Interest.status != "declared")
                & (Interest.decided_at.is_(None) | (Interest.decision_reason == "")),
            )
        )
    )
    return _say(rows, "利害关系决定不完整", "a decision on an interest is incomplete")


def keeper_outside(session: Session) -> list[Text]:
    """Keeper, office, supervisor and administrator are no active experts (S0 art. 34(1), 38)."""
    rows = session.scalars(
        select(Expert)
        .join(RoleGrant, RoleGrant.person_id == Expert.person_id)
        .where(
            Expert.status == "active",
            RoleGrant.until.is_(None),
            RoleGrant.role.in_(("keeper", "office", "supervisor", "admin")),
        )
    )
    return _say(rows, "在库专家同时是工作人员", "an active expert is staff")


def merged_records(session: Session) -> list[Text]:
    """A merged record is retired, points to one that stays, like its person, and holds nothing more."""
    stays = aliased(Expert)
    pointed = session.scalars(
        select(Expert)
        .join(stays, stays.id == Expert.merged_into)
        .join(Person, Person.id == Expert.person_id)
        .where(
            or_(
                Expert.status != "retired",
                Expert.id == stays.id,
                Person.merged_into.is_(None),
                exists().where(Sanction.expert_id == Expert.id),
                exists().where(Interest.expert_id == Expert.id),
                exists().where(Screening.expert_id == Expert.id),
            )
        )
    )
    return _say(pointed, "已并入的记录仍在使用", "a merged record is still in use")


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("registry.active_consented", active_consented),
    ("registry.active_screened", active_screened),
    ("registry.barred_for_ever", barred_for_ever),
    ("registry.dates_in_order", dates_in_order),
    ("registry.decisions_whole", decisions_whole),
    ("registry.keeper_outside", keeper_outside),
    ("registry.merged_records", merged_records),
)
