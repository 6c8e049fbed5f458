"""Operations of a tablet: their shape, their hash, their chain (docs/sync-protocol.md section 3).

An operation is kept as it was sent. Its hash is over RFC 8785 JSON, with one limit and one difference
from the ledger's canonical form: no fractions, and text is hashed as typed, without a Unicode normal
form, because the tablet's own JSON writer has none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

VERSION = 1
START = "0" * 64  # what the first operation of a log has as `prev`
MAX_OPERATION = 128 * 1024  # bytes of one canonical operation
MAX_SAFE = 2**53 - 1
STATEMENT = "statement/"

_COMMON = frozenset(
    {"v", "id", "tablet", "sheet", "seq", "prev", "form", "base", "kind", "at", "mono", "hash"}
)
_ID = re.compile(r"[0-9a-f]{32}")
_ROW = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_NUMBER = re.compile(r"-?\d{1,4}(\.\d{1,8})?")

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class Malformed(ValueError):
    """Not an operation of this protocol, or not the one that its hash names."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `fields` are those of its kind; `text` is the canonical JSON with `hash`."""

    id: str
    tablet: str
    sheet: str
    seq: int
    prev: str
    form: str
    base: int
    kind: str
    at: str
    mono: int
    hash: str
    fields: Mapping[str, Any]
    text: str

    @property
    def sitting(self) -> str:
        """Id of the sitting that the log belongs to."""
        return self.sheet.removeprefix(STATEMENT).partition("/")[0]

    @property
    def case(self) -> str | None:
        """Id of the case file, for a log of one."""
        return None if self.of_statement else (self.sheet.partition("/")[2] or None)

    @property
    def of_statement(self) -> bool:
        """Whether this is the recorder's log of a statement."""
        return self.sheet.startswith(STATEMENT)


def moment(stamp: str) -> datetime:
    """A time of the protocol as an instant; ValueError for one that no calendar has."""
    return datetime.fromisoformat(stamp)


def canonical_text(value: Any) -> str:
    """RFC 8785 text of objects with ASCII keys, lists, texts, integers, booleans and nulls.

    Malformed for a fraction, an integer beyond 2^53 - 1, a key that is not ASCII and half a character.
    """
    _check_values(value)
    return _encode(value)


def _check_values(value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Malformed("half a character") from error
        if "\0" in value:
            raise Malformed("a character that no field holds")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise Malformed("a key that is not ASCII")
            _check_values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_values(inner)
    elif isinstance(value, int):
        if abs(value) > MAX_SAFE:
            raise Malformed("an integer beyond 2^53 - 1")
    elif value is not None:
        raise Malformed(f"{type(value).__name__} has no place in an operation")


def hash_of(value: Any) -> str:
    """SHA-256 of the canonical text, lower-case hexadecimal."""
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()


def operation_hash(raw: Mapping[str, Any]) -> str:
    """The hash of an operation: over everything but `hash`."""
    return hash_of({key: value for key, value in raw.items() if key != "hash"})


def entries_hash(entries: Mapping[str, Any]) -> str:
    """The hash of a sheet's entries that a seal names."""
    return hash_of(entries)


def root_of(hashes: Sequence[str]) -> str:
    """The hash of a list of hashes: what a batch's ledger entry commits to."""
    return hash_of(list(hashes))


def parse(raw: Any) -> Operation:
    """An operation out of JSON; Malformed says what is wrong with it."""
    if not isinstance(raw, dict):
        raise Malformed("not an object")
    try:
        text = canonical_text(raw)
    except RecursionError as error:
        raise Malformed("nested too deep") from error
    if len(text.encode()) > MAX_OPERATION:
        raise Malformed("too large")
    kind = raw.get("kind")
    keys = frozenset(raw)
    if not isinstance(kind, str) or kind not in KINDS:
        raise Malformed(f"no such kind: {str(kind)[:40]}")
    shape = KINDS[kind]
    if keys - shape.keys() != _COMMON:
        raise Malformed("fields that are missing or unknown")
    _shape(raw, {"v": "version", **_FRAME, **shape})
    if kind not in (RECORDER if raw["sheet"].startswith(STATEMENT) else EXPERT):
        raise Malformed("a kind of another log")
    hashed = _encode({key: value for key, value in raw.items() if key != "hash"})
    if hashlib.sha256(hashed.encode()).hexdigest() != raw["hash"]:  # its values are checked above
        raise Malformed("the hash is another's")
    if (raw["seq"] == 1) != (raw["prev"] == START):
        raise Malformed("only the first operation has no other before it")
    return Operation(
        **{key: raw[key] for key in _COMMON - {"v"}},
        fields={key: raw.get(key) for key in shape},
        text=text,
    )


_FRAME = {
    "id": "id", "tablet": "row", "sheet": "sheet", "seq": "positive", "prev": "hash", "form": "text",
    "base": "natural", "at": "time", "mono": "natural", "hash": "hash",
}  # fmt: skip
EXPERT: Mapping[str, Mapping[str, str]] = {
    "set": {"path": "path", "old": "value?", "new": "given"},
    "attach": {
        "item": "text", "sha256": "hash", "size": "natural", "mime": "text", "name": "text",
        "taken_at": "time?", "place": "place?",
    },
    "detach": {"item": "text", "sha256": "hash"},
    "unlock": {"secret": "text"},
    "conflict": {"reason": "words"},
    "seal": {"signed_name": "words", "signature": "strokes?", "entries": "hash", "media": "hashes"},
    "withdraw": {"reason": "words"},
    "choose": {"branch": "row", "picks": "picks", "reason": "words"},
}  # fmt: skip
"""Kinds of a sheet's log -> field -> rule; a rule that ends in "?" may be absent or null."""
RECORDER: Mapping[str, Mapping[str, str]] = {
    "attend": {"seat": "row"},
    "open": {"name": "words", "post": "words", "proxy": "words?", "identity": "text?"},
    "write": {"part": "part", "text": "words"},
    "mark": {"at_ms": "natural", "words": "words"},
    "attach": EXPERT["attach"],
    "close": {
        "secret": "text", "confirmed_name": "words?", "signature": "strokes?",
        "unconfirmed": "text?", "note": "words?",
    },
}  # fmt: skip
"""Kinds of a statement's log (section 6)."""
KINDS: Mapping[str, Mapping[str, str]] = {**EXPERT, **RECORDER}
CHANGES = frozenset({"set", "attach", "detach", "choose"})
"""Kinds that move a sheet's `rev` on."""


def _shape(raw: Mapping[str, Any], rules: Mapping[str, str]) -> None:
    for key, rule in rules.items():
        wanted = rule.removesuffix("?")
        if not (raw.get(key) is None and rule != wanted) and not _RULES[wanted](raw.get(key)):
            raise Malformed(f"{key}: {wanted} expected")


def _text(value: Any, limit: int = 400) -> bool:
    return isinstance(value, str) and len(value) <= limit


def _texts(value: Any, limit: int = 400) -> bool:
    return isinstance(value, list) and len(value) <= limit and all(_text(v, 400) for v in value)


def _matches(pattern: re.Pattern[str]) -> Any:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _sheet(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = value.removeprefix(STATEMENT).split("/")
    most = 1 if value.startswith(STATEMENT) else 2
    return 1 <= len(parts) <= most and all(_ROW.fullmatch(part) for part in parts)


def _time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        moment(value)
    except ValueError:
        return False
    return True


def _path(value: Any) -> bool:
    return _text(value) and "." in value and not value.startswith(".") and not value.endswith(".")


def _place(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"lat", "lon", "accuracy"}
        and all(isinstance(v, str) and _NUMBER.fullmatch(v) for v in value.values())
    )


def _strokes(value: Any) -> bool:
    def point(given: Any) -> bool:
        return (
            isinstance(given, list)
            and len(given) == 3
            and all(isinstance(n, int) and not isinstance(n, bool) for n in given)
        )

    return isinstance(value, list) and all(
        isinstance(stroke, list) and all(map(point, stroke)) for stroke in value
    )


def _hashes(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 400 and all(map(_matches(_HASH), value))


def _picks(value: Any) -> bool:
    return isinstance(value, dict) and all(pick in ("mine", "branch") for pick in value.values())


_RULES: Mapping[str, Any] = {
    "version": lambda value: value == VERSION and not isinstance(value, bool),
    "id": _matches(_ID),
    "row": _matches(_ROW),
    "hash": _matches(_HASH),
    "time": _time,
    "sheet": _sheet,
    "path": _path,
    "text": _text,
    "words": lambda value: _text(value, 60_000),
    "value": lambda value: _text(value, 60_000) or _texts(value),
    "given": lambda value: _text(value, 60_000) or _texts(value),
    "natural": lambda value: _whole(value, 0),
    "positive": lambda value: _whole(value, 1),
    "place": _place,
    "strokes": _strokes,
    "hashes": _hashes,
    "picks": _picks,
    "part": lambda value: value in ("outline", "questions"),
}
