"""What waits for a supervisor: cosignatures, dice, challenges, declared links, recoveries."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.queries import waiting_resets
from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.models import Act, Dice, Draw
from app.home.wait import Wait, count_of
from app.panel.models import Challenge, Panel, Sitting
from app.programme.models import Round
from app.registry.models import Interest


def supervisor_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Everything that waits for one supervisor."""
    found = []
    for draw in session.scalars(select(Draw).where(Draw.state.in_(("committed", "cosigned")))):
        at = {"slug": draw.round.slug, "draw_id": draw.id}
        if draw.state == "committed":
            text = Text("抽取承诺待会签", "A commitment waits for your cosignature")
        elif any(row.account_id == viewer.id for row in _dice(session, draw)):
            continue
        else:
            text = Text("请独立录入骰子点数", "Enter the dice on your own device")
        found.append(Wait(text, "draw.show", at, draw.round))
    for act in session.scalars(select(Act).where(Act.cosigned_by.is_(None))):
        draw = session.get_one(Draw, act.draw_id)
        found.append(
            Wait(
                Text("更换记录待会签", "A removal waits for your cosignature"),
                "draw.show",
                {"slug": draw.round.slug, "draw_id": draw.id},
                draw.round,
            )
        )
    asked = (
        select(Panel.round_id, func.count(Challenge.id))
        .join(Sitting, Sitting.panel_id == Panel.id)
        .join(Challenge, Challenge.sitting_id == Sitting.id)
        .where(Challenge.decision.is_(None), Challenge.answer.is_not(None))
        .group_by(Panel.round_id)
    )
    for round_id, n in session.execute(asked).all():
        round_ = session.get_one(Round, round_id)
        found.append(
            Wait(
                Text("件回避申请待决定", "challenges await your decision"),
                "panel.recusal_list",
                {"slug": round_.slug},
                round_,
                n,
            )
        )
    ready = (
        (Interest.kind != "other") | (Interest.side == "county") | Interest.proposed.is_not(None)
    )
    n = count_of(session, select(Interest.id).where(Interest.status == "declared", ready))
    if n:
        found.append(
            Wait(
                Text("件利害关系申报待决定", "declared interests await a decision"),
                "registry.interests",
                n=n,
            )
        )
    n = len(waiting_resets(session))
    if n:
        found.append(
            Wait(
                Text("个账号恢复待监督人员确认", "account recoveries await a supervisor"),
                "accounts.index",
                n=n,
            )
        )
    return found


def _dice(session: Session, draw: Draw) -> list[Dice]:
    return list(session.scalars(select(Dice).where(Dice.draw_id == draw.id)))
