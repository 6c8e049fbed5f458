"""Whether two records of an expert may be merged: not while one of them stands in an open draw or sits
on a panel of a round that is not over. Merging itself: `app.registry.operations.merging`.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw.models import Candidate, Draw, Seat
from app.programme.models import Round
from app.registry.models import Expert

_POOL = Text(
    "{number} 在“{round}”一次已承诺、尚未结束的抽取的专家库快照中。没有合并；请在抽取结束后再合并。",
    "{number} stands in the pool of a draw of “{round}” that is committed and not over. Nothing was "
    "merged; merge when the draw is over.",
)
_PANEL = Text(
    "{number} 在“{round}”的评审组中，该届尚未结束。没有合并；请在该届结束后再合并。",
    "{number} sits on a panel of “{round}”, which is not over. Nothing was merged; merge when that "
    "round is over.",
)


def seated(session: Session, expert: Expert) -> Text | None:
    """Why the expert's record must stay as it is now; None when nothing is open."""
    drawn_from = session.scalar(
        select(Round)
        .join(Draw, Draw.round_id == Round.id)
        .join(Candidate, Candidate.draw_id == Draw.id)
        .where(Candidate.expert_id == expert.id, Draw.state.in_(("committed", "cosigned")))
        .limit(1)
    )
    if drawn_from is not None:
        return _POOL.format(number=expert.number, round=drawn_from.title)
    sits_in = session.scalar(
        select(Round)
        .join(Draw, Draw.round_id == Round.id)
        .join(Seat, Seat.draw_id == Draw.id)
        .where(
            Seat.expert_id == expert.id,
            Seat.state != "removed",
            Draw.state == "completed",
            Round.phase.in_(("preparing", "open")),
        )
        .limit(1)
    )
    return _PANEL.format(number=expert.number, round=sits_in.title) if sits_in is not None else None
