"""Files as tablets make them: recordings, photos with and without metadata, and their pieces."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from PIL import Image

from app.files.chunks import CHUNK


def noise(size: int, seed: int = 1) -> bytes:
    """A recording of that size: a WebM head, then noise."""
    head = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm"
    return head + hashlib.shake_256(bytes([seed])).digest(size - len(head))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parts(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]


def photo(*, place: bool, kind: str = "JPEG", size: tuple[int, int] = (320, 240)) -> bytes:
    picture = Image.effect_noise(size, 80).convert("RGB")
    out = io.BytesIO()
    options: dict[str, Any] = {}
    if place:
        exif = Image.Exif()
        exif[0x010F] = "SecretCamera"
        exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 20.0)})
        options["exif"] = exif.tobytes()
    picture.save(out, kind, **options)
    return out.getvalue()
