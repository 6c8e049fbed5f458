"""A whole site visit without signal on the real server: the recorder takes attendance, records and closes
the statement, two experts type the code, score and seal; at night they are sent, experts first."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.panel import operations as panels
from app.panel.models import Attendance, Panel, Sitting, Statement
from app.panel.models_statement import StatementFile, TimelineMark
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.browser.field_tablet import PIN, bound, shown, started, state, until
from tests.browser.test_browser_field_look import AXE, OVERFLOW, SMALL_PRINT, SMALL_TARGETS
from tests.field.conftest import code_for
from tests.web.conftest import axe, serve

__all__ = ["axe", "settings", "world", "world_template"]
LANDSCAPE, PORTRAIT = {"width": 1024, "height": 768}, {"width": 768, "height": 1024}
PARTS = ("presence", "open", "record", "timeline", "close")


@pytest.fixture
def visit(settings: Any, world: Any) -> Iterator[tuple[str, Any, str]]:
    """(address, application, sitting): everybody declared, nobody there yet, a recorder named."""
    app = create_app(dataclasses.replace(settings, demo=True))
    office = world.people["office"]
    with app.extensions["mingjian.db"].write() as session:
        steps.declare(session, world)
        account = session.get_one(Account, office.id)
        panels.set_recorder(
            session, office, panel=session.get_one(Panel, world.site.id), account=account
        )
    address, server = serve(app)
    yield address, app, world.site.sittings[0]
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


def taken_along(reader: Any, visit: Any, world: Any, who: Any, **options: Any) -> Any:
    """A tablet of `who` with its package, and the signal gone."""
    address, app, _ = visit
    one = reader(address, **{"viewport": LANDSCAPE, "locale": "zh-CN", **options})
    one.page.goto("/field")
    if who.role == "office":
        with app.extensions["mingjian.db"].write() as session:
            code = accounts.own_code(session, who)
    else:
        code = code_for(app, world.people["office"], who)
    bound(started(one.page), code)
    until(lambda: state(one.page)["swVersion"])
    one.context.set_offline(True)
    return one


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def to(page: Any, route: str) -> None:
    page.evaluate("(hash) => { location.hash = hash; }", route)
    page.wait_for_timeout(80)


def gathered(page: Any, sitting: str, count: int) -> None:
    to(page, f"#/statement/{sitting}/presence")
    for number in range(1, count + 1):
        press(page, f"第 {number} 席到场")
        press(page, f"确认第 {number} 席到场")
        expect(page.locator("li.duty").nth(number - 1)).to_contain_text("已到")


def opened(page: Any) -> None:
    page.get_by_role("link", name=re.compile("开始陈述")).click()
    page.fill("#presenter", "虚拟陈述人")
    page.fill("#post", "虚构副县长")
    page.fill("#proxy", "虚字〔2026〕3号")
    expect(page.get_by_role("button", name="开始陈述", exact=True)).to_be_disabled()
    page.get_by_label("已核对居民身份证").check()
    press(page, "开始陈述")
    expect(page.locator("#outline")).to_be_visible()


def photographed(page: Any) -> None:
    picture = page.evaluate(
        """async () => { const c = new OffscreenCanvas(64, 40); c.getContext("2d").fillRect(0, 0, 32, 40);
        return [...new Uint8Array(await (await c.convertToBlob({type: "image/png"})).arrayBuffer())]; }"""
    )
    file = {"name": "委托书.png", "mimeType": "image/png", "buffer": bytes(picture)}
    page.set_input_files("input[aria-label=拍委托书]", file)
    expect(page.locator(".papers li")).to_contain_text("待上传")


def signed(page: Any) -> None:
    pad = page.locator("canvas.signature")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 40 + 14 * step, box["y"] + 60 + 30 * (step % 2))
    page.mouse.up()


def scored(page: Any, key: str, code: str) -> dict[str, Any]:
    """The code typed, every item filled in, sealed with name and PIN; the entries."""
    page.get_by_role("link", name=re.compile("^打开")).first.click()
    page.fill("#unlock", "AAAA AAAA AAAA AAAA")
    press(page, "开始评分")
    expect(page.get_by_role("alert")).to_contain_text("代码不对")
    page.fill("#unlock", "-".join(code[at : at + 4].lower() for at in range(0, 16, 4)))
    press(page, "开始评分")
    expect(page.locator(".dock")).to_be_visible()
    form = page.evaluate("(key) => store.sheet(key).instrument", key)
    marks = steps.complete_marks(sheet_items(form))
    page.evaluate(
        "async ([key, marks]) => { for (const [path, value] of Object.entries(marks)) await store.set(key, path, value); }",
        [key, marks],
    )
    to(page, f"#/sheet/{key}/review")
    page.get_by_label("姓名加密码").check()
    page.fill("#seal-pin", PIN)
    press(page, "封存")
    expect(page.locator("main")).to_contain_text("已在本机封存，等待上传")
    return dict(shown(page, key)["entries"])


def test_a_site_visit_without_signal_is_whole_in_the_evening(
    reader: Any, visit: Any, world: Any
) -> None:
    _, app, sitting = visit
    database = app.extensions["mingjian.db"]
    desk = taken_along(reader, visit, world, world.people["office"])
    experts = [taken_along(reader, visit, world, world.expert(n)) for n in (1, 2)]
    page = desk.page
    page.get_by_role("link", name=re.compile("^打开")).first.click()
    gathered(page, sitting, 6)
    opened(page)
    press(page, "开始计时")
    expect(page.locator(".dock")).to_contain_text("1/")
    page.fill("#outline", "虚构的陈述要点：建设用地")
    page.locator("#outline").blur()
    press(page, "＋ 一问一答")
    expect(page.locator("#questions")).to_be_focused()
    page.keyboard.insert_text("节约了多少？")  # where the caret was put, after "Q:"
    page.locator("#questions").blur()
    photographed(page)
    press(page, "下一环节")
    expect(page.locator(".dock")).to_contain_text("2/")
    to(page, f"#/statement/{sitting}/timeline")
    page.fill("#mark", "第一问")
    press(page, "标记")
    expect(page.locator("main")).to_contain_text("第一问")
    page.reload()  # without signal: the shell, then the PIN, and everything is there
    page.fill("#pin", PIN)
    press(page, "打开")
    expect(page.locator(".dock")).to_contain_text("2/")
    page.wait_for_function("() => /00:0[1-9]/.test(document.querySelector('.timer').textContent)")
    started(page)
    to(page, f"#/statement/{sitting}/record")
    expect(page.locator("#outline")).to_have_value("虚构的陈述要点：建设用地")
    expect(page.locator("#questions")).to_have_value("问：节约了多少？\n答：")
    press(page, "锁定")
    page.fill("#pin", PIN)
    press(page, "打开")
    expect(page.locator(".papers li")).to_have_count(1)
    to(page, f"#/statement/{sitting}/close")
    expect(page.locator("main")).to_contain_text("节约了多少？")
    button = page.get_by_role("button", name="结束陈述", exact=True)
    assert button.is_disabled()
    signed(page)
    button.click()
    expect(page.locator(".qr.large svg")).to_be_visible()
    code = page.inner_text(".code.big").replace(" ", "").replace("\n", "")
    assert re.fullmatch("[A-Z2-7]{16}", code)
    typed = [scored(one.page, sitting, code) for one in experts]
    with database.read() as session:
        assert session.scalars(select(Sheet)).all() == []
        assert session.scalars(select(Attendance)).all() == []

    for one in experts:  # the evening, in the wrong order
        one.context.set_offline(False)
        one.page.evaluate("() => store.syncNow()")
        until(lambda one=one: state(one.page)["waiting"] == 0)
        told = shown(one.page, sitting)
        assert (told["status"], told["pending"]) == ("sealing", "statement")
        expect(one.page.locator("main")).to_contain_text("陈述待确认")
    desk.context.set_offline(False)
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waiting"] == 0 and state(page)["waitingMedia"] == 0)
    expect(page.locator("main")).to_contain_text("服务器已收到结束记录")
    assert state(page)["refused"] == 0 and state(page)["error"] is None
    for one in experts:
        one.page.evaluate("() => store.syncNow()")
        expect(one.page.locator(".code.big")).to_have_text(re.compile(r"^\w{4}-\w{4}-\w{4}$"))
    with database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert (row.presenter_name, row.proxy) == ("虚拟陈述人", "虚字〔2026〕3号")
        assert row.identity == "id_card"
        assert row.questions == "问：节约了多少？\n答：" and row.unconfirmed is None
        assert row.confirmed_name == "虚拟陈述人" and len(row.signature) == 1
        assert row.sitting.phase == "scoring" and row.closed_at is not None
        assert len(session.scalars(select(Attendance)).all()) == 6
        words = session.scalars(select(TimelineMark.words).order_by(TimelineMark.place)).all()
        assert words[-1] == "第一问" and [word[:2] for word in words[:-1]] == ["▶1", "▶2"]
        assert session.scalars(select(StatementFile)).one().kind == "proxy"
        sheets = session.scalars(select(Sheet)).all()
        assert {sheet.state for sheet in sheets} == {"sealed"}
        by_seat = {sheet.seat_id: sheet for sheet in sheets}
        for number, entries in enumerate(typed):
            sealed = by_seat[world.site.seats[number]]
            assert sealed.entries == entries
            assert sealed.receipt == experts[number].page.inner_text(".code.big")
    for one in (desk, *experts):
        assert [fault for fault in one.faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_recorder_s_screens_are_large_enough_and_accessible(
    reader: Any, visit: Any, world: Any, axe: str, lang: str
) -> None:
    *_, sitting = visit
    one = taken_along(reader, visit, world, world.people["office"], viewport=PORTRAIT)
    page = one.page
    problems: list[Any] = []
    looked = os.environ.get("MINGJIAN_LOOK")

    def look(name: str) -> None:
        if lang == "en":
            press(page, "English")
        page.wait_for_timeout(150)
        problems.extend((name, *row) for row in page.evaluate(AXE))
        problems.extend((name, "print", row) for row in page.evaluate(SMALL_PRINT))
        for viewport in (LANDSCAPE, PORTRAIT):
            page.set_viewport_size(viewport)
            page.wait_for_timeout(60)
            problems.extend((name, "small", row) for row in page.evaluate(SMALL_TARGETS))
            problems.extend((name, "wide", n) for n in [page.evaluate(OVERFLOW)] if n > 0)
            if looked:
                shot = Path(looked) / f"{name}-{lang}-{viewport['width']}.png"
                page.screenshot(path=shot, full_page=True)
        if lang == "en":
            press(page, "中文")

    page.evaluate(axe)
    look("duties")
    gathered(page, sitting, 2)
    press(page, "第 3 席到场")
    look("presence")
    to(page, f"#/statement/{sitting}/open")
    look("open")
    opened(page)
    press(page, "开始计时")
    page.fill("#outline", "虚构的陈述要点：\n一、建设用地总量\n二、存量盘活")
    page.fill("#questions", "问：存量盘活了多少？\n答：虚构数字，测试。")
    page.locator("#questions").blur()
    photographed(page)
    look("record")
    to(page, f"#/statement/{sitting}/timeline")
    press(page, "提问")
    look("timeline")
    to(page, f"#/statement/{sitting}/close")
    look("close")
    page.get_by_label("未确认").check()
    look("unconfirmed")
    page.get_by_label("代表已离场").check()
    press(page, "结束陈述")
    expect(page.locator(".qr.large svg")).to_be_visible()
    look("code")
    assert problems == []


def test_words_that_somebody_else_changed_are_never_written_over_unseen(
    reader: Any, visit: Any, world: Any
) -> None:
    """Both texts are shown; the recorder puts one in the other's place. His QR code opens the sheet."""
    _, app, sitting = visit
    database = app.extensions["mingjian.db"]
    desk = taken_along(reader, visit, world, world.people["office"])
    expert = taken_along(reader, visit, world, world.expert(1))
    page = desk.page
    to(page, f"#/statement/{sitting}/open")
    opened(page)
    page.fill("#outline", "平板上的要点")
    page.locator("#outline").blur()
    desk.context.set_offline(False)
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waiting"] == 0)
    desk.context.set_offline(True)
    with database.write() as session:
        panels.record_statement(
            session, world.people["office2"], sitting=session.get_one(Sitting, sitting),
            outline="网页上的要点", questions="", version=2,
        )  # fmt: skip
    page.fill("#outline", "平板上又写的要点")
    page.locator("#outline").blur()
    desk.context.set_offline(False)
    page.evaluate("() => store.syncNow()")
    expect(page.get_by_text("服务器没有接受一项记录")).to_be_visible()
    expect(page.locator(".as-typed")).to_have_text("平板上又写的要点")
    assert page.locator("#outline").is_disabled()
    other = page.get_by_role("button", name="取来网页上的文字对照")
    if other.count():  # the button "send now" fetches the package, too
        other.click()
    expect(page.locator("#outline")).to_have_value("网页上的要点")
    press(page, "改用我写的")
    expect(page.get_by_text("服务器没有接受一项记录")).to_have_count(0)
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waiting"] == 0)
    with database.read() as session:
        assert session.scalars(select(Statement)).one().outline == "平板上又写的要点"
    assert state(page)["refused"] == 0
    secret = page.evaluate(
        "(key) => store.duties().find((d) => d.key === key).unlock_secret", f"statement/{sitting}"
    )
    to(expert.page, "#/unlock/AAAAAAAAAAAAAAAA")
    expect(expert.page.get_by_role("alert")).to_contain_text("代码不对")
    to(expert.page, f"#/unlock/{secret}")
    expect(expert.page.locator(".dock")).to_be_visible()
    assert shown(expert.page, sitting)["unlocked"]
    assert expert.page.url.endswith(f"#/sheet/{sitting}/0")
