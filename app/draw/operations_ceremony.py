"""The ceremony: cosignature, dice, codes, completion; and its only way out, a recorded abort.

docs/draw-protocol.md sections 3 to 7. No seed before a supervisor's cosignature, no code before all
dice are locked, no way back after the first code.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import chain, check_values, derive_key
from app.domain.draw import select as draw_panels
from app.domain.draw.replacement import result_document
from app.domain.draw.seed import HEX64
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.draw import ceremony, messages
from app.draw.ceremony import DiceState
from app.draw.messages import cannot, in_state
from app.draw.models import Dice, Draw, Party, Seat
from app.draw.requests import source_of
from app.ledger.append import append

LIVE = ("draft", "committed", "cosigned")
_COMPLETE = Text("完成抽取", "complete the draw")


def cosign(session: Session, actor: Viewer, draw: Draw) -> None:
    """The supervisor has read the commitment and its checkpoint: the dice may be thrown (D-17)."""
    actor.require("supervisor")
    in_state(draw.state, Text("会签", "cosign"), "committed")
    draw.state = "cosigned"
    draw.cosigned_by = actor.id
    draw.cosigned_at = clock.now()
    append(
        session,
        actor,
        "draw.cosigned",
        draw=draw.id,
        commitment_hash=draw.commitment_hash,
        checkpoint=digest({"checkpoint": draw.checkpoint}),
    )


def enter_dice(
    session: Session, actor: Viewer, draw: Draw, source: str, values: Sequence[int]
) -> DiceState:
    """The values of one source as one of the two read them: office and supervisor, each on his own
    screen. Equal lists lock; until then each may correct his own."""
    actor.require("office", "supervisor")
    what = Text("录入骰子", "enter dice")
    in_state(draw.state, what, "cosigned")
    row = next((r for r in draw.request["sources"] if r["name"] == source), None)
    if row is None:
        raise DomainError(messages.NO_SOURCE, field="source")
    if ceremony.dice_states(draw)[source].values is not None:
        raise cannot(
            what, Text("两人已录入一致，数值已锁定", "both agreed and the values are locked")
        )
    checked = check_values(list(values), source_of(row))
    mine = next((d for d in draw.dice if d.source == source and d.role == actor.role), None)
    if mine is None:
        mine = Dice(
            source=source, role=actor.role, account_id=actor.id, values=checked, at=clock.now()
        )
        draw.dice.append(mine)
    elif mine.account_id != actor.id:
        raise Conflict(messages.ROLE_TYPED)
    else:
        mine.values, mine.at = checked, clock.now()
    session.flush()
    state = ceremony.dice_states(draw)[source]
    append(
        session,
        actor,
        "draw.dice",
        draw=draw.id,
        source=source,
        locked=state.values is not None,
        values=list(state.values or ()),
    )
    return state


def reveal_code(session: Session, actor: Viewer, draw: Draw, party: str, code: str) -> None:
    """A party's code of act 1, once every die is locked. From then on there is no way back.

    Either of the two may type it (a code proves itself, and a lost one comes from its envelope).
    """
    actor.require("office", "supervisor")
    what = Text("出示口令", "reveal a code")
    in_state(draw.state, what, "cosigned")
    if not ceremony.dice_locked(draw):
        raise cannot(what, Text("随机数值尚未全部锁定", "not every source is locked"))
    row = party_named(draw, party)
    if row.codes:
        raise cannot(what, Text("该方的口令已出示", "this party has revealed its code"))
    row.codes = [fitting_code(row, code, 1)]
    append(session, actor, "draw.code", draw=draw.id, party=party, code=row.codes[0])


def party_named(draw: Draw, name: str) -> Party:
    """The party of a draw, or NotFound."""
    for party in draw.parties:
        if party.name == name:
            return party
    raise NotFound(Text("没有这一方。", "There is no such party."))


def fitting_code(party: Party, code: str, act: int) -> str:
    """The code in lower case if, hashed `act` times, it gives the party's commitment."""
    value = code.strip().lower()
    fits = HEX64.fullmatch(value) and act <= party.index
    if not fits or chain(bytes.fromhex(value), act).hex() != party.commitment:
        raise DomainError(
            messages.WRONG_CODE.format(party=messages.PARTY[party.name]), field="code"
        )
    return value


def complete_draw(session: Session, actor: Viewer, draw: Draw) -> Draw:
    """Derive the key and draw: one result, written with its transcript. A second call is refused."""
    actor.require("office", "supervisor")
    in_state(draw.state, _COMPLETE, "cosigned")
    waiting = [s for s in ceremony.dice_states(draw).values() if s.values is None]
    if waiting:
        why = (
            waiting[0].text if waiting[0].entered else Text("尚未录入骰子", "no dice were entered")
        )
        raise cannot(_COMPLETE, why)
    silent = [p.name for p in draw.parties if not p.codes]
    if silent:
        raise cannot(
            _COMPLETE,
            Text("{who} 尚未出示口令", "{who} has not revealed its code").format(
                who="、".join(silent)
            ),
        )
    commitment = ceremony.commitment_of(draw)
    key = derive_key(commitment, ceremony.values_of(draw), ceremony.codes_of(draw))
    result = draw_panels(commitment, ceremony.roster_of(draw), ceremony.exclusions_of(draw), key)
    draw.key = key
    draw.result = result_document(commitment, key, result)
    draw.drawn_at = clock.now()
    people = {c.pseudonym: c.expert_id for c in draw.candidates}
    for panel in result.panels:
        for number, place in enumerate(panel.seats, 1):
            draw.seats.append(
                Seat(
                    panel=panel.id,
                    number=number,
                    act=1,
                    expert_id=people[place.expert],
                    ticket=place.ticket,
                    state="drawn",
                    changed_at=draw.drawn_at,
                )
            )
    draw.state = "completed"
    session.flush()
    draw.transcript_sha256 = ceremony.keep_transcript(session.info["settings"], draw)
    append(
        session,
        actor,
        "draw.completed",
        draw=draw.id,
        draw_kind=draw.kind,
        commitment_hash=draw.commitment_hash,
        key=key,
        seats=len(draw.seats),
        transcript=draw.transcript_sha256,
    )
    return draw


def abort_draw(session: Session, actor: Viewer, draw: Draw, reason: str) -> None:
    """End an attempt, numbered and on record; impossible once dice are locked or a code is out."""
    actor.require("office", "supervisor")
    what = Text("中止", "abort")
    in_state(draw.state, what, *LIVE)
    if any(s.values is not None for s in ceremony.dice_states(draw).values()) or any(
        p.codes for p in draw.parties
    ):
        raise cannot(
            what,
            Text("随机数值已锁定，结果已经注定", "values are locked, so the result is settled"),
        )
    if not reason.strip():
        raise DomainError(
            Text("请写明中止理由。", "Give the reason for the abort."), field="reason"
        )
    draw.state = "aborted"
    draw.abort_reason = reason.strip()
    append(session, actor, "draw.aborted", draw=draw.id, attempt=draw.attempt)
