"""The arithmetic of a score as a list of steps that a reader can redo by hand.

Each step is data: what kind of step, for which subject, stage and item, its inputs, its result, and
a sentence in both languages. `replay.py` redoes every step from the inputs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.domain.statistics.estimators import Estimate
from app.domain.statistics.rounding import exact_text, half_up, plain, shown
from app.domain.types import Text


def text_json(text: Text | None) -> dict[str, str] | None:
    """A Text as JSON."""
    return None if text is None else {"zh": text.zh, "en": text.en}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of arithmetic. `result` is exact ("8.35" or "25/3"), or None when it is no number.

    `op` is one of: panel, estimate, weighted_sum, given, product, sum, bonus_cap, adjust,
    gate.
    """

    op: str
    subject: str
    stage: str | None
    item: str | None
    text: Text
    inputs: Mapping[str, Any]
    result: str | None

    def to_json(self) -> dict[str, Any]:
        """JSON value; every number that belongs to the score is a string."""
        return {
            "op": self.op,
            "subject": self.subject,
            "stage": self.stage,
            "item": self.item,
            "text": text_json(self.text),
            "inputs": dict(self.inputs),
            "result": self.result,
        }


def rounded_text(value: Fraction, places: int | None) -> Text:
    """The tail of a line: "8.353333… → 8.35 (四舍五入,2 位)"; no arrow when nothing was rounded."""
    if places is None:
        return Text(shown(value), shown(value))
    result = plain(half_up(value, places))
    if Fraction(result) == value:
        return Text(result, result)
    return Text(
        f"{shown(value)} → {result}(四舍五入,{places} 位)",
        f"{shown(value)} → {result} (half up, {places} decimals)",
    )


def _struck(pairs: tuple[tuple[str, Decimal], ...]) -> str:
    return " ".join(f"{plain(mark)}[{rater}]" for rater, mark in pairs)


def estimate_text(
    name: Text, estimator: str, marks: Mapping[str, Decimal], made: Estimate, places: int | None
) -> Text:
    """The line of one estimate, marks first, then what fell, then the division."""
    listed = " ".join(plain(mark) for _, mark in sorted(marks.items()))
    zh, en = f"{name.zh}:{listed}", f"{name.en}: {listed}"
    if estimator == "median":
        zh, en = zh + ";取中位数", en + "; median"
    elif made.low and made.pulled:
        zh += f";最低 {_struck(made.low)}、最高 {_struck(made.high)} 以相邻分数代替"
        en += f"; lowest {_struck(made.low)} and highest {_struck(made.high)} pulled in"
    elif made.low:
        zh += f";去掉最低 {_struck(made.low)}、最高 {_struck(made.high)}"
        en += f"; drop lowest {_struck(made.low)} and highest {_struck(made.high)}"
    tail = rounded_text(made.value, places)
    if made.total is None:
        return Text(f"{zh};稳健均值(算法 A)= {tail.zh}", f"{en}; Algorithm A = {tail.en}")
    division = f"{shown(made.total)} ÷ {made.count}"
    return Text(f"{zh};{division} = {tail.zh}", f"{en}; {division} = {tail.en}")


def result_text(value: Fraction) -> str:
    """The `result` of a step."""
    return exact_text(value)
