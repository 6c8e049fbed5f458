"""Calls, removals and replacement acts: who leaves is fixed before anybody can know who follows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import ceremony, operations, operations_acts
from app.draw.models import Act, Draw
from app.exercise import device
from tests.draw.builders import Staff, completed, make_pool, make_round, request, verify


def drawn(session: Session, staff: Staff, **more: Any) -> Draw:
    make_pool(session, *more.pop("people", (70, 20)))
    panel = {"quotas": {"discipline": {"land": [2, 2], "law": [1, 2]}}}
    kind = more.pop("kind", "real")
    return completed(
        session,
        staff,
        request(session, staff, make_round(session, kind=kind), 7, panel=panel, **more),
    )


def remove(session: Session, staff: Staff, draw: Draw, *numbers: int) -> Act:
    chosen = [s for s in draw.seats if s.active and s.number in numbers]
    return operations.record_removals(
        session, staff.office, draw, [(s, "health", "住院证明（测试）") for s in chosen]
    )


def finish(session: Session, staff: Staff, draw: Draw, act: Act) -> list[Any]:
    device.cosign_removals(session, staff.supervisor, draw, act)
    for party in draw.parties:
        operations.reveal_act_code(
            session, staff.viewer(party.name), act, party.name, staff.code(party.name, act.number)
        )
    return operations.complete_act(session, staff.office, act)


def test_two_acts_keep_quotas_and_the_transcript_verifies(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    draw = drawn(session, staff)
    first = draw.transcript_sha256
    act = remove(session, staff, draw, 1, 2)
    gone = [s for s in draw.seats if not s.active]
    assert [(s.number, s.state, s.reason) for s in gone] == [
        (1, "removed", "health"), (2, "removed", "health"),
    ]  # fmt: skip
    new = finish(session, staff, draw, act)
    assert [(s.number, s.act, s.active) for s in new] == [(1, 2, True), (2, 2, True)]
    assert draw.transcript_sha256 != first
    again = remove(session, staff, draw, 1, 5)
    assert again.number == 3
    finish(session, staff, draw, again)
    active = [s for s in draw.seats if s.active]
    assert sorted(s.number for s in active) == [1, 2, 3, 4, 5, 6, 7]
    assert len({s.expert_id for s in draw.seats}) == len(draw.seats) == 11
    count = Counter(s.expert.discipline for s in active)
    assert count["land"] == 2 and 1 <= count["law"] <= 2
    assert sum(s.expert.kind != "management" for s in active) >= 5
    employers = {s.expert.person.employments[0].organisation_id for s in active}
    assert len(employers) == 7
    path = ceremony.transcript_path(session.info["settings"], str(draw.transcript_sha256))
    report = json.loads(verify(path.read_bytes(), tmp_path / "v").stdout)
    assert report["ok"] and report["anchored"], report


def test_a_replacement_is_of_the_leavers_type(session: Session, staff: Staff) -> None:
    # Six or more of each type and no shared employer: somebody of the type is always free.
    draw = drawn(session, staff, kind="drill", people=(210, 210))
    act = remove(session, staff, draw, 3)
    (leaver,) = [s for s in draw.seats if not s.active]
    (new,) = finish(session, staff, draw, act)
    assert (new.expert.discipline, new.expert.kind) == (
        leaver.expert.discipline, leaver.expert.kind,
    )  # fmt: skip
    assert act.result["fills"][0][5] == "type"


def test_order_of_a_replacement(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    seat = draw.seats[0]
    for cause in ("schedule", "", "不想来"):
        with pytest.raises(DomainError, match="D-10"):
            operations.record_removals(session, staff.office, draw, [(seat, cause, "x")])
    with pytest.raises(DomainError, match="rests on"):
        operations.record_removals(session, staff.office, draw, [(seat, "health", " ")])
    with pytest.raises(Forbidden):
        operations.record_removals(session, staff.supervisor, draw, [(seat, "health", "x")])
    assert seat.active
    act = remove(session, staff, draw, 1)
    with pytest.raises(Conflict, match="an act is still open"):
        remove(session, staff, draw, 2)
    with pytest.raises(Conflict, match="not cosigned"):
        operations.reveal_act_code(session, staff.office, act, "office", staff.code("office", 2))
    with pytest.raises(Conflict, match="not cosigned"):
        operations.complete_act(session, staff.office, act)
    head = operations_acts.head_now(session)
    with pytest.raises(Forbidden):
        operations_acts.cosign_act(
            session, staff.office, draw, act, head.size, device.sign(staff.supervisor, head)
        )
    device.cosign_removals(session, staff.supervisor, draw, act)
    with pytest.raises(DomainError, match="does not fit"):  # the code of act 1 again
        operations.reveal_act_code(session, staff.office, act, "office", staff.code("office", 1))
    with pytest.raises(Conflict, match="has not revealed"):
        operations.complete_act(session, staff.office, act)
    for name in ("office", "supervisor"):
        operations.reveal_act_code(session, staff.viewer(name), act, name, staff.code(name, 2))
    operations.complete_act(session, staff.office, act)
    with pytest.raises(Conflict, match="or done"):
        operations.complete_act(session, staff.office, act)


def test_reserves_need_no_codes(session: Session, staff: Staff, tmp_path: Path) -> None:
    draw = drawn(session, staff, replacement="reserves")
    act = remove(session, staff, draw, 2)
    device.cosign_removals(session, staff.supervisor, draw, act)
    (new,) = operations.complete_act(session, staff.office, act)
    assert new.active and new.number == 2
    assert json.loads(verify(ceremony.transcript_of(draw), tmp_path / "v").stdout)["ok"]


def test_calls_and_confirmation(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff, kind="drill")
    seat = draw.seats[0]
    with pytest.raises(DomainError, match="not valid"):
        operations.record_contact(session, staff.office, seat, "phone", "declined")
    call = operations.record_contact(
        session, staff.office, seat, "phone", "declined", "schedule", "周五"
    )
    assert (call.outcome, call.reason, call.by) == ("declined", "schedule", staff.office.id)
    with pytest.raises(Forbidden):
        operations.confirm_seat(session, staff.supervisor, seat)
    operations.confirm_seat(session, staff.office, seat)
    assert seat.state == "confirmed" and seat.active
    with pytest.raises(Conflict):
        operations.confirm_seat(session, staff.office, seat)
    remove(session, staff, draw, seat.number)
    assert not seat.active
    with pytest.raises(DomainError, match="not active"):
        operations.record_contact(session, staff.office, seat, "phone", "accepted")
