"""After the run: the expert who stands apart explains, the supervisor decides; at the end the office
lets the counties see their own results."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation import flags, queries, releases
from app.aggregation.models import Run
from app.aggregation.models_flags import RunFlag
from app.draw.models import Seat
from app.exercise.crew import Stage
from app.exercise.opening import round_of

EXPLANATION = "该区报送的闲置土地台账与现场照片不一致，我按现场情况评分。其他指标与其他成员相近。此说明系演练虚构。"
REASONS = {
    "red": "说明具体、可核对；该分数已由去极值规则去掉，保留评分表，不影响结果。",
    "amber": "偏差方向与该专家总体偏宽一致，没有异常情形，保留评分。",
}


def answer_flags(stage: Stage, slug: str) -> int:
    """The red flag's expert explains; red and amber flags are decided. How many were decided."""
    with stage.write() as session:
        rows = {row.id: row.level for row in _flags(session, slug) if row.level in REASONS}
    for flag_id, level in stage.each("flags decided", list(rows.items())):
        with stage.write() as session:
            row = session.get_one(RunFlag, flag_id)
            if level == "red":
                seat = session.get_one(Seat, row.seats[0])
                expert = stage.crew.experts[seat.expert_id]
                flags.explain(session, expert, flag=row, text=EXPLANATION)
        with stage.write() as session:
            flags.decide(
                session, stage.crew["supervisor"], flag=session.get_one(RunFlag, flag_id),
                outcome="keep", reason=REASONS[level],
            )  # fmt: skip
    return len(rows)


def release(stage: Stage, slug: str) -> None:
    """Proposed by one of the office, confirmed by another."""
    for login, act in (("office", releases.propose), ("office2", releases.confirm)):
        with stage.write() as session:
            act(session, stage.crew[login], run=_run(session, slug))


def _run(session: Session, slug: str) -> Run:
    run = queries.last_run(session, round_of(session, slug))
    assert run is not None
    return run


def _flags(session: Session, slug: str) -> list[RunFlag]:
    query = select(RunFlag).where(RunFlag.run_id == _run(session, slug).id)
    return list(session.scalars(query.order_by(RunFlag.number)))
