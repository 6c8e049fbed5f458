"""What waits on the server for a member who is then recorded as absent: shown, decided, told."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from app.domain.field.logs import fold
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.field import held, settle
from app.field.board import board
from app.field.models import FieldOp, FieldOutcome, HeldDecision
from app.field.models_desk import Reminder
from app.field.places import merger
from app.home.waits import waits
from app.ledger.append import append
from app.ledger.models import Event
from app.panel.models import Sitting
from app.scoring import operations as scoring
from app.scoring.models import AbsenceUndone, Sheet
from tests.attacks import world as steps
from tests.field.test_field_branches import faults
from tests.field.test_field_push import sheet_of
from tests.field.test_field_seal import arrive, full, photo
from tests.field.test_field_unlock import planned, record
from tests.field.virtual import sha

WHY = "电话核实：本人在场，签到表漏签"


def absent(database, world, seal=True):
    """The first member scored without signal and never signed in, so all of it waits; the office
    records him as absent. His tablet, key and form."""
    desk, tablet, key, form, secret = planned(database, world)
    viewer, office = world.expert(1), world.people["office"]
    for seat in world.site.seats[1:]:
        desk.do(f"statement/{key}", "attend", seat=seat)
    record(desk, world, key, secret, present=0)
    desk.push(database, office)
    tablet.do(key, "unlock", secret=secret)
    tablet.fill(key, full(form))
    if seal:
        marks = [(op["kind"], op) for op in tablet.logs[key] if op["kind"] == "set"]
        tablet.seal(key, viewer.name, fold({}, marks, merger(form)))
    assert {r["status"] for r in tablet.push(database, viewer)["receipts"]} == {"held"}
    with database.write() as session:
        scoring.mark_absent(
            session, office, sitting=session.get_one(Sitting, key), seat=world.seat(session, 1),
            reason="签到表上没有",
        )  # fmt: skip
    return tablet, key, form


def listed(session, world, who="supervisor"):
    return held.held_sheets(session, world.people[who], world.panel(session).round)


def decided(database, world, accepted, reason=WHY, who="supervisor"):
    with database.write() as session:
        (row,) = listed(session, world)
        return held.decide(
            session, world.people[who], held=row, accepted=accepted, reason=reason
        ).id


def waiting_for(session, world, words):
    found = waits(session, world.people["supervisor"])
    return [wait.n for wait in found if words in wait.what.en]


def test_it_is_seen_and_neither_the_statement_nor_the_office_applies_it(database, world):
    tablet, key, form = absent(database, world)
    office = world.people["office"]
    with database.write() as session:
        assert settle.settle_sitting(session, office, session.get_one(Sitting, key)) == 0
    more = tablet.put(key, next(iter(full(form))), "1")
    (said,) = tablet.push(database, world.expert(1), [more])["receipts"]
    assert (said["status"], said["why"]) == ("held", "statement")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(FieldOutcome)) == 0
        (row,) = listed(session, world, "office")
        assert (row.count, row.statement, row.media) == (len(tablet.logs[key]),) * 2 + (0,)
        assert row.sheet.reason == "签到表上没有" and row.first_at <= row.last_at
        assert waiting_for(session, world, "recorded as absent") == [1]
        problems = [
            problem.words.en
            for line in board(session, office, world.panel(session), None).rows
            for problem in line.problems
        ]
        assert any(f"absent; {row.count} operations wait for the sup" in p for p in problems)
        for who in ("admin", "keeper"):
            with pytest.raises(Forbidden):
                listed(session, world, who)
        with pytest.raises(NotFound):
            held.held_sheet(session, office, world.panel(session).round, "0" * 16)
    assert faults(database) == []


def test_accepted_the_absence_is_withdrawn_and_everything_counts(database, world):
    tablet, key, form = absent(database, world)
    for who, reason, error in (("office", WHY, Forbidden), ("supervisor", "短", DomainError)):
        with pytest.raises(error):
            decided(database, world, True, reason, who)
    assert sheet_of(database, world).state == "absent"
    row_id = decided(database, world, True)
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt and sheet.revision == 1
    told = tablet.push(database, world.expert(1), tablet.logs[key][-1:])["sheets"][key]
    assert (told["state"], told["receipt"], told["pending"]) == ("sealed", sheet.receipt, 0)
    with database.read() as session:
        undone = session.scalars(select(AbsenceUndone)).one()
        assert (undone.absence_reason, undone.reason) == ("签到表上没有", WHY)
        row = session.get_one(HeldDecision, row_id)
        assert (row.decision, row.reason, row.count) == ("accepted", WHY, len(tablet.logs[key]))
        (reminder,) = session.scalars(select(Reminder))
        assert reminder.account_id == world.expert(1).id and WHY in reminder.words["zh"]
        kinds = [json.loads(e.payload) for e in session.scalars(select(Event))]
        said = [body["data"] for body in kinds if body["kind"] == "held.decided"]
        assert said == [{"held": row_id, "decision": "accepted"}]
        assert listed(session, world) == []
        assert waiting_for(session, world, "recorded as absent") == []
    assert faults(database) == []


def test_set_aside_it_is_kept_for_ever_and_the_expert_is_told(database, world):
    tablet, key, form = absent(database, world)
    decided(database, world, False, "本人确认未到场，平板由他人操作")
    assert sheet_of(database, world).state == "absent"
    with database.read() as session:
        said = {(o.status, o.why) for o in session.scalars(select(FieldOutcome))}
        assert said == {("refused", "set_aside")}
        ops = session.scalar(
            select(func.count()).select_from(FieldOp).where(FieldOp.sheet_key == key)
        )
        assert ops == len(tablet.logs[key])
        (reminder,) = session.scalars(select(Reminder))
        assert "set aside" in reminder.words["en"]
        assert listed(session, world) == []
        (row,) = held.decisions(session, world.people["office"], world.panel(session).round)
        assert (row.decision, row.absence_reason) == ("set_aside", "签到表上没有")
    told = tablet.push(database, world.expert(1), tablet.logs[key][-1:])["sheets"][key]
    assert (told["state"], told["pending"]) == ("absent", 0)
    assert faults(database) == []


def test_a_sitting_that_is_over_takes_a_sealed_sheet_or_none(database, world):
    _, key, _ = absent(database, world, seal=False)
    with database.write() as session:
        sitting = session.get_one(Sitting, key)
        for number in range(2, steps.SEATS + 1):
            steps.sealed_sheet(session, sitting, world.expert(number))
        scoring.close_scoring(session, world.people["office"], sitting=sitting)
    with pytest.raises(DomainError) as caught:
        decided(database, world, True)
    assert "no complete seal" in caught.value.text.en
    with database.read() as session:
        sheet = session.scalars(select(Sheet).where(Sheet.seat_id == world.site.seats[0])).one()
        assert sheet.state == "absent" and session.scalars(select(AbsenceUndone)).all() == []
    with database.write() as session:
        world.panel(session).round.phase = "closed"
        append(session, None, "test.finished")
    with pytest.raises(Conflict):
        decided(database, world, True)
    decided(database, world, False)
    assert faults(database) == []


def test_a_seal_that_waited_for_its_photo_comes_about_with_the_decision(database, world):
    tablet, key, form = absent(database, world, seal=False)
    viewer = world.expert(1)
    decided(database, world, True)
    assert sheet_of(database, world).state == "draft"
    item = next(iter(full(form))).partition(".")[0]
    photo(tablet, key, item, "照片")
    tablet.seal(key, viewer.name, sheet_of(database, world).entries, [sha("照片")])
    assert tablet.push(database, viewer)["receipts"][-1]["why"] == "media"
    with database.write() as session:
        scoring.mark_absent(
            session, world.people["office"], sitting=session.get_one(Sitting, key),
            seat=world.seat(session, 1), reason="提前离场",
        )  # fmt: skip
    arrive(database, viewer, "照片")
    assert sheet_of(database, world).state == "absent"
    with database.read() as session:
        (row,) = listed(session, world)
        assert (row.statement, row.media) == (0, 1)
    decided(database, world, True)
    assert sheet_of(database, world).state == "sealed" and faults(database) == []


def test_the_page_shows_counts_and_takes_the_supervisors_word(app, world, client_as):
    database = app.extensions["mingjian.db"]
    tablet, key, _ = absent(database, world)
    with database.read() as session:
        sheet_id = session.scalars(select(Sheet.id)).one()
        slug = world.panel(session).round.slug
    page, where = f"/r/{slug}/field", f"/r/{slug}/held/{sheet_id}"
    office, supervisor = client_as(world.people["office"]), client_as(world.people["supervisor"])
    assert where in office.get(page).get_data(as_text=True)
    shown = office.get(where).get_data(as_text=True)
    assert "签到表上没有" in shown and "待监督人员决定" in shown and "记录决定" not in shown
    assert office.post(where, data={"decision": "accepted", "reason": WHY}).status_code == 403
    home = supervisor.get("/").get_data(as_text=True)
    assert "名被记为缺席的成员有平板内容待决定" in home and page in home
    bad = supervisor.post(where, data={"decision": "set_aside", "reason": "短"})
    assert bad.status_code == 422 and "至少 5 个字" in bad.get_data(as_text=True)
    done = supervisor.post(where, data={"decision": "set_aside", "reason": WHY})
    assert done.status_code == 302 and supervisor.get(where).status_code == 404
    after = supervisor.get(page).get_data(as_text=True)
    assert "不予采用" in after and WHY in after
    expert = client_as(world.expert(1)).get("/").get_data(as_text=True)
    assert "不予采用" in expert and WHY in expert
