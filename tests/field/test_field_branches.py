"""Two tablets of one expert: what the second had entered is laid beside, chosen item by item."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, NotFound
from app.field import branches
from app.field.attached import attached_to_sheets
from app.field.invariants import INVARIANTS
from app.field.models import Branch
from app.field.places import attached_to, find_place
from app.scoring.models import Sheet, SheetHold
from tests.attacks import world as steps
from tests.field.test_field_push import opened, sheet_of
from tests.field.virtual import VirtualTablet, bound, sha


def second(database, world, form, number=1):
    with database.write() as session:
        return VirtualTablet(bound(session, world.expert(number), "第二台").id, form["digest"])


def compared(database, world, key):
    with database.read() as session:
        return branches.compared(session, find_place(session, world.expert(1), key))


def faults(database):
    with database.read() as session:
        return [text.en for _, check in INVARIANTS for text in check(session)]


def test_stray_operations_lie_beside_and_the_owner_picks_item_by_item(database, world):
    one, key, form = opened(database, world)
    two = second(database, world, form)
    viewer = world.expert(1)
    a, b, c = [i["id"] for i in sheet_items(form) if i["applies"]][:3]
    one.put(key, f"{a}.reason", "甲机的话")
    one.put(key, f"{b}.reason", "两机一样")
    one.push(database, viewer)
    two.put(key, f"{a}.reason", "乙机的话")
    two.put(key, f"{b}.reason", "两机一样")
    two.put(key, f"{c}.reason", "只在乙机")
    answer = two.push(database, viewer)
    assert [r["status"] for r in answer["receipts"]] == ["branch"] * 3 and two.outbox == []
    assert answer["sheets"][key]["branch"] is True
    assert answer["sheets"][key]["active_tablet"] == one.id
    assert sheet_of(database, world).entries[a]["reason"] == "甲机的话"
    assert c not in sheet_of(database, world).entries, "nothing was merged"
    (beside,) = compared(database, world, key)
    assert beside["label"] == "第二台"
    assert {i["item"]: (i["mine"] or {}).get("reason") for i in beside["items"]} == {
        a: "甲机的话", c: None,
    }  # fmt: skip
    one.do(key, "choose", branch=beside["id"], picks={a: "branch"}, reason="漏了一项")
    assert one.push(database, viewer)["receipts"][0]["why"] == "invalid"
    one.do(key, "choose", branch=beside["id"], picks={a: "branch", c: "mine"}, reason="以乙机为准")
    done = one.push(database, viewer)
    assert done["receipts"][0]["status"] == "accepted" and done["receipts"][0]["rev"] == 3
    entries = sheet_of(database, world).entries
    assert entries[a]["reason"] == "乙机的话" and c not in entries
    assert done["sheets"][key]["branch"] is False and compared(database, world, key) == []
    assert faults(database) == []


def test_a_branch_starts_from_what_its_tablet_had_seen(database, world):
    """The first tablet saw rev 1; what the other did since is not in its column."""
    one, key, form = opened(database, world)
    two = second(database, world, form)
    viewer = world.expert(1)
    a = sheet_items(form)[0]["id"]
    one.put(key, f"{a}.reason", "第一版")
    one.push(database, viewer)
    with database.write() as session:
        branches.take_over(session, viewer, session.get_one(branches.Tablet, two.id), key)
    two.put(key, f"{a}.mark", "1", base=1)
    two.put(key, f"{a}.reason", "第二台改的", base=2)
    two.push(database, viewer)
    one.put(key, f"{a}.mark", "2", base=1)
    one.push(database, viewer)
    (beside,) = compared(database, world, key)
    (item,) = beside["items"]
    assert item["branch"]["reason"] == "第一版" and item["branch"]["value"]["mark"] == "2"
    assert item["mine"]["reason"] == "第二台改的" and item["mine"]["value"]["mark"] == "1"


def test_no_seal_while_a_branch_waits_and_no_effect_of_a_stray_seal(database, world):
    one, key, form = opened(database, world)
    two = second(database, world, form)
    viewer = world.expert(1)
    marks = steps.complete_marks([i for i in sheet_items(form) if i["applies"]])
    one.fill(key, marks)
    one.push(database, viewer)
    entries = sheet_of(database, world).entries
    two.put(key, f"{sheet_items(form)[0]['id']}.reason", "旁支")
    two.seal(key, viewer.name, entries)
    assert [r["status"] for r in two.push(database, viewer)["receipts"]] == ["branch"] * 2
    one.seal(key, viewer.name, entries)
    assert one.push(database, viewer)["receipts"][0]["why"] == "branch"
    assert sheet_of(database, world).state == "draft"
    with pytest.raises(Conflict), database.write() as session:
        from app.scoring import operations
        from app.scoring.models import Sheet

        row = session.get_one(Sheet, sheet_of(database, world).id)
        operations.seal(session, viewer, sheet=row, version=row.version, signed_name=viewer.name)
    (beside,) = compared(database, world, key)
    picks = {i["item"]: "mine" for i in beside["items"]}
    one.do(key, "choose", branch=beside["id"], picks=picks, reason="以本机为准")
    one.seal(key, viewer.name, entries)
    assert [r["status"] for r in one.push(database, viewer)["receipts"]] == ["accepted"] * 2
    assert sheet_of(database, world).state == "sealed" and faults(database) == []


def test_taking_over_moves_the_sheet_and_only_the_owner_can(database, world):
    one, key, form = opened(database, world)
    two = second(database, world, form)
    theirs = second(database, world, form, 2)
    a = sheet_items(form)[0]["id"]
    one.put(key, f"{a}.reason", "一")
    one.push(database, world.expert(1))
    with database.write() as session:
        row = session.get_one(branches.Tablet, two.id)
        branches.take_over(session, world.expert(1), row, key)
        branches.take_over(session, world.expert(1), row, key)  # twice is once
        with pytest.raises(NotFound):
            branches.take_over(
                session, world.desk.experts[0], session.get_one(branches.Tablet, theirs.id), key
            )
    two.put(key, f"{a}.reason", "二")
    assert two.push(database, world.expert(1))["receipts"][0]["status"] == "accepted"
    one.put(key, f"{a}.reason", "三")
    assert one.push(database, world.expert(1))["receipts"][0]["status"] == "branch"
    with database.read() as session:
        holds = session.scalars(select(SheetHold)).all()
        assert [(h.tablet_id, h.branches) for h in holds] == [(two.id, 1)]
        assert len(session.scalars(select(Branch)).all()) == 1
    assert faults(database) == []


def test_photos_of_a_branch_come_with_the_choice(database, world):
    one, key, form = opened(database, world)
    two = second(database, world, form)
    viewer, a = world.expert(1), sheet_items(form)[0]["id"]
    photo = {"item": a, "size": 9, "mime": "image/jpeg", "name": "p.jpg", "taken_at": None}
    one.do(key, "attach", **photo, sha256=sha("甲"), place=None)
    one.push(database, viewer)
    two.do(key, "attach", **photo, sha256=sha("乙"), place=None)
    two.push(database, viewer)
    (beside,) = compared(database, world, key)
    assert beside["items"][0]["mine_media"] == [sha("甲")]
    assert beside["items"][0]["branch_media"] == [sha("乙")]
    one.do(key, "choose", branch=beside["id"], picks={a: "branch"}, reason="用乙机的照片")
    assert one.push(database, viewer)["sheets"][key]["media_pending"] == [sha("乙")]
    assert faults(database) == []
    with database.read() as session:
        sheet = sheet_of(database, world)
        found = attached_to_sheets(session, [sheet.id, "0" * 16])
        assert found == {sheet.id: ((a, sha("乙")),)}
        assert found[sheet.id] == attached_to(session, session.get_one(Sheet, sheet.id))
    one.do(key, "detach", item=a, sha256=sha("乙"))
    one.push(database, viewer)
    with database.read() as session:
        assert attached_to_sheets(session, [sheet.id]) == {}
