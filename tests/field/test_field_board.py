"""The panel board: who misses what, at a fixed number of queries; reminders until they are seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.accounts.models import Tablet
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, Forbidden, NotFound
from app.field import board as boards
from app.field import reminders
from app.field.models_desk import Reminder
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import votes
from app.panel.models import Panel, Sitting
from app.panel.models_votes import ExtensionVote
from app.programme.instruments import instrument_for
from app.programme.models import Subject
from app.scoring import operations as scoring
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.counting import queries_of
from tests.field.test_field_office import base, pushed
from tests.field.virtual import VirtualTablet


def rows_of(session, world, viewer="office"):
    panel = session.get_one(Panel, world.site.id)
    made = boards.board(session, world.people[viewer], panel, None)
    return made, {row.seat.number: row for row in made.rows}


def english(row):
    return [problem.words.en for problem in row.problems]


def test_before_anything_everybody_misses_the_declarations(app, world):
    with base(app).read() as session:
        made, rows = rows_of(session, world)
        assert [row.seat.number for row in made.rows] == list(range(1, steps.SEATS + 1))
        assert (made.final, made.expected) == (0, steps.SEATS * 3)
        assert all(english(row) == ["declarations not signed"] for row in rows.values())


def test_items_seals_receipts_and_who_misses_most_comes_first(app, world):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        sheet = steps.sealed_sheet(session, sitting, world.expert(1))
        receipt = sheet.receipt
        draft = scoring.start_sheet(session, world.expert(2), sitting=sitting)
        items = sheet_items(draft.instrument)
        some = steps.complete_marks(items[:2])
        scoring.save_draft(session, world.expert(2), sheet=draft, changes=some, version=0)
        scoring.mark_absent(
            session, world.people["office"], sitting=sitting, seat=world.seat(session, 3),
            reason="因病",
        )  # fmt: skip
        key, name = sitting.id, sitting.subject.name.en
        applying = sum(item["applies"] for item in items)
        first_two = sum(item["applies"] for item in items[:2])
    with base(app).read() as session:
        made, rows = rows_of(session, world)
        assert rows[1].cells[key].receipt == receipt and rows[1].problems == []
        cell = rows[2].cells[key]
        assert (cell.state, cell.done, cell.total) == ("draft", first_two, applying)
        assert english(rows[2]) == [f"{name}: {first_two} of {applying} items, not sealed"]
        assert rows[3].cells[key].state == "absent" and rows[3].problems == []
        assert english(rows[4]) == [f"{name}: not begun"]
        assert made.final == 2
        order = [row.seat.number for row in made.rows]
        assert order.index(1) > order.index(2) and order.index(3) > order.index(7)
        _, shown = rows_of(session, world, "supervisor")
        assert {row.cells[key].state for row in shown.values()} == {"sealed", "absent", "unsealed"}
        assert all(row.cells[key].done is None for row in shown.values())


def test_what_waits_from_tablets(app, world, bind):
    with base(app).write() as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        key, name = sitting.id, sitting.subject.name.en
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
    mine = bind(world.expert(1), "一号平板")
    mine.get(f"/field/api/pack?tablet={mine.id}")
    with base(app).read() as session:
        from app.field import unlocks

        secret = unlocks.secret_in(session, unlocks.unlocks_of(session, [key])[key])
    tablet = VirtualTablet(mine.id, form["digest"])
    tablet.do(key, "unlock", secret=secret)
    tablet.put(key, f"{sheet_items(form)[0]['id']}.reason", "离线填写")
    receipts = pushed(mine, tablet).json["receipts"]
    assert [row["status"] for row in receipts] == ["held", "held"]
    with base(app).read() as session:
        _, rows = rows_of(session, world)
        cell = rows[1].cells[key]
        assert (cell.statement, cell.tablet.id) == (2, mine.id)
        assert english(rows[1]) == [f"{name}: 2 operations wait for the statement"]
    with base(app).write() as session:
        steps.speak(session, world, session.get_one(Sitting, key))
        panels.open_scoring(session, world.people["office"], sitting=session.get_one(Sitting, key))
    other = bind(world.expert(1), "二号平板")
    second = VirtualTablet(other.id, form["digest"])
    second.put(key, f"{sheet_items(form)[0]['id']}.reason", "另一台")
    assert pushed(other, second).json["receipts"][0]["status"] == "branch"
    later = clock.now() + timedelta(minutes=30)
    with clock.fixed(later), base(app).read() as session:
        seen = session.get_one(Tablet, mine.id).last_seen_at
        minutes = int((later - seen).total_seconds() // 60)
        _, rows = rows_of(session, world)
        told = english(rows[1])
        assert f"{name}: two devices differ, the owner has to choose" in told
        assert (
            f"{name}: tablet “一号平板” silent for {minutes} minutes; it may hold entries" in told
        )


def test_the_page_asks_as_often_for_twelve_sittings_as_for_one(app, world, client_as):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        steps.sealed_sheet(session, sitting, world.expert(1))
        day = sitting.on
        rest = [session.get_one(Sitting, key) for key in world.site.sittings[1:]]
        for row in rest:
            panels.schedule(
                session, world.people["office"], sitting=row, on=day + timedelta(days=1), place=""
            )
    office = client_as(world.people["office"])
    page = f"/r/{world.slug}/panels/{world.site.id}/board?on={day}"
    one = queries_of(app, lambda: office.get(page))
    with base(app).write() as session:
        panel = session.get_one(Panel, world.site.id)
        for key in world.site.sittings[1:]:
            session.get_one(Sitting, key).on = day
        like = panel.round.subjects[0]
        for n in range(9):
            subject = Subject(
                round_id=panel.round_id, position=50 + n, region_code=f"9999{n:02d}",
                name_zh=f"虚拟{n}区", name_en=f"Invented {n}", region_class=like.region_class,
                class_basis="测试", facts=dict(like.facts),
            )  # fmt: skip
            session.add(subject)
            session.flush()
            session.add(
                Sitting(
                    panel_id=panel.id, subject_id=subject.id, position=10 + n, on=day,
                    with_statement=True, phase="scoring",
                )
            )  # fmt: skip
        append(session, None, "test.days")
    text = office.get(page).get_data(as_text=True)
    assert "虚拟8区" in text and "虚拟0区、虚拟1区等 9 处：未签到" in text
    assert queries_of(app, lambda: office.get(page)) == one


def test_a_reminder_is_shown_until_it_is_seen_and_logged(app, world, bind, client_as):
    office = client_as(world.people["office"])
    page = f"/r/{world.slug}/panels/{world.site.id}"
    shown = office.get(f"{page}/board").get_data(as_text=True)
    assert 'data-copy="say-' in shown and "data-live" in shown and "<style" not in shown
    seat = world.site.seats[0]
    assert office.post(f"{page}/remind", data={"seat": seat}).status_code == 302
    assert "尚未看到" in office.get(f"{page}/board").get_data(as_text=True)
    tablet = bind(world.expert(1))
    told = tablet.get(f"/field/api/pack?tablet={tablet.id}").json["reminders"]
    assert "declarations not signed" in told[0]["words"]["en"]
    expert, other = client_as(world.expert(1)), client_as(world.expert(2))
    assert "创建办公室提醒您" in expert.get("/").get_data(as_text=True)
    assert "创建办公室提醒您" not in other.get("/").get_data(as_text=True)
    where = f"/reminders/{told[0]['id']}/seen"
    assert other.post(where).status_code == 404
    answer = tablet.client.post(f"/field/api{where}", headers={"X-CSRFToken": tablet.csrf})
    assert answer.json == {"reminders": []}
    assert "创建办公室提醒您" not in expert.get("/").get_data(as_text=True)
    assert expert.post(where).status_code == 302
    with base(app).read() as session:
        row = session.scalars(select(Reminder)).one()
        assert row.seen_at is not None and row.sent_by == world.people["office"].id


def test_only_the_office_reminds_and_only_of_something(app, world):
    with base(app).write() as session:
        panel = session.get_one(Panel, world.site.id)
        on = panel.sittings[0].on
        with pytest.raises(Forbidden):
            reminders.remind(
                session, world.people["supervisor"], panel=panel, on=on, seat_id=world.site.seats[0]
            )
        with pytest.raises(NotFound):
            reminders.remind(
                session, world.people["office"], panel=panel, on=on, seat_id=world.desk.seats[0]
            )
        steps.declare(session, world)
        with pytest.raises(Conflict):
            reminders.remind(
                session, world.people["office"], panel=panel, on=on, seat_id=world.site.seats[0]
            )
    with base(app).read() as session:
        assert session.scalars(select(Reminder)).all() == []
        assert session.scalars(select(Sheet)).all() == []


def test_a_vote_on_the_closing_time_is_cast_on_the_tablet(app, world, bind):
    with app.extensions["mingjian.db"].write() as session:
        sitting = steps.to_scoring(session, world)
        now, office = clock.now(), world.people["office"]
        for hours, why in ((1, "当天收齐评分表"), (2, "大雨，路上耽搁")):
            asked = votes.propose(
                session, office, sitting=sitting, closes_at=now + timedelta(hours=hours), reason=why
            )
        key = asked.id
    tablet, elsewhere = bind(world.expert(1)), bind(world.desk.experts[0])

    def told(one):
        return one.get(f"/field/api/pack?tablet={one.id}").json["votes"]

    def cast(one, answer, which=key):
        return one.client.post(
            f"/field/api/votes/{which}", json={"answer": answer}, headers={"X-CSRFToken": one.csrf}
        )

    (shown,) = told(tablet)
    assert (shown["id"], shown["reason"], shown["county"]["zh"]) == (
        key,
        "大雨，路上耽搁",
        "东城区",
    )
    assert shown["before"] < shown["closes_at"] and told(elsewhere) == []
    assert cast(elsewhere, "yes").status_code == cast(tablet, "yes", "0" * 16).status_code == 404
    assert cast(tablet, "perhaps").status_code == 422
    answer = cast(tablet, "yes")
    assert answer.status_code == 200 and answer.json == {"votes": []} and told(tablet) == []
    assert cast(tablet, "no").status_code == 409  # a vote does not change
    with app.extensions["mingjian.db"].read() as session:
        (given,) = session.scalars(select(ExtensionVote)).all()
        assert (given.answer, given.seat_id) == ("yes", world.site.seats[0])
