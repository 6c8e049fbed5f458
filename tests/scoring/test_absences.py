"""An absence recorded by mistake is taken back: by the office, with a reason, nothing erased."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.models import Event, Secret
from app.panel.models import Attendance
from app.scoring import absences, operations, queries
from app.scoring.models import AbsenceUndone, Sheet
from tests.attacks import world as steps

MISTAKE, TAKEN_BACK = "虚构：以为未到", "虚构：已在会场，系误记"


@pytest.fixture
def sitting(session, world):
    return steps.to_scoring(session, world)


def absent(session, world, sitting, number=1):
    seat = world.seat(session, number)
    operations.mark_absent(
        session, world.people["office"], sitting=sitting, seat=seat, reason=MISTAKE
    )
    return seat


def undo(session, world, sitting, seat, reason=TAKEN_BACK, role="office"):
    return absences.undo_absence(
        session, world.people[role], sitting=sitting, seat=seat, reason=reason
    )


def test_the_member_scores_again_with_the_marks_that_stood(session, world, sitting):
    expert = world.expert(1)
    sheet = operations.start_sheet(session, expert, sitting=sitting)
    marks = steps.complete_marks(sheet_items(sheet.instrument))
    operations.save_draft(session, expert, sheet=sheet, changes=marks, version=0)
    before = dict(sheet.entries)
    seat = absent(session, world, sitting)
    assert queries.live_sheet(session, sitting, seat).state == "absent"
    version = sheet.version
    assert undo(session, world, sitting, seat).id == sheet.id
    assert (sheet.state, sheet.reason, sheet.sealed_at) == ("draft", "", None)
    assert sheet.entries == before and sheet.version == version + 1
    assert seat in queries.unfinished(session, sitting), "the sitting cannot end over his head"
    operations.seal(session, expert, sheet=sheet, version=sheet.version, signed_name=expert.name)
    assert sheet.state == "sealed"


def test_both_reasons_stay_on_record_and_the_ledger_has_a_sealed_entry(session, world, sitting):
    seat = absent(session, world, sitting)
    undo(session, world, sitting, seat, f"  {TAKEN_BACK} ")
    row = session.scalars(select(AbsenceUndone)).one()
    assert (row.absence_reason, row.reason) == (MISTAKE, TAKEN_BACK)
    assert row.undone_by == world.people["office"].id and row.absent_at <= row.undone_at
    event = session.scalars(select(Event).order_by(Event.seq.desc()).limit(1)).one()
    assert "absence" not in event.payload and TAKEN_BACK not in event.payload
    opened = session.get_one(Secret, event.seq).body
    assert '"sheet.absence_undone"' in opened and '"absence_undone"' in opened
    assert [u.id for u in absences.undone(session, world.people["supervisor"], sitting)] == [row.id]
    assert absences.undone(session, world.expert(1), sitting) == []
    absent(session, world, sitting)  # it can be recorded again, and undone again
    undo(session, world, sitting, seat)
    assert len(absences.undone(session, world.people["office"], sitting)) == 2


def test_only_the_office_and_only_a_recorded_absence_while_scoring_is_open(session, world, sitting):
    seat, other = absent(session, world, sitting), world.seat(session, 2)
    for role in ("supervisor", "keeper", "admin"):
        with pytest.raises(Forbidden):
            undo(session, world, sitting, seat, role=role)
    with pytest.raises(Conflict, match="not recorded as absent"):
        undo(session, world, sitting, other)
    operations.recuse(session, world.expert(2), sitting=sitting, reason="虚构：曾任顾问")
    with pytest.raises(Conflict, match="not recorded as absent"):
        undo(session, world, sitting, other)
    with pytest.raises(DomainError) as caught:
        undo(session, world, sitting, seat, "误")
    assert caught.value.field == "reason"
    sitting.phase = "closed"
    with pytest.raises(Conflict, match="only while scoring is open"):
        undo(session, world, sitting, seat)
    sitting.phase = "scoring"
    steps.append(session, None, "test.phases")
    assert queries.live_sheet(session, sitting, seat).state == "absent"
    assert session.scalars(select(AbsenceUndone)).all() == []


def test_whoever_has_not_signed_in_is_signed_in_first(session, world, sitting):
    seat = absent(session, world, sitting)
    there = session.scalars(
        select(Attendance).where(Attendance.sitting_id == sitting.id, Attendance.seat_id == seat.id)
    ).one()
    there.seat_id = world.desk.seats[0]  # as if he had never come
    steps.append(session, None, "test.away")
    with pytest.raises(DomainError, match="has not signed in"):
        undo(session, world, sitting, seat)
    steps.panels.sign_in(session, world.people["office"], sitting=sitting, seat=seat)
    assert undo(session, world, sitting, seat).state == "draft"


def test_the_page_undoes_it_and_keeps_what_was_typed(client_as, world, app):
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        sitting_id = steps.to_scoring(session, world).id
        seat_id = absent(session, world, session.get_one(steps.Sitting, sitting_id)).id
    office = client_as("office")
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    page = office.get(f"{where}/progress").get_data(as_text=True)
    assert "撤销误记的缺席" in page and ">缺席</span>" in page and page.count(">未开始</span>") == 6
    assert "撤销误记的缺席" not in client_as("supervisor").get(f"{where}/progress").get_data(
        as_text=True
    )
    short = office.post(f"{where}/absence/undo", data={"seat": seat_id, "reason": "误记"})
    page = short.get_data(as_text=True)
    assert short.status_code == 422 and "至少 5 个字" in page and "误记</textarea>" in page
    assert office.post(f"{where}/absence/undo", data={"seat": "0" * 16}).status_code == 404
    sent = {"seat": seat_id, "reason": TAKEN_BACK}
    assert office.post(f"{where}/absence/undo", data=sent).status_code == 302
    page = office.get(f"{where}/progress").get_data(as_text=True)
    assert "已撤销的缺席记录" in page and MISTAKE in page and TAKEN_BACK in page
    assert office.post(f"{where}/absence/undo", data=sent).status_code == 409
    with database.read() as session:
        assert session.scalars(select(Sheet.state).where(Sheet.seat_id == seat_id)).all() == [
            "draft"
        ]
