"""Keeping a run's flags, explaining them, deciding on them (S0 art. 16; 书面说明 of large deviations).

A flag changes no score. Trimming is automatic and symmetric; leaving a sheet out is an act of the
supervisor with a reason, and counts from the next run on. What was said stays: an explanation is given
once, a new decision stands in front of the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import queries
from app.aggregation.models import Run
from app.aggregation.models_flags import OUTCOMES, FlagAnswer, FlagDecision, RunFlag
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, NotFound, NotNow, Text
from app.draw.models import Seat
from app.ledger.append import append
from app.programme.models import Round
from app.registry.models import Expert
from app.scoring.models import Sheet

LIMIT = 4000

ABSENT = Text(
    "没有找到这条提示，或者它不对您开放。", "There is no such flag, or it is not open to you."
)
_SHORT = Text(
    "请写明{what}（5 至 {n} 个字）。没有任何改动。",
    "Write {what} (5 to {n} characters). Nothing was changed.",
)
_EXPLANATION = Text("书面说明", "your explanation")
_REASON = Text("理由", "the reason")
_ONCE = Text(
    "您已经说明过，说明不能更改。没有任何改动。",
    "You have explained this already, and an explanation does not change. Nothing was changed.",
)
_OLD = Text(
    "后来的汇总有同一条提示，请在最近一次汇总的提示页上决定。没有任何改动。",
    "A later run has the same flag: decide on the page of the latest run. Nothing was changed.",
)
_PAST = Text(
    "已有新的汇总，这条提示不再需要说明。没有任何改动。",
    "A later run has followed and this flag is no longer asked about. Nothing was changed.",
)
_NO_SHEET = Text(
    "这条提示不是针对某一份评分表的，不能据此剔除评分表。没有任何改动。",
    "This flag is not about one sheet, so no sheet can be left out on it. Nothing was changed.",
)
_SAME = Text(
    "现在的决定就是这样，理由也相同。没有任何改动。",
    "This is the decision in force, with the same reason. Nothing was changed.",
)


def keep_flags(session: Session, run: Run) -> list[RunFlag]:
    """A row for each flag in the run's results; the event of the run records them."""
    seats, places = _seats(run.inputs), {row["id"]: row for row in run.inputs["subjects"]}
    made = []
    for number, flag in enumerate(run.results["flags"], 1):
        stage, subject, rater = flag["stage"], flag["subject"], flag["rater"]
        other = flag["numbers"].get("other")
        sheet = None
        if subject is not None and rater is not None:
            sheet = places[subject]["stages"][stage]["sheets"][rater]["sheet"]
        alarm = flag["false_alarm"]
        row = RunFlag(
            round_id=run.round_id,
            run_id=run.id,
            run=run,
            number=number,
            key=_key(run, flag, seats),
            rule=flag["rule"],
            level=flag["level"],
            stage=stage,
            subject_id=None if subject is None else places[subject]["subject"],
            seat_id=seats.get((stage, rater)),
            other_seat_id=seats.get((stage, other)),
            sheet_id=sheet,
            numbers=flag["numbers"],
            false_alarm=None
            if alarm is None
            else {name: alarm[name] for name in ("fired", "simulated", "k", "per", "seed")},
        )
        session.add(row)
        made.append(row)
    return made


def _seats(inputs: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(stage, expert's label) -> seat id."""
    return {
        (stage, label): sheet["seat_id"]
        for row in inputs["subjects"]
        for stage, part in row["stages"].items()
        for label, sheet in part.get("sheets", {}).items()
    }


def _key(run: Run, flag: Mapping[str, Any], seats: Mapping[tuple[str, str], str]) -> str:
    stage, numbers = flag["stage"], flag["numbers"]
    return digest(
        {
            "round": run.round_id,
            "rule": flag["rule"],
            "stage": stage,
            "subject": flag["subject"],
            "seats": [seats.get((stage, who)) for who in (flag["rater"], numbers.get("other"))],
            "end": numbers.get("end"),
        }
    )


def flag_by_id(session: Session, round_: Round, flag_id: str) -> RunFlag:
    """One flag of a round; NotFound."""
    row = session.get(RunFlag, flag_id)
    if row is None or row.round_id != round_.id:
        raise NotFound(ABSENT)
    return row


def own_seats(session: Session, viewer: Viewer) -> frozenset[str]:
    """The seats on which an expert's own marks stand; none for anybody else."""
    if viewer.role != "expert":
        return frozenset()
    return frozenset(
        session.scalars(
            select(Seat.id)
            .join(Expert, Seat.expert_id == Expert.id)
            .where(Expert.person_id == viewer.person_id)
        )
    )


def explain(session: Session, actor: Viewer, *, flag: RunFlag, text: str) -> list[FlagAnswer]:
    """An expert's written explanation of a flag of his own marks: it answers every flag of the run on
    the same sheet that he has not answered. NotFound for anybody else's."""
    seats = [seat for seat in flag.seats if seat in own_seats(session, actor)]
    if not seats:
        raise NotFound(ABSENT)
    given = set(session.scalars(select(FlagAnswer.seat_id).where(FlagAnswer.key == flag.key)))
    if given & set(seats):
        raise Conflict(_ONCE)
    latest = queries.last_run(session, flag.run.round)
    if latest is None or latest.id != flag.run_id:
        raise NotNow(_PAST)
    words = _checked(text, _EXPLANATION, "text")
    now = clock.now()
    made = [
        FlagAnswer(flag_id=row.id, key=row.key, seat_id=seat, text=words, by=actor.id, at=now)
        for row in [flag, *_beside(session, flag)]
        for seat in row.seats
        if seat in seats
    ]
    session.add_all(made)
    session.flush()
    append(session, actor, "flag.explained", sealed=True, flag=flag.id)
    return made


def _beside(session: Session, flag: RunFlag) -> list[RunFlag]:
    """Other unanswered flags of the same expert on the same sheet, in the same run."""
    if flag.sheet_id is None:
        return []
    answered = select(FlagAnswer.key).where(FlagAnswer.seat_id == flag.seat_id)
    return list(
        session.scalars(
            select(RunFlag).where(
                RunFlag.run_id == flag.run_id,
                RunFlag.sheet_id == flag.sheet_id,
                RunFlag.other_seat_id.is_(None),
                RunFlag.id != flag.id,
                RunFlag.key.not_in(answered),
            )
        )
    )


def decide(
    session: Session, actor: Viewer | None, *, flag: RunFlag, outcome: str, reason: str
) -> FlagDecision:
    """The supervisor keeps the mark, asks for a calibration meeting, or leaves the sheet out.

    Decided again, the new decision stands and the old one stays on record.
    """
    if actor:
        actor.require("supervisor")
    if outcome not in OUTCOMES:
        raise DomainError(Text("请选择决定。", "Choose a decision."), field="outcome")
    words = _checked(reason, _REASON, "reason")
    if outcome == "exclude" and flag.sheet_id is None:
        raise DomainError(_NO_SHEET, field="outcome")
    newest = session.scalar(
        select(func.max(Run.number)).join(RunFlag).where(RunFlag.key == flag.key)
    )
    if newest != flag.run.number:
        raise Conflict(_OLD)
    before = session.scalar(
        select(FlagDecision)
        .where(FlagDecision.key == flag.key)
        .order_by(FlagDecision.number.desc())
        .limit(1)
    )
    if before is not None and (before.outcome, before.reason) == (outcome, words):
        raise Conflict(_SAME)
    made = FlagDecision(
        flag=flag,
        flag_id=flag.id,
        key=flag.key,
        number=before.number + 1 if before else 1,
        outcome=outcome,
        reason=words,
        by=actor.id if actor else None,
        at=clock.now(),
    )
    session.add(made)
    session.flush()
    append(
        session, actor, "flag.decided",
        round=flag.round_id, flag=flag.id, number=made.number, outcome=outcome,
    )  # fmt: skip
    return made


def standing(session: Session, round_: Round) -> dict[str, FlagDecision]:
    """Key of a flag -> the decision that stands on it."""
    rows = session.scalars(
        select(FlagDecision)
        .join(RunFlag, FlagDecision.flag_id == RunFlag.id)
        .where(RunFlag.round_id == round_.id)
        .order_by(FlagDecision.number)
    )
    return {row.key: row for row in rows}


def excluded(session: Session, round_: Round) -> dict[str, FlagDecision]:
    """Sheet id -> the decision by which the supervisor leaves it out of the next run.

    It is about the version of the sheet that was looked at; a later correction is another sheet."""
    return {
        row.flag.sheet_id: row
        for row in standing(session, round_).values()
        if row.outcome == "exclude" and row.flag.sheet_id is not None
    }


def without_mark(row: Mapping[str, Any], decision: FlagDecision | None) -> dict[str, Any]:
    """A stored sheet as a run counts it: rejected, with the reason, when the supervisor decided so.

    Not a mark of it is left to count; the sheet itself stays sealed as it is."""
    if decision is None or row["state"] != "submitted":
        return dict(row)
    reason = Text(decision.reason, decision.reason)
    return {
        **row,
        "state": "rejected",
        "total": None,
        "items": {},
        "not_applicable": [],
        "carried": {},
        "reason": {"zh": reason.zh, "en": reason.en},
        "decision": decision.id,
    }


def sheet_of(session: Session, flag: RunFlag) -> Sheet | None:
    """The sheet that a flag is about."""
    return None if flag.sheet_id is None else session.get(Sheet, flag.sheet_id)


def _checked(text: str, what: Text, field: str) -> str:
    words = text.strip()
    if not 5 <= len(words) <= LIMIT:
        raise DomainError(_SHORT.format(what=what, n=LIMIT), field=field)
    return words
