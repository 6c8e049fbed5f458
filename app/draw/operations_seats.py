"""After the draw: calls, confirmed seats, removals with a listed cause, and replacement acts.

Regulation on the Bidding Law art. 46 and 48 (rules D-09, D-10); docs/draw-protocol.md section 9.
Removals are fixed and cosigned before anybody can know who follows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import ReplacementResult, Result, replace
from app.domain.types import DomainError, NotFound, Text
from app.draw import calls, ceremony, messages, same_day
from app.draw.messages import cannot, in_state
from app.draw.models import Act, Contact, Draw, Seat
from app.draw.operations_calls import must_be_caller
from app.draw.operations_ceremony import fitting_code, party_named
from app.ledger.append import append
from app.programme.queries import rules_of

_REMOVE = Text("登记更换", "record removals")
_FILL = Text("补抽", "draw replacements")


def record_contact(
    session: Session,
    actor: Viewer,
    seat: Seat,
    channel: str,
    outcome: str,
    reason: str | None = None,
    note: str = "",
) -> Contact:
    """One call to a drawn expert. Channel phone, in_person or other; outcome accepted, declined
    (with a reason code) or unreachable. The call tells time and kind of place, not the county (D-13).
    Of a sealed draw the named caller alone calls.
    """
    actor.require("office")
    must_be_caller(session, actor, seat.draw)
    reason = reason or None
    if (
        channel not in messages.CHANNEL
        or outcome not in messages.OUTCOME
        or (reason is not None and reason not in messages.DECLINE)
        or (outcome == "declined" and reason is None)
    ):
        raise DomainError(messages.BAD_CONTACT, field="outcome")
    if not seat.active:
        raise DomainError(messages.NOT_SEATED)
    contact = Contact(
        seat_id=seat.id,
        at=clock.now(),
        channel=channel,
        outcome=outcome,
        reason=reason,
        note=note.strip(),
        by=actor.id,
    )
    seat.contacts.append(contact)
    session.flush()
    append(session, actor, "seat.contact", sealed=True, seat=seat.id, outcome=outcome)
    return contact


def confirm_seat(session: Session, actor: Viewer, seat: Seat) -> None:
    """The expert has accepted the seat."""
    actor.require("office")
    must_be_caller(session, actor, seat.draw)
    if seat.state != "drawn":
        raise cannot(
            Text("确认席位", "confirm the seat"),
            Text("该席位已确认或已更换", "the seat is confirmed or was replaced"),
        )
    seat.state, seat.changed_at = "confirmed", clock.now()
    append(session, actor, "seat.confirmed", sealed=True, seat=seat.id)


def record_removals(
    session: Session, actor: Viewer, draw: Draw, removals: Sequence[tuple[Seat, str, str]]
) -> Act:
    """Fix who leaves: (seat, cause of rule D-10, evidence) each. The seats are inactive at once, and
    who follows is not known to anybody until the act is cosigned and its codes are out."""
    actor.require("office")
    in_state(draw.state, _REMOVE, "completed")
    if any(act.completed_at is None for act in draw.acts):
        raise cannot(_REMOVE, Text("上一次补抽尚未完成", "an act is still open"))
    causes = list(rules_of(draw.round)["D-10"].params["causes"])
    seats = [seat for seat, _, _ in removals]
    if not seats or len({seat.id for seat in seats}) != len(seats):
        raise DomainError(
            Text("请选择要更换的席位。", "Choose the seats to replace."), field="seats"
        )
    for seat, reason, evidence in removals:
        if seat.draw_id != draw.id or not seat.active:
            raise DomainError(messages.NOT_SEATED, field="seats")
        if reason not in causes:
            known = Text(
                "、".join(messages.CAUSE[c].zh for c in causes if c in messages.CAUSE),
                ", ".join(messages.CAUSE[c].en for c in causes if c in messages.CAUSE),
            )
            raise DomainError(messages.BAD_CAUSE.format(reason=reason, known=known), field="reason")
        if not evidence.strip():
            raise DomainError(messages.NEEDS_EVIDENCE, field="evidence")
    return same_day.fix_removals(session, actor, draw, removals)


def reveal_act_code(
    session: Session, actor: Viewer | None, act: Act, party: str, code: str
) -> None:
    """A party's next code, the one below its last: act 2 reveals H^(index-2). None is the observer,
    who has a link instead of an account."""
    if actor is not None:
        actor.require("office", "supervisor")
    elif party != "observer":
        raise NotFound(messages.ABSENT)
    what, draw = Text("出示口令", "reveal a code"), _draw(session, act)
    if act.cosigned_by is None or act.completed_at is not None:
        raise cannot(what, Text("更换尚未会签，或已完成", "the removals are not cosigned, or done"))
    row = party_named(draw, party)
    if party in act.codes:
        raise cannot(what, Text("该方的口令已出示", "this party has revealed its code"))
    value = fitting_code(row, code, act.number)
    act.codes = {**act.codes, party: value}
    row.codes = [*row.codes, value]
    append(session, actor, "draw.act_code", draw=draw.id, act=act.number, party=party, code=value)


def complete_act(session: Session, actor: Viewer | None, act: Act) -> list[Seat]:
    """Fill the vacancies of a cosigned act; the new seats. The transcript is written again with it.

    A vacancy that nobody can fill without breaking a rule stays empty and is on record as such. Whoever
    was seated elsewhere on the same day in the meantime gives the seat up: the next act is on record then.
    """
    if actor is not None:  # None: the last code came in, and nobody has to ask
        actor.require("office", "supervisor")
    draw = _draw(session, act)
    if act.cosigned_by is None or act.completed_at is not None:
        raise cannot(
            _FILL, Text("更换尚未会签，或已完成", "the removals are not cosigned, or done")
        )
    reserves = draw.request["replacement"] == "reserves"
    silent = [] if reserves else [p.name for p in draw.parties if p.name not in act.codes]
    if silent:
        raise cannot(
            _FILL,
            Text("{who}尚未出示口令", "{who} has not revealed its code").format(
                who=messages.parties(silent)
            ),
        )
    commitment = ceremony.commitment_of(draw)
    before = ceremony.completed_acts(draw)
    standing: Result | ReplacementResult = before[-1] if before else ceremony.result_of(draw)
    filled = replace(
        commitment,
        ceremony.roster_of(draw),
        ceremony.exclusions_of(draw),
        str(draw.key),
        standing,
        ceremony.removals_of(act),
        {} if reserves else dict(act.codes),
        act.number,
    )
    act.key = filled.key
    act.result = filled.document
    act.completed_at = clock.now()
    people = {c.pseudonym: c.expert_id for c in draw.candidates}
    new = [
        Seat(
            panel=fill.panel,
            number=calls.seat_number(draw, fill.panel, fill.seat),
            act=act.number,
            expert_id=people[fill.expert],
            ticket=fill.ticket,
            state="drawn",
            changed_at=act.completed_at,
        )
        for fill in filled.fills
        if fill.expert
    ]
    draw.seats.extend(new)
    session.flush()
    draw.transcript_sha256 = ceremony.keep_transcript(session.info["settings"], draw)
    append(
        session,
        actor,
        "draw.act",
        draw=draw.id,
        act=act.number,
        key=filled.key,
        removal_hash=act.removal_hash,
        filled=len(new),
        vacant=len(filled.fills) - len(new),
        transcript=draw.transcript_sha256,
    )
    same_day.give_up(session, draw, new)
    return new


def _draw(session: Session, act: Act) -> Draw:
    draw = session.get(Draw, act.draw_id)
    if draw is None:
        raise LookupError(act.draw_id)
    return draw
