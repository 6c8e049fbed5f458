"""The figures that an open round's forms read and that nobody has entered yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.home.wait import Wait
from app.programme.figures import RUNNING, missing_of
from app.programme.models import Figure, Round, Subject
from app.report.models import Report


def missing_figure_waits(session: Session, rounds: Sequence[Round]) -> dict[str, Wait]:
    """Round id -> how many figures are missing, for the open rounds that lack some; one query for all.

    They are due once the round is open (its counties and their facts stand), until its final report.
    """
    reported = select(Report.round_id).where(Report.state == "final")
    have: dict[str, dict[str, set[str]]] = {}
    for round_id, subject_id, key in session.execute(
        select(Subject.round_id, Subject.id, Figure.key)
        .outerjoin(Figure, Figure.subject_id == Subject.id)
        .where(
            Subject.round_id.in_([r.id for r in rounds if r.phase == "open"]),
            Subject.round_id.not_in(reported),
            Subject.status.in_(RUNNING),
        )
    ):
        keys = have.setdefault(round_id, {}).setdefault(subject_id, set())
        if key is not None:
            keys.add(key)
    found = {}
    text = Text(
        "项数据还缺：下载待填的表，填好后导入",
        "figures are still missing: fill in the table and import it",
    )
    for round_ in rounds:
        if round_.id not in have:
            continue
        n = len({(entry.subject.id, entry.key) for entry in missing_of(round_, have[round_.id])})
        if n:
            at = {"slug": round_.slug}
            found[round_.id] = Wait(text, "programme.figure_file", at, round_, n)
    return found
