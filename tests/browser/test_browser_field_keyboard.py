"""One sheet from code to seal with nothing but a keyboard, at twice the size of everything."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect
from sqlalchemy import select

from app.scoring.models import Sheet
from tests.attacks.world import settings, world, world_template
from tests.browser.test_browser_field_visit import PIN, visit

__all__ = ["settings", "visit", "world", "world_template"]
ZOOMED = {"width": 512, "height": 384}  # 1024 x 768 at 200 %
MOST = 400  # presses of Tab on one screen; more would be a trap
HERE = """() => {
    const node = document.activeElement, card = node.closest("section.item");
    const last = (all) => card && [...card.querySelectorAll(all)].at(-1) === node;
    const { width, height, top, bottom } = node.getBoundingClientRect();
    return {
        id: node.id, tag: node.tagName, type: node.type ?? "", words: node.innerText ?? "", item: card?.id ?? "",
        level: node.matches(".level") && card.querySelector(".level") === node, chip: last(".chips:not(.phrases) .chip"),
        figure: node.matches(".row-field input:not([type=checkbox])") && card !== null && !card.querySelector(".level"),
        seen: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
        ringed: getComputedStyle(node).outlineStyle !== "none" || node.matches("input, textarea"),
    };
}"""


class Keys:
    """A person who has no mouse and no finger."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def onward(self, wanted: Any) -> dict[str, Any]:
        """Tab until what has the focus is wanted."""
        for _ in range(MOST):
            self.page.keyboard.press("Tab")
            here: dict[str, Any] = self.page.evaluate(HERE)
            if here["tag"] != "BODY":
                assert here["seen"], f"focus on what is not on the screen: {here}"
                assert here["ringed"], f"focus that is not shown: {here}"
            if wanted(here):
                return here
        raise AssertionError("the keyboard does not get there")

    def type_into(self, field: str, text: str) -> None:
        self.onward(lambda here: here["id"] == field)
        self.page.keyboard.type(text)

    def press(self, words: str) -> None:
        self.onward(lambda here: here["words"].strip() == words)
        self.page.keyboard.press("Enter")


def test_a_sheet_by_keyboard_alone_at_twice_the_size(
    reader: Any, visit: tuple[str, Any, str], world: Any
) -> None:
    address, app, code = visit
    one = reader(address, viewport=ZOOMED, locale="zh-CN", reduced_motion="reduce")
    page, keys = one.page, Keys(one.page)
    page.goto(f"/field#{code}")
    expect(page.locator("#label")).to_be_visible()
    keys.type_into("label", "三号平板")
    keys.type_into("pin", PIN)
    keys.type_into("pin-again", PIN)
    keys.press("登录")
    expect(page.get_by_text("我的任务")).to_be_visible()
    keys.press("评分")
    expect(page.locator(".dock")).to_be_visible()
    done: set[str] = set()
    while page.locator("section.item").count():
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

        def next_step(here: dict[str, Any]) -> bool:
            on = here["item"] not in done and (here["level"] or here["chip"] or here["figure"])
            return bool(on) or here["words"].strip() in ("下一部分", "核对并封存")

        here = keys.onward(next_step)
        if here["figure"]:
            page.keyboard.type("20")
        else:
            page.keyboard.press("Enter")
        if here["chip"]:
            done.add(here["item"])
        if not here["item"]:
            page.wait_for_timeout(200)
    assert done
    expect(page.get_by_label("姓名加密码")).to_be_visible()
    keys.onward(lambda here: here["type"] == "radio")
    page.keyboard.press("ArrowDown")
    if not page.get_by_label("姓名加密码").is_checked():
        page.keyboard.press("ArrowUp")
    expect(page.get_by_label("姓名加密码")).to_be_checked()
    keys.type_into("seal-pin", PIN)
    keys.press("封存")
    expect(page.locator(".code.big")).to_have_text(
        re.compile(r"^\w{4}-\w{4}-\w{4}$"), timeout=30_000
    )
    with app.extensions["mingjian.db"].read() as session:
        sealed = session.scalars(select(Sheet).where(Sheet.seat_id == world.site.seats[0])).one()
        assert sealed.state == "sealed" and sealed.receipt == page.inner_text(".code.big")
    assert one.faults == []
