"""Checks on a ZIP container (XLSX, DOCX) before anything in it is read.

The central directory's sizes bound what Python's zipfile will ever hand out (it stops at the
declared size and then fails the CRC), so a bomb is refused from its directory alone, unread.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

from app.domain.types import DomainError, Text

MAX_MEMBERS = 2_000
MAX_RATIO = 100
# Whatever a container whose headers lie may make its reading raise.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,  # NotImplementedError too: a compression that is not known
    ValueError,
    OverflowError,
    LookupError,
)
_BLOCK = 1024 * 1024
_SMALL = 64 * 1024  # below this a member cannot hurt, and short XML compresses absurdly well


def _refuse(zh: str, en: str) -> DomainError:
    return DomainError(Text(zh, en))


def open_archive(data: bytes, *, max_unpacked: int) -> zipfile.ZipFile:
    """The container in `data`, or a DomainError: damaged, encrypted, bomb, unsafe names, macros.

    `max_unpacked` is the sum of all members' unpacked bytes. Nothing is unpacked here.
    """
    if not data.startswith(b"PK\x03\x04"):
        raise _refuse(
            "文件不是有效的 XLSX/DOCX，未读取。请另存为 .xlsx 或 .docx 后重新上传。",
            "This is not a valid XLSX/DOCX file; nothing was read. Save it as .xlsx or .docx and upload it again.",
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        (count,) = struct.unpack_from("<H", data, data.rfind(b"PK\x05\x06") + 10)
        if count not in (len(members), 0xFFFF):  # another reader would see another archive
            raise ValueError("members")
    except UNREADABLE as error:
        raise _damaged() from error
    unpacked = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > max_unpacked
        or any(
            m.compress_size > m.file_size * 1.01 + 1024 for m in members
        )  # holds more than it says
        or packed > len(data)  # members that overlap: the same bytes counted more than once
        or any(
            m.file_size > _SMALL and m.file_size > MAX_RATIO * max(m.compress_size, 1)
            for m in members
        )
    ):
        raise _refuse(
            "文件解压后过大或压缩比异常，未读取任何内容。请删去多余的工作表和图片后重新上传。",
            "The file unpacks to far too much; nothing was read. Remove surplus sheets and pictures and upload it again.",
        )
    names = [m.orig_filename for m in members]  # `filename` ends at a NUL
    lowered = [n.lower() for n in names]
    if len(set(lowered)) != len(lowered) or any(
        n.startswith("/") or "\\" in n or ":" in n or ".." in n.split("/") or "\x00" in n
        for n in names
    ):
        raise _refuse(
            "文件内部的路径不安全，未读取任何内容。请用办公软件重新保存后上传。",
            "The file holds unsafe inner paths; nothing was read. Save it again with an office program and upload it.",
        )
    if any((m.external_attr >> 16) & 0o170000 == 0o120000 for m in members):
        raise _refuse(
            "文件内部含有链接，未读取任何内容。请用办公软件重新保存后上传。",
            "The file holds links; nothing was read. Save it again with an office program and upload it.",
        )
    if any(m.flag_bits & 0x1 for m in members):
        raise _refuse(
            "文件已加密，无法读取。请去掉密码后重新上传。",
            "The file is encrypted and cannot be read. Remove the password and upload it again.",
        )
    if any(_RUNS.search(n) for n in lowered):
        raise _macros()
    if "[content_types].xml" in lowered:
        try:
            kinds = archive.read(members[lowered.index("[content_types].xml")])
        except UNREADABLE as error:
            raise _damaged() from error
        # &#69; is a letter too: a content type has no need of such a reference.
        if re.search(rb"macroenabled|vbaproject|&#", kinds.lower()):
            raise _macros()
        if any(n.endswith((".zip", ".7z", ".rar", ".gz", ".cab", ".iso")) for n in lowered):
            raise _refuse(
                "文件内部还有压缩包，未接收。请删去后重新上传，或单独上传其中的文件。",
                "The file holds another archive and was not taken. Remove it and upload the file again, or upload "
                "what is in it by itself.",
            )
    return archive


def check_whole(archive: zipfile.ZipFile) -> None:
    """Read every member of an Office file once, in blocks: DomainError for one that is damaged or not
    what its header says, and for parts that start programs or fetch a template when the file is opened.

    Formulas and references to other workbooks stay: they ask before they act, and offices live by them.
    """
    for member in archive.infolist():
        text = member.filename.lower()
        small = member.file_size <= _SCANNED and text.endswith((".xml", ".rels"))
        parts, size = [], 0
        try:
            with archive.open(member) as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if small:
                        parts.append(block)
            if size != member.file_size:
                raise ValueError("size")
        except UNREADABLE as error:
            raise _damaged() from error
        inside = b"".join(parts).replace(b"\x00", b"")  # UTF-16 too
        if b"<!DOCTYPE" in inside or b"<!ENTITY" in inside:
            raise _refuse(  # no office program writes one
                "文件已损坏或含有不允许的内容，未读取。请用办公软件重新保存后上传。",
                "The file is damaged or holds forbidden content and was not read. Save it again and upload it.",
            )
        if _FETCHES.search(inside) or (b"ddeLink" in inside and "externallinks/" in text):
            raise _active()
        if "word/" in text and b"DDE" in inside and _DDE_FIELD.search(inside):
            raise _active()


_SCANNED = 32 * 1024 * 1024  # XML parts that are looked into; a larger one holds rows, not links
_RUNS = re.compile(
    r"vbaproject|\.bin\.vba$|vbadata\.xml$|(?:^|/)(?:macrosheets|activex)/|\.(?:exe|dll|com|scr|bat|cmd|ps1|vbs|js|jar|lnk|hta|msi)$"
)
_FETCHES = re.compile(
    rb"<Relationship\b[^>]*(?:attachedTemplate|worksheet|subDocument|frame)\"[^>]*TargetMode\s*=\s*.External",
    re.I,
)
_DDE_FIELD = re.compile(rb"<w:(?:instrText|fldSimple)\b[^<]*?\bDDE(?:AUTO)?\b", re.S)


def _damaged() -> DomainError:
    return _refuse(
        "文件已损坏，无法打开，未读取任何内容。请用办公软件重新保存后上传。",
        "The file is damaged and cannot be opened; nothing was read. Save it again and upload it.",
    )


def _active() -> DomainError:
    return _refuse(
        "文件打开时会启动程序或从网络取内容（DDE、外部模板），未接收。请删去这些链接后重新上传。",
        "The file starts programs or fetches content when it is opened (DDE, outside template) and was not "
        "taken. Remove these links and upload it again.",
    )


def _macros() -> DomainError:
    return _refuse(
        "文件含有宏、控件或程序，未接收。请另存为不含宏的 .xlsx 或 .docx 后重新上传。",
        "The file holds macros, controls or programs and was not taken. Save it without macros as .xlsx or .docx "
        "and upload it again.",
    )
