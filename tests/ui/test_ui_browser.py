"""Pages in a real browser under the strict policy: axe, sizes, steppers, dialogs, kept text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import ui_chromium

browser, server, app = ui_chromium.browser, ui_chromium.server, ui_chromium.app
url, page = ui_chromium.url, ui_chromium.page
pytestmark = ui_chromium.NEEDS_CHROMIUM
SIZES = [(1366, 768), (1024, 768), (390, 844)]


@pytest.mark.parametrize(
    "path", ["/", "/?wrong=1&flash=1", "/field", "/print", "/error?status=500"]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, url: str, path: str, lang: str, scheme: str) -> None:
    from axe_playwright_python.base import AXE_FILE_PATH

    page = browser.new_page(viewport={"width": 1024, "height": 768}, color_scheme=scheme)
    page.goto(url + path + ("&" if "?" in path else "?") + "lang=" + lang)
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))  # a script tag would be stopped by the policy
    found = page.evaluate("axe.run()")
    page.close()
    assert found["passes"], "axe did not run"
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/?lang=en", "/?lang=zh&wrong=1", "/field?lang=en", "/print"])
def test_the_page_never_scrolls_sideways(page: Any, size: tuple[int, int], path: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    over = """() => [...document.querySelectorAll('.stages .step, .stages .num, .bar *')].filter(
        e => e.offsetParent && !e.closest('.vh') && e.scrollWidth > e.clientWidth + 1 &&
             getComputedStyle(e).display !== 'inline').map(e => e.outerHTML)"""
    assert page.evaluate(over) == []


def test_tablet_targets_are_thumb_sized(page: Any) -> None:
    page.goto("/field")
    small = page.evaluate(
        """() => [...document.querySelectorAll('a, button, select, textarea, summary, input')]
        .filter(e => e.type !== 'hidden' && !e.matches('.skip')).map(e => [e.outerHTML, e.getBoundingClientRect()])
        .filter(([, r]) => r.width && (r.height < 47.9 || r.width < 47.9)).map(([html]) => html)"""
    )
    assert small == []


@pytest.mark.parametrize(
    ("start", "way", "wanted"),
    [
        ("17.5", "1", "18"),
        ("17.3", "1", "17.5"),
        ("17.3", "-1", "17"),
        ("20", "1", "20"),
        ("0", "-1", "0"),
        ("", "1", "0"),
        ("9.5", "1", "10"),
    ],
)
def test_steps_keep_to_the_grid(page: Any, start: str, way: str, wanted: str) -> None:
    page.goto(f"/field?value={start}")
    page.locator(f"[data-step='{way}']").click(force=True)
    assert page.input_value("#mark") == wanted


def test_grid_arithmetic_is_exact(page: Any) -> None:
    page.goto("/field")
    got = page.evaluate(
        """async () => { const {nextOnGrid, problem} = await import('/static/js/stepper.js');
        return [nextOnGrid('0.2', 1, '0', '1', '0.1'), nextOnGrid('-0.5', 1, '-2', '0', '0.25'),
                nextOnGrid('100', -1, '0', '100', '5'), nextOnGrid('10', 1, '0', '100', '10'),
                problem('0.3', '0', '1', '0.1'), problem('', '0', '1', '0.1'),
                problem('0.35', '0', '1', '0.1') !== null, problem('1,5', '0', '9', '0.5') !== null,
                problem('-0.1', '0', '1', '0.1') !== null] }"""
    )
    assert got == ["0.3", "-0.25", "95", "20", None, None, True, True, True]


def test_out_of_range_stops_at_the_field(page: Any) -> None:
    page.goto("/field?lang=en")
    page.fill("#mark", "25")
    page.locator("#mark").blur()
    assert page.inner_text("#mark-error") == "Must be between 0 and 20"
    assert page.get_attribute("#mark", "aria-invalid") == "true"
    page.keyboard.press("Escape")
    page.click("[data-set='20']")
    assert page.locator("#mark-error").is_hidden()
    assert page.get_attribute("[data-step='1']", "aria-disabled") == "true"


def test_destructive_button_asks_and_cancel_is_first(page: Any, app: Any) -> None:
    page.goto("/?lang=en")
    page.fill("#name", "Chen")
    page.click("text=Void this draw")
    assert "all records and the reason" in page.locator("dialog").inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Enter")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Void this draw"
    assert "POSTS" not in app.config
    page.click("text=Void this draw")
    page.click("dialog .danger")
    page.wait_for_url("**/taken")
    assert app.config["POSTS"][0]["act"] == "void"


def test_two_clicks_submit_once(page: Any, app: Any) -> None:
    page.goto("/?lang=en")
    page.evaluate(
        "() => { const b = [...document.querySelectorAll('button')].find(x => x.textContent === 'Save'); b.click(); b.click(); }"
    )
    page.wait_for_url("**/taken")
    page.wait_for_timeout(300)
    assert len(app.config["POSTS"]) == 1


def test_typed_text_outlives_an_expired_session(page: Any) -> None:
    page.goto("/as?expired=1&lang=en")
    page.goto("/")
    page.fill("#name", "Wang Yangben")
    page.fill("#words", "a long remark")
    page.check("input[name=fields][value=land]")
    page.click("text=Save >> nth=0")
    page.locator("text=Your session has expired.").wait_for()
    page.locator("a[data-sign-in][href$='?next=%2F']").wait_for()  # set by a deferred script
    page.goto("/as?lang=en")
    page.goto("/")
    assert page.input_value("#name") == "Wang Yangben"
    assert page.input_value("#words") == "a long remark"
    assert page.is_checked("input[name=fields][value=land]")
    assert page.locator("text=could not submit is back").is_visible()
    page.click("text=Save >> nth=0")
    page.wait_for_url("**/taken")
    page.goto("/")
    assert page.input_value("#name") == ""


def test_kept_text_is_not_shown_to_somebody_else(page: Any) -> None:
    page.goto("/")
    page.fill("#words", "private")
    page.goto("/?out=1")
    assert page.input_value("#words") == ""
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_discard_restores_the_server_values(page: Any) -> None:
    page.goto("/?lang=en")
    page.fill("#words", "second thoughts")
    page.reload()
    assert page.input_value("#words") == "second thoughts"
    page.click("text=Discard and start again")
    assert page.input_value("#words") == ""
    page.reload()
    assert page.input_value("#words") == ""


def test_projector_mode_shows_the_page_alone(page: Any) -> None:
    page.goto("/")
    page.click("[data-present]")
    assert page.locator(".bar").is_hidden() and page.locator("main").is_visible()
    page.keyboard.press("Escape")
    page.locator("html:not(.present)").wait_for()
    assert page.locator(".bar").is_visible()


def test_theme_is_kept_on_the_device(page: Any) -> None:
    page.goto("/field")
    page.click("[data-theme-toggle]")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(20, 24, 22)"
    page.reload()
    assert page.evaluate(ground) == "rgb(20, 24, 22)"
    page.click("[data-theme-toggle]")
    assert page.evaluate(ground) == "rgb(253, 252, 249)"


def test_paper_has_no_navigation_and_is_a4(page: Any) -> None:
    page.goto("/")
    page.emulate_media(media="print")
    for part in (".bar", ".round-line", ".crumbs", ".actions", ".pager"):
        assert page.locator(part).first.is_hidden(), part
    assert page.locator("text=演练").first.is_visible()
    assert page.locator("table").first.is_visible()


def test_works_without_scripts(browser: Any, url: str, app: Any) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=url)
    page = context.new_page()
    page.goto("/field")
    page.fill("#words", "by hand")
    page.click("text=封存")
    assert page.url.endswith("/taken")
    assert app.config["POSTS"][0]["words"] == "by hand"
    context.close()
