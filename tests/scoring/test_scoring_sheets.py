"""A sheet from its first touch to its correction, and who may see or change it."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import event, func, select

from app.domain.scoring.sheets import check_sheet, sheet_items
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.models import Event, Secret
from app.scoring import invariants, operations, queries
from app.scoring.models import Sheet
from tests.attacks import world as steps


@pytest.fixture
def sitting(session, world):
    return steps.to_scoring(session, world)


def begin(session, world, sitting, number=1):
    return operations.start_sheet(session, world.expert(number), sitting=sitting)


def save(session, world, sheet, changes, number=1, version=None):
    return operations.save_draft(
        session, world.expert(number), sheet=sheet, changes=changes,
        version=sheet.version if version is None else version,
    )  # fmt: skip


def first_points(sheet, kind):
    return next(
        i for i in sheet_items(sheet.instrument) if i["applies"] and i["scale"]["type"] == kind
    )


def faults(session):
    session.flush()
    session.expire_all()
    return [text.en for _, check in invariants.INVARIANTS for text in check(session)]


def test_no_sheet_before_scoring_is_open_nor_without_presence_or_declaration(session, world):
    with pytest.raises(Conflict) as caught:
        begin(session, world, world.sitting(session))
    assert "has not opened it yet" in caught.value.text.en
    sitting = steps.to_scoring(session, world)
    with pytest.raises(Forbidden):
        operations.start_sheet(session, world.people["office"], sitting=sitting)
    with pytest.raises(Forbidden):
        operations.start_sheet(session, world.desk.experts[0], sitting=sitting)
    second = steps.gather(session, world, 1)
    second.phase = "scoring"
    newcomer = world.expert(2)
    row = steps.panels.queries.attendance(session, second)[world.site.seats[1]]
    row.seat_id = world.desk.seats[1]  # as if he had never signed in
    steps.append(session, None, "test.absent")
    with pytest.raises(Conflict) as caught:
        operations.start_sheet(session, newcomer, sitting=second)
    assert "sign in to the sitting first" in caught.value.text.en


def test_beginning_twice_gives_the_same_sheet(session, world, sitting):
    sheet = begin(session, world, sitting)
    assert begin(session, world, sitting).id == sheet.id
    assert sheet.instrument["digest"] == sheet.instrument_digest
    assert (sheet.state, sheet.version, sheet.revision, sheet.entries) == ("draft", 0, 1, {})


def test_a_draft_keeps_what_was_typed_right_or_wrong_and_names_what_is_wrong(
    session, world, sitting
):
    sheet = begin(session, world, sitting)
    item = first_points(sheet, "grade")
    save(session, world, sheet, {f"{item['id']}.mark": "7.3333"})
    assert sheet.entries[item["id"]]["value"]["mark"] == "7.3333"
    codes = {p.item_id: p.code for p in check_sheet(sheet.instrument, sheet.entries)}
    assert codes[item["id"]] in {"off_grid", "out_of_range"}
    standing = queries.standing(sheet)
    applying = [i for i in sheet_items(sheet.instrument) if i["applies"]]
    assert standing["missing"] == len(applying) - 1 and standing["wrong"] == 1
    assert standing["done"] == 0 and standing["total"] == len(applying)
    with pytest.raises(DomainError) as caught:
        operations.seal(
            session, world.expert(1), sheet=sheet, version=sheet.version,
            signed_name=world.expert(1).name,
        )  # fmt: skip
    assert f"{len(applying)} things are unfinished" in caught.value.text.en
    assert sheet.state == "draft" and sheet.receipt is None


def test_a_save_on_an_older_version_is_refused_and_overwrites_nothing(session, world, sitting):
    sheet = begin(session, world, sitting)
    item = first_points(sheet, "grade")
    save(session, world, sheet, {f"{item['id']}.mark": "1"})
    with pytest.raises(Conflict) as caught:
        save(session, world, sheet, {f"{item['id']}.mark": "2"}, version=0)
    assert "version 1" in caught.value.text.en
    assert sheet.entries[item["id"]]["value"]["mark"] == "1" and sheet.version == 1
    with pytest.raises(DomainError) as caught:
        save(session, world, sheet, {"no-such.mark": "2"})
    assert "no-such" in caught.value.text.en and sheet.version == 1


def test_sealing_freezes_the_sheet_and_the_receipt_is_the_leaf_of_the_ledger(
    session, world, sitting
):
    sheet = steps.sealed_sheet(session, sitting, world.expert(1))
    event = session.get(Event, sheet.receipt_seq)
    assert sheet.receipt == operations.receipt_code(event.leaf)
    assert re.fullmatch(r"[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}", sheet.receipt)
    opened = json.loads(session.get(Secret, event.seq).body)
    assert opened["kind"] == "sheet.sealed" and opened["data"]["sheet"] == sheet.id
    covered = {(table, key): value for table, key, value in opened["rows"]}
    assert covered["sheet", sheet.id] == sheet.ledger_digest()
    assert sheet.marked == queries.standing(sheet)["marked"] > 0
    before = (dict(sheet.entries), sheet.version)
    item = first_points(sheet, "grade")
    for call in (
        lambda: save(session, world, sheet, {f"{item['id']}.mark": "0"}),
        lambda: operations.seal(
            session,
            world.expert(1),
            sheet=sheet,
            version=sheet.version,
            signed_name=world.expert(1).name,
        ),  # fmt: skip
        lambda: operations.recuse(session, world.expert(1), sitting=sitting, reason="反悔了"),
        lambda: operations.mark_absent(
            session, world.people["office"], sitting=sitting, seat=sheet.seat, reason="抹掉"
        ),
    ):
        with pytest.raises(Conflict):
            call()
    assert (sheet.entries, sheet.version) == before and faults(session) == []


@pytest.mark.parametrize("name", ["", "虚拟专家02", "虚拟专家"])
def test_the_seal_needs_the_name_and_the_version_that_was_seen(session, world, sitting, name):
    sheet = begin(session, world, sitting)
    save(session, world, sheet, steps.complete_marks(sheet_items(sheet.instrument)))
    viewer = world.expert(1)
    with pytest.raises(DomainError) as caught:
        operations.seal(session, viewer, sheet=sheet, version=1, signed_name=name)
    assert caught.value.field == "signed_name"
    with pytest.raises(Conflict):
        operations.seal(session, viewer, sheet=sheet, version=0, signed_name=viewer.name)
    assert sheet.state == "draft"


def test_nobody_else_reaches_a_sheet(session, world, sitting):
    sheet = begin(session, world, sitting)
    others = [world.expert(2), world.desk.experts[0], *world.people.values(), *world.presenters]
    for viewer in others:
        with pytest.raises(NotFound):
            queries.own_sheet(session, viewer, sheet.id)
        for call in (
            lambda v=viewer: operations.save_draft(session, v, sheet=sheet, changes={}, version=0),
            lambda v=viewer: operations.seal(
                session, v, sheet=sheet, version=0, signed_name=v.name
            ),
            lambda v=viewer: operations.correct(session, v, sheet=sheet, reason="越权更正"),
        ):
            with pytest.raises(NotFound):
                call()
    assert sheet.version == 0


def test_a_correction_is_a_new_version_and_the_old_one_counts_until_it_is_sealed(
    session, world, sitting
):
    viewer = world.expert(1)
    old = steps.sealed_sheet(session, sitting, viewer)
    with pytest.raises(DomainError) as caught:
        operations.correct(session, viewer, sheet=old, reason="错 ")
    assert caught.value.field == "reason"
    new = operations.correct(session, viewer, sheet=old, reason="看错一页台账")
    assert (new.revision, new.supersedes_id, new.state) == (2, old.id, "draft")
    assert operations.correct(session, viewer, sheet=old, reason="又点了一次").id == new.id
    round_id = sitting.panel.round_id
    assert [s.id for s in queries.sealed_sheets(session, round_id)] == [old.id]
    low = steps.complete_marks(sheet_items(new.instrument), low=True)
    operations.save_draft(session, viewer, sheet=new, changes=low, version=0)
    assert old.entries != new.entries and old.state == "sealed"
    operations.seal(session, viewer, sheet=new, version=1, signed_name=viewer.name)
    assert (old.state, new.state) == ("superseded", "sealed")
    assert [s.id for s in queries.sealed_sheets(session, round_id)] == [new.id]
    assert new.receipt != old.receipt and new.marked < old.marked and faults(session) == []


def test_nobody_wipes_out_a_sealed_sheet_by_way_of_its_correction(session, world, sitting):
    viewer = world.expert(1)
    old = steps.sealed_sheet(session, sitting, viewer)
    operations.correct(session, viewer, sheet=old, reason="看错一页台账")
    with pytest.raises(Conflict):
        operations.recuse(session, viewer, sitting=sitting, reason="更正时退出")
    with pytest.raises(Conflict):
        operations.mark_absent(
            session, world.people["office"], sitting=sitting, seat=old.seat, reason="更正时缺席"
        )
    assert old.state == "sealed" and faults(session) == []
    for number in range(2, steps.SEATS + 1):
        steps.sealed_sheet(session, sitting, world.expert(number))
    operations.close_scoring(session, world.people["office"], sitting=sitting)
    counting = queries.sealed_sheets(session, sitting.panel.round_id)
    assert len(counting) == steps.SEATS and old in counting


def test_standing_aside_and_absence_are_states_with_a_reason_never_marks(session, world, sitting):
    sheet = begin(session, world, sitting)
    with pytest.raises(DomainError):
        operations.recuse(session, world.expert(1), sitting=sitting, reason=" ")
    gone = operations.recuse(session, world.expert(1), sitting=sitting, reason="为该区提供过咨询")
    assert gone.id == sheet.id and (gone.state, gone.marked) == ("recused", None)
    with pytest.raises(Forbidden):
        operations.mark_absent(
            session, world.people["supervisor"], sitting=sitting, seat=world.seat(session, 2),
            reason="越权",
        )  # fmt: skip
    missing = operations.mark_absent(
        session, world.people["office"], sitting=sitting, seat=world.seat(session, 2),
        reason="途中不适",
    )  # fmt: skip
    assert (missing.state, missing.marked, missing.entries) == ("absent", None, {})
    with pytest.raises(Conflict):
        operations.start_sheet(session, world.expert(2), sitting=world.sitting(session, 1))
    assert operations.start_sheet(session, world.expert(2), sitting=sitting).state == "absent"


def test_the_sitting_ends_when_every_active_seat_is_final(session, world, sitting):
    office = world.people["office"]
    for number in (1, 2, 3, 4, 5):
        steps.sealed_sheet(session, sitting, world.expert(number))
    begin(session, world, sitting, 6)
    with pytest.raises(Conflict) as caught:
        operations.close_scoring(session, office, sitting=sitting)
    assert "虚拟专家06、虚拟专家07" in caught.value.text.en
    operations.recuse(session, world.expert(6), sitting=sitting, reason="回避")
    operations.mark_absent(
        session, office, sitting=sitting, seat=world.seat(session, 7), reason="缺席"
    )
    operations.close_scoring(session, office, sitting=sitting)
    assert sitting.phase == "closed" and sitting.closed_at is not None
    sheet = queries.live_sheet(session, sitting, world.seat(session, 1))
    for call in (
        lambda: operations.correct(session, world.expert(1), sheet=sheet, reason="太晚了的更正"),
        lambda: begin(session, world, sitting, 1),
        lambda: operations.close_scoring(session, office, sitting=sitting),
    ):
        with pytest.raises(Conflict) as caught:
            call()
        assert "this sitting is over" in caught.value.text.en


def test_a_removed_seats_sheet_does_not_count_and_is_out_of_reach(session, world, sitting):
    sheet = steps.sealed_sheet(session, sitting, world.expert(1))
    draft = begin(session, world, sitting, 2)
    for number in (1, 2):
        world.seat(session, number).state = "removed"
    steps.append(session, None, "test.removed")
    session.flush()
    assert queries.sealed_sheets(session, sitting.panel.round_id) == []
    with pytest.raises(NotFound):
        queries.own_sheet(session, world.expert(1), sheet.id)
    with pytest.raises(NotFound):
        operations.save_draft(session, world.expert(2), sheet=draft, changes={}, version=0)
    assert queries.duties(session, world.expert(1)) == []


def test_the_leader_sees_sealed_or_not_the_office_counts_and_nobody_marks(session, world, sitting):
    panel = world.panel(session)
    steps.panels.set_leader(
        session, world.people["office"], panel=panel, seat=world.seat(session, 1)
    )
    steps.sealed_sheet(session, sitting, world.expert(2))
    draft = begin(session, world, sitting, 3)
    save(session, world, draft, steps.complete_marks(sheet_items(draft.instrument)), number=3)
    office = queries.progress(session, world.people["office"], sitting)
    total = queries.standing(draft)["total"]
    assert [(p.state, p.done, p.total) for p in office[:4]] == [
        ("not_begun", 0, None), ("sealed", total, total), ("draft", total, total),
        ("not_begun", 0, None),
    ]  # fmt: skip
    asked = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    for viewer in (world.expert(1), world.people["supervisor"]):
        asked.clear()
        rows = queries.progress(session, viewer, sitting)
        assert len(rows) == 7 and sum("FROM sheet" in sql for sql in asked) == 1, "not one a seat"
        assert [(p.state, p.done, p.total) for p in rows] == [
            ("unsealed", None, None), ("sealed", None, None), *[("unsealed", None, None)] * 5,
        ]  # fmt: skip
    for viewer in (world.expert(2), world.people["admin"], world.people["keeper"]):
        with pytest.raises(NotFound):
            queries.progress(session, viewer, sitting)


def test_each_save_is_one_sealed_leaf_of_one_length(session, world, sitting):
    sheet = begin(session, world, sitting)
    before = session.scalar(select(func.count()).select_from(Event))
    marks = steps.complete_marks(sheet_items(sheet.instrument))
    grade = first_points(sheet, "grade")["id"]
    for changes in ({}, {f"{grade}.mark": "1"}, {f"{grade}.reason": "长" * 1500}, marks):
        save(session, world, sheet, changes)
    leaves = session.scalars(select(Event).where(Event.seq >= before).order_by(Event.seq)).all()
    assert len(leaves) == 4
    assert {len(leaf.payload) for leaf in leaves} == {len(leaves[0].payload)}
    for leaf in leaves:
        shown = json.loads(leaf.payload)
        assert set(shown) == {"v", "kind", "digest"} and shown["kind"] == "sealed"
        assert sheet.id not in leaf.payload and world.expert(1).id not in leaf.payload
    begun = session.get(Event, before - 1)
    assert len(begun.payload) == len(leaves[0].payload), "beginning looks like saving"


def test_the_invariants_name_a_tampered_sheet(session, world, sitting):
    sheet = steps.sealed_sheet(session, sitting, world.expert(1))
    assert faults(session) == []
    sheet.marked += 1
    assert faults(session) == [f"sheet {sheet.id}: the stored sum differs from the marks"]
    sheet.marked -= 1
    receipt, sheet.receipt = sheet.receipt, "AAAA-AAAA-AAAA"
    assert faults(session) == [f"sheet {sheet.id}: its receipt does not fit the ledger"]
    sheet.receipt = receipt
    twin = Sheet(
        sitting_id=sheet.sitting_id, seat_id=sheet.seat_id, state="absent", revision=9,
        form_version_id=sheet.form_version_id, instrument=sheet.instrument,
        instrument_digest=sheet.instrument_digest, saved_at=sheet.saved_at,
    )  # fmt: skip
    session.add(twin)
    assert faults(session) == [
        f"sitting {sheet.sitting_id}, seat {sheet.seat_id}: more than one counting sheet"
    ]
    twin.state, twin.seat_id = "draft", world.desk.seats[0]
    assert faults(session) == [f"sheet {twin.id}: its seat is of another panel"]
    steps.append(session, None, "test.tampered")


def test_an_experts_page_leads_to_the_other_rounds_like_every_page(world, client_as):
    page = client_as(world.expert(1)).get(f"/r/{world.slug}/sheets").get_data(as_text=True)
    switch = re.search(r'<details class="switch">.*?</details>', page, re.S)
    assert switch is not None and 'class="field"' in page
    rows = re.findall(r'<li><a href="([^"]+)"( aria-current="true")?>', switch[0])
    assert {where: bool(here) for where, here in rows} == {
        f"/r/{world.slug}/home": True,
        f"/r/{world.other_slug}/home": False,
    }
