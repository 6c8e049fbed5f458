"""The random bytes of a test come from a stream of its own, so that a red test is red again.

Ids, salts, pseudonyms and the codes of a ceremony decide which invented person sits where: with fresh
ones every time, a test of a chance or an order can fail once in a hundred runs and never when looked
at. Each test starts a stream from its name and `MINGJIAN_TEST_SEED` ("random": another world every run;
the seed is printed). What the product itself draws is tried with fresh bytes by `make proof`.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

SEED = os.environ.get("MINGJIAN_TEST_SEED", "1")
if SEED == "random":
    SEED = secrets.token_hex(8)
    os.environ["MINGJIAN_TEST_SEED"] = SEED  # the same for every worker and command of this run

_forks: list[int] = []


def begin(name: str) -> None:
    """From here `secrets` gives the bytes of `name`'s stream."""
    _stream(f"{SEED} {name}")


@contextmanager
def apart(name: str) -> Iterator[None]:
    """The bytes of `name`'s stream inside; afterwards the one before goes on."""
    before = secrets._sysrand  # type: ignore[attr-defined]
    begin(name)
    try:
        yield
    finally:
        secrets._sysrand = before  # type: ignore[attr-defined]


def _stream(seed: str | int) -> None:
    secrets._sysrand = random.Random(seed)  # type: ignore[attr-defined]


def _before_fork() -> None:
    _forks[:] = [secrets._sysrand.getrandbits(64)]  # type: ignore[attr-defined]


def _in_child() -> None:
    """A forked command continues with bytes of its own: two children never make the same id."""
    _stream(_forks[0])


os.register_at_fork(before=_before_fork, after_in_child=_in_child)
