"""A mark in words beside its digits, as score sheets ask for it ("total in words and digits").

Chinese: the capital figures of bookkeeping, which cannot be altered with a stroke
(《会计基础工作规范》第五十二条: 零壹贰叁肆伍陆柒捌玖拾佰仟); digits after the point one by one.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.types import Text

_ZH = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def points_in_words(value: Decimal) -> Text:
    """`value` (absolute value below 10,000) spelled out with every printed digit; ValueError beyond."""
    digits = format(abs(value), "f")
    whole, _, rest = digits.partition(".")
    if not value.is_finite() or int(whole) > 9999:
        raise ValueError(f"not a number of points: {value}")
    number = int(whole)
    zh, en = _chinese(number), _english(number)
    if rest:
        zh += "点" + "".join(_ZH[int(d)] for d in rest)
        en += " point " + " ".join(_EN[int(d)] for d in rest)
    minus = Text("负", "minus ") if value < 0 else Text("", "")
    return Text(f"{minus.zh}{zh}分", f"{minus.en}{en}")


def _chinese(number: int) -> str:
    made, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            made += ("零" if gap and made else "") + _ZH[digit] + _UNITS[place]
            gap = False
        else:
            gap = True
    return made or "零"


def _english(number: int) -> str:
    if number < 20:
        return _EN[number]
    if number < 100:
        tail = f"-{_EN[number % 10]}" if number % 10 else ""
        return _TENS[number // 10] + tail
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % unit
    joined = f" {'and ' if rest < 100 else ''}{_english(rest)}" if rest else ""
    return f"{_english(number // unit)} {name}{joined}"
