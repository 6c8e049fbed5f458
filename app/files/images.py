"""Pictures: refuse bombs before unpacking, and make a clean copy to serve.

The original stays sealed in the store (its EXIF is evidence); what people look at is a re-encoded
copy that carries nothing but pixels.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from app.domain.types import DomainError, Text

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 60_000_000  # a 60-megapixel camera; 180 MB once unpacked
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def _refuse(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh, en), field="file")


def _open(data: bytes, mime: str, max_pixels: int) -> Image.Image:
    """The fully decoded picture; DomainError for another type, too many pixels, or damage."""
    from PIL import Image  # here and below: starting up has no picture to decode

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=[_FORMATS[mime]])
        width, height = picture.size
        if width * height > max_pixels:
            raise _refuse(
                f"图片为 {width}×{height} 像素，超过上限，未接收。请缩小后重新上传。",
                f"The picture has {width} x {height} pixels, more than allowed; it was not taken. Make it smaller and upload it again.",
            )
        picture.load()
        if mime == "image/png" and _PNG_END not in data:  # Pillow overlooks a missing last chunk
            raise OSError("no IEND")
    except DomainError:
        raise
    except Image.DecompressionBombError as error:
        raise _refuse(
            "图片像素过多，未接收。请缩小后重新上传。",
            "The picture has too many pixels and was not taken. Make it smaller and upload it again.",
        ) from error
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise _refuse(
            "图片已损坏或不完整，未接收。请重新导出后上传。",
            "The picture is damaged or incomplete and was not taken. Export it again and upload that.",
        ) from error
    return picture


def check_image(data: bytes, mime: str, *, max_pixels: int = MAX_PIXELS) -> None:
    """Decode the picture once, so that only whole pictures of a bearable size are stored."""
    _open(data, mime, max_pixels).close()


def reencode(
    data: bytes, mime: str, *, max_pixels: int = MAX_PIXELS, max_side: int = 2400
) -> tuple[bytes, str]:
    """A copy of pixels only (no EXIF, no place, no comment), turned upright, longest side at most
    `max_side`; gives (bytes, media type): PNG stays PNG, all else becomes JPEG."""
    from PIL import ImageOps

    picture = ImageOps.exif_transpose(_open(data, mime, max_pixels)) or _open(
        data, mime, max_pixels
    )
    picture.thumbnail((max_side, max_side))
    out = io.BytesIO()
    if mime == "image/png":
        clean = picture.convert(
            "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
        )
        clean.info = {}
        clean.save(out, "PNG", optimize=False)
        return out.getvalue(), "image/png"
    clean = picture.convert("RGB")
    clean.info = {}
    clean.save(out, "JPEG", quality=88)
    return out.getvalue(), "image/jpeg"
