"""Reading the values of a rule strictly: no floats, no unknown keys, errors that name their key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.statistics.rounding import plain
from app.domain.types import DomainError, Text

_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?", re.ASCII)


def bad(key: str, zh: str, en: str, **values: Any) -> DomainError:
    """A refusal that names its key."""
    text = Text(f"规则 {{key}}:{zh}", f"Rule {{key}}: {en}").format(key=key, **values)
    return DomainError(text, field=key)


def is_null(value: Any) -> bool:
    """Whether a value stands for nothing: null, "", "null", "~"."""
    return value is None or (isinstance(value, str) and value.strip() in ("", "null", "~"))


def decimal(value: Any, key: str) -> Decimal:
    """A decimal from a string, int or Decimal; a float is refused, it is not what was typed."""
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise bad(
        key,
        "{value} 不是小数,请写成带引号的十进制数。",
        "{value} is not a decimal; write a quoted decimal number.",
        value=repr(value),
    )


def whole(value: Any, key: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`, also written as digits."""
    number = value
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and low <= number <= high:
        return number
    raise bad(
        key,
        "{value} 不是 {low} 到 {high} 之间的整数。",
        "{value} is not a whole number from {low} to {high}.",
        value=repr(value),
        low=low,
        high=high,
    )


def mapping(value: Any, key: str, allowed: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Keys and values; with `allowed`, no other keys."""
    if not isinstance(value, Mapping):
        raise bad(key, "应为键值对。", "must be a mapping of keys to values.")
    if allowed is not None:
        for name in value:
            if str(name) not in allowed:
                raise bad(
                    f"{key}.{name}" if key != "rule" else str(name),
                    "未知的键;可用:{allowed}。",
                    "unknown key; allowed: {allowed}.",
                    allowed=", ".join(allowed),
                )
    return {str(name): item for name, item in value.items()}


def choice(value: Any, key: str, allowed: tuple[str, ...]) -> str:
    """One of the words `allowed`."""
    if isinstance(value, str) and value in allowed:
        return value
    raise bad(
        key,
        "{value} 不可用;可用:{allowed}。",
        "{value} is not one of {allowed}.",
        value=repr(value),
        allowed=", ".join(allowed),
    )


def canonical(value: Decimal) -> str:
    """One spelling per number ("0.60" and "0.6" are the same rule and give the same digest)."""
    return plain(value.normalize() if value else Decimal(0))
