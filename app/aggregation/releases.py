"""Releasing a run to the counties: proposed by the office, confirmed by somebody else.

Before that a county sees nothing of a run. Afterwards it sees the run that was released, whatever is
computed later, until another one is released in the same way.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import holds, queries
from app.aggregation.models import Run
from app.aggregation.models_release import ResultRelease
from app.aggregation.ties import names_of_open
from app.domain.types import Conflict, Forbidden, NotNow, Text
from app.ledger.append import append
from app.programme.models import Round, Subject

_Other = aliased(Run)
_LATE = Text(
    "只能发布最近一次汇总（第 {n} 次）。没有任何改动。",
    "Only the latest run (run {n}) can be released. Nothing was changed.",
)
_TIED = Text(
    "第 {n} 次汇总还有并列须抽签决定，不能发布。没有任何改动。",
    "Run {n} left ties that a draw has to settle, so it is not released. Nothing was changed.",
)
_DONE = Text(
    "第 {n} 次汇总已提出发布。没有任何改动。",
    "The release of run {n} is proposed already. Nothing was changed.",
)
_NOT_PROPOSED = Text(
    "这次汇总没有待确认的发布。没有任何改动。",
    "No release of this run waits to be confirmed. Nothing was changed.",
)
_SAME_PERSON = Text(
    "发布须由另一人确认，提出人不能自己确认。没有任何改动。",
    "Somebody else has to confirm a release, not who proposed it. Nothing was changed.",
)


def of_run(session: Session, run: Run) -> ResultRelease | None:
    """The release of a run, confirmed or not."""
    return session.scalar(select(ResultRelease).where(ResultRelease.run_id == run.id))


def confirmed(session: Session, round_: Round) -> list[ResultRelease]:
    """Every release that counties have seen, the one in force first."""
    return list(
        session.scalars(
            select(ResultRelease)
            .where(ResultRelease.round_id == round_.id, ResultRelease.confirmed_at.is_not(None))
            .join(Run)
            .order_by(Run.number.desc())
        )
    )


def to_confirm(session: Session, viewer: Viewer) -> list[tuple[Round, int]]:
    """Open rounds with a proposed release of the latest run that the viewer may confirm, and the
    number of the run."""
    rows = session.execute(
        select(ResultRelease.round_id, Run.number)
        .join(Run, ResultRelease.run_id == Run.id)
        .where(
            ResultRelease.confirmed_at.is_(None),
            ResultRelease.proposed_by.is_distinct_from(viewer.id),
            Run.number
            == select(func.max(_Other.number))
            .where(_Other.round_id == Run.round_id)
            .scalar_subquery(),
        )
    )
    found = [(session.get_one(Round, round_id), number) for round_id, number in rows]
    return sorted((row for row in found if row[0].phase == "open"), key=lambda row: row[0].slug)


def seen_rounds(session: Session, viewer: Viewer) -> list[Round]:
    """Rounds in which the presenter's own county can be read."""
    return list(
        session.scalars(
            select(Round)
            .where(
                Round.id.in_(
                    select(ResultRelease.round_id).where(ResultRelease.confirmed_at.is_not(None))
                ),
                Round.id.in_(
                    select(Subject.round_id).where(Subject.presenter_id == viewer.person_id)
                ),
            )
            .order_by(Round.slug)
        )
    )


def propose(session: Session, actor: Viewer | None, *, run: Run) -> ResultRelease:
    """The office proposes to let the counties see the latest run."""
    if actor:
        actor.require("office")
    _releasable(session, run)
    if of_run(session, run) is not None:
        raise Conflict(_DONE.format(n=run.number))
    made = ResultRelease(
        round_id=run.round_id,
        run_id=run.id,
        run=run,
        proposed_by=actor.id if actor else None,
        proposed_at=clock.now(),
    )
    session.add(made)
    session.flush()
    append(session, actor, "result.proposed", round=run.round_id, run=run.id, number=run.number)
    return made


def confirm(session: Session, actor: Viewer | None, *, run: Run) -> ResultRelease:
    """Another person of the office, or the supervisor, confirms: from now on the counties see it."""
    if actor:
        actor.require("office", "supervisor")
    row = of_run(session, run)
    if row is None or row.confirmed_at is not None:
        raise NotNow(_NOT_PROPOSED)
    if actor is not None and actor.id == row.proposed_by:
        raise Forbidden(_SAME_PERSON)
    _releasable(session, run)
    row.confirmed_by, row.confirmed_at = actor.id if actor else None, clock.now()
    append(
        session, actor, "result.released",
        round=run.round_id, run=run.id, number=run.number, results=run.results_digest,
    )  # fmt: skip
    return row


def _releasable(session: Session, run: Run) -> None:
    latest = queries.last_run(session, run.round)
    if latest is None or latest.id != run.id:
        raise NotNow(_LATE.format(n=latest.number if latest else 0))
    if names_of_open(run):
        raise NotNow(_TIED.format(n=run.number))
    holds.must_be_free(session, run)
