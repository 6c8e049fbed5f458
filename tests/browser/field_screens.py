"""A page of the field application over `field_fixture.py`, and what the tests of its screens do on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import field_fixture

LANDSCAPE, PORTRAIT = {"width": 1024, "height": 768}, {"width": 768, "height": 1024}
SMALL = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with field_fixture.served() as found:
        yield found


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    return field_fixture.fixture()["pack"]


class Tablet:
    """One page of the application, with what went wrong on it."""

    def __init__(self, chromium: Any, address: str, **options: Any) -> None:
        options.setdefault("viewport", LANDSCAPE)
        self.context = chromium.new_context(
            base_url=address, has_touch=True, reduced_motion="reduce", **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def open(self, route: str = "", lang: str = "zh", query: str = "") -> Any:
        self.page.goto(("/field-en" if lang == "en" else "/field") + query + route)
        self.page.wait_for_selector("h1")
        return self.page

    def to(self, route: str) -> None:
        """Another screen, as a link goes there."""
        self.page.evaluate("(hash) => { location.hash = hash; }", route)
        self.page.wait_for_function("(hash) => location.hash === hash", arg=route)
        self.page.wait_for_timeout(60)

    def fake(self, expression: str) -> Any:
        return self.page.evaluate(f"() => fake.{expression}")

    def entries(self, key: str) -> dict[str, Any]:
        self.page.wait_for_timeout(40)
        return self.page.evaluate("(key) => fake.sheets.get(key).entries", key)

    def operations(self, key: str) -> list[Any]:
        return self.page.evaluate("(key) => fake.sheets.get(key).ops", key)


@pytest.fixture
def tablet(chromium: Any, address: str) -> Iterator[Any]:
    made: list[Tablet] = []

    def new(**options: Any) -> Tablet:
        made.append(Tablet(chromium, address, **options))
        return made[-1]

    yield new
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.context.close()
    assert faults == []


def form_of(package: dict[str, Any], key: str) -> dict[str, Any]:
    duty = next(duty for duty in package["duties"] if duty["key"] == key)
    return package["instruments"][duty["instrument"]]


def card_of(page: Any, item: str) -> Any:
    return page.locator(f"[id='item-{item}']")


def go(one: Tablet, package: dict[str, Any], key: str, item: str) -> dict[str, Any]:
    """The item of the sheet, with its group on the screen."""
    instrument = form_of(package, key)
    shown = [
        s["id"]
        for s in instrument["sections"]
        if any(i["section"] == s["id"] and i["applies"] for i in instrument["items"])
    ]
    found = next(i for i in instrument["items"] if i["id"] == item)
    one.to(f"#/sheet/{key.replace('/', '%2F')}/{shown.index(found['section'])}")
    return found


def first_item(package: dict[str, Any], key: str, scale: str) -> str:
    instrument = form_of(package, key)
    return next(
        i["id"] for i in instrument["items"] if i["scale"]["type"] == scale and i["applies"]
    )


def fill(one: Tablet, package: dict[str, Any], key: str) -> None:
    """A complete sheet, laid into the store as if it had been typed."""
    entries = {
        item["id"]: {"type": "mark", "value": {"cases": 0}}
        for item in form_of(package, key)["items"]
    }
    one.page.evaluate("([key, entries]) => fake.change(key, { entries })", [key, entries])
