"""The store and its door: what is kept is whole and what it claims to be, and nothing else is kept."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import struct
import threading
import time
import wave
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from app.domain.types import DomainError
from app.files import kinds
from app.files.images import reencode
from app.files.kinds import (
    AUDIO,
    DOCX,
    JPEG,
    M4A,
    MATERIALS,
    MP3,
    OGG,
    PDF,
    PNG,
    WAV,
    WEBM,
    WEBP,
    XLSX,
)
from app.files.store import Damage, Store, clean_name

EVERYTHING = MATERIALS | AUDIO


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


def on_disk(store: Store) -> list[Path]:
    return [p for p in store.root.rglob("*") if p.is_file()]


def picture(kind: str, size: tuple[int, int] = (40, 30), **more: Any) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size)
    image.putdata(
        [((x * 7) % 256, (x * 13) % 256, (x * 29) % 256) for x in range(size[0] * size[1])]
    )
    image.save(out, kind, **more)
    return out.getvalue()


def office(main: str, **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(main, "<x/>")
        for name, content in more.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def workbook() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def pdf(body: bytes = b"<< /Type /Catalog >>") -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj\n"
        + body
        + b"\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
    )


def object_stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return pdf(
        b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\r\n"
        % len(packed)
        + packed
        + b"\r\nendstream"
    )


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return out.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_of(width: int, height: int, rows: bytes = b"", *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + b"".join(extra)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


ACCEPTED: dict[str, tuple[bytes, str]] = {
    "pdf": (pdf(), PDF),
    "png": (picture("PNG"), PNG),
    "jpeg": (picture("JPEG"), JPEG),
    "webp": (picture("WEBP"), WEBP),
    "xlsx": (workbook(), XLSX),
    "docx": (office("word/document.xml"), DOCX),
    "wav": (sound(), WAV),
    "mp3 with tag": (b"ID3\x04\x00\x00" + bytes(100), MP3),
    "mp3 frame": (b"\xff\xfb\x90\x64" + bytes(400), MP3),
    "m4a": (b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(100), M4A),
    "webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(100), WEBM),
    "ogg": (b"OggS\x00\x02" + bytes(100), OGG),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_each_kind_is_known_by_its_bytes_whatever_its_name(store: Store, name: str) -> None:
    data, mime = ACCEPTED[name]
    kept = store.put(io.BytesIO(data), "申报表.exe", EVERYTHING)
    assert (kept.sha256, kept.size, kept.mime) == (
        hashlib.sha256(data).hexdigest(),
        len(data),
        mime,
    )
    assert kept.name == "申报表_exe" + kinds.EXTENSIONS[mime][0]
    with store.open(kept.sha256) as stream:
        assert stream.read() == data
    assert [p.name for p in on_disk(store)] == [kept.sha256]
    assert store.verify([kept.sha256]) == []


EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "0 字节"),
    "text": (b"hello", "无法识别"),
    "php": (b"<?php system($_GET[0]); ?>", "无法识别"),
    "php with short tag": (b"<?= `id` ?>", "无法识别"),
    "shell": (b"#!/bin/sh\nid\n", "无法识别"),
    "html": (HTML, "网页和 SVG"),
    "html after blanks": (b"\n\n   " + HTML, "网页和 SVG"),
    "html with mark": (b"\xef\xbb\xbf" + HTML, "网页和 SVG"),
    "svg": (SVG, "网页和 SVG"),
    "svg after declaration": (b'<?xml version="1.0"?>' + SVG, "网页和 SVG"),
    "eicar": (EICAR, "无法识别"),
    "exe": (b"MZ\x90\x00" + bytes(60), "无法识别"),
    "elf": (b"\x7fELF" + bytes(60), "无法识别"),
    "java": (b"\xca\xfe\xba\xbe" + bytes(60), "无法识别"),
    "gif": (b"GIF89a" + bytes(20), "无法识别"),
    "gif that is a script": (b"GIF89a/*" + bytes(4) + b"*/=alert(1);", "无法识别"),
    "rar": (b"Rar!\x1a\x07\x00", "无法识别"),
    "7z": (b"7z\xbc\xaf'\x1c", "无法识别"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "无法识别"),
    "nulls": (bytes(5000), "无法识别"),
    "utf-16 html": (HTML.decode().encode("utf-16"), "无法识别"),
    "avi in RIFF": (b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(50), "无法识别"),
    "matroska, not webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska" + bytes(60), "无法识别"),
    "quicktime": (b"\x00\x00\x00\x14ftypqt  " + bytes(60), "无法识别"),
    "old office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧版 Office"),
    "bare zip": (office("a.txt"), "压缩包"),
    "jar": (office("META-INF/MANIFEST.MF"), "压缩包"),
    "apk": (office("AndroidManifest.xml"), "压缩包"),
    "powerpoint": (office("ppt/presentation.xml"), "压缩包"),
    "cut zip": (workbook()[:-60], "损坏"),
    "macro workbook": (office("xl/workbook.xml", **{"xl__vbaProject.bin": b"1"}), "含有宏"),
    "macro document": (office("word/document.xml", **{"word__vbaProject.bin": b"1"}), "含有宏"),
    "macro, other case": (office("word/document.xml", **{"word__VbaProject.BIN": b"1"}), "含有宏"),
    "zip bomb": (office("xl/workbook.xml", big=bytes(20_000_000)), "压缩比异常"),
    "zip slip": (office("word/document.xml", **{"..__..__x": b"1"}), "路径不安全"),
    "backslash slip": (office("word/document.xml", **{"..\\x": b"1"}), "路径不安全"),
    "pdf in front of zip": (b"PK\x03\x04" + b"\n%PDF-1.7\n" + workbook(), "另一种文件|损坏"),
    "pdf that is a zip": (pdf()[:-6] + workbook() + b"\n%%EOF\n", "另一种文件"),
    "pdf, not at the start": (b"\n\n" + pdf(), "无法识别"),
    "pdf with javascript": (pdf(b"<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>"), "脚本或启动"),
    "pdf with hex name": (pdf(b"<< /S /J#61vaScript /JS (1) >>"), "脚本或启动"),
    "pdf with hex first letter": (pdf(b"<< /S /#4AavaScrip#74 >>"), "脚本或启动"),
    "pdf that launches": (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "脚本或启动"),
    "pdf with hidden script": (object_stream(b"1 0 << /S /JavaScript /JS (1) >>"), "脚本或启动"),
    "encrypted pdf": (pdf(b"<< /Encrypt 5 0 R >>"), "已加密"),
    "cut pdf": (pdf()[:-10], "不完整"),
    "png, cut": (picture("PNG", (200, 200))[:400], "损坏或不完整"),
    "png, last byte lost": (picture("PNG", (200, 200))[:-1], "损坏或不完整"),
    "png, head only": (picture("PNG")[:8], "损坏或不完整"),
    "png, bad checksum": (picture("PNG")[:40] + b"\xff\xff" + picture("PNG")[42:], "损坏或不完整"),
    "jpeg, cut": (picture("JPEG", (200, 200))[:3000], "损坏或不完整"),
    "jpeg head, html body": (b"\xff\xd8\xff\xe0" + HTML, "损坏或不完整"),
    "webp, cut": (picture("WEBP", (200, 200))[:500], "损坏或不完整"),
    "png of 50,000 x 50,000": (png_of(50_000, 50_000), "像素"),
    "png of 65,500 x 1,000": (png_of(65_500, 1_000), "像素"),
    "png, pixels missing": (png_of(100, 100, b"\x00" * 50), "损坏或不完整"),
    "png with a text bomb": (png_of(1, 1, b"\x00\x00\x00\x00", png_chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(80_000_000)))), "损坏或不完整"),
    "png and zip": (picture("PNG") + workbook(), "另一种文件"),
    "png and html": (picture("PNG") + HTML, "另一种文件"),
    "jpeg and php": (picture("JPEG") + b"<?php system($_GET[0]); ?>", "另一种文件"),
    "jpeg comment with script": (picture("JPEG", comment=b"<script>alert(1)</script>"), "另一种文件"),
    "jpeg and pdf": (picture("JPEG", comment=pdf()), "另一种文件"),
}  # fmt: skip


def test_the_collection_is_large_enough() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_leave_nothing_behind(store: Store, name: str) -> None:
    data, match = HOSTILE[name]
    started = time.process_time()
    with pytest.raises(DomainError, match=match) as caught:
        store.put(data, "材料.pdf", EVERYTHING)
    assert time.process_time() - started < 2
    assert re.search(r"[\u4e00-\u9fff]", caught.value.text.zh) and not re.search(
        r"[\u4e00-\u9fff]", caught.value.text.en
    )
    assert on_disk(store) == []


def test_a_good_pdf_with_words_that_only_look_bad_is_taken(store: Store) -> None:
    harmless = pdf(b"<< /Title (JavaScript) /JavaScripts 1 /LaunchPad 2 /Name#20x 3 >>")
    assert store.put(harmless, "a.pdf", {PDF}).mime == PDF
    assert store.put(object_stream(b"1 0 << /Type /Page >>"), "b.pdf", {PDF}).mime == PDF


def test_our_own_papers_are_taken(store: Store) -> None:
    from datetime import UTC, datetime

    from app.documents.pdf import render_pdf
    from tests.documents import fixtures

    made = render_pdf("report", fixtures.report(), published_at=datetime(2012, 11, 6, tzinfo=UTC))
    assert store.put(made, "报告.pdf", {PDF}).mime == PDF


def test_allow_list_and_size_limit(store: Store) -> None:
    with pytest.raises(DomainError, match=r"不接收 \.png 文件，未保存。可上传：\.pdf"):
        store.put(picture("PNG"), "a.pdf", {PDF})
    data = sound()
    assert store.put(data, "a.wav", AUDIO, max_bytes=len(data)).size == len(data)
    with pytest.raises(DomainError, match="超过"):
        store.put(data, "a.wav", AUDIO, max_bytes=len(data) - 1)
    assert len(on_disk(store)) == 1


def test_a_stream_is_stopped_at_the_limit_not_read_to_its_end(store: Store) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"\x00" * size

    source = Endless()
    with pytest.raises(DomainError, match="超过 5 MB"):
        store.put(source, "a.wav", AUDIO, max_bytes=5 * 1024 * 1024)  # type: ignore[arg-type]
    assert source.given <= 6 * 1024 * 1024
    assert on_disk(store) == []


def test_the_same_bytes_are_kept_once_and_heal_damage(store: Store) -> None:
    data = picture("PNG")
    first, second = store.put(data, "a.png", {PNG}), store.put(data, "b.png", {PNG})
    assert first.sha256 == second.sha256 and len(on_disk(store)) == 1
    store.path(first.sha256).write_bytes(b"rot")
    assert store.verify() == [Damage(first.sha256, "damaged")]
    store.put(data, "c.png", {PNG})
    assert store.verify() == []


def test_verify_names_every_damaged_and_missing_file(store: Store) -> None:
    kept = [store.put(picture("PNG", (n, 10)), "a.png", {PNG}).sha256 for n in range(10, 14)]
    body = bytearray(store.path(kept[0]).read_bytes())
    body[-1] ^= 1
    store.path(kept[0]).write_bytes(bytes(body))
    store.path(kept[1]).unlink()
    store.path(kept[2]).write_bytes(b"")
    assert set(map(tuple, ((d.sha256, d.problem) for d in store.verify(kept)))) == {
        (kept[0], "damaged"), (kept[1], "missing"), (kept[2], "damaged"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "sha", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "a" * 65, "ab/" + "c" * 61]
)
def test_only_digests_are_paths(store: Store, sha: str) -> None:
    for act in (store.open, store.has, store.path):
        with pytest.raises(DomainError, match="编号无效"):
            act(sha)


def test_a_missing_file_is_a_clear_error(store: Store) -> None:
    assert not store.has("a" * 64)
    with pytest.raises(DomainError, match="不在存储中"):
        store.open("a" * 64)


def test_a_full_disk_keeps_what_was_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.put(picture("PNG"), "a.png", {PNG})
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DomainError, match="磁盘空间不足"):
        store.put(picture("JPEG"), "b.jpg", {JPEG})
    monkeypatch.setattr(os, "fsync", real)
    assert [p.name for p in on_disk(store)] == [kept.sha256] and store.verify() == []


def test_the_bytes_are_synced_before_the_name_exists(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("sync"), sync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("name"), replace(a, b))[1])
    store.put(picture("PNG"), "a.png", {PNG})
    assert order == ["sync", "name", "sync", "sync"]


def test_many_threads_put_the_same_file(store: Store) -> None:
    data, errors = picture("PNG"), []

    def work() -> None:
        try:
            store.put(data, "a.png", {PNG})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == [] and len(on_disk(store)) == 1 and store.verify() == []


@pytest.mark.parametrize(
    ("raw", "mime", "wanted"),
    [
        ("../../etc/passwd", "", "passwd"), ("C:\\Users\\x\\表.pdf", PDF, "表.pdf"), ("a\x00b.pdf", PDF, "ab.pdf"),
        ("表\u202efdp.exe", PDF, "表fdp_exe.pdf"), ("photo.php", JPEG, "photo_php.jpg"), ("x.JPEG", JPEG, "x.jpeg"), ("", PDF, "file.pdf"),
        ("...", PDF, "file.pdf"), ("CON", "", "file_CON"), ("nul.txt", "", "file_nul.txt"), ("报告1.2.pdf", PDF, "报告1.2.pdf"), ("a<b>:c|d?.pdf", PDF, "a_b__c_d_.pdf"),
        ("x" * 300 + ".pdf", PDF, "x" * 110 + ".pdf"), ("a\r\nSet-Cookie: x.pdf", PDF, "aSet-Cookie_ x.pdf"), (".htaccess", PDF, "htaccess.pdf"), ("e\u0301.pdf", PDF, "é.pdf"),
    ],
)  # fmt: skip
def test_names_are_cleaned(raw: str, mime: str, wanted: str) -> None:
    assert clean_name(raw, mime) == wanted


def test_a_served_copy_carries_pixels_only() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif[0x0112] = 6  # turned by 90 degrees
    original = picture("JPEG", (60, 40), exif=exif, comment=b"SECRET-COMMENT")
    assert b"SECRET-CAMERA" in original
    copy, mime = reencode(original, JPEG)
    assert mime == JPEG and b"SECRET" not in copy and Image.open(io.BytesIO(copy)).size == (40, 60)
    png, mime = reencode(picture("PNG", (3000, 10)), PNG)
    assert mime == PNG and Image.open(io.BytesIO(png)).size[0] == 2400
    _, mime = reencode(picture("WEBP"), WEBP)
    assert mime == JPEG
    with pytest.raises(DomainError, match="像素"):
        reencode(picture("PNG", (100, 100)), PNG, max_pixels=9_999)


def test_packed_bytes_that_spell_a_short_name_are_no_script() -> None:
    """/JS stands in a megabyte of packed bytes by chance; as a key it is refused, packed or not."""

    def pdf(objects: bytes, packed: bytes) -> bytes:
        stream = b"2 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
            len(packed),
            packed,
        )
        return b"%PDF-1.7\n1 0 obj\n" + objects + b"\nendobj\n" + stream + b"%%EOF\n"

    kinds.check_pdf(pdf(b"<< /Type /Catalog >>", b"\x1e\x86/JS\xa6\x0f /XFA\x00"))
    for objects in (b"<< /S /X /JS (app.alert(1)) >>", b"<< /XFA 3 0 R >>", b"<< /J#53 (x) >>"):
        with pytest.raises(DomainError):
            kinds.check_pdf(pdf(objects, b"plain"))
    with pytest.raises(DomainError):
        kinds.check_pdf(pdf(b"<< /Type /Catalog >>", b"\x1e /JavaScript \x86"))
    inside = zlib.compress(b"5 0 << /S /X /JS (app.alert(1)) >>")
    unpacked = pdf(b"<< /Type /Catalog >>", inside).replace(b"/Length", b"/Type /ObjStm /Length")
    with pytest.raises(DomainError):
        kinds.check_pdf(unpacked)
