"""Materials that a county files: kept by content hash, linked to the items that they support.

S0 art. 16(2): the panel scores from the materials, so each stands read-only beside its items. Nothing
is deleted: a material is withdrawn with a reason.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.files.archive import UNREADABLE, open_archive
from app.files.kinds import MATERIALS, identify
from app.files.store import Store
from app.ledger.append import append
from app.programme.guards import account_id, require, while_live, words
from app.programme.instruments import items_of
from app.programme.models import Material, Round, Subject

MAX_FILES = 500  # in one folder import
MAX_UNPACKED = 500 * 1024 * 1024

_NOT_YOURS = Text(
    "没有这个参评区县，或它不对您开放。", "There is no such county, or it is not open to you."
)
_NO_MATERIAL = Text(
    "没有这份材料，或它不对您开放。", "There is no such document, or it is not open to you."
)
_NO_ITEM = Text(
    "评分表没有条目 {items}。文件没有保存；请改正条目后重新上传。",
    "No form of this county has the items {items}. The file was not kept; correct them and upload "
    "again.",
)
_SAME = Text(
    "{county} 已有内容相同的文件“{name}”。没有重复保存。",
    "{county} has filed the same content as “{name}” already. Nothing was stored twice.",
)
_GONE = Text(
    "这份材料已经撤回。没有改动。", "This document was withdrawn already. Nothing was changed."
)
_NOT_ZIP = Text(
    "压缩包已损坏，或含有越界路径。没有导入任何文件。",
    "The archive is damaged or holds a path that leaves it. Nothing was imported.",
)
_TOO_MUCH = Text(
    "超过 {n} 个文件。没有导入任何文件；请分批导入。",
    "More than {n} files. Nothing was imported; import them in parts.",
)
_EMPTY = Text("文件是空的。", "it is empty.")
_NO_DOCUMENT = Text("不是文档、图片或表格。", "it is no document, picture or table.")
_NO_COUNTY = Text(
    "文件“{name}”不属于任何参评区县：文件夹或文件名须以区县名称或代码开头。没有导入任何文件。",
    "“{name}” belongs to no county of the round: its folder or its name must start with a county's "
    "name or code. Nothing was imported.",
)
_REFUSED = Text("文件“{name}”：{why} 没有导入任何文件。", "“{name}”: {why} Nothing was imported.")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it arrived; `name` may carry folders."""

    name: str
    data: bytes


def upload_material(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    data: bytes,
    filename: str,
    items: Sequence[str] = (),
) -> Material:
    """File a document for a county, by the office or by its own presenter.

    The store checks what the bytes really are and refuses the rest with a DomainError, keeping
    nothing. `items` are indicator ids of the county's forms. A withdrawn document that is filed
    again comes back.
    """
    require(actor, "office", "presenter")
    if actor is not None and actor.role == "presenter" and subject.presenter_id != actor.person_id:
        raise NotFound(_NOT_YOURS)
    while_live(subject.round)
    linked = _known_items(subject, items)
    kept = _store(session).put(data, filename, MATERIALS)
    material = session.scalar(
        select(Material).where(
            Material.subject_id == subject.id, Material.file_sha256 == kept.sha256
        )
    )
    if material is not None and material.withdrawn_at is None:
        raise Conflict(_SAME.format(county=subject.name, name=material.name), field="file")
    if material is None:
        material = Material(subject_id=subject.id, file_sha256=kept.sha256)
        session.add(material)
    material.name, material.mime, material.size = kept.name, kept.mime, kept.size
    material.items = linked
    material.uploaded_by, material.uploaded_at = account_id(actor), clock.now()
    material.withdrawn_at, material.withdrawn_reason = None, ""
    session.flush()
    append(
        session,
        actor,
        "material.file",
        subject=subject.id,
        material=material.id,
        sha256=kept.sha256,
        items=linked,
    )
    return material


def import_folder(
    session: Session, actor: Viewer | None, round_: Round, files: Iterable[Upload]
) -> list[Material]:
    """File many documents at once, all or none. A file named `*.zip` is unpacked.

    Each goes to the county whose name or code its folder (or its own name) starts with; a following
    part that is an item id (`海淀区/A6/台账.pdf`) links it to that item. Content that the county has
    filed already is passed over. Raises DomainError naming the file at fault.
    """
    require(actor, "office")
    while_live(round_)
    placed = [(_county(round_, file), file) for file in _unpacked(files)]
    for _, file in placed:  # refuse before anything is kept
        try:
            _inspect(file.data)
        except DomainError as error:
            raise DomainError(
                _REFUSED.format(name=file.name, why=error.text), field="files"
            ) from error
    made = []
    for subject, file in placed:
        known = {asked.id for asked in items_of(round_, subject)}
        items = [part for part in PurePosixPath(file.name).parts[:-1] if part in known]
        try:
            made.append(upload_material(session, actor, subject, file.data, file.name, items))
        except Conflict:
            continue  # the same content is there
    return made


def withdraw_material(
    session: Session, actor: Viewer | None, material: Material, reason: str
) -> None:
    """Take a document back, by the office or by who filed it; the bytes stay for the record."""
    require(actor, "office", "presenter")
    subject = session.get_one(Subject, material.subject_id)
    if actor is not None and actor.role == "presenter" and subject.presenter_id != actor.person_id:
        raise NotFound(_NO_MATERIAL)
    while_live(subject.round)
    if material.withdrawn_at is not None:
        raise Conflict(_GONE)
    material.withdrawn_reason = words(reason, Text("理由", "Reason"), "reason", 2000)
    material.withdrawn_at = clock.now()
    append(session, actor, "material.withdraw", subject=subject.id, material=material.id)


def may_read_material(
    session: Session, viewer: Viewer | None, material: Material, *, seated: bool
) -> bool:
    """Whether a viewer may open a document.

    Office and supervisor always; the county's presenter; an expert iff `seated`, which is for the
    room that knows the seats to say: an active seat in a panel on this county. A withdrawn document
    is only for the office, the supervisor and the county.
    """
    if viewer is None or viewer.role in ("office", "supervisor"):
        return True
    if viewer.role == "presenter":
        subject = session.get_one(Subject, material.subject_id)
        return subject.presenter_id == viewer.person_id
    return viewer.role == "expert" and seated and material.withdrawn_at is None


def material_by_id(
    session: Session, viewer: Viewer | None, round_: Round, material_id: str, *, seated: bool
) -> Material:
    """A document of the round that the viewer may open; NotFound."""
    material = session.get(Material, material_id)
    if (
        material is None
        or session.get_one(Subject, material.subject_id).round_id != round_.id
        or not may_read_material(session, viewer, material, seated=seated)
    ):
        raise NotFound(_NO_MATERIAL)
    return material


def materials_of(session: Session, subject: Subject) -> list[Material]:
    """Every document of a county, withdrawn ones last."""
    rows = session.scalars(
        select(Material).where(Material.subject_id == subject.id).order_by(Material.name)
    )
    return sorted(rows, key=lambda material: material.withdrawn_at is not None)


def materials_by_item(session: Session, subject: Subject) -> dict[str, list[Material]]:
    """Item id -> the documents that stand beside it; "" holds those linked to no item."""
    found: dict[str, list[Material]] = defaultdict(list)
    for material in materials_of(session, subject):
        if material.withdrawn_at is None:
            for item in material.items or [""]:
                found[str(item)].append(material)
    return dict(found)


def _store(session: Session) -> Store:
    store: Store = session.info["store"]
    return store


def _inspect(data: bytes) -> None:
    """Refuse here what the store would refuse, before a sibling of it is kept."""
    if not data:
        raise DomainError(_EMPTY, field="files")
    if identify(data[:4096], lambda: data) not in MATERIALS:
        raise DomainError(_NO_DOCUMENT, field="files")


def _known_items(subject: Subject, items: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(items))
    known = {asked.id for asked in items_of(subject.round, subject)}
    unknown = [item for item in wanted if item not in known]
    if unknown:
        raise DomainError(_NO_ITEM.format(items=", ".join(unknown)), field="items")
    return wanted


def _county(round_: Round, file: Upload) -> Subject:
    """The county whose name or code the first part of the path starts with; the longest name wins."""
    first = PurePosixPath(file.name.replace("\\", "/")).parts[:1]
    start = first[0] if first else ""
    fitting = [
        (len(key), subject.id, subject)
        for subject in round_.subjects
        for key in (subject.name_zh, subject.region_code)
        if start.startswith(key)
    ]
    if not fitting:
        raise DomainError(_NO_COUNTY.format(name=file.name), field="files")
    return max(fitting, key=lambda entry: entry[:2])[2]


def _unpacked(files: Iterable[Upload]) -> list[Upload]:
    """The files themselves, archives opened; hidden files and folders are passed over."""
    found: list[Upload] = []
    for file in files:
        if file.name.lower().endswith(".zip"):
            found.extend(_members(file))
        elif file.name:
            found.append(file)
    if len(found) > MAX_FILES:
        raise DomainError(_TOO_MUCH.format(n=MAX_FILES), field="files")
    return found


def _members(file: Upload) -> list[Upload]:
    """The files of an archive; its directory is checked before anything is unpacked."""
    try:
        archive = open_archive(file.data, max_unpacked=MAX_UNPACKED)
    except DomainError as error:
        raise DomainError(_REFUSED.format(name=file.name, why=error.text), field="files") from error
    found = []
    try:
        with archive:
            for info in archive.infolist():
                path = PurePosixPath(_member_name(info))
                if path.is_absolute() or ".." in path.parts:
                    raise DomainError(_NOT_ZIP, field="files")
                hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
                if not (hidden or info.is_dir()):
                    data = archive.read(info)
                    if len(data) != info.file_size:
                        raise DomainError(_NOT_ZIP, field="files")
                    found.append(Upload(str(path), data))
    except UNREADABLE as error:
        raise DomainError(_NOT_ZIP, field="files") from error
    return found


def _member_name(info: zipfile.ZipInfo) -> str:
    """The name inside an archive. Without the UTF-8 flag, Chinese Windows wrote GBK."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            return name
        for encoding in ("utf-8", "gb18030"):
            try:
                return raw.decode(encoding).replace("\\", "/")
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")
