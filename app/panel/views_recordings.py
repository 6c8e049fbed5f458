"""Recording a statement in the browser, or filing one: pieces in, the whole on record; listening, each
time on record."""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, render_template, request, send_file, url_for

from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.files.chunks import CHUNK, Chunks, Full, WrongChunk, WrongWhole
from app.panel import bookmarks, queries, recordings
from app.panel.room import blueprint, the_sitting
from app.panel.views_statement import INSIDE
from app.programme.queries import round_by_slug
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import database, db, finish, keys, me, store

# The first that fits counts.
_ANSWERS: tuple[tuple[type[DomainError], int, str], ...] = (
    (recordings.MissingPieces, 409, "missing"),
    (recordings.TooLarge, 413, "too_large"),
    (Full, 507, "full"),
    (WrongChunk, 422, "chunk"),
    (WrongWhole, 422, "whole"),
    (Conflict, 409, "conflict"),
    (Forbidden, 403, "forbidden"),
    (DomainError, 422, "invalid"),
)


def _refused(error: DomainError) -> Any:
    """A refusal as the page's script reads it."""
    status, code = next((s, c) for kind, s, c in _ANSWERS if isinstance(error, kind))
    told: dict[str, Any] = {"code": code, "text": error.text.get(language())}
    if isinstance(error, recordings.MissingPieces):
        told["missing"] = error.missing
    return jsonify(error=told), status


@blueprint.get("/sittings/<sitting_id>/record")
@allow("office", "presenter")
def record(slug: str, sitting_id: str) -> Any:
    """The page that records: nothing else on it leads away."""
    found = the_sitting(sitting_id)
    return render_template(
        "panel/statement_record.html", sitting=found, statement=queries.statement(db(), found)
    )


@blueprint.get("/sittings/<sitting_id>/recording-key")
@allow("office", "presenter")
def recording_key(slug: str, sitting_id: str) -> Any:
    """The key that wraps what this person's recordings are encrypted with while they wait on his
    device. It is his alone, and the page keeps it in memory."""
    the_sitting(sitting_id)
    return jsonify(key=keys().derived("recording", me().id).hex())


def _ready(sitting_id: str) -> None:
    """The sitting is the viewer's and may take a recording; afterwards no transaction is open, for
    what follows waits for the disk."""
    recordings.statement_to_record(db(), me(), the_sitting(sitting_id), late=True)
    finish(keep=False)


@blueprint.get("/sittings/<sitting_id>/pieces/<sha256>")
@allow("office", "presenter")
def pieces(slug: str, sitting_id: str, sha256: str) -> Any:
    """Which parts of a piece are here."""
    try:
        _ready(sitting_id)
        size = request.args.get("size", 0, type=int)
        return jsonify(have=Chunks(store()).have(me().id, sha256, size))
    except NotFound:
        raise
    except DomainError as error:
        return _refused(error)


@blueprint.put("/sittings/<sitting_id>/pieces/<sha256>/<int:number>")
@allow("office", "presenter")
def put_piece(slug: str, sitting_id: str, sha256: str, number: int) -> Any:
    """One part of a piece in."""
    try:
        _ready(sitting_id)
        if (request.content_length or 0) > CHUNK:
            raise WrongChunk
        data = request.get_data(cache=False)
        check = request.headers.get("X-Chunk-SHA256", "").lower()
        size = request.args.get("size", 0, type=int)
        return jsonify(
            have=recordings.take_piece(Chunks(store()), me().id, sha256, size, number, data, check)
        )
    except NotFound:
        raise
    except DomainError as error:
        return _refused(error)


@blueprint.post("/sittings/<sitting_id>/recordings")
@allow("office", "presenter")
def keep_recording(slug: str, sitting_id: str) -> Any:
    """The list of the pieces: put together, checked, on record."""
    try:
        _ready(sitting_id)
        what = recordings.listed(request.get_json(silent=True))
        chunks, owner = Chunks(store()), me().id
        with database().read() as reading:
            found = the_sitting_in(reading, slug, sitting_id)
            known = [
                row
                for row in recordings.recordings(reading, queries.statement(reading, found))
                if row.sha256 == what.sha256
            ]
        if not known:  # sent again after a lost answer, the pieces are gone already
            stored = recordings.put_together(chunks, owner, what)
            with database().write() as writing:
                found = the_sitting_in(writing, slug, sitting_id)
                recordings.keep(writing, me(), sitting=found, what=what, stored=stored)
        recordings.forget(chunks, owner, what)
    except NotFound:
        raise
    except DomainError as error:
        return _refused(error)
    return jsonify(sha256=what.sha256), 201


def the_sitting_in(session: Any, slug: str, sitting_id: str) -> Any:
    """The same sitting in another transaction."""
    return queries.sitting(session, me(), round_by_slug(session, me(), slug), sitting_id)


@blueprint.post("/sittings/<sitting_id>/recordings/<recording_id>/listen")
@allow(*INSIDE)
def listen(slug: str, sitting_id: str, recording_id: str) -> Any:
    """Open a recording: that is written down first."""
    row = recordings.open_to_listen(
        db(), me(), sitting=the_sitting(sitting_id), recording_id=recording_id
    )
    return redirect(
        url_for("panel.listening", slug=slug, sitting_id=sitting_id, listening_id=row.id), 303
    )


@blueprint.get("/sittings/<sitting_id>/listenings/<listening_id>")
@allow(*INSIDE)
def listening(slug: str, sitting_id: str, listening_id: str) -> Any:
    """The recording with its timeline."""
    found = the_sitting(sitting_id)
    opened = recordings.listening(db(), me(), found, listening_id)
    heard = opened.recording
    return render_template(
        "panel/statement_listen.html",
        sitting=found,
        opened=opened,
        heard=heard,
        marks=recordings.MARKS,
        marked=[
            row
            for row in bookmarks.bookmarks(db(), me(), found, [heard])
            if row.recording_id == heard.id
        ],
    )


@blueprint.get("/sittings/<sitting_id>/listenings/<listening_id>/sound")
@allow(*INSIDE)
def sound(slug: str, sitting_id: str, listening_id: str) -> Any:
    """The bytes, by range, to whoever opened it."""
    opened = recordings.listening(db(), me(), the_sitting(sitting_id), listening_id)
    kept = store()
    kept.open(opened.recording.sha256).close()  # says by name that it is gone
    response = send_file(
        kept.path(opened.recording.sha256).absolute(),
        mimetype=opened.recording.mime,
        conditional=True,
        etag=False,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
