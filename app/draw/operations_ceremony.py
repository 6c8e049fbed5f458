"""The ceremony: cosignature, dice, codes, completion; and its only way out, a recorded abort.

docs/draw-protocol.md sections 3 to 7. No seed before a supervisor's cosignature, no code before all
dice are locked, no way back after the first code; the last code brings the result by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import Result, chain, check_values, derive_key
from app.domain.draw import select as draw_panels
from app.domain.draw.replacement import result_document
from app.domain.draw.seed import HEX64
from app.domain.ledger import checkpoint as notes
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, NotFound, NotNow, Text
from app.draw import calls, ceremony, messages, same_day, sources
from app.draw.accepted import taken_up
from app.draw.ceremony import DiceState
from app.draw.device import keep_cosignature
from app.draw.fallbacks import in_force
from app.draw.messages import cannot, in_state
from app.draw.models import Dice, Draw, Party, Seat
from app.draw.models_ceremony import Abort, DicePhoto, ObserverLink, Typing
from app.draw.operations_order import keep_order
from app.draw.requests import source_of
from app.ledger.append import append

LIVE = ("draft", "committed", "cosigned")
PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
PHOTO_BYTES = 20 * 1024 * 1024
_COMPLETE = Text("完成抽取", "complete the draw")
_DICE = Text("录入骰子", "enter dice")
_REVEAL = Text("出示口令", "reveal a code")


def cosign(
    session: Session, actor: Viewer, draw: Draw, signature: str, accepted: Sequence[str] = ()
) -> None:
    """The supervisor has read the commitment and its checkpoint: the dice may be thrown (D-17).

    `signature`: 128 hex digits by the actor's registered device key over the body of
    `draw.checkpoint`. `accepted`: the codes of the exceptions that he ticked, which must be all that
    the office asked for; the ledger entry of the cosignature says them. A real draw is not cosigned
    once the instant of one of its sources has come. That the actor has just given his own password is for the caller to see to.
    """
    actor.require("supervisor")
    in_state(draw.state, Text("会签", "cosign"), "committed")
    if draw.kind == "real":
        named = [*draw.request["sources"], *draw.request.get("fallbacks", ())]
        sources.refuse_known(named, clock.now())
    exceptions = taken_up(draw, accepted)
    note = notes.parse(str(draw.checkpoint))
    key, value = keep_cosignature(session, actor, draw, 1, note, signature)
    draw.state = "cosigned"
    draw.cosigned_by = actor.id
    draw.cosigned_at = clock.now()
    session.flush()
    append(
        session,
        actor,
        "draw.cosigned",
        draw=draw.id,
        commitment_hash=draw.commitment_hash,
        checkpoint=digest({"checkpoint": draw.checkpoint}),
        device=key.public,
        signature=value.hex(),
        accepted=exceptions,
    )


def _source(draw: Draw, source: str) -> dict[str, object]:
    for row in in_force(draw):
        if row["name"] == source:
            return dict(row)
    raise DomainError(messages.NO_SOURCE, field="source")


def _open_source(draw: Draw, source: str) -> None:
    """The source exists, has come about (in a real draw) and may still be typed."""
    in_state(draw.state, _DICE, "cosigned")
    row = _source(draw, source)
    if draw.kind == "real":
        sources.refuse_early(row, clock.now())
    if ceremony.dice_states(draw)[source].values is not None:
        raise cannot(
            _DICE, Text("两人已录入一致，数值已锁定", "both agreed and the values are locked")
        )


def save_typing(
    session: Session, actor: Viewer, draw: Draw, source: str, values: Sequence[int]
) -> DiceState:
    """Keep what one of the two has typed so far; the last value enters the list and closes it.

    A closed list opens again only when it differs from the other's. Nothing of a list that is not
    complete decides anything or is shown to the other.
    """
    actor.require("office", "supervisor")
    _open_source(draw, source)
    row = source_of(_source(draw, source))
    state = ceremony.dice_states(draw)[source]
    if actor.role in state.entered and not state.differing:
        raise cannot(_DICE, messages.LIST_IS_IN)
    for place, value in enumerate(values, 1):
        if not row.low <= value <= row.high or place > row.count:
            raise DomainError(
                Text(
                    "来源“{s}”第 {n} 个值 {v} 不在范围内。之前的值都已保存。",
                    "Source '{s}', value {n} is {v}: out of range. The values before are kept.",
                ).format(s=sources.named(source), n=place, v=value),
                field="values",
            )
    mine = session.scalar(
        select(Typing).where(
            Typing.draw_id == draw.id, Typing.source == source, Typing.role == actor.role
        )
    )
    text, now = " ".join(map(str, values)), clock.now()
    if mine is None:
        session.add(
            Typing(
                draw_id=draw.id, source=source, role=actor.role, account_id=actor.id,
                values=text, at=now,
            )
        )  # fmt: skip
    elif mine.account_id != actor.id:
        raise NotNow(messages.ROLE_TYPED)
    else:
        mine.values, mine.at = text, now
    session.flush()
    if len(values) == row.count:
        return enter_dice(session, actor, draw, source, values)
    return state


def enter_dice(
    session: Session, actor: Viewer, draw: Draw, source: str, values: Sequence[int]
) -> DiceState:
    """The values of one source as one of the two read them: office and supervisor, each on his own
    screen. Equal lists lock; until then each may correct his own."""
    actor.require("office", "supervisor")
    _open_source(draw, source)
    with sources.in_words(source):
        checked = check_values(list(values), source_of(_source(draw, source)))
    mine = next((d for d in draw.dice if d.source == source and d.role == actor.role), None)
    if mine is None:
        mine = Dice(
            source=source, role=actor.role, account_id=actor.id, values=checked, at=clock.now()
        )
        draw.dice.append(mine)
    elif mine.account_id != actor.id:
        raise NotNow(messages.ROLE_TYPED)
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


def attach_photo(
    session: Session, actor: Viewer, draw: Draw, source: str, picture: bytes, name: str
) -> DicePhoto:
    """A photograph of the tray (JPEG, PNG or WebP, 20 MB at most), kept as its pixels alone; its
    hash goes into the transcript. A later one takes the place of an earlier while the draw is open."""
    actor.require("office", "supervisor")
    what = Text("附上照片", "attach a photograph")
    in_state(draw.state, what, "cosigned")
    _source(draw, source)
    if any(p.codes for p in draw.parties):
        raise cannot(what, Text("已有口令出示", "a code is out"))
    kept = session.info["store"].put(picture, name, PHOTO_TYPES, max_bytes=PHOTO_BYTES)
    row = ceremony.photo_of(session, draw, source)
    if row is None:
        row = DicePhoto(draw_id=draw.id, source=source)
        session.add(row)
    row.sha256, row.mime, row.by, row.at = kept.sha256, kept.mime, actor.id, clock.now()
    session.flush()
    append(session, actor, "draw.photo", draw=draw.id, source=source, sha256=row.sha256)
    return row


def reveal_code(session: Session, actor: Viewer, draw: Draw, party: str, code: str) -> None:
    """A party's code of act 1, once every die is locked. From then on there is no way back, and the
    last code draws the panel in the same transaction.

    Either of the two may type it (a code proves itself, and a lost one comes from its envelope).
    """
    actor.require("office", "supervisor")
    _reveal(session, actor, draw, party, code)


def reveal_observer(session: Session, link: ObserverLink, draw: Draw, code: str) -> None:
    """The observer's code of act 1, by the link of this draw."""
    _reveal(session, None, draw, "observer", code, link)


def _reveal(
    session: Session,
    actor: Viewer | None,
    draw: Draw,
    party: str,
    code: str,
    link: ObserverLink | None = None,
) -> None:
    in_state(draw.state, _REVEAL, "cosigned")
    if not ceremony.dice_locked(draw):
        raise cannot(_REVEAL, Text("随机数值尚未全部锁定", "not every source is locked"))
    row = party_named(draw, party)
    if row.codes:
        raise cannot(_REVEAL, Text("该方的口令已出示", "this party has revealed its code"))
    row.codes = [fitting_code(row, code, 1)]
    more: dict[str, Any] = {"link": link.id} if link is not None else {}
    append(session, actor, "draw.code", draw=draw.id, party=party, code=row.codes[0], **more)
    settle(session, draw)


def settle(session: Session, draw: Draw) -> bool:
    """Draw if nothing is missing any more: whoever asks, nobody decides. True when it was done."""
    if draw.state != "cosigned" or not ceremony.all_in(draw) or not draw.parties:
        return False
    _complete(session, None, draw)
    return True


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
            Text("{who}尚未出示口令", "{who} has not revealed its code").format(
                who=messages.parties(silent)
            ),
        )
    return _complete(session, actor, draw)


def _complete(session: Session, actor: Viewer | None, draw: Draw) -> Draw:
    commitment = ceremony.commitment_of(draw)
    key = derive_key(commitment, ceremony.values_of(draw), ceremony.codes_of(draw))
    result = draw_panels(commitment, ceremony.roster_of(draw), ceremony.exclusions_of(draw), key)
    draw.key = key
    draw.result = result_document(commitment, key, result)
    draw.drawn_at = clock.now()
    places = keep_order(session, draw, result) if draw.is_order else _seat(draw, result)
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
        seats=places,
        transcript=draw.transcript_sha256,
    )
    same_day.give_up(session, draw, draw.seats)
    return draw


def _seat(draw: Draw, result: Result) -> int:
    """Seat the experts drawn; returns how many."""
    people = {c.pseudonym: c.expert_id for c in draw.candidates}
    for panel in result.panels:
        for number, place in enumerate(panel.seats, 1):
            draw.seats.append(
                Seat(
                    panel=panel.id,
                    number=calls.seat_number(draw, panel.id, number),
                    act=1,
                    expert_id=people[place.expert],
                    ticket=place.ticket,
                    state="drawn",
                    changed_at=draw.drawn_at,
                )
            )
    return len(draw.seats)


def abort_draw(
    session: Session, actor: Viewer, draw: Draw, reason: str, cause: str = "other"
) -> None:
    """End an attempt, numbered and on record. Refused once every value is locked or a code is out.

    The ledger shows number, state, cause and the hash of the words; a source that never comes about
    can so end an attempt although another source is locked.
    """
    actor.require("office", "supervisor")
    what = Text("中止", "abort")
    in_state(draw.state, what, *LIVE)
    if any(p.codes for p in draw.parties) or (
        draw.state == "cosigned" and ceremony.dice_locked(draw)
    ):
        raise cannot(
            what,
            Text("随机数值已锁定，结果已经注定", "values are locked, so the result is settled"),
        )
    if not reason.strip():
        raise DomainError(
            Text("请写明中止理由。", "Give the reason for the abort."), field="reason"
        )
    if cause not in messages.ABORT:
        raise DomainError(messages.BAD_ABORT, field="cause")
    session.add(Abort(draw_id=draw.id, state=draw.state, cause=cause, by=actor.id, at=clock.now()))
    before = draw.state
    draw.state = "aborted"
    draw.abort_reason = reason.strip()
    session.flush()
    append(
        session,
        actor,
        "draw.aborted",
        draw=draw.id,
        attempt=draw.attempt,
        state=before,
        cause=cause,
        reason=digest({"reason": draw.abort_reason, "salt": draw.salt}),
    )
