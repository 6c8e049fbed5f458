"""Guessing passwords and flooding the sign-in (threats T13, T19): refused before any hash is worked out,
and never more than a few hashes at a time, whatever arrives together."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app import clock
from app.accounts import passwords, throttling, views
from app.accounts.models import Throttle
from app.factory import create_app
from tests.conftest import PASSWORD

GUESSES = 200
THREADS = 8


class Watched:
    """The real hasher, counting how often it verifies and how many times at once."""

    def __init__(self) -> None:
        self.real = passwords.HASHER
        self.lock = threading.Lock()
        self.calls = self.now = self.peak = 0

    def verify(self, stored: str, password: str) -> bool:
        with self.lock:
            self.calls += 1
            self.now += 1
            self.peak = max(self.peak, self.now)
        try:
            return self.real.verify(stored, password)
        finally:
            with self.lock:
                self.now -= 1

    def hash(self, password: str) -> str:
        return self.real.hash(password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(passwords, "HASHER", watched)
    return watched


@pytest.fixture
def app(settings: Any) -> Iterator[Any]:
    """The application as it runs, second factor on."""
    application = create_app(settings)
    application.config["WTF_CSRF_ENABLED"] = False
    yield application
    application.extensions["mingjian.db"].dispose()


def guess(app: Any, login: str, password: str, address: str = "192.0.2.1") -> Any:
    return app.test_client().post(
        "/sign-in",
        data={"login": login, "password": password},
        environ_base={"REMOTE_ADDR": address},
    )


def flood(app: Any, tries: list[tuple[str, str, str]]) -> tuple[Counter[int], list[float]]:
    """All of them from THREADS threads: (statuses, seconds each refusal by lock-out took)."""

    def one(entry: tuple[str, str, str]) -> tuple[int, float]:
        began = time.perf_counter()
        status = guess(app, *entry).status_code
        return status, time.perf_counter() - began

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(one, tries))
    return Counter(status for status, _ in done), [t for status, t in done if status == 429]


def throttle(app: Any, key: str) -> Throttle | None:
    with app.extensions["mingjian.db"].read() as session:
        return session.get(Throttle, key)


def test_two_hundred_guesses_at_one_account_cost_five_hashes(app, hasher):
    """From many addresses at once; parallel guesses do not outrun the count in the database."""
    tries = [("expert01", f"wrong password {n}", f"192.0.2.{n % 250}") for n in range(GUESSES)]
    statuses, refused = flood(app, tries)
    assert hasher.calls == throttling.MAX_FAILURES
    assert set(statuses) <= {401, 429, 503} and statuses[401] == throttling.MAX_FAILURES
    assert statuses[429] >= GUESSES - throttling.MAX_FAILURES - statuses[503]
    row = throttle(app, "login:expert01")
    assert row is not None and row.failures == throttling.MAX_FAILURES
    assert row.locked_until is not None and row.locked_until - clock.now() <= throttling.LOCK
    assert hasher.peak <= passwords.HASHES_AT_ONCE
    assert sorted(refused)[len(refused) // 2] < 1.0, "a refusal costs a read, not a hash"


def test_the_right_password_among_parallel_guesses_does_not_get_through_a_lock(app, hasher):
    for n in range(throttling.MAX_FAILURES):
        assert guess(app, "expert01", f"wrong password {n}").status_code == 401
    statuses, _ = flood(app, [("expert01", PASSWORD, f"192.0.2.{n}") for n in range(40)])
    assert set(statuses) == {429} and hasher.calls == throttling.MAX_FAILURES


def test_two_hundred_accounts_from_one_address_cost_fifty_hashes(app, hasher):
    tries = [(f"expert{n:03d}", "wrong password", "192.0.2.1") for n in range(GUESSES)]
    statuses, _ = flood(app, tries)
    in_flight = passwords.HASHES_AT_ONCE  # those already past the check when the fiftieth fails
    assert hasher.calls <= views.MAX_FROM_ADDRESS + in_flight
    assert statuses[401] == hasher.calls and set(statuses) <= {401, 429, 503}
    assert hasher.peak <= passwords.HASHES_AT_ONCE
    row = throttle(app, "from:192.0.2.1")
    assert row is not None and row.locked_until is not None
    elsewhere = guess(app, "expert01", PASSWORD, "192.0.2.2")
    assert elsewhere.status_code == 302, "another address and another account are not touched"
    spoofed = app.test_client().post(
        "/sign-in",
        data={"login": "expert02", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.1"},
        headers={"X-Forwarded-For": "203.0.113.9"},
    )
    assert spoofed.status_code == 429


def test_no_more_than_a_few_hashes_at_once_and_the_rest_are_told_to_try_again(
    app, hasher, monkeypatch
):
    """With every place taken: a 503 that counts as no failure, while other pages answer."""
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.05)
    for _ in range(passwords.HASHES_AT_ONCE):
        passwords._SLOTS.acquire()
    try:
        busy = guess(app, "expert01", PASSWORD)
        assert busy.status_code == 503 and busy.headers["Retry-After"] == "5"
        assert "不计入错误次数" in busy.get_data(as_text=True)
        assert hasher.calls == 0 and throttle(app, "login:expert01") is None
        assert app.test_client().get("/sign-in").status_code == 200
    finally:
        for _ in range(passwords.HASHES_AT_ONCE):
            passwords._SLOTS.release()
    assert guess(app, "expert01", PASSWORD).status_code == 302


def test_a_flood_leaves_the_places_free_again(app, hasher):
    flood(app, [(f"nobody{n}", "wrong password", f"192.0.2.{n}") for n in range(24)])
    assert hasher.now == 0 and 0 < hasher.peak <= passwords.HASHES_AT_ONCE
    assert passwords._SLOTS._value == passwords.HASHES_AT_ONCE
    assert guess(app, "expert01", PASSWORD, "198.51.100.1").status_code == 302


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ("锁定 15 分钟", "没有核对密码", "系统管理员")), ("en", ("15 minutes", "not checked"))],
)
def test_a_locked_accounts_owner_is_told_what_happened_and_what_to_do(app, hasher, lang, words):
    for n in range(throttling.MAX_FAILURES):
        guess(app, "expert01", f"wrong password {n}")
    client = app.test_client()
    client.post("/language", data={"lang": lang})
    answer = client.post("/sign-in", data={"login": "expert01", "password": PASSWORD})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert all(word in page for word in words) and PASSWORD not in page
