"""What a flag is, how often it is raised for nothing, and what a rule says when it is silent.

A flag is advice: a sentence with its numbers. Its false-alarm rate comes from a stored simulation of
clean rounds (data/false_alarms.json, made again by `python -m tests.proof false-alarms`). A rule that
has too little to go on says so instead of firing, and instead of passing for a clean result.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from app.domain.statistics.trace import text_json
from app.domain.types import Text

RATES: Final = Path(__file__).with_name("data") / "false_alarms.json"

Level = Literal["info", "amber", "red"]

_PER: Final = {
    "subject": Text("对象", "subjects"),
    "round": Text("轮", "rounds"),
}


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """How often a rule fires on clean marks: `fired` of `simulated` subjects or rounds, panels of `k`."""

    rule: str
    k: int
    per: str
    fired: int
    simulated: int
    seed: int

    @property
    def rate(self) -> float:
        """Share of clean subjects or rounds with at least one such flag."""
        return self.fired / self.simulated

    @property
    def text(self) -> Text:
        """The rate in words."""
        return Text(
            "误报率:模拟 {n} 个正常{p}中 {f} 个出现此提示({r:.2g} %,每组 {k} 人)。",
            "False alarms: {f} of {n} clean simulated {p} ({r:.2g} %, panels of {k}).",
        ).format(n=self.simulated, p=_PER[self.per], f=self.fired, r=100 * self.rate, k=self.k)

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "rule": self.rule,
            "k": self.k,
            "per": self.per,
            "fired": self.fired,
            "simulated": self.simulated,
            "rate": self.rate,
            "seed": self.seed,
            "text": text_json(self.text),
        }


@lru_cache(maxsize=1)
def _rates() -> tuple[FalseAlarm, ...]:
    data = json.loads(RATES.read_text(encoding="utf-8"))
    return tuple(
        FalseAlarm(row["rule"], row["k"], row["per"], row["fired"], row["simulated"], data["seed"])
        for row in data["rows"]
    )


def false_alarm(rule: str, k: int) -> FalseAlarm | None:
    """The stored rate of a rule for panels of `k`, or of the nearest size; None for a rule that only
    states a fact (a small panel)."""
    known = [row for row in _rates() if row.rule == rule]
    return min(known, key=lambda row: (abs(row.k - k), row.k), default=None)


@dataclass(frozen=True, slots=True)
class Flag:
    """One observation. `rule` is the name of the test; `numbers` are those of the sentence."""

    rule: str
    level: Level
    subject: str | None
    rater: str | None
    stage: str | None
    text: Text
    numbers: dict[str, Any]
    false_alarm: FalseAlarm | None = None

    @property
    def sentence(self) -> Text:
        """The observation with its false-alarm rate."""
        if self.false_alarm is None:
            return self.text
        rate = self.false_alarm.text
        return Text(self.text.zh + rate.zh, f"{self.text.en} {rate.en}")

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "rule": self.rule,
            "level": self.level,
            "subject": self.subject,
            "rater": self.rater,
            "stage": self.stage,
            "text": text_json(self.text),
            "numbers": self.numbers,
            "false_alarm": None if self.false_alarm is None else self.false_alarm.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """What one rule found in one stage; `silent` says why it could not look."""

    rule: str
    stage: str
    flags: list[Flag] = field(default_factory=list)
    silent: Text | None = None

    @property
    def outcome(self) -> Literal["fired", "clear", "not_enough_data"]:
        """fired, clear, or not enough data."""
        if self.flags:
            return "fired"
        return "clear" if self.silent is None else "not_enough_data"

    def to_json(self) -> dict[str, Any]:
        """JSON value; the flags themselves are listed apart."""
        return {
            "rule": self.rule,
            "stage": self.stage,
            "outcome": self.outcome,
            "fired": len(self.flags),
            "reason": text_json(self.silent),
        }


def not_enough(why: Text) -> Text:
    """ "Not enough data: ..." """
    return Text("数据不足:{w}", "Not enough data: {w}").format(w=why)
