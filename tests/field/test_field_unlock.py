"""Without signal: the recorder's secret, sheets that wait for the statement, and the recorder's log."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, NotFound
from app.field import settle, unlocks
from app.field.models import FieldOp
from app.panel import operations as panels
from app.panel.models import Sitting, Statement
from app.programme.instruments import instrument_for
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.test_field_branches import faults
from tests.field.test_field_push import sheet_of
from tests.field.test_field_seal import full
from tests.field.virtual import VirtualTablet, bound


def planned(database, world):
    """Everybody declared, nobody there yet: recorder's and expert's tablets, key, form, secret."""
    with database.write() as session:
        steps.declare(session, world)
        sitting = world.sitting(session)
        office = world.people["office"]
        account = session.get_one(panels.Account, office.id)
        panels.set_recorder(session, office, panel=sitting.panel, account=account)
        assert unlocks.make_unlocks(session, unlocks.without_secret(session, office)) == 3
        assert unlocks.without_secret(session, world.expert(1)) == []
        row = unlocks.unlocks_of(session, [sitting.id])[sitting.id]
        secret = unlocks.secret_in(session, row)
        assert re.fullmatch("[A-Z2-7]{16}", secret) and secret not in row.secret
        assert unlocks.unlock_hash(secret) == row.sha256
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        desk = VirtualTablet(bound(session, office, "记录员").id)
        tablet = VirtualTablet(bound(session, world.expert(1)).id, form["digest"])
        return desk, tablet, sitting.id, form, secret


def record(desk, world, key, secret, present=steps.SEATS, **closing):
    """A whole statement in the recorder's log."""
    log = f"statement/{key}"
    for seat in world.site.seats[:present]:
        desk.do(log, "attend", seat=seat)
    desk.do(log, "open", name="虚拟陈述", post="虚构职务", proxy=None)
    desk.do(log, "write", part="outline", text="虚构陈述提纲")
    desk.do(log, "mark", at_ms=61000, words="第一问")
    desk.do(log, "write", part="questions", text="虚构问答")
    given = {
        "confirmed_name": "虚拟陈述",
        "signature": [[[0, 0, 0]]],
        "unconfirmed": None,
        "note": None,
    }
    desk.do(log, "close", secret=secret, **{**given, **closing})


def test_a_whole_visit_without_signal_synced_at_night_sheets_first(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    viewer = world.expert(1)
    record(desk, world, key, secret)
    tablet.do(key, "unlock", secret=secret)
    tablet.fill(key, full(form))
    answer = tablet.push(database, viewer)
    assert {(r["status"], r["why"]) for r in answer["receipts"]} == {("held", "statement")}
    assert answer["sheets"][key] | {"entries_hash": ""} == {
        "rev": 0, "revision": 0, "state": "none", "active_tablet": tablet.id, "media": [],
        "media_pending": [], "receipt": None, "sealed_at": None, "branch": False, "late": None,
        "pending": len(full(form)) + 1, "entries_hash": "",
    }  # fmt: skip
    assert sheet_of(database, world) is None
    with database.read() as session:
        assert settle.waiting_for_statement(session, [key]) == {key: 1}
    said = desk.push(database, world.people["office"])
    assert {r["status"] for r in said["receipts"]} == {"accepted"}, said
    assert said["sheets"][f"statement/{key}"]["state"] == "scoring"
    sheet = sheet_of(database, world)
    assert sheet.version == len(full(form)) and sheet.state == "draft"
    with database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert (row.outline, row.questions) == ("虚构陈述提纲", "虚构问答")
        assert row.confirmed_at is not None and row.unconfirmed is None
        assert settle.waiting_for_statement(session, [key]) == {}
    tablet.seal(key, viewer.name, sheet.entries)
    assert tablet.push(database, viewer)["receipts"][0]["status"] == "accepted"
    assert faults(database) == []


def test_a_seal_waits_too_and_all_is_applied_in_order(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    viewer = world.expert(1)
    tablet.do(key, "unlock", secret=secret)
    tablet.fill(key, full(form))
    from app.domain.field.logs import fold
    from app.field.places import merger

    marks = [(op["kind"], op) for op in tablet.logs[key] if op["kind"] == "set"]
    tablet.seal(key, viewer.name, fold({}, marks, merger(form)))
    assert {r["status"] for r in tablet.push(database, viewer)["receipts"]} == {"held"}
    record(desk, world, key, secret)
    desk.push(database, world.people["office"])
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt
    assert tablet.push(database, viewer, tablet.logs[key][-1:])["sheets"][key]["receipt"] == (
        sheet.receipt
    )
    assert faults(database) == []


def test_without_the_secret_nothing_is_held_and_a_wrong_one_is_refused(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    tablet.put(key, path, "没有解锁")
    tablet.do(key, "unlock", secret="A" * 16)
    tablet.put(key, path, "还是没有")
    answer = tablet.push(database, world.expert(1))
    assert [(r["status"], r["why"]) for r in answer["receipts"]] == [
        ("refused", "closed"), ("refused", "invalid"), ("refused", "closed"),
    ]  # fmt: skip
    assert answer["sheets"][key]["active_tablet"] is None
    log = f"statement/{key}"
    desk.do(log, "open", name="虚拟陈述", post="虚构职务", proxy=None)
    desk.do(log, "close", secret="A" * 16, confirmed_name="甲", signature=None, unconfirmed=None,
            note=None)  # fmt: skip
    said = desk.push(database, world.people["office"])["receipts"]
    assert [(r["status"], r.get("why")) for r in said] == [
        ("accepted", None),
        ("refused", "invalid"),
    ]


def test_below_the_quorum_the_office_opens_scoring_and_then_all_is_applied(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    viewer, office = world.expert(1), world.people["office"]
    record(desk, world, key, secret, present=2, confirmed_name=None, signature=None,
           unconfirmed="absent", note="代表提前离场")  # fmt: skip
    said = desk.push(database, office)
    assert said["receipts"][-1]["status"] == "accepted"
    assert said["sheets"][f"statement/{key}"]["state"] == "statement"
    tablet.do(key, "unlock", secret=secret)
    tablet.fill(key, dict(list(full(form).items())[:3]))
    tablet.push(database, viewer)
    with database.write() as session:
        sitting = session.get_one(Sitting, key)
        for number in range(3, steps.SEATS + 1):
            panels.sign_in(
                session, world.expert(number), sitting=sitting, seat=world.seat(session, number)
            )
        panels.open_scoring(session, office, sitting=sitting)
    assert sheet_of(database, world).version == 3
    assert faults(database) == []


def test_a_member_who_has_not_signed_in_goes_on_waiting(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    viewer, office = world.expert(1), world.people["office"]
    log = f"statement/{key}"
    for seat in world.site.seats[1:]:
        desk.do(log, "attend", seat=seat)
    record(desk, world, key, secret, present=0)
    desk.push(database, office)
    tablet.do(key, "unlock", secret=secret)
    tablet.fill(key, dict(list(full(form).items())[:3]))
    assert tablet.push(database, viewer)["sheets"][key]["pending"] == 4
    desk.do(log, "attend", seat=world.site.seats[0])
    assert desk.push(database, office)["receipts"][0]["status"] == "accepted"
    assert sheet_of(database, world).version == 3 and faults(database) == []


def test_nobody_but_the_recorder_writes_or_sees_the_secret(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    with database.write() as session:
        other = VirtualTablet(bound(session, world.people["office2"]).id)
    record(other, world, key, secret)
    said = other.push(database, world.people["office2"])
    assert {r["why"] for r in said["receipts"]} == {"not_yours"} and said["sheets"] == {}
    tablet.do(f"statement/{key}", "attend", seat=world.site.seats[0], form="")
    assert tablet.push(database, world.expert(1))["receipts"][0]["why"] == "not_yours"
    with database.read() as session:
        sitting = session.get_one(Sitting, key)
        with pytest.raises(NotFound):
            unlocks.shown_secret(session, world.people["office2"], sitting)
        with pytest.raises(Conflict):
            unlocks.shown_secret(session, world.people["office"], sitting)
    record(desk, world, key, secret)
    desk.push(database, world.people["office"])
    with database.read() as session:
        shown = unlocks.shown_secret(session, world.people["office"], session.get_one(Sitting, key))
        assert shown == secret
        assert session.scalars(select(Sheet)).all() == []


def test_the_record_is_not_written_over_unseen(database, world):
    desk, tablet, key, form, secret = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    desk.do(log, "open", name="虚拟陈述", post="虚构职务", proxy=None)
    desk.do(log, "write", part="outline", text="平板写的")
    desk.push(database, office)
    with database.write() as session:
        panels.record_statement(
            session, world.people["office2"], sitting=session.get_one(Sitting, key),
            outline="网页改的", questions="", version=2,
        )  # fmt: skip
    desk.do(log, "write", part="outline", text="平板又写的")
    said = desk.push(database, office)["receipts"][0]
    assert (said["status"], said["why"]) == ("refused", "stale")
    with database.read() as session:
        assert session.scalars(select(Statement)).one().outline == "网页改的"
        kept = session.scalars(select(FieldOp).where(FieldOp.why == "stale")).one()
        assert "平板又写的" in kept.body
