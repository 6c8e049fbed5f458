"""A replacement act's cosignature from the supervisor's own device, and its completion by itself.

docs/draw-protocol.md section 9: the removals are fixed and cosigned before any code of the act is
revealed. What is signed is a checkpoint of the ledger that already holds the removal record.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.checkpoint import Checkpoint
from app.domain.ledger.merkle import root
from app.domain.types import DomainError, Text
from app.draw.device import keep_cosignature
from app.draw.messages import cannot
from app.draw.models import Act, Draw
from app.draw.operations_seats import complete_act, reveal_act_code
from app.keys import ORIGIN
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event, SignedHead

_BEFORE = Text(
    "所签的账本头不含这次更换，没有会签。请刷新页面后重签。",
    "The head that was signed does not contain these removals, so nothing was cosigned. Reload the "
    "page and sign again.",
)


def head_now(session: Session) -> Checkpoint:
    """The present head, unsigned: what the supervisor's device is to sign."""
    now = prove.head(session)
    return Checkpoint(ORIGIN, now.size, now.root)


def cosign_act(
    session: Session, actor: Viewer, draw: Draw, act: Act, size: int, signature: str
) -> None:
    """The supervisor agrees to the causes, and only now may codes be revealed.

    `signature`: 128 hex digits by his device key, over the head of the ledger at `size` entries,
    which must contain the removal record.
    """
    actor.require("supervisor")
    if act.cosigned_by is not None or act.completed_at is not None:
        raise cannot(Text("会签", "cosign"), Text("已会签", "it is cosigned"))
    recorded = session.scalar(
        select(func.min(Event.seq)).where(Event.payload.contains(act.removal_hash))
    )
    if recorded is None or not recorded < size <= prove.count(session):
        raise DomainError(_BEFORE, field="signature")
    leaves = session.scalars(select(Event.leaf).where(Event.seq < size).order_by(Event.seq)).all()
    note, ring = Checkpoint(ORIGIN, size, root(leaves)), session.info["keys"]
    note = note.signed(ring.name, ring.public, ring.sign(note.body))
    keep_cosignature(session, actor, draw, act.number, note, signature)
    session.add(SignedHead(size=size, note=str(note), made_at=clock.now(), reason="draw"))
    act.cosigned_by = actor.id
    append(
        session, actor, "draw.removals_cosigned", draw=act.draw_id, act=act.number,
        removal_hash=act.removal_hash,
    )  # fmt: skip


def reveal_and_settle(
    session: Session, actor: Viewer, draw: Draw, act: Act, party: str, code: str
) -> None:
    """A party's code of the act; the last one fills the vacancies in the same transaction."""
    reveal_act_code(session, actor, act, party, code)
    _settle(session, actor, draw, act)


def reveal_observer_act(session: Session, draw: Draw, act: Act, code: str) -> None:
    """The observer's code of the act; whoever calls has found his link of this draw."""
    reveal_act_code(session, None, act, "observer", code)
    _settle(session, None, draw, act)


def _settle(session: Session, actor: Viewer | None, draw: Draw, act: Act) -> None:
    if all(party.name in act.codes for party in draw.parties):
        complete_act(session, actor, act)
