"""A whole visit on the real server and the real engine: code, PIN, package, marks without signal, seal, receipt."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.accounts import invitations
from app.factory import create_app
from app.scoring.models import Sheet
from tests.attacks.world import settings, to_scoring, world, world_template
from tests.browser.field_tablet import until
from tests.web.conftest import serve

__all__ = ["settings", "world", "world_template"]
PIN = "246810"
HALF_TYPED = """(words) => {
  const area = document.querySelector("section.item textarea"), now = Date.now;
  area.value = words;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  Date.now = () => now() + 660_000;
  document.dispatchEvent(new Event("visibilitychange"));
  Date.now = now;
}"""


@pytest.fixture
def visit(settings: Any, world: Any) -> Iterator[tuple[str, Any, str]]:
    """(address, application, one-time code of the first expert); scoring is open at the first county."""
    app = create_app(dataclasses.replace(settings, demo=True))
    with app.extensions["mingjian.db"].write() as session:
        to_scoring(session, world)
    with app.extensions["mingjian.db"].write() as session:
        code = invitations.invite(
            session, world.people["office"], purpose="enter",
            person_id=world.expert(1).person_id, valid=invitations.CODE_VALID,
        )  # fmt: skip
    address, server = serve(app)
    yield address, app, code
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


def test_from_code_to_receipt(reader: Any, visit: tuple[str, Any, str], world: Any) -> None:
    address, app, code = visit
    one = reader(address, viewport={"width": 1024, "height": 768}, locale="zh-CN")
    page = one.page
    page.goto(f"/field#{code}")
    page.fill("#label", "三号平板")
    page.fill("#pin", PIN)
    page.fill("#pin-again", PIN)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name=re.compile("下载")).click()
    expect(page.get_by_text("已下载，可离线使用")).to_be_visible()
    page.get_by_role("link", name=re.compile("^打开")).first.click()
    expect(page.locator(".dock")).to_be_visible()
    one.context.set_offline(True)
    key = page.evaluate("() => decodeURIComponent(location.hash.split('/')[2])")
    with app.extensions["mingjian.db"].read() as session:
        sheet = session.scalar(
            select(Sheet).where(Sheet.sitting_id == key, Sheet.seat_id == world.site.seats[0])
        )
    assert sheet is None or not sheet.entries
    words = "锁上前半句"
    page.get_by_role("button", name="＋ 备注").first.click()
    page.locator("section.item textarea").first.focus()
    page.wait_for_timeout(200)
    page.evaluate(HALF_TYPED, words)  # ten minutes pass before the pause after the last key
    page.fill("#pin", PIN)
    page.get_by_role("button", name="打开", exact=True).click()
    expect(page.locator("section.item textarea").first).to_have_value(words)
    wanted = _score_everything(page)
    expect(page.locator("[data-fact=saved]")).to_contain_text("本机已保存")
    expect(page.locator("[data-fact=sent]")).to_contain_text("待上传")
    page.evaluate("(key) => { location.hash = `#/sheet/${key}/review`; }", key)
    page.get_by_label("姓名加密码").check()
    page.fill("#seal-pin", PIN)
    page.get_by_role("button", name="封存", exact=True).click()
    expect(page.locator("main")).to_contain_text("已在本机封存，等待上传")
    one.context.set_offline(False)  # the network's return is what starts the upload
    expect(page.locator(".code.big")).to_have_text(
        re.compile(r"^\w{4}-\w{4}-\w{4}$"), timeout=30_000
    )
    expect(page.locator("[data-fact=sent]")).to_contain_text("全部已回执")
    with app.extensions["mingjian.db"].read() as session:
        sealed = session.scalars(
            select(Sheet).where(Sheet.sitting_id == key, Sheet.seat_id == world.site.seats[0])
        ).one()
        assert sealed.state == "sealed"
        assert sealed.receipt == page.inner_text(".code.big")
        assert [entry["reason"] for entry in sealed.entries.values() if "reason" in entry] == [
            words
        ]
        assert {name: _typed(entry["value"]) for name, entry in sealed.entries.items()} == wanted
    beside = one.context.new_page()  # the pages of the site are his while the application is open
    beside.goto("/")
    assert "/sign-in" not in beside.url and world.expert(1).name in beside.content()
    page.get_by_role("button", name="锁定").click()
    until(lambda: "/sign-in" in beside.goto("/").url)
    assert [fault for fault in one.faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []


def _typed(value: Any) -> str:
    """The mark, or the figures if they all say the same."""
    (one,) = {value["mark"]} if "mark" in value else set(value["figures"].values())
    return str(one)


def _score_everything(page: Any) -> dict[str, str]:
    """Every grade by two taps, the first level and its highest mark; every figure 20. ITEM -> what was typed."""
    marks: dict[str, str] = {}
    while True:
        for card in page.locator("section.item").all():
            name = str(card.get_attribute("id")).removeprefix("item-")
            if card.locator(".level").count():
                card.locator(".level").first.click()
                chip = card.locator(".chips:not(.phrases) .chip").last
                marks[name] = chip.inner_text()
                chip.click()
            for figure in card.locator(".row-field input").all():
                figure.fill("２０")
                figure.blur()
                marks[name] = "20"
            expect(card.locator(".item-state")).to_contain_text("得 ")
        if page.get_by_role("link", name="下一部分").count() == 0:
            return marks
        page.get_by_role("link", name="下一部分").click()
        page.wait_for_timeout(100)
