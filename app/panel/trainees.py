"""Sitting along in training. The office appoints before scoring opens; the supervisor sees it at once.

A trainee declares, signs in, reads, scores and seals as a member does, and nothing of it counts or is
waited for: his seat is not active, which is what everything that counts asks (S0 art. 16: the panel that
was drawn scores). Recusal binds him as it binds a member (rules C-01 to C-16).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.queries import live_role
from app.accounts.viewer import Viewer
from app.domain.draw.eligibility import evaluate, pair_conflicts
from app.domain.types import DomainError, NotFound, Text
from app.draw.facts import Facts, Tree, days_of, draw_kind, subject_facts
from app.draw.models import TRAINEE_ACT, Seat
from app.draw.pool import PRIVATE_RULES
from app.draw.supplements import sits_on
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import refuse
from app.panel.models import Panel, Sitting
from app.panel.models_trainees import Trainee
from app.programme.models import Round
from app.programme.queries import rules_of
from app.registry.models import Expert

CAUSE = "trainee"  # why the seat is not active
SHORTEST_REASON = 5
STOOD_ASIDE = "本人申报利害关系，停止见习"
_WHAT = ("安排见习", "appoint a trainee")
_UNKNOWN = Text(
    "专家库中没有编号 {n}。没有任何改动，请核对编号。",
    "Nobody in the pool has the number {n}. Nothing was changed; check the number.",
)
_STATUS = Text(
    "{n} 不是候选或在库专家，不能见习。没有任何改动。",
    "{n} is neither a candidate nor in the pool now, so cannot sit along. Nothing was changed.",
)
_ROLE = Text(
    "{n} 担任其他角色，一人只能担任一种角色。没有任何改动。",
    "{n} holds another role, and one person holds one role. Nothing was changed.",
)
_SEATED = Text(
    "{n} 在本届已有或曾有席位，不能见习。没有任何改动。",
    "{n} holds or held a seat in this round, so cannot sit along. Nothing was changed.",
)
_CONFLICT = Text(
    "{n} 须回避：{why}。没有任何改动。", "{n} has to stand aside: {why}. Nothing was changed."
)
_NOT_SAID = Text("依据不公开（规则 {r}）", "on grounds that are not told (rule {r})")
_PAIR = Text(
    "与本组一名成员有须回避的关系（规则 {r}）",
    "a link to a member of this panel (rule {r})",
)
_REASON = Text(
    "请写明理由（至少 {n} 个字）。没有任何改动。",
    "State the reason ({n} characters or more). Nothing was changed.",
)


def appoint(session: Session, actor: Viewer, *, panel: Panel, number: str, reason: str) -> Trainee:
    """The expert of this number sits along on the panel from now on. DomainError naming what forbids
    it; Conflict once scoring was opened for any of its counties."""
    actor.require("office")
    if any(row.scoring_opened_at is not None for row in panel.sittings):
        raise refuse(*_WHAT, "本组评分已开放", "scoring was opened on this panel")
    if panel.round.phase not in ("preparing", "open"):
        raise refuse(*_WHAT, "本届已结束", "the round has ended")
    why = _reason(reason)
    wanted = number.strip().upper()
    expert = session.scalar(select(Expert).where(Expert.number == wanted))
    if expert is None:
        raise DomainError(_UNKNOWN.format(n=wanted[:40]), field="number")
    _may_sit(session, panel, expert)
    taken = session.scalar(
        select(func.count()).where(
            Seat.draw_id == panel.draw_id, Seat.panel == panel.code, Seat.act == TRAINEE_ACT
        )
    )
    seat = Seat(
        draw_id=panel.draw_id,
        panel=panel.code,
        number=(taken or 0) + 1,
        act=TRAINEE_ACT,
        expert_id=expert.id,
        ticket="",
        state="removed",
        reason=CAUSE,
        changed_at=clock.now(),
    )
    session.add(seat)
    session.flush()
    made = Trainee(
        panel=panel,
        panel_id=panel.id,
        seat=seat,
        seat_id=seat.id,
        reason=why,
        appointed_by=actor.id,
        appointed_at=clock.now(),
    )
    session.add(made)
    append(session, actor, "trainee.appointed", panel=panel.id, trainee=made.id, seat=seat.id)
    return made


def _reason(typed: str) -> str:
    if len(typed.strip()) < SHORTEST_REASON:
        raise DomainError(_REASON.format(n=SHORTEST_REASON), field="reason")
    return typed.strip()


def _may_sit(session: Session, panel: Panel, expert: Expert) -> None:
    number = expert.number
    if expert.status not in ("candidate", "active") or expert.merged_into is not None:
        raise DomainError(_STATUS.format(n=number), field="number")
    if live_role(session, expert.person_id) not in (None, "expert"):
        raise DomainError(_ROLE.format(n=number), field="number")
    held = session.scalar(
        select(Seat.id)
        .join(Panel, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .where(Panel.round_id == panel.round_id, Seat.expert_id == expert.id)
        .limit(1)
    )
    if held is not None:
        raise DomainError(_SEATED.format(n=number), field="number")
    found = conflicts(session, panel, expert)
    if found:
        why = Text("；".join(t.zh for t in found), "; ".join(t.en for t in found))
        raise DomainError(_CONFLICT.format(n=number, why=why), field="number")


def conflicts(session: Session, panel: Panel, expert: Expert) -> list[Text]:
    """What the recusal rules say against an expert on this panel's counties, judged on its first day
    as a draw would, and against him beside its members. Admission, age and rotation do not bind one
    who does not count."""
    round_, draw = panel.round, panel.draw
    rules, tree = rules_of(round_), Tree(session)
    spec = next(row for row in draw.request["panels"] if row["id"] == panel.code)
    days = days_of(spec, round_.review_on)
    members = {seat.expert_id: seat.expert for seat in queries.seats(session, panel)}
    facts = Facts(
        session, kind=draw_kind(round_), tree=tree, experts={**members, expert.id: expert}
    ).on(days[0])
    known = {row.code: row for row in subject_facts(session, round_, tree=tree, days=days)}
    counties = [known[sitting.subject.region_code] for sitting in panel.sittings]
    verdict = evaluate(facts[expert.id], counties, rules, days[0])
    found = [
        _NOT_SAID.format(r=block.rule_id) if block.rule_id in PRIVATE_RULES else block.reason
        for block in verdict.blocks
        if block.rule_id.startswith("C-")
    ]
    found += [
        _PAIR.format(r=pair.rule_id)
        for pair in pair_conflicts(facts.values(), rules, days[0])
        if pair.effect == "block" and expert.id in (pair.first, pair.second)
    ]
    return list(dict.fromkeys(found))


def end(session: Session, actor: Viewer, *, trainee: Trainee, reason: str) -> None:
    """He sits along no more: the office says so, or he himself stands aside. What he sealed is kept."""
    actor.require("office", "expert")
    if actor.role == "expert" and trainee.seat.expert.person_id != actor.person_id:
        raise NotFound(queries.ABSENT)
    if trainee.ended_at is not None:
        raise refuse("结束见习", "end the training", "已经结束", "it has ended")
    trainee.ended_reason = _reason(reason)
    trainee.ended_at, trainee.ended_by = clock.now(), actor.id
    append(session, actor, "trainee.ended", panel=trainee.panel_id, trainee=trainee.id)


def of_panel(session: Session, viewer: Viewer, panel: Panel) -> list[Trainee]:
    """The panel's trainees, ended ones too, to office and supervisor; to a trainee himself alone."""
    rows = of_panels(session, [panel.id])
    if viewer.role in queries.OVERSEERS:
        return rows
    return [row for row in rows if row.seat.expert.person_id == viewer.person_id]


def of_panels(session: Session, panel_ids: Sequence[str]) -> list[Trainee]:
    """Trainees of these panels in the order of their seats; for rooms that say who sat along."""
    return list(
        session.scalars(
            select(Trainee)
            .join(Panel, Panel.id == Trainee.panel_id)
            .join(Seat, Seat.id == Trainee.seat_id)
            .where(Trainee.panel_id.in_(panel_ids))
            .order_by(Panel.stage, Panel.code, Seat.number)
        )
    )


def sitting_along(session: Session, sitting: Sitting) -> list[Trainee]:
    """Who sits along at a sitting: those whose appointment has not ended, or ended after it."""
    over = sitting.closed_at
    return [
        row
        for row in of_panels(session, [sitting.panel_id])
        if row.ended_at is None or (over is not None and row.ended_at > over)
    ]


def of_rounds(session: Session, viewer: Viewer) -> list[tuple[Round, Trainee]]:
    """Whoever sits or sat along in a round that is not over, for the supervision room; one query."""
    viewer.require("supervisor")
    rows = session.execute(
        select(Round, Trainee)
        .join(Panel, Panel.round_id == Round.id)
        .join(Trainee, Trainee.panel_id == Panel.id)
        .where(Round.phase.in_(("preparing", "open")))
        .order_by(Trainee.appointed_at.desc(), Trainee.id)
    )
    return [(row[0], row[1]) for row in rows]


def one_of_seat(session: Session, seat: Seat) -> Trainee:
    """The appointment that a trainee's seat stands for."""
    return session.scalars(select(Trainee).where(Trainee.seat_id == seat.id)).one()


def one(session: Session, viewer: Viewer, panel: Panel, trainee_id: str) -> Trainee:
    """One trainee of a panel; NotFound."""
    for row in of_panel(session, viewer, panel):
        if row.id == trainee_id:
            return row
    raise NotFound(queries.ABSENT)
