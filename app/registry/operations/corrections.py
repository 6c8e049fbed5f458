"""An expert asks that what is held about him be corrected (PIPL art. 46); the keeper accepts, which
changes the fact, or refuses with a reason. Sealed in the ledger: it would show what somebody did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import identity
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.keys import Keys
from app.ledger.append import append
from app.registry import columns, messages
from app.registry.models import CORRECTABLE, Expert, ExpertCorrection
from app.registry.operations.editing import edit_expert
from app.registry.operations.guards import check_code, may, not_own, reason_given

_EMPTY = Text("请填写应当是什么。没有提交。", "Enter what it should be. Nothing was sent.")
_WAITS = Text(
    "关于这一项的更正申请还在等待答复。没有重复提交。",
    "A request about this fact awaits its answer already; it was not sent twice.",
)
_DECIDED = Text(
    "这件更正申请已经答复。没有任何改动。", "This request is answered already. Nothing was changed."
)
_YEAR = Text("请填写年份，例如 1998。没有提交。", "Enter a year, such as 1998. Nothing was sent.")


def _year(value: str) -> int:
    if not re.fullmatch(r"\d{4}", identity.narrow(value)):
        raise DomainError(_YEAR, field="wanted")
    return int(identity.narrow(value))


# How the wanted text of a field is read; the others (employer, matter) the keeper enters by hand.
_READ: Mapping[str, Callable[[str], Any]] = {
    "name": identity.clean_name,
    "phone": identity.clean_phone,
    "id_number": identity.clean_id_number,
    "birth_date": columns.read_day,
    "title": str.strip,
    "specialties": lambda text: [s for s in re.split(r"[;；、,，]\s*", text) if s],
    "career_start": _year,
}


def ask_correction(
    session: Session, actor: Viewer, *, expert: Expert, field: str, wanted: str, explanation: str
) -> ExpertCorrection:
    """The expert says what is wrong in `field`, what it should be, and why. DomainError when it cannot
    be read as such a fact; Conflict while a request about the field is open."""
    actor.require("expert")
    if actor.person_id != expert.person_id:
        raise Forbidden(messages.NO_SUCH)
    check_code("field", field, CORRECTABLE)
    if not wanted.strip():
        raise DomainError(_EMPTY, field="wanted")
    if field in _READ:
        try:
            _READ[field](wanted)
        except DomainError as error:
            raise DomainError(error.text, field="wanted") from error
    waiting = select(ExpertCorrection.id).where(
        ExpertCorrection.expert_id == expert.id,
        ExpertCorrection.field == field,
        ExpertCorrection.decision.is_(None),
    )
    if session.scalar(waiting):
        raise Conflict(_WAITS, field="field")
    keys: Keys = session.info["keys"]
    row = ExpertCorrection(
        expert_id=expert.id,
        field=field,
        wanted=keys.encrypt(wanted.strip()),
        explanation=reason_given(explanation),
        asked_by=actor.id,
        asked_at=clock.now(),
    )
    session.add(row)
    session.flush()
    append(session, actor, "correction.asked", sealed=True, correction=row.id)
    return row


def answer_correction(
    session: Session,
    actor: Viewer,
    *,
    correction: ExpertCorrection,
    accept: bool,
    reason: str,
    on: date | None = None,
) -> None:
    """Accept, and change the fact from `on` (today), or refuse; both with a reason. An employer or a fact
    of another kind is entered by the keeper himself; accepting says that he has."""
    may(actor, "keeper")
    expert = session.get_one(Expert, correction.expert_id)
    not_own(actor, expert)
    if correction.decision is not None:
        raise Conflict(_DECIDED)
    why = reason_given(reason)
    if accept and correction.field in _READ:
        keys: Keys = session.info["keys"]
        changes = {correction.field: _READ[correction.field](keys.decrypt(correction.wanted))}
        if correction.field == "title":
            rank = columns.rank_of_title(str(changes["title"]))
            changes |= {"title_rank": rank} if rank is not None else {}
        edit_expert(
            session, actor, expert=expert, version=expert.version, on=on, record=False, **changes
        )
    correction.decision = "accepted" if accept else "refused"
    correction.decided_by, correction.decided_at = actor.id, clock.now()
    correction.decision_reason = why
    append(session, actor, "correction.answered", sealed=True, correction=correction.id)
