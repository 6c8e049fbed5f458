"""A real browser on the harness, and the server that autosave talks to: fixtures of the browser tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ui_harness import build, served

from tests.chromium_path import chromium_path

CHROMIUM = chromium_path()
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="browser test: Chromium is not installed"
)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """What the autosave endpoint got, and how it answers next."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.version = 1
        self.next: list[tuple[int, dict[str, Any]]] = []
        self.expired = False

    def __call__(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.expired:
            return 401, {"error": {"text": "expired"}}
        self.got.append(body)
        if self.next:
            return self.next.pop(0)
        self.version = body["version"] + 1
        return 200, {"version": self.version, "saved_at": "10:32:05"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield launched
        launched.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def app(server: Server) -> Any:
    return build(server)


@pytest.fixture
def url(app: Any) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """A page that fails the test when a script threw or the policy stopped something."""
    opened = browser.new_page(viewport={"width": 1024, "height": 768}, base_url=url)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if "Content Security" in m.text else None)
    yield opened
    opened.close()
    assert faults == []


def state(page: Any, wanted: str) -> str:
    """Wait for the state line to say `wanted`; its words."""
    page.locator(f"#save-state[data-state={wanted}]").wait_for(timeout=5000)
    return str(page.locator("#save-state").inner_text())


def stored(page: Any, area: str, key: str) -> Any:
    text = page.evaluate("([area, key]) => window[area].getItem(key)", [area, key])
    return json.loads(text) if text else None
