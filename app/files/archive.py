"""Checks on a ZIP container (XLSX, DOCX) before anything in it is read.

The central directory's sizes bound what Python's zipfile will ever hand out (it stops at the
declared size and then fails the CRC), so a bomb is refused from its directory alone, unread.
"""

from __future__ import annotations

import io
import zipfile

from app.domain.types import DomainError, Text

MAX_MEMBERS = 2_000
MAX_RATIO = 100
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
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError) as error:
        raise _refuse(
            "文件已损坏，无法打开，未读取任何内容。请用办公软件重新保存后上传。",
            "The file is damaged and cannot be opened; nothing was read. Save it again and upload it.",
        ) from error
    unpacked = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > max_unpacked
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
    names = [m.filename for m in members]
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
    if any("vbaproject" in n or n.endswith((".bin.vba", "vbadata.xml")) for n in lowered):
        raise _macros()
    if "[content_types].xml" in lowered:
        try:
            kinds = archive.read(names[lowered.index("[content_types].xml")])
        except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, RuntimeError) as error:
            raise _refuse(
                "文件已损坏，无法打开，未读取任何内容。请用办公软件重新保存后上传。",
                "The file is damaged and cannot be opened; nothing was read. Save it again and upload it.",
            ) from error
        if b"macroenabled" in kinds.lower() or b"vbaproject" in kinds.lower():
            raise _macros()
    return archive


def _macros() -> DomainError:
    return _refuse(
        "文件含有宏，未接收。请另存为不含宏的 .xlsx 或 .docx 后重新上传。",
        "The file holds macros and was not taken. Save it without macros as .xlsx or .docx and upload it again.",
    )
