"""Tickets: one SHA-256 line per person, panel and act (docs/draw-protocol.md section 5).

Any of them can be checked in a shell: printf '%s' "ticket|$KEY|P03|1|E0417" | sha256sum
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence


def ticket(key: str, panel: str, act: int, expert: str) -> str:
    """The ticket of one person for one panel and act, lower-case hex."""
    return hashlib.sha256(f"ticket|{key}|{panel}|{act}|{expert}".encode("ascii")).hexdigest()


def panel_ticket(key: str, panel: str) -> str:
    """Decides the order in which the panels of a commitment are drawn."""
    return hashlib.sha256(f"panel|{key}|{panel}".encode("ascii")).hexdigest()


def lot(key: str, panel: str) -> int:
    """The lot of a lottery panel: the last 40 bits of its hash, 0 <= lot < 2^40."""
    return int.from_bytes(hashlib.sha256(f"lot|{key}|{panel}".encode("ascii")).digest()[-5:], "big")


def order_of_things(key: str, name: str, things: Iterable[str]) -> list[str]:
    """Things (statements, counties, files, a tie) in ascending order of their tickets, act 1."""
    return sorted(things, key=lambda thing: (ticket(key, name, 1, thing), thing))


class Walk:
    """People in ascending order of their tickets, computed no further than the reader walks.

    A panel of nine from 20,000 people needs the first few dozen tickets: sorting all of them
    would cost more than hashing them, so only those below a growing bound are sorted.
    """

    def __init__(
        self, key: str, panel: str, act: int, people: Sequence[str], expected: int
    ) -> None:
        self._prefix = hashlib.sha256(f"ticket|{key}|{panel}|{act}|".encode("ascii"))
        self._people = people
        self._share = 1.0 if len(people) <= 512 else min(1.0, max(96, expected) / len(people))
        self._bound = b""
        self._sorted: list[tuple[str, str]] = []

    def _extend(self) -> bool:
        """Sort the tickets below the next bound; False once everybody is in."""
        if self._bound == b"\xff" * 33:
            return False
        lower = self._bound
        if self._share >= 1.0:
            self._bound = b"\xff" * 33
        else:
            self._bound = int(self._share * (1 << 64)).to_bytes(8, "big")
        upper, copy, found = self._bound, self._prefix.copy, []
        for expert in self._people:
            state = copy()
            state.update(expert.encode("ascii"))
            digest = state.digest()
            if digest < upper and digest >= lower:
                found.append((digest.hex(), expert))
        found.sort()
        self._sorted += found
        self._share *= 8
        return True

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """(ticket, expert) ascending, ties by id."""
        place = 0
        while True:
            while place < len(self._sorted):
                yield self._sorted[place]
                place += 1
            if not self._extend():
                return


def lowest(
    key: str, panel: str, act: int, people: Collection[str], count: int
) -> list[tuple[str, str]]:
    """The `count` lowest (ticket, expert) among `people`."""
    return sorted((ticket(key, panel, act, p), p) for p in people)[:count]
