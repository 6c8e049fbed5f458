"""Over two hundred files that mean harm, made in memory and the same every time; each name says what it is.

They stand by family: what a door takes is what it is offered in its hostile form, and what no door takes
is offered to all. `plain` marks what is harmless as text: it may be refused or taken, never run.
Sources: OWASP "CSV Injection", "Unrestricted File Upload", "XML External Entity"; Fifield (WOOT 2019).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.attacks import hostile_media as media
from tests.attacks import hostile_tables as tables
from tests.attacks.hostile_tables import Seed
from tests.attacks.hostile_zips import TRICKS, Members, pack

__all__ = ["ENDINGS", "FILES", "GOOD", "Hostile", "Seed"]

ENDINGS = {
    "workbook": ".xlsx", "csv": ".csv", "document": ".docx", "pdf": ".pdf", "picture": ".png", "sound": ".webm",
    "zip": ".zip", "export": ".mjfield", "backup": ".zip", "transcript": ".zip", "yaml": ".yaml", "wrong": "",
}  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """One file; `make` takes what the door asks for and gives the bytes."""

    family: str
    what: str
    make: Callable[[Seed], bytes]
    plain: bool = False

    @property
    def name(self) -> str:
        return f"{self.family}: {self.what}"


_LAUGHS = "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'ha'}]\n" for n in range(10)
)
_FIELDS = "id: x\nversion: 1\ntitle: {zh: 甲, en: A}\n"

YAMLS: dict[str, bytes] = {
    "billion laughs": _LAUGHS.encode(),
    "anchor on itself": b"&a [*a]",
    "anchor on itself in a map": b"&a {x: *a}",
    "merge without end": b"a: &a {<<: *a}",
    "python object": b"!!python/object:os.system {}",
    "python call": b'!!python/object/apply:os.system ["touch /tmp/evil"]',
    "python name": b"a: !!python/name:os.system",
    "python module": b"a: !!python/module:os",
    "python object, new": b"!!python/object/new:type {args: [x, [], {}]}",
    "tag of nobody": b"!evil a: 1",
    "tag by URI": b"!<tag:evil.invalid,2012:x> a",
    "lists 20 000 deep": b"[" * 20_000,
    "maps 20 000 deep": b"{a: " * 20_000,
    "blocks 500 deep": b"".join(b" " * n + b"a:\n" for n in range(500)),
    "dashes 5000 deep": b"- " * 5000 + b"a",
    "key of 1 MB": b"a" * 1_000_000 + b": 1",
    "quoted key of 1 MB": b'"' + b"a" * 1_000_000 + b'": 1',
    "value of 900 kB": b"a: " + b"b" * 900_000,
    "text of 5 MB": _FIELDS.encode() + b"# " + b"x" * 5_000_000,
    "40 000 keys": b"".join(b"k%d: 1\n" % n for n in range(16_000)),
    "list of 60 000": b"a: [" + b"1," * 60_000 + b"]",
    "whole number of 100 000 digits": b"version: " + b"9" * 100_000,
    "hexadecimal number of 100 000 digits": b"version: 0x" + b"f" * 100_000,
    "number to the base of 60": b"version: " + b"1:" * 40_000 + b"1",
    "exponent over all": b"estimator: 1e999999999\ntop: 1e999999999",
    "infinite": b"top: .inf\nquorum: .nan",
    "date that is none": b"a: 9999-99-99\nb: 2012-02-30",
    "key twice": b"estimator: mean\nestimator: median",
    "key that is a list": b"? [a, b]\n: 1",
    "key that is a map": b"{a: 1}: 2",
    "two documents": b"a: 1\n---\nb: 2",
    "10 000 documents": b"---\n" * 10_000,
    "version of another YAML": b"%YAML 9.9\n---\na: 1",
    "tag that is renamed": b"%TAG ! tag:evil.invalid,2012:\n---\n!x a",
    "tabs": b"a:\n\t- b",
    "NUL": b"a: b\x00c",
    "control characters": b"a: \x01\x02\x1b[2J",
    "UTF-16": "a: b".encode("utf-16"),
    "UTF-32": "a: b".encode("utf-32"),
    "UTF-7": b"+AGE-: +ADw-script+AD4-",
    "GB18030": "标题: 甲".encode("gb18030"),
    "broken UTF-8": b"a: \xff\xfe\xc0\xaf",
    "lone surrogate": b"a: \"\\ud800\"",
    "binary": b"a: !!binary |\n " + b"QUFB" * 9,
    "quote never closed": b'a: "b',
    "a page": b"<html><script>alert(1)</script></html>",
    "an archive": pack({"a": b"b"}),
    "JSON with a deep end": b'{"a":' * 3000 + b"1" + b"}" * 3000,
    "expression that never ends": _FIELDS.encode() + b"facts: [{id: f, when: '" + b"(" * 3000 + b"1" + b")" * 3000 + b"'}]",
    "only a comment": b"# nothing",
    "only a word": b"evil",
    "only a list": b"- a\n- b",
    "null": b"~",
}  # fmt: skip


def _bytes(data: bytes | Callable[[], bytes]) -> Callable[[Seed], bytes]:
    return lambda seed: data() if callable(data) else data


def _sealed(data: bytes) -> bytes:
    """With the seal that a backup ends with, so that its inside is read."""
    return data + hashlib.sha256(data).hexdigest().encode()


def _family(
    family: str, made: dict[str, Callable[[Seed], bytes]], plain: set[str] | None = None
) -> list[Hostile]:
    return [Hostile(family, what, make, what in (plain or ())) for what, make in made.items()]


def _around(family: str, members: Members, seal: Callable[[bytes], bytes] = bytes) -> list[Hostile]:
    return [
        Hostile(family, what, lambda seed, trick=trick: seal(trick(members)))  # type: ignore[misc]
        for what, trick in TRICKS.items()
    ]


_EXPORT = {
    "package.sig": b"A" * 86,
    "package.json": b'{"v": 1, "tablet": "x", "account": "y", "ops": []}',
}
_BACKUP = {"manifest.sig": b"00:00", "manifest.json": b'{"format": 1, "members": {}}'}
_TRANSCRIPT = {"openings.json": b"{}", "commitment.json": b"{}"}
_FOLDER = {"东城区/a.pdf": media.pdf(b"<< /A 1 >>"), "东城区/b.pdf": media.pdf(b"<< /B 1 >>")}
_JSON = {
    "JSON 100 000 deep": b"[" * 100_000,
    "JSON of a number with 100 000 digits": b'{"v": ' + b"9" * 100_000 + b"}",
    "JSON that is a list": b"[]",
    "JSON in UTF-16": '{"v": 1}'.encode("utf-16"),
    "JSON with a lone surrogate": b'{"v": 1, "tablet": "\\ud800", "account": "", "ops": [{}]}',
}

FILES: tuple[Hostile, ...] = (
    *_family("workbook", tables.WORKBOOKS, tables.PLAIN_BOOKS),
    *_family("workbook", tables.tricked(tables.good)),
    *_family("csv", tables.CSVS, tables.PLAIN_CSVS),
    *_family("document", tables.DOCUMENTS),
    *_family("document", tables.tricked(tables.word_members)),
    *_family("pdf", {what: _bytes(data) for what, data in media.PDFS.items()}),
    *_family("picture", {what: _bytes(data) for what, data in media.PICTURES.items()}),
    *_family("sound", {what: _bytes(data) for what, data in media.SOUNDS.items()}),
    *_family("sound", {what: _bytes(data) for what, data in media.LYING.items()}, set(media.LYING)),
    *_family("yaml", {what: _bytes(data) for what, data in YAMLS.items()}),
    *_around("zip", _FOLDER),
    *_around("export", _EXPORT),
    *(Hostile("export", w, lambda seed, d=d: pack({**_EXPORT, "package.json": d})) for w, d in _JSON.items()),  # type: ignore[misc]
    *_around("backup", _BACKUP, _sealed),
    *(Hostile("backup", w, lambda seed, d=d: _sealed(pack({**_BACKUP, "manifest.json": d}))) for w, d in _JSON.items()),  # type: ignore[misc]
    Hostile("backup", "without a seal", lambda seed: pack(_BACKUP)),
    *_around("transcript", _TRANSCRIPT),
    *(Hostile("transcript", w, lambda seed, d=d: pack({**_TRANSCRIPT, "commitment.json": d})) for w, d in _JSON.items()),  # type: ignore[misc]
    *_family("wrong", {what: _bytes(data) for what, data in media.WRONG.items()}),
)  # fmt: skip

GOOD: dict[str, Callable[[Seed], bytes]] = {
    "workbook": lambda seed: pack(tables.good(seed)),
    "csv": tables.CSVS_GOOD,
    "document": tables.GOOD_DOCUMENT,
    "pdf": lambda seed: media.pdf(),
    "picture": lambda seed: media.png(),
    "sound": lambda seed: media.LYING["WebM with an endless element"](),
    "zip": lambda seed: pack(_FOLDER | {"东城区/c.png": media.png()}),
}
