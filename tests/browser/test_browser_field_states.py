"""What a field screen shows besides its sheets: notices, refusals, what waits, what could not be stored, what is not there yet. Each
such state in both languages, without a fault of axe and large enough to tap. The screens themselves: test_browser_field_look.py; a
recorder's: test_browser_field_recorder.py."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.field_screens import (
    PORTRAIT,
    address,
    card_of,
    fill,
    first_item,
    go,
    package,
    tablet,
)
from tests.browser.test_browser_field_look import AXE, SMALL_PRINT, SMALL_TARGETS
from tests.web.conftest import axe

__all__ = ["address", "axe", "package", "tablet"]
PHOTO = [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + b"1" * 2000}]
SEALED = "sealed: { at: '2026-10-20T02:00:00Z', signed_name: '甲', code: 'K7QM-29DX-4TRA' }"
WAITS = """() => {
  const at = '2026-10-20T02:00:00Z', words = (zh, en) => ({ zh, en });
  const pack = fake.store.pack();
  pack.reminders = [{ id: 'r', at, words: words('请封存评分表。', 'Please seal your sheet.') }];
  pack.votes = [{ id: 'v', county: words('东城区', 'East'), before: at, closes_at: at, reason: '路上耽搁' }];
  fake.say({ online: false, syncing: true, waiting: 3, waitingMedia: 1, clockOffset: 900000, error: { code: 'chain', ...words('服务器上的记录与本机不一致。', 'The records differ.') },
    notices: [{ code: 'update', ...words('有新版本。', 'A new version.') }, { code: 'revoked', ...words('这台平板已被停用。', 'Revoked.') }] });
}"""
REFUSED = """() => fake.change('desk', { refused: [
  { op: { id: 'o1', kind: 'set', path: 'A1.mark', new: '7.5' }, receipt: { why: 'closed' } },
  { op: { id: 'o2', kind: 'withdraw', reason: '笔误更正' }, receipt: { why: 'invalid', text: { zh: '服务器的原话。', en: 'What the server said.' } } } ] })"""


class Eye:
    """Looks at what is on the screen, once it is there."""

    def __init__(self, page: Any, axe: str) -> None:
        self.page, self.problems = page, []
        self.seen: list[str] = []
        page.evaluate(axe)

    def look(self, state: str, shown: Any) -> None:
        expect(shown).to_be_visible()
        self.seen.append(state)
        self.problems += [(state, *row) for row in self.page.evaluate(AXE)]
        self.problems += [(state, "small", row) for row in self.page.evaluate(SMALL_TARGETS)]
        self.problems += [(state, "print", row) for row in self.page.evaluate(SMALL_PRINT)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_state_is_accessible(
    tablet: Any, package: dict[str, Any], axe: str, lang: str
) -> None:
    one = tablet(viewport=PORTRAIT)
    page = one.open(lang=lang)
    eye = Eye(page, axe)
    page.evaluate(WAITS)
    eye.look("reminder, vote, notices, no signal", page.locator(".note").nth(1))
    one.fake("say({online: true, error: null, notices: [], waiting: 0, unsaved: 2})")
    page.locator("section[aria-labelledby=leave-title] button").last.tap()
    eye.look("unsaved values hold the sign-out", page.locator("dialog .danger"))
    page.keyboard.press("Escape")
    one.fake("say({unsaved: 0})")
    page.evaluate(REFUSED)
    one.to("#/sheet/desk/0")
    eye.look("refused changes", page.locator(".note.wrong").nth(1))
    told = page.locator(".note.wrong").all_inner_texts()  # in words, the server's own if it had any
    zh = ["评分已结束", "撤回 笔误更正", "服务器的原话。"]
    en = ["scoring has closed", "Withdrawal 笔误更正", "What the server said."]
    assert all(words in "".join(told) for words in (zh if lang == "zh" else en)), told
    item = go(one, package, "main", first_item(package, "main", "points"))
    card = card_of(page, item["id"])
    card.locator("input[type=file]").set_input_files(PHOTO)
    page.locator("dialog button").first.tap()
    eye.look("a photo", card.locator("li.photo .thumb img"))
    card.locator(".thumb").tap()
    eye.look("a photo, large", page.locator("dialog img.large"))
    page.keyboard.press("Escape")
    card.locator(".standard").tap()
    eye.look("standard and materials", page.locator(".drawer li").first)
    page.locator(".drawer header button").tap()
    page.evaluate("() => { fake.full = true; }")
    card.locator(".chip").last.tap()
    eye.look("not stored", page.locator(".note.wrong"))
    page.evaluate("() => { fake.full = false; fake.say({unsaved: 0}); }")
    fill(one, package, "main/c1")
    one.to("#/sheet/main%2Fc1/review")
    page.locator(".choice label").nth(1).tap()
    page.fill("#signed-name", "试用专家乙")
    eye.look("another name", page.locator("#signed-name-hint"))
    one.to("#/sheet/main%2Fc1/0")
    page.evaluate("(facts) => fake.change('main/c1', facts)", {"status": "sealing", "sealed": {}})
    eye.look("sealed here, not sent", page.locator(".note.waits"))
    page.evaluate(f"() => fake.change('main/c1', {{ status: 'sealed', {SEALED} }})")
    page.locator("summary").tap()
    page.fill("#withdraw-reason", "短")
    eye.look("too short a reason to withdraw", page.locator("#withdraw-reason-hint"))
    one.to("#/sheet/branch/0")
    page.locator("fieldset").first.locator("label").nth(0).tap()
    page.fill("#branch-reason", "一")
    eye.look("a choice half made", page.locator("#branch-reason"))
    page.evaluate("() => fake.change('veto', { status: 'stopped' })")
    one.to("#/sheet/veto/0")
    eye.look("stopped", page.locator(".note.wrong"))
    one.to("#/sheet/readonly/0")
    eye.look("on another tablet", page.locator(".note.waits button"))
    one.to("#/sheet/nothing/0")
    eye.look("no such sheet", page.locator(".note.waits"))
    one.fake("store.lock()")
    page.fill("#pin", "111111")
    page.locator("button.primary").tap()
    eye.look("wrong PIN", page.get_by_role("alert"))
    assert eye.problems == []
    assert len(eye.seen) == 15


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_is_not_on_the_tablet_yet_is_accessible(tablet: Any, axe: str, lang: str) -> None:
    """A wrong code; nothing to do; a screen that did not come."""
    one = tablet(viewport=PORTRAIT)
    page = one.open("#BADCODEBADCODEBADCODEBADCO", lang, "?as=stranger")
    eye = Eye(page, axe)
    page.fill("#label", "7")
    for field in ("#pin", "#pin-again"):
        page.fill(field, "246810")
    page.locator("button.primary").tap()
    eye.look("refused code", page.get_by_role("alert"))
    page.fill("#code", "GOODCODEGOODCODEGOODCODEGO")
    for field in ("#pin", "#pin-again"):
        page.fill(field, "246810")
    page.locator("button.primary").tap()
    eye.look("nothing taken along", page.locator("section[aria-labelledby=offline-title] .primary"))
    page.route("**/screens/receipts.js", lambda route: route.abort())
    one.to("#/receipts")
    eye.look("a screen that did not come", page.get_by_role("alert"))
    assert eye.problems == []
    assert [fault for fault in one.faults if "ERR_FAILED" not in fault] == []
    one.faults.clear()


def test_the_eye_sees_a_fault(tablet: Any, axe: str) -> None:
    """A button without a name, and print that is too small."""
    one = tablet(viewport=PORTRAIT)
    page = one.open()
    eye = Eye(page, axe)
    page.evaluate(
        "() => document.querySelector('main').append(Object.assign(document.createElement('button'), { className: 'plain', id: 'bad' }))"
    )
    page.evaluate("() => { document.getElementById('bad').style.cssText = ''; }")
    page.evaluate("() => { document.querySelector('h1').style.fontSize = '17px'; }")
    eye.look("nameless", page.locator("h1"))
    assert {"button-name", "print"} <= {problem[1] for problem in eye.problems}
