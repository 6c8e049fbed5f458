"""Files that arrive in pieces over a bad line: each piece checked, the whole checked, nothing lost.

Layout: `<store>/chunks/<owner>/<sha256>-<size>/<number>`, each piece written to `<store>/tmp`, synced and
renamed, so a kill or a power cut leaves a whole piece or none and the sender goes on where it stopped.
The pieces are kept apart by owner: nobody can spoil or probe another's file. Only when all are there
and their bytes hash to the name does the file enter the content-addressed store; after that the
pieces go. docs/sync-protocol.md section 8.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from app.domain.types import DomainError, Text
from app.files.store import Store, Stored, _sync_directory

CHUNK = 256 * 1024
KEPT_FOR = timedelta(days=30)  # what nobody completed
MIN_FREE = 256 * 1024 * 1024  # left for the database; below it nothing more is taken
_NAME = re.compile(r"([0-9a-f]{64})-([1-9][0-9]{0,11})")
_OWNER = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Full(DomainError):
    """The disk is full or nearly so: nothing was lost, and nothing more is taken."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "服务器磁盘空间不足，这一段没有收下；已收到的和平板上的都在。请稍后再试，并告知系统管理员。",
                "The server's disk is nearly full, so this piece was not taken. What has arrived and "
                "what is on the tablet is kept. Try later and tell the administrator.",
            )
        )


class WrongChunk(DomainError):
    """A piece whose bytes are not what its sender says."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "这一段在路上损坏或长度不对，没有收下。请再发一次。",
                "This piece was damaged on the way or has the wrong length; it was not taken. Send it "
                "again.",
            )
        )


class WrongWhole(DomainError):
    """All pieces are there and do not make the file that was announced: all are dropped."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "各段合起来不是所说的文件，已全部清除。请从头再发。",
                "The pieces do not make the file that was announced, so all were dropped. Send it "
                "again from the start.",
            )
        )


class Chunks:
    """The unfinished files of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.root = store.root / "chunks"

    def _folder(self, owner: str, sha256: str, size: int) -> Path:
        if not (_OWNER.fullmatch(owner) and _HASH.fullmatch(sha256) and size > 0):
            raise WrongChunk
        return self.root / owner / f"{sha256}-{size}"

    def have(self, owner: str, sha256: str, size: int) -> list[bool]:
        """Which pieces of the file are here, by number."""
        folder = self._folder(owner, sha256, size)
        found = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        return [str(n) in found for n in range(pieces(size))]

    def begun(self, owner: str, sha256: str, size: int) -> bool:
        """Whether a piece of the file was taken before."""
        return self._folder(owner, sha256, size).is_dir()

    def promised(self, owner: str) -> int:
        """Bytes that the owner's unfinished files will take once they are whole."""
        folder = self.root / owner
        names = (entry.name for entry in os.scandir(folder)) if folder.is_dir() else ()
        return sum(int(m[2]) for name in names if (m := _NAME.fullmatch(name)))

    def take(
        self, owner: str, sha256: str, size: int, number: int, data: bytes, digest: str
    ) -> None:
        """Keep one piece (numbers from 0). The same piece twice is kept once. WrongChunk, Full."""
        folder = self._folder(owner, sha256, size)
        if not 0 <= number < pieces(size) or len(data) != length_of(size, number):
            raise WrongChunk
        if hashlib.sha256(data).hexdigest() != digest:
            raise WrongChunk
        first = not folder.is_dir()
        self._room_for(2 * size if first else len(data))  # pieces, then the whole beside them
        try:
            self._write(folder, number, data)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise Full from error
            raise

    def _room_for(self, size: int) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self.root).free < MIN_FREE + size:
            raise Full

    def _write(self, folder: Path, number: int, data: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.store.written(data) as temporary:
            os.replace(temporary, folder / str(number))
            _sync_directory(folder)

    def first_bytes(self, owner: str, sha256: str, size: int) -> bytes:
        """The first 4 KiB; empty while the first piece is missing."""
        path = self._folder(owner, sha256, size) / "0"
        if not path.is_file():
            return b""
        with path.open("rb") as stream:
            return stream.read(4096)

    def whole(self, owner: str, sha256: str, size: int) -> Joined:
        """The pieces as one stream, checked against the file's name; for the caller to close. They
        stay until `drop`, so that a kill before the caller's record is written loses nothing.

        WrongWhole (all dropped); FileNotFoundError when a piece is missing."""
        joined = Joined(self._folder(owner, sha256, size), pieces(size))
        if hashlib.file_digest(joined, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
            joined.close()
            self.drop(owner, sha256, size)
            raise WrongWhole
        joined.seek(0)
        return joined

    def put(self, source: bytes | Joined, allowed: Collection[str], size: int) -> Stored:
        """Into the store, checked by kind. Full when the disk is; else the store's own refusal."""
        self._room_for(size)
        try:
            return self.store.put(source, "file", allowed, max_bytes=size)  # type: ignore[arg-type]
        except DomainError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_SPACE:
                raise Full from error
            raise

    def drop(self, owner: str, sha256: str, size: int) -> None:
        """The pieces go: the file is recorded, or it cannot be what it claims."""
        shutil.rmtree(self._folder(owner, sha256, size), ignore_errors=True)

    def sweep(self, now: datetime, kept_for: timedelta = KEPT_FOR) -> int:
        """Drop what nobody went on with for 30 days, and what a crash left in `tmp` for a day; how
        many unfinished files went."""
        gone = 0
        for folder in self.root.glob("*/*"):
            newest = max((entry.stat().st_mtime for entry in os.scandir(folder)), default=0.0)
            if now.timestamp() - max(newest, folder.stat().st_mtime) > kept_for.total_seconds():
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        for left in (self.store.root / "tmp").glob("*"):
            if now.timestamp() - left.stat().st_mtime > timedelta(days=1).total_seconds():
                left.unlink(missing_ok=True)
        return gone


def pieces(size: int) -> int:
    """How many pieces a file of this size has."""
    return (size + CHUNK - 1) // CHUNK


def length_of(size: int, number: int) -> int:
    """Bytes of one piece: all are full but the last."""
    return min(CHUNK, size - number * CHUNK)


class Joined(io.RawIOBase):
    """The pieces of a folder read as one stream, without a copy on disk. FileNotFoundError when one
    is missing."""

    def __init__(self, folder: Path, count: int) -> None:
        self._paths = [folder / str(number) for number in range(count)]
        self._next = 0
        self._open: io.BufferedReader | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        """Fill from the present piece, then the next; 0 at the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while True:
            if self._open is None:
                if self._next == len(self._paths):
                    return 0
                self._open = self._paths[self._next].open("rb")
                self._next += 1
            if count := self._open.readinto(view):
                return count
            self._open.close()
            self._open = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Back to the start; there is no other place to go to."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("only seek(0)")
        if self._open is not None:
            self._open.close()
        self._open, self._next = None, 0
        return 0

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        super().close()
