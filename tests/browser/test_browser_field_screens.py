"""The field application's screens in a real browser, over an invented package: entering, scoring, typing.

What is typed and tapped becomes the entries and points that Python computes; an input method never loses or doubles a word; the
policy of the site is never offended. Sealing and what else a sheet goes through: test_browser_field_seal.py.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from app.domain.scoring.measures import EntryError, plain
from app.domain.scoring.scales import evaluate_entry
from app.domain.scoring.sheets import check_sheet
from tests.browser.field_screens import (
    address,
    card_of,
    first_item,
    form_of,
    go,
    package,
    tablet,
)

__all__ = ["address", "package", "tablet"]

# ---- signing in


def test_bind_with_code_and_pin(tablet: Any) -> None:
    one = tablet()
    page = one.open(query="?as=stranger")
    expect(page.locator(".fact")).to_have_text("● 在线")  # binding needs it; nothing is saved yet
    page.fill("#code", "ｇｏｏｄ abcd efgh ijkl mnop qrst uv")  # full-width letters are letters
    assert page.input_value("#code") == "GOOD-ABCD-EFGH-IJKL-MNOP-QRST-UV"
    page.fill("#label", "三号平板")
    page.fill("#pin", "２４６８１０")
    assert page.input_value("#pin") == "246810"
    page.fill("#pin-again", "246811")
    expect(page.get_by_role("alert")).to_have_text("两次输入不同")
    button = page.get_by_role("button", name="登录", exact=True)
    assert button.is_disabled()
    page.fill("#pin-again", "246810")
    page.press("#pin-again", "Enter")
    assert one.fake("bound") is None, "Enter must never act"
    button.click()
    expect(page.locator("h1")).to_have_text("我的任务")
    assert one.fake("bound") == {
        "code": "GOOD-ABCD-EFGH-IJKL-MNOP-QRST-UV",
        "label": "三号平板",
        "pin": "246810",
    }


def test_code_from_the_link_and_refusal(tablet: Any) -> None:
    one = tablet()
    page = one.open("#BADCODEBADCODEBADCODEBADCO", "en", "?as=stranger")
    assert page.input_value("#code") == "BADCODEBADCODEBADCODEBADCO"
    page.fill("#label", "tablet 3")
    page.fill("#pin", "246810")
    page.fill("#pin-again", "246810")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")


def test_without_a_secure_context_it_says_so(tablet: Any) -> None:
    one = tablet()
    page = one.open()
    one.fake("say({secure: false})")
    expect(page.locator("h1")).to_have_text("这个地址不能离线评分")
    assert page.locator("input").count() == 0


def test_lock_wrong_pin_and_another_person(tablet: Any) -> None:
    one = tablet()
    page = one.open()
    page.get_by_role("button", name="锁定").click()
    page.fill("#pin", "111111")
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("密码不对.*还可以试 4 次"))
    assert page.input_value("#pin") == ""
    page.get_by_role("button", name="换人使用").click()
    expect(page.get_by_role("dialog")).to_contain_text("待上传 4 项")
    page.keyboard.press("Escape")
    page.fill("#pin", "246810")
    page.get_by_role("button", name="打开").click()
    expect(page.locator("h1")).to_have_text("我的任务")


# ---- every scale by tapping


TAPS: dict[str, tuple[str, list[str]]] = {
    "points": ("main", [".chip:nth-child(3)", ".step >> nth=1"]),
    "grade": ("main", [".level >> nth=1", ".chips .chip >> nth=1", ".step >> nth=1"]),
    "checklist": ("main", ["label.tick >> nth=0", "label.tick >> nth=1"]),
    "checklist_deduct": ("main", ["fieldset label.tick >> nth=0", ".chip >> nth=1"]),
    "deduct": ("duty", [".step >> nth=1", ".step >> nth=1", ".step >> nth=1", ".step >> nth=0"]),
    "passfail_points": ("main", ["label.tick >> nth=0"]),
    "grade_table": ("all", ["label.tick >> nth=1", "label.tick >> nth=4"]),
    "passfail": ("veto", ["label.tick >> nth=0"]),
    "veto": ("qual", ["label.tick >> nth=0"]),
    "bonus": ("bonus", ["fieldset >> nth=0 >> label.tick >> nth=0", "fieldset >> nth=1 >> label.tick >> nth=1"]),
}  # fmt: skip


def test_every_scale_by_tapping_gives_python_s_points(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    for scale, (key, taps) in TAPS.items():
        item = go(one, package, key, first_item(package, key, scale))
        card = card_of(page, item["id"])
        for selector in taps:
            card.locator(selector).tap()
        if (
            scale in ("deduct", "checklist_deduct")
            and one.entries(key)[item["id"]]["value"]["cases"]
        ):
            card.locator("textarea").fill("现场发现，见照片")
            card.locator("textarea").blur()
        entry = one.entries(key)[item["id"]]
        said = evaluate_entry(item, entry)
        words = {"pass": "符合", "no_veto": "未发现否决情形"}.get(said.outcome)
        wanted = words or f"得 {plain(said.points)} 分"
        expect(card.locator(".item-state")).to_have_text(wanted)
        assert len(one.operations(key)) >= len([t for t in taps if "level" not in t]) - 1, scale


def test_figures_and_refused_values(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "survey", first_item(package, "survey", "survey"))
    card = card_of(page, item["id"])
    names = [figure["name"] for figure in item["scale"]["figures"]]
    for name in names:
        page.fill(
            f"[id='{item['id']}-{name}']",
            "４００" if name == item["scale"]["sample_figure"] else "８３。５",
        )
        page.locator(f"[id='{item['id']}-{name}']").blur()
    said = evaluate_entry(item, one.entries("survey")[item["id"]])
    expect(card.locator(".item-state")).to_have_text(f"得 {plain(said.points)} 分")
    page.fill(f"[id='{item['id']}-{item['scale']['sample_figure']}']", "399")
    page.locator(f"[id='{item['id']}-{item['scale']['sample_figure']}']").blur()
    expect(card.locator(".item-state")).to_have_text("样本量不足 400")
    assert card.locator(".item-state.wrong-text").count() == 1


@pytest.mark.parametrize("scale", ["bands", "formula"])
def test_figures_of_bands_and_formulas(tablet: Any, package: dict[str, Any], scale: str) -> None:
    one = tablet()
    page = one.open()
    key = "desk-all"
    item = go(one, package, key, first_item(package, key, scale))
    for number, figure in enumerate(item["scale"]["figures"]):
        field = page.locator(f"[id='{item['id']}-{figure['name']}']")
        field.fill(("６", "８")[number % 2])
        field.blur()
    entry = one.entries(key)[item["id"]]
    try:
        said = evaluate_entry(item, entry)
        wanted = "不适用" if said.points is None else f"得 {plain(said.points)} 分"
    except EntryError as error:
        assert error.code == "needs_class"
        wanted = "与同类地区一并计算"
    expect(card_of(page, item["id"]).locator(".item-state")).to_have_text(wanted)


def test_typed_marks_arrows_and_undo(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    card, field = card_of(page, item["id"]), f"[id='{item['id']}-mark']"
    page.fill(field, "９９")
    page.locator(field).blur()
    expect(card.locator(".item-state")).to_have_text(
        f"99 分不在 {item['min']} 至 {item['max']} 之间"
    )
    page.fill(field, "1。5")
    assert page.input_value(field) == "1.5"
    page.locator(field).press("ArrowUp")
    assert one.entries("main")[item["id"]] == {"type": "mark", "value": "2"}
    page.wait_for_timeout(2100)  # what comes now is a step of its own
    card.get_by_label("不适用").tap()
    assert one.entries("main")[item["id"]] == {"type": "not_applicable", "reason": ""}
    expect(card.locator(".item-state")).to_have_text("须写明理由")
    expect(page.locator(".tally")).to_contain_text("1 项须写理由")
    page.get_by_role("button", name="撤销上一步").tap()
    assert one.entries("main")[item["id"]] == {"type": "mark", "value": "2"}
    expect(page.locator(field)).to_have_value("2")


def test_none_of_these_and_veto_need_their_words(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open(lang="en")
    item = go(one, package, "main", first_item(package, "main", "checklist"))
    card = card_of(page, item["id"])
    card.locator("label.tick").first.tap()
    card.get_by_label("None of these").tap()
    assert one.entries("main")[item["id"]] == {"type": "mark", "value": {"ticks": []}}
    item = go(one, package, "qual", first_item(package, "qual", "veto"))
    card = card_of(page, item["id"])
    card.get_by_label("Veto", exact=True).tap()
    expect(card.locator(".item-state")).to_contain_text("does not fit")
    card.locator("fieldset").nth(1).locator("label").first.tap()
    expect(card.locator(".item-state")).to_have_text("A reason is required")
    page.locator(f"[id='{item['id']}-reason']").fill("Permanent farmland was used")
    page.locator(f"[id='{item['id']}-reason']").blur()
    expect(card.locator(".item-state")).to_have_text("A veto needs its evidence")
    page.locator(f"[id='{item['id']}-evidence']").fill("Case file, page 3")
    page.locator(f"[id='{item['id']}-evidence']").blur()
    assert evaluate_entry(item, one.entries("qual")[item["id"]]).outcome == "veto"
    expect(card.locator(".item-state")).to_have_text("Veto")


def test_tally_and_marks_in_the_rail_are_check_sheet_s(
    tablet: Any, package: dict[str, Any]
) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    card_of(page, item["id"]).locator(".chip").last.tap()
    problems = check_sheet(form_of(package, "main"), one.entries("main"))
    expect(page.locator(".tally")).to_have_text(f"{len(problems)} 项未填")
    expect(page.locator(".dock .sum b")).to_have_text(item["max"])
    expect(page.locator(".rail a[aria-current] .mark")).to_have_class("mark partial")


# ---- an input method


def test_an_input_method_neither_loses_nor_doubles(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    card = card_of(page, item["id"])
    card.get_by_role("button", name="＋ 备注").tap()
    area = page.locator(f"[id='{item['id']}-reason']")
    area.focus()
    keys = page.context.new_cdp_session(page)
    for text in ("j", "ji", "jie", "jieyue"):
        keys.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )
        page.wait_for_timeout(180)
    one.fake("say({online: false})")  # the screen is drawn anew in the middle of a word
    page.wait_for_timeout(300)
    assert area.input_value() == "jieyue"
    assert one.operations("main") == []
    keys.send("Input.insertText", {"text": "节约"})
    expect(page.locator("[data-fact=saved]")).to_contain_text("本机已保存")
    assert one.operations("main") == [[f"{item['id']}.reason", "节约"]]
    mark = page.locator(f"[id='{item['id']}-mark']")
    mark.focus()
    keys.send("Input.imeSetComposition", {"text": "1", "selectionStart": 1, "selectionEnd": 1})
    keys.send(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 229}
    )
    assert len(one.operations("main")) == 1
    keys.send("Input.insertText", {"text": "１。５"})
    page.wait_for_timeout(100)
    assert one.entries("main")[item["id"]] == {"type": "mark", "value": "1.5", "reason": "节约"}
    assert [path for path, _ in one.operations("main")] == [
        f"{item['id']}.reason",
        f"{item['id']}.mark",
    ]


def test_an_input_method_does_not_spoil_a_code(tablet: Any) -> None:
    """Letters of a one-time code typed with a Chinese input method switched on: they are put in order
    once they are there, and not while they are being composed."""
    one = tablet()
    page = one.open(query="?as=stranger")
    field = page.locator("#code")
    field.focus()
    keys = page.context.new_cdp_session(page)
    for word in ("goodx", "yzab"):
        for end in range(1, len(word) + 1):
            at = {"selectionStart": end, "selectionEnd": end}
            keys.send("Input.imeSetComposition", {"text": word[:end], **at})
            page.wait_for_timeout(30)
        keys.send("Input.insertText", {"text": word})
    expect(field).to_have_value("GOOD-XYZA-B")


def test_half_typed_words_are_kept_when_the_page_is_hidden_or_left(
    tablet: Any, package: dict[str, Any]
) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    page.locator(f"[id='{item['id']}-mark']").press_sequentially("1")
    page.evaluate("() => window.dispatchEvent(new Event('pagehide'))")
    assert one.entries("main")[item["id"]]["value"] == "1"
    page.locator(f"[id='{item['id']}-mark']").press_sequentially(".5")
    one.to("#/")
    assert one.entries("main")[item["id"]]["value"] == "1.5"


def test_what_could_not_be_stored_stays_and_is_said(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    page.evaluate("() => { fake.full = true; }")
    card_of(page, item["id"]).locator(".chip").last.tap()
    expect(page.get_by_role("alert")).to_contain_text("1 处改动没有存下")
    expect(page.locator("[data-fact=saved]")).to_contain_text("1 项未存下")
    expect(page.locator(f"[id='{item['id']}-mark']")).to_have_value(item["max"])
    assert one.entries("main") == {}
    page.evaluate("() => { fake.full = false; }")
    page.get_by_role("button", name="再存一次").tap()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert one.entries("main")[item["id"]]["value"] == item["max"]
