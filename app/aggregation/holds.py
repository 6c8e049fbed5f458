"""A supervisor's notes and holds on results (S0 art. 16: what is published was looked at).

A note is read beside the result. A hold stops it: a run under a hold, of the whole or of one county, is
neither released to the counties nor made final in a report until a supervisor lifts the hold with a
reason. It binds later runs too.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation.models import Run
from app.aggregation.models_holds import KINDS, ResultHold
from app.domain.types import Conflict, DomainError, NotFound, NotNow, Text
from app.ledger.append import append
from app.programme.models import Round, Subject

SHORTEST = 5  # characters of a reason
_ABSENT = Text(
    "没有这条意见或暂缓。没有任何改动。", "There is no such note or hold. Nothing was changed."
)
_REASON = Text(
    "请写明理由（至少 {n} 个字）。没有任何改动。",
    "State the reason ({n} characters or more). Nothing was changed.",
)
_HELD = Text(
    "监督人员已暂缓这一结果：{what}。没有任何改动；须由监督人员写明理由解除暂缓后再办理。",
    "A supervisor holds this result: {what}. Nothing was changed; a supervisor has to lift the hold, "
    "with a reason, first.",
)
_TWICE = Text(
    "{what}已被暂缓，尚未解除。没有任何改动。",
    "{what} is under a hold already. Nothing was changed.",
)
_LIFTED = Text(
    "这项暂缓已经解除，或它只是意见。没有任何改动。",
    "This hold was lifted before, or it is only a note. Nothing was changed.",
)
_LATE = Text(
    "只能对最近一次汇总提出意见或暂缓。没有任何改动。",
    "Notes and holds are placed on the latest run only. Nothing was changed.",
)
WHOLE = Text("整个汇总", "the whole run")


def of_round(session: Session, round_: Round) -> list[ResultHold]:
    """Every note and hold of a round, the oldest first."""
    return list(
        session.scalars(
            select(ResultHold)
            .where(ResultHold.round_id == round_.id)
            .order_by(ResultHold.placed_at, ResultHold.id)
        )
    )


def open_of(session: Session, run: Run) -> list[ResultHold]:
    """The holds that bind a run: placed on any run of its round and not lifted, the oldest first.
    Empty: the run may be released and a report on it become final."""
    return [
        row for row in of_round(session, run.round) if row.open and row.run.number <= run.number
    ]


def what(row: ResultHold) -> Text:
    """What a note or hold is about."""
    return WHOLE if row.subject is None else row.subject.name


def must_be_free(session: Session, run: Run) -> None:
    """Conflict naming everything that is held, with its reason, while a hold binds the run."""
    rows = open_of(session, run)
    if rows:
        parts = [Text("{w}（{r}）", "{w} ({r})").format(w=what(row), r=row.reason) for row in rows]
        named = Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))
        raise NotNow(_HELD.format(what=named))


def place(
    session: Session,
    actor: Viewer | None,
    *,
    run: Run,
    kind: str,
    subject_id: str | None,
    reason: str,
) -> ResultHold:
    """A supervisor notes or holds a county of the latest run, or the whole of it."""
    if actor:
        actor.require("supervisor")
    subject = None if subject_id is None else session.get(Subject, subject_id)
    known = {row["subject"] for row in run.inputs["subjects"]}
    if kind not in KINDS or (
        subject_id is not None and (subject is None or subject_id not in known)
    ):
        raise NotFound(_ABSENT)
    newer = session.scalar(
        select(Run.id).where(Run.round_id == run.round_id, Run.number > run.number).limit(1)
    )
    if newer is not None:
        raise NotNow(_LATE)
    text = _reason(reason)
    if kind == "hold" and any(row.subject_id == subject_id for row in open_of(session, run)):
        raise Conflict(_TWICE.format(what=WHOLE if subject is None else subject.name))
    row = ResultHold(
        round_id=run.round_id, run_id=run.id, run=run, subject_id=subject_id, subject=subject,
        kind=kind, reason=text, placed_by=actor.id if actor else None, placed_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(
        session, actor, "result.held" if kind == "hold" else "result.noted",
        round=run.round_id, run=run.id, number=run.number, hold=row.id, subject=subject_id,
    )  # fmt: skip
    return row


def lift(session: Session, actor: Viewer | None, *, row: ResultHold, reason: str) -> None:
    """A supervisor lifts a hold; it stays readable with both reasons."""
    if actor:
        actor.require("supervisor")
    if not row.open:
        raise Conflict(_LIFTED)
    row.lifted_reason = _reason(reason)
    row.lifted_by, row.lifted_at = actor.id if actor else None, clock.now()
    append(session, actor, "result.hold_lifted", round=row.round_id, run=row.run_id, hold=row.id)


def one(session: Session, round_: Round, hold_id: str) -> ResultHold:
    """A note or hold of a round by its id; NotFound."""
    row = session.get(ResultHold, hold_id)
    if row is None or row.round_id != round_.id:
        raise NotFound(_ABSENT)
    return row


def _reason(reason: str) -> str:
    text = reason.strip()[:2000]
    if len(text) < SHORTEST:
        raise DomainError(_REASON.format(n=SHORTEST), field="reason")
    return text
