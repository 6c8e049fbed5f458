"""Does a picture carry anything but pixels: place, camera, names, comments, bytes after its end?

Only what is known to be harmless passes (an allow-list), so a new kind of segment counts as metadata.
JPEG: ITU-T T.81 annex B; PNG: W3C PNG (third edition) section 5; WebP: RFC 9649 section 2.
"""

from __future__ import annotations

from app.files.kinds import JPEG, PNG, WEBP

_PNG_PLAIN = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
)  # fmt: skip
_WEBP_PLAIN = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})


def carries_metadata(data: bytes, mime: str) -> bool:
    """True unless every part of the picture is one that a decoder needs. Damage counts as True."""
    walk = {JPEG: _jpeg_is_plain, PNG: _png_is_plain, WEBP: _webp_is_plain}[mime]
    return not walk(data)


def _jpeg_is_plain(data: bytes) -> bool:
    at, end = 2, len(data)
    while at + 4 <= end:
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2 == end
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:
            return False
        body = data[at + 4 : at + 2 + length]
        if marker == 0xFE or (0xE0 <= marker <= 0xEF and not _plain_application(marker, body)):
            return False
        at += 2 + length
        if (
            marker == 0xDA
        ):  # entropy-coded data up to the next marker that is no restart or stuffing
            while at + 1 < end and not (
                data[at] == 0xFF and data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7
            ):
                step = data.find(b"\xff", at + 1)
                at = end if step < 0 else step
            if data[at : at + 2] == b"\xff\xd9":
                return at + 2 == end
    return False


def _plain_application(marker: int, body: bytes) -> bool:
    """JFIF without a thumbnail (it may show what was cut away) and Adobe's note on colours."""
    if marker == 0xE0:
        return body.startswith(b"JFIF\x00") and len(body) == 14
    return marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12


def _png_is_plain(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name not in _PNG_PLAIN:
            return False
        at += 12 + length
        if name == b"IEND":
            return at == len(data)
    return False


def _webp_is_plain(data: bytes) -> bool:
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name not in _WEBP_PLAIN:
            return False
        at += 8 + length + length % 2
    return at == len(data) and len(data) == 8 + int.from_bytes(data[4:8], "little")
