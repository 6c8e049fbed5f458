"""Photos and recordings: pieces in, whole files out. docs/sync-protocol.md section 8."""

from __future__ import annotations

import re
from typing import Any

from flask import g, jsonify, request, send_file
from flask_login import current_user

from app.domain.types import DomainError, NotFound
from app.field import media
from app.field.models_media import MediaFile
from app.field.pages import MALFORMED, blueprint, desk, refused
from app.files.chunks import CHUNK, Chunks, Full, WrongChunk, WrongWhole, pieces
from app.ui.access import allow
from app.ui.errors import WORDS
from app.ui.request import database, db, me, store

_HASH = re.compile(r"[0-9a-f]{64}")
# The first that fits counts.
_ANSWERS: tuple[tuple[type[DomainError], int, str], ...] = (
    (Full, 507, "full"),
    (WrongChunk, 422, "chunk"),
    (WrongWhole, 422, "whole"),
    (media.TooLarge, 413, "too_large"),
    (media.QuotaReached, 413, "quota"),
    (media.WrongKind, 415, "kind"),
)


def _size() -> int | None:
    size = request.args.get("size", type=int)
    return size if size is not None and 0 < size < 10**12 else None


def _standing(chunks: list[bool], complete: bool) -> Any:
    return jsonify(chunks=chunks, complete=complete)


@blueprint.get("/api/media/<sha256>/have")
@allow("expert", "office")
def have_media(sha256: str) -> Any:
    """Which pieces of the viewer's file are here."""
    size = _size()
    if size is None or not _HASH.fullmatch(sha256):
        return refused(422, "invalid", MALFORMED)
    if size > media.MAX_RECORDING:
        return _refusal(lambda: media.check_limits(size, b"", 0))
    if media.own_media(db(), me(), sha256) is not None:
        return _standing([True] * pieces(size), True)
    return _standing(Chunks(store()).have(me().id, sha256, size), False)


@blueprint.put("/api/media/<sha256>/<int:number>")
@allow("expert", "office")
def put_media(sha256: str, number: int) -> Any:
    """One piece in; with the last one the file has arrived."""
    size = _size()
    if size is None or not _HASH.fullmatch(sha256):
        return refused(422, "invalid", MALFORMED)
    if (request.content_length or 0) > CHUNK:
        return refused(413, "too_large", WORDS[413].happened)
    data = request.get_data(cache=False)
    digest = request.headers.get("X-Chunk-SHA256", "").lower()
    return _refusal(lambda: _take(sha256, size, number, data, digest))


def _refusal(step: Any) -> Any:
    """The step's answer, or its refusal as a code that the tablet knows."""
    try:
        return step()
    except DomainError as error:
        for kind, status, code in _ANSWERS:
            if isinstance(error, kind):
                return refused(status, code, error.text)
        raise


def _take(sha256: str, size: int, number: int, data: bytes, digest: str) -> Any:
    chunks, viewer = Chunks(store()), me()
    owner = viewer.id
    with database().read() as reading:
        if media.own_media(reading, viewer, sha256) is not None:
            return _standing([True] * pieces(size), True)
        total = media.used(reading, viewer)
    if not chunks.begun(owner, sha256, size):
        total += size
    head = data[:4096] if number == 0 else chunks.first_bytes(owner, sha256, size)
    media.check_limits(size, head, total + chunks.promised(owner))
    chunks.take(owner, sha256, size, number, data, digest)
    here = chunks.have(owner, sha256, size)
    if not all(here):
        return _standing(here, False)
    try:
        kept = media.keep(chunks, owner, sha256, size)
    except FileNotFoundError:  # the same piece came twice, and the other request was first
        with database().read() as reading:
            done = media.own_media(reading, viewer, sha256) is not None
        return _standing(chunks.have(owner, sha256, size) if not done else here, done)
    with database().write() as writing:
        media.record(writing, viewer, kept, current_user.tablet_id)
    chunks.drop(owner, sha256, size)  # only now: the record stands
    return _standing(here, True)


@blueprint.get("/api/media/<sha256>")
@allow("expert", "office")
def own_media(sha256: str) -> Any:
    """The viewer's own file, as it is kept."""
    row = media.own_media(db(), me(), sha256)
    if row is None:
        raise NotFound(media.ABSENT)
    return _file(row)


@desk.get("/r/<slug>/media/<media_id>")
@allow("office", "supervisor")
def media_of_round(slug: str, media_id: str) -> Any:
    """Somebody's file, once the sittings of its owner are closed."""
    return _file(media.media_for_overseer(db(), me(), g.round, media_id))


def _file(row: MediaFile) -> Any:
    kept = store()
    kept.open(row.kept_sha256).close()  # says by name that it is gone, before anything is sent
    response = send_file(
        kept.path(row.kept_sha256).absolute(),
        mimetype=row.kept_mime,
        as_attachment=True,
        download_name=row.sha256[:16],
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
