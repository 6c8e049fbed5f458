"""Backup and restore in one portable file, consistent while the server is in use.

A ZIP with every table as JSON lines from one database snapshot, every stored file, and a manifest
of SHA-256 digests under the ledger's signature. Its comment, the last 64 bytes of the file, is the
SHA-256 of all bytes before it, so that one flipped bit anywhere is found. It moves between SQLite
and PostgreSQL. Keys are not in it: they stay outside the database and outside backups.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import String, Table, insert, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock, migrate
from app.db import Base
from app.domain.ledger.canonical import canonical
from app.domain.types import Conflict, DomainError, Text
from app.installation import Installation
from app.keys import verify_signature
from app.ledger import prove, restored

FORMAT = 1
DAMAGED = Text(
    "备份文件损坏或不完整（{what}）。目标未作任何改动；请换用另一份备份。",
    "The backup is damaged or incomplete ({what}). The target was left unchanged; use another copy.",
)
SEAL = 64  # hex digits at the end of the file
MAX_MANIFEST = 64 * 1024 * 1024
Progress = Callable[[str], None]


def _encode(value: Any) -> Any:
    match value:
        case bytes():
            return {"b": base64.b64encode(value).decode()}
        case datetime():
            return {"t": clock.stamp(value)}
        case date():
            return {"d": value.isoformat()}
        case Decimal():
            return {"n": format(value, "f")}
        case dict() | list():
            return {"j": value}
        case _:
            return value


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "b":
            return base64.b64decode(content)
        case "t":
            return datetime.fromisoformat(content)
        case "d":
            return date.fromisoformat(content)
        case "n":
            return Decimal(content)
        case _:
            return content


def portable_rows(session: Session, table: Table) -> Iterator[bytes]:
    """A table's rows as JSON lines, the same bytes on both databases."""
    # By code point on both databases, so that the same rows give the same bytes.
    postgres = session.connection().dialect.name == "postgresql"
    order = [
        column.collate("C") if postgres and isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]
    result = session.execute(select(table).order_by(*order).execution_options(yield_per=2000))
    for row in result:
        values = {key: _encode(value) for key, value in row._mapping.items()}
        yield json.dumps(values, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def backup(
    installation: Installation, target: Path, say: Progress = lambda _: None
) -> prove.TreeHead:
    """Write a backup to `target` (mode 0600, never over an existing file); the head it holds."""
    if not target.parent.is_dir():
        raise DomainError(
            Text(
                f"目录 {target.parent} 不存在，没有备份。请先建立或换一个位置。",
                f"There is no directory {target.parent}, so nothing was written. Make it or choose "
                "another place.",
            )
        )
    if target.exists():
        raise Conflict(
            Text(
                f"{target} 已存在，未覆盖。请换一个文件名。",
                f"{target} exists and was not overwritten. Choose another name.",
            )
        )
    part = target.with_name(target.name + ".part")
    digests: dict[str, str] = {}
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(handle, "w+b") as file,
            installation.database.read() as session,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive,
        ):
            archive.comment = b"0" * SEAL
            head = prove.head(session)
            for table in Base.metadata.sorted_tables:
                say(table.name)
                name = f"tables/{table.name}.jsonl"
                running = hashlib.sha256()
                with archive.open(name, "w", force_zip64=True) as member:
                    for line in portable_rows(session, table):
                        running.update(line)
                        member.write(line)
                digests[name] = running.hexdigest()
            for sha in installation.store.digests():
                data = installation.store.open(sha).read()
                archive.writestr(f"files/{sha}", data)
                digests[f"files/{sha}"] = hashlib.sha256(data).hexdigest()
            manifest = canonical(
                {
                    "format": FORMAT,
                    "revision": migrate.head(),
                    "head": str(head),
                    "made_at": clock.stamp(clock.now()),
                    "members": digests,
                }
            )
            archive.writestr("manifest.json", manifest)
            archive.writestr(
                "manifest.sig",
                installation.keys.public.hex() + ":" + installation.keys.sign(manifest).hex(),
            )
        with open(part, "rb+") as file:
            seal = _digest_before_seal(file)
            file.seek(-SEAL, os.SEEK_END)
            file.write(seal)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return head


@dataclass(frozen=True, slots=True)
class Content:
    """What a whole backup says of itself: its manifest, and the ledger key that signed it."""

    manifest: dict[str, Any]
    public: bytes

    @property
    def head(self) -> prove.TreeHead:
        return prove.TreeHead.parse(self.manifest["head"])

    @property
    def made_at(self) -> str:
        return str(self.manifest["made_at"])


def _digest_before_seal(file: BinaryIO) -> bytes:
    """SHA-256, as 64 hex digits, of everything but the last 64 bytes."""
    left = file.seek(0, os.SEEK_END) - SEAL
    file.seek(0)
    running = hashlib.sha256()
    while left > 0:
        block = file.read(min(1 << 20, left))
        if not block:
            break
        running.update(block)
        left -= len(block)
    return running.hexdigest().encode()


# Whatever a file that is no backup of ours may make the reading of a ZIP raise.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    LookupError,
    TypeError,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,
)


def check(source: Path) -> Content:
    """Read the whole file against seal, signature and manifest; DomainError when anything differs."""
    try:
        with open(source, "rb") as file:
            expected = _digest_before_seal(file)
            if file.read() != expected:
                raise DomainError(DAMAGED.format(what="SHA-256"))
        with zipfile.ZipFile(source) as archive:
            content = _check_members(archive)
    except _UNREADABLE as error:
        raise DomainError(DAMAGED.format(what=type(error).__name__)) from error
    return content


def _check_members(archive: zipfile.ZipFile) -> Content:
    # A member never gives more than its directory says; a hundred thousand files need 15 MiB here.
    if any(archive.getinfo(f"manifest.{n}").file_size > MAX_MANIFEST for n in ("json", "sig")):
        raise DomainError(DAMAGED.format(what="manifest.json"))
    signed = archive.read("manifest.json")
    public, _, signature = archive.read("manifest.sig").decode().partition(":")
    key = bytes.fromhex(public)
    if not verify_signature(key, signed, bytes.fromhex(signature)):
        raise DomainError(DAMAGED.format(what="manifest.sig"))
    manifest: dict[str, Any] = json.loads(signed)
    if manifest["format"] != FORMAT or manifest["revision"] != migrate.head():
        raise DomainError(
            Text(
                "备份来自另一个版本的数据库。目标未改动；请用备份时的版本恢复，再升级。",
                "The backup is of another schema. The target was left unchanged; restore it with "
                "the version that made it, then upgrade.",
            )
        )
    members = manifest["members"]
    if sorted(archive.namelist()) != sorted([*members, "manifest.json", "manifest.sig"]):
        raise DomainError(DAMAGED.format(what="members"))
    tables = {f"tables/{table.name}.jsonl" for table in Base.metadata.sorted_tables}
    if {name for name in members if not name.startswith("files/")} != tables:
        raise DomainError(DAMAGED.format(what="tables"))
    for name, expected in members.items():
        running = hashlib.sha256()
        with archive.open(name) as member:
            while block := member.read(1 << 20):
                running.update(block)
        if running.hexdigest() != expected:
            raise DomainError(DAMAGED.format(what=name))
    return Content(manifest, key)


def require_empty(installation: Installation) -> None:
    """Conflict unless no table holds a row. Reads only."""
    with installation.database.read() as session:
        for table in Base.metadata.sorted_tables:
            if session.scalar(select(literal(1)).select_from(table).limit(1)):
                raise Conflict(
                    Text(
                        "目标不是空的，未作任何改动。请在新目录中恢复。",
                        "The target is not empty and was left unchanged. Restore into a new place.",
                    )
                )


def restore(
    installation: Installation, source: Path, say: Progress = lambda _: None
) -> prove.TreeHead:
    """Load a checked backup into an empty installation, in one transaction; returns the head, which
    is the backup's. The ledger's entry of the restore is the first of the next writer's.

    Nothing is written before the whole file was read and found whole. Signatures of checkpoints
    are checked too when the installation has the key that the backup was signed with.
    """
    content = check(source)
    require_empty(installation)
    keys = installation.keys if installation.keys.public == content.public else None
    restored.forget(installation.settings.home)
    try:
        with zipfile.ZipFile(source) as archive, installation.database.write() as session:
            session.info["mode"] = "restore"  # rows come with their own ledger entries
            for table in Base.metadata.sorted_tables:
                say(table.name)
                _load(session, table, archive.read(f"tables/{table.name}.jsonl"))
            report = prove.verify(session, keys, content.head)
            if not report.ok or report.head != content.head:
                fault = report.faults[0] if report.faults else Text("账本头", "ledger head")
                raise DomainError(DAMAGED.format(what=fault))
            for name in content.manifest["members"]:
                if name.startswith("files/"):
                    installation.store.keep(archive.read(name))
            # Before the commit: a restore that is in force has always left word.
            restored.note(
                installation.settings.home, content.head, sha256_of(source), content.made_at
            )
    except DBAPIError as error:
        why = str(error.orig).strip().partition("\n")[0]
        raise DomainError(
            Text(
                f"目标数据库不接受备份内容（{why}）。数据库未作任何改动。",
                f"The target database refused the backup ({why}). It was left unchanged.",
            )
        ) from error
    return content.head


def sha256_of(source: Path) -> str:
    """Of the whole file, as `sha256sum` prints it."""
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(session: Session, table: Table, lines: bytes) -> None:
    rows = [
        {key: _decode(value) for key, value in json.loads(line).items()}
        for line in lines.splitlines()
    ]
    for column in table.columns:
        if any(key.column.table is table for key in column.foreign_keys):
            rows = _parents_first(rows, column.key)
    for start in range(0, len(rows), 1000):
        session.execute(insert(table), rows[start : start + 1000])


def _parents_first(rows: list[dict[str, Any]], parent: str) -> list[dict[str, Any]]:
    """Order rows of a tree so that a foreign key to the same table always finds its row."""
    known = {row["id"] for row in rows}
    placed: set[Any] = set()
    ordered: list[dict[str, Any]] = []
    waiting = rows
    while waiting:
        ready = [r for r in waiting if r[parent] not in known or r[parent] in placed]
        if not ready:
            raise DomainError(DAMAGED.format(what=f"cycle in {parent}"))
        ordered += ready
        placed |= {r["id"] for r in ready}
        waiting = [r for r in waiting if r["id"] not in placed]
    return ordered
