"""Recordings of a statement: pieces, the whole, the timeline, and who may listen."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.domain.types import Conflict, DomainError, NotFound
from app.files.chunks import CHUNK
from app.ledger.models import Event, Secret
from app.panel import bookmarks, operations, recordings
from app.panel.invariants import INVARIANTS
from app.panel.models import Statement
from app.panel.models_statement import Listening, Recording
from tests.attacks import world as steps
from tests.field.recordings import noise, parts, sha


@pytest.fixture
def room(app, world):
    """(address of the sitting, its id): a statement under way, consent on record."""
    with app.extensions["mingjian.db"].write() as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        operations.consent(session, world.presenters[0], sitting=sitting)
        return f"/r/{world.slug}/sittings/{sitting.id}", sitting.id


def seconds(data: bytes, size: int = 4000) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def put(client, where, whole: bytes, number: int = 0, data: bytes | None = None, **headers):
    data = whole if data is None else data
    return client.put(
        f"{where}/pieces/{sha(whole)}/{number}?size={len(whole)}",
        data=data,
        headers={"X-Chunk-SHA256": sha(data), **headers},
    )


def announced(told: list[bytes], **more):
    began = clock.now() - timedelta(seconds=len(told))
    return {
        "origin": "recorded", "pieces": [[sha(p), len(p)] for p in told],
        "sha256": sha(b"".join(told)), "duration_ms": 1000 * len(told),
        "began_at": began.isoformat(),
        "marks": [
            {"kind": "pause", "at_ms": 2000, "at": (began + timedelta(seconds=2)).isoformat()},
            {"kind": "resume", "at_ms": 2000, "at": (began + timedelta(seconds=5)).isoformat()},
        ],
        **more,
    }  # fmt: skip


def kept(app):
    with app.extensions["mingjian.db"].read() as session:
        return session.scalars(select(Recording)).all()


def test_pieces_are_put_together_checked_and_on_record(client_as, world, app, room):
    where, sitting_id = room
    presenter = client_as(world.presenters[0])
    pieces = seconds(noise(30_500))
    for piece in pieces[:-2]:
        assert put(presenter, where, piece).json == {"have": [True]}
    early = presenter.post(f"{where}/recordings", json=announced(pieces))
    assert early.status_code == 409
    assert early.json["error"]["missing"] == [len(pieces) - 2, len(pieces) - 1]
    for piece in pieces[-2:]:
        put(presenter, where, piece)
    wrong = presenter.post(f"{where}/recordings", json=announced(pieces, sha256="ab" * 32))
    assert (wrong.status_code, wrong.json["error"]["code"]) == (422, "whole")
    assert kept(app) == []
    done = presenter.post(f"{where}/recordings", json=announced(pieces))
    assert done.status_code == 201
    again = presenter.post(f"{where}/recordings", json=announced(pieces))  # a lost answer
    assert again.status_code == 201 and len(kept(app)) == 1
    row = kept(app)[0]
    assert (row.sha256, row.pieces, row.duration_ms) == (sha(noise(30_500)), 8, 8000)
    assert row.mime == "audio/webm"
    with app.extensions["mingjian.db"].read() as session:
        entries = [json.loads(e.payload) for e in session.scalars(select(Event))]
        (entry,) = [e for e in entries if e["kind"] == "recording.kept"]
        assert entry["data"]["sha256"] == row.sha256 and entry["data"]["marks"] == 2
        assert ["statement_recording", row.id] in [r[:2] for r in entry["rows"]]
    assert not list((app.extensions["mingjian.store"].root / "chunks").glob("*/*"))


def test_no_consent_no_recording_and_nobody_elses_county(client_as, world, app, room):
    where, sitting_id = room
    with app.extensions["mingjian.db"].write() as session:
        second = steps.gather(session, world, 1)
        steps.speak(session, world, second, close=False)
        other = f"/r/{world.slug}/sittings/{second.id}"
    piece = noise(900)
    assert put(client_as(world.presenters[1]), where, piece).status_code == 404
    refused = put(client_as(world.presenters[1]), other, piece)
    assert refused.status_code == 409 and "同意" in refused.json["error"]["text"]
    for role in ("supervisor", "keeper", "admin"):
        assert put(client_as(role), where, piece).status_code == 403
    office = client_as(world.people["office"])
    damaged = office.put(
        f"{where}/pieces/{sha(piece)}/0?size=900", data=piece, headers={"X-Chunk-SHA256": "0" * 64}
    )
    assert (damaged.status_code, damaged.json["error"]["code"]) == (422, "chunk")
    huge = office.put(
        f"{where}/pieces/{sha(piece)}/0?size={201 * 1024 * 1024}", data=piece,
        headers={"X-Chunk-SHA256": sha(piece)},
    )  # fmt: skip
    assert huge.status_code == 413


def test_the_key_that_guards_a_waiting_recording_is_one_persons(client_as, world, room):
    where, _ = room
    presenter, office = client_as(world.presenters[0]), client_as(world.people["office"])
    told = presenter.get(f"{where}/recording-key")
    assert told.status_code == 200 and re.fullmatch("[0-9a-f]{64}", told.json["key"])
    assert told.headers["Cache-Control"] == "no-store"
    again = client_as(world.presenters[0]).get(f"{where}/recording-key")
    assert again.json == told.json, "a new session opens what the last one kept"
    assert office.get(f"{where}/recording-key").json["key"] != told.json["key"]
    assert client_as(world.presenters[1]).get(f"{where}/recording-key").status_code == 404
    assert client_as(world.expert(1)).get(f"{where}/recording-key").status_code in (403, 404)


def test_a_file_comes_in_parts_and_must_be_sound(client_as, world, app, room):
    where, _ = room
    office = client_as(world.people["office"])
    whole = noise(CHUNK + 1000)
    first, second = parts(whole)
    assert put(office, where, whole, 1, second).json == {"have": [False, True]}
    have = office.get(f"{where}/pieces/{sha(whole)}?size={len(whole)}")
    assert have.json == {"have": [False, True]}
    assert put(office, where, whole, 0, first).json == {"have": [True, True]}
    body = {
        "origin": "uploaded", "pieces": [[sha(whole), len(whole)]], "sha256": sha(whole),
        "name": "../陈述.exe",
    }  # fmt: skip
    assert office.post(f"{where}/recordings", json=body).status_code == 201
    (row,) = kept(app)
    assert (row.origin, row.duration_ms, row.name) == ("uploaded", None, "陈述_exe.webm")
    page = b"<html><script>1</script>" * 20_000
    assert put(office, where, page, 0, parts(page)[0]).status_code == 422
    small = b"<html><script>1</script>"
    put(office, where, small)
    body |= {"pieces": [[sha(small), len(small)]], "sha256": sha(small)}
    assert office.post(f"{where}/recordings", json=body).status_code == 422
    assert len(kept(app)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"pieces": []}, {"pieces": [["x", 1]]}, {"origin": "dreamt"}, {"began_at": "2012-01-01"},
        {"marks": [{"kind": "mood", "at_ms": 1, "at": "2012-01-01T00:00:00Z"}]}, {"duration_ms": -1},
        {"marks": 5}, {"pieces": [["ab" * 32, True]]},
    ],
)  # fmt: skip
def test_malformed_lists_are_refused(change):
    with pytest.raises(DomainError):
        recordings.listed(announced([noise(500)], **change))


def test_listening_is_on_record_and_by_range(client_as, world, app, room):
    where, sitting_id = room
    office = client_as(world.people["office"])
    pieces = seconds(noise(9_000))
    for piece in pieces:
        put(office, where, piece)
    assert office.post(f"{where}/recordings", json=announced(pieces)).status_code == 201
    recording = kept(app)[0].id
    heard = {}
    for name, who in (
        ("expert", world.expert(1)), ("office", world.people["office"]),
        ("supervisor", world.people["supervisor"]),
        ("presenter", world.presenters[0]),
    ):  # fmt: skip
        client = client_as(who)
        opened = client.post(f"{where}/recordings/{recording}/listen")
        assert opened.status_code == 303
        page = opened.headers["Location"]
        assert f"{page}/sound" in client.get(page).text
        part = client.get(f"{page}/sound", headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.data) == (206, noise(9_000)[100:200])
        assert part.headers["Content-Range"] == "bytes 100-199/9000"
        heard[name] = page
    assert client_as(world.expert(2)).get(heard["expert"]).status_code == 404
    assert client_as(world.people["office"]).get(f"{heard['supervisor']}/sound").status_code == 404
    foreign = client_as(world.presenters[1]).post(f"{where}/recordings/{recording}/listen")
    assert foreign.status_code == 404
    keeper = client_as("keeper").post(f"{where}/recordings/{recording}/listen")
    assert keeper.status_code == 403
    with app.extensions["mingjian.db"].read() as session:
        assert len(session.scalars(select(Listening)).all()) == 4
        opened = [json.loads(s.body) for s in session.scalars(select(Secret))]
        assert sum(body["kind"] == "recording.opened" for body in opened) == 4
        kinds = {json.loads(e.payload)["kind"] for e in session.scalars(select(Event))}
        assert "recording.opened" not in kinds  # the ledger shows nobody's activity
    assert "虚拟专家01" in client_as(world.people["supervisor"]).get(f"{where}/room").text
    assert (
        "查听登记" not in client_as(world.people["office"]).get(f"{where}/room").text
    )  # scoring is not over
    with (
        clock.fixed(clock.now() + timedelta(hours=5)),
        app.extensions["mingjian.db"].read() as session,
    ):
        sitting = world.sitting(session)
        with pytest.raises(NotFound):
            recordings.listening(
                session, world.expert(1), sitting, heard["expert"].rsplit("/", 1)[1]
            )


def test_an_expert_without_declarations_hears_nothing(client_as, world, app):
    with app.extensions["mingjian.db"].write() as session:
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        operations.consent(session, world.presenters[0], sitting=sitting)
        where = f"/r/{world.slug}/sittings/{sitting.id}"
    office = client_as(world.people["office"])
    piece = noise(700)
    put(office, where, piece)
    assert office.post(f"{where}/recordings", json=announced([piece], marks=[])).status_code == 201
    recording = kept(app)[0].id
    expert = client_as(world.expert(1))
    assert expert.post(f"{where}/recordings/{recording}/listen").status_code == 404
    assert "听录音" not in expert.get(f"{where}/room").text
    assert expert.post(f"{where}/bookmarks", data={}).status_code == 403


def test_a_crash_after_the_close_may_still_arrive_but_nothing_new(client_as, world, app, room):
    where, sitting_id = room
    office, piece, late = client_as(world.people["office"]), noise(700), noise(701, 2)
    for data in (piece, late):
        put(office, where, data)
    body = announced([piece], marks=[])
    with app.extensions["mingjian.db"].write() as session:
        sitting = world.sitting(session)
        operations.confirm_statement(session, world.presenters[0], sitting=sitting)
        operations.close_statement(session, world.people["office"], sitting=sitting)
    after = clock.now() + timedelta(seconds=1)
    fresh = announced([late], marks=[], began_at=after.isoformat())
    assert office.post(f"{where}/recordings", json=fresh).status_code == 409
    filed = {"origin": "uploaded", "pieces": [[sha(late), 701]], "sha256": sha(late), "name": "x"}
    assert office.post(f"{where}/recordings", json=filed).status_code == 409
    assert office.post(f"{where}/recordings", json=body).status_code == 201
    assert "陈述结束后收到" in office.get(f"{where}/room").text


def test_bookmarks_find_their_place_and_stay_ones_own(client_as, world, app, room):
    where, sitting_id = room
    database = app.extensions["mingjian.db"]
    began = clock.now()
    with database.write() as session:
        sitting = world.sitting(session)
        for after, words in ((1.5, "甲"), (4, "暂停中"), (6, "乙")):
            with clock.fixed(began + timedelta(seconds=after)):
                bookmarks.add_bookmark(
                    session, world.expert(1), sitting=sitting, item="P1", words=words
                )
        with clock.fixed(began + timedelta(seconds=7)):
            bookmarks.add_bookmark(session, world.expert(2), sitting=sitting, words="他人的")
    piece = noise(700)
    office = client_as(world.people["office"])
    put(office, where, piece)
    body = announced(
        [piece], began_at=began.isoformat(), duration_ms=10_000,
        marks=[
            {"kind": "pause", "at_ms": 2000, "at": (began + timedelta(seconds=2)).isoformat()},
            {"kind": "resume", "at_ms": 2000, "at": (began + timedelta(seconds=5)).isoformat()},
        ],
    )  # fmt: skip
    assert office.post(f"{where}/recordings", json=body).status_code == 201
    with database.read() as session:
        sitting = world.sitting(session)
        heard = recordings.recordings(session, session.scalars(select(Statement)).one())
        see = lambda who: bookmarks.bookmarks(session, who, sitting, heard)  # noqa: E731
        assert [(m.row.words, m.at_ms) for m in see(world.expert(1))] == [
            ("甲", 1500), ("暂停中", 2000), ("乙", 3000),
        ]  # fmt: skip
        assert [m.row.words for m in see(world.expert(2))] == ["他人的"]
        for nobody in (world.people["office"], world.people["supervisor"], world.presenters[0]):
            assert see(nobody) == []
    assert "他人的" not in client_as(world.expert(1)).get(f"{where}/room").text
    for who in (world.people["office"], world.people["supervisor"], world.presenters[0]):
        assert "他人的" not in client_as(who).get(f"{where}/room").text
    with database.write() as session:
        world.sitting(session).phase = "closed"
        steps.append(session, None, "test.closed")
    assert "他人的" in client_as(world.expert(1)).get(f"{where}/room").text
    assert "他人的" in client_as(world.people["office"]).get(f"{where}/room").text
    assert "他人的" not in client_as(world.presenters[0]).get(f"{where}/room").text


def test_the_same_recording_twice_is_once_and_conflicts_are_told(session, world):
    sitting = steps.gather(session, world)
    with pytest.raises(Conflict, match="陈述未在进行"):
        recordings.statement_to_record(session, world.people["office"], sitting)


def test_doctor_finds_what_is_gone(client_as, world, app, room):
    where, _ = room
    office, piece = client_as(world.people["office"]), noise(700)
    put(office, where, piece)
    assert office.post(f"{where}/recordings", json=announced([piece], marks=[])).status_code == 201
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        sitting = world.sitting(session)
        operations.confirm_statement(session, world.presenters[0], sitting=sitting)
        operations.close_statement(session, world.people["office"], sitting=sitting)
    with database.read() as session:
        assert [say.en for _, check in INVARIANTS for say in check(session)] == []
    app.extensions["mingjian.store"].path(sha(piece)).unlink()
    with database.write() as session:
        row = session.scalars(select(Statement)).one()
        row.consent_at, row.receipt = None, "AAAA-AAAA-AAAA"
        steps.append(session, None, "test.broken")
    with database.read() as session:
        said = " ".join(say.en for _, check in INVARIANTS for say in check(session))
    for wanted in ("no consent", "not in the store", "does not fit the ledger"):
        assert wanted in said
