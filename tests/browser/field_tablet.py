"""A tablet for the tests: one real Chromium profile, its pages, and ways to break it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Error

from tests.browser.field_tower import SHEET, Tower
from tests.chromium_path import chromium_path
from tests.web.conftest import ARGS

PIN = "246810"
SET = "([key, path, value]) => store.set(key, path, value)"
SAVED_AT = f"async (a) => {{ await ({SET})(a); return Date.now(); }}"
STATE = "() => store.state()"
SHOWN = "(key) => { const s = store.sheet(key); return s && {...s, instrument: null, duty: null}; }"


class Device:
    """One profile directory: closed, killed and opened again, it is the same tablet."""

    def __init__(self, kind: Any, profile: Path, address: str) -> None:
        self.kind, self.profile, self.address = kind, profile, address
        self.context: Any = None
        self.page: Any = None
        self.faults: list[str] = []

    def open(self, *extra: str, quota: int | None = None) -> Any:
        """Start the browser on the profile and open the application; `quota`: bytes it may use."""
        path = chromium_path()
        self.context = self.kind.launch_persistent_context(
            str(self.profile), executable_path=path, args=[*ARGS, *extra]
        )
        if quota is not None:
            self.devtools = self.context.new_cdp_session(self.context.pages[0])
            self._allow(quotaSize=quota)
        self.page = self.visit()
        return self.page

    def _allow(self, **size: int) -> None:
        self.devtools.send("Storage.overrideQuotaForOrigin", {"origin": self.address, **size})

    def give_space(self) -> None:
        """The quota is the device's own again."""
        self._allow()

    def visit(self) -> Any:
        """One more window on the application, its engine started."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._note)
        page.goto(f"{self.address}/field")
        return started(page)

    def _note(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            self.faults.append(message.text)

    def close(self) -> None:
        if self.context is not None:
            self.context.close()
            self.context = None

    def processes(self) -> list[int]:
        """Every process of this profile."""
        mark, found = f"--user-data-dir={self.profile}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                    if mark in (entry / "cmdline").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def kill(self, known: Sequence[int] = ()) -> float:
        """-9 to every process of this profile, as when the battery is pulled; those `known` at once.
        Epoch milliseconds when the known ones, or without them all, had it."""
        for process in known or self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        at = time.time() * 1000
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(Exception):  # the browser is gone: that was the point
            self.context.close()
        self.context = None
        for lock in self.profile.glob("Singleton*"):
            lock.unlink(missing_ok=True)
        return at

    def holds(self, text: str) -> list[str]:
        """The profile's files in which a text stands in UTF-8 or UTF-16."""
        wanted = (text.encode(), text.encode("utf-16-le"))
        found = []
        for path in self.profile.rglob("*"):
            if path.is_file() and any(word in path.read_bytes() for word in wanted):
                found.append(str(path.relative_to(self.profile)))
        return found


REACH = "async () => { globalThis.store = (await import('/static/field/engine/store.js')).store; }"


def started(page: Any) -> Any:
    """The page's own engine, where a test can reach it, once it has started."""
    page.evaluate(REACH)
    until(lambda: state(page)["phase"] != "starting")
    return page


def until(so: Any, patience: float = 15.0) -> Any:
    """Wait for `so()` to be true; what it then was."""
    end = time.monotonic() + patience
    while True:
        value = None
        with contextlib.suppress(Error):  # a page that is being loaded again has no answer yet
            value = so()
        if value:
            return value
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)


def bound(page: Any, code: str = "GOOD") -> Any:
    """Bind the tablet and take the package along."""
    page.evaluate("([code, pin]) => store.bind(code, '测试平板', pin)", [code, PIN])
    page.evaluate("() => store.takeOffline()")
    return page


def unlocked(page: Any, pin: str = PIN) -> Any:
    page.evaluate("(pin) => store.unlock(pin)", pin)
    return page


def put(page: Any, value: Any, path: str = "A1.mark", key: str = SHEET) -> Any:
    """Type one value; returns when the page may say "saved"."""
    return page.evaluate(SET, [key, path, value])


def state(page: Any) -> dict[str, Any]:
    return dict(page.evaluate(STATE))


def shown(page: Any, key: str = SHEET) -> dict[str, Any]:
    return dict(page.evaluate(SHOWN, key))


def all_sent(page: Any) -> None:
    """The button, and then nothing waits."""
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waiting"] == 0)


def refusal(page: Any, code: str, argument: Any = None) -> dict[str, Any]:
    """What a call that must fail fails with: the error's fields."""
    script = f"async (a) => {{ try {{ await ({code})(a); return null; }} catch (e) {{ return {{...e}}; }} }}"
    error = page.evaluate(script, argument)
    assert error, f"this should have failed: {code}"
    return dict(error)


def chained(tower: Tower, key: str = SHEET) -> list[str]:
    """The marks that the server stored, in order, after checking that each log is one chain."""
    for (_, sheet), log in tower.logs.items():
        if sheet == key:
            assert [op["seq"] for op in log] == list(range(1, len(log) + 1))
            assert len({op["id"] for op in log}) == len(log)
    return [op["new"] for op in tower.ops(key) if op["kind"] == "set"]
