"""Nobody sits in two real draws on one day (rule D-16), also when one was committed before the other ended.

What freezes a pool knows only the seats held at that moment. Two rules, fixed by the protocol before any
seed (docs/draw-protocol.md section 8 and 9), close the rest: a real draw is not committed while another one
waits for its seed that could seat the same people on the same day; and whoever is drawn although he was
seated elsewhere in the meantime leaves the later seat at once, by a removal record that the program makes
alone, so that what follows is an ordinary replacement act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Removal, leaf_hash, removal_record
from app.domain.types import NotNow, Text
from app.draw import ceremony, disclosure, messages
from app.draw.facts_subjects import days_of, sat_on
from app.draw.models import ORDER_STAGES, Act, Candidate, Draw, Seat
from app.ledger.append import append
from app.programme.instruments import stage_text
from app.programme.models import Round
from app.programme.queries import rules_of

RULE = "D-16"
CAUSE = "absence"  # of rule D-10: whoever sits elsewhere that day cannot attend
ASKED = 5_000
Days = Mapping[str, tuple[date, ...]]  # panel id -> its days

_TAKEN = Text(
    "承诺之后已在另一次正式抽取的评审组中有席位，评审日 {days} 重叠；按规则 D-16 由后抽中的席位让出，程序自动登记",
    "was seated in another real draw after this commitment, and both sit on {days}; by rule D-16 the seat "
    "drawn later is given up, recorded by the program",
)
_NOT_SAID = Text(
    "评审期间不能参加；按规则 D-16 由程序自动登记，依据待名单公开后可见",
    "not available during the sitting; recorded by the program under rule D-16, the ground is shown once "
    "names are disclosed",
)


def binds(round_: Round) -> bool:
    """Does the round's rule set keep people off two panels of one day?"""
    return rules_of(round_)[RULE].effect == "block"


def _days(request: Mapping[str, Any], default: date) -> Days:
    return {panel["id"]: days_of(panel, default) for panel in request["panels"]}


# ---------- before the seed


def refuse_pending(
    session: Session,
    draw: Draw,
    request: Mapping[str, Any],
    people: Mapping[str, Iterable[str]],
) -> None:
    """Conflict while another real draw waits for its result that shares a day and a person.

    `people`: expert id -> the panels of this request that he is kept off, for the whole pool. Drills and
    draws of an order bind nobody; a cancelled round seats nobody.
    """
    if draw.kind != "real" or draw.is_order or draw.round.phase == "cancelled":
        return
    mine = _days(request, draw.round.review_on)
    free = {expert: mine.keys() - set(out) for expert, out in people.items()}
    pending = session.scalars(
        select(Draw)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Draw.id != draw.id,
            Draw.kind == "real",
            Draw.state.in_(("committed", "cosigned")),
            Draw.stage.not_in(ORDER_STAGES),
            Round.phase != "cancelled",
        )
        .order_by(Draw.created_at, Draw.id)
    )
    for other in pending:
        if not (binds(draw.round) or binds(other.round)):
            continue
        theirs = _days(other.request, other.round.review_on)
        days = {d for row in mine.values() for d in row} & {
            d for row in theirs.values() for d in row
        }
        shared = _in_both(session, other, theirs, free, mine, days) if days else 0
        if shared:
            raise NotNow(
                messages.PENDING.format(
                    round=Text(other.round.title_zh, other.round.title_en),
                    stage=stage_text(other.stage),
                    hash=str(other.commitment_hash)[:16],
                    days=_said(days),
                    n=shared,
                )
            )


def _in_both(
    session: Session,
    other: Draw,
    theirs: Days,
    free: Mapping[str, set[str]],
    mine: Days,
    days: set[date],
) -> int:
    """How many people could be seated in both on one of these days."""
    rows = session.execute(
        select(Candidate.expert_id, Candidate.exclusions).where(Candidate.draw_id == other.id)
    )
    found = 0
    for expert, exclusions in rows:
        here = {d for panel in free.get(expert, ()) for d in mine[panel]}
        there = {d for p in theirs.keys() - {x["panel"] for x in exclusions} for d in theirs[p]}
        found += bool(here & there & days)
    return found


def _said(days: Iterable[date]) -> Text:
    shown = [str(day) for day in sorted(days)]
    return Text("、".join(shown), ", ".join(shown))


# ---------- after it


def one_seat_a_day(session: Session) -> list[Text]:
    """Nobody holds seats of two real draws on one day, where the rules of both rounds forbid it."""
    held: dict[tuple[str, date], set[str]] = {}
    bound: dict[str, bool] = {}
    for seat, draw in session.execute(
        select(Seat, Draw)
        .join(Draw, Draw.id == Seat.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Draw.kind == "real",
            Draw.state == "completed",
            Seat.state != "removed",
            Round.phase != "cancelled",
        )
    ):
        if bound.setdefault(draw.round_id, binds(draw.round)):
            for day in sat_on(draw.request, seat.panel, draw.round.review_on):
                held.setdefault((seat.expert_id, day), set()).add(draw.id)
    return [
        Text(
            "专家 {e} 在 {day} 同时在 {n} 次正式抽取中有席位",
            "expert {e} holds seats of {n} real draws on {day}",
        ).format(e=expert, day=str(day), n=len(draws))
        for (expert, day), draws in sorted(held.items())
        if len(draws) > 1
    ]


def taken(session: Session, draw: Draw, seats: Sequence[Seat]) -> dict[str, Text]:
    """Seat id -> why it is given up: its holder sits in another real draw on one of its days.

    The reason names the days, unless one of the two draws is sealed and its names are not disclosed yet.
    """
    if draw.kind != "real" or draw.round.phase == "cancelled" or not binds(draw.round):
        return {}
    people = {seat.expert_id for seat in seats}
    query = (
        select(Seat.expert_id, Seat.panel, Draw.id, Draw.request, Round.review_on)
        .join(Draw, Draw.id == Seat.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(
            Seat.state != "removed",
            Draw.id != draw.id,
            Draw.kind == "real",
            Draw.state == "completed",
            Round.phase != "cancelled",
        )
        .order_by(Seat.id)
    )
    if len(people) <= ASKED:  # a statement takes only so many values
        query = query.where(Seat.expert_id.in_(people))
    elsewhere: dict[str, list[tuple[str, set[date]]]] = {}
    for expert, panel, other, request, review_on in session.execute(query):
        if expert in people:
            days = set(sat_on(request, panel, review_on))
            elsewhere.setdefault(expert, []).append((other, days))
    others = {other for rows in elsewhere.values() for other, _ in rows}
    sealed = disclosure.sealed_draws(session, {draw.id, *others}) if others else set()
    found: dict[str, Text] = {}
    for seat in seats:
        if seat.expert_id not in elsewhere:
            continue
        mine = set(sat_on(draw.request, seat.panel, draw.round.review_on))
        met = [(other, mine & days) for other, days in elsewhere[seat.expert_id] if mine & days]
        if met and sealed.isdisjoint({draw.id, *(other for other, _ in met)}):
            found[seat.id] = _TAKEN.format(days=_said({day for _, days in met for day in days}))
        elif met:
            found[seat.id] = _NOT_SAID
    return found


def give_up(session: Session, draw: Draw, seats: Sequence[Seat]) -> Act | None:
    """Remove whoever of the newly filled `seats` was seated elsewhere that day in the meantime.

    Nobody chooses: the record is made in the transaction that filled the seats. The act that follows is
    cosigned and filled like any other.
    """
    reasons = taken(session, draw, seats)
    leavers = [
        (seat, CAUSE, f"{reasons[seat.id].zh} / {reasons[seat.id].en}")
        for seat in sorted(seats, key=lambda s: (s.panel, s.number))
        if seat.id in reasons
    ]
    return fix_removals(session, None, draw, leavers, rule=RULE) if leavers else None


def fix_removals(
    session: Session,
    actor: Viewer | None,
    draw: Draw,
    leavers: Sequence[tuple[Seat, str, str]],
    **more: Any,
) -> Act:
    """The removal record of the next act, from (seat, cause, evidence): the seats are inactive at once.

    Who may and which causes hold is the caller's to check. `more` goes into the ledger entry.
    """
    number, now = len(draw.acts) + 2, clock.now()
    names = {c.expert_id: c.pseudonym for c in draw.candidates}
    named = []
    for seat, reason, evidence in leavers:
        seat.state, seat.reason, seat.evidence = "removed", reason, evidence.strip()
        seat.changed_at = now
        hashed = ceremony.evidence_hash({"seat": seat.id, "text": seat.evidence}, seat.salt)
        named.append(
            (
                seat,
                Removal(seat.panel, names[seat.expert_id], reason, hashed, ceremony.seconds(now)),
            )
        )
    record = removal_record(number, ceremony.standing_hash(draw), [r for _, r in named])
    act = Act(
        number=number,
        removals=[{**removal.document(), "seat": seat.id} for seat, removal in named],
        removal_hash=leaf_hash(record),
        codes={},
        recorded_by=actor.id if actor is not None else None,
        recorded_at=now,
    )
    draw.acts.append(act)
    session.flush()
    append(
        session,
        actor,
        "draw.removals",
        draw=draw.id,
        act=number,
        removal_hash=act.removal_hash,
        removals=len(named),
        **more,
    )
    return act
