"""The pages and modules in a real browser under the product's own strict policy.

Autosave promises: "saved" only after the server's answer; nothing typed is lost; nothing is overwritten;
an input method's half-typed characters are never sent.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ui_harness import build, served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser test: Chromium is not installed")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = [(1366, 768), (1024, 768), (390, 844)]


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


UNSAVED = "mingjian.unsaved:sheet-1"


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


def test_saved_is_said_only_after_the_answer(page: Any, server: Server) -> None:
    page.goto("/field?lang=en")
    held: list[Any] = []
    page.route("**/autosave", lambda route: held.append(route))
    page.fill("#words", "good soil")
    state(page, "saving")
    page.wait_for_timeout(100)
    assert "Saved" not in page.locator("#save-state").inner_text()
    assert stored(page, "localStorage", UNSAVED)["fields"]["words"]["value"] == "good soil"
    held[0].continue_()
    assert state(page, "saved") == "Saved 10:32:05"
    assert server.got == [{"version": 1, "fields": {"words": "good soil"}}]
    assert stored(page, "localStorage", UNSAVED) is None


def test_words_typed_during_a_save_go_with_the_next(page: Any, server: Server) -> None:
    page.goto("/field")
    held: list[Any] = []
    page.route("**/autosave", lambda route: held.append(route) if not held else route.continue_())
    page.fill("#words", "one")
    state(page, "saving")
    page.fill("#words", "one two")
    page.wait_for_timeout(800)
    assert server.got == []
    held[0].continue_()
    page.wait_for_function("() => !localStorage.length")
    assert [b["fields"]["words"] for b in server.got] == ["one", "one two"]
    assert [b["version"] for b in server.got] == [1, 2]


def test_no_connection_keeps_then_reload_restores_then_saves(page: Any, server: Server) -> None:
    page.goto("/field?lang=en")
    page.route("**/autosave", lambda route: route.abort())
    page.fill("#words", "kept words")
    page.click("[data-step='1']")
    assert "kept on this device" in state(page, "kept")
    page.reload()
    page.unroute("**/autosave")
    assert page.input_value("#words") == "kept words"
    assert page.input_value("#mark") == "18"
    state(page, "saved")
    assert server.got[-1]["fields"] == {"mark": "18", "words": "kept words"}


def test_a_lost_connection_is_tried_again_by_itself(page: Any, server: Server) -> None:
    page.goto("/field")
    page.route("**/autosave", lambda route: route.abort())
    page.fill("#words", "again")
    state(page, "kept")
    page.unroute("**/autosave")
    state(page, "saved")
    assert server.got == [{"version": 1, "fields": {"words": "again"}}]


def test_expired_session_keeps_and_offers_sign_in(page: Any, server: Server) -> None:
    server.expired = True
    page.goto("/field?lang=en")
    page.fill("#words", "not lost")
    assert "Sign in again" in state(page, "kept")
    with page.expect_navigation():
        page.click("#save-state a")
    state(page, "kept")
    assert page.input_value("#words") == "not lost"
    server.expired = False
    page.reload()
    state(page, "saved")
    assert page.input_value("#words") == "not lost"
    assert server.got[-1]["fields"] == {"words": "not lost"}


def test_restored_value_does_not_overwrite_what_changed_meanwhile(
    page: Any, server: Server
) -> None:
    page.goto("/field?lang=en")
    server.expired = True
    page.click("[data-set='10']")
    state(page, "kept")
    page.goto("/field?lang=en&value=12&version=5")
    state(page, "conflict")
    server.expired = False
    page.wait_for_timeout(800)
    assert server.got == []
    assert "here “10”, on the server “12”" in page.locator(".note.wrong").inner_text()
    page.click("text=Use the server's")
    assert page.input_value("#mark") == "12"
    page.wait_for_timeout(300)
    assert server.got == [] and stored(page, "localStorage", UNSAVED) is None


def test_conflict_is_chosen_by_the_person(page: Any, server: Server) -> None:
    server.next = [(409, {"version": 7, "fields": {"mark": "11", "words": "theirs"}})]
    page.goto("/field?lang=en")
    page.click("[data-set='10']")
    state(page, "conflict")
    assert page.input_value("#words") == "theirs"  # untouched here, so simply refreshed
    page.click("text=Use what is here")
    state(page, "saved")
    assert server.got[1:] == [{"version": 7, "fields": {"mark": "10"}}]


def test_refused_field_does_not_hold_up_the_others(page: Any, server: Server) -> None:
    server.next = [(422, {"message": "check the mark", "errors": {"mark": "at most 20"}})]
    page.goto("/field?lang=en")
    page.evaluate(
        """() => { document.querySelector('#words').value = 'fine';
        const mark = document.querySelector('#mark'); mark.value = '99';
        mark.dispatchEvent(new Event('change', {bubbles: true})); }"""
    )
    page.locator("#mark-refused").wait_for()
    page.wait_for_function("() => !JSON.stringify(localStorage).includes('fine')")
    state(page, "refused")
    assert server.got[1]["fields"] == {"words": "fine"}
    assert stored(page, "localStorage", UNSAVED)["fields"]["mark"]["value"] == "99"
    page.fill("#mark", "20")
    page.locator("#mark").blur()
    state(page, "saved")
    assert page.locator("#mark-refused").count() == 0
    assert page.locator("#mark[aria-invalid]").count() == 0


def test_conflict_without_values_and_refusal_stay_on_the_device(page: Any, server: Server) -> None:
    server.next = [(409, {"error": {"text": "The sheet is sealed."}})]
    page.goto("/field?lang=en")
    page.fill("#words", "late")
    assert "The sheet is sealed." in state(page, "refused")
    page.wait_for_timeout(800)
    assert len(server.got) == 1
    assert stored(page, "localStorage", UNSAVED)["fields"]["words"]["value"] == "late"


def test_input_method_is_never_saved_half_way(page: Any, server: Server) -> None:
    page.goto("/field")
    cdp = page.context.new_cdp_session(page)
    page.focus("#words")
    for text in ("j", "jie", "jieyue"):
        cdp.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
    page.wait_for_timeout(900)
    assert server.got == []
    cdp.send("Input.insertText", {"text": "节约"})
    state(page, "saved")
    assert [b["fields"] for b in server.got] == [{"words": "节约"}]


def test_full_width_figures_become_plain(page: Any, server: Server) -> None:
    page.goto("/field")
    page.fill("#mark", "１６。５　")
    page.locator("#mark").blur()
    assert page.input_value("#mark") == "16.5"
    state(page, "saved")
    assert server.got[-1]["fields"] == {"mark": "16.5"}


def test_seal_waits_for_the_last_save(page: Any, app: Any, server: Server) -> None:
    page.goto("/field")
    page.fill("#words", "last words")
    page.click("text=封存")
    page.wait_for_url("**/taken")
    assert server.got == [{"version": 1, "fields": {"words": "last words"}}]
    assert app.config["POSTS"][0]["version"] == "2"


def test_seal_does_not_go_out_unsaved(page: Any, app: Any) -> None:
    page.goto("/field")
    page.route("**/autosave", lambda route: route.abort())
    page.fill("#words", "unsaved")
    page.click("text=封存")
    state(page, "kept")
    page.wait_for_timeout(300)
    assert "POSTS" not in app.config


def test_enter_does_not_submit_a_sheet(page: Any, app: Any) -> None:
    page.goto("/field")
    page.focus("#mark")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert "POSTS" not in app.config


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
    assert page.locator("dialog").count() == 0
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
    link = page.get_attribute("a[data-sign-in]", "href")
    assert page.evaluate("() => document.querySelector('a[data-sign-in]').search") == "?next=%2F", (
        link
    )
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
