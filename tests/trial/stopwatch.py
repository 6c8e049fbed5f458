"""The stop-watch of the trial: how long a person would take, and how long the machine let him wait.

The person is the keystroke-level model of Card, Moran and Newell (The Psychology of Human-Computer
Interaction, 1983, chapter 8): a key 0.28 s, a pointing with its click 1.1 s, a decision 1.35 s. To it are
added 10 s of reading for every page that this person has not seen before, three keys for a Chinese
character (pinyin and a choice) and 10 s to take out the telephone with the authenticator. A page seen
before costs one decision, a question before a step without return 5 s. A decision precedes every pointing and every field, which is more than the
rules of the model ask for. Judging a county, speaking, telephoning and walking are not in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

KEY, POINT, DECIDE, READ, CONFIRM, TELEPHONE = 0.28, 1.1, 1.35, 10.0, 5.0, 10.0
KEYS_OF_A_CHARACTER = 3


def keys_of(text: str) -> int:
    """The keys that typing a text takes."""
    return sum(KEYS_OF_A_CHARACTER if ord(c) >= 0x2E80 else 1 for c in text)


@dataclass
class Lap:
    """One part of the trial: seconds of the person, seconds of the machine, what was done."""

    name: str
    person: float = 0.0
    machine: float = 0.0
    pages: int = 0
    points: int = 0
    keys: int = 0

    @property
    def seconds(self) -> float:
        return self.person + self.machine


@dataclass
class Stopwatch:
    """Laps in the order in which they were begun; `lap` is the one that runs."""

    laps: list[Lap] = field(default_factory=list)
    lap: Lap = field(default_factory=lambda: Lap("before"))

    def begin(self, name: str) -> Lap:
        """Everything from here on belongs to this lap."""
        self.lap = Lap(name)
        self.laps.append(self.lap)
        return self.lap

    def types(self, text: str) -> None:
        keys = keys_of(text)
        self.lap.keys += keys
        self.lap.person += keys * KEY

    def points(self) -> None:
        self.lap.points += 1
        self.lap.person += DECIDE + POINT

    def reads(self, new: bool) -> None:
        self.lap.pages += new
        self.lap.person += READ if new else DECIDE

    def confirms(self) -> None:
        """Reads the question before a step that cannot be undone, and answers it."""
        self.lap.person += CONFIRM
        self.points()

    def takes_telephone(self) -> None:
        self.lap.person += TELEPHONE

    @contextmanager
    def beside(self, turns: list[Lap]) -> Iterator[None]:
        """One of several people who work at the same time: timed by himself, added by `longest`."""
        whole, self.lap = self.lap, Lap(self.lap.name)
        turns.append(self.lap)
        try:
            yield
        finally:
            self.lap = whole

    def longest(self, turns: list[Lap]) -> None:
        """Of all who worked at the same time the slowest makes the lap longer."""
        slowest = max(turns, key=lambda turn: turn.seconds)
        for part in ("person", "machine", "pages", "points", "keys"):
            setattr(self.lap, part, getattr(self.lap, part) + getattr(slowest, part))

    @contextmanager
    def waits(self) -> Iterator[None]:
        """The machine's time."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.lap.machine += time.monotonic() - begun
