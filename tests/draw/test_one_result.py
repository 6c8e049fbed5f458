"""One result for a purpose: in copied rounds, in drafts that waited, and in a database changed by hand."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.domain.types import Conflict
from app.draw import operations
from app.draw.invariants import INVARIANTS, as_recorded, one_result_a_county
from app.draw.models import Draw
from app.ledger import prove
from app.ledger.append import append
from app.programme import operations as programme
from app.programme.models import Round, Subject
from tests.draw.builders import Staff, completed, make_pool, make_round, request
from tests.proof.raw_sql import redraw


def _asked(session: Session, staff: Staff, round_: Round, subjects: list[Subject]) -> Draw:
    return operations.request_draw(
        session, staff.office, round=round_, stage="desk", subject_ids=[s.id for s in subjects],
        panels=[{"id": "Q9", "seats": 7}],
    )  # fmt: skip


def test_a_copied_round_is_not_drawn_for_again(session: Session, staff: Staff) -> None:
    make_pool(session)
    first = make_round(session, kind="real")
    copy = make_round(session, kind="real", slug="r2")
    draw = completed(session, staff, request(session, staff, first))
    for subjects in (copy.subjects, copy.subjects[:1], copy.subjects[1:]):
        with pytest.raises(Conflict, match="another round of the scheme") as refused:
            _asked(session, staff, copy, subjects)
        assert refused.value.field == "purpose"
    for phase in ("closed", "cancelled"):
        first.phase = phase
        with pytest.raises(Conflict, match="another round of the scheme"):
            _asked(session, staff, copy, copy.subjects)
    # Another cycle is another purpose, once the first round has ended.
    copy.review_on = copy.review_on.replace(year=2013)
    operations.request_draw(
        session, staff.office, round=copy, stage="site", panels=[{"id": "P1", "seats": 5}],
        subject_ids=[s.id for s in copy.subjects],
    )  # fmt: skip
    assert _asked(session, staff, copy, copy.subjects).state == "draft"
    first.phase = "open"
    third = make_round(session, kind="real", slug="r3")
    third.review_on = third.review_on.replace(year=2014)
    with pytest.raises(Conflict, match="must end first"):
        _asked(session, staff, third, third.subjects)
    assert draw.state == "completed"
    append(session, None, "test.rounds")


def test_a_draft_that_waited_in_an_ended_round_is_not_committed(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    first = make_round(session, kind="real")
    waiting = request(session, staff, first)
    copy = make_round(session, kind="real", slug="r2")
    with pytest.raises(Conflict, match="another round of the scheme"):
        _asked(session, staff, copy, copy.subjects)
    programme.cancel_round(session, staff.office, first, "另起一届")
    staff.secrets = {name: name.encode() * 4 for name in staff.secrets}
    completed(session, staff, request(session, staff, copy))
    with pytest.raises(Conflict, match="another round of the scheme"):
        operations.commit_draw(session, staff.office, waiting)
    assert waiting.state == "draft" and one_result_a_county(session) == []


def test_drills_may_be_repeated_in_another_round(session: Session, staff: Staff) -> None:
    make_pool(session)
    completed(session, staff, request(session, staff, make_round(session)))
    again = make_round(session, slug="r2")
    assert request(session, staff, again).state == "draft"


def test_doctor_counts_results_by_what_was_committed(session: Session, staff: Staff) -> None:
    make_pool(session)
    first = make_round(session, kind="real")
    completed(session, staff, request(session, staff, first))
    assert one_result_a_county(session) == []
    first.review_on = first.review_on.replace(year=2010)  # whoever moves the round out of the way
    first.phase = "closed"
    copy = make_round(session, kind="real", slug="r2")
    staff.secrets = {name: name.encode() * 4 for name in staff.secrets}
    completed(session, staff, request(session, staff, copy))
    found = [fault.en for fault in one_result_a_county(session)]
    assert len(found) == 2 and all("2012, stage desk" in fault for fault in found)


@pytest.mark.parametrize("quietly", [False, True])
def test_a_draw_done_again_with_entries_that_fit_is_found(
    session: Session, staff: Staff, quietly: bool
) -> None:
    """Rows and ledger agree, the transcript verifies; only the first entry of the result knows."""
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
    assert as_recorded(session) == []
    before = [seat.expert_id for seat in draw.seats]
    redraw(session, draw, quietly=quietly)
    session.expire_all()
    assert [seat.expert_id for seat in draw.seats] != before
    assert prove.verify(session, session.info["keys"]).faults == []
    (fault,) = as_recorded(session)
    assert draw.id in fault.en and ("twice" in fault.en) != quietly
    assert ("draw.as_recorded", as_recorded) in INVARIANTS


def test_a_result_or_a_commitment_that_the_ledger_does_not_know_is_found(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    round_ = make_round(session, kind="real")
    draw = completed(session, staff, request(session, staff, round_))
    kept = draw.key
    for change, back, words in (
        ({"key": "0" * 64}, {"key": kept}, "its result was another"),
        ({"kind": "drill"}, {"kind": "real"}, "its result was another"),
        ({"state": "aborted"}, {"state": "completed"}, "its result was another"),
        (
            {"commitment_hash": "0" * 64},
            {"commitment_hash": draw.commitment_hash},
            "its commitment",
        ),
    ):
        for name, value in change.items():
            setattr(draw, name, value)
        session.flush()
        assert [words in fault.en for fault in as_recorded(session)] == [True], change
        for name, value in back.items():
            setattr(draw, name, value)
        session.flush()
    assert as_recorded(session) == []
    append(session, None, "test.rows")


def _zone(round_: Round, code: str, name: str) -> Subject:
    row = Subject(
        position=9, region_code=code, name_zh=name, name_en=name, region_class="", class_basis="测试",
        facts={}, status="qualified", kind="industrial_cluster", parent_code="610822",
    )  # fmt: skip
    round_.subjects.append(row)
    return row


@pytest.mark.parametrize("kind", ["industrial_cluster", "economic_development_zone"])
def test_a_zone_spelled_in_another_way_is_not_drawn_for_again(
    session: Session, staff: Staff, kind: str
) -> None:
    """Two codes for one zone, by SQL or from before: the unit is the same, in a copy and in the round."""
    make_pool(session, 24, 10)
    first = make_round(session, kind="real")
    zone = _zone(first, "610822Z1", "府谷工业园区")
    again = _zone(first, "610822Z2", "府谷县 工业集中区")
    again.position = 10
    copy = make_round(session, kind="real", slug="r2")
    same, other = _zone(copy, "610822Z7", "府谷工业园"), _zone(copy, "610822Z8", "府谷高新区")
    same.kind, other.position = kind, 10
    session.flush()
    append(session, None, "test.zones")
    _asked(session, staff, first, [zone])
    with pytest.raises(Conflict, match="drawn for once a stage"):
        _asked(session, staff, first, [again])
    with pytest.raises(Conflict, match="another round of the scheme"):
        _asked(session, staff, copy, [same])
    assert _asked(session, staff, copy, [other]).state == "draft"
    assert _asked(session, staff, copy, copy.subjects[1:2]).state == "draft"
