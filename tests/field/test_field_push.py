"""Operations come in: once, in order, with receipts that name their ledger entry."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.domain.field.operations import operation_hash, root_of
from app.domain.scoring.sheets import sheet_items
from app.field.models import FieldBatch, FieldOp
from app.field.push import Push
from app.ledger import prove
from app.ledger.models import Event, Secret
from app.panel.models import Sitting
from app.programme.instruments import instrument_for
from app.scoring import invariants, operations, queries
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.virtual import VirtualTablet, bound

NOON = datetime(2012, 11, 6, 12, tzinfo=UTC)


def opened(database, world):
    """Scoring open; the first expert's tablet, and the key of his sheet."""
    with database.write() as session:
        sitting = steps.to_scoring(session, world)
        row = bound(session, world.expert(1))
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        return VirtualTablet(row.id, form["digest"]), sitting.id, form


def leaves(database, kind):
    """The opened bodies of the ledger's sealed entries of one kind, by number."""
    with database.read() as session:
        rows = [(r.seq, json.loads(r.body)) for r in session.scalars(select(Secret))]
    return {seq: body for seq, body in rows if body["kind"] == kind}


def sheet_of(database, world, number=1):
    with database.read() as session:
        seat = world.site.seats[number - 1]
        return session.scalar(
            select(Sheet).where(Sheet.seat_id == seat, Sheet.state != "superseded")
        )


def count(database, what):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(what))


def test_a_batch_is_one_leaf_and_every_operation_gets_a_receipt(database, world):
    tablet, key, form = opened(database, world)
    items = [i for i in sheet_items(form) if i["applies"]]
    marks = steps.complete_marks(items)
    tablet.fill(key, marks)
    before = count(database, Event)
    answer = tablet.push(database, world.expert(1))
    assert count(database, Event) == before + 1, "the sheet's beginning has no leaf of its own"
    assert [r["status"] for r in answer["receipts"]] == ["accepted"] * len(marks)
    assert {r["leaf"] for r in answer["receipts"]} == {before}
    assert [r["rev"] for r in answer["receipts"]] == list(range(1, len(marks) + 1))
    assert tablet.outbox == [] and "stopped" not in answer
    sheet = sheet_of(database, world)
    assert sheet.version == len(marks) and sheet.state == "draft"
    assert sheet.saved_at is not None and set(sheet.entries) == {i["id"] for i in items}
    told = answer["sheets"][key]
    assert told["active_tablet"] == tablet.id and told["state"] == "draft"
    assert (told["rev"], told["revision"], told["branch"]) == (len(marks), 1, False)
    body = leaves(database, "field.batch")[before]
    assert body["data"]["ops_root"] == root_of([op["hash"] for op in tablet.logs[key]])
    assert {row[0] for row in body["rows"]} == {"field_batch", "sheet", "sheet_hold"}
    with database.read() as session:
        assert prove.verify(session, None).faults == []
        assert queries.standing(session.merge(sheet, load=False))["missing"] == 0


def test_the_public_leaf_has_one_size_and_names_nobody(database, world):
    tablet, key, form = opened(database, world)
    marks = steps.complete_marks([i for i in sheet_items(form) if i["applies"]])
    sizes = set()
    for part in (dict(list(marks.items())[:1]), marks):
        tablet.fill(key, part)
        leaf = tablet.push(database, world.expert(1))["receipts"][0]["leaf"]
        with database.read() as session:
            payload = session.get(Event, leaf).payload
        sizes.add(len(payload))
        assert set(json.loads(payload)) == {"v", "kind", "digest"}
        assert tablet.id not in payload and world.expert(1).id not in payload
    assert len(sizes) == 1


def test_a_replay_gets_the_stored_receipt_word_for_word_and_changes_nothing(database, world):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    ops = [tablet.put(key, path, f"第{n}次") for n in range(3)]
    first = tablet.push(database, world.expert(1))
    before = (count(database, Event), sheet_of(database, world).version)
    again = tablet.push(database, world.expert(1), ops)
    assert [{k: v for k, v in r.items() if k != "replayed"} for r in again["receipts"]] == first[
        "receipts"
    ]
    assert all(r["replayed"] is True for r in again["receipts"])
    assert (count(database, Event), sheet_of(database, world).version) == before
    more = tablet.put(key, path, "第四次")
    mixed = tablet.push(database, world.expert(1), [*ops, more])
    assert [r.get("replayed", False) for r in mixed["receipts"]] == [True, True, True, False]
    twice = tablet.put(key, path, "第五次")
    doubled = tablet.push(database, world.expert(1), [twice, twice])
    assert [r.get("replayed", False) for r in doubled["receipts"]] == [False, True]
    assert sheet_of(database, world).version == 5 == count(database, FieldOp)


def test_a_gap_says_where_to_go_on_and_keeps_what_came_before_it(database, world):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    ops = [tablet.put(key, path, str(n)) for n in range(5)]
    answer = tablet.push(database, world.expert(1), [ops[0], ops[1], ops[3]])
    assert len(answer["receipts"]) == 2
    assert answer["stopped"] == {
        "code": "gap", "id": ops[3]["id"], "sheet": key, "expect": 3, "have": ops[1]["hash"],
    }  # fmt: skip
    assert [op["seq"] for op in tablet.outbox] == [3, 4, 5]
    assert len(tablet.push(database, world.expert(1))["receipts"]) == 3
    forked = copy.deepcopy(ops[4])
    forked |= {"id": "f" * 32, "seq": 6, "prev": "0" * 63 + "1"}
    forked["hash"] = operation_hash(forked)
    stopped = tablet.push(database, world.expert(1), [forked])["stopped"]
    assert (stopped["code"], stopped["expect"], stopped["have"]) == ("gap", 6, ops[4]["hash"])


def test_the_same_id_with_other_words_is_refused_and_stops_the_batch(database, world):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    op = tablet.put(key, path, "原话")
    tablet.push(database, world.expert(1))
    other = copy.deepcopy(op) | {"new": "改过的话"}
    other["hash"] = operation_hash(other)
    answer = tablet.push(database, world.expert(1), [other, tablet.put(key, path, "后面的")])
    assert answer["receipts"] == [] and answer["stopped"]["code"] == "key_reuse"
    assert count(database, FieldOp) == 1
    stolen = VirtualTablet("f" * 16, tablet.form)
    assert (
        tablet.push(database, world.expert(1), [stolen.put(key, path, "x")])["stopped"]["code"]
        == "malformed"
    )


def test_what_cannot_stand_is_stored_with_its_reason(database, world):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    other_sitting = world.other.sittings[0]
    tablet.put(key, path, "旧表", form="0" * 64)
    tablet.put(key, "no-such.mark", "5")
    tablet.put(other_sitting, path, "别的组")
    tablet.put("0" * 16, path, "没有这个会议")
    tablet.put(world.site.sittings[1], path, "还没开放")
    tablet.do(key, "withdraw", reason="还没有封存")
    tablet.do(key, "attach", item="no-such", sha256="0" * 64, size=5, mime="image/jpeg",
              name="x", taken_at=None, place=None)  # fmt: skip
    answer = tablet.push(database, world.expert(1))
    said = [(r["status"], r["why"]) for r in answer["receipts"]]
    assert said == [
        ("refused", why)
        for why in (
            "form_stale",
            "invalid",
            "not_yours",
            "not_yours",
            "closed",
            "invalid",
            "invalid",
        )
    ]
    assert all(r["text"]["zh"] and r["text"]["en"] for r in answer["receipts"])
    absent, foreign = answer["receipts"][3], answer["receipts"][2]
    assert absent["text"] == foreign["text"] and set(answer["sheets"]) == {
        key, world.site.sittings[1],
    }  # fmt: skip
    assert sheet_of(database, world) is None and count(database, FieldOp) == 7
    assert count(database, FieldBatch) == 1 and tablet.outbox == []


def test_sealed_is_sealed_and_the_code_is_on_the_receipt(database, world):
    tablet, key, form = opened(database, world)
    viewer = world.expert(1)
    marks = steps.complete_marks([i for i in sheet_items(form) if i["applies"]])
    tablet.fill(key, marks)
    tablet.push(database, viewer)
    entries = sheet_of(database, world).entries
    before = count(database, Event)
    tablet.put(key, next(iter(marks)), list(marks.values())[0])
    tablet.seal(key, viewer.name, entries)
    tablet.put(key, next(iter(marks)), "0")
    answer = tablet.push(database, viewer)
    assert [r["status"] for r in answer["receipts"]] == ["accepted", "accepted", "refused"]
    assert [r["leaf"] for r in answer["receipts"]] == [before, before + 1, before + 2]
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt_seq == before + 1
    sealed = answer["receipts"][1]
    assert sealed["code"] == sheet.receipt == answer["sheets"][key]["receipt"]
    assert answer["receipts"][2]["why"] == "sealed"
    body = leaves(database, "sheet.sealed")[before + 1]
    assert body["data"]["ops_root"] == root_of([tablet.logs[key][-2]["hash"]])
    with database.read() as session:
        assert prove.verify(session, None).faults == []
        for _, check in invariants.INVARIANTS:
            assert check(session) == []
    with database.write() as session, pytest.raises(DBAPIError):
        session.execute(text("UPDATE field_op SET status = 'accepted'"))


def test_the_page_and_a_tablet_are_two_devices(database, world):
    tablet, key, form = opened(database, world)
    viewer = world.expert(1)
    path = f"{sheet_items(form)[0]['id']}.reason"
    with database.write() as session:
        sitting = session.get_one(Sitting, key)
        sheet = operations.start_sheet(session, viewer, sitting=sitting)
    tablet.put(key, path, "平板先动")  # the page only opened the sheet
    assert tablet.push(database, viewer)["receipts"][0]["status"] == "accepted"
    with pytest.raises(operations.Conflict) as caught, database.write() as session:
        operations.save_draft(
            session,
            viewer,
            sheet=session.get_one(Sheet, sheet.id),
            changes={path: "网页"},
            version=1,
        )
    assert "测试平板" in caught.value.text.zh
    assert sheet_of(database, world).entries[sheet_items(form)[0]["id"]]["reason"] == "平板先动"


def test_nobody_elses_sheet_and_no_other_role(database, world):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    with database.write() as session:
        theirs = VirtualTablet(bound(session, world.desk.experts[0]).id, tablet.form)
    theirs.put(key, path, "越权")
    answer = theirs.push(database, world.desk.experts[0])
    assert answer["receipts"][0]["why"] == "not_yours" and answer["sheets"] == {}
    with database.write() as session:
        desk = VirtualTablet(bound(session, world.people["office"]).id, tablet.form)
    desk.put(key, path, "越权")
    assert desk.push(database, world.people["office"])["receipts"][0]["why"] == "not_yours"


def test_a_fault_in_the_middle_keeps_nothing_at_all(database, world, monkeypatch):
    tablet, key, form = opened(database, world)
    path = f"{sheet_items(form)[0]['id']}.reason"
    tablet.put(key, path, "一")
    tablet.put(key, path, "二")
    before = count(database, Event)
    real = Push._take

    def falls(self, taken):
        if taken.op.seq == 2:
            raise OSError("disk")
        real(self, taken)

    monkeypatch.setattr(Push, "_take", falls)
    with pytest.raises(OSError):
        tablet.push(database, world.expert(1))
    assert (count(database, FieldOp), count(database, Event)) == (0, before)
    monkeypatch.setattr(Push, "_take", real)
    assert len(tablet.push(database, world.expert(1))["receipts"]) == 2


class _Undo(Exception):
    """Takes a world back."""


def test_another_experts_marks_leave_no_trace_in_an_answer(database, world):
    """Two worlds that differ in one colleague's marks give the same bytes."""
    tablet, key, form = opened(database, world)
    marks = steps.complete_marks([i for i in sheet_items(form) if i["applies"]])
    said = []
    for low in (True, False):
        mine = VirtualTablet(tablet.id, tablet.form)
        with suppress(_Undo), clock.fixed(clock.now().replace(microsecond=0)):
            with database.write() as session:
                sitting = session.get_one(Sitting, key)
                steps.sealed_sheet(session, sitting, world.expert(2), low=low)
                theirs = operations.start_sheet(session, world.expert(3), sitting=sitting)
                changes = steps.complete_marks(sheet_items(form), low=low)
                operations.save_draft(
                    session, world.expert(3), sheet=theirs, changes=changes, version=0
                )
                mine.fill(key, marks, at=NOON)
                mine.seal(key, world.expert(1).name, {}, at=NOON)
                answer = mine.flush(session, world.expert(1))
                answer.pop("server_time")
                said.append(json.dumps(answer).replace(answer["receipts"][0]["at"], "AT"))
                raise _Undo
    assert said[0] == said[1] and "accepted" in said[0]
