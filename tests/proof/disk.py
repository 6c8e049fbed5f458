"""A disk that may lose what was not synced: built from the system calls of a real process.

`strace` writes down every write, truncation and sync of the process on its files. At any point of that
record the disk after a power cut holds, of each file, what was synced, and of the writes since then any
subset, each whole, not at all, or in part at sectors of 512 bytes (the model of SQLite's own crash
tests, test6.c).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.domain.draw.pools import number

SECTOR = 512
CALLS = "pwrite64,write,ftruncate,fsync,fdatasync"
SYNCS = ("fsync", "fdatasync")
_CALL = re.compile(
    r'^\d+ +(\w+)\((\d+)<([^>]*)>(?:, "([^"]*)")?(?:, (\d+))?(?:, (\d+))?\) += (-?\d+)(.*)$'
)


def strace() -> str:
    """Where strace is; RuntimeError without it."""
    found = shutil.which("strace")
    if found is None:
        raise RuntimeError("strace is missing: install the package strace")
    return found


def recording(into: Path, *inject: str) -> list[str]:
    """The command in front of the process's own; `inject`: calls that are made to fail, or to kill the
    process, as strace wants them. strace injects no signal while it stops at the watched calls alone."""
    watched = [] if any("signal=" in what for what in inject) else ["--seccomp-bpf"]
    return [
        strace(), *watched, "-f", "-y", "-xx", "-s", "4000000", "-e", f"trace={CALLS}",
        "-e", "signal=none", *(part for what in inject for part in ("-e", f"inject={what}")),
        "-o", str(into),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: `data` of a write at `offset`, or the length in `offset`. One that failed has
    changed nothing and bears the name `failed`."""

    name: str
    path: str
    data: bytes
    offset: int


def calls(record: Path) -> Iterator[Call]:
    """The calls of a record, in their order. What does not look like one of CALLS is skipped."""
    with record.open() as lines:
        for line in lines:
            found = _CALL.match(line)
            if found is None:
                continue
            name, _, path, text, first, second, done, _ = found.groups()
            if int(done) < 0:
                yield Call("failed" if name in SYNCS else "not written", _name(path), b"", 0)
                continue
            data = _bytes(text or "")
            offset = int(second or 0) if name == "pwrite64" else int(first or 0)
            if name in ("pwrite64", "write"):
                assert len(data) >= int(done), "a write is not recorded whole"
                data = data[: int(done)]
            yield Call(name, _name(path), data, offset)


def _name(path: str) -> str:
    return _bytes(path).decode()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


Write = tuple[int, bytes | None]  # place and bytes, or a new length


@dataclass
class File:
    """What the platter surely has, and what only the cache has."""

    synced: bytearray
    pending: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        self.synced = self.with_(self.pending)
        self.pending.clear()

    def with_(self, writes: Sequence[Write]) -> bytearray:
        """The synced bytes after these writes, in their order."""
        data = bytearray(self.synced)
        for place, what in writes:
            if what is None:
                del data[place:]
                data.extend(bytes(place - len(data)))
            else:
                data.extend(bytes(max(0, place - len(data))))
                data[place : place + len(what)] = what
        return data


class Disk:
    """Some files of one process, as its calls leave them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = {path: File(bytearray(data)) for path, data in files.items()}

    def take(self, call: Call) -> bool:
        """Carry out one call; whether it was about one of the files."""
        found = self.files.get(call.path)
        if found is None:
            return False
        match call.name:
            case "pwrite64":
                found.pending.append((call.offset, call.data))
            case "ftruncate":
                found.pending.append((call.offset, None))
            case "fsync" | "fdatasync":
                found.sync()
            case "failed":  # what waited may never come to the platter, whatever is synced later
                found.pending.clear()
            case "not written":
                pass
            case _:
                raise AssertionError(f"{call.name} on {call.path}")
        return True

    def after_cut(self, path: str, *way: object) -> bytearray:
        """The file after a power cut. `way`: "nothing" or "everything" of what was not synced came
        through, or anything else, from which a subset and torn writes are derived."""
        kept = self.files[path]
        if way == ("nothing",):
            return kept.synced
        if way == ("everything",):
            return kept.with_(kept.pending)
        writes: list[Write] = []
        for place, (offset, data) in enumerate(kept.pending):
            chance = number("write", path, place, *way)
            if chance % 3 == 0:
                continue
            if data is not None and chance % 3 == 1 and len(data) > SECTOR:
                for start in range(0, len(data), SECTOR):
                    if number("sector", path, place, start, *way) % 2:
                        writes.append((offset + start, data[start : start + SECTOR]))
            else:
                writes.append((offset, data))
        return kept.with_(writes)
