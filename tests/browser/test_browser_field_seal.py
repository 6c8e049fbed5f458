"""The field application's screens in a real browser: photos, conflict, statement, branch, review, seal, leaving."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.field_screens import (
    address,
    card_of,
    fill,
    first_item,
    form_of,
    go,
    package,
    tablet,
)

__all__ = ["address", "package", "tablet"]

# ---- photos, conflict, statement, branch


def test_photo_with_consent_and_hash(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    card = card_of(page, item["id"])
    card.locator("input[type=file]").set_input_files(
        [{"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + b"1" * 2000}]
    )
    page.get_by_role("dialog").get_by_role("button", name="记录位置").tap()
    photo = card.locator("li.photo")
    expect(photo).to_contain_text("位置 ±12 米")
    digest = page.evaluate(
        "([key, id]) => fake.sheets.get(key).attachments[id][0].sha256", ["main", item["id"]]
    )
    expect(photo.locator("code")).to_have_text(digest[:8])
    photo.get_by_role("button", name=re.compile("放大")).tap()
    expect(page.get_by_role("dialog")).to_contain_text(digest)
    page.keyboard.press("Escape")
    photo.get_by_role("button", name=re.compile("移除")).tap()
    expect(photo).to_have_count(0)


def test_conflict_stops_the_sheet(tablet: Any) -> None:
    one = tablet()
    page = one.open("#/sheet/main/0", "en")
    page.get_by_role("button", name="Declare a conflict").tap()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Declare and stop this sheet")
    assert confirm.is_disabled()
    dialog.locator("textarea").fill("My sister works there")
    confirm.tap()
    expect(page.locator("h1")).to_have_text("This sheet has stopped")
    assert one.fake("conflict") == {"key": "main", "reason": "My sister works there"}


def test_statement_code_opens_the_sheet(tablet: Any) -> None:
    one = tablet()
    page = one.open("#/sheet/statement/0")
    page.fill("#unlock", "abcd efgh 2345 6666")
    page.get_by_role("button", name="开始评分").tap()
    expect(page.get_by_role("alert")).to_have_text("代码不对。")
    page.fill("#unlock", "abcd-efgh-2345-6777")
    page.get_by_role("button", name="开始评分").tap()
    expect(page.locator(".dock")).to_be_visible()


def test_branch_is_resolved_item_by_item(tablet: Any) -> None:
    one = tablet()
    page = one.open("#/sheet/branch/0")
    keep = page.get_by_role("button", name="按此选定")
    page.locator("fieldset").nth(0).locator("label").nth(1).tap()
    page.fill("#branch-reason", "以五号平板为准")
    assert keep.is_disabled(), "one item is not chosen yet"
    page.locator("fieldset").nth(1).locator("label").nth(0).tap()
    keep.tap()
    expect(page.locator(".dock")).to_be_visible()
    chosen = one.fake("chosen")
    assert list(chosen["picks"].values()) == ["branch", "mine"]
    assert (chosen["branch"], chosen["reason"]) == ("b1", "以五号平板为准")


# ---- review, signature, seal


def test_review_signature_seal_and_withdrawal(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open("#/sheet/main%2Fc1/review")
    assert page.get_by_role("button", name="封存", exact=True).count() == 0, (
        "not before all is filled in"
    )
    fill(one, package, "main/c1")
    seal = page.get_by_role("button", name="封存", exact=True)
    assert seal.is_disabled()
    box = page.locator("canvas").bounding_box()
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(box["x"] + 40 + 20 * step, box["y"] + 40 + 9 * step)
    page.mouse.up()
    seal.tap()
    expect(page.locator("h1")).to_have_text("已封存")
    expect(page.locator(".code.big")).to_have_text("K7QM-29DX-4TRA")
    assert page.locator(".qr svg path").get_attribute("d").count("M") > 100
    sealed = one.fake("seal")
    assert sealed["signedName"] == "试用专家甲"
    points = [point for stroke in sealed["strokes"] for point in stroke]
    assert len(points) > 3
    assert all(isinstance(number, int) for point in points for number in point)
    page.locator("summary").tap()
    page.fill("#withdraw-reason", "第三项看错")
    page.get_by_role("button", name="撤回，另起一版").tap()
    expect(page.locator("h1")).not_to_have_text("已封存")
    assert one.fake("withdrawn") == "第三项看错"


def test_name_and_pin_instead_of_a_drawn_signature(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open("#/sheet/main%2Fc2/review", "en")
    fill(one, package, "main/c2")
    page.evaluate("() => { fake.offlineSeal = true; }")
    page.get_by_label("Name and PIN").check()
    page.fill("#seal-pin", "111111")
    page.get_by_role("button", name="Seal", exact=True).tap()
    expect(page.get_by_role("alert")).to_contain_text("Wrong PIN")
    assert one.fake("seal") is None
    page.fill("#seal-pin", "246810")
    page.get_by_role("button", name="Seal", exact=True).tap()
    expect(page.locator("main")).to_contain_text("Sealed on this tablet, waiting to be sent")
    assert one.fake("seal")["strokes"] is None
    assert page.locator(".code.big").count() == 0


def test_case_files_give_the_computed_item_its_mean(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open()
    instrument = form_of(package, "main")
    item = next(
        i for i in instrument["items"] if any(f["from_form"] for f in i["scale"].get("figures", []))
    )
    for key in ("main/c1", "main/c2"):
        fill(one, package, key)
        page.evaluate("(key) => fake.change(key, { status: 'sealing' })", key)
    go(one, package, "main", item["id"])
    row = page.locator(".rows li", has_text=item["id"])
    expect(row.locator("b")).to_have_text(f"{item['max']} / {item['max']}")


def test_header_tells_three_facts_and_sign_out_is_blocked(tablet: Any) -> None:
    one = tablet()
    page = one.open()
    one.fake("say({online: false, waiting: 3, savedAt: '2026-10-20T02:32:05Z'})")
    facts = page.locator(".fact")
    expect(facts.nth(0)).to_contain_text("离线")
    expect(facts.nth(1)).to_contain_text(re.compile(r"本机已保存 \d\d:\d\d:05"))
    expect(facts.nth(2)).to_contain_text("待上传 3 项")
    expect(page.locator(".bar [role=status]")).to_contain_text("离线")
    page.get_by_role("button", name="退出").tap()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("还有 3 项没有回执")
    dialog.get_by_role("button", name="退出").tap()
    expect(dialog.get_by_role("alert")).to_contain_text("不能退出")
    with page.expect_download() as caught:
        dialog.get_by_role("button", name="导出数据包").tap()
    assert caught.value.suggested_filename == "tablet.mjfield"


def test_a_conflict_can_be_declared_before_scoring_is_open(tablet: Any) -> None:
    one = tablet()
    page = one.open("#/sheet/statement/0")
    page.get_by_role("button", name="申报回避").tap()
    page.fill("#conflict-reason", "曾在该区任职")
    page.get_by_role("button", name="申报并停止本表").tap()
    expect(page.locator("h1")).to_have_text("本表已停止")
    assert one.fake("conflict") == {"key": "statement", "reason": "曾在该区任职"}


def test_the_drawer_follows_the_item_in_hand(tablet: Any, package: dict[str, Any]) -> None:
    one = tablet()
    page = one.open("#/sheet/main/0")
    second = page.locator("section.item").nth(1)
    second.locator(".level").first.tap()
    name = str(second.get_attribute("id")).removeprefix("item-")
    expect(page.locator(".drawer h2")).to_contain_text(name)
    page.locator(".drawer").get_by_role("button", name="收起").tap()
    expect(page.locator(".drawer")).to_have_count(0)


def test_the_next_person_does_not_meet_what_could_not_be_stored(
    tablet: Any, package: dict[str, Any]
) -> None:
    one = tablet()
    page = one.open()
    item = go(one, package, "main", first_item(package, "main", "points"))
    page.evaluate("() => { fake.full = true; }")
    card_of(page, item["id"]).locator(".chip").last.tap()
    expect(page.get_by_role("alert")).to_contain_text("没有存下")
    page.evaluate("() => { fake.full = false; }")
    page.get_by_role("button", name="锁定").tap()
    page.fill("#pin", "246810")
    page.get_by_role("button", name="打开").tap()
    expect(page.locator(f"[id='{item['id']}-mark']")).to_have_value("")
