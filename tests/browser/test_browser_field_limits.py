"""What the server would refuse is not taken on the tablet either: short reasons, another's name. And what must not get lost:
a photo while it is asked about its place, values that no export holds, everything in a private window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from app.field import ops
from app.scoring import changes
from tests.browser.field_fixture import STATIC
from tests.browser.field_screens import (
    address,
    card_of,
    fill,
    first_item,
    go,
    package,
    tablet,
)
from tests.browser.field_tablet import Device, all_sent, bound, put, refusal, state, unlocked, until
from tests.browser.field_tower import SHEET, Tower

__all__ = ["address", "package", "tablet"]
PHOTO = [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + b"1" * 2000}]
SEALED = "{ status: 'sealed', sealed: { at: '2026-10-20T02:00:00Z', signed_name: '甲', code: 'K7QM-29DX-4TRA' } }"


# ---- the screens


def test_the_tablet_and_the_server_want_the_same() -> None:
    text = (STATIC / "field/engine/words.js").read_text("utf-8")
    told = re.search(r"const SHORTEST = \{(.*)\};", text)
    assert told is not None
    found = {name: int(least) for name, least in re.findall(r"(\w+): (\d+)", told[1])}
    assert found == {
        "conflict": ops.SHORTEST_REASON,
        "choose": ops.SHORTEST_REASON,
        "withdraw": changes.SHORTEST_REASON,
    }


def test_every_reason_for_a_refusal_has_its_words() -> None:
    """What the server may write on a receipt is never shown to a person as a code."""
    rooms = (STATIC.parent / "field").glob("*.py")
    code = re.compile(r'(?:Refused\(|"refused",\s*)"([a-z_]+)"')
    written = {why for path in rooms for why in code.findall(path.read_text("utf-8"))}
    text = (STATIC / "field/screens/refusals.js").read_text("utf-8")
    told = set(re.findall(r"\b([a-z_]+): say\(", text.partition("export const changeWords")[0]))
    assert {"branch", "closed", "form_stale", "stale"} < written
    assert written <= told, written - told


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_short_reason_is_not_taken(tablet: Any, lang: str) -> None:
    one = tablet()
    page = one.open(lang=lang)
    page.evaluate(f"() => fake.change('main/c1', {SEALED})")
    one.to("#/sheet/main%2Fc1/0")
    page.locator("summary").tap()
    withdraw = page.locator("details button.danger")
    hint = {"zh": "至少 5 个字", "en": "at least 5 characters"}[lang]
    expect(page.locator("#withdraw-reason-hint")).to_contain_text(hint)
    page.fill("#withdraw-reason", " 四个字。 ")
    assert withdraw.is_disabled()
    page.fill("#withdraw-reason", "五个字了。")
    expect(withdraw).to_be_enabled()
    expect(page.locator("#withdraw-reason-hint")).to_have_count(0)
    one.to("#/sheet/branch/0")
    for row in range(2):
        page.locator("fieldset").nth(row).locator("label").nth(0).tap()
    keep = page.locator(".actions button.primary")
    page.fill("#branch-reason", "一")
    assert keep.is_disabled()
    page.fill("#branch-reason", "𠀀")  # one character, though two units
    assert keep.is_disabled()
    page.fill("#branch-reason", "两字")
    expect(keep).to_be_enabled()
    one.to("#/sheet/main/0")
    page.locator(".dock button.danger").tap()
    declare = page.locator("dialog button.danger")
    page.fill("#conflict-reason", "亲")
    expect(page.locator("#conflict-reason-hint")).to_contain_text("2")
    assert declare.is_disabled()
    page.fill("#conflict-reason", "亲戚")
    expect(declare).to_be_enabled()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_another_name_does_not_seal(tablet: Any, package: dict[str, Any], lang: str) -> None:
    one = tablet()
    page = one.open("#/sheet/main%2Fc2/review", lang)
    fill(one, package, "main/c2")
    page.locator(".choice label").nth(1).tap()
    page.fill("#seal-pin", "246810")
    seal = page.locator("section[aria-labelledby=seal-title] button.primary")
    expect(seal).to_be_enabled()
    page.fill("#signed-name", "试用专家乙")
    assert seal.is_disabled()
    words = {"zh": "签名须与您的姓名（试用专家甲）一致", "en": "must be your name (试用专家甲)"}
    expect(page.locator("#signed-name-hint")).to_contain_text(words[lang])
    page.fill("#signed-name", " 试用专家甲 ")
    seal.tap()
    assert one.fake("seal")["signedName"] == "试用专家甲"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_conflict_can_be_declared_everywhere(tablet: Any, lang: str) -> None:
    one = tablet()
    page = one.open(lang=lang)
    name = {"zh": "申报回避", "en": "Declare a conflict"}[lang]

    def declared(button: Any, key: str) -> None:
        button.tap()
        page.fill("#conflict-reason", "曾任职")
        page.locator("dialog button.danger").tap()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert one.fake("conflict") == {"key": key, "reason": "曾任职"}

    rows = page.locator(".duty").get_by_role("button", name=name)
    assert rows.count() == page.evaluate("() => fake.store.duties().length")
    declared(
        page.get_by_role("button", name=re.compile(f"{name}.*试罚〔2025〕1号")), "main/c1"
    )  # the row's own sheet
    one.to("#/unlock/ABCDEFGHIJKLMNOP")  # a code that opens nothing
    expect(page.get_by_role("alert")).to_be_visible()
    declared(page.get_by_role("button", name=re.compile(f"{name}.*丰台区")).first, "veto")
    one.to("#/receipts")
    page.locator("summary", has_text=name).tap()
    declared(page.get_by_role("button", name=re.compile(f"{name}.*顺义区")).first, "bonus")
    page.evaluate(f"() => fake.change('main/c2', {SEALED})")
    one.to("#/sheet/main%2Fc2/0")
    page.get_by_role("button", name=name).tap()
    told = {"zh": "已封存的表不变", "en": "The sealed sheet does not change"}[lang]
    expect(page.get_by_role("dialog")).to_contain_text(told)
    page.fill("#conflict-reason", "曾任职")
    page.locator("dialog button.danger").tap()
    assert one.fake("conflict")["key"] == "main/c2"


def test_a_photo_is_kept_whatever_is_said_about_its_place(
    tablet: Any, package: dict[str, Any]
) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    card = card_of(page, item["id"])
    box, dialog = card.locator("input[type=file]"), page.get_by_role("dialog")
    photos = "(id) => fake.sheets.get('main').attachments[id].map(({ place }) => place)"

    def unlock() -> None:
        page.fill("#pin", "246810")
        page.get_by_role("button", name="打开").click()

    box.set_input_files(PHOTO)
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")  # without the place, and not asked again
    expect(dialog).to_have_count(0)
    box.set_input_files(PHOTO)
    expect(card.locator("li.photo")).to_have_count(2)
    expect(dialog).to_have_count(0)
    assert page.evaluate(photos, item["id"]) == [None, None]
    page.get_by_role("button", name="锁定").tap()
    unlock()
    box.set_input_files(PHOTO)
    dialog.get_by_role("button", name="记录位置").tap()
    expect(card.locator("li.photo").first).to_contain_text("位置 ±12 米")
    # A position that does not come keeps neither this photo from the disk nor the next one waiting.
    page.evaluate("() => { fake.store.place = () => new Promise(() => {}); }")
    box.set_input_files(PHOTO)
    expect(card.locator("li.photo")).to_have_count(4)
    expect(box).to_be_enabled()
    page.get_by_role("button", name="锁定").tap()
    unlock()  # who unlocks next has not agreed to anything
    box.set_input_files(PHOTO)
    expect(dialog).to_be_visible()
    page.evaluate("() => fake.store.lock()")  # by itself, while the question stands
    unlock()
    expect(card.locator("li.photo")).to_have_count(5)
    assert page.evaluate(photos, item["id"])[4] is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nobody_signs_out_over_unsaved_values(tablet: Any, lang: str) -> None:
    one = tablet()
    page = one.open(lang=lang)
    one.fake("say({unsaved: 2})")
    page.locator("section[aria-labelledby=leave-title] button").last.tap()
    dialog = page.get_by_role("dialog")
    words = {
        "zh": "还有 2 项没有存下，只在这个页面上，数据包里也没有",
        "en": "2 value(s) are not saved",
    }
    expect(dialog).to_contain_text(words[lang])
    out = dialog.locator("button.danger")
    assert out.is_disabled()
    one.fake("say({unsaved: 0})")
    expect(out).to_be_enabled()


# ---- the engine


@pytest.fixture
def tower() -> Iterator[Tower]:
    made = Tower()
    made.script = (STATIC / "field/app.js").read_bytes()
    made.start()
    yield made
    made.stop()


def test_the_engine_takes_only_what_the_server_takes(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    put(page, "7.5")
    seal = f"(name) => store.seal('{SHEET}', {{signedName: name}})"
    assert refusal(page, seal, "测试专家乙")["code"] == "signature"
    assert refusal(page, seal, "")["code"] == "signature"
    page.evaluate(seal, " 测试专家甲 ")
    withdraw = f"(why) => store.withdraw('{SHEET}', why)"
    told = refusal(page, withdraw, " 短理由。 ")
    assert (told["code"], "5" in told["zh"], "5" in told["en"]) == ("reason", True, True)
    conflict = f"(why) => store.declareConflict('{SHEET}', why)"
    assert refusal(page, conflict, "亲")["code"] == "reason"
    all_sent(page)
    page.evaluate(conflict, "亲戚在该区")  # after the seal too
    all_sent(page)
    assert [op["kind"] for op in tower.ops()] == ["set", "seal", "conflict"]
    assert tower.ops()[1]["signed_name"] == "测试专家甲"


def test_unsaved_values_hold_back_the_sign_out_even_after_an_export(device: Device) -> None:
    page = bound(device.open())
    put(page, "7.5")
    page.evaluate("() => store.exportPackage()")
    page.evaluate(f"() => store._unsaved.set('{SHEET}', {{'A1.mark': '8'}})")
    assert refusal(page, "() => store.signOut({wipe: true})")["code"] == "full"
    page.evaluate("() => store.retryUnsaved()")
    all_sent(page)
    page.evaluate("() => store.signOut({wipe: true})")
    assert state(page)["phase"] == "unbound"


def test_a_private_window_says_so_in_both_languages(device: Device) -> None:
    page = bound(device.open())
    told = next(n for n in state(page)["notices"] if n["code"] == "not_persistent")
    assert "无痕窗口一关闭" in told["zh"] and "private window loses everything" in told["en"]
    unlocked(page)
    device.context.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('denied', 'SecurityError'); }"
    )
    other = device.context.new_page()
    other.goto(f"{device.address}/field")
    notice = other.locator(".notice")
    until(lambda: notice.count() > 0)
    words = {"zh": "可能是无痕窗口", "en": "perhaps a private window"}
    first = "en" if str(other.evaluate("() => document.documentElement.lang")) == "en" else "zh"
    expect(notice.first).to_contain_text(words[first])
    other.locator(".tools button").first.click()
    expect(notice.first).to_contain_text(words["en" if first == "zh" else "zh"])
    assert "wrong" in str(notice.first.get_attribute("class"))
