"""What a file really is, from its bytes; its name and the browser's claim are never believed.

Recognised: PDF, PNG, JPEG, WebP, XLSX, DOCX, MP3, M4A, MP4, WebM, Ogg, WAV. What carries code or more than one
face (macros, PDF scripts and attachments, HTML, SVG, a PDF that is also a ZIP) is refused with the reason.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from app.domain.types import DomainError, Text
from app.files.archive import check_whole, open_archive
from app.files.images import check_image

PDF, PNG, JPEG, WEBP = "application/pdf", "image/png", "image/jpeg", "image/webp"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MP3, M4A, WEBM, OGG, WAV = "audio/mpeg", "audio/mp4", "audio/webm", "audio/ogg", "audio/wav"
WEBM_VIDEO, MP4 = "video/webm", "video/mp4"

IMAGES = frozenset({PNG, JPEG, WEBP})
OFFICE = frozenset({XLSX, DOCX})
AUDIO = frozenset({MP3, M4A, WEBM, OGG, WAV})
VIDEO = frozenset({WEBM_VIDEO, MP4})
RECORDINGS = AUDIO | VIDEO
MATERIALS = frozenset({PDF}) | IMAGES | OFFICE

EXTENSIONS: dict[str, tuple[str, ...]] = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    WEBP: (".webp",),
    XLSX: (".xlsx",),
    DOCX: (".docx",),
    MP3: (".mp3",),
    M4A: (".m4a", ".mp4"),
    WEBM: (".webm", ".weba"),
    WEBM_VIDEO: (".webm",),
    MP4: (".mp4", ".m4v"),
    OGG: (".ogg", ".oga", ".opus"),
    WAV: (".wav",),
}
# Unpacked size of an office file and of the scripts looked for in a PDF's compressed objects.
_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_OBJECTS = 64 * 1024 * 1024
_MAX_STREAM = 8 * 1024 * 1024  # of one of them


def _refuse(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh, en), field="file")


def _mpeg_frame(head: bytes) -> bool:
    """An MPEG audio layer I-III frame header (ISO/IEC 11172-3): sync and no reserved value."""
    return (
        len(head) >= 4
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x18 != 0x08
        and head[1] & 0x06 != 0
        and head[2] & 0xF0 not in (0xF0, 0x00)
        and head[2] & 0x0C != 0x0C
    )


# ISO/IEC 14496-12: the brands that browsers and telephones write. Whether there are pictures says
# the handler of a track, which stands in the first 4 KiB of what a browser records; a file whose
# index comes last counts as sound, and plays as such.
_MP4_BRANDS = frozenset(
    {b"M4A ", b"M4B ", b"M4V ", b"mp41", b"mp42", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"dash"}
)  # fmt: skip
_MP4_PICTURES = re.compile(rb"hdlr.{8}vide", re.S)
_WEBM_PICTURES = re.compile(rb"\x86.V_[A-Z]", re.S)  # CodecID of a video track (RFC 9559, 27.1)


def sniff(head: bytes) -> str | None:
    """The media type that the first bytes (4 KiB) announce; a ZIP is "application/zip"."""
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return WAV
    if head.startswith(b"PK\x03\x04"):
        return "application/zip"
    if head.startswith(b"OggS\x00"):
        return OGG
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head[:64]:
        return WEBM_VIDEO if _WEBM_PICTURES.search(head) else WEBM
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return MP4 if _MP4_PICTURES.search(head) else M4A
    if head.startswith(b"ID3") or _mpeg_frame(head):
        return MP3
    return None


_PAGE = re.compile(rb"<\s*(script|html|iframe|svg)[\s>]|<\?php", re.I)


def identify(head: bytes, read_all: Callable[[], bytes]) -> str:
    """The media type of a file that passed every check of its kind, or a DomainError.

    `head` is its first 4 KiB; `read_all` gives the whole when a check needs it (recordings do not).
    """
    kind = sniff(head)
    if kind is None:
        if re.search(rb"<\s*(!doctype|html|svg|script|\?xml|body|iframe)", head, re.I):
            raise _refuse(
                "网页和 SVG 文件可能含有脚本，未接收。请另存为 PDF 或图片后上传。",
                "Web pages and SVG files can carry scripts and are not taken. Save as PDF or picture and upload that.",
            )
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            raise _refuse(
                "文件已加密或为旧版 Office 格式，未接收。请去掉密码，另存为 .docx、.xlsx 或 PDF。",
                "The file is encrypted or in an old Office format and was not taken. Remove the password and save as .docx, .xlsx or PDF.",
            )
        raise _refuse(
            "无法识别文件类型，未接收。请上传 PDF、图片、XLSX、DOCX 或录音文件。",
            "The type of the file is not known; it was not taken. Upload PDF, pictures, XLSX, DOCX or audio.",
        )
    if kind in RECORDINGS:
        if _PAGE.search(head) or b"%PDF-" in head:  # a player would play it, a browser run it
            raise _two_faces()
        return kind
    data = read_all()
    if kind == "application/zip":
        if b"%PDF-" in data[:4096]:
            raise _two_faces()
        return _office(data)
    if kind == PDF:
        check_pdf(data)
    else:
        check_image(data, kind)
        if _PAGE.search(data) or re.search(rb"%PDF-\d", data) or _is_zip(data):
            raise _two_faces()
    return kind


def _two_faces() -> DomainError:
    return _refuse(
        "文件同时是另一种文件或夹带代码，未接收。请重新导出后上传。",
        "The file is also something else, or carries code; it was not taken. Export it again and upload that.",
    )


def _is_zip(data: bytes) -> bool:
    return b"PK\x05\x06" in data[-66_000:] and b"PK\x01\x02" in data


def _office(data: bytes) -> str:
    with open_archive(data, max_unpacked=_MAX_UNPACKED) as archive:
        names = {n.lower() for n in archive.namelist()}
        for part, kind in (("xl/workbook.xml", XLSX), ("word/document.xml", DOCX)):
            if "[content_types].xml" in names and part in names:
                check_whole(archive)
                return kind
    raise _refuse(
        "压缩包不能直接上传，未接收。请解压后逐个上传其中的文件。",
        "Archives are not taken. Unpack it and upload the files one by one.",
    )


# ISO 32000-1, 12.6.4 (actions), 7.11.4 (files inside), 12.7.8 (XFA); 32000-2, 13.7 (rich media)
_SCRIPT = re.compile(
    rb"/(JavaScript|Launch|SubmitForm|ImportData|GoToE|RichMedia|Rendition|EmbeddedFile)(?![A-Za-z0-9])"
)
# Names so short that packed bytes spell them by chance (a report of 1 MB once in fifteen): looked for
# beside the streams only, and in object streams once they are unpacked.
_SHORT = re.compile(rb"/(JS|XFA)(?![A-Za-z0-9])")
_STREAM = re.compile(rb">>\s*stream\r?\n.*?\bendstream\b", re.S)
_HEX_NAME = re.compile(rb"/[A-Za-z0-9]*#[0-9A-Fa-f]{2}[A-Za-z0-9#]*")


def _runs_code(data: bytes, plain: bytes) -> bool:
    """`plain`: what of `data` is not packed."""
    if _SCRIPT.search(data) or _SHORT.search(plain):
        return True
    # /J#61vaScript is the same name (ISO 32000-1, 7.3.5).
    names = (
        re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), name[0])
        for name in _HEX_NAME.finditer(plain)
    )
    return any(_SCRIPT.match(name) or _SHORT.match(name) for name in names)


def check_pdf(data: bytes) -> None:
    """Refuse a PDF with scripts or program starts, encrypted, cut off, or with a second face.

    A plain scan, object streams unpacked (bounded); it is a guard at the door, not a PDF parser.
    """
    if b"%%EOF" not in data[-2048:]:
        raise _refuse(
            "PDF 文件不完整，未接收。请重新导出后上传。",
            "The PDF is incomplete and was not taken. Export it again and upload that.",
        )
    if _is_zip(data):
        raise _two_faces()
    if re.search(rb"/Encrypt(?![A-Za-z0-9])", data):
        raise _refuse(
            "PDF 已加密，无法检查和归档，未接收。请去掉密码后重新上传。",
            "The PDF is encrypted and cannot be checked or archived; it was not taken. Remove the password and upload it again.",
        )
    found = _runs_code(data, _STREAM.sub(b" ", data))
    budget, whole = _MAX_OBJECTS, True
    for match in re.finditer(rb"/ObjStm(?![A-Za-z0-9])", data):
        if found or not whole:
            break
        start = data.find(b"stream", match.end(), match.end() + 2048)
        if start < 0:
            continue
        start += 8 if data[start + 6 : start + 8] == b"\r\n" else 7
        end = data.find(b"endstream", start)
        stream = zlib.decompressobj()
        try:
            objects = stream.decompress(data[start : end if end > 0 else None], _MAX_STREAM)
        except zlib.error:
            continue
        budget -= len(objects)
        whole = whole and not stream.unconsumed_tail and budget > 0
        found = _runs_code(objects, objects)
    if found:
        raise _refuse(
            "PDF 含有脚本或启动程序、发送数据的动作，或夹带文件，未接收。请用“打印为 PDF”重新生成后上传。",
            "The PDF holds scripts, actions that start programs or send data, or files, and was not taken. "
            "Print it to a new PDF and upload that.",
        )
    if not whole:
        raise _refuse(
            "PDF 的压缩内容过多，无法检查，未接收。请用“打印为 PDF”重新生成后上传。",
            "The PDF unpacks to too much to be checked and was not taken. Print it to a new PDF and upload that.",
        )
