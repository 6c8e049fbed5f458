"""The line of stages with counts, and what waits for whom. Reads every room, writes nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.aggregation.models import Run
from app.aggregation.models_release import ResultRelease
from app.domain.types import Text
from app.draw.models import ORDER_STAGES, Draw, Seat
from app.draw.supplements import sits_on
from app.panel.models import Panel, Sitting, Statement
from app.programme.instruments import QUALIFICATION, planned_stages
from app.programme.models import Round, Subject
from app.report.models import Report
from app.scoring.models import Sheet

STAGES = (
    ("declare", Text("申报", "Declare")),
    ("qualify", Text("资格", "Qualify")),
    ("draw", Text("抽取", "Draw")),
    ("desk", Text("评审", "Desk review")),
    ("site", Text("实地", "Site")),
    ("statement", Text("陈述", "Statement")),
    ("aggregate", Text("汇总", "Aggregate")),
    ("report", Text("报告", "Report")),
    ("release", Text("发布", "Release")),
)
_REVIEW = Text("评审", "Review")  # in place of "desk review" where a scheme has another stage
ENDPOINTS = {
    "declare": "programme.show",
    "qualify": "programme.qualification",
    "draw": "draw.index",
    "desk": "panel.index",
    "site": "panel.index",
    "statement": "panel.index",
    "aggregate": "aggregation.index",
    "report": "report.index",
    "release": "aggregation.index",
}
# Who may open the page behind a stage; others see the count without a link.
READERS = {
    "declare": ("office", "supervisor", "admin"),
    "qualify": ("office", "supervisor"),
    "draw": ("office", "supervisor"),
    "desk": ("office", "supervisor"),
    "site": ("office", "supervisor"),
    "statement": ("office", "supervisor"),
    "aggregate": ("office", "supervisor"),
    "report": ("office", "supervisor", "expert"),
    "release": ("office", "supervisor"),
}


def stage_counts(session: Session, round_: Round) -> dict[str, tuple[int, int]]:
    """For each stage: how many are done, of how many. A constant number of queries."""
    status = Counter(
        session.scalars(select(Subject.status).where(Subject.round_id == round_.id)).all()
    )
    counties = sum(status.values()) - status["withdrawn"]
    decided = status["qualified"] + status["vetoed"]
    draws = Counter(
        session.scalars(
            select(Draw.state).where(
                Draw.round_id == round_.id,
                Draw.state != "aborted",
                Draw.stage.not_in(ORDER_STAGES),
            )
        ).all()
    )
    sheets = _sheet_counts(session, round_)
    statements = session.execute(
        select(func.count(Sitting.id), func.count(Statement.closed_at))
        .join(Panel, Sitting.panel_id == Panel.id)
        .outerjoin(Statement, Statement.sitting_id == Sitting.id)
        .where(Panel.round_id == round_.id, Sitting.with_statement)
    ).one()
    runs = session.scalar(select(func.count(Run.id)).where(Run.round_id == round_.id)) or 0
    releases = session.scalar(
        select(func.count(ResultRelease.id)).where(
            ResultRelease.round_id == round_.id, ResultRelease.confirmed_at.is_not(None)
        )
    )
    reports = Counter(
        session.scalars(select(Report.state).where(Report.round_id == round_.id)).all()
    )
    return {
        "declare": (counties, counties),
        "qualify": (decided, counties),
        "draw": (draws["completed"], sum(draws.values())),
        # Whatever a scheme calls it: every panel stage that is not the visit.
        "desk": (
            sum(done for stage, (done, _) in sheets.items() if stage != "site"),
            sum(of for stage, (_, of) in sheets.items() if stage != "site"),
        ),
        "site": sheets.get("site", (0, 0)),
        "statement": (statements[1], statements[0]),
        "aggregate": (min(runs, 1), 1),
        "report": (reports["final"], 1),
        "release": (min(releases or 0, 1), 1),
    }


def _sheet_counts(session: Session, round_: Round) -> dict[str, tuple[int, int]]:
    """Sealed sheets of active seats, of all that are expected: seats x counties."""
    expected = session.execute(
        select(Panel.stage, func.count())
        .join(Sitting, Sitting.panel_id == Panel.id)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .where(Panel.round_id == round_.id, Seat.state != "removed")
        .group_by(Panel.stage)
    )
    done: dict[str, int] = dict(
        session.execute(
            select(Panel.stage, func.count())
            .join(Sitting, Sitting.panel_id == Panel.id)
            .join(Sheet, Sheet.sitting_id == Sitting.id)
            .join(Seat, Sheet.seat_id == Seat.id)
            .where(
                Panel.round_id == round_.id,
                Seat.state != "removed",
                Sheet.state.in_(("sealed", "recused", "absent")),
            )
            .group_by(Panel.stage)
        ).all()
    )
    return {stage: (done.get(stage, 0), n) for stage, n in expected}


def _over(session: Session, round_: Round) -> set[str]:
    """Stages all of whose sittings are closed: over, even where a sheet or a statement never came."""
    phases: dict[str, set[str]] = {}
    rows = session.execute(
        select(Panel.stage, Sitting.with_statement, Sitting.phase)
        .join(Sitting, Sitting.panel_id == Panel.id)
        .where(Panel.round_id == round_.id)
        .distinct()
    )
    for stage, with_statement, phase in rows:
        phases.setdefault("site" if stage == "site" else "desk", set()).add(phase)
        if with_statement:
            phases.setdefault("statement", set()).add(phase)
    return {key for key, found in phases.items() if found == {"closed"}}


def _stages(round_: Round, counts: dict[str, tuple[int, int]]) -> list[tuple[str, Text]]:
    """The stages that this round has: a scheme without a visit has neither a visit nor a statement
    (a statement is made on site), one without a qualification form no qualification."""
    planned = planned_stages(round_)
    panels = planned - {QUALIFICATION}
    here = {
        "qualify": QUALIFICATION in planned,
        "desk": not panels or bool(panels - {"site"}),
        "site": "site" in planned,
        "statement": "site" in planned,
    }
    found = []
    for key, text in STAGES:
        if key == "desk" and panels and "desk" not in panels:
            text = _REVIEW
        begun = key != "qualify" and counts[key][1] > 0
        if here.get(key, True) or begun:
            found.append((key, text))
    return found


def stage_line(session: Session, viewer: Any, round_: Round) -> list[dict[str, Any]]:
    """What the stage line shows: done, now (the first unfinished) or to do, with counts. Nothing is
    under way in a round that has ended, and after the final report all before it is over."""
    from flask import url_for

    counts = stage_counts(session, round_)
    over = _over(session, round_)
    line: list[dict[str, Any]] = []
    current = round_.phase in ("closed", "cancelled")
    reported = counts["report"][0] > 0
    for key, text in _stages(round_, counts):
        done, total = counts[key]
        finished = (total > 0 and done >= total) or key in over or (reported and key != "release")
        state = "done" if finished else "todo" if current else "now"
        current = current or not finished
        url = None
        if viewer.role in READERS.get(key, ()):
            url = url_for(ENDPOINTS[key], slug=round_.slug)
        count = f"{done}/{total}" if total else ""
        line.append({"key": key, "text": text, "count": count, "state": state, "url": url})
    return line
