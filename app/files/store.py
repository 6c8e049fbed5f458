"""A content-addressed store on disk: a file's name in it is the SHA-256 of its bytes.

Layout: `<root>/ab/abcdef...` (64 hex digits), written to `<root>/tmp` first, synced, then renamed, so
that a power cut leaves a whole file or none. The same bytes are kept once. Names given by people
are cleaned and returned for the caller's record; they never touch the disk.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from app.domain.types import DomainError, Text
from app.files.kinds import EXTENSIONS, identify

MAX_BYTES = 50 * 1024 * 1024
_CHUNK = 1024 * 1024
_SHA = re.compile(r"[0-9a-f]{64}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was kept: digest (64 hex digits), size in bytes, type by content, cleaned name."""

    sha256: str
    size: int
    mime: str
    name: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that should be here and is gone, or whose bytes no longer match its name."""

    sha256: str
    problem: Literal["missing", "damaged"]


def _refuse(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh, en), field="file")


def clean_name(name: str, mime: str = "") -> str:
    """A name fit for display and download: no path, no control or direction marks, no NUL.

    At most 120 characters; with `mime`, an ending that does not belong to it is replaced, so that
    a JPEG called photo.php is offered as photo_php.jpg.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    base = "".join(
        c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
    )
    base = re.sub(r'[<>:"|?*]', "_", base).strip(" .")
    if not base or _RESERVED.fullmatch(base):
        base = "file" + (base and f"_{base}")
    endings = EXTENSIONS.get(mime, ())
    stem, dot, tail = base.rpartition(".")
    if not endings:
        return base[-120:] if len(base) > 120 else base
    if dot and f".{tail.lower()}" in endings:
        return f"{stem[:110]}.{tail.lower()}"
    return base.replace(".", "_")[:110] + endings[0]


class Store:
    """The files under one directory; safe for several processes at once."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def path(self, sha256: str) -> Path:
        """Where the bytes lie; raises DomainError for anything but 64 lower-case hex digits."""
        if not _SHA.fullmatch(sha256):
            raise _refuse("文件编号无效。", "This is not a file's digest.")
        return self.root / sha256[:2] / sha256

    def put(
        self,
        source: bytes | BinaryIO,
        name: str,
        allowed: Collection[str],
        *,
        max_bytes: int = MAX_BYTES,
    ) -> Stored:
        """Check and keep a file; nothing of it stays on disk when it is refused.

        `allowed` is a set of media types (see `kinds`). Raises DomainError: empty, larger than
        `max_bytes`, not of an allowed type, or with content that is refused; also on a full disk.
        """
        stream = io.BytesIO(source) if isinstance(source, (bytes, bytearray)) else source
        try:
            return self._put(stream, name, allowed, max_bytes)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _refuse(
                    "磁盘空间不足，文件未保存，已有文件不受影响。请联系系统管理员后重试。",
                    "The disk is full: the file was not kept, others are untouched. Tell the administrator and try again.",
                ) from error
            raise

    def _put(self, stream: BinaryIO, name: str, allowed: Collection[str], max_bytes: int) -> Stored:
        waiting = self.root / "tmp"
        waiting.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, written = tempfile.mkstemp(dir=waiting)
        temporary = Path(written)
        try:
            digest, size, head = hashlib.sha256(), 0, b""
            with os.fdopen(handle, "wb") as out:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if size > max_bytes:
                        limit = f"{max_bytes / (1024 * 1024):g}"
                        raise _refuse(
                            f"文件超过 {limit} MB，未保存。请压缩或拆分后重新上传。",
                            f"The file is larger than {limit} MB and was not kept. Compress or split it and upload it again.",
                        )
                    if len(head) < 4096:
                        head += chunk[: 4096 - len(head)]
                    digest.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if not size:
                raise _refuse(
                    "文件为空（0 字节），未保存。请检查后重新上传。",
                    "The file is empty (0 bytes) and was not kept. Check it and upload it again.",
                )
            mime = identify(head, temporary.read_bytes)
            if mime not in allowed:
                wanted = sorted({EXTENSIONS[m][0] for m in allowed if m in EXTENSIONS})
                raise _refuse(
                    f"这里不接收 {EXTENSIONS[mime][0]} 文件，未保存。可上传：{'、'.join(wanted)}。",
                    f"Files of type {EXTENSIONS[mime][0]} are not taken here; it was not kept. Allowed: {', '.join(wanted)}.",
                )
            sha256 = digest.hexdigest()
            self._place(temporary, sha256)
            return Stored(sha256, size, mime, clean_name(name, mime))
        finally:
            temporary.unlink(missing_ok=True)

    def _place(self, temporary: Path, sha256: str) -> None:
        """Rename into place and make it durable."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        # Replacing an equal file costs nothing and heals one that has rotted.
        os.replace(temporary, target)
        for folder in (target.parent, self.root):
            _sync_directory(folder)

    @contextmanager
    def written(self, data: bytes) -> Iterator[Path]:
        """A temporary file of these bytes, synced: rename it to where it belongs; else it goes."""
        waiting = self.root / "tmp"
        waiting.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=waiting)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, data: bytes) -> str:
        """Keep bytes that the application made itself (a report, a transcript); their digest."""
        sha256 = hashlib.sha256(data).hexdigest()
        with self.written(data) as temporary:
            self._place(temporary, sha256)
        return sha256

    def digests(self) -> list[str]:
        """Every file's digest, sorted."""
        found = self.root.glob("[0-9a-f][0-9a-f]/*")
        return sorted(path.name for path in found if _SHA.fullmatch(path.name))

    def has(self, sha256: str) -> bool:
        """Whether a file of that digest lies here (its bytes are not checked)."""
        return self.path(sha256).is_file()

    def open(self, sha256: str) -> BinaryIO:
        """The file, for reading; raises DomainError when it is not here."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise _refuse(
                f"文件 {sha256[:12]} 不在存储中，请通知系统管理员核对备份。",
                f"The file {sha256[:12]} is not in the store. Tell the administrator to check the backup.",
            ) from error

    def verify(self, expected: Iterable[str] = ()) -> list[Damage]:
        """Re-hash every file; list damaged ones, and those of `expected` that are missing."""
        found: list[Damage] = []
        seen: set[str] = set()
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")):
            if not _SHA.fullmatch(path.name):
                continue
            seen.add(path.name)
            with path.open("rb") as stream:
                actual = hashlib.file_digest(stream, "sha256").hexdigest()
            if actual != path.name or path.parent.name != path.name[:2]:
                found.append(Damage(path.name, "damaged"))
        found += [Damage(sha, "missing") for sha in sorted(set(expected) - seen)]
        return found


def _sync_directory(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and does not need it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
