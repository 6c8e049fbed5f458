"""The timeline of a statement stands on its page with or without a recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app import clock
from app.ledger.append import append
from app.panel import agenda, operations, recordings, timeline
from app.panel.models import Statement
from app.panel.models_statement import Recording, TimelineMark
from tests.attacks import world as steps

START = datetime(2012, 11, 12, 1, tzinfo=UTC)


def minute(n):
    return START + timedelta(minutes=n)


def spoken(session, world):
    """A statement under way with a tablet's marks and an agenda, no sound."""
    office = world.people["office"]
    steps.declare(session, world)
    sitting = steps.gather(session, world)
    with clock.fixed(minute(0)):
        row = operations.open_statement(
            session, office, sitting=sitting, presenter_name="虚拟陈述", presenter_post="虚构职务",
            proxy="",
        )  # fmt: skip
    for place, (n, words) in enumerate(
        [(3, "▶1 现场陈述"), (4, "第一问"), (5, "⏸1 现场陈述"), (6, "■")], 1
    ):
        session.add(
            TimelineMark(statement_id=row.id, place=place, kind="note", at=minute(n), words=words)
        )
    append(session, office, "test.marked")
    return sitting, row


def told(session, sitting, row):
    heard = recordings.recordings(session, row)
    return [
        (int((e.at - START).total_seconds()), e.kind.en, e.words.en, e.recording, e.at_ms)
        for e in timeline.timeline(session, sitting, row, heard)
    ]


def test_marks_and_agenda_stand_without_any_recording(session, world):
    sitting, row = spoken(session, world)
    office = world.people["office"]
    assert timeline.timeline(session, sitting, None, []) == []
    with clock.fixed(minute(10)):
        agenda.act(session, office, sitting=sitting, what="start", version=0)
    with clock.fixed(minute(12)):
        agenda.act(session, office, sitting=sitting, what="go", version=1, position=1)
    titles = [step["en"] for step in agenda.run_of(session, sitting).steps]
    assert told(session, sitting, row) == [
        (180, "agenda", "step 1 began: 现场陈述", None, None),
        (240, "recorder's mark", "第一问", None, None),
        (300, "agenda", "step 1 paused: 现场陈述", None, None),
        (360, "agenda", "the agenda is over", None, None),
        (600, "agenda", f"step 1 began: {titles[0]}", None, None),
        (720, "agenda", "step 1 ended after 2 min 0 s", None, None),
        (720, "agenda", f"step 2 began: {titles[1]}", None, None),
    ]
    with clock.fixed(minute(13)):
        agenda.act(session, office, sitting=sitting, what="end", version=2)
    assert told(session, sitting, row)[-1][2] == "step 2 ended after 1 min 0 s"


def test_with_a_recording_each_has_its_place_in_the_sound(session, world):
    sitting, row = spoken(session, world)
    session.add(
        Recording(
            statement_id=row.id, origin="recorded", sha256="a" * 64, manifest="b" * 64, pieces=1,
            size=1, mime="audio/webm", duration_ms=150_000, began_at=minute(2),
            account_id=world.people["office"].id, arrived_at=minute(9),
        )
    )  # fmt: skip
    session.flush()
    sound = session.scalars(select(Recording)).one()
    session.add(
        TimelineMark(
            statement_id=row.id, recording_id=sound.id, place=0, kind="mute", at_ms=30_000,
            at=minute(2.5), words="",
        )
    )  # fmt: skip
    append(session, None, "test.sound")
    session.expire_all()
    assert [line[0::3][:1] + line[3:] for line in told(session, sitting, row)] == [
        (150, 1, 30_000), (180, 1, 60_000), (240, 1, 120_000), (300, None, None),
        (360, None, None),
    ]  # fmt: skip
    assert told(session, sitting, row)[0][1:3] == (
        "recording 1", "microphone muted or interrupted",
    )  # fmt: skip


def test_the_statements_page_shows_it(app, world, client_as):
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        sitting, _ = spoken(session, world)
        where = f"/r/{sitting.panel.round.slug}/sittings/{sitting.id}/room"
        session.scalars(select(Statement)).one()
    for who in ("office", "supervisor"):
        page = client_as(world.people[who]).get(where).get_data(as_text=True)
        assert "时间线" in page and "第一问" in page and "第 1 环节开始：现场陈述" in page
        assert "议程结束" in page
