"""Two draws whose commitments overlap in time never leave one person on two panels of one day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.domain.draw import chain
from app.domain.types import Conflict
from app.draw import calls, ceremony, freezing, operations, pool, same_day
from app.draw.invariants import INVARIANTS
from app.draw.models import Act, Draw
from app.draw.models_calls import DrawDisclosure
from app.exercise import device
from app.ledger.append import append
from app.ledger.models import Event
from app.programme.models import Round
from tests.draw.builders import DICE, REVIEW, Staff, completed, make_pool, make_round, verify

OTHER_DAY = date(2012, 11, 27)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole draws, whose estimates and rehearsals are not what is tested."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)


def asked(
    session: Session, staff: Staff, round_: Round, stage: str, seats: int, *days: date
) -> Draw:
    """A draft of one panel of the first county, everybody registered."""
    panel = {"id": "P1", "seats": seats, "dates": [str(day) for day in days]}
    draw = operations.request_draw(
        session, staff.office, round=round_, stage=stage, panels=[panel],
        subject_ids=[s.id for s in round_.subjects], accept_high="small_pool",
    )  # fmt: skip
    for name in draw.request["parties"]:
        operations.register_party(
            session, staff.viewer(name), draw, name, chain(staff.secrets[name], 32).hex()
        )
    return draw


def ended(session: Session, staff: Staff, draw: Draw) -> Draw:
    """From the commitment to the result."""
    device.cosign(session, staff.supervisor, draw)
    for viewer in (staff.office, staff.supervisor):
        operations.enter_dice(session, viewer, draw, "dice", DICE)
    for party in list(draw.parties):
        operations.reveal_code(
            session, staff.viewer(party.name), draw, party.name, staff.code(party.name)
        )
    assert draw.state == "completed"
    return draw


def filled(session: Session, staff: Staff, draw: Draw, act: Act) -> None:
    """An act cosigned, its codes revealed, its vacancies filled."""
    device.cosign_removals(session, staff.supervisor, draw, act)
    for party in draw.parties:
        operations.reveal_act_code(
            session, staff.viewer(party.name), act, party.name, staff.code(party.name, act.number)
        )
    operations.complete_act(session, staff.office, act)


def settled(session: Session, staff: Staff, draw: Draw) -> int:
    """Every act that is open, and those that follow from it; how many."""
    done = 0
    while act := next((a for a in draw.acts if a.completed_at is None), None):
        filled(session, staff, draw, act)
        done += 1
    return done


def active(draw: Draw) -> set[str]:
    return {seat.expert_id for seat in draw.seats if seat.active}


def crossed(session: Session, desk_staff: Staff, site_staff: Staff) -> list[Draw]:
    """Both committed on one day; then all five of the first draw are replaced, before the other is drawn.

    Of sixteen people five sit first, eleven are left for both: the five substitutes and the seven
    members of the other draw must have somebody in common.
    """
    make_pool(session, 16, 16)
    round_ = make_round(session, kind="real")
    desk = asked(session, desk_staff, round_, "desk", 5)
    completed(session, desk_staff, desk)
    site = asked(session, site_staff, round_, "site", 7)
    operations.commit_draw(session, site_staff.office, site)
    act = operations.record_removals(
        session, desk_staff.office, desk, [(s, "health", "住院（测试）") for s in desk.seats]
    )
    filled(session, desk_staff, desk, act)
    assert len(active(desk)) == 5
    return [desk, ended(session, site_staff, site)]


def test_a_second_commitment_for_the_same_day_waits_for_the_first_result(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session, 24, 24)
    round_ = make_round(session, kind="real")
    desk = Staff(session, make)
    first = asked(session, desk, round_, "desk", 5)
    operations.commit_draw(session, desk.office, first)
    second = asked(session, staff, round_, "site", 5, OTHER_DAY, REVIEW)
    with pytest.raises(Conflict) as refused:
        operations.commit_draw(session, staff.office, second)
    text = refused.value.text
    assert str(first.commitment_hash)[:16] in text.zh and str(first.commitment_hash)[:16] in text.en
    assert "it sits on 2012-11-20 as this one does, and 24 people could be drawn" in text.en
    assert str(OTHER_DAY) not in text.en and "测试届" in text.zh
    assert (second.state, second.commitment_hash) == ("draft", None)
    with pytest.raises(Conflict, match="is committed and not yet drawn"):
        freezing.prepare(session, second)
    ended(session, desk, first)
    operations.commit_draw(session, staff.office, second)
    ended(session, staff, second)
    assert not active(first) & active(second)
    assert second.acts == [], "whoever was seated before the commitment is kept out by it"


def test_people_kept_off_one_of_the_two_are_no_obstacle(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session, 24, 24)
    round_ = make_round(session, kind="real")
    first = asked(session, staff, round_, "desk", 5)
    operations.commit_draw(session, staff.office, first)
    second = asked(session, Staff(session, make), round_, "site", 5)
    everybody = {c.expert_id: ["P1"] for c in first.candidates}
    same_day.refuse_pending(session, second, second.request, everybody)
    someone = min(everybody)
    free = {**everybody, someone: []}
    with pytest.raises(Conflict, match="and 1 people could be drawn in both"):
        same_day.refuse_pending(session, second, second.request, free)
    # Another day is no obstacle, nor is a drill or a cancelled round.
    panel = {**second.request["panels"][0], "dates": [str(OTHER_DAY)]}
    same_day.refuse_pending(session, second, {**second.request, "panels": [panel]}, free)
    drill = asked(session, Staff(session, make), make_round(session, slug="r2"), "desk", 5)
    same_day.refuse_pending(session, drill, drill.request, free)
    second.kind = "drill"
    same_day.refuse_pending(session, second, second.request, free)
    second.kind = "real"
    round_.phase = "cancelled"
    append(session, None, "test.cancelled")
    same_day.refuse_pending(session, second, second.request, free)


def test_whoever_was_seated_in_between_gives_the_later_seat_up(
    session: Session, staff: Staff, make: Any, tmp_path: Path
) -> None:
    other = Staff(session, make)
    desk, site = crossed(session, staff, other)
    (act,) = site.acts
    gone = [s for s in site.seats if not s.active]
    assert gone and {s.expert_id for s in gone} <= active(desk)
    assert active(site) | active(desk) == active(site) ^ active(desk), "nobody twice, at once"
    assert len(act.removals) == len(gone) and act.recorded_by is None
    for seat in gone:
        assert seat.reason == "absence"
        assert "评审日 2012-11-20 重叠" in seat.evidence
        assert "both sit on 2012-11-20" in seat.evidence
    entry = session.scalars(
        select(Event.payload).where(Event.payload.contains(act.removal_hash))
    ).one()
    assert '"kind":"draw.removals"' in entry and '"rule":"D-16"' in entry
    assert calls.removal_rates(site, {}) == [], "the program's removals are no operator's"
    assert settled(session, other, site) >= 1
    assert not active(site) & active(desk)
    for draw in (desk, site):
        report = json.loads(verify(ceremony.transcript_of(draw), tmp_path / draw.id).stdout)
        assert report["ok"] and report["anchored"], report
    for name, check in INVARIANTS:
        assert check(session) == [], name


def test_doctor_finds_whoever_sits_twice_and_a_sealed_draw_is_not_told_of(
    session: Session, staff: Staff, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_day, "give_up", lambda *_: None)
    desk, site = crossed(session, staff, Staff(session, make))
    both = active(desk) & active(site)
    faults = same_day.one_seat_a_day(session)
    assert both and len(faults) == len(both)
    assert f"expert {min(both)} holds seats of 2 real draws on 2012-11-20" in faults[0].en
    taken = same_day.taken(session, site, site.seats)
    twice = {s.id for s in site.seats if s.expert_id in both}
    assert taken.keys() == twice and all("2012-11-20" in text.en for text in taken.values())
    sealed = DrawDisclosure(
        draw_id=desk.id, sealed=True, caller_id=staff.office.id, chosen_at=clock.now()
    )
    session.add(sealed)
    append(session, None, "test.sealed")
    taken = same_day.taken(session, site, site.seats)
    assert taken.keys() == twice
    for text in taken.values():
        assert "not available during the sitting" in text.en
        for word in ("2012", "席位", "seat", "另一次", "another"):
            assert word not in text.zh + text.en, word
    site.round.phase = "cancelled"
    append(session, None, "test.cancelled")
    assert same_day.taken(session, site, site.seats) == {}
    assert same_day.one_seat_a_day(session) == []
