"""What waits at sittings: an expert's signing in, and the office's next step. One line stands for what one
press does, so that a panel with six counties on one day is not six lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.domain.types import Text
from app.home.wait import Wait, count_of
from app.panel import queries as panels
from app.panel.models import Challenge, Panel, Sitting
from app.programme.instruments import stage_text
from app.programme.models import Round
from app.scoring import queries as sheets
from app.scoring.queries import Duty


def sign_in_waits(duties: list[Duty]) -> dict[str, Wait | None]:
    """Sitting id -> the line for a sitting at which the viewer has to sign in before anything else; None
    where the line of another sitting at the same table (`panels.same_table`) covers it."""
    away = {duty.sitting.id: duty.sitting for duty in duties if not duty.signed_in}
    found: dict[str, Wait | None] = {}
    for duty in duties:
        sitting = duty.sitting
        late = sitting.phase == "scoring" and duty.sheet is None
        if sitting.id not in away or sitting.id in found or not (sitting.phase == "open" or late):
            continue
        table = [row for row in panels.same_table(sitting) if row.id in away]
        text = Text("请签到：{c}", "Sign in: {c}").format(c=sitting.subject.name)
        if len(table) > 1:
            text = Text("请签到：{n} 场会议", "Sign in: {n} sittings").format(n=len(table))
        found |= dict.fromkeys((row.id for row in table), None)
        at = {"slug": sitting.panel.round.slug, "sitting_id": sitting.id}
        found[sitting.id] = Wait(text, "panel.sitting", at, sitting.panel.round)
    return found


def office_sitting_waits(session: Session, round_: Round) -> list[Wait]:
    """Sittings whose next step is the office's, those of one panel in one line; challenges."""
    rows = session.scalars(
        select(Sitting)
        .join(Panel, Sitting.panel_id == Panel.id)
        .where(Panel.round_id == round_.id, Sitting.phase.not_in(("planned", "closed")))
        .options(selectinload(Sitting.statement))
        .order_by(Sitting.on, Sitting.position)
    )
    of_panel: dict[Panel, list[Sitting]] = defaultdict(list)
    for sitting in rows:
        of_panel[sitting.panel].append(sitting)
    found = []
    for panel, running in of_panel.items():
        final = {row.id for row in sheets.to_close(session, panel, running)}
        waiting = [row for row in running if _for_office(row, final)]
        if len(waiting) > 1:
            text = Text(
                "场会议等待办公室下一步：{s} {p}", "sittings wait for your next step: {s} {p}"
            ).format(s=stage_text(panel.stage), p=panel.code)
            at = {"slug": round_.slug, "panel_id": panel.id}
            found.append(Wait(text, "panel.show", at, round_, len(waiting)))
            continue
        for sitting in waiting:
            text = Text("会议等待办公室下一步：{c}", "A sitting waits for your next step: {c}")
            at = {"slug": round_.slug, "sitting_id": sitting.id}
            named = text.format(c=sitting.subject.name)
            found.append(Wait(named, "panel.sitting", at, round_))
    n = count_of(
        session,
        select(Challenge.id)
        .join(Sitting, Challenge.sitting_id == Sitting.id)
        .join(Panel, Sitting.panel_id == Panel.id)
        .where(
            Panel.round_id == round_.id, Challenge.decision.is_(None), Challenge.answer.is_(None)
        ),
    )
    if n:
        text = Text("件回避申请待询问专家", "challenges: ask the expert")
        found.append(Wait(text, "panel.recusal_list", {"slug": round_.slug}, round_, n))
    return found


def _for_office(sitting: Sitting, final: set[str]) -> bool:
    """Whether the next step of a running sitting is the office's, not the county's or an expert's."""
    if sitting.phase == "statement":
        said = sitting.statement
        return said is not None and (said.confirmed_at or said.closed_at) is not None
    if sitting.phase == "scoring":
        return sitting.id in final
    return sitting.phase == "open"


def panels_at_work(session: Session, rounds: Iterable[Round]) -> dict[str, list[Panel]]:
    """Round id -> its panels with a sitting today or under way, of rounds that are going on; one query
    for all rounds."""
    today = clock.today(session.info["settings"].timezone)
    busy = select(Sitting.panel_id).where(
        Sitting.phase != "closed", or_(Sitting.on == today, Sitting.phase != "planned")
    )
    found: dict[str, list[Panel]] = defaultdict(list)
    for panel in session.scalars(
        select(Panel)
        .where(
            Panel.round_id.in_([row.id for row in rounds if row.phase == "open"]),
            Panel.id.in_(busy),
        )
        .order_by(Panel.stage, Panel.code)
    ):
        found[panel.round_id].append(panel)
    return found
