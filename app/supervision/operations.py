"""What a supervisor writes: the heads of his papers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.ledger.append import append
from app.ledger.prove import TreeHead
from app.supervision.models import PaperHead


def keep_head(session: Session, actor: Viewer, head: TreeHead, source: str) -> PaperHead:
    """Put a head from a paper on the actor's list; the same head again changes nothing.

    A head that does not fit is kept as well: it is the evidence.
    """
    actor.require("supervisor")
    known = session.scalar(
        select(PaperHead).where(
            PaperHead.account_id == actor.id,
            PaperHead.size == head.size,
            PaperHead.root == head.root.hex(),
        )
    )
    if known is not None:
        return known
    row = PaperHead(
        account_id=actor.id,
        size=head.size,
        root=head.root.hex(),
        source=source.strip(),
        at=clock.now(),
    )
    session.add(row)
    session.flush()
    append(session, actor, "supervision.head_kept", head=str(head))
    return row
