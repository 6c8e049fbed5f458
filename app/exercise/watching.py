"""How far a long exercise has come: what, n of m, seconds left, on one line of the terminal.

Where the lines go to a file instead, one is written every ten seconds and one at the end of each step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TextIO

from app.exercise.crew import Row, Rows

OFTEN, SELDOM = 0.1, 10.0  # seconds between two lines: on a terminal, in a file
WIDTH = 24


class Bars:
    """Progress bars on `out`, one after the other; `clock` gives seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock, self._live = out, clock, out.isatty()
        self._began, self._shown, self._ended = 0.0, 0.0, ""
        self._unfinished = False

    def each(self, what: str, rows: Rows[Row], /) -> Iterator[Row]:
        """The rows one by one; each counts as done when the next is asked for."""
        self.begin()
        for done, row in enumerate(rows, 1):
            yield row
            self.show(what, done, len(rows))

    def begin(self) -> None:
        """Seconds are counted from here."""
        self._began = self._shown = self._clock()
        self._ended = ""

    def clear(self) -> None:
        """Take an unfinished line off the terminal, so that other words can stand there."""
        if self._unfinished:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._unfinished = False

    def show(self, what: str, done: int, total: int) -> None:
        """`done` of `total` are finished, and how many seconds the rest will take at this pace. The
        end of one thing is shown once."""
        now = self._clock()
        if done >= total:
            if self._ended == what:
                return
            self._ended = what
        if done < total and now - self._shown < (OFTEN if self._live else SELDOM):
            return
        self._shown, spent = now, now - self._began
        full = WIDTH * done // total if total else WIDTH
        bar = "#" * full + "-" * (WIDTH - full)
        if done < total:
            rest = f"{spent / done * (total - done):.0f} s left" if done else "…"
        else:
            rest = f"{spent:.1f} s"
        line = f"  [{bar}] {what}: {done} of {total}, {rest}"
        if self._live:
            self._out.write(f"\r\x1b[K{line}" + "\n" * (done >= total))
            self._unfinished = done < total
        else:
            self._out.write(line + "\n")
        self._out.flush()
