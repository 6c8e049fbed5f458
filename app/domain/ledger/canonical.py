"""Canonical JSON (RFC 8785): one byte string for one value, on every machine.

Floats are refused although the RFC has them: marks and scores travel as decimal strings.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any

MAX_SAFE = 2**53 - 1

# Without floats the standard library's C encoder writes RFC 8785 byte for byte, once the keys are
# in the RFC's order: the same escapes (section 3.2.2.2), nothing escaped above U+001F, no blanks.
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def canonical(value: Any) -> bytes:
    """JCS bytes of `value` (dict, list, str, int, bool, None; text is brought to NFC).

    Raises TypeError for floats and other types, ValueError for integers beyond 2^53 - 1 and for
    lone surrogates.
    """
    return _encode(_checked(value)).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _checked(value: Any) -> Any:
    """`value` with text in NFC and keys in the RFC's order; refuses what has no canonical form."""
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_SAFE:
            raise ValueError(f"integer beyond 2^53 - 1: {value}")
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a key must be text: {key!r}")
        if all(map(str.isascii, value)):
            return {key: _checked(value[key]) for key in sorted(value)}
        named = {unicodedata.normalize("NFC", key): item for key, item in value.items()}
        # Sorted by UTF-16 code units (section 3.2.3): above U+FFFF not the order of code points.
        return {key: _checked(named[key]) for key in sorted(named, key=_code_units)}
    if isinstance(value, (list, tuple)):
        return [_checked(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form here: {value!r}")


def _code_units(key: str) -> bytes:
    return key.encode("utf-16-be")
