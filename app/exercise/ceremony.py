"""The exercise's draws, with dice and codes that are printed here: rehearsals, and marked so.

Because the values are known beforehand these draws are not random; a round that counts refuses
fixed values. The steps are those of docs/draw-protocol.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw import chain
from app.draw import operations
from app.draw.freezing import prepare
from app.draw.models import Draw, Seat
from app.draw.outlook import Tell, silent
from app.exercise import device
from app.exercise.crew import Stage
from app.exercise.opening import pairs, round_of

# Fifty throws each, printed: anybody can type them again and must get the same panel.
DICE = {
    "desk": "62111562153443536336631245321523343412511331654335",
    "site": "55331326651526615132246636366466246532631334113636",
    "live-site": "35222544526543552354225253223642222261464635113646",
    "live-desk": "26245526624451426531154331321561556342136113336411",
    "national-desk": "44566142663343111516645212166164534153353154522144",
    "national-site": "66533462635321651535245656562225653365631425216266",
}
LINKS = 32
SEATS = 7
QUOTAS = {
    "discipline": {"land": [1, 3], "planning": [1, 3]},
    "source": {"ministry_unit": [1, 2], "university": [1, 5], "institute": [1, 3]},
}
PARTIES = ("office", "supervisor")


def dice(name: str) -> list[int]:
    """The printed throws of a draw."""
    return [int(face) for face in DICE[name]]


def secret(slug: str, stage: str, party: str) -> bytes:
    """The start of a party's chain: printed words, since this is a rehearsal."""
    return hashlib.sha256(f"演练口令|{slug}|{stage}|{party}".encode()).digest()


def code(slug: str, stage: str, party: str, act: int = 1) -> str:
    """A party's one-time code of an act, counted from the end of its chain."""
    return chain(secret(slug, stage, party), LINKS - act).hex()


def draw_of(session: Session, draw_id: str) -> Draw:
    """The draw, loaded in this transaction."""
    return session.get_one(Draw, draw_id)


def ask(
    stage: Stage, slug: str, kind: str, codes: tuple[str, ...] = (), *, fixed: str | None = None,
    batch: Sequence[Sequence[str]] = (), accept_high: str | None = None,
) -> str:  # fmt: skip
    """Request a draw of seven for these counties (all when none is named); the draft's id. With
    `batch`, the codes of each panel's counties, one draw of so many panels. `accept_high` is the
    coded reason for chances above one half, where a small pool needs one.

    The two parties register chains of one-time codes.
    """
    office = stage.crew["office"]
    with stage.write() as session:
        round_ = round_of(session, slug)
        wanted = [s.id for s, d in pairs(stage, round_) if not codes or d.code in codes]
        panel: dict[str, Any] = {"id": kind.upper(), "seats": SEATS, "quotas": QUOTAS}
        subjects = {s.region_code: s.id for s in round_.subjects}
        panels = [
            {**panel, "id": f"{kind.upper()}-{n:02d}", "subjects": [subjects[c] for c in listed]}
            for n, listed in enumerate(batch, 1)
        ] or [panel]
        draw = operations.request_draw(
            session, office, round=round_, stage=kind, subject_ids=wanted, panels=panels,
            parties=PARTIES, fixed={"dice": dice(fixed)} if fixed else None, accept_high=accept_high,
        )  # fmt: skip
        for party in PARTIES:
            operations.register_party(
                session, stage.crew[party], draw, party,
                chain(secret(slug, kind, party), LINKS).hex(), LINKS,
            )  # fmt: skip
        return draw.id


def commit(stage: Stage, draw_id: str, tell: Tell = silent) -> None:
    """The office commits: everything that decides the result is frozen and published."""
    with stage.parts.database.read() as session:
        ready = prepare(session, draw_of(session, draw_id), tell)
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        operations.commit_draw(session, stage.crew["office"], draw, prepared=ready)


def perform(stage: Stage, draw_id: str, slug: str, kind: str, throws: str) -> None:
    """Cosign, type the dice twice, reveal both codes: the last one draws."""
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        device.cosign(session, stage.crew["supervisor"], draw)
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        for party in PARTIES:
            operations.enter_dice(session, stage.crew[party], draw, "dice", dice(throws))
        for party in PARTIES:
            operations.reveal_code(session, stage.crew[party], draw, party, code(slug, kind, party))


def active_seats(session: Session, draw_id: str, panel: str | None = None) -> list[Seat]:
    """Seats of a draw, or of one of its panels, that are taken, in order."""
    query = select(Seat).where(Seat.draw_id == draw_id, Seat.state != "removed")
    if panel is not None:
        query = query.where(Seat.panel == panel)
    return list(session.scalars(query.order_by(Seat.panel, Seat.number)))


def call_everybody(stage: Stage, draw_id: str, *, declines: int | None = None) -> None:
    """The office calls; whoever accepts is confirmed. Seat number `declines` says no."""
    with stage.write() as session:
        for seat in stage.each("calls", active_seats(session, draw_id)):
            if seat.state == "confirmed":
                continue
            if seat.number == declines:
                operations.record_contact(
                    session, stage.crew["office"], seat, "phone", "declined", "schedule",
                    "演练：当日另有教学任务。",
                )  # fmt: skip
                continue
            operations.record_contact(session, stage.crew["office"], seat, "phone", "accepted")
            operations.confirm_seat(session, stage.crew["office"], seat)


def replace_seat(stage: Stage, draw_id: str, slug: str, kind: str, number: int) -> None:
    """A replacement act: the removal is fixed and cosigned before the next codes come out."""
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        seat = next(s for s in active_seats(session, draw_id) if s.number == number)
        operations.record_removals(
            session, stage.crew["office"], draw,
            [(seat, "absence", "演练：电话答复当日不能到会，见联系记录。")],
        )  # fmt: skip
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        act = draw.acts[-1]
        device.cosign_removals(session, stage.crew["supervisor"], draw, act)
        for party in PARTIES:
            operations.reveal_act_code(
                session, stage.crew[party], act, party, code(slug, kind, party, act.number)
            )
        operations.complete_act(session, stage.crew["office"], act)
