"""From an office's own table to experts in the pool, by hand: a GBK file with headings of its own, its
columns matched, its errors read by row and column and mended, and the same people once more as an update."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.directory.models import Person
from app.directory.operations import create_organisation
from app.registry.models import Expert
from tests.browser.test_browser_orders import cookie_of
from tests.web.conftest import Reader, serve

HEAD = "序号,专家称呼,供职机构,技术职称等,人员类型,研究领域,机构属性,联系号码\n"
CHOSEN = {
    "name": "专家称呼", "employer": "供职机构", "title": "技术职称等", "kind": "人员类型",
    "discipline": "研究领域", "source": "机构属性", "phone": "联系号码",
}  # fmt: skip
GOOD = "1,测试丁,测试大学,教授,技术,土地,高校,13800003333\n"
WRONG = "2,测试戊,测试大学,教授,技术,天文,高校,12\n"
MENDED = "2,测试戊,测试大学,教授,技术,土地,高校,13800004444\n"


def test_own_headings_errors_mended_and_an_update(
    app: Any, make: Any, chromium: Any, tmp_path: Path
) -> None:
    base = app.extensions["mingjian.db"]
    with base.write() as session:
        create_organisation(session, None, name="测试大学", kind="university")
        keeper = make.viewer(session, "keeper")
        token = accounts.open_sign_in(
            session, session.get_one(Account, keeper.id), agent="t", address="t", hours=1
        )
    address, server = serve(app)
    reader = Reader(chromium, address, viewport={"width": 1366, "height": 768})
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = cookie_of(app, token, "zh")
    reader.context.add_cookies([{"name": name, "url": address, "value": cookie}])
    tab = reader.page

    def choose(rows: str) -> None:
        path = tmp_path / "专家名单.csv"
        path.write_bytes((HEAD + rows).encode("gb18030"))
        tab.goto("/pool/import")
        tab.set_input_files("input[name=file]", str(path))
        tab.click("button:has-text('试读')")

    def cells(caption: str) -> list[list[str]]:
        table = tab.wait_for_selector(f"table:has(caption:has-text('{caption}'))")
        return [
            [" ".join(cell.inner_text().split()) for cell in row.query_selector_all("td")]
            for row in table.query_selector_all("tbody tr")
        ]

    def people() -> list[tuple[str, str]]:
        with base.read() as session:
            rows = session.execute(
                select(Person.name, Expert.title).join(Person).order_by(Expert.number)
            )
            return [(row[0], row[1]) for row in rows]

    choose(GOOD + WRONG)
    tab.wait_for_selector("h1:has-text('对应列')")
    assert "缺少列" in tab.inner_text("main") and tab.input_value("#map-name") == ""
    for field, head in CHOSEN.items():
        tab.select_option(f"#map-{field}", head)
    tab.click("button:has-text('记住并试读')")  # a guess claims 研究领域 for another field too
    tab.wait_for_selector(".note:has-text('对应了两个栏目（专业、专长）')")
    assert tab.input_value("#map-name") == "专家称呼", "what was chosen is kept"
    tab.select_option("#map-specialties", "")
    tab.click("button:has-text('记住并试读')")
    wrong = cells("错误")
    assert sorted((row[0], row[1]) for row in wrong) == [("3", "专业"), ("3", "电话")]
    assert "天文" in str(wrong) and tab.query_selector("#confirm-import") is None

    choose(GOOD + MENDED)  # the columns are remembered: straight to the dry run
    assert [row[1] for row in cells("可以导入")] == ["测试丁", "测试戊"]
    assert people() == []
    tab.click("#confirm-import button")
    tab.wait_for_url(re.compile(r"/pool$"))
    assert people() == [("测试丁", "教授"), ("测试戊", "教授")]

    choose(GOOD.replace("教授", "研究员") + MENDED.replace("13800004444", "13900005555"))
    shown = cells("已在库中，文件里不同的内容")
    assert [(row[1], row[3], row[4], row[5]) for row in shown] == [
        ("2", "职称", "教授", "研究员"), ("3", "电话", "138****4444", "139****5555"),
    ]  # fmt: skip
    tab.uncheck("table:has(caption:has-text('已在库中')) tbody tr:nth-child(2) input")
    tab.click("#confirm-import button")
    tab.wait_for_url(re.compile(r"/pool$"))
    assert "已更新 1 人" in tab.inner_text("main")
    assert people() == [("测试丁", "研究员"), ("测试戊", "教授")]
    with base.read() as session:
        (phone,) = session.scalars(select(Person.phone).where(Person.name == "测试戊"))
        keys = session.info["keys"]
        assert keys.decrypt(phone) == "13800004444", "what was not ticked stays"
    told = [fault for fault in reader.faults if "422" not in fault]  # two pages that refuse
    assert told == [] and len(reader.faults) == 2
    reader.context.close()
    server.shutdown()
