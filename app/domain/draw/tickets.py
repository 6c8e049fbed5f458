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


def ticket_list(key: str, panel: str, act: int, people: Iterable[str]) -> list[list[str]]:
    """[[ticket, expert], ...] of everybody, ascending, ties by id."""
    copy, found = _prefix(key, panel, act).copy, []
    for expert in people:
        state = copy()
        state.update(expert.encode("ascii"))
        found.append([state.hexdigest(), expert])
    found.sort()
    return found


def _prefix(key: str, panel: str, act: int) -> hashlib._Hash:
    """What the tickets of one panel and act have in common, hashed once."""
    return hashlib.sha256(f"ticket|{key}|{panel}|{act}|".encode("ascii"))


class Walk:
    """People in ascending order of their tickets, computed no further than the reader walks.

    A panel of nine from 20,000 people needs the first few dozen tickets: sorting all of them
    would cost more than hashing them, so only those below a growing bound are sorted.
    """

    def __init__(
        self, key: str, panel: str, act: int, people: Sequence[bytes], out: Collection[str],
        expected: int,
    ) -> None:  # fmt: skip
        """`people`: ids in ASCII, `out`: those of them that are passed over."""
        self._prefix = _prefix(key, panel, act)
        self._people, self._out = people, out
        size = max(1, len(people) - len(out))
        self._share = 1.0 if size <= 512 else min(1.0, max(96, expected) / size)
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
        # Most of the time of a batch is spent in these lines: 57 million times for 2,850 panels.
        for expert in self._people:
            state = copy()
            state.update(expert)
            digest = state.digest()
            if lower <= digest < upper:
                found.append((digest.hex(), expert.decode("ascii")))
        found.sort()
        self._sorted += [pair for pair in found if pair[1] not in self._out]
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
