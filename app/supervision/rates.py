"""Declines, unanswered calls and removals by operator and reason: who is far above the others?

Unit is the seat, not the call: a seat belongs to whoever made its last conclusive call, so that
calling twice counts once. Each operator is held against all others together (Fisher, Holm).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.models import Act, Contact, Draw, Seat
from app.supervision import surprise
from app.supervision.queries_draws import account_names
from app.supervision.surprise import Judged, Rate

KIND_TEXT = {"real": Text("正式抽取", "real draws"), "drill": Text("演练", "drills")}


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: a rate, its reasons, and the test against the others."""

    account_id: str
    name: str
    rate: Rate
    others: Rate
    judged: Judged
    reasons: tuple[tuple[str, int], ...]


@dataclass
class Rates:
    """All three questions; each list by falling share."""

    kind: str
    declined: list[Operator] = field(default_factory=list)
    unreachable: list[Operator] = field(default_factory=list)
    removed: list[Operator] = field(default_factory=list)


def main_kind(session: Session) -> str:
    """real as soon as one real draw was completed, else drill: the two are never mixed."""
    found = session.scalar(
        select(Draw.id).where(Draw.kind == "real", Draw.state == "completed").limit(1)
    )
    return "real" if found else "drill"


def rates(session: Session, viewer: Viewer, kind: str) -> Rates:
    """Over all draws of a kind; four queries, whatever the rows."""
    viewer.require("supervisor")
    names = account_names(session)
    calls = session.execute(
        select(Contact.seat_id, Contact.outcome, Contact.reason, Contact.by)
        .join(Seat, Seat.id == Contact.seat_id)
        .join(Draw, Draw.id == Seat.draw_id)
        .where(Draw.kind == kind)
        .order_by(Contact.at, Contact.id)
    ).all()
    last: dict[str, tuple[str, str, str]] = {}  # seat -> operator, outcome, reason
    reached: dict[str, Counter[bool]] = defaultdict(Counter)
    seen: set[tuple[str, str]] = set()
    for seat, outcome, reason, by in calls:
        operator = by or ""
        if outcome != "unreachable":
            last[seat] = (operator, outcome, reason or outcome)
        if (seat, operator) not in seen:  # the first try of each operator at each seat
            seen.add((seat, operator))
            reached[operator][outcome == "unreachable"] += 1
    declined: dict[str, Counter[bool]] = defaultdict(Counter)
    why: dict[str, Counter[str]] = defaultdict(Counter)
    for operator, outcome, reason in last.values():
        declined[operator][outcome == "declined"] += 1
        if outcome == "declined":
            why[operator][reason] += 1
    found = Rates(kind)
    found.declined = _held(declined, why, names)
    found.unreachable = _held(reached, {}, names)
    removed, causes = _removals(session, kind, {seat: who for seat, (who, _, _) in last.items()})
    found.removed = _held(removed, causes, names)
    return found


def _removals(
    session: Session, kind: str, caller: dict[str, str]
) -> tuple[dict[str, Counter[bool]], dict[str, Counter[str]]]:
    """Seats by whoever handled them: the caller, else who recorded the removal."""
    recorder = {
        row["seat"]: by
        for removals, by in session.execute(
            select(Act.removals, Act.recorded_by)
            .join(Draw, Draw.id == Act.draw_id)
            .where(Draw.kind == kind, Act.recorded_by.is_not(None))
        )
        for row in removals
        if "seat" in row
    }
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    seats = session.execute(
        select(Seat.id, Seat.state, Seat.reason)
        .join(Draw, Draw.id == Seat.draw_id)
        .where(Draw.kind == kind)
    )
    for seat, state, reason in seats:
        operator = caller.get(seat, recorder.get(seat))
        if operator is None:
            continue  # nobody has called, nobody has removed: it says nothing about anybody
        counts[operator][state == "removed"] += 1
        if state == "removed":
            causes[operator][reason or ""] += 1
    return counts, causes


def _held(
    counts: dict[str, Counter[bool]], reasons: dict[str, Counter[str]], names: dict[str, str]
) -> list[Operator]:
    people = sorted(counts)
    pairs = [(counts[p][True], counts[p].total()) for p in people]
    whole_k, whole_n = sum(k for k, _ in pairs), sum(n for _, n in pairs)
    rows = [
        Operator(
            person,
            names.get(person, ""),
            surprise.clopper_pearson(k, n),
            surprise.clopper_pearson(whole_k - k, whole_n - n),
            judged,
            tuple(sorted(reasons.get(person, Counter()).items(), key=lambda x: (-x[1], x[0]))),
        )
        for person, (k, n), judged in zip(people, pairs, surprise.operators(pairs), strict=True)
    ]
    return sorted(rows, key=lambda row: (-row.rate.share, row.name, row.account_id))
