"""The forms for given items in a real browser: what was typed outlives an expired session, keys alone fill
the county's form, ticks are counted and confirmed together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from app.accounts.operations import revoke_token
from app.accounts.viewer import Viewer
from app.factory import create_app
from app.scoring.models import GivenMark
from tests.conftest import Make
from tests.schemes.builders import document, small
from tests.schemes.test_new_pages import client_of
from tests.web.conftest import serve

TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}


@pytest.fixture
def served(settings: Any, database: Any) -> Iterator[tuple[str, Any]]:
    """(address, application) as it really runs, CSRF and all."""
    app = create_app(dataclasses.replace(settings, demo=True))
    address, server = serve(app)
    yield address, app
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


def enter(one: Any, address: str, app: Any, database: Any, viewer: Viewer, language: str) -> str:
    """Sign the browser in with a fresh session; its token."""
    client = client_of(app, database, viewer, language)
    with client.session_transaction() as cookie:
        token = str(cookie["_user_id"])
    held = client.get_cookie("mingjian") or client.get_cookie("session")
    assert held is not None
    one.context.add_cookies([{"name": held.key, "value": held.value, "url": address}])
    return token


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_session_that_ends_in_mid_form_loses_nothing(
    served: Any, database: Any, reader: Any, language: str
) -> None:
    address, app = served
    with database.write() as session:
        made = small(session, Make(), "jiangsu-enforcement-2022")
        document(made, 0, "表扬通报.pdf")
        county, office = made.subjects[0].id, made.scored.office
    one = reader(address, **TABLET)
    token = enter(one, address, app, database, office, language)
    page = one.page
    where = f"/r/small/given/{county}/assess/J13"
    page.goto(where)
    page.fill("[name='J13.mark']", "4.5")
    page.click("#item-J13 details summary")
    page.fill("[name='J13.reason']", "测试：扣半分")
    page.fill("[name=evidence]", "测试文号〔2022〕1号")
    page.check("[name=materials]")
    with database.write() as session:
        revoke_token(session, token)
    page.click("main form[data-keep] button.primary")
    page.wait_for_selector("a[data-sign-in]")
    assert ("没有提交" if language == "zh" else "Not submitted") in one.text()
    page.wait_for_selector("a[data-sign-in][href*='next=']")  # back to this very form
    enter(one, address, app, database, office, language)
    page.goto(where)
    assert page.locator("[name='J13.mark']").input_value() == "4.5"
    assert page.locator("[name='J13.reason']").input_value() == "测试：扣半分"
    assert page.locator("[name='J13.reason']").is_visible()
    assert page.locator("[name=evidence]").input_value() == "测试文号〔2022〕1号"
    assert page.locator("[name=materials]").is_checked()
    assert ("已恢复" if language == "zh" else "is back") in one.text()
    page.click("main form[data-keep] button.primary")
    page.wait_for_url(f"**/given/{county}")
    assert "测试文号〔2022〕1号" in one.text()
    page.goto(where)  # taken by the server: nothing is kept on the device any more
    assert ("已恢复" if language == "zh" else "is back") not in one.text()
    assert [f for f in one.faults if "401" not in f] == []


def test_the_countys_form_by_keyboard_and_the_second_persons_ticks(
    served: Any, database: Any, reader: Any
) -> None:
    address, app = served
    with database.write() as session:
        made = small(session, Make(), "luohe-2010")
        county, office, second = made.subjects[0].id, made.scored.office, made.scored.second
    one = reader(address, viewport={"width": 390, "height": 844})
    enter(one, address, app, database, office, "zh")
    page, where = one.page, f"/r/small/given/{county}"
    button = page.locator("form[data-lines] button.primary")
    page.goto(where)
    button.get_by_text("登记所填", exact=True).wait_for()
    page.focus("[name=basis]")
    page.keyboard.insert_text("自查报告")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("６。５")  # as an input method types it
    page.keyboard.press("Enter")  # takes nothing away and sends nothing
    for _ in range(5):  # not applicable, reason, basis, its own page; then the next line
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    button.get_by_text("登记所填 2 项", exact=True).wait_for()
    assert page.locator("[name='select.LC1.mark']").input_value() == "6.5"
    assert page.locator("[name='selfcheck.L1.pass'][value=no]").is_checked()
    page.keyboard.press("ArrowLeft")
    assert page.locator("[name='selfcheck.L1.pass'][value=yes]").is_checked()
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    page.goto("/")  # away and back without sending: it is still there
    page.goto(where)
    button.get_by_text("登记所填 2 项", exact=True).wait_for()
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("已登记 2 项").wait_for()
    with database.read() as session:
        rows = {m.item: (m.entry["value"], m.evidence) for m in session.query(GivenMark)}
    assert rows == {
        "LC1": ({"level": "good", "mark": "6.5"}, "自查报告"),
        "L1": ({"pass": True}, "自查报告"),
    }

    other = reader(address, viewport={"width": 1366, "height": 768})
    enter(other, address, app, database, second, "en")
    page = other.page
    page.goto(where)
    page.get_by_role("button", name="Tick all", exact=True).click()
    button = page.locator("form[data-lines]:has([name=tick]) button.primary")
    button.get_by_text("Confirm the 2 ticked", exact=True).wait_for()
    page.locator("[name=tick]").first.uncheck()
    button.get_by_text("Confirm the 1 ticked", exact=True).click()
    page.get_by_text("1 item(s) confirmed").wait_for()
    assert page.locator("[name=tick]").count() == 1
    with database.read() as session:
        done = {m.item: m.confirmed_by for m in session.query(GivenMark)}
    assert done == {"LC1": None, "L1": second.id}
    assert one.faults == [] and other.faults == []
