"""The act that lets a county be drawn for once more after its round was cancelled.

The office asks with a reason, a supervisor who is another person releases or refuses, one purpose uses
the release; each step is an entry of the ledger (docs/draw-protocol.md section 14).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, Text
from app.draw import releases
from app.draw.messages import cannot
from app.draw.models import Draw
from app.draw.models_release import DrawRelease
from app.draw.supplements import is_supplement
from app.ledger.append import append
from app.programme.guards import words

ASK = Text("申请再次抽取", "ask for a second draw")
DECIDE = Text("决定是否放行", "decide on a second draw")
_LIVE = Text(
    "本届没有取消；只有届次取消之后，它的区县才可能再抽一次",
    "its round was not cancelled; only after that may its counties be drawn for once more",
)
_NOT_FIRST = Text(
    "只有已有结果的正式抽取（不含补充抽取）需要放行",
    "a release is for a real draw with a result, and not for a supplementary one",
)
_OPEN = Text("已有一份申请", "there is a request already")
_READY = Text("已经放行：请到新的届次申请抽取", "it is released: request the draw in the new round")
_SPENT = Text("已放行过一次并已用于另一次抽取", "it was released once, and another draw used that")
_NONE = Text("没有待决定的申请", "no request awaits a decision")
_HIMSELF = Text("申请人本人不能决定", "whoever asked does not decide")
_NOT_ON_RECORD = Text(
    "放行的记录与账本不符，没有采用。请由监督人员运行核验。",
    "The record of the release does not agree with the ledger and was not taken. A supervisor should "
    "run the verification.",
)


def refuse_asking(session: Session, draw: Draw) -> None:
    """Conflict unless a second draw after this one can be asked for now."""
    if draw.kind != "real" or draw.state != "completed" or is_supplement(draw):
        raise cannot(ASK, _NOT_FIRST)
    if draw.round.phase != "cancelled":
        raise cannot(ASK, _LIVE)
    for row in releases.of_draw(session, draw):
        if row.state in ("asked", "released"):
            raise cannot(ASK, _OPEN if row.state == "asked" else _READY)
        if row.state == "used" and not releases.spent_in_vain(session, row):
            raise cannot(ASK, _SPENT)


def ask_second(session: Session, actor: Viewer, draw: Draw, reason: str) -> DrawRelease:
    """The office asks, with its reason, after the round was cancelled."""
    actor.require("office")
    refuse_asking(session, draw)
    given = words(reason, Text("理由", "Reason"), "reason", 2000)
    row = DrawRelease(
        draw_id=draw.id,
        number=1 + len(releases.of_draw(session, draw)),
        state="asked",
        reason=given,
        asked_by=actor.id,
        asked_at=clock.now(),
    )
    session.add(row)
    session.flush()
    append(
        session, actor, releases.ASKED, draw=draw.id, release=row.id, number=row.number,
        commitment_hash=draw.commitment_hash,
    )  # fmt: skip
    return row


def awaiting(session: Session, draw: Draw) -> DrawRelease:
    """The asking that awaits a decision; Conflict."""
    for row in releases.of_draw(session, draw):
        if row.state == "asked":
            return row
    raise cannot(DECIDE, _NONE)


def decide_second(
    session: Session, actor: Viewer, draw: Draw, *, release: bool, answer: str
) -> DrawRelease:
    """A supervisor releases one second draw or refuses it, and says why."""
    actor.require("supervisor")
    row = awaiting(session, draw)
    asker = session.get_one(Account, row.asked_by)
    if asker.person_id == actor.person_id:
        raise cannot(DECIDE, _HIMSELF)
    if draw.round.phase != "cancelled":
        raise cannot(DECIDE, _LIVE)
    row.answer = words(answer, Text("意见", "Grounds"), "answer", 2000)
    row.decided_by, row.decided_at = actor.id, clock.now()
    row.state = "released" if release else "refused"
    row.statement = releases.statement_of(row, draw.commitment_hash) if release else None
    kind = releases.RELEASED if release else releases.REFUSED
    append(
        session, actor, kind, draw=draw.id, release=row.id, number=row.number,
        commitment_hash=draw.commitment_hash, statement=row.statement or "",
    )  # fmt: skip
    return row


def spend(
    session: Session, actor: Viewer | None, rows: Iterable[DrawRelease], purpose: str
) -> None:
    """A purpose uses what was released for its counties; a later attempt at it uses the same."""
    for row in rows:
        if row.state == "used":
            continue
        row.state, row.used_purpose = "used", purpose
        append(
            session, actor, releases.USED, draw=row.draw_id, release=row.id, purpose=purpose,
            statement=row.statement,
        )  # fmt: skip
        if releases.fault_of(session, row):
            raise Conflict(_NOT_ON_RECORD, field="purpose")
