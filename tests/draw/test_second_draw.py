"""One draw more after a cancelled round: asked, released by another person, used once, and on record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.draw import chain
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import ceremony, freezing, operations, operations_release, pool, releases
from app.draw.invariants import one_result_a_county, releases_as_recorded
from app.draw.models import Draw
from app.draw.models_release import DrawRelease
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations as programme
from app.programme.models import Round
from app.verify import verify_transcript
from tests.draw.builders import Staff, completed, make_pool, make_round, request
from tests.proof.raw_sql import _twin


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen whole draws: their estimates and rehearsals are not what is tested."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)


def fresh(staff: Staff, name: str) -> None:
    """Chains of their own for the next draw."""
    staff.secrets = {party: (party + name).encode().ljust(32)[:32] for party in staff.secrets}


def drawn(session: Session, staff: Staff, **more: Any) -> Draw:
    make_pool(session, 24, 10)
    return completed(
        session, staff, request(session, staff, make_round(session, kind="real"), **more)
    )


def cancelled(session: Session, staff: Staff) -> Draw:
    first = drawn(session, staff)
    programme.cancel_round(session, staff.office, first.round, "文件有误，重新组织")
    return first


def again(session: Session, staff: Staff, slug: str = "r2") -> Round:
    fresh(staff, slug)
    return make_round(session, kind="real", slug=slug)


def released(session: Session, staff: Staff, first: Draw) -> DrawRelease:
    operations_release.ask_second(session, staff.office, first, "文件有误，须重新抽取")
    return operations_release.decide_second(
        session, staff.supervisor, first, release=True, answer="已核对取消文件"
    )


def test_a_released_second_draw_names_the_first_and_the_release(
    session: Session, staff: Staff
) -> None:
    first = cancelled(session, staff)
    copy = again(session, staff)
    with pytest.raises(Conflict, match="a supervisor can release") as refused:
        request(session, staff, copy)
    assert refused.value.field == "purpose"
    row = released(session, staff, first)
    assert (row.state, row.number, row.used_purpose) == ("released", 1, None)
    second = completed(session, staff, request(session, staff, copy))
    assert (row.state, row.used_purpose) == ("used", second.purpose_key)
    told = second.commitment["purpose"]
    assert told["second_of"] == first.commitment_hash
    assert told["release"] == row.statement == releases.statement_of(row, first.commitment_hash)
    assert "second_of" not in first.commitment["purpose"]
    report = verify_transcript(ceremony.transcript_of(second))
    assert report.ok, report.en
    kinds = [
        json.loads(p)["kind"] for p in session.scalars(select(Event.payload).order_by(Event.seq))
    ]
    order = [
        k for k in kinds if k.startswith("draw.second") or k in ("round.cancel", "draw.completed")
    ]
    assert order == [
        "draw.completed", "round.cancel", "draw.second_asked", "draw.second_released",
        "draw.second_used", "draw.completed",
    ]  # fmt: skip
    assert one_result_a_county(session) == [] and releases_as_recorded(session) == []
    assert prove.verify(session, session.info["keys"]).faults == []


def test_a_release_is_used_once(session: Session, staff: Staff) -> None:
    first = cancelled(session, staff)
    row = released(session, staff, first)
    second = completed(session, staff, request(session, staff, again(session, staff)))
    third = again(session, staff, "r3")
    with pytest.raises(Conflict, match="another round of the scheme"):
        request(session, staff, third)
    with pytest.raises(Conflict, match="released once"):
        operations_release.ask_second(session, staff.office, first, "再来一次")
    with pytest.raises(Conflict, match="not cancelled"):
        operations_release.ask_second(session, staff.office, second, "再来一次")
    programme.cancel_round(session, staff.office, second.round, "又取消")
    with pytest.raises(Conflict, match="released once"):
        operations_release.ask_second(session, staff.office, first, "再来一次")
    # The second draw stands for its counties now: it is the one to be released after.
    with pytest.raises(Conflict, match="another round of the scheme"):
        request(session, staff, third)
    next_row = released(session, staff, second)
    last = completed(session, staff, request(session, staff, third))
    assert last.commitment["purpose"]["second_of"] == second.commitment_hash
    assert next_row.used_purpose == last.purpose_key and row.used_purpose == second.purpose_key
    assert one_result_a_county(session) == []


def test_a_second_attempt_of_the_purpose_uses_the_same_release(
    session: Session, staff: Staff
) -> None:
    first = cancelled(session, staff)
    row = released(session, staff, first)
    copy = again(session, staff)
    draft = request(session, staff, copy)
    operations.commit_draw(session, staff.office, draft)
    operations.abort_draw(session, staff.office, draft, cause="premises", reason="停电")
    fresh(staff, "second attempt")
    second = completed(session, staff, request(session, staff, copy))
    assert second.attempt == 2 and second.commitment["purpose"]["release"] == row.statement
    assert one_result_a_county(session) == []


def test_a_release_that_came_to_nothing_may_be_asked_for_anew(
    session: Session, staff: Staff
) -> None:
    first = cancelled(session, staff)
    released(session, staff, first)
    copy = again(session, staff)
    draft = request(session, staff, copy)
    with pytest.raises(Conflict, match="released once"):
        operations_release.ask_second(session, staff.office, first, "再来一次")
    programme.cancel_round(session, staff.office, copy, "又取消")
    row = released(session, staff, first)
    assert row.number == 2
    third = completed(session, staff, request(session, staff, again(session, staff, "r3")))
    assert third.commitment["purpose"]["release"] == row.statement
    assert draft.state == "draft" and one_result_a_county(session) == []


def test_who_may_ask_and_release_and_when(session: Session, staff: Staff, make: Any) -> None:
    first = drawn(session, staff)
    with pytest.raises(Conflict, match="not cancelled"):
        operations_release.ask_second(session, staff.office, first, "理由")
    with pytest.raises(Conflict, match="no request awaits"):
        operations_release.decide_second(
            session, staff.supervisor, first, release=True, answer="同意"
        )
    programme.cancel_round(session, staff.office, first.round, "取消")
    for role in ("supervisor", "keeper", "admin", "expert"):
        with pytest.raises(Forbidden):
            operations_release.ask_second(session, make.viewer(session, role), first, "理由")
    with pytest.raises(DomainError, match="must not be empty") as empty:
        operations_release.ask_second(session, staff.office, first, "  ")
    assert empty.value.field == "reason"
    operations_release.ask_second(session, staff.office, first, "理由")
    with pytest.raises(Conflict, match="a request already"):
        operations_release.ask_second(session, staff.office, first, "理由")
    for viewer in (staff.office, make.viewer(session, "admin"), make.viewer(session, "keeper")):
        with pytest.raises(Forbidden):
            operations_release.decide_second(session, viewer, first, release=True, answer="同意")
    same = Viewer(staff.supervisor.id, staff.office.person_id, "同一人", "supervisor")
    with pytest.raises(Conflict, match="whoever asked"):
        operations_release.decide_second(session, same, first, release=True, answer="同意")
    with pytest.raises(Conflict, match="another round"):  # asked for is not released
        request(session, staff, again(session, staff))
    refused = operations_release.decide_second(
        session, staff.supervisor, first, release=False, answer="没有必要"
    )
    assert (refused.state, refused.statement) == ("refused", None)
    with pytest.raises(Conflict, match="another round"):
        request(session, staff, again(session, staff, "r3"))
    assert released(session, staff, first).number == 2  # a refusal is no bar to a better reason


def test_a_release_is_for_its_own_counties(session: Session, staff: Staff) -> None:
    make_pool(session, 24, 10)
    round_ = make_round(session, kind="real")
    one, other = round_.subjects

    def of(subject: Any, name: str) -> Draw:
        fresh(staff, name)
        draw = operations.request_draw(
            session, None, round=round_, stage="desk", subject_ids=[subject.id],
            panels=[{"id": "P1", "seats": 5}], parties=["office", "supervisor"],
        )  # fmt: skip
        for party in draw.request["parties"]:
            operations.register_party(
                session, staff.viewer(party), draw, party, chain(staff.secrets[party], 32).hex()
            )
        return completed(session, staff, draw)

    first, second = of(one, "one"), of(other, "other")
    programme.cancel_round(session, staff.office, round_, "取消")
    released(session, staff, first)
    copy = again(session, staff)
    with pytest.raises(Conflict, match="another round"):  # both counties; one alone is released
        request(session, staff, copy)
    assert releases.of_draw(session, first)[0].state == "released"
    released(session, staff, second)
    both = completed(session, staff, request(session, staff, copy))
    named = both.commitment["purpose"]["second_of"].split(",")
    assert named == sorted([str(first.commitment_hash), str(second.commitment_hash)])
    assert one_result_a_county(session) == []


def test_part_of_the_counties_leaves_the_others_shut(session: Session, staff: Staff) -> None:
    """The second draw of one county does not open its neighbour, which was drawn with it."""
    first = cancelled(session, staff)
    released(session, staff, first)
    copy = again(session, staff)
    copy.subjects[1].region_code = "999999"
    append(session, None, "test.moved")
    second = completed(session, staff, request(session, staff, copy))
    third = again(session, staff, "r3")
    with pytest.raises(Conflict, match="has a real draw of this stage"):
        operations.request_draw(
            session, staff.office, round=third, stage="desk",
            subject_ids=[third.subjects[1].id], panels=[{"id": "P1", "seats": 5}],
        )  # fmt: skip
    assert second.state == "completed"


@pytest.mark.parametrize("how", ["inserted", "given", "rewound", "moved"])
def test_a_release_written_by_hand_opens_nothing_and_is_found(
    session: Session, staff: Staff, how: str
) -> None:
    """Rows changed in the database, past the operations: refused at the request, found by doctor."""
    first = cancelled(session, staff)
    values = {
        "state": "released", "answer": "x", "decided_by": staff.supervisor.id,
        "decided_at": first.drawn_at, "statement": "0" * 64,
    }  # fmt: skip
    if how == "inserted":
        session.add(
            DrawRelease(
                draw_id=first.id, number=1, reason="x", asked_by=staff.office.id,
                asked_at=first.drawn_at, **values,
            )
        )  # fmt: skip
        append(session, None, "test.sql")
    elif how == "given":
        row = operations_release.ask_second(session, staff.office, first, "理由")
        session.execute(update(DrawRelease).values(**values))
        session.refresh(row)
        session.execute(
            update(DrawRelease).values(statement=releases.statement_of(row, first.commitment_hash))
        )
    else:
        released(session, staff, first)
        completed(session, staff, request(session, staff, again(session, staff)))
        session.execute(
            update(DrawRelease).values(state="released", used_purpose=None)
            if how == "rewound"
            else update(DrawRelease).values(used_purpose="f" * 64)
        )
    session.expire_all()
    with pytest.raises(Conflict, match="another round of the scheme"):
        request(session, staff, again(session, staff, "r3"))
    assert len(releases_as_recorded(session)) == 1
    if how != "inserted":  # that one was put in with an entry of its own
        assert prove.verify(session, session.info["keys"]).faults
    assert (one_result_a_county(session) == []) == (how in ("inserted", "given"))


def test_the_database_keeps_the_two_persons_and_the_one_open_request_apart(
    session: Session, staff: Staff
) -> None:
    first = cancelled(session, staff)
    row = operations_release.ask_second(session, staff.office, first, "理由")
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(DrawRelease).values(decided_by=staff.office.id))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(_twin(row, number=2))
        session.flush()
    session.expire_all()
    assert releases.of_draw(session, first)[0].decided_by is None


def test_drills_and_drafts_need_no_release(session: Session, staff: Staff) -> None:
    make_pool(session, 24, 10)
    drill = completed(session, staff, request(session, staff, make_round(session)))
    programme.cancel_round(session, staff.office, drill.round, "取消")
    with pytest.raises(Conflict, match="real draw with a result"):
        operations_release.ask_second(session, staff.office, drill, "理由")
