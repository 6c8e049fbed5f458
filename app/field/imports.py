"""The last resort: a tablet's export file, loaded by the office (docs/sync-protocol.md section 7).

Same checks as a push, same receipts, no more rights: the operations are the owner's, the file is signed
by the tablet's key, and loading it twice changes nothing. What is not exactly such a file is refused
before anything in it is believed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import Account, Tablet
from app.accounts.queries import viewer_of
from app.accounts.tablets import signed_by
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.field import media
from app.field.media import Kept
from app.field.push import MAX_OPERATIONS, Push
from app.files.archive import UNREADABLE, open_archive
from app.files.chunks import CHUNK, Chunks, pieces
from app.ledger.append import append

CONTEXT = "FIELD/1 export"
MAX_PACKAGE = 32 * 1024 * 1024  # of package.json
MAX_UNPACKED = 600 * 1024 * 1024
_MEDIA = re.compile(r"media/([0-9a-f]{64})")
_ID = re.compile(r"[0-9a-f]{16}")

_BAD = Text(
    "这不是完整的外业导出文件（{why}）。没有导入任何内容；请在平板上重新导出。",
    "This is no complete export of the field app ({why}). Nothing was imported: export it again on "
    "the tablet.",
)
_ZIP = Text("不是可读的 ZIP", "not a readable ZIP")
_NAMES = Text("含有不属于导出文件的内容", "it holds what an export does not")
_JSON = Text("package.json 读不出来", "package.json cannot be read")
_SIGNED = Text("签名与平板不符", "the signature is not the tablet's")
_OWNER = Text("账号已停用或不是这台平板的", "its account is closed or not the tablet's")
_PHOTO = Text("照片与其编号不符", "a photo is not what its name says")
_LARGE = Text("文件太大", "it is too large")


@dataclass(frozen=True, slots=True)
class Package:
    """An export that was read and is not believed yet."""

    tablet_id: str
    account_id: str
    ops: list[Any]
    sha256: str
    signature: str
    media: dict[str, bytes]


@dataclass
class Loaded:
    """What an import did, for the office: counts, never marks."""

    tablet: Tablet
    owner: Viewer
    statuses: Counter[str] = field(default_factory=Counter)
    known: int = 0
    files: int = 0
    codes: list[str] = field(default_factory=list)
    stopped: str | None = None


def _bad(why: Text) -> DomainError:
    return DomainError(_BAD.format(why=why), field="file")


def read_package(data: bytes) -> Package:
    """Read an export file. DomainError for anything else: no ZIP, a bomb, other names in it, no JSON."""
    if not data.startswith(b"PK\x03\x04"):
        raise _bad(_ZIP)
    try:
        archive = open_archive(data, max_unpacked=MAX_UNPACKED)
        members = {member.filename: member for member in archive.infolist()}
        photos = [name for name in members if _MEDIA.fullmatch(name)]
        if set(members) != {"package.json", "package.sig", *photos}:
            raise _bad(_NAMES)
        if (
            members["package.json"].file_size > MAX_PACKAGE
            or members["package.sig"].file_size > 200
        ):
            raise _bad(_LARGE)
        raw = archive.read("package.json")
        signature = archive.read("package.sig").decode("ascii").strip()
        found = {name.removeprefix("media/"): archive.read(name) for name in photos}
    except UnicodeDecodeError as error:
        raise _bad(_SIGNED) from error
    except UNREADABLE as error:
        raise _bad(_ZIP) from error
    except DomainError as error:
        if error.field == "file":
            raise
        raise _bad(_ZIP) from error
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad(_JSON) from error
    given = body if isinstance(body, dict) else {}
    tablet, account, ops = given.get("tablet"), given.get("account"), given.get("ops")
    if given.get("v") != 1 or not isinstance(ops, list):
        raise _bad(_JSON)
    if not isinstance(tablet, str) or not isinstance(account, str):
        raise _bad(_JSON)
    if any(hashlib.sha256(content).hexdigest() != sha for sha, content in found.items()):
        raise _bad(_PHOTO)
    return Package(tablet, account, ops, hashlib.sha256(raw).hexdigest(), signature, found)


def owner_of(session: Session, package: Package) -> tuple[Tablet, Viewer]:
    """Whose it is, once the signature is the tablet's. A revoked tablet's counts: what it dates
    after its revocation is refused operation by operation. DomainError."""
    tablet = session.get(Tablet, package.tablet_id) if _ID.fullmatch(package.tablet_id) else None
    message = f"{CONTEXT}\n{package.sha256}".encode()
    if tablet is None or not signed_by(tablet.public_key, message, package.signature):
        raise _bad(_SIGNED)
    if tablet.account_id != package.account_id:
        raise _bad(_OWNER)
    owner = viewer_of(session, session.get_one(Account, tablet.account_id))
    if owner is None:
        raise _bad(_OWNER)
    return tablet, owner


def keep_media(chunks: Chunks, owner: Viewer, package: Package) -> list[Kept]:
    """Put the photos into the store, checked like pushed ones; slow, outside of a transaction."""
    kept = []
    for sha256, content in sorted(package.media.items()):
        size = len(content)
        media.check_limits(size, content[:4096], 0)
        for number in range(pieces(size)):
            part = content[number * CHUNK : (number + 1) * CHUNK]
            digest = hashlib.sha256(part).hexdigest()
            chunks.take(owner.id, sha256, size, number, part, digest)
        kept.append(media.keep(chunks, owner.id, sha256, size))
    return kept


def load(
    session: Session,
    actor: Viewer,
    package: Package,
    tablet: Tablet,
    owner: Viewer,
    kept: list[Kept],
) -> Loaded:
    """Take the operations as a push of their owner would, then the files: in one transaction."""
    actor.require("office")
    done = Loaded(tablet, owner)
    for row in kept:
        done.files += media.own_media(session, owner, row.sha256) is None
        media.record(session, owner, row, tablet.id)
    for part in _slices(package.ops):
        answer = Push(session, owner, tablet, imported_by=actor.id).run(part)
        for told in answer["receipts"]:
            if told.get("replayed"):
                done.known += 1
                continue
            done.statuses[told["status"]] += 1
            if "code" in told:
                done.codes.append(told["code"])
        if "stopped" in answer:
            done.stopped = answer["stopped"]["code"]
            break
    append(
        session,
        actor,
        "field.imported",
        tablet=tablet.id,
        package=package.sha256,
        new=sum(done.statuses.values()),
        known=done.known,
    )
    return done


def _slices(ops: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(ops), MAX_OPERATIONS):
        yield ops[start : start + MAX_OPERATIONS]
