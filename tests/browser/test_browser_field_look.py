"""How the field application looks: target sizes, axe in both languages, small screens, the dark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import field_fixture
from tests.browser.field_screens import LANDSCAPE, PORTRAIT, SMALL, address, fill, package, tablet
from tests.web.conftest import axe

__all__ = ["address", "axe", "package", "tablet"]

# ---- sizes, languages, assistive technology

ROUTES = [
    "#/", "#/receipts", "#/sheet/main/0", "#/sheet/main/1", "#/sheet/qual/0", "#/sheet/statement/0", "#/sheet/branch/0",
    "#/sheet/main%2Fc1/review",
]  # fmt: skip
MORE = [
    "#/sheet/all/4",
    "#/sheet/desk/0",
    "#/sheet/bonus/0",
    "#/sheet/survey/0",
    "#/sheet/readonly/0",
    "#/sheet/veto/0",
    "#/sheet/duty/0",
]  # of the same parts

SMALL_TARGETS = """() => [...document.querySelectorAll("a[href], button, input, textarea, summary")].map((node) => {
  const target = ["checkbox", "radio", "file"].includes(node.type) ? node.closest("label") : node;
  const { width, height } = target.getBoundingClientRect();
  return [width, height, target.outerHTML.slice(0, 120)];
}).filter(([width, height]) => width && (width < 47.9 || height < 47.9))"""

# 18 px is the smallest print, of a note under a field as of a mark.
SMALL_PRINT = """() => {
  const found = new Set(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const words = texts.currentNode.nodeValue.trim(), at = texts.currentNode.parentElement;
    if (!words || at.closest(".vh, svg, noscript") || !at.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(at).fontSize);
    if (size < 17.9) found.add(`${size} ${words.slice(0, 30)}`);
  }
  return [...found];
}"""

AXE = """async () => (await axe.run({ resultTypes: ["violations"] })).violations.map((v) => [v.id, v.nodes[0].html.slice(0, 160)])"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("viewport", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
def test_every_screen_is_large_enough_and_accessible(
    tablet: Any, package: dict[str, Any], axe: str, lang: str, viewport: Any
) -> None:
    one = tablet(viewport=viewport)
    page = one.open(lang=lang)
    fill(one, package, "main/c1")
    page.evaluate(axe)
    problems: list[Any] = []
    for route in ROUTES + MORE:
        one.to(route)
        page.locator("h1").wait_for()  # a part that comes when it is opened
        found = page.evaluate(AXE)
        problems += [(route, *row) for row in found]
        problems += [(route, "small", row) for row in page.evaluate(SMALL_TARGETS)]
        problems += [(route, "print", row) for row in page.evaluate(SMALL_PRINT)]
        problems += [(route, "overflow", n) for n in [page.evaluate(OVERFLOW)] if n > 0]
        focus = page.evaluate("() => document.activeElement.tagName")
        problems += [(route, "focus", focus)] if focus not in ("H1", "BODY") else []
    assert problems == []


@pytest.mark.parametrize(
    "viewport", [SMALL, {"width": 512, "height": 384}], ids=["phone", "zoom-200"]
)
def test_small_screens_and_double_zoom_stay_usable(
    tablet: Any, package: dict[str, Any], viewport: Any
) -> None:
    one = tablet(viewport=viewport, color_scheme="dark")
    page = one.open(lang="en")
    fill(one, package, "main/c1")
    problems: list[Any] = []
    for route in ROUTES + MORE:
        one.to(route)
        problems += [(route, "small", row) for row in page.evaluate(SMALL_TARGETS)]
        problems += [(route, "overflow", n) for n in [page.evaluate(OVERFLOW)] if n > 0]
    assert problems == []


def test_sealed_and_entry_screens_in_the_dark(
    tablet: Any, package: dict[str, Any], axe: str
) -> None:
    one = tablet(color_scheme="dark", viewport=PORTRAIT)
    page = one.open("#/sheet/main%2Fc1/0")
    page.evaluate(axe)
    one.page.evaluate(
        "() => fake.change('main/c1', { status: 'sealed', sealed: { at: '2026-10-20T02:00:00Z', signed_name: '甲', code: 'K7QM-29DX-4TRA' } })"
    )
    expect(page.locator(".code.big")).to_be_visible()
    found = [page.evaluate(AXE)]
    page.get_by_role("button", name="锁定").tap()
    expect(page.locator("#pin")).to_be_visible()
    found.append(page.evaluate(AXE))
    assert found == [[], []]
    assert (
        page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(20, 24, 22)"
    )


def test_text_is_eighteen_pixels_and_the_language_is_kept(tablet: Any) -> None:
    one = tablet()
    page = one.open("#/sheet/main/0")
    one.fake("say({notices: [{code: 'update', zh: '有新版本。', en: 'A new version.'}]})")
    size = "(name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize)"
    for name in (".item h2", ".tick", ".fact", ".notice", ".chip", ".button", ".dock .tally"):
        assert page.evaluate(size, name) >= 18, name
    page.get_by_role("button", name="English").tap()
    expect(page.locator(".dock")).to_contain_text("Declare a conflict")
    assert page.evaluate(
        "() => [document.documentElement.lang, localStorage.getItem('mingjian.language')]"
    ) == ["en", "en"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_entry_screens_and_dialogs_are_accessible(
    tablet: Any, package: dict[str, Any], axe: str, lang: str
) -> None:
    """Bind, unlock, sealed, a code that came by QR, an address that is not trusted; then the dialogs."""
    one = tablet(viewport=PORTRAIT)
    page = one.open("#GOODCODEGOODCODEGOODCODEGO", lang, "?as=stranger")
    page.evaluate(axe)
    problems: list[Any] = []

    def looked(where: str, within: Any) -> None:
        expect(within).to_be_visible()
        problems.extend((where, *row) for row in page.evaluate(AXE))
        problems.extend((where, "small", row) for row in page.evaluate(SMALL_TARGETS))
        problems.extend((where, "print", row) for row in page.evaluate(SMALL_PRINT))

    looked("bind", page.locator("#pin-again"))
    page.fill("#label", "7")
    for field in ("#pin", "#pin-again"):
        page.fill(field, "246810")
    page.locator("button.primary").tap()
    page.get_by_role("heading", level=1).wait_for()
    one.fake("say({packAt: '2026-10-20T02:00:00Z', takenAt: '2026-10-20T02:00:00Z'})")
    page.locator(".duty button").first.tap()
    looked("conflict", page.locator("#conflict-reason"))
    page.keyboard.press("Escape")
    page.locator("section[aria-labelledby=leave-title] button").last.tap()
    looked("sign out", page.locator("dialog .tick"))
    page.keyboard.press("Escape")
    one.to("#/unlock/ABCDEFGHIJKLMNOP")
    looked("code link", page.get_by_role("alert"))
    one.fake(
        "change('main/c1', { status: 'sealed', sealed: { at: '2026-10-20T02:00:00Z', signed_name: '甲', code: 'K7QM-29DX-4TRA' } })"
    )
    one.to("#/sheet/main%2Fc1/0")
    looked("sealed", page.locator(".code.big"))
    one.to("#/sheet/main/0")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff"}]
    )
    looked("place", page.locator("dialog h2"))
    page.keyboard.press("Escape")
    one.fake("store.lock()")
    looked("unlock", page.locator("#pin"))
    page.locator(".actions button").last.tap()
    looked("another person", page.locator("dialog ul"))
    page.keyboard.press("Escape")
    one.fake("say({secure: false})")
    looked("insecure", page.locator(".note.wrong"))
    assert problems == []


# ---- the files themselves


def test_the_tokens_are_those_of_the_house() -> None:
    def tokens(name: str, head: str) -> dict[str, str]:
        text = (field_fixture.STATIC / name).read_text("utf-8")
        block = text[text.index(head) :]
        return dict(re.findall(r"(--[a-z0-9-]+): ([^;}]+)", block[: block.index("}")]))

    house, own = tokens("css/app.css", ":root {"), tokens("field/field.css", ":root {")
    assert {
        name: value for name, value in own.items() if name != "--target"
    }.items() <= house.items()
    dark = tokens("css/app.css", ".field[data-theme=dark] {")
    assert {
        k: v.strip()
        for k, v in tokens(
            "field/field.css", "@media (prefers-color-scheme: dark) { :root {"
        ).items()
    } == {k: v.strip() for k, v in dark.items()}
