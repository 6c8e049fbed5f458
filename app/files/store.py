"""Content-addressed store on disk: a file is its SHA-256, typed by its bytes, never by its name.

Files are written to a temporary name, synced and renamed, so that a crash leaves whole files only.
What is served goes out as an attachment under a sandboxing policy; nothing here is ever executed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.types import DomainError, NotFound, Text

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 100
MAX_MEMBERS = 5_000
MAX_PIXELS = 60_000_000
DOCUMENTS = frozenset({"pdf", "png", "jpg", "xlsx", "docx"})
AUDIO = frozenset({"mp3", "m4a", "webm", "ogg", "wav"})
MIME = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "zip": "application/zip",
}
_KEPT = Text("文件未保存。", "The file was not kept.")
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store: SHA-256 hex, bytes, type by content, cleaned name."""

    sha256: str
    size: int
    mime: str
    name: str


def _no(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh + _KEPT.zh, f"{en} {_KEPT.en}"), field="file")


def clean_name(name: str) -> str:
    """A file name without paths, control or direction characters, at most 120 characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    if not name:
        return "file"
    stem, dot, suffix = name.rpartition(".")
    return name if len(name) <= 120 else f"{(stem or suffix)[:110]}{dot}{suffix[:9]}"


def content_type(data: bytes) -> str | None:
    """The kind of file by its first bytes (and a ZIP's members); None when it is not known."""
    head = data[:32]
    for magic, kind in (
        (b"%PDF-", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"ID3", "mp3"),
        (b"\x1a\x45\xdf\xa3", "webm"),
        (b"OggS", "ogg"),
    ):
        if head.startswith(magic):
            return kind
    if head[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return "mp3"
    if head[4:8] == b"ftyp" and head[8:12] in (b"M4A ", b"mp42", b"isom", b"iso5", b"mp41"):
        return "m4a"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"PK\x03\x04"):
        return _office_kind(data)
    return None


def _office_kind(data: bytes) -> str:
    names = {info.filename for info in check_zip(data)}
    if "[Content_Types].xml" in names:
        if any(n.startswith("xl/") for n in names):
            return "xlsx"
        if any(n.startswith("word/") for n in names):
            return "docx"
    return "zip"


def check_zip(data: bytes) -> list[zipfile.ZipInfo]:
    """Look at a ZIP's directory before anything is unpacked: members, size, ratio, paths, macros.

    DomainError says which limit it breaks.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _no("压缩结构已损坏。", "The archive is damaged.") from error
    total = sum(info.file_size for info in members)
    if len(members) > MAX_MEMBERS or total > MAX_UNPACKED or total > MAX_RATIO * len(data) + 65536:
        raise _no("解压后过大，疑似压缩炸弹。", "It unpacks to far too much: a zip bomb?")
    for info in members:
        path = info.filename.replace("\\", "/")
        if path.startswith("/") or ".." in path.split("/") or "\0" in path or ":" in path:
            raise _no("压缩包内有越界路径。", "The archive has a path that leaves it.")
        if (info.external_attr >> 16) & 0o170000 == 0o120000:
            raise _no("压缩包内有链接文件。", "The archive has a symbolic link.")
        if info.flag_bits & 1:
            raise _no("文件已加密。请去掉密码后重新上传。", "It is encrypted; remove the password.")
        if path.lower().endswith(("vbaproject.bin", ".xlm")) or "/activex/" in path.lower():
            raise _no("文件含有宏。请另存为不含宏的格式。", "It has macros; save it without them.")
    return members


class Store:
    """Files under `root`, in 256 directories by the first two digits of their hash."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(
        self,
        data: bytes,
        name: str,
        allowed: Collection[str] = DOCUMENTS,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> Stored:
        """Check and keep `data`. The same bytes are kept once. DomainError when refused."""
        kind = inspect(data, allowed, max_bytes=max_bytes)
        name = clean_name(name)
        return Stored(self._write(data), len(data), MIME[kind], name)

    def keep(self, data: bytes) -> str:
        """Keep bytes that the application made itself (a PDF, a transcript); returns their hash."""
        return self._write(data)

    def _path(self, sha: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha):
            raise NotFound(Text("没有这个文件。", "There is no such file."))
        return self.root / sha[:2] / sha

    def _write(self, data: bytes) -> str:
        sha = hashlib.sha256(data).hexdigest()
        path = self._path(sha)
        if path.exists():
            return sha
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return sha

    def open(self, sha: str) -> bytes:
        """The bytes, checked against their hash; DomainError when damaged, NotFound when gone."""
        try:
            data = self._path(sha).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(Text("文件缺失。", "The file is missing.")) from error
        if hashlib.sha256(data).hexdigest() != sha:
            raise DomainError(
                Text(
                    f"文件 {sha[:12]} 已损坏。请从备份恢复。",
                    f"File {sha[:12]} is damaged. Restore it from a backup.",
                )
            )
        return data

    def all(self) -> Iterator[str]:
        """Hashes of every file, in order."""
        for path in sorted(self.root.glob("??/*")):
            if re.fullmatch(r"[0-9a-f]{64}", path.name):
                yield path.name

    def restore(self, sha: str, data: bytes) -> None:
        """Put a file back from a backup; its hash must fit."""
        if hashlib.sha256(data).hexdigest() != sha:
            raise DomainError(Text("备份中的文件损坏。", "A file in the backup is damaged."))
        self._write(data)

    def verify(self) -> list[str]:
        """Hashes of files whose bytes no longer fit."""
        return [
            sha
            for sha in self.all()
            if hashlib.sha256(self._path(sha).read_bytes()).hexdigest() != sha
        ]

    def has(self, sha: str) -> bool:
        return self._path(sha).exists()


def inspect(data: bytes, allowed: Collection[str], *, max_bytes: int = MAX_BYTES) -> str:
    """The kind of an uploaded file, or DomainError with the reason for refusing it."""
    if not data:
        raise _no("文件是空的。", "The file is empty.")
    if len(data) > max_bytes:
        raise _no(
            f"文件超过 {max_bytes // 1024 // 1024} MB。",
            f"It is over {max_bytes // 1024 // 1024} MB.",
        )
    kind = content_type(data)
    if kind is None or kind not in allowed:
        names = "、".join(sorted(allowed))
        raise _no(
            f"按内容判断不是允许的类型（{names}）。",
            f"By its content it is none of the allowed types ({', '.join(sorted(allowed))}).",
        )
    if kind == "pdf":
        if _ACTIVE_PDF.search(data):
            raise _no("PDF 含有脚本或嵌入文件。", "The PDF has scripts or embedded files.")
        if b"%%EOF" not in data[-2048:]:
            raise _no("PDF 不完整。", "The PDF is cut short.")
    if kind in ("png", "jpg"):
        _check_image(data)
    return kind


def _check_image(data: bytes) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _no("图片像素过多。", "The picture has too many pixels.")
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise _no("图片损坏或不完整。", "The picture is damaged or cut short.") from error
    except Image.DecompressionBombError as error:
        raise _no("图片像素过多。", "The picture has too many pixels.") from error
