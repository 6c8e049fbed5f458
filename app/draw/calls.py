"""The calls after a draw: who is still to be called, who may be replaced, what each is told.

Rule D-12: a fixed order, a fixed number of attempts, a reply clock. The order is that of the seats.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Candidate as Person
from app.domain.draw import ticket
from app.domain.types import NotFound, Text
from app.draw import call_words, ceremony, disclosure, messages
from app.draw.models import Contact, Draw, Seat
from app.draw.models_calls import CallPlan, NameView
from app.registry import queries as registry

RESERVES_SHOWN = 3  # by type, in the order in which they would be called


@dataclass(frozen=True)
class Line:
    """One seat as the calls page shows it. `name` is "" where the viewer may not see it."""

    seat: Seat
    pseudonym: str
    name: str
    employer: str
    contacts: list[Contact]
    tries: int  # calls without an answer
    left: int  # attempts still owed before the seat may be given up
    due: datetime | None  # until when he may think, from the first contact on
    overdue: bool
    ground: str  # why a removal is possible now, a key of `call_words.GROUND`, or ""
    looks: list[NameView]

    @property
    def accepted(self) -> bool:
        return self.seat.state == "confirmed"


@dataclass(frozen=True)
class Queue:
    """Reserves of one type on one panel, in calling order."""

    panel: str
    of: tuple[str, ...]  # what the type is made of, in words
    seats: int
    people: tuple[tuple[str, str], ...]  # (ticket, pseudonym)


def plan_of(session: Session, draw: Draw) -> CallPlan | None:
    return session.scalar(select(CallPlan).where(CallPlan.draw_id == draw.id))


def lines(session: Session, viewer: Viewer, draw: Draw) -> list[Line]:
    """Active seats in calling order. NotFound for who is neither office nor supervisor."""
    if viewer.role not in disclosure.OVERSEERS:
        raise NotFound(messages.ABSENT)
    named = disclosure.may_see_names(session, viewer, draw)
    known = disclosure.pseudonyms(session, draw)
    plan, looks = plan_of(session, draw), disclosure.looks(session, draw)
    return [
        _line(seat, named, known, plan, looks.get(seat.id, []))
        for seat in draw.seats
        if seat.active
    ]


def _line(
    seat: Seat, named: bool, known: dict[str, str], plan: CallPlan | None, looks: list[NameView]
) -> Line:
    contacts = sorted(seat.contacts, key=lambda c: c.at)
    tries = sum(c.outcome == "unreachable" for c in contacts)
    attempts = plan.attempts if plan else 3
    due = contacts[0].at + timedelta(hours=plan.reply_hours if plan else 24) if contacts else None
    overdue = due is not None and seat.state == "drawn" and clock.now() > due
    person = seat.expert.person
    ground = ""
    if seat.state == "drawn" and contacts:
        if contacts[-1].outcome == "declined":
            ground = "declined"
        elif tries >= attempts:
            ground = "unreachable"
        elif overdue:
            ground = "silent"
    return Line(
        seat,
        known.get(seat.expert_id, ""),
        f"{seat.expert.number} {person.name}" if named else "",
        registry.employer_name(person) if named else "",
        contacts,
        tries,
        max(0, attempts - tries),
        due if seat.state == "drawn" else None,
        overdue,
        ground,
        looks,
    )


def too_late(plan: CallPlan | None, lines: list[Line]) -> datetime | None:
    """Until when the last open seat may think, if that is after the meeting begins; else None.

    A seat that nobody called counts as called now, so this comes true, too, when the office waits with
    its calls. It is said and not refused: an answer is taken at any time, and without a plan no call
    can be recorded at all, which would leave a panel that meets in an hour without its calls.
    """
    if plan is None:
        return None
    called_now = clock.now() + timedelta(hours=plan.reply_hours)
    last = max((row.due or called_now for row in lines if not row.accepted), default=plan.meets_at)
    return last if last > plan.meets_at else None


def rates(draw: Draw, names: dict[str, str]) -> list[dict[str, Any]]:
    """Per operator: calls, and of each outcome or decline reason how many and what share in percent."""
    counts: dict[str, Counter[str]] = {}
    for seat in draw.seats:
        for contact in seat.contacts:
            mine = counts.setdefault(contact.by or "", Counter())
            mine[contact.outcome] += 1
            if contact.outcome == "declined" and contact.reason:
                mine["reason:" + contact.reason] += 1
    rows = []
    for by, mine in sorted(counts.items()):
        total = sum(mine[o] for o in messages.OUTCOME)
        rows.append(
            {
                "operator": names.get(by, ""),
                "calls": total,
                "outcomes": [(o, mine[o], _percent(mine[o], total)) for o in messages.OUTCOME],
                "reasons": [
                    (r, mine["reason:" + r]) for r in messages.DECLINE if mine["reason:" + r]
                ],
            }
        )
    return rows


def removal_rates(draw: Draw, names: dict[str, str]) -> list[tuple[str, str, int, int]]:
    """(operator, cause, removals, percent of all seats that were ever held), by operator and cause.

    Removals that the program records by itself (rule D-16) are no operator's.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for act in draw.acts:
        for row in act.removals if act.recorded_by is not None else ():
            counts[act.recorded_by or "", row["reason"]] += 1
    return [
        (names.get(by, ""), cause, n, _percent(n, len(draw.seats)))
        for (by, cause), n in sorted(counts.items())
    ]


def _percent(part: int, whole: int) -> int:
    return (200 * part + whole) // (2 * whole) if whole else 0


def reserves(draw: Draw, shown: int = RESERVES_SHOWN) -> list[Queue]:
    """The reserves of a draw whose policy is `reserves`: by act-1 ticket within each type seated.

    Everybody present knows them: they follow from the draw itself. [] under the policy `act`.
    """
    if draw.request.get("replacement") != "reserves" or draw.result is None:
        return []
    commitment = ceremony.commitment_of(draw)
    people = {person.id: person for person in ceremony.roster_of(draw)}
    out: dict[str, set[str]] = {}
    for exclusion in ceremony.exclusions_of(draw):
        out.setdefault(exclusion.panel, set()).add(exclusion.expert)
    seated = {p for panel in draw.result["panels"] for p, _ in panel["seats"]}
    queues = []
    for spec in commitment.panels:
        attributes = sorted(spec.quotas)
        panel = next(p for p in draw.result["panels"] if p["id"] == spec.id)
        types = Counter(_vector(people[p], attributes) for p, _ in panel["seats"])
        for vector in sorted(types):
            waiting = sorted(
                (ticket(str(draw.key), spec.id, 1, key), key)
                for key, person in people.items()
                if key not in seated
                and key not in out.get(spec.id, ())
                and _vector(person, attributes) == vector
            )
            queues.append(Queue(spec.id, vector, types[vector], tuple(waiting[:shown])))
    return queues


def _vector(person: Person, attributes: list[str]) -> tuple[str, ...]:
    return tuple(person.facts.get(a, "") for a in attributes)


def vacant(draw: Draw) -> list[tuple[str, int]]:
    """(panel, seat) that the last act left empty because nobody could fill them."""
    filled = {(seat.panel, seat.number) for seat in draw.seats if seat.active}
    return sorted(
        {
            (fill[0], seat_number(draw, fill[0], fill[1]))
            for act in draw.acts
            if act.result is not None
            for fill in act.result["fills"]
            if fill[5] == "none"
        }
        - filled
    )


def seat_number(draw: Draw, panel: str, place: int) -> int:
    """The number of the place-th seat (from 1) of a panel of this draw: a supplementary draw fills
    the vacant numbers of the panel it belongs to, every other draw counts from 1."""
    wanted = draw.request.get("supplement")
    return int(wanted["seats"][panel][place - 1]) if wanted else place


def message_for(seat: Seat, plan: CallPlan, zone: str) -> Text:
    """The text to copy for one expert."""
    return call_words.short_message(seat.expert.person.name, plan, clock.now(), zone)
