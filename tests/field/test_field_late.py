"""After the close: what comes then waits for the supervisor, with both times, however a clock goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.domain.field.logs import fold
from app.domain.types import Conflict, DomainError, Forbidden
from app.field import late
from app.field.models import FieldOp, FieldOutcome, LateSheet
from app.field.places import merger
from app.panel import votes
from app.scoring import operations
from app.scoring import queries as scoring
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.test_field_branches import faults
from tests.field.test_field_push import opened, sheet_of
from tests.field.test_field_seal import full, photo
from tests.field.virtual import VirtualTablet, bound, sha


def closed(database, world):
    """The first member was recorded as absent, the others sealed, the panel closed; his tablet."""
    tablet, key, form = opened(database, world)
    with database.write() as session:
        sitting = world.sitting(session)
        for number in range(2, steps.SEATS + 1):
            steps.sealed_sheet(session, sitting, world.expert(number))
        operations.mark_absent(
            session, world.people["office"], sitting=sitting, seat=world.seat(session, 1),
            reason="联系不上",
        )  # fmt: skip
        operations.close_scoring(session, world.people["office"], sitting=sitting)
        return tablet, key, form, sitting.closed_at


def filled(tablet, key, form, name, at, seal=True):
    tablet.fill(key, full(form), at=at)
    marks = [(op["kind"], op) for op in tablet.logs[key] if op["kind"] == "set"]
    if seal:
        tablet.seal(key, name, fold({}, marks, merger(form)), at=at)


def decided(database, world, accepted, reason="现场无信号，记录员作证", who="supervisor"):
    with database.write() as session:
        row = session.scalars(select(LateSheet)).one()
        late.decide(session, world.people[who], late=row, accepted=accepted, reason=reason)


def test_a_late_sheet_counts_when_the_supervisor_accepts_it(database, world):
    tablet, key, form, end = closed(database, world)
    viewer, at = world.expert(1), end - timedelta(minutes=30)
    filled(tablet, key, form, viewer.name, at)
    answer = tablet.push(database, viewer)
    assert {(r["status"], r["why"]) for r in answer["receipts"]} == {("held", "late")}
    assert answer["sheets"][key]["late"] == "waiting" and answer["sheets"][key]["state"] == "absent"
    with database.read() as session:
        round_ = world.panel(session).round
        (row,) = late.late_sheets(session, world.people["supervisor"], round_)
        assert row.count == len(tablet.logs[key]) and row.closed_at == end
        assert abs(row.first_at - at) < timedelta(seconds=1) and row.arrived_at > end
        with pytest.raises(Forbidden):
            late.late_sheets(session, world.people["admin"], round_)
    for who, reason, error in (
        ("office", "办公室不能决定", Forbidden), ("supervisor", "短", DomainError),
    ):  # fmt: skip
        with pytest.raises(error):
            decided(database, world, True, reason, who)
    decided(database, world, True)
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt
    with database.read() as session:
        counting = scoring.sealed_sheets(session, world.panel(session).round_id)
        assert sheet.id in {s.id for s in counting}
    with pytest.raises(Conflict):
        decided(database, world, False)
    again = tablet.push(database, viewer, tablet.logs[key][-1:])["sheets"][key]
    assert (again["late"], again["state"], again["receipt"]) == (
        "accepted",
        "sealed",
        sheet.receipt,
    )
    assert faults(database) == []


def test_a_refused_one_stays_stored_without_effect(database, world):
    tablet, key, form, end = closed(database, world)
    viewer = world.expert(1)
    filled(tablet, key, form, viewer.name, end - timedelta(minutes=5))
    tablet.push(database, viewer)
    decided(database, world, False, "时间与签到记录不符")
    assert sheet_of(database, world).state == "absent"
    with database.read() as session:
        said = {(o.status, o.why) for o in session.scalars(select(FieldOutcome))}
        assert said == {("refused", "closed")}
        assert len(session.scalars(select(FieldOp)).all()) == len(tablet.logs[key])
    assert tablet.push(database, viewer, tablet.logs[key][:1])["sheets"][key]["late"] == "refused"
    assert faults(database) == []


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=2)])
def test_a_clock_that_runs_ahead_costs_nobody_his_sheet(database, world, client_as, ahead):
    tablet, key, form, end = closed(database, world)
    viewer = world.expert(1)
    filled(tablet, key, form, viewer.name, end + ahead)
    said = tablet.push(database, viewer)["receipts"]
    assert {(r["status"], r["why"]) for r in said} == {("held", "late")}
    with database.read() as session:
        (row,) = session.scalars(select(LateSheet))
        assert row.count == len(tablet.logs[key])
        assert abs(row.first_at - end - ahead) < timedelta(seconds=1)
        page = f"/r/{world.slug}/late/{row.id}"
    shown = client_as(world.people["supervisor"]).get(page).get_data(as_text=True)
    assert "也可能是平板的时钟快了" in shown
    decided(database, world, True)
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt
    tablet.do(key, "withdraw", reason="封存之后又想改", at=end + ahead)
    said = tablet.push(database, viewer)["receipts"]
    assert [(r["status"], r["why"]) for r in said] == [("refused", "closed")]
    assert sheet_of(database, world).id == sheet.id and faults(database) == []


def test_what_came_between_two_closing_times_counts_before_what_comes_next(database, world):
    tablet, key, form = opened(database, world)
    viewer, office = world.expert(1), world.people["office"]
    began = clock.now()
    first, second = began + timedelta(minutes=5), began + timedelta(minutes=30)
    with database.write() as session:
        sitting = world.sitting(session)
        votes.propose(session, office, sitting=sitting, closes_at=first, reason="当天收齐评分表")
    with clock.fixed(first + timedelta(minutes=1)):
        tablet.fill(key, full(form))
        said = tablet.push(database, viewer)["receipts"]
        assert {(r["status"], r["why"]) for r in said} == {("held", "late")}
        with database.write() as session:
            sitting = world.sitting(session)
            row = votes.propose(
                session, office, sitting=sitting, closes_at=second, reason="材料多，时间不够"
            )
            for number in range(1, steps.SEATS // 2 + 2):
                votes.vote(
                    session, world.expert(number), sitting=sitting, extension_id=row.id, yes=True
                )
            assert votes.closing_time(session, sitting) == second
        marks = [(op["kind"], op) for op in tablet.logs[key] if op["kind"] == "set"]
        tablet.seal(key, viewer.name, fold({}, marks, merger(form)))
        answer = tablet.push(database, viewer)
    assert [r["status"] for r in answer["receipts"]] == ["accepted"]
    assert answer["sheets"][key]["late"] == "accepted"
    assert sheet_of(database, world).state == "sealed" and faults(database) == []
    with database.read() as session:
        (row,) = session.scalars(select(LateSheet))
        assert row.decided_by is None and "voted for a later closing time" in row.reason


def test_acceptance_never_leaves_a_sheet_unsealed_behind_a_closed_panel(database, world):
    tablet, key, form, end = closed(database, world)
    viewer, at = world.expert(1), end - timedelta(minutes=5)
    filled(tablet, key, form, viewer.name, at, seal=False)
    tablet.push(database, viewer)
    with pytest.raises(DomainError) as caught:
        decided(database, world, True)
    assert "there is no seal among them" in caught.value.text.en
    assert sheet_of(database, world).state == "absent"
    item = next(iter(full(form))).partition(".")[0]
    photo_op = photo(tablet, key, item, "没到的照片")
    assert photo_op["seq"] == len(full(form)) + 1
    tablet.outbox.clear()
    tablet.logs[key].pop()
    marks = [(op["kind"], op) for op in tablet.logs[key] if op["kind"] == "set"]
    entries = fold({}, marks, merger(form))
    tablet.do(key, "attach", item=item, sha256=sha("没到"), size=9, mime="image/jpeg", name="p",
              taken_at=None, place=None, at=at)  # fmt: skip
    tablet.seal(key, viewer.name, entries, [sha("没到")], at=at)
    tablet.push(database, viewer)
    with pytest.raises(DomainError) as caught:
        decided(database, world, True)
    assert "photos have not all arrived" in caught.value.text.en
    assert sheet_of(database, world).state == "absent" and faults(database) == []


def test_a_second_tablets_late_operations_are_a_branch_not_a_late_sheet(database, world):
    tablet, key, form, end = closed(database, world)
    viewer, at = world.expert(1), end - timedelta(minutes=5)
    filled(tablet, key, form, viewer.name, at)
    tablet.push(database, viewer)
    with database.write() as session:
        other = VirtualTablet(bound(session, viewer, "另一台").id, tablet.form)
    other.put(key, next(iter(full(form))), "1", at=at)
    assert other.push(database, viewer)["receipts"][0]["status"] == "branch"
    with database.read() as session:
        assert len(session.scalars(select(LateSheet)).all()) == 1
        assert [
            s.state
            for s in session.scalars(select(Sheet).where(Sheet.seat_id == world.site.seats[0]))
        ] == ["absent"]
    assert clock.now() > end
