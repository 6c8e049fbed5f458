"""The agenda of a sitting with its clock: the steps of the form, as far as they have run.

The server's clock decides: a page shows what it is told and counts on from there. A step with a hard
limit stops at its limit, and nothing but the choice of another step moves on (the minutes come from
the form; S0 art. 16(3) names the order, no minutes).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.ledger.append import append
from app.panel.guards import changed, refuse
from app.panel.models import Sitting
from app.panel.models_statement import AgendaRun
from app.programme.instruments import instrument_for

_MINUTE = 60_000
ACTS = ("start", "pause", "resume", "go", "end")
# Where the form names no steps.
PLAIN: tuple[dict[str, Any], ...] = (
    {"zh": "现场陈述", "en": "Statement", "minutes": 15, "hard": True},
    {"zh": "质询与回答", "en": "Questions and answers", "minutes": 20, "hard": False},
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The present step's clock at one moment. `up`: a hard limit is reached."""

    elapsed_ms: int
    limit_ms: int
    running: bool
    up: bool


def steps_of(session: Session, sitting: Sitting) -> list[dict[str, Any]]:
    """The steps of the sitting's form: {zh, en, minutes, hard}."""
    panel = sitting.panel
    try:
        _, instrument = instrument_for(session, panel.round, sitting.subject, panel.stage)
    except DomainError:
        instrument = {}
    steps = [
        {
            "zh": step["title"]["zh"],
            "en": step["title"]["en"],
            "minutes": int(step["minutes"]),
            "hard": bool(step["hard_limit"]),
        }
        for step in instrument.get("steps", ())
    ]
    return steps or [dict(step) for step in PLAIN]


def run_of(session: Session, sitting: Sitting) -> AgendaRun | None:
    """The agenda as it runs; None before the start."""
    return session.scalar(select(AgendaRun).where(AgendaRun.sitting_id == sitting.id))


def clock_of(run: AgendaRun, now: datetime) -> Clock:
    """The clock of the present step. Past a hard limit it stands still at the limit."""
    step = run.steps[run.position]
    limit = int(step["minutes"]) * _MINUTE
    elapsed = _elapsed(run, now)
    up = bool(step["hard"]) and elapsed >= limit
    return Clock(
        min(elapsed, limit) if up else elapsed, limit, run.state == "running" and not up, up
    )


def _elapsed(run: AgendaRun, now: datetime) -> int:
    since = run.since if run.state == "running" else None
    passed = max((now - since) // timedelta(milliseconds=1), 0) if since is not None else 0
    return run.used_ms + passed


def shown(session: Session, sitting: Sitting) -> dict[str, Any]:
    """What every page shows of the agenda, with the server's time beside it."""
    run, now = run_of(session, sitting), clock.now()
    told: dict[str, Any] = {
        "now_ms": int(now.timestamp() * 1000),
        "steps": run.steps if run is not None else steps_of(session, sitting),
        "state": "ready" if run is None else run.state,
        "position": 0 if run is None else run.position,
        "version": 0 if run is None else run.version,
        "elapsed_ms": 0,
        "running": False,
        "up": False,
    }
    if run is not None and run.state != "over":
        tells = clock_of(run, now)
        told |= {"elapsed_ms": tells.elapsed_ms, "running": tells.running, "up": tells.up}
    return told


def act(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    what: str,
    version: int,
    position: int | None = None,
) -> AgendaRun:
    """One tap of the recorder: start, pause, resume, go (to the step `position`), end. `version` is
    that of the state on his screen: a tap on an older one is refused, so that two people who tap
    "next" skip nothing."""
    actor.require("office")
    if sitting.phase in ("planned", "closed"):
        raise refuse("操作议程", "move the agenda", "会议未在进行", "the sitting is not under way")
    if what not in ACTS:
        raise DomainError(Text("没有这一步。", "There is no such act."))
    run, now = run_of(session, sitting), clock.now()
    if version != (0 if run is None else run.version):
        raise changed(
            "操作议程",
            "move the agenda",
            "另一人刚刚操作过，画面已更新，请看过再点",
            "somebody has just moved it; look at the page as it is now",
        )
    if run is None:
        return _start(session, actor, sitting, what, now)
    if what == "start" or run.state == "over":
        raise refuse("操作议程", "move the agenda", "议程已开始或已结束", "it has begun or is over")
    tells = clock_of(run, now)
    match what:
        case "pause":
            if not tells.running:
                raise refuse("暂停", "pause", "计时未在进行", "the clock is not running")
            run.used_ms, run.since, run.state = tells.elapsed_ms, None, "paused"
        case "resume":
            if tells.up:
                raise _up()
            if run.state != "paused":
                raise refuse("继续", "resume", "计时没有暂停", "the clock is not paused")
            run.since, run.state = now, "running"
        case "go":
            if position is None or not 0 <= position < len(run.steps):
                raise DomainError(Text("没有这个环节。", "There is no such step."))
            if position == run.position:
                raise refuse("进入环节", "go there", "正在这一环节", "this is the present step")
            _leave(run, tells, now)
            run.position, run.used_ms, run.since, run.state = position, 0, now, "running"
            run.step_began_at = now
        case "end":
            _leave(run, tells, now)
            run.used_ms, run.since, run.state = 0, None, "over"
    run.version += 1
    append(
        session,
        actor,
        f"agenda.{what}",
        sitting=sitting.id,
        step=run.position,
        used_ms=tells.elapsed_ms,
    )
    return run


def _up() -> Exception:
    return refuse(
        "继续计时",
        "go on",
        "本环节时间已到（限时不可延长），请选择下一环节",
        "the time of this step is up (hard limit): choose the next step",
    )


def _start(
    session: Session, actor: Viewer, sitting: Sitting, what: str, now: datetime
) -> AgendaRun:
    if what != "start":
        raise refuse("操作议程", "move the agenda", "议程尚未开始", "it has not begun")
    run = AgendaRun(
        sitting_id=sitting.id,
        steps=steps_of(session, sitting),
        position=0,
        state="running",
        since=now,
        used_ms=0,
        log=[],
        step_began_at=now,
    )
    session.add(run)
    append(session, actor, "agenda.start", sitting=sitting.id, step=0, used_ms=0)
    return run


def _leave(run: AgendaRun, tells: Clock, now: datetime) -> None:
    left = {
        "step": run.position,
        "began": clock.stamp(run.step_began_at),
        "ended": clock.stamp(now),
        "used_ms": tells.elapsed_ms,
    }
    run.log = [*run.log, left]
