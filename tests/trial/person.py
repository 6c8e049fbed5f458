"""One person at one screen, who knows only the words that stand on it.

Everything is found by the words a person reads (labels of fields, names of links and buttons), so a page
whose way on is not written on it stops the trial. Every act is put on the stop-watch.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.trial.stopwatch import Stopwatch

PATIENCE = 20_000  # milliseconds; nobody waits longer for a page
HEXES = re.compile(r"[0-9a-f]{12,}|[A-Za-z0-9_-]{40,}")


class Person:
    """`name` is what the stop-watch's protocol calls him."""

    def __init__(self, browser: Any, address: str, watch: Stopwatch, name: str, **options: Any):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        self.context = browser.new_context(base_url=address, accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.watch = watch
        self.name = name
        self.seen: set[str] = set()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "response",
            lambda r: self.faults.append(f"{r.status} {r.url}") if r.status >= 500 else None,
        )

    # -- going somewhere

    def opens(self, path: str) -> None:
        """Types an address, or scans it."""
        self.watch.types(path)
        with self.watch.waits():
            self.page.goto(path)
            self.page.wait_for_load_state("load")
        self._reads()

    def scans(self, path: str) -> None:
        """Opens what a QR code holds."""
        self.watch.points()
        with self.watch.waits():
            self.page.goto(path)
            self.page.wait_for_load_state("load")
        self._reads()

    def led(self, words: str) -> None:
        """To where the first page's line with these words leads."""
        self.goes("明鉴", at="header")
        self.goes("去办理", at=f"li:has-text('{words}')")

    def goes(self, name: str, *, at: str = "body", nth: int = 0) -> None:
        """Follows the link or presses the button of this name, to another page."""
        self._leave(self._found(name, at, nth))

    def _leave(self, target: Any) -> None:
        self.watch.points()
        self.page.evaluate("() => { document.documentElement.dataset.before = '1' }")
        if target.get_attribute("data-confirm"):
            target.click()
            target = self.page.locator("dialog[open] button.danger")
            self.watch.confirms()
        with self.watch.waits():
            target.click()
            self.page.wait_for_function(
                "() => document.documentElement && !document.documentElement.dataset.before && document.readyState === 'complete'"
            )
        self._reads()

    def unfolds(self, name: str, *, at: str = "main", nth: int = 0) -> None:
        """Opens what is folded away under these words."""
        self.watch.points()
        self.page.locator(at).locator("summary", has_text=name).nth(nth).click()

    def presses(self, name: str, *, at: str = "body", nth: int = 0) -> None:
        """Presses something that stays on this page."""
        self.watch.points()
        with self.watch.waits():
            self._found(name, at, nth).click()

    def _found(self, name: str, at: str, nth: int) -> Any:
        """What is visible under exactly this name; without one, what has the name within its own."""
        place = self.page.locator(at)
        for exact in (True, False):
            links = place.get_by_role("link", name=name, exact=exact)
            buttons = place.get_by_role("button", name=name, exact=exact)
            found = links.or_(buttons)
            if found.count() > nth:
                return found.nth(nth)
        raise AssertionError(f"{self.name} finds no {name!r} on {self.page.url}:\n{self.text()}")

    def _reads(self) -> None:
        if self.page.url.endswith("/work"):
            return  # says that the server computes; what it leads to is read
        pattern = HEXES.sub("*", self.page.url.split("?")[0].split("#")[0])
        self.watch.reads(pattern not in self.seen)
        self.seen.add(pattern)

    # -- filling in

    def _field(self, label: str, nth: int = 0, at: str = "main") -> Any:
        place = self.page.locator(at)
        found = place.get_by_label(label, exact=True)  # a button's words may hold the label's
        if found.count() <= nth:
            found = place.get_by_label(label)
        assert found.count() > nth, (
            f"{self.name}: no field {label!r} on {self.page.url}:\n{self.text()}"
        )
        return found.nth(nth)

    def writes(self, label: str, text: str, *, nth: int = 0, at: str = "main") -> None:
        self.watch.points()
        self.watch.types(text)
        self._field(label, nth, at).fill(text)

    def chooses(self, label: str, option: str, *, nth: int = 0, at: str = "main") -> None:
        """One of a select's options, by its words or the part of them that it needs."""
        self.watch.points()
        self.watch.points()
        field = self._field(label, nth, at)
        words = [str(w) for w in field.locator("option").all_inner_texts()]
        fitting = [w for w in words if w.strip() == option] or [w for w in words if option in w]
        assert fitting, f"{self.name}: {option!r} is not among {words} of {label!r}"
        field.select_option(label=fitting[0].strip())

    def answers(self, nth: int, option: str) -> None:
        """The question that stands at this place among those of the page."""
        self.watch.points()
        self.watch.points()
        self.page.locator("main select").nth(nth).select_option(label=option)

    def ticks(self, label: str, *, nth: int = 0, at: str = "main") -> None:
        self.watch.points()
        self._field(label, nth, at).check()

    def uploads(self, label: str, path: Path, *, nth: int = 0) -> None:
        """Chooses a file: two pointings in the system's own window."""
        for _ in range(3):
            self.watch.points()
        self._field(label, nth).set_input_files(path)

    def downloads(self, name: str, path: Path, *, at: str = "main", nth: int = 0) -> Path:
        self.watch.points()
        with self.watch.waits(), self.page.expect_download() as caught:
            self._found(name, at, nth).click()
        caught.value.save_as(path)
        return path

    # -- reading

    def text(self, at: str = "main") -> str:
        self.page.wait_for_load_state("load")
        return str(self.page.inner_text(at))

    def expects(self, words: str, at: str = "main") -> None:
        """The words must come to stand on the page."""
        with self.watch.waits():
            try:
                self.page.wait_for_function(
                    "([at, words]) => [...document.querySelectorAll(at)].some(e => e.innerText.includes(words))",
                    arg=[at, words],
                )
            except Exception as error:
                raise AssertionError(
                    f"{self.name} misses {words!r} on {self.page.url}:\n{self.text()}"
                ) from error
