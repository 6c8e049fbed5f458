"""Autosave in a real browser.

"Saved" only after the server's answer; nothing typed is lost; nothing is overwritten; an input
method's half-typed characters are never sent.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import ui_chromium
from ui_chromium import Server, state, stored

browser, server, app = ui_chromium.browser, ui_chromium.server, ui_chromium.app
url, page = ui_chromium.url, ui_chromium.page
pytestmark = ui_chromium.NEEDS_CHROMIUM
UNSAVED = "mingjian.unsaved:sheet-1"


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
    page.wait_for_function("key => !localStorage.getItem(key)", arg=UNSAVED)
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
