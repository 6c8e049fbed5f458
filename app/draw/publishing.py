"""The two ends of asking for any draw: its numbered draft, and the publication of its commitment.

docs/draw-protocol.md sections 3 and 10. What a commitment freezes is recorded before, so that the head that
it names contains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Commitment
from app.draw import ceremony
from app.draw.models import Draw
from app.ledger import prove
from app.ledger.append import append
from app.programme.models import Round


def open_draft(
    session: Session,
    actor: Viewer | None,
    round_: Round,
    *,
    stage: str,
    kind: str,
    purpose: str,
    request: dict[str, Any],
) -> Draw:
    """A draft, its attempt one more than the purpose has had; on record. That the purpose may have
    another draw is for the caller to see to (`purposes.refuse_second`)."""
    last = session.scalar(select(func.max(Draw.attempt)).where(Draw.purpose_key == purpose))
    draw = Draw(
        round=round_,
        stage=stage,
        kind=kind,
        purpose_key=purpose,
        attempt=(last or 0) + 1,
        state="draft",
        request=request,
        created_by=actor.id if actor else None,
        created_at=clock.now(),
    )
    session.add(draw)
    session.flush()
    append(
        session,
        actor,
        "draw.requested",
        draw=draw.id,
        draw_kind=kind,
        purpose=purpose,
        attempt=draw.attempt,
    )
    return draw


def publish(
    session: Session,
    actor: Viewer | None,
    draw: Draw,
    commitment: Commitment,
    snapshot: Mapping[str, Any],
    **told: Any,
) -> None:
    """Bind the commitment to the ledger's head, append it, and sign a checkpoint over it.

    `snapshot` is kept with the draw; `told` are the public figures of the event.
    """
    before = prove.head(session)
    # Every draw of the application is cosigned on a device: a transcript without that is not whole.
    fixed = {"previous_head": str(before), "requires_cosignature": 1}
    bound = replace(commitment, document={**commitment.document, **fixed})
    draw.commitment = bound.document
    draw.commitment_hash = bound.hash
    draw.commitment_seq = before.size
    draw.snapshot = {**snapshot, "lotteries": bound.lotteries}
    draw.state = "committed"
    event = append(
        session,
        actor,
        "draw.committed",
        draw=draw.id,
        draw_kind=draw.kind,
        commitment_hash=bound.hash,
        attempt=draw.attempt,
        **told,
    )
    note, proof = ceremony.anchor(session, session.info["keys"], event)
    draw.checkpoint = str(note)
    draw.snapshot = {**draw.snapshot, "anchor": proof}
    append(session, actor, "draw.checkpoint", draw=draw.id, size=note.size, root=note.root.hex())
