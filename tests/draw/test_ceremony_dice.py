"""Two lists of the same values: kept as typed, closed by the last one, equal ones lock; photographs."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import ceremony, hall, operations, operations_ceremony
from app.draw.models import Dice, Draw
from app.draw.models_ceremony import Typing
from app.exercise import device
from app.ledger.models import Event
from tests.draw.builders import DICE, Staff, make_pool, make_round, request

LOTTERY = {
    "name": "lottery", "kind": "set", "count": 5, "low": 1, "high": 35, "when": "2012-11-19",
}  # fmt: skip


def cosigned(session: Session, staff: Staff, **more: Any) -> Draw:
    make_pool(session)
    draw = request(session, staff, make_round(session, kind="real"), **more)
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    return draw


@pytest.fixture
def draw(session: Session, staff: Staff) -> Draw:
    return cosigned(session, staff)


def save(session: Session, viewer: Any, draw: Draw, values: list[int], source: str = "dice") -> Any:
    return operations_ceremony.save_typing(session, viewer, draw, source, values)


def test_values_are_kept_as_typed_and_shown_to_nobody_else(
    session: Session, staff: Staff, draw: Draw
) -> None:
    for count in (1, 2, 37):
        save(session, staff.office, draw, DICE[:count])
    assert hall.own_values(session, staff.office, draw, "dice") == DICE[:37]
    assert hall.own_values(session, staff.supervisor, draw, "dice") == []
    shown = hall.shown(session, staff.supervisor, draw)
    assert shown["sources"][0]["typed"] == {"office": 37, "supervisor": 0}
    assert shown["sources"][0]["values"] is None
    assert not any(isinstance(v, list) and v for v in shown["sources"][0].values())
    assert list(session.scalars(select(Dice))) == [], "nothing is entered before the last value"


def test_the_last_value_closes_the_list_and_equal_lists_lock(
    session: Session, staff: Staff, draw: Draw
) -> None:
    save(session, staff.office, draw, DICE)
    with pytest.raises(Conflict, match="your list is complete"):
        save(session, staff.office, draw, [6, *DICE[1:]])
    with pytest.raises(Conflict, match="your list is complete"):
        save(session, staff.office, draw, DICE[:10])
    wrong = [*DICE]
    wrong[6] = wrong[6] % 6 + 1
    assert save(session, staff.supervisor, draw, wrong).differing == (7,)
    state = hall.sources(session, draw)[0]
    assert state["differing"] == [7] and state["values"] is None
    locked = save(session, staff.supervisor, draw, DICE)
    assert locked.values == tuple(DICE)
    assert hall.sources(session, draw)[0]["values"] == DICE
    with pytest.raises(Conflict, match="locked"):
        save(session, staff.supervisor, draw, DICE)


def test_what_cannot_be_typed(session: Session, staff: Staff, draw: Draw, make: Any) -> None:
    for bad in ([7], [0], [*DICE, 1]):
        with pytest.raises(DomainError, match="out of range"):
            save(session, staff.office, draw, bad)
    with pytest.raises(DomainError, match="no such source"):
        save(session, staff.office, draw, [1], "other")
    save(session, staff.office, draw, [1])
    with pytest.raises(Conflict, match="Somebody else of your role"):
        save(session, make.viewer(session, "office"), draw, [1])
    for role in ("admin", "keeper", "expert", "presenter"):
        with pytest.raises(Forbidden):
            save(session, make.viewer(session, role), draw, [1])
    assert [t.values for t in session.scalars(select(Typing))] == ["1"]


def test_a_public_lottery_is_a_sorted_set_without_repeats(session: Session, staff: Staff) -> None:
    draw = cosigned(session, staff, sources=[LOTTERY])
    with pytest.raises(DomainError, match="repeated"):
        save(session, staff.office, draw, [5, 9, 9, 30, 31], "lottery")
    save(session, staff.office, draw, [30, 9, 5, 31, 12], "lottery")
    state = save(session, staff.supervisor, draw, [5, 9, 12, 30, 31], "lottery")
    assert state.values == (5, 9, 12, 30, 31)


def test_a_failed_source_ends_the_attempt_even_when_another_is_locked(
    session: Session, staff: Staff
) -> None:
    dice = {"name": "dice", "kind": "sequence", "count": 50, "low": 1, "high": 6, "when": ""}
    draw = cosigned(session, staff, sources=[dice, LOTTERY])
    for viewer in (staff.office, staff.supervisor):
        save(session, viewer, draw, DICE)
    operations.abort_draw(session, staff.office, draw, "当期停开", "source_failed")
    assert draw.state == "aborted"
    event = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    body = json.loads(event.payload)["data"]
    assert (body["attempt"], body["state"], body["cause"]) == (1, "cosigned", "source_failed")
    assert "当期停开" not in event.payload, "the words stay out of the public ledger"
    again = request(session, staff_anew(staff), draw.round)
    assert again.attempt == 2
    assert [(d.attempt, a.cause if a else None) for d, a in hall.attempts(session, again)] == [
        (1, "source_failed"),
        (2, None),
    ]


def staff_anew(staff: Staff) -> Staff:
    """The same people with fresh chains: one is never used for two attempts."""
    import secrets

    staff.secrets = {name: secrets.token_bytes(32) for name in staff.secrets}
    return staff


def picture(place: bool = True) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (64, 48), "white")
    exif = Image.Exif()
    if place:
        exif[0x010E] = "SECRET PLACE"
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photograph_is_bound_by_the_transcript(
    session: Session, staff: Staff, draw: Draw
) -> None:
    with pytest.raises(DomainError):
        operations_ceremony.attach_photo(session, staff.office, draw, "dice", b"GIF89a", "x.gif")
    row = operations_ceremony.attach_photo(
        session, staff.office, draw, "dice", picture(False), "盘.jpg"
    )
    assert hall.sources(session, draw)[0]["photo"] == row.sha256
    for viewer in (staff.office, staff.supervisor):
        save(session, viewer, draw, DICE)
    operations.reveal_code(session, staff.office, draw, "office", staff.code("office"))
    with pytest.raises(Conflict, match="a code is out"):
        operations_ceremony.attach_photo(session, staff.office, draw, "dice", picture(), "b.jpg")
    operations.reveal_code(session, staff.supervisor, draw, "supervisor", staff.code("supervisor"))
    assert draw.state == "completed"
    seed = json.loads(zipfile.ZipFile(io.BytesIO(ceremony.transcript_of(draw))).read("seed.json"))
    assert seed["photographs"] == [["dice", row.sha256]]
    assert seed["sources"] == [["dice", DICE]]
