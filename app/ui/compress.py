"""Static text goes out gzipped: the tablets' application is a quarter of its size on the wire.

Pages and answers are not compressed: they carry secrets (the CSRF token) beside what others typed, and
the length of a compressed answer tells about both (BREACH, 2013). Static files hold no secret.
"""

from __future__ import annotations

import zlib

from flask import Flask, Response, request

ENDPOINTS = ("static", "field.shell", "field.part", "field.service_worker", "field.manifest")
TYPES = (
    "text/javascript",
    "text/css",
    "text/html",
    "text/plain",
    "image/svg+xml",
    "application/manifest+json",
)
SMALL = 512  # bytes; below, the header costs more than it saves


def squeezed(plain: bytes) -> bytes:
    """As gzip, the same bytes every time: the shortest of what zlib makes of it in blocks of several
    lengths (its memory level; a block has one table of codes)."""
    made = []
    for level in (6, 7, 8, 9):
        work = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS, level)
        made.append(work.compress(plain) + work.flush())
    return min(made, key=len)


def register(app: Flask) -> None:
    """Compress static text for whoever accepts it; each version of a file once in a process."""
    kept: dict[str, tuple[str, bytes]] = {}  # path -> (entity tag, compressed)

    @app.after_request
    def _compress(response: Response) -> Response:
        if request.endpoint not in ENDPOINTS or response.mimetype not in TYPES:
            return response
        response.vary.add("Accept-Encoding")
        if response.status_code != 200 or not request.accept_encodings["gzip"]:
            return response
        response.direct_passthrough = False
        plain = response.get_data()
        if len(plain) < SMALL:
            return response
        tag = response.get_etag()[0] or ""
        found = kept.get(request.path)
        if found is None or not tag or found[0] != tag:
            found = kept[request.path] = (tag, squeezed(plain))
        response.set_data(found[1])
        response.content_encoding = "gzip"
        if tag:
            response.set_etag(tag, weak=True)  # the same file in other bytes
        return response
