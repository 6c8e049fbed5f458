"""What waits for a supervisor: cosignatures, dice, challenges, declared links, recoveries."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.queries import renewed_staff, waiting_resets
from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.models import Act, Dice, Draw
from app.draw.models_release import DrawRelease
from app.field.held import held_sheets
from app.field.models import LateSheet
from app.home.wait import Wait, count_of
from app.home.waits_first import supervisor_first_waits
from app.home.waits_results import flag_waits, release_waits
from app.panel.models import Challenge, Panel, Sitting
from app.programme.models import Round
from app.registry.models import Interest
from app.scoring.models_paper import PaperSheet


def supervisor_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Everything that waits for one supervisor."""
    found = supervisor_first_waits(session, viewer)
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
    for release in session.scalars(select(DrawRelease).where(DrawRelease.state == "asked")):
        draw = session.get_one(Draw, release.draw_id)
        found.append(
            Wait(
                Text("再次抽取的申请待决定", "A second draw is asked for: decide on it"),
                "draw.second",
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
    found += _from_tablets(session, viewer)
    found += _objections(session)
    found += flag_waits(session)
    found += release_waits(session, viewer)
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
    n = len(renewed_staff(session, unseen=True))
    if n:
        found.append(
            Wait(
                Text(
                    "个办公室或专家库账号由管理员恢复，请核实",
                    "office or keeper accounts were recovered by an administrator: check them",
                ),
                "accounts.index",
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


def _from_tablets(session: Session, viewer: Viewer) -> list[Wait]:
    """Late sheets, and what is held for members who were recorded as absent."""
    found = []
    late = (
        select(Panel.round_id, func.count(LateSheet.id))
        .join(Sitting, Sitting.panel_id == Panel.id)
        .join(LateSheet, LateSheet.sitting_id == Sitting.id)
        .where(LateSheet.decision.is_(None))
        .group_by(Panel.round_id)
    )
    held = Counter(row.sitting.panel.round_id for row in held_sheets(session, viewer))
    words = (
        (dict(session.execute(late).all()), Text("张迟到的评分表待决定", "late sheets await your decision")),
        (held, Text(
            "名被记为缺席的成员有平板内容待决定",
            "members recorded as absent have entries that await your decision",
        )),
    )  # fmt: skip
    for counts, what in words:
        for round_id, n in counts.items():
            round_ = session.get_one(Round, round_id)
            at = {"slug": round_.slug}
            found.append(Wait(what, "field_desk.waiting", at, round_, n))
    return found


def _objections(session: Session) -> list[Wait]:
    """Experts who say that their paper was read wrongly: one each, with its own page."""
    rows = session.scalars(
        select(PaperSheet)
        .where(PaperSheet.objected_at.is_not(None), PaperSheet.objection_decision.is_(None))
        .order_by(PaperSheet.objected_at, PaperSheet.id)
    )
    text = Text("对纸质表录入的异议待决定：{c}", "An objection to a paper sheet awaits you: {c}")
    return [
        Wait(
            text.format(c=row.sitting.subject.name),
            "scoring.paper_sheet",
            {"slug": row.sitting.panel.round.slug, "paper_id": row.id},
            row.sitting.panel.round,
        )
        for row in rows
    ]


def _dice(session: Session, draw: Draw) -> list[Dice]:
    return list(session.scalars(select(Dice).where(Dice.draw_id == draw.id)))
