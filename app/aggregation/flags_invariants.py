"""What must always hold for flags: they are those of their run's results, decisions follow one another."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.flags_read import rows_of
from app.aggregation.models import Run
from app.aggregation.models_flags import FlagDecision, RunFlag
from app.domain.types import Text

_DIFFERS = Text(
    "{r} 第 {n} 次汇总的第 {f} 条提示与结果不符",
    "{r}, run {n}: flag {f} is not that of the results",
)
_MISSING = Text(
    "{r} 第 {n} 次汇总：结果有 {a} 条提示，登记了 {b} 条",
    "{r}, run {n}: {a} flags in the results, {b} on record",
)
_GAP = Text(
    "提示 {k} 的第 {n} 个决定缺少前一个", "decision {n} on flag {k} lacks the one before it"
)


def flags_fit_their_run(session: Session) -> list[Text]:
    """Every flag that was kept is the one of that number in its run's results, and none is missing."""
    faults = []
    kept = set(session.scalars(select(RunFlag.run_id)))
    for run in session.scalars(select(Run).where(Run.id.in_(kept))):
        rows, flags = rows_of(session, run), run.results["flags"]
        slug, number = run.round.slug, run.number
        if len(rows) != len(flags):
            faults.append(_MISSING.format(r=slug, n=number, a=len(flags), b=len(rows)))
        for row, flag in zip(rows, flags, strict=False):
            if (row.rule, row.level, row.stage, row.numbers) != (
                flag["rule"],
                flag["level"],
                flag["stage"],
                flag["numbers"],
            ):
                faults.append(_DIFFERS.format(r=slug, n=number, f=row.number))
    return faults


def decisions_follow(session: Session) -> list[Text]:
    """The decisions on a flag are numbered from one without a gap: none was taken away."""
    faults, last = [], dict[str, int]()
    for row in session.scalars(select(FlagDecision).order_by(FlagDecision.number)):
        if row.number != last.get(row.key, 0) + 1:
            faults.append(_GAP.format(k=row.flag_id, n=row.number))
        last[row.key] = row.number
    return faults


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("flags are those of their run", flags_fit_their_run),
    ("decisions on a flag follow one another", decisions_follow),
)
