"""The seal of a tablet: complete, on what was seen, signed, with every photo there; taken back; stopped."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.models import Tablet
from app.domain.scoring.sheets import sheet_items
from app.field import branches, media
from app.field.media import Kept
from app.field.models import FieldOutcome, SheetSignature
from app.panel import recusals
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.field.test_field_branches import faults, second
from tests.field.test_field_push import opened, sheet_of
from tests.field.virtual import sha


def full(form):
    return steps.complete_marks([i for i in sheet_items(form) if i["applies"]])


def filled(database, world, number=1):
    tablet, key, form = opened(database, world)
    tablet.fill(key, full(form))
    tablet.push(database, world.expert(number))
    return tablet, key, form, sheet_of(database, world).entries


def photo(tablet, key, item, words):
    return tablet.do(
        key, "attach", item=item, sha256=sha(words), size=9, mime="image/jpeg", name="p.jpg",
        taken_at=None, place={"lat": "39.9", "lon": "116.4", "accuracy": "12"},
    )  # fmt: skip


def arrive(database, viewer, words):
    with database.write() as session:
        assert session.info["store"].keep(words.encode()) == sha(words)
        kept = Kept(sha(words), 9, "image/jpeg", sha(words), 9, "image/jpeg")
        media.record(session, viewer, kept, None)


def test_what_keeps_a_sheet_from_being_sealed(database, world):
    tablet, key, form = opened(database, world)
    viewer, marks = world.expert(1), full(form)
    names = list(marks)
    tablet.fill(key, {name: marks[name] for name in names[1:]})
    tablet.push(database, viewer)
    tablet.seal(key, viewer.name, sheet_of(database, world).entries)
    assert tablet.push(database, viewer)["receipts"][0]["why"] == "incomplete"
    tablet.fill(key, marks)
    tablet.push(database, viewer)
    entries = sheet_of(database, world).entries
    for wrong in (
        ("别人", entries, ()), (viewer.name, {}, ()), (viewer.name, entries, (sha("没有附上"),)),
    ):  # fmt: skip
        tablet.seal(key, *wrong)
        receipt = tablet.push(database, viewer)["receipts"][0]
        assert (receipt["status"], receipt["why"]) == ("refused", "invalid"), wrong
    tablet.put(key, names[0], "")
    tablet.push(database, viewer)
    short = sheet_of(database, world).entries
    tablet.seal(key, viewer.name, short)
    assert tablet.push(database, viewer)["receipts"][0]["why"] == "incomplete"
    assert sheet_of(database, world).state == "draft" and faults(database) == []


def test_a_seal_waits_for_its_photos_and_comes_about_with_the_last(database, world):
    tablet, key, form, entries = filled(database, world)
    viewer, item = world.expert(1), sheet_items(form)[0]["id"]
    photo(tablet, key, item, "一")
    photo(tablet, key, item, "二")
    photo(tablet, key, item, "三")
    tablet.do(key, "detach", item=item, sha256=sha("三"))
    tablet.seal(key, viewer.name, entries, [sha("一"), sha("二")])
    tablet.put(key, f"{item}.reason", "封存之后")
    answer = tablet.push(database, viewer)
    assert [(r["status"], r.get("why")) for r in answer["receipts"][4:]] == [
        ("held", "media"), ("refused", "sealed"),
    ]  # fmt: skip
    told = answer["sheets"][key]
    assert told["state"] == "draft" and told["media_pending"] == [sha("一"), sha("二")]
    arrive(database, viewer, "一")
    assert sheet_of(database, world).state == "draft"
    arrive(database, viewer, "二")
    sheet = sheet_of(database, world)
    assert sheet.state == "sealed" and sheet.receipt
    told = tablet.push(database, viewer, tablet.logs[key][-2:-1])
    assert told["receipts"][0] == {
        **answer["receipts"][4], "replayed": True,
    }, "the receipt stays what it was"  # fmt: skip
    assert told["sheets"][key]["receipt"] == sheet.receipt
    assert told["sheets"][key]["media_pending"] == []
    with database.read() as session:
        (signed,) = session.scalars(select(SheetSignature)).all()
        assert signed.sheet_id == sheet.id and signed.strokes == [[[1, 2, 3], [4, 5, 6]]]
        (outcome,) = session.scalars(select(FieldOutcome)).all()
        assert (outcome.status, outcome.leaf) == ("accepted", sheet.receipt_seq)
    assert faults(database) == []


def test_taking_back_is_a_new_version_with_the_same_entries_and_photos(database, world):
    tablet, key, form, entries = filled(database, world)
    viewer, item = world.expert(1), sheet_items(form)[0]["id"]
    arrive(database, viewer, "照片")
    photo(tablet, key, item, "照片")
    tablet.seal(key, viewer.name, entries, [sha("照片")])
    tablet.do(key, "withdraw", reason="短")
    tablet.do(key, "withdraw", reason="看错一页台账")
    tablet.put(key, f"{item}.reason", "更正后的理由")
    answer = tablet.push(database, viewer)
    assert [(r["status"], r.get("why")) for r in answer["receipts"]] == [
        ("accepted", None), ("accepted", None), ("refused", "invalid"), ("accepted", None),
        ("accepted", None),
    ]  # fmt: skip
    assert answer["receipts"][-1]["rev"] == 1 and answer["sheets"][key]["revision"] == 2
    new = sheet_of(database, world, 1)
    with database.read() as session:
        rows = session.scalars(select(Sheet).order_by(Sheet.revision)).all()
        assert [(r.state, r.revision) for r in rows] == [("sealed", 1), ("draft", 2)]
        new = rows[1].entries
    tablet.seal(key, viewer.name, new, [sha("照片")])
    assert tablet.push(database, viewer)["receipts"][0]["status"] == "accepted"
    with database.read() as session:
        rows = session.scalars(select(Sheet).order_by(Sheet.revision)).all()
        assert [r.state for r in rows] == ["superseded", "sealed"]
        assert rows[0].receipt != rows[1].receipt
    assert faults(database) == []


def test_a_seal_that_waits_can_be_taken_back_or_falls_with_a_take_over(database, world):
    tablet, key, form, entries = filled(database, world)
    viewer, item = world.expert(1), sheet_items(form)[0]["id"]
    photo(tablet, key, item, "不会来")
    tablet.seal(key, viewer.name, entries, [sha("不会来")])
    tablet.do(key, "withdraw", reason="照片拍错了")
    tablet.do(key, "detach", item=item, sha256=sha("不会来"))
    answer = tablet.push(database, viewer)
    assert [r["status"] for r in answer["receipts"]] == [
        "accepted", "held", "accepted", "accepted",
    ]  # fmt: skip
    photo(tablet, key, item, "也不会来")
    tablet.seal(key, viewer.name, entries, [sha("也不会来")])
    tablet.push(database, viewer)
    other = second(database, world, form)
    with database.write() as session:
        branches.take_over(session, viewer, session.get_one(Tablet, other.id), key)
    arrive(database, viewer, "也不会来")
    assert sheet_of(database, world).state == "draft", "the seal fell with the tablet"
    other.seal(key, viewer.name, entries, [sha("也不会来")])
    assert other.push(database, viewer)["receipts"][0]["status"] == "accepted"
    with database.read() as session:
        said = [(o.status, o.why) for o in session.scalars(select(FieldOutcome))]
    assert sorted(said) == [("refused", "taken_over"), ("refused", "withdrawn")]
    assert faults(database) == []


def test_a_conflict_on_the_spot_stops_the_sheet_and_tells_the_office(database, world):
    tablet, key, form, entries = filled(database, world)
    viewer = world.expert(1)
    tablet.do(key, "conflict", reason="现场才认出陈述人是亲属")
    tablet.seal(key, viewer.name, entries)
    answer = tablet.push(database, viewer)
    assert [(r["status"], r.get("why")) for r in answer["receipts"]] == [
        ("accepted", None), ("refused", "stopped"),
    ]  # fmt: skip
    assert sheet_of(database, world).state == "recused"
    assert answer["sheets"][key]["state"] == "recused"
    with database.read() as session:
        round_ = world.panel(session).round
        (found,) = recusals.recusals(session, world.people["office"], round_)
        assert found.seat.id == world.site.seats[0] and found.pending
    assert faults(database) == []
