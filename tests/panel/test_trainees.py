"""A trainee does what a member does, and nothing of it counts, is waited for, or is seen by others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.directory.models import Employment, Organisation
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw import invariants as draw_invariants
from app.draw.models import Draw, Seat
from app.field import invariants as field_invariants
from app.field import packs, tablets
from app.field.models import LateSheet
from app.field.places import find_place
from app.home.waits import waits
from app.ledger import prove
from app.ledger.append import append
from app.panel import invariants, queries, recusals, trainees, votes
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.programme.instruments import instrument_for
from app.programme.models import Material
from app.registry.models import Expert, Interest
from app.scoring import invariants as sheet_invariants
from app.scoring import operations as scoring
from app.scoring import queries as sheets
from app.supervision import explain
from tests.attacks import world as steps
from tests.field.virtual import VirtualTablet, bound


def base(app: Any) -> Any:
    return app.extensions["mingjian.db"]


def learner(session: Any, number: int = 60) -> tuple[Expert, Any]:
    """Somebody of the pool without a seat in the round."""
    return steps.expert(session, number)


def appointed(session: Any, world: Any, number: int = 60) -> tuple[trainees.Trainee, Any]:
    expert, viewer = learner(session, number)
    made = trainees.appoint(
        session, world.people["office"], panel=world.panel(session), number=expert.number.lower(),
        reason="新入库，跟班学习",
    )  # fmt: skip
    return made, viewer


def ready(session: Any, viewer: Any, panel: Any) -> None:
    for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
        panels.sign_declaration(
            session, viewer, panel=panel, kind=kind, answers=answers, signed_name=viewer.name
        )


def test_he_scores_and_seals_as_a_member_and_nobody_waits_for_him(app, world, keys):
    with base(app).write() as session:
        office, panel = world.people["office"], world.panel(session)
        row, viewer = appointed(session, world)
        other, idle = appointed(session, world, 61)
        assert [(s.seat.act, s.seat.number, s.seat.active) for s in (row, other)] == [
            (0, 1, False), (0, 2, False),
        ]  # fmt: skip
        material = session.get_one(Material, world.materials[0])
        with pytest.raises(NotFound):  # not before his declarations
            queries.material(session, viewer, material.id)
        ready(session, viewer, panel)
        assert queries.material(session, viewer, material.id).id == material.id
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        assert (
            panels.sign_in(session, viewer, sitting=sitting, seat=row.seat).seat_id == row.seat_id
        )
        steps.speak(session, world, sitting)
        assert find_place(session, viewer, sitting.id).seat.id == row.seat_id
        panels.open_scoring(session, office, sitting=sitting)  # `idle` has declared nothing
        for number in range(1, 8):
            steps.sealed_sheet(session, sitting, world.expert(number))
        assert [
            len(queries.seats(session, panel)),
            len(sheets.progress(session, office, sitting)),
        ] == [7, 7]
        sheet = steps.sealed_sheet(session, sitting, viewer, low=True)
        assert sheet.receipt and sheets.own_sheet(session, viewer, sheet.id).id == sheet.id
        for who in (office, world.people["supervisor"], world.expert(1), idle):
            with pytest.raises(NotFound):
                sheets.own_sheet(session, who, sheet.id)
        assert sheet.id not in {s.id for s in sheets.sealed_sheets(session, panel.round_id)}
        assert len(sheets.sealed_sheets(session, panel.round_id)) == 7
        duty = next(d for d in packs.pack(session, viewer, "t", lambda *a: "")["duties"])
        assert duty["sitting"] == sitting.id
        # a sheet that he leaves open keeps nothing open
        correction = scoring.correct(session, viewer, sheet=sheet, reason="学习后重填一遍")
        assert correction.state == "draft"
        assert sheets.unfinished(session, sitting) == []
        scoring.close_scoring(session, office, sitting=sitting)
        assert sitting.phase == "closed"
        for _, check in (*invariants.INVARIANTS, *sheet_invariants.INVARIANTS):
            assert check(session) == []
    with base(app).read() as session:
        assert prove.verify(session, keys).ok


def test_what_only_members_do_he_does_not(app, world, keys):
    with base(app).write() as session:
        office, panel = world.people["office"], world.panel(session)
        row, viewer = appointed(session, world)
        ready(session, viewer, panel)
        with pytest.raises(DomainError):
            panels.set_leader(session, office, panel=panel, seat=row.seat)
        sitting = steps.to_scoring(session, world)
        end = clock.now() + timedelta(hours=1)
        votes.propose(session, office, sitting=sitting, closes_at=end, reason="当天收齐评分表")
        asked = votes.propose(
            session,
            office,
            sitting=sitting,
            closes_at=end + timedelta(hours=1),
            reason="车辆延误一小时",
        )
        assert asked.seats == 7
        with pytest.raises(Forbidden):
            votes.vote(session, viewer, sitting=sitting, extension_id=asked.id, yes=True)
        with pytest.raises(DomainError):
            scoring.mark_absent(session, office, sitting=sitting, seat=row.seat, reason="没来")
        told = [w.what.en for w in waits(session, viewer)]
        assert not any("Vote" in text for text in told)
        # the pool, the draw and its result know nothing of him
        draw = session.get_one(Draw, world.site.draw_id)
        session.expire(draw)
        assert [s.id for s in draw.seats] == world.site.seats
        assert draw_invariants.one_result(session) == []
        holders = tablets.of_round(session, office, panel.round)
        assert [h.place.en for h in holders if h.seat and h.seat.id == row.seat_id] == [
            "panel P1, trainee 1"
        ]


def test_who_may_not_sit_along(app, world, keys):
    with base(app).write() as session:
        office, panel = world.people["office"], world.panel(session)

        def refused(number: str, reason: str = "跟班学习一届", who: Any = office) -> DomainError:
            with pytest.raises(DomainError) as error:
                trainees.appoint(session, who, panel=panel, number=number, reason=reason)
            return error.value

        assert refused("E9999").field == "number"
        assert "holds or held a seat" in refused("E0001").text.en  # a member of this panel
        assert "holds or held a seat" in refused("E0021").text.en  # of the desk panel
        expert, _ = learner(session)
        assert refused(expert.number, "短").field == "reason"
        with pytest.raises(Forbidden):
            trainees.appoint(
                session, world.people["supervisor"], panel=panel, number=expert.number,
                reason="跟班学习一届",
            )  # fmt: skip
        expert.status = "suspended"
        append(session, None, "test.status")
        assert "neither a candidate nor in the pool" in refused(expert.number).text.en
        expert.status = "candidate"  # in training, not admitted yet: no draw would take him
        body = Organisation(
            name="东城区测试局", kind="authority", region_code="110101", source="test"
        )
        session.add(body)
        session.flush()
        session.add(
            Employment(
                person_id=expert.person_id, organisation_id=body.id, relation="employed",
                since=panel.sittings[0].on.replace(year=2005),
            )
        )  # fmt: skip
        append(session, None, "test.post")
        session.expire_all()
        said = refused(expert.number)
        assert said.field == "number" and "has to stand aside" in said.text.en
        free, _ = learner(session, 61)
        trainees.appoint(session, office, panel=panel, number=free.number, reason="跟班学习一届")
        assert "holds or held a seat" in refused(free.number).text.en
        late, _ = learner(session, 62)
        steps.to_scoring(session, world)
        with pytest.raises(Conflict):
            trainees.appoint(
                session, office, panel=panel, number=late.number, reason="跟班学习一届"
            )


def test_an_end_closes_his_sheet_and_keeps_it(app, world, keys):
    with base(app).write() as session:
        office, panel = world.people["office"], world.panel(session)
        row, viewer = appointed(session, world)
        ready(session, viewer, panel)
        sitting = steps.to_scoring(session, world)
        panels.sign_in(session, office, sitting=sitting, seat=row.seat)  # the office checks him in
        sheet = scoring.start_sheet(session, viewer, sitting=sitting)
        with pytest.raises(NotFound):
            trainees.end(session, world.expert(1), trainee=row, reason="与我无关的人")
        with pytest.raises(DomainError):
            trainees.end(session, viewer, trainee=row, reason="短")
        panels_before = queries.own_panels(session, viewer)
        assert [p.id for p in panels_before] == [panel.id]
        assert queries.own_panels(session, viewer, trainee=False) == []
        watch = world.people["supervisor"]
        told = [t.en for t in explain.standing(session, watch, viewer.id).duties]
        assert told == [f"{panel.round.title_en}, trainee of P1, does not count"]
        trainees.end(session, viewer, trainee=row, reason="本人与该区有联系")
        assert explain.standing(session, watch, viewer.id).duties == []
        with pytest.raises(NotFound):
            scoring.save_draft(session, viewer, sheet=sheet, changes={}, version=sheet.version)
        with pytest.raises(NotFound):
            queries.panel(session, viewer, panel.round, panel.id)
        with pytest.raises(Conflict):
            trainees.end(session, office, trainee=row, reason="再结束一次")
        assert sheets.live_sheet(session, sitting, row.seat).id == sheet.id
        assert (row.ended_by, row.ended_reason) == (viewer.id, "本人与该区有联系")


def test_the_invariant_sees_a_trainee_that_counts_and_one_of_nobody(app, world, keys):
    with base(app).write() as session:
        row, _ = appointed(session, world)
        assert invariants.trainees_never_count(session) == []
        row.seat.state = "confirmed"
        append(session, None, "test.seat")
        assert len(invariants.trainees_never_count(session)) == 1
        row.seat.state, row.seat.act = "removed", 5
        append(session, None, "test.seat")
        assert len(invariants.trainees_never_count(session)) == 1
        row.seat.act = 0
        world.seat(session, 3).act = 0
        append(session, None, "test.seat")
        (fault,) = invariants.trainees_never_count(session)
        assert world.site.seats[2] in fault.en


def client_of(app: Any, viewer: Any) -> Any:
    with base(app).write() as session:
        token = accounts.open_sign_in(
            session, session.get_one(Account, viewer.id), agent="t", address="t", hours=1
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return client


def test_the_pages_appoint_show_and_end(app, world, keys):
    app.config["WTF_CSRF_ENABLED"] = False
    with base(app).write() as session:
        expert, viewer = learner(session)
        number = expert.number
    office, watch = (
        client_of(app, world.people["office"]),
        client_of(app, world.people["supervisor"]),
    )
    at = f"/r/{world.slug}/panels/{world.site.id}/trainees"
    refused = office.post(at, data={"number": "E0001", "reason": "跟班学习一届"})
    assert refused.status_code == 422 and "E0001 在本届已有或曾有席位" in refused.text
    assert office.post(at, data={"number": number, "reason": ""}).status_code == 422
    assert watch.post(at, data={"number": number, "reason": "跟班学习一届"}).status_code == 403
    assert "见习（不计入）" not in watch.get("/supervision").text
    assert office.post(at, data={"number": number, "reason": "跟班学习一届"}).status_code == 302
    for client, where in (
        (watch, "/supervision"), (watch, at), (office, at),
        (office, f"/r/{world.slug}/panels/{world.site.id}"),
    ):  # fmt: skip
        assert viewer.name in client.get(where).text, where
    assert "跟班学习一届" in watch.get("/supervision").text
    own = client_of(app, viewer)
    page = own.get(f"/r/{world.slug}/panels/{world.site.id}")
    assert page.status_code == 200 and "您在本组见习：评分不计入任何结果" in page.text
    with base(app).read() as session:
        (row,) = session.scalars(select(trainees.Trainee))
        seat, key = row.seat_id, row.id
    link = office.post(f"/r/{world.slug}/panels/{world.site.id}/link", data={"seat": seat})
    assert link.status_code == 200 and viewer.name in link.text
    lead = office.post(f"/r/{world.slug}/panels/{world.site.id}/leader", data={"seat": seat})
    assert lead.status_code == 404
    member = client_of(app, world.expert(1))
    end = f"/r/{world.slug}/panels/{world.site.id}/trainees/{key}/end"
    assert member.post(end, data={"reason": "不是本人的事"}).status_code == 404
    assert office.post(end, data={"reason": ""}).status_code == 422
    assert own.post(end, data={"reason": "本人临时有事"}).status_code == 302
    assert own.get(f"/r/{world.slug}/panels/{world.site.id}").status_code == 404
    assert "本人临时有事" in office.get(at).text


def test_a_link_that_he_declares_ends_it_and_goes_to_the_supervisor(app, world, keys):
    with base(app).write() as session:
        row, viewer = appointed(session, world)
        panel = world.panel(session)
        ready(session, viewer, panel)
        sitting = steps.to_scoring(session, world)
        made = recusals.stand_aside(
            session, viewer, sitting=sitting, seat=row.seat, kind="other", evidence="同学在该区任职"
        )
        assert row.ended_reason == trainees.STOOD_ASIDE and row.ended_at is not None
        assert session.get_one(Interest, made.id).status == "declared"
        with pytest.raises(Forbidden):
            scoring.start_sheet(session, viewer, sitting=sitting)
        # to the panel nothing has happened
        assert recusals.recusals(session, world.people["office"], panel.round) == []


def test_on_a_tablet_he_does_what_a_member_does_and_comes_late_to_nobody(app, world, keys):
    database = base(app)
    with database.write() as session:
        row, viewer = appointed(session, world)
        panel = world.panel(session)
        ready(session, viewer, panel)
        sitting = steps.to_scoring(session, world)
        panels.sign_in(session, viewer, sitting=sitting, seat=row.seat)
        _, form = instrument_for(session, panel.round, sitting.subject, "site")
        tablet, key = VirtualTablet(bound(session, viewer).id, form["digest"]), sitting.id
    marks = steps.complete_marks([i for i in sheet_items(form) if i["applies"]])
    tablet.fill(key, marks)
    answer = tablet.push(database, viewer)
    assert {r["status"] for r in answer["receipts"]} == {"accepted"}
    with database.read() as session:
        sheet = sheets.live_sheet(
            session, world.sitting(session), session.get_one(Seat, row.seat_id)
        )
        entries, name = sheet.entries, viewer.name
    tablet.seal(key, name, entries)
    answer = tablet.push(database, viewer)
    assert answer["receipts"][0]["status"] == "accepted" and answer["sheets"][key]["receipt"]
    with database.write() as session:
        sitting = world.sitting(session)
        for number in range(1, 8):
            steps.sealed_sheet(session, sitting, world.expert(number))
        scoring.close_scoring(session, world.people["office"], sitting=sitting)
    tablet.do(key, "withdraw", reason="想再改一改")
    receipt = tablet.push(database, viewer)["receipts"][0]
    assert (receipt["status"], receipt["why"]) == ("refused", "closed")
    with database.read() as session:
        assert session.scalars(select(LateSheet)).all() == [], "nobody has to decide on it"
        for _, check in field_invariants.INVARIANTS:
            assert check(session) == []
