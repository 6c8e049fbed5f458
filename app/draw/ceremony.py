"""A draw read back from its rows as the engine's objects, and its transcript.

Everything that decides a result stands in the rows of the draw; the same rows give the same bytes,
so a transcript that was lost is written again and an altered row shows (docs/draw-protocol.md 10).
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select as select_rows
from sqlalchemy.orm import Session, object_session

from app.config import Settings
from app.domain.draw import (
    Candidate as Person,
)
from app.domain.draw import (
    Commitment,
    Exclusion,
    PanelResult,
    Removal,
    ReplacementResult,
    Result,
    Skip,
    chain,
    leaf_hash,
    previous_hash,
    replace,
    select,
    write_transcript,
)
from app.domain.draw import Seat as Place
from app.domain.draw.replacement import result_document
from app.domain.ledger.checkpoint import ED25519, Checkpoint, key_id
from app.domain.ledger.checkpoint import parse as parse_note
from app.domain.ledger.merkle import inclusion_proof
from app.domain.types import Text
from app.draw.fallbacks import in_force
from app.draw.models import Act, Dice, Draw
from app.draw.models_ceremony import Cosignature, DeviceKey, DicePhoto
from app.draw.models_order import OrderItem
from app.draw.sources import named
from app.keys import Keys
from app.ledger import prove
from app.ledger.models import Event


@dataclass(frozen=True)
class DiceState:
    """One source: who has typed its values, where the two lists differ, and the values once equal.

    `differing` are positions from 1; `values` None until both agree.
    """

    source: str
    entered: frozenset[str]
    differing: tuple[int, ...]
    values: tuple[int, ...] | None

    @property
    def title(self) -> Text:
        """The source in words."""
        return named(self.source)

    @property
    def text(self) -> Text:
        """What to tell the two who type."""
        name = {"s": self.title}
        if self.values is not None:
            return Text(
                "来源“{s}”两人录入一致，已锁定。", "Source '{s}': both agree; locked."
            ).format(**name)
        if self.differing:
            return Text(
                "来源“{s}”两人录入不一致，第 {n} 个值不同。尚未锁定；请两人对照骰子照片，各自重新录入。",
                "Source '{s}': the two lists differ at position {n}. Nothing is locked; compare with "
                "the photograph of the dice and type again.",
            ).format(
                n=Text("、".join(map(str, self.differing)), ", ".join(map(str, self.differing))),
                **name,
            )
        return Text(
            "来源“{s}”已由一人录入，等待另一人。",
            "Source '{s}' was typed by one; waiting for the other.",
        ).format(**name)


def commitment_of(draw: Draw) -> Commitment:
    """The committed document with its lottery tables."""
    snapshot = draw.snapshot or {}
    return Commitment(dict(draw.commitment or {}), dict(snapshot.get("lotteries", {})))


def items_of(draw: Draw) -> list[OrderItem]:
    """The things of an order draw by their codes; [] of any other draw."""
    session = object_session(draw)
    if session is None or not draw.is_order:
        return []
    query = select_rows(OrderItem).where(OrderItem.draw_id == draw.id)
    return list(session.scalars(query.order_by(OrderItem.pseudonym)))


def roster_of(draw: Draw) -> list[Person]:
    """What is drawn from: the frozen pool under pseudonyms, or the things under their codes."""
    if draw.is_order:
        return [Person(i.pseudonym, {}, bytes.fromhex(i.leaf_salt)) for i in items_of(draw)]
    return [Person(c.pseudonym, dict(c.facts), bytes.fromhex(c.leaf_salt)) for c in draw.candidates]


def exclusions_of(draw: Draw) -> list[Exclusion]:
    """The frozen exclusions under pseudonyms."""
    return [
        Exclusion(
            row["panel"],
            candidate.pseudonym,
            row.get("shown", row["rule"]),  # private rules stand in the leaf as one word
            row["evidence_hash"],
            row["decided_by"],
            bytes.fromhex(row["salt"]),
            row["when"],
        )
        for candidate in draw.candidates
        for row in candidate.exclusions
    ]


def dice_states(draw: Draw) -> dict[str, DiceState]:
    """Source name -> how far its values are, in committed order."""
    return {
        str(row["name"]): _state(
            str(row["name"]), [d for d in draw.dice if d.source == row["name"]]
        )
        for row in in_force(draw)
    }


def _state(source: str, rows: Sequence[Dice]) -> DiceState:
    entered = frozenset(row.role for row in rows)
    if len(rows) < 2:
        return DiceState(source, entered, (), None)
    first, second = rows[0].values, rows[1].values
    differing = tuple(
        place for place, (a, b) in enumerate(zip(first, second, strict=True), 1) if a != b
    )
    return DiceState(source, entered, differing, None if differing else tuple(first))


def dice_locked(draw: Draw) -> bool:
    """Both agree on every source."""
    return all(state.values is not None for state in dice_states(draw).values())


def all_in(draw: Draw) -> bool:
    """Every value is locked and every party has revealed its code of act 1."""
    return dice_locked(draw) and all(party.codes for party in draw.parties)


def values_of(draw: Draw) -> dict[str, list[int]]:
    """The locked values of every source."""
    return {name: list(state.values) for name, state in dice_states(draw).items() if state.values}


def codes_of(draw: Draw) -> dict[str, str]:
    """The codes of act 1 that were revealed."""
    return {party.name: party.codes[0] for party in draw.parties if party.codes}


def result_of(draw: Draw) -> Result:
    """The stored result of act 1."""
    stored = dict(draw.result or {})
    return Result(
        tuple(_panel(p) for p in stored["panels"]),
        tuple(stored["order"]),
        tuple(stored["restarts"]),
    )


def _panel(stored: Mapping[str, Any]) -> PanelResult:
    return PanelResult(
        stored["id"],
        tuple(Place(*row) for row in stored["seats"]),
        tuple(Skip(*row) for row in stored["skips"]),
        bool(stored["short"]),
        stored["lot"],
        stored["row"],
    )


def drawn_again(draw: Draw) -> dict[str, Any]:
    """The result document computed anew from commitment and key."""
    commitment, key = commitment_of(draw), str(draw.key)
    result = select(commitment, roster_of(draw), exclusions_of(draw), key)
    return result_document(commitment, key, result)


def removals_of(act: Act) -> list[Removal]:
    """The removals that an act was recorded with."""
    return [
        Removal(row["panel"], row["expert"], row["reason"], row["evidence"], row["when"])
        for row in act.removals
    ]


def completed_acts(draw: Draw) -> list[ReplacementResult]:
    """Every completed replacement act computed anew, in order."""
    commitment, roster, exclusions = commitment_of(draw), roster_of(draw), exclusions_of(draw)
    standing: Result | ReplacementResult = result_of(draw)
    done: list[ReplacementResult] = []
    for act in draw.acts:
        if act.completed_at is None:
            continue
        codes = {} if commitment.document["replacement"] == "reserves" else dict(act.codes)
        standing = replace(
            commitment,
            roster,
            exclusions,
            str(draw.key),
            standing,
            removals_of(act),
            codes,
            act.number,
        )
        done.append(standing)
    return done


def standing_hash(draw: Draw) -> str:
    """The hash that the next removal record names: of the result, or of the last act."""
    acts = completed_acts(draw)
    return previous_hash(commitment_of(draw), str(draw.key), acts[-1] if acts else result_of(draw))


def anchor(session: Session, keys: Keys, event: Event) -> tuple[Checkpoint, dict[str, Any]]:
    """A signed checkpoint over the ledger with `event` as its last leaf, and the proof of that."""
    note = prove.sign_head(session, keys, "draw")
    _, proof = prove.prove_inclusion(session, event.seq)
    return note, {
        "event": event.payload,
        "index": event.seq,
        "proof": [step.hex() for step in proof],
        "keys": [_verifier_key(keys.name, keys.public)],
    }


def cosignature_of(draw: Draw, act: int = 1) -> Cosignature | None:
    """The supervisor's signature over the commitment (act 1) or over an act's removals."""
    session = object_session(draw)
    if session is None:
        raise LookupError(draw.id)
    return session.scalar(
        select_rows(Cosignature).where(Cosignature.draw_id == draw.id, Cosignature.act == act)
    )


def cosigned_anchor(draw: Draw) -> tuple[dict[str, Any], dict[int, str]]:
    """The anchor with the devices that cosigned and the removals they cosigned, proved in the ledger
    at the size that was signed; and the note of every completed act. Draws cosigned before devices
    were registered keep the anchor they had.
    """
    stored = dict((draw.snapshot or {})["anchor"])
    session = object_session(draw)
    rows = [cosignature_of(draw)]
    if session is None or rows[0] is None:
        return stored, {}
    leaves = list(session.scalars(select_rows(Event.leaf).order_by(Event.seq)))
    proofs, notes = [], {}
    for act in draw.acts:
        row = cosignature_of(draw, act.number)
        event = session.scalar(
            select_rows(Event)
            .where(Event.payload.contains(act.removal_hash))
            .order_by(Event.seq)
            .limit(1)
        )
        if row is None or event is None or act.completed_at is None:
            continue
        rows.append(row)
        notes[act.number] = row.note
        path = inclusion_proof(leaves[: parse_note(row.note).size], event.seq)
        proofs.append(
            {
                "act": act.number,
                "event": event.payload,
                "index": event.seq,
                "proof": [step.hex() for step in path],
            }
        )
    keys = [session.get_one(DeviceKey, row.device_key_id) for row in rows if row is not None]
    listed = [_verifier_key(key.name, bytes.fromhex(key.public)) for key in keys]
    return {**stored, "acts": proofs, "cosigners": list(dict.fromkeys(listed))}, notes


def _verifier_key(name: str, public: bytes) -> str:
    """C2SP: name, key id, type and key."""
    blob = base64.b64encode(ED25519 + public).decode()
    return f"{name}+{key_id(name, public).hex()}+{blob}"


def cosigned_note(draw: Draw) -> str | None:
    """The checkpoint over the commitment as a C2SP signed note with two signature lines: the
    ledger's, then the supervisor's device. None before the cosignature."""
    row = cosignature_of(draw)
    return row.note if row is not None else None


def photos_of(session: Session, draw: Draw) -> dict[str, DicePhoto]:
    """Source -> its photograph."""
    rows = session.scalars(select_rows(DicePhoto).where(DicePhoto.draw_id == draw.id))
    return {row.source: row for row in rows}


def photo_of(session: Session, draw: Draw, source: str) -> DicePhoto | None:
    """The photograph of one source."""
    return photos_of(session, draw).get(source)


def transcript_of(draw: Draw) -> bytes:
    """The transcript ZIP of a completed draw with all its acts."""
    session = object_session(draw)
    anchored, act_notes = cosigned_anchor(draw)
    photos = photos_of(session, draw) if session is not None else {}
    return write_transcript(
        commitment=commitment_of(draw),
        roster=roster_of(draw),
        exclusions=exclusions_of(draw),
        source_values=values_of(draw),
        codes=codes_of(draw),
        key=str(draw.key),
        result=result_of(draw),
        acts=completed_acts(draw),
        photographs={name: photo.sha256 for name, photo in photos.items()},
        labels={item.pseudonym: item.label for item in items_of(draw)},
        checkpoint=draw.checkpoint,
        anchor=anchored,
        cosignature=cosigned_note(draw),
        act_cosignatures=act_notes,
    )


def transcript_path(settings: Settings, digest: str) -> Path:
    return settings.home / "transcripts" / f"{digest}.zip"


def keep_transcript(settings: Settings, draw: Draw) -> str:
    """Write the transcript beside the file store and return its SHA-256.

    Named by its content: what a rolled back transaction leaves behind harms nobody.
    """
    data = transcript_of(draw)
    digest = hashlib.sha256(data).hexdigest()
    path = transcript_path(settings, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    return digest


def evidence_hash(evidence: Mapping[str, Any], nonce: str) -> str:
    """Salted hash of what an exclusion or removal rests on; the opening stays in the database."""
    return leaf_hash({"evidence": dict(evidence), "nonce": nonce})


def seconds(moment: datetime) -> int:
    """UTC seconds, as times stand in a commitment."""
    return int(moment.timestamp())


def same_chain(commitment_hex: str, values: Sequence[str], length: int) -> bool:
    """Does hashing `commitment_hex` forward meet one of `values` within `length` steps?

    Then it belongs to a chain that was used before, and its later codes are known.
    """
    known, value = set(values), bytes.fromhex(commitment_hex)
    for _ in range(length + 1):
        if value.hex() in known:
            return True
        value = chain(value, 1)
    return False
