"""Two records of one person become one: everything that was recorded of either follows the record that
stays, and the other points to it.

Nothing is deleted. What was drawn under the merged record stays under it, so that transcripts of the
past verify as they were; rotation counts it for the person (`queries.heirs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account, Invitation
from app.accounts.viewer import Viewer
from app.directory import queries as directory_queries
from app.directory.models import Employment, FormerValue
from app.domain.types import DomainError, NotNow, Text
from app.keys import Keys
from app.ledger.append import append
from app.registry import messages
from app.registry.models import Absence, Expert, ExpertCorrection, Interest, Sanction, Screening
from app.registry.models_registers import CountyHead, PastPanel, Residence, TieStatement
from app.registry.operations.guards import (
    may,
    not_merged,
    not_own,
    reason_given,
    set_status,
    touch,
    zone_of,
)

# What hangs on the expert, and what hangs on the person behind.
OF_EXPERT: tuple[type[Any], ...] = (
    Screening, Sanction, Absence, Interest, Residence, TieStatement, PastPanel,
    ExpertCorrection,
)  # fmt: skip
OF_PERSON: tuple[type[Any], ...] = (Employment, FormerValue, CountyHead, Invitation)
Seated = Callable[[Session, Expert], Text | None]

_SAME = Text("这是同一条记录。没有合并。", "This is one and the same record. Nothing was merged.")
_NUMBERS = Text(
    "两条记录的身份证号不同，不是同一个人。没有合并；若有一个号码登错，请先改正。",
    "The two records have different identity numbers: they are two people. Nothing was merged; if one "
    "number is wrong, correct it first.",
)
_ACCOUNTS = Text(
    "两条记录都有登录账号。没有合并；请系统管理员先停用并核对其中一个。",
    "Both records have an account to sign in. Nothing was merged; an administrator settles which one "
    "it is first.",
)
_OTHER_WAY = Text(
    "{gone} 有登录账号。没有合并；请反过来，保留 {gone}。",
    "{gone} has an account to sign in. Nothing was merged; merge the other way and keep {gone}.",
)
_WITHDRAWN = Text("两条记录合并", "the two records were merged")


def obstacle(session: Session, keep: Expert, gone: Expert, seated: Seated) -> DomainError | None:
    """Why `gone` cannot be merged into `keep` now; `seated` says whether somebody sits in an open draw
    or panel (rooms that come later know)."""
    if keep.id == gone.id:
        return DomainError(_SAME, field="with")
    for expert in (keep, gone):
        try:
            not_merged(expert)
        except DomainError as error:
            return error
    numbers = {keep.person.id_index, gone.person.id_index} - {None}
    if len(numbers) > 1:
        return NotNow(_NUMBERS)
    accounts = set(
        session.scalars(
            select(Account.person_id).where(Account.person_id.in_((keep.person_id, gone.person_id)))
        )
    )
    if len(accounts) > 1:
        return NotNow(_ACCOUNTS)
    if gone.person_id in accounts:
        return NotNow(_OTHER_WAY.format(gone=gone.number))
    for expert in (keep, gone):
        why = seated(session, expert)
        if why is not None:
            return NotNow(why)
    return None


def holdings(session: Session, expert: Expert) -> dict[str, int]:
    """Table -> how many rows of the expert and the person would follow."""
    found = {}
    for model, column, key in (
        *((model, model.expert_id, expert.id) for model in OF_EXPERT),
        *((model, model.person_id, expert.person_id) for model in OF_PERSON),
    ):
        found[model.__tablename__] = len(
            session.scalars(select(model.id).where(column == key)).all()
        )
    return found


def merge_experts(
    session: Session,
    actor: Viewer | None,
    *,
    keep: Expert,
    gone: Expert,
    reason: str,
    seated: Seated,
) -> None:
    """`gone` is the same person as `keep`: his posts, screenings, sanctions, declarations, absences,
    places, statements and past panels follow, what `keep` lacks is taken over, and names and numbers
    that differ stay readable as former ones. A bar or a suspension of either holds for the person.
    """
    may(actor, "keeper")
    for expert in (keep, gone):
        not_own(actor, expert)
    why = reason_given(reason)
    refused = obstacle(session, keep, gone, seated)
    if refused is not None:
        raise refused
    _follow(session, keep, gone)
    _take_over(session, actor, keep, gone)
    _standing(session, keep, gone)
    gone.merged_into, gone.person.merged_into = keep.id, keep.person_id
    text = messages.MERGED_INTO.format(number=keep.number)
    set_status(session, gone, "retired", f"{text.zh} / {text.en}: {why}")
    for expert in (keep, gone):
        touch(actor, expert)
    session.flush()
    session.expire(keep)
    session.expire(gone)
    session.expire(keep.person)
    session.expire(gone.person)
    append(session, actor, "experts.merged", sealed=True, keep=keep.id, merged=gone.id, reason=why)


def _follow(session: Session, keep: Expert, gone: Expert) -> None:
    for model in OF_EXPERT:
        for row in session.scalars(select(model).where(model.expert_id == gone.id)):
            row.expert_id = keep.id
    for row in session.scalars(select(Interest).where(Interest.other_expert_id == gone.id)):
        row.other_expert_id = keep.id
    session.flush()
    own = (Interest.expert_id == keep.id) & (Interest.other_expert_id == keep.id)
    for row in session.scalars(select(Interest).where(own, Interest.status != "withdrawn")):
        row.status, row.decided_at = "withdrawn", row.decided_at or clock.now()
        row.decision_reason = row.decision_reason or f"{_WITHDRAWN.zh} / {_WITHDRAWN.en}"
    for model in OF_PERSON:
        for row in session.scalars(select(model).where(model.person_id == gone.person_id)):
            row.person_id = keep.person_id
    session.flush()


def _take_over(session: Session, actor: Viewer | None, keep: Expert, gone: Expert) -> None:
    """Numbers that the kept record lacks, other ones as former values, and the better-known facts."""
    keys: Keys = session.info["keys"]
    mine, theirs = keep.person, gone.person
    last = clock.today(zone_of(session)) - timedelta(days=1)

    def former(field: str, value: str) -> None:
        session.add(
            FormerValue(
                person_id=mine.id, field=field, value=value, until=last,
                changed_by=actor.id if actor else None, changed_at=clock.now(),
            )
        )  # fmt: skip

    if theirs.name != mine.name:
        former("name", theirs.name)
    if theirs.phone and not mine.phone:
        mine.phone, mine.phone_index = theirs.phone, theirs.phone_index
    elif theirs.phone and mine.phone_index != theirs.phone_index:
        former("phone", theirs.phone)
    if theirs.id_number and not mine.id_number:
        number, index = theirs.id_number, theirs.id_index
        theirs.id_number = theirs.id_index = None  # the index is unique
        session.flush()
        mine.id_number, mine.id_index = number, index
    born, other = (directory_queries.birth_date(p, keys) for p in (mine, theirs))
    if theirs.birth_date and born is None:
        mine.birth_date = theirs.birth_date
    elif theirs.birth_date and born != other:
        former("birth_date", theirs.birth_date)
    if keep.consent_at is None:
        keep.consent_at, keep.consent_version = gone.consent_at, gone.consent_version
    for name in ("career_start", "region_code", "nominated_by", "screening_document"):
        if not getattr(keep, name):
            setattr(keep, name, getattr(gone, name))
    keep.specialties = _joined(keep.specialties, gone.specialties)
    if gone.note and gone.note not in keep.note:
        keep.note = "\n".join(part for part in (keep.note, gone.note) if part)


def _joined(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _standing(session: Session, keep: Expert, gone: Expert) -> None:
    if gone.status == "barred" and keep.status != "barred":
        set_status(session, keep, "barred", gone.status_reason)
    elif gone.status == "suspended" and keep.status == "active":
        set_status(session, keep, "suspended", gone.status_reason)
