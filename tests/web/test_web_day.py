"""A panel's day in a real browser: the office asks before it does a step for all, an expert signs in once."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.attacks import world as steps
from tests.conftest import PASSWORD
from tests.web.test_web_paths import qr_link


def test_three_sittings_in_three_presses(small, world, reader):
    address, app = small
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        steps.declare(session, world, world.desk)
    office, expert = reader(address), reader(address, viewport={"width": 390, "height": 844})
    me = world.desk.experts[0]
    office.sign_in("office", "zh", PASSWORD)
    here = f"/r/one/panels/{world.desk.id}"
    office.page.goto(here)
    dialog = office.page.locator("dialog[open]")
    office.page.get_by_role("button", name="全部开始（3 场）").click()
    expect(dialog).to_contain_text("东城区、海淀区、丰台区")
    dialog.get_by_role("button", name="取消").click()
    expect(dialog).to_have_count(0)
    office.page.get_by_role("button", name="全部开始（3 场）").click()
    dialog.get_by_role("button", name="全部开始（3 场）").click()
    expect(office.page.locator("body")).to_contain_text("3 场会议已开始")
    expect(office.page.get_by_role("button", name="全部开放评分（3 场）")).to_be_visible()

    expert.page.goto(qr_link(app, me))
    expert.page.click("main form button")
    expert.page.wait_for_url("**/")
    line = expert.page.locator("li", has_text="请签到：3 场会议")
    line.get_by_role("link").click()
    expert.page.get_by_role("button", name="签到本组当天全部会议（3 场）").click()
    expect(expert.page.locator("body")).to_contain_text("已签到：3 场会议")
    expert.page.goto("/")
    expect(expert.page.locator("main")).not_to_contain_text("请签到")

    office.page.goto("/")  # nobody else is there: the step is refused and leads back to the panel
    line = office.page.locator("li", has_text="3 场会议等待办公室下一步")
    line.get_by_role("link").click()
    office.page.get_by_role("button", name="全部开放评分（3 场）").click()
    dialog.get_by_role("button", name="全部开放评分（3 场）").click()
    expect(office.page.locator("h1")).to_have_text("现在不能开放评分")
    office.page.get_by_role("link", name="回到原来的页面").click()
    expect(office.page).to_have_url(re.compile(f"{here}$"))
    assert expert.faults == []
