"""The supervisor's own device: registered, revoked, and signing what he cosigns."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger import checkpoint
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import ceremony, operations, operations_acts
from app.draw import device as devices
from app.draw.models import Draw
from app.draw.models_ceremony import Cosignature, DeviceKey
from app.exercise import device
from app.ledger.models import Event
from tests.draw.builders import Staff, completed, make_pool, make_round, request


@pytest.fixture
def committed(session: Session, staff: Staff) -> Draw:
    make_pool(session)
    draw = request(session, staff, make_round(session, kind="real"))
    return operations.commit_draw(session, staff.office, draw)


def _pair(viewer: Any) -> tuple[Ed25519PrivateKey, str, str]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    return key, public, key.sign(devices.registration(viewer.id, public)).hex()


def test_a_key_is_registered_by_whoever_holds_it_and_one_at_a_time(
    session: Session, staff: Staff, make: Any
) -> None:
    _, public, proof = _pair(staff.supervisor)
    with pytest.raises(Forbidden):
        devices.register_device(session, staff.office, public, proof)
    with pytest.raises(DomainError, match="not valid"):
        devices.register_device(session, staff.supervisor, public, "00" * 64)
    other = make.viewer(session, "supervisor")
    with pytest.raises(DomainError, match="not valid"):  # signed for another account
        devices.register_device(session, other, public, proof)
    key = devices.register_device(session, staff.supervisor, public, proof, "平板")
    digest = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    assert key.name == f"supervisor-{digest[:8]}"
    assert devices.fingerprint(public).replace(" ", "") == digest[:32]
    event = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert event is not None
    assert "device.registered" in event.payload and public in event.payload
    _, second, again = _pair(staff.supervisor)
    with pytest.raises(Conflict, match="active device key"):
        devices.register_device(session, staff.supervisor, second, again)
    with pytest.raises(DomainError, match="why"):
        devices.revoke_device(session, staff.supervisor, " ")
    devices.revoke_device(session, staff.supervisor, "遗失")
    with pytest.raises(Conflict, match="registered before"):
        devices.register_device(session, staff.supervisor, public, proof)
    devices.register_device(session, staff.supervisor, second, again)
    assert devices.active_key(session, staff.supervisor.id).public == second


def test_only_the_registered_device_cosigns(
    session: Session, staff: Staff, committed: Draw
) -> None:
    body = checkpoint.parse(str(committed.checkpoint)).body
    key, public, proof = _pair(staff.supervisor)
    with pytest.raises(Conflict, match="no registered device key"):
        operations.cosign(session, staff.supervisor, committed, key.sign(body).hex())
    devices.register_device(session, staff.supervisor, public, proof)
    stranger = Ed25519PrivateKey.generate()
    for bad in (stranger.sign(body).hex(), key.sign(body + b"x").hex(), "", "zz" * 64):
        with pytest.raises(DomainError, match="does not fit"):
            operations.cosign(session, staff.supervisor, committed, bad)
        assert committed.state == "committed"
    devices.revoke_device(session, staff.supervisor, "更换")
    with pytest.raises(Conflict, match="no registered device key"):
        operations.cosign(session, staff.supervisor, committed, key.sign(body).hex())
    assert committed.state == "committed" and ceremony.cosigned_note(committed) is None


def test_the_note_has_two_signature_lines_that_anybody_checks(
    session: Session, staff: Staff, committed: Draw
) -> None:
    device.cosign(session, staff.supervisor, committed)
    note = checkpoint.parse(str(ceremony.cosigned_note(committed)))
    first = checkpoint.parse(str(committed.checkpoint))
    assert note.body == first.body and note.signatures[:-1] == first.signatures
    public = bytes.fromhex(device.public_of(staff.supervisor.id))
    line = note.signatures[-1]
    assert len(note.signatures) == 2
    assert line.name.startswith("supervisor-") and len(line.name) == len("supervisor-") + 8
    assert line.key_id == checkpoint.key_id(line.name, public)
    Ed25519PublicKey.from_public_bytes(public).verify(line.value, note.body)
    event = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert event is not None and line.value.hex() in event.payload
    # A key revoked later leaves what it signed.
    devices.revoke_device(session, staff.supervisor, "更换")
    assert len(checkpoint.parse(str(ceremony.cosigned_note(committed))).signatures) == 2


def test_removals_are_cosigned_by_the_device_over_a_head_that_holds_them(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
    before = operations_acts.head_now(session)
    seat = draw.seats[0]
    operations.record_contact(session, staff.office, seat, "phone", "declined", "schedule")
    act = operations.record_removals(session, staff.office, draw, [(seat, "absence", "测试依据")])
    with pytest.raises(DomainError, match="does not contain"):
        operations_acts.cosign_act(
            session, staff.supervisor, draw, act, before.size, device.sign(staff.supervisor, before)
        )
    now = operations_acts.head_now(session)
    with pytest.raises(DomainError, match="does not fit"):
        operations_acts.cosign_act(
            session, staff.supervisor, draw, act, now.size, device.sign(staff.supervisor, before)
        )
    operations_acts.cosign_act(
        session, staff.supervisor, draw, act, now.size, device.sign(staff.supervisor, now)
    )
    row = session.scalars(select(Cosignature).where(Cosignature.act == 2)).one()
    note = checkpoint.parse(row.note)
    assert (note.size, note.root) == (now.size, now.root) and len(note.signatures) == 2
    key = session.get_one(DeviceKey, row.device_key_id)
    assert key.public == device.public_of(staff.supervisor.id)
    operations_acts.reveal_and_settle(
        session, staff.office, draw, act, "office", staff.code("office", 2)
    )
    assert act.completed_at is None
    operations_acts.reveal_and_settle(
        session, staff.supervisor, draw, act, "supervisor", staff.code("supervisor", 2)
    )
    assert act.completed_at is not None, "the last code fills the vacancy by itself"
