"""Photos and recordings: pieces that survive kills and full disks, and what is kept of a photo."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from app.field import media
from app.field.models_media import MediaFile
from app.files import chunks as pieces
from app.files.chunks import CHUNK, Chunks
from app.files.kinds import WEBM
from app.files.metadata import carries_metadata
from app.ledger import prove
from tests.field.recordings import noise, parts, photo, sha


def send(tablet: Any, data: bytes, number: int, *, name: str | None = None, **changed: Any) -> Any:
    """One piece over the interface, as the tablet does."""
    piece = changed.get("piece", parts(data)[number])
    return tablet.client.put(
        f"/field/api/media/{name or sha(data)}/{number}?size={changed.get('size', len(data))}",
        data=piece,
        headers={
            "X-Chunk-SHA256": changed.get("digest", sha(piece)),
            "X-CSRFToken": tablet.csrf,
            "Content-Type": "application/octet-stream",
        },
    )


def have(tablet: Any, data: bytes) -> Any:
    return tablet.get(f"/field/api/media/{sha(data)}/have?size={len(data)}").json


def send_all(tablet: Any, data: bytes) -> Any:
    answer = None
    for number in range(len(parts(data))):
        answer = send(tablet, data, number)
        assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer


@pytest.fixture
def tablet(bind: Any, world: Any, app: Any) -> Any:
    app.config["WTF_CSRF_ENABLED"] = True
    return bind(world.expert(1))


def rows(app: Any) -> list[MediaFile]:
    with app.extensions["mingjian.db"].read() as session:
        return list(session.scalars(select(MediaFile)))


def test_pieces_in_any_order_and_twice_make_the_file_once(app, tablet, keys):
    data = noise(3 * CHUNK + 5)
    assert have(tablet, data) == {"chunks": [False] * 4, "complete": False}
    assert send(tablet, data, 2).json == {"chunks": [False, False, True, False], "complete": False}
    assert send(tablet, data, 2).status_code == 200
    send(tablet, data, 3)
    send(tablet, data, 0)
    assert rows(app) == []
    assert send(tablet, data, 1).json == {"chunks": [True] * 4, "complete": True}
    assert send(tablet, data, 1).json["complete"], "again after the end is no fault"
    assert have(tablet, data) == {"chunks": [True] * 4, "complete": True}
    (row,) = rows(app)
    assert (row.sha256, row.size, row.mime) == (sha(data), len(data), WEBM)
    assert (row.kept_sha256, row.kept_size) == (sha(data), len(data))
    assert row.tablet_id == tablet.id
    store = app.extensions["mingjian.store"]
    assert store.path(sha(data)).read_bytes() == data
    assert not any((store.root / "chunks" / row.account_id).iterdir()), "the pieces are gone"
    with app.extensions["mingjian.db"].read() as session:
        assert prove.verify(session, keys).faults == []
    own = tablet.get(f"/field/api/media/{sha(data)}")
    assert own.get_data() == data
    assert own.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    part = tablet.get(f"/field/api/media/{sha(data)}", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.get_data()) == (206, data[5:10])


def test_every_wrong_piece_is_refused_by_its_code_and_keeps_nothing(app, tablet):
    data = noise(CHUNK + 100)
    first, last = parts(data)
    wrong = [
        (send(tablet, data, 0, digest="0" * 64), 422, "chunk"),
        (send(tablet, data, 0, piece=first[:-1]), 422, "chunk"),
        (send(tablet, data, 1, piece=last + b"x"), 422, "chunk"),
        (send(tablet, data, 0, piece=first + b"x"), 413, "too_large"),
        (send(tablet, data, 0, name="../" + "a" * 61), 404, "absent"),
        (send(tablet, data, 0, name="A" * 64), 422, "invalid"),
        (send(tablet, data, 0, size=0), 422, "invalid"),
        (send(tablet, data, 0, size="x"), 422, "invalid"),
        (send(tablet, data, 0, size=media.MAX_RECORDING + 1), 413, "too_large"),
    ]
    for answer, status, code in wrong:
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    beyond = tablet.client.put(
        f"/field/api/media/{sha(data)}/2?size={len(data)}", data=b"x",
        headers={"X-Chunk-SHA256": sha(b"x"), "X-CSRFToken": tablet.csrf},
    )  # fmt: skip
    assert (beyond.status_code, beyond.json["error"]["code"]) == (422, "chunk")
    stale = tablet.client.put(f"/field/api/media/{sha(data)}/0?size={len(data)}", data=first)
    assert (stale.status_code, stale.json["error"]["code"]) == (400, "stale")
    assert have(tablet, data) == {"chunks": [False, False], "complete": False}
    assert send_all(tablet, data).json["complete"]


def test_true_pieces_of_another_file_are_dropped_and_the_right_one_still_comes(app, tablet):
    data = noise(CHUNK + 100)
    lie = noise(CHUNK + 100, seed=2)
    send(tablet, data, 0)
    answer = send(tablet, lie, 1, name=sha(data))
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "whole")
    assert have(tablet, data)["chunks"] == [False, False]
    assert send_all(tablet, data).json["complete"]
    assert [row.sha256 for row in rows(app)] == [sha(data)]
    assert not app.extensions["mingjian.store"].has(sha(lie))


def test_a_photo_with_metadata_is_kept_as_pixels_under_the_name_that_the_tablet_knows(app, tablet):
    data = photo(place=True)
    assert b"SecretCamera" in data
    assert send_all(tablet, data).json["complete"]
    (row,) = rows(app)
    assert row.sha256 == sha(data) != row.kept_sha256
    served = tablet.get(f"/field/api/media/{sha(data)}").get_data()
    assert sha(served) == row.kept_sha256
    assert b"SecretCamera" not in served and not carries_metadata(served, "image/jpeg")
    assert Image.open(io.BytesIO(served)).size == (320, 240)
    store = app.extensions["mingjian.store"]
    assert not store.has(sha(data)), "the bytes with the place are not kept anywhere"
    left = [path for path in store.root.rglob("*") if path.is_file()]
    assert not any(b"SecretCamera" in path.read_bytes() for path in left)


def test_a_photo_without_metadata_is_kept_byte_for_byte(app, tablet):
    data = photo(place=False)
    send_all(tablet, data)
    (row,) = rows(app)
    assert row.sha256 == row.kept_sha256 == sha(data)
    assert tablet.get(f"/field/api/media/{sha(data)}").get_data() == data


def test_kinds_by_content_and_limits(app, tablet):
    for data, status, code in (
        (b"%PDF-1.4 " + b"x" * 100, 415, "kind"),
        (b"<html><script>" + b"x" * 100, 415, "kind"),
        (b"MZ" + bytes(100), 415, "kind"),
        (photo(place=False)[:400], 415, "kind"),  # cut off
        (photo(place=False) + b"<script>alert(1)</script>", 415, "kind"),
    ):
        answer = send(tablet, data, 0)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
        assert have(tablet, data)["chunks"] == [False]
    large = b"\xff\xd8\xff\xe0" + bytes(CHUNK - 4)
    answer = send(tablet, large, 0, size=media.MAX_PHOTO + 1)
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    assert "12" in answer.json["error"]["text"]
    assert rows(app) == []


def test_a_large_photo_whose_head_comes_last_is_refused_then(tablet, app, monkeypatch):
    monkeypatch.setattr(media, "MAX_PHOTO", CHUNK)
    data = photo(place=False, size=(900, 700))
    assert len(data) > CHUNK
    for number in range(len(parts(data)) - 1, 0, -1):
        assert send(tablet, data, number).status_code == 200
    assert send(tablet, data, 0).json["error"]["code"] == "too_large"
    assert rows(app) == []


def test_an_account_has_a_quota_of_what_came_and_what_is_under_way(tablet, app, monkeypatch):
    monkeypatch.setattr(media, "QUOTA", 3 * CHUNK)
    first = noise(2 * CHUNK, 1)
    send_all(tablet, first)
    under_way = noise(CHUNK, 2)
    assert send(tablet, noise(CHUNK + 1, 3), 0).json["error"]["code"] == "quota"
    assert send_all(tablet, under_way).json["complete"]
    refused = send(tablet, noise(20, 4), 0)
    assert (refused.status_code, refused.json["error"]["code"]) == (413, "quota")
    assert send(tablet, first, 0).json["complete"], "what has come stays and says so"


def test_what_is_promised_counts_before_it_comes(tablet, monkeypatch):
    monkeypatch.setattr(media, "QUOTA", 3 * CHUNK)
    begun = noise(2 * CHUNK, 1)
    assert send(tablet, begun, 0).status_code == 200
    assert send(tablet, noise(2 * CHUNK, 2), 0).json["error"]["code"] == "quota"
    assert send(tablet, begun, 1).json["complete"]


def test_a_disk_that_is_nearly_full_says_so_and_loses_nothing(tablet, app, monkeypatch):
    data = noise(2 * CHUNK)
    assert send(tablet, data, 0).status_code == 200
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(
        pieces.shutil, "disk_usage", lambda _p: usage._replace(free=pieces.MIN_FREE - 1)
    )
    answer = send(tablet, data, 1)
    assert (answer.status_code, answer.json["error"]["code"]) == (507, "full")
    assert "都在" in answer.json["error"]["text_zh"] and "kept" in answer.json["error"]["text_en"]
    monkeypatch.undo()
    assert have(tablet, data)["chunks"] == [True, False]
    assert send(tablet, data, 1).json["complete"]
    assert len(rows(app)) == 1


@pytest.mark.parametrize("at", ["write", "fsync", "replace", "put"])
def test_no_space_at_any_step_is_507_and_resumable(tablet, app, monkeypatch, at):
    data = noise(2 * CHUNK)
    assert send(tablet, data, 0).status_code == 200

    def refuse(*_args: Any, **_kw: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as fault:
        if at == "write":
            fault.setattr(tempfile, "mkstemp", refuse)
        elif at == "put":
            fault.setattr("app.files.store.tempfile.mkstemp", lambda **kw: refuse())
            real = pieces.Chunks._write
            fault.setattr(pieces.Chunks, "_write", lambda *a: _plain_write(*a[1:]))
            assert real is not None
        else:
            fault.setattr(pieces.os, at, refuse)
        answer = send(tablet, data, 1)
    assert (answer.status_code, answer.json["error"]["code"]) == (507, "full")
    assert rows(app) == []
    tmp = app.extensions["mingjian.store"].root / "tmp"
    assert list(tmp.iterdir()) == []
    assert have(tablet, data)["chunks"] == [True, at == "put"]
    assert send(tablet, data, 1).json["complete"]
    assert len(rows(app)) == 1


def _plain_write(folder: Path, number: int, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(number)).write_bytes(data)


STEPS = ["mkstemp", "fsync", "replace", "_sync_directory", "put", "record", "drop"]


@pytest.mark.parametrize("at", STEPS)
def test_a_fault_at_each_step_leaves_what_can_be_gone_on_with(tablet, app, monkeypatch, at):
    """The last piece arrives and the process dies at `at`; the next try completes the file."""
    data = noise(CHUNK + 10)
    assert send(tablet, data, 0).status_code == 200

    class Died(BaseException):
        pass

    def die(*_args: Any, **_kw: Any) -> Any:
        raise Died

    with monkeypatch.context() as fault:
        where: Any = {
            "mkstemp": tempfile, "fsync": pieces.os, "replace": pieces.os,
            "_sync_directory": pieces, "put": Chunks, "record": media, "drop": Chunks,
        }[at]  # fmt: skip
        fault.setattr(where, at, die)
        with pytest.raises(Died):
            send(tablet, data, 1)
    standing = have(tablet, data)
    assert standing["chunks"][0] is True, "what was there is there"
    assert standing["complete"] is (at == "drop")
    for number, there in enumerate(standing["chunks"]):
        if not there or all(standing["chunks"]):
            answer = send(tablet, data, number)
    assert answer.json == {"chunks": [True, True], "complete": True}
    assert [row.sha256 for row in rows(app)] == [sha(data)]
    assert app.extensions["mingjian.store"].verify([sha(data)]) == []


def test_pieces_of_one_owner_say_nothing_to_and_spoil_nothing_of_another(app, bind, world, tablet):
    data = noise(CHUNK + 9)
    send(tablet, data, 0)
    other = bind(world.expert(2))
    assert have(other, data) == {"chunks": [False, False], "complete": False}
    assert other.get(f"/field/api/media/{sha(data)}").status_code == 404
    send_all(tablet, data)
    assert have(other, data) == {"chunks": [False, False], "complete": False}
    assert send_all(other, data).json["complete"]
    assert {row.account_id for row in rows(app)} == {world.expert(1).id, world.expert(2).id}


def test_office_and_supervisor_see_a_file_once_its_owners_sittings_are_closed(
    app, tablet, client_as, world
):
    data = photo(place=False)
    send_all(tablet, data)
    (row,) = rows(app)
    overseers = [client_as(world.people[role]) for role in ("office", "supervisor")]
    where = f"/r/{world.slug}/media/{row.id}"
    for client in overseers:
        assert client.get(where).status_code == 404
    database = app.extensions["mingjian.db"]
    from app.ledger.append import append
    from app.panel.models import Sitting

    def close(ids: list[str]) -> None:
        with database.write() as session:
            for sitting_id in ids:
                session.get(Sitting, sitting_id).phase = "closed"
            append(session, None, "test.closed")

    close(world.site.sittings[:-1])
    assert overseers[0].get(where).status_code == 404
    close(world.site.sittings[-1:])
    for client in overseers:
        assert client.get(where).get_data() == data
    assert overseers[0].get(f"/r/{world.other_slug}/media/{row.id}").status_code == 404
    assert client_as(world.expert(2)).get(where).status_code == 403


def test_a_recorder_may_send_a_recording_and_a_presenter_may_not(app, bind, client_as, world):
    presenter = bind(world.presenters[0])
    assert send(presenter, noise(50), 0).status_code == 403
    office = client_as(world.people["office"])
    data = noise(50, 9)
    answer = office.put(
        f"/field/api/media/{sha(data)}/0?size=50", data=data,
        headers={"X-Chunk-SHA256": sha(data)},
    )  # fmt: skip
    assert answer.json == {"chunks": [True], "complete": True}
