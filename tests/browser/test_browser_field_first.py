"""An expert's first visit on the real server: what comes over the wire, how long it takes, how many taps.

The server counts every byte of its answers, those to the service worker too.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from app.factory import create_app
from tests.attacks.world import settings, to_scoring, world, world_template
from tests.browser.field_tablet import REACH, until
from tests.field.conftest import code_for
from tests.web.conftest import serve

__all__ = ["settings", "world", "world_template"]
PIN = "246810"
SCORING = 54_000  # bytes that an expert fetches up to the first saved mark
EXPERT = 73_000  # up to the sealed sheet, and all that he can open besides


class Wire:
    """The server with a count of what it sends: bodies as they are sent, and header lines, by address."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.bodies: Counter[str] = Counter()
        self.headers: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.withheld = ""  # an address that does not get through

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == self.withheld:
            start("503 Service Unavailable", [])
            return [b""]

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            self.calls[path] += 1
            self.headers[path] += sum(len(k) + len(v) + 4 for k, v in headers)
            return start(status, headers, *more)

        body = b"".join(self.inner(environ, started))
        self.bodies[path] += len(body)
        return [body]

    def shell(self) -> dict[str, int]:
        """Of the application itself, without what its interface answered."""
        return {p: n for p, n in self.bodies.items() if not p.startswith("/field/api/")}


@pytest.fixture
def wired(settings: Any, database: Any, world: Any) -> Iterator[tuple[str, Wire, str]]:
    """(address, what is counted, the first expert's one-time code), scoring open."""
    with database.write() as session:
        to_scoring(session, world)
    app = create_app(dataclasses.replace(settings, demo=True))
    wire = Wire(app.wsgi_app)
    app.wsgi_app = wire  # type: ignore[method-assign]
    address, server = serve(app)
    yield address, wire, code_for(app, world.people["office"], world.expert(1))
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


class Hand:
    """One person at the screen: every tap and every field that is typed into is counted."""

    def __init__(self, page: Any) -> None:
        self.page, self.taps, self.typed = page, 0, 0

    def tap(self, what: Any) -> None:
        what.click()
        self.taps += 1

    def type(self, field: str, text: str) -> None:
        self.page.locator(field).press_sequentially(text)
        self.typed += 1


def test_from_qr_to_the_first_saved_mark(reader: Any, wired: tuple[str, Wire, str]) -> None:
    address, wire, code = wired
    one = reader(address, viewport={"width": 1024, "height": 768}, locale="zh-CN")
    page, hand = one.page, Hand(one.page)
    begun = time.monotonic()
    page.goto(f"/field#{code}")  # what the tablet's camera does with the QR code
    hand.type("#label", "三号平板")
    hand.type("#pin", PIN)
    hand.type("#pin-again", PIN)
    assert page.locator("input[type=password]").count() == 2  # the PIN, twice; no password
    hand.tap(page.get_by_role("button", name="登录", exact=True))
    hand.tap(page.get_by_role("link", name="打开").first)
    card = page.locator("section.item").first
    hand.tap(card.locator(".level").first)
    hand.tap(card.locator(".chips .chip").last)
    expect(page.locator("[data-fact=saved]")).to_contain_text("本机已保存")
    taken = time.monotonic() - begun
    assert taken < 60, taken
    assert (hand.taps, hand.typed) == (4, 3)
    assert not [path for path in wire.calls if "sign-in" in path]
    # Up to here the rest of the application is not there: the first mark brings it.
    first = {path: size for path, size in wire.shell().items() if path != "/field/rest.part"}
    assert sum(first.values()) <= SCORING, first
    until(lambda: wire.bodies["/field/rest.part"])
    assert sum(wire.shell().values()) <= EXPERT, wire.shell()
    # One file each time, and no module by itself.
    assert first.keys() == {
        "/field",
        "/field/sw.js",
        "/field/first.part",
        "/static/field/boot.js",
        "/static/field/icon.svg",
    }
    assert {path: wire.calls[path] for path in wire.shell()} == dict.fromkeys(wire.shell(), 1)
    assert sum(wire.headers[path] for path in first) <= 8_000
    hand.tap(
        page.get_by_role("link", name="核对并封存")
        .or_(page.get_by_role("link", name="下一部分"))
        .first
    )
    one.context.set_offline(True)  # whoever has begun can finish without signal
    key = page.evaluate("() => location.hash.split('/')[2]")
    page.evaluate("(key) => { location.hash = `#/sheet/${key}/review`; }", key)
    expect(page.locator("main")).to_contain_text("项未填")
    assert wire.calls["/field/rest.part"] == 1 and not wire.calls["/field/recorder.part"]
    assert [fault for fault in one.faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []


def test_a_photo_before_the_first_mark_needs_no_signal(
    reader: Any, wired: tuple[str, Wire, str]
) -> None:
    address, wire, code = wired
    wire.withheld = "/field/rest.part"
    one = reader(address, viewport={"width": 1024, "height": 768}, locale="zh-CN")
    page, hand = one.page, Hand(one.page)
    page.goto(f"/field#{code}")
    hand.type("#label", "三号平板")
    hand.type("#pin", PIN)
    hand.type("#pin-again", PIN)
    hand.tap(page.get_by_role("button", name="登录", exact=True))
    expect(page.get_by_role("link", name="打开").first).to_be_visible()
    one.context.set_offline(True)
    hand.tap(page.get_by_role("link", name="打开").first)
    card = page.locator("section.item").first
    expect(card).to_be_visible()
    card.locator("input[type=file]").set_input_files(
        [{"name": "x.png", "mimeType": "image/png", "buffer": page.screenshot()}]
    )
    expect(card.locator(".photos li")).to_have_text("照片已存本机")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate(REACH)
    key = page.evaluate("() => decodeURIComponent(location.hash.split('/')[2])")
    (photo,) = page.evaluate("(key) => Object.values(store.sheet(key).attachments)", key)[0]
    assert (photo["mime"], photo["place"], photo["arrived"]) == ("image/jpeg", None, False)


def test_a_part_that_is_not_here_says_so_and_comes_with_the_signal(
    reader: Any, wired: tuple[str, Wire, str]
) -> None:
    address, wire, code = wired
    wire.withheld = "/field/rest.part"
    one = reader(address, viewport={"width": 1024, "height": 768}, locale="zh-CN")
    page, hand = one.page, Hand(one.page)
    page.goto(f"/field#{code}")
    hand.type("#label", "三号平板")
    hand.type("#pin", PIN)
    hand.type("#pin-again", PIN)
    hand.tap(page.get_by_role("button", name="登录", exact=True))
    expect(page.get_by_text("出发前请下载")).to_be_visible()  # nobody is told that all is here
    one.context.set_offline(True)
    hand.tap(page.get_by_role("link", name="回执"))
    expect(page.get_by_role("alert")).to_contain_text("还没有下载到这台平板")
    assert wire.calls["/field/rest.part"] == 0
    # Tapped while there is no signal still: once there is, the worker fetches the part by itself, and
    # the page may be there before anybody taps.
    page.get_by_role("button", name="再试一次").click()
    page.fill("#pin", PIN)
    wire.withheld = ""
    one.context.set_offline(False)
    page.get_by_role("button", name="打开").click()
    expect(page.locator("main")).to_contain_text("共 0 张回执")
    assert wire.calls["/field/rest.part"] == 1 and wire.calls["/field/first.part"] == 1
