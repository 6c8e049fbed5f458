"""The form for given items in a real browser: what was typed outlives an expired session."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from app.accounts.operations import revoke_token
from app.accounts.viewer import Viewer
from app.factory import create_app
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
