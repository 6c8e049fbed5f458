"""One's own password again, at the moment that counts (rule D-17): checked and counted on its own.

Argon2id takes some 30 ms on purpose, so the request's write transaction is given back first, and a
failure is counted in a transaction of its own: the answer that refuses rolls nothing of it back.
"""

from __future__ import annotations

from app.accounts.models import Account
from app.accounts.passwords import password_fits, slot
from app.accounts.throttling import clear_failures, count_failure, locked
from app.domain.types import Text
from app.ui.request import database, finish, me

_WRONG = Text(
    "密码不对，没有执行。连续错误 5 次将锁定 15 分钟。",
    "The password is wrong, so nothing was done. Five failures lock this step for 15 minutes.",
)
_LOCKED = Text(
    "密码错误次数过多，本步骤锁定 15 分钟。没有执行。",
    "Too many wrong passwords: this step is locked for 15 minutes. Nothing was done.",
)


def refusal(password: str) -> Text | None:
    """None when `password` is the viewer's own; otherwise what to tell him.

    Ends the request's transaction: load again what you need afterwards.
    """
    finish(keep=False)
    place = f"own:{me().id}"
    with database().read() as reading:
        if locked(reading, place):
            return _LOCKED
        account = reading.get(Account, me().id)
        stored = account.password_hash if account else None
    with slot():
        fits = password_fits(stored, password)
    with database().write() as writing:
        if fits:
            clear_failures(writing, place)
        else:
            count_failure(writing, place)
    return None if fits else _WRONG
