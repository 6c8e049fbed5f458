"""Static text goes out compressed: the tablets' application is a fifth of its size on the wire.

Brotli (RFC 7932) where the browser takes it, which they all do over https, else gzip (RFC 1952).

Pages and answers are not compressed: they carry secrets (the CSRF token) beside what others typed, and
the length of a compressed answer tells about both (BREACH, 2013). Static files hold no secret.
"""

from __future__ import annotations

import zlib

import brotli
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
CODINGS = ("br", "gzip")  # the better one first
SMALL = 512  # bytes; below, the header costs more than it saves


def squeezed(plain: bytes, coding: str) -> bytes:
    """The same bytes every time. As gzip: the shortest of what zlib makes of it in blocks of several
    lengths (its memory level; a block has one table of codes)."""
    if coding == "br":
        made_of: bytes = brotli.compress(plain, quality=11)
        return made_of
    made = []
    for level in (6, 7, 8, 9):
        work = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS, level)
        made.append(work.compress(plain) + work.flush())
    return min(made, key=len)


def register(app: Flask) -> None:
    """Compress static text for whoever accepts it; each version of a file once in a process."""
    kept: dict[tuple[str, str], tuple[str, bytes]] = {}  # path, coding -> entity tag, compressed

    @app.after_request
    def _compress(response: Response) -> Response:
        if request.endpoint not in ENDPOINTS or response.mimetype not in TYPES:
            return response
        response.vary.add("Accept-Encoding")
        coding = next((name for name in CODINGS if request.accept_encodings[name]), None)
        if response.status_code != 200 or coding is None:
            return response
        response.direct_passthrough = False
        plain = response.get_data()
        if len(plain) < SMALL:
            return response
        tag = response.get_etag()[0] or ""
        key = (request.path, coding)
        found = kept.get(key)
        if found is None or not tag or found[0] != tag:
            found = kept[key] = (tag, squeezed(plain, coding))
        response.set_data(found[1])
        response.content_encoding = coding
        if tag:
            response.set_etag(tag, weak=True)  # the same file in other bytes
        return response
