"""Canonical JSON (RFC 8785): one byte string for one value, on every machine.

Floats are refused although the RFC has them: marks and scores travel as decimal strings.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import rfc8785

MAX_SAFE = 2**53 - 1


def canonical(value: Any) -> bytes:
    """JCS bytes of `value` (dict, list, str, int, bool, None; text is brought to NFC).

    Raises TypeError for floats and other types, ValueError for integers beyond 2^53 - 1.
    """
    return rfc8785.dumps(_checked(value))


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _checked(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return unicodedata.normalize("NFC", value)
        case int():
            if abs(value) > MAX_SAFE:
                raise ValueError(f"integer beyond 2^53 - 1: {value}")
            return value
        case dict():
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"a key must be text: {key!r}")
            return {unicodedata.normalize("NFC", k): _checked(v) for k, v in value.items()}
        case list() | tuple():
            return [_checked(v) for v in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form here: {value!r}")
