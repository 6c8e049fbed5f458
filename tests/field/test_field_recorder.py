"""What the recorder's tablet brings besides words: papers, marks, the signature, and whose words it has seen."""

from __future__ import annotations

from sqlalchemy import select

from app.field import duties_recorder, media
from app.field.media import Kept
from app.panel import operations as panels
from app.panel.models import Sitting, Statement
from app.panel.models_statement import StatementFile, TimelineMark
from tests.field.test_field_branches import faults
from tests.field.test_field_unlock import planned
from tests.field.virtual import sha


def photo(desk, log, item, words):
    desk.do(
        log, "attach", item=item, sha256=sha(words), size=len(words.encode()), mime="image/jpeg",
        name="委托书.jpg", taken_at=None, place=None,
    )  # fmt: skip


def arrive(database, viewer, words):
    """The bytes of a photo, as the tablet sends them after their operation."""
    with database.write() as session:
        size = len(words.encode())
        session.info["store"].keep(words.encode())
        kept = Kept(sha(words), size, "image/jpeg", sha(words), size, "image/jpeg")
        media.record(session, viewer, kept, None)


def opened(desk, log):
    desk.do(log, "open", name="虚拟陈述", post="虚构职务", proxy="虚字1号")


def test_the_package_tells_the_steps_and_the_version_of_the_record(database, world):
    desk, _, key, form, _ = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    opened(desk, log)
    desk.do(log, "write", part="outline", text="要点")
    desk.push(database, office)
    with database.read() as session:
        duties = {d["sitting"]: d for d in duties_recorder.statements(session, office)}
    told = [(s["zh"], s["minutes"], s["hard"]) for s in duties[key]["steps"]]
    assert told and told == [
        (s["title"]["zh"], int(s["minutes"]), s["hard_limit"]) for s in form["steps"]
    ]
    assert duties[key]["statement"]["rev"] == 2
    assert [d["statement"] for d in duties.values()].count(None) == 2


def test_papers_are_filed_whatever_comes_first(database, world):
    desk, _, key, _, secret = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    photo(desk, log, "proxy", "先拍的委托书")
    desk.push(database, office)
    arrive(database, office, "先拍的委托书")
    files = select(StatementFile).order_by(StatementFile.added_at, StatementFile.kind)
    with database.read() as session:
        assert session.scalars(files).all() == []  # nothing to file it with yet
    opened(desk, log)
    photo(desk, log, "attachment", "后拍的图纸")
    photo(desk, log, "attachment", "后拍的图纸")
    desk.do(log, "write", part="outline", text="要点")
    desk.do(log, "close", secret=secret, confirmed_name=None, signature=None,
            unconfirmed="absent", note=None)  # fmt: skip
    said = desk.push(database, office)["receipts"]
    assert {r["status"] for r in said} == {"accepted"}
    arrive(database, office, "后拍的图纸")  # after the closing
    arrive(database, world.expert(1), "别人的照片")
    with database.read() as session:
        found = [(row.kind, row.sha256) for row in session.scalars(files)]
    assert found == [("proxy", sha("先拍的委托书")), ("attachment", sha("后拍的图纸"))]
    assert faults(database) == []


def test_marks_stand_on_the_timeline_by_the_tablet_s_clock(database, world):
    desk, _, key, _, _ = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    desk.do(log, "mark", at_ms=0, words="▶1 现场陈述")
    opened(desk, log)
    desk.do(log, "mark", at_ms=61000, words="第一问")
    desk.do(log, "mark", at_ms=62000, words="▶2 质询")
    said = desk.push(database, office)["receipts"]
    assert {r["status"] for r in said} == {"accepted"}
    with database.read() as session:
        rows = session.scalars(select(TimelineMark).order_by(TimelineMark.place)).all()
        assert [(row.place, row.words) for row in rows] == [(1, "第一问"), (2, "▶2 质询")]
        assert all(row.recording_id is None and row.kind == "note" for row in rows)
    assert faults(database) == []


def test_the_signature_is_kept_with_the_statement(database, world):
    desk, _, key, _, secret = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    opened(desk, log)
    desk.do(log, "write", part="outline", text="要点")
    strokes = [[[1, 2, 0], [3, 4, 16]]]
    desk.do(log, "close", secret=secret, confirmed_name="虚拟陈述", signature=strokes,
            unconfirmed=None, note=None)  # fmt: skip
    desk.push(database, office)
    with database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert (row.confirmed_name, row.signature, row.unconfirmed) == ("虚拟陈述", strokes, None)
        assert row.confirmed_at is not None and row.closed_at is not None
    assert faults(database) == []


def test_words_seen_since_may_be_written_over_and_unseen_ones_not(database, world):
    """`base` is the version whose words the tablet has: after it took the package along again."""
    desk, _, key, _, _ = planned(database, world)
    office, log = world.people["office"], f"statement/{key}"
    opened(desk, log)
    desk.do(log, "write", part="outline", text="平板写的")
    desk.push(database, office)
    with database.write() as session:
        panels.record_statement(
            session, world.people["office2"], sitting=session.get_one(Sitting, key),
            outline="网页改的", questions="网页问的", version=2,
        )  # fmt: skip
    desk.do(log, "write", base=2, part="outline", text="没看过网页")
    desk.do(log, "write", base=3, part="outline", text="看过网页再写")
    desk.do(log, "write", base=3, part="outline", text="又写")
    said = desk.push(database, office)["receipts"]
    assert [(r["status"], r.get("why")) for r in said] == [
        ("refused", "stale"), ("accepted", None), ("accepted", None),
    ]  # fmt: skip
    with database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert (row.outline, row.questions, row.version) == ("又写", "网页问的", 5)
    assert faults(database) == []
