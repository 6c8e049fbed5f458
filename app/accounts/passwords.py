"""Passwords and sealed codes: their rules, their Argon2id hashes, and how many are worked out at once.

Argon2id with 19 MiB and two passes (OWASP Password Storage Cheat Sheet; RFC 9106) costs a core
some 30 ms on purpose, so a flood of sign-ins must not take every core: see `slot`.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from app.domain.types import DomainError, Text

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified against when there is no such account, so that the answer takes as long.
DUMMY_HASH = HASHER.hash("nobody's password")
MIN_PASSWORD = 12
HASHES_AT_ONCE = 2  # in one process: two of its threads stay free for everybody else's work
WAIT_SECONDS = 1.0
_SLOTS = threading.BoundedSemaphore(HASHES_AT_ONCE)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread

_WEAK = Text(
    "密码至少 {n} 个字符，并且不能与登录名相同。原密码未改动，请换一个。",
    "A password needs at least {n} characters and must differ from the login. Nothing was "
    "changed; choose another.",
)


class Busy(DomainError):
    """Too many password checks at this moment: refused before any work was done."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "现在登录的人太多，这次没有核对密码，也不计入错误次数。请过几秒再试。",
                "Too many people are signing in just now. Your password was not checked and this "
                "does not count as a failure. Try again in a few seconds.",
            )
        )


@contextmanager
def slot() -> Iterator[None]:
    """Hold one of the few places in which passwords are hashed; Busy when none comes free soon."""
    if not _SLOTS.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _SLOTS.release()


def check_password(login: str, password: str) -> None:
    """Length over composition rules; DomainError says what to change."""
    if len(password) < MIN_PASSWORD or password.strip().lower() == login.lower():
        raise DomainError(_WEAK.format(n=MIN_PASSWORD), field="password")


def hash_password(password: str) -> str:
    """Argon2id. Slow on purpose: call it outside a write transaction, on the web in a `slot`."""
    return HASHER.hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Constant work whether or not there is a stored hash."""
    try:
        return HASHER.verify(stored or DUMMY_HASH, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def new_code(groups: int) -> str:
    """`groups` times four letters, 20 bits each, to be read off paper and typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(groups))


def plain_code(typed: str) -> str:
    """A typed code as it is hashed: full-width letters, blanks, hyphens and mix-ups set right."""
    letters = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", typed).upper())
    return letters.translate(str.maketrans("ILOU", "110V"))
